// The configuration editor as a user meets it: keys, pointer, undo, search, plans, themes, and a tree of 16,000 options.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from './host.mjs';

const patience = 60_000;
export const application = 'library-pool/app/hello';

export const configPage = (page) => page.frameLocator('iframe.webview').frameLocator('#active-frame');

/** Runs a command by its title; keys pressed before the workbench is wired do nothing, so it looks, acts and repeats. */
export async function runCommand(page, title) {
  await page.waitForSelector('.monaco-workbench .part.editor', { timeout: patience });
  for (let attempt = 0; attempt < 20; attempt++) {
    await page.keyboard.press('F1');
    const input = page.locator('.quick-input-widget input').first();
    const shown = await input
      .waitFor({ timeout: 3000 })
      .then(() => true)
      .catch(() => false);
    if (shown) {
      await input.fill(`>${title}`);
      const row = page.locator(`.quick-input-list .monaco-list-row:has-text("${title}")`).first();
      const found = await row
        .waitFor({ timeout: 3000 })
        .then(() => true)
        .catch(() => false);
      if (found) return page.keyboard.press('Enter');
    }
    await page.keyboard.press('Escape');
    await page.waitForTimeout(500);
  }
  throw new Error(`no command ${title}`);
}

/** The example carries only what it is built of; its options need the whole pool. */
export async function poolIn(folder) {
  await cp(path.join(root, 'library-pool'), `${folder}/library-pool`, { recursive: true });
}

/** Opens the editor of the example's application; picks it where there are several. Brings the pool into the folder, where one is given. */
export async function configure(page, folder) {
  if (folder) await poolIn(folder);
  await runCommand(page, 'Unikernel: Configure');
  const frame = configPage(page);
  const first = frame.locator('.row').first();
  const pick = page.locator('.quick-input-list .monaco-list-row:has-text("app/hello")').first();
  await Promise.race([first.waitFor({ timeout: patience }), pick.waitFor({ timeout: patience }).then(() => pick.click())]);
  await first.waitFor({ timeout: patience });
  return frame;
}

const row = (frame, name) => frame.locator(`.row[data-name="${name}"]`);

export async function search(page, frame, text) {
  await frame.locator('.search').click();
  await frame.locator('.search').fill(text);
  await frame.locator('.count:has-text("found")').waitFor({ timeout: patience });
  await page.waitForTimeout(300);
  await page.keyboard.press('Enter');
  await page.waitForTimeout(200);
}

export async function setChecked(frame, name, value) {
  await frame.locator(`.row[data-name="${name}"][aria-checked="${value}"]`).waitFor({ timeout: 10_000 });
}

export async function fileHas(file, text) {
  const end = Date.now() + 15_000;
  while (!(await readFile(file, 'utf8')).includes(text)) {
    assert.ok(Date.now() < end, `${file} has ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The whole way: set, see what changed, undo, redo, save, plan, range, help. */
async function tour(page, shot, folder, theme) {
  const file = `${folder}/${application}/.config`;
  const frame = await configure(page, folder);
  await search(page, frame, 'PC_BOOT_LXBOOT');
  await setChecked(frame, 'PC_BOOT_LXBOOT', 'true');
  await page.keyboard.press('n');
  await setChecked(frame, 'PC_BOOT_LXBOOT', 'false');
  await page.keyboard.press('Control+z');
  await setChecked(frame, 'PC_BOOT_LXBOOT', 'true');
  await page.keyboard.press('Control+Shift+z');
  await setChecked(frame, 'PC_BOOT_LXBOOT', 'false');
  await page.keyboard.press('Control+s');
  await fileHas(file, '# CONFIG_PC_BOOT_LXBOOT is not set\n');

  await search(page, frame, 'LIBSYSCALL_SHIM_HANDLER');
  await frame.locator('.plan .button').first().waitFor({ timeout: patience });
  await shot(`config-plan-${theme}`);
  await frame.locator('.plan .button').first().click();
  await setChecked(frame, 'LIBSYSCALL_SHIM_HANDLER', 'false');
  await frame.locator('.notice').waitFor({ timeout: 10_000 });
  await page.waitForTimeout(300);
  await shot(`config-applied-${theme}`);

  await search(page, frame, 'PC_STACK_SIZE');
  await page.keyboard.press('Enter');
  await frame.locator('.field').fill('12');
  await frame.locator('.field-problem:has-text("Out of range: takes values from 8192")').waitFor({ timeout: 10_000 });
  await shot(`config-range-${theme}`);
  await page.keyboard.press('Escape');

  await frame.locator('.search').fill('');
  await page.waitForTimeout(300);
  await frame.locator('.tree').focus();
  await page.keyboard.press('z');
  await frame.locator('[aria-label="Unfold all"]').click();
  await page.waitForTimeout(500);
  await shot(`config-all-${theme}`);
  await frame.locator('.tree').focus();
  await page.keyboard.press('?');
  await frame.locator('.help-dialog').waitFor({ timeout: 10_000 });
  await shot(`config-help-${theme}`);
}

/** The text and the tree side by side: each follows the other. */
async function bothWays(page, shot, folder) {
  const frame = await configure(page, folder);
  await search(page, frame, 'OPTIMIZE_DEADELIM');
  await setChecked(frame, 'OPTIMIZE_DEADELIM', 'false');
  const file = `${folder}/${application}/.config`;
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('# CONFIG_OPTIMIZE_DEADELIM is not set', 'CONFIG_OPTIMIZE_DEADELIM=y'));
  await setChecked(frame, 'OPTIMIZE_DEADELIM', 'true');
  const tree = `${folder}/library-pool/Config.uk`;
  const options = await readFile(tree, 'utf8');
  await writeFile(tree, options.replace('bool "Drop unused functions and data"', 'bool "Drop what is not used"'));
  await frame.locator('.row .title:has-text("Drop what is not used")').waitFor({ timeout: 20_000 });
  await shot('config-both-ways');
}

/** 16,000 options, scrolled from end to end; what a frame costs is measured by bench/kconfig/scroll.mjs. */
async function large(page, shot, folder) {
  const library = `${folder}/library-pool/lib/many`;
  await mkdir(library, { recursive: true });
  const menus = Array.from({ length: 160 }, (_, menu) => {
    const options = Array.from({ length: 100 }, (__, at) => `config MANY_${menu}_${at}\n\tbool "Option ${at} of menu ${menu}"\n`);
    return `menu "Menu ${menu}"\n${options.join('')}endmenu\n`;
  });
  await writeFile(`${library}/Config.uk`, menus.join(''));
  const frame = await configure(page, folder);
  await scrollThrough(page, frame, 16_000);
  await search(page, frame, 'MANY_77_7');
  await row(frame, 'MANY_77_7').waitFor({ timeout: 10_000 });
  await page.keyboard.press('y');
  await setChecked(frame, 'MANY_77_7', 'true');
  await shot('config-large');
}

/** CPU time of the thread that the editor's page runs on, in milliseconds: other work on the machine does not count. */
async function threadTime(page) {
  const outer = await (await page.waitForSelector('iframe.webview')).contentFrame();
  const inner = await (await outer.waitForSelector('#active-frame', { state: 'attached' })).contentFrame();
  // A page in a process of its own is asked through a session of its own.
  for (const target of [inner, outer, page]) {
    const session = await page
      .context()
      .newCDPSession(target)
      .catch(() => undefined);
    if (!session) continue;
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    return async () => (await session.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration').value * 1000;
  }
  throw new Error('the page cannot be measured');
}

/** Unfolds all, scrolls from end to end, by the wheel's steps and by whole screens, and says what a frame took and what it cost the processor. */
async function scrollThrough(page, frame, least) {
  await frame.locator('[aria-label="Unfold all"]').click();
  await frame.locator('.tree').evaluate(() => new Promise((resolve) => setTimeout(resolve, 1500)));
  const clock = await threadTime(page);
  const steps = 240;
  for (const [how, share] of [
    ['by 120 pixels', 0],
    ['from end to end', 1],
  ]) {
    const before = await clock();
    const measured = await frame.locator('.tree').evaluate(
      async (tree, { steps, share }) => {
        const frames = [];
        const whole = (tree.scrollHeight - tree.clientHeight) / steps;
        tree.scrollTop = 0;
        let last = performance.now();
        for (let step = 0; step <= steps; step++) {
          tree.scrollTop = share ? whole * step : 120 * step;
          await new Promise((resolve) => requestAnimationFrame(resolve));
          const now = performance.now();
          frames.push(now - last);
          last = now;
        }
        frames.sort((a, b) => a - b);
        return { median: frames[frames.length >> 1], p95: frames[Math.floor(frames.length * 0.95)] };
      },
      { steps, share },
    );
    const cost = ((await clock()) - before) / steps;
    console.log(
      `    ${how}: a frame takes ${measured.median.toFixed(1)} ms in the median, ${measured.p95.toFixed(1)} ms at the 95th percentile, and ${cost.toFixed(1)} ms of the page's thread`,
    );
    assert.ok(cost < 16, `a frame costs ${cost} ms`);
  }
  const { rows, total } = await frame.locator('.tree').evaluate(async (tree) => {
    await new Promise((resolve) => setTimeout(resolve, 800));
    const rows = [...tree.querySelectorAll('.row')];
    return { rows: rows.length, total: Math.round(tree.scrollHeight / rows[0].offsetHeight) };
  });
  console.log(`    ${total} rows, ${rows} of them in the page`);
  assert.ok(total > least, 'all rows are there');
  assert.ok(rows > 10 && rows < 120, `${rows} rows are in the page`);
}

const { LINUX_ROOT: linux } = process.env;

/** Linux's tree beside a .config of its own: nothing is written into the tree. */
async function linuxFolder() {
  const folder = await mkdtemp(path.join(tmpdir(), 'unikernel-linux-'));
  for (const name of await readdir(linux)) if (!name.startsWith('.')) await symlink(path.join(linux, name), path.join(folder, name));
  await cp(path.join(linux, 'arch/x86/configs/x86_64_defconfig'), path.join(folder, '.config'));
  return folder;
}

/** The largest tree there is: opened, scrolled, searched and changed. */
async function linuxTour(page, shot) {
  await runCommand(page, 'Unikernel: Configure');
  const started = Date.now();
  const frame = configPage(page);
  await frame.locator('.row').first().waitFor({ timeout: patience });
  console.log(`    Linux's configuration is open after ${Date.now() - started} ms`);
  await frame.locator('.tree').focus();
  await page.keyboard.press('z');
  await scrollThrough(page, frame, 10_000);
  await search(page, frame, 'EXT4_FS');
  await row(frame, 'EXT4_FS').click();
  await setChecked(frame, 'EXT4_FS', 'true');
  const pressed = Date.now();
  await page.keyboard.press('n');
  await setChecked(frame, 'EXT4_FS', 'false');
  console.log(`    a change shows after ${Date.now() - pressed} ms`);
  await page.waitForTimeout(400);
  await shot('config-linux');
}

/** Compared with a file: what differs, and its value taken over. */
async function compared(page, shot, folder) {
  const frame = await configure(page, folder);
  // Only now: a new .config would start from it.
  await writeFile(`${folder}/${application}/defconfig`, 'CONFIG_PC_STACK_SIZE=131072\n# CONFIG_PC_BOOT_LXBOOT is not set\n');
  await frame.locator('[aria-label^="Compare with"]').click();
  await page.locator('.quick-input-list .monaco-list-row:has-text("hello/defconfig")').first().click({ timeout: patience });
  await frame.locator('.banner.comparison').waitFor({ timeout: patience });
  await frame.locator('.banner.comparison .link:has-text("Show")').click();
  await row(frame, 'PC_STACK_SIZE').waitFor({ timeout: 10_000 });
  await row(frame, 'PC_STACK_SIZE').click();
  await page.waitForTimeout(400);
  await shot('config-compared');
}

/** The example under version control, its configuration committed. */
async function committed() {
  const folder = await mkdtemp(path.join(tmpdir(), 'unikernel-committed-'));
  await cp(path.join(root, 'dist', 'examples', 'hello'), folder, { recursive: true });
  await poolIn(folder);
  const make = ['config', 'alldefconfig', '--tree', 'library-pool/Config.uk', '--app', application, '--config', `${application}/.config`];
  execFileSync(process.execPath, [path.join(root, 'dist', 'cli.js'), ...make], { cwd: folder, stdio: 'ignore' });
  const git = (...args) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args], { cwd: folder, stdio: 'ignore' });
  git('init', '-q');
  git('add', '-A', '-f');
  git('commit', '-q', '-m', 'start');
  return folder;
}

/** Compared with the last commit, and saved as a defconfig. */
async function againstHead(page, shot, folder) {
  await runCommand(page, 'Unikernel: Configure');
  const pick = page.locator('.quick-input-list .monaco-list-row:has-text("app/hello")').first();
  await pick.click({ timeout: patience });
  const frame = configPage(page);
  await search(page, frame, 'PC_BOOT_LXBOOT');
  await setChecked(frame, 'PC_BOOT_LXBOOT', 'true');
  await page.keyboard.press('n');
  await setChecked(frame, 'PC_BOOT_LXBOOT', 'false');
  const head = page.locator('.quick-input-list .monaco-list-row:has-text("HEAD")').first();
  // Git looks at a folder in its own time.
  for (let attempt = 0; attempt < 20; attempt++) {
    await frame.locator('[aria-label^="Compare with"]').click();
    await page.locator('.quick-input-list .monaco-list-row:has-text("Another file")').first().waitFor({ timeout: patience });
    if ((await head.count()) > 0) break;
    await page.keyboard.press('Escape');
    await page.waitForTimeout(1500);
  }
  await head.click();
  await frame.locator('.banner.comparison:has-text("Compared with HEAD: 1 option differs")').waitFor({ timeout: patience });
  await frame.locator('.banner.comparison .link:has-text("Show")').click();
  await row(frame, 'PC_BOOT_LXBOOT').click();
  await page.waitForTimeout(400);
  await shot('config-head');

  await frame.locator('[aria-label^="Save as defconfig"]').click();
  const input = page.locator('.quick-input-widget input').first();
  await input.waitFor({ timeout: patience });
  // The dialog fills in its proposal when it is ready.
  for (const end = Date.now() + patience; !(await input.inputValue()).endsWith('/defconfig'); await page.waitForTimeout(100))
    assert.ok(Date.now() < end, 'a place is proposed');
  const saved = `${folder}/${application}/small_defconfig`;
  await input.fill(saved);
  await page.waitForTimeout(300);
  await page.keyboard.press('Enter');
  const end = Date.now() + 30_000;
  while (!existsSync(saved)) {
    assert.ok(Date.now() < end, `${saved} is written`);
    await page.waitForTimeout(200);
  }
  assert.equal(await readFile(saved, 'utf8'), '# CONFIG_PC_BOOT_LXBOOT is not set\n');
  await page.locator('.notification-list-item:has-text("small_defconfig")').first().waitFor({ timeout: patience });
  await shot('config-defconfig-saved');
}

export const themes = {
  dark: 'Default Dark Modern',
  light: 'Default Light Modern',
  contrast: 'Default High Contrast',
  'contrast-light': 'Default High Contrast Light',
};

export const configScenarios = [
  ...Object.entries(themes).map(([name, theme]) => ({
    name: `the configuration editor, ${name}`,
    settings: {
      'workbench.colorTheme': theme,
      'window.autoDetectColorScheme': false,
      'window.autoDetectHighContrast': false,
      'files.autoSave': 'off',
    },
    steps: (page, shot, folder) => tour(page, shot, folder, name),
  })),
  { name: 'the configuration and its files, both ways', settings: { 'files.autoSave': 'off' }, steps: bothWays },
  { name: 'a configuration compared with a defconfig', settings: { 'files.autoSave': 'off' }, steps: compared },
  {
    name: 'a configuration compared with HEAD, and saved as a defconfig',
    settings: { 'files.autoSave': 'off', 'workbench.colorTheme': 'Default Dark Modern' },
    prepare: committed,
    steps: againstHead,
  },
  ...(linux ? [{ name: 'the configuration of Linux', settings: { 'files.autoSave': 'off' }, prepare: linuxFolder, steps: linuxTour }] : []),
  { name: 'a configuration of 16,000 options', settings: { 'files.autoSave': 'off' }, steps: large },
];
