// The library pool of a real Unikraft tree as a user meets it: found, filtered, read, drawn, enabled, asked for in the Kraftfile. Wants UNIKERNEL_SUITES and UK_ROOT.
import assert from 'node:assert/strict';
import { access, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { command, row } from './ui-pool.mjs';

const patience = 60_000;
const { UNIKERNEL_SUITES: suites, UK_ROOT: core } = process.env;

const kraftfile = `spec: v0.6
name: web            # what the image is called

unikraft: stable

libraries:
  # The C library comes first.
  musl: stable
  lwip: stable       # TCP/IP

targets:
- qemu/x86_64
`;

/** An application on the tree, laid out as kraft does. */
export async function prepareTree() {
  const folder = await mkdtemp(path.join(tmpdir(), 'unikernel-web-'));
  await mkdir(path.join(folder, '.unikraft', 'libs'), { recursive: true });
  await symlink(core, path.join(folder, '.unikraft', 'unikraft'));
  for (const name of ['musl', 'lwip']) await symlink(path.join(suites, 'libs', name), path.join(folder, '.unikraft', 'libs', name));
  await writeFile(path.join(folder, 'Kraftfile'), kraftfile);
  await writeFile(path.join(folder, 'Makefile.uk'), '$(eval $(call addlib,appweb))\n\nAPPWEB_SRCS-y += $(APPWEB_BASE)/main.c\n');
  await writeFile(path.join(folder, 'main.c'), '#include <stdio.h>\n\nint main(void)\n{\n\tputs("ready");\n\treturn 0;\n}\n');
  return folder;
}

export async function until(what, holds) {
  for (let attempt = 0; !(await holds()); attempt++) {
    if (attempt > 240) throw new Error(what);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function tour(page, shot, folder, theme) {
  await page.waitForSelector('.monaco-workbench .part.editor', { timeout: patience });
  await command(page, 'Unikernel: Focus on Library Pool View').catch(() => command(page, 'View: Show Unikernel'));
  await row(page, 'lwip').waitFor({ timeout: patience });
  await page.waitForTimeout(1000);
  await shot(`tree-pool-${theme}`);

  await filter(page, 'futex');
  await page.waitForTimeout(500);
  await shot(`tree-filter-${theme}`);
  await command(page, 'Unikernel: Clear Filter of Library Pool');

  await libraries(page, shot, theme);
  await enable(page, shot, folder, theme);
  await graph(page, shot, folder, theme);
  await requirements(page, shot, folder, theme);
}

/** A page that has just opened may take the focus, and with it the box: look, act, repeat. */
export async function filter(page, text) {
  for (let attempt = 0; attempt < 10; attempt++) {
    await command(page, 'Unikernel: Filter Library Pool');
    const box = page.locator('.quick-input-widget:has-text("Filter the Library Pool") input').first();
    const filled = await box.fill(text, { timeout: 4000 }).then(
      () =>
        box.press('Enter', { timeout: 2000 }).then(
          () => true,
          () => false,
        ),
      () => false,
    );
    if (
      filled &&
      (await page
        .locator(`.pane-body:has-text("for “${text}”")`)
        .first()
        .waitFor({ timeout: 10_000 })
        .then(
          () => true,
          () => false,
        ))
    )
      return;
  }
  throw new Error(`the filter ${text} does not come`);
}

/** The page that is to be seen: the graph is kept while it is hidden. */
export const details = (page) => page.frameLocator('iframe.webview:visible').frameLocator('#active-frame');

async function libraries(page, shot, theme) {
  await row(page, 'lwip').click();
  await details(page).locator('header h1:has-text("lwip")').waitFor({ timeout: patience });
  await page.waitForTimeout(1200);
  await shot(`tree-lwip-${theme}`);
  await details(page).locator('body').press('End');
  await page.waitForTimeout(600);
  await shot(`tree-lwip-end-${theme}`);
}

async function enable(page, shot, folder, theme) {
  await filter(page, 'posix-eventfd');
  await row(page, 'posix-eventfd').click();
  await details(page).locator('header h1:has-text("posix-eventfd")').waitFor({ timeout: patience });
  await page.waitForTimeout(800);
  await shot(`tree-eventfd-${theme}`);
  await details(page).locator('a.button:has-text("Enable")').click();
  await page.locator('.quick-input-list .monaco-list-row').first().waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`tree-plan-${theme}`);
  await page.keyboard.press('Enter');
  const config = path.join(folder, '.config.web_qemu-x86_64');
  await until('the .config has no LIBPOSIX_EVENTFD', async () =>
    (await readFile(config, 'utf8').catch(() => '')).includes('CONFIG_LIBPOSIX_EVENTFD=y'),
  );
  await details(page).locator('a.button:has-text("Disable")').waitFor({ timeout: patience });
  await command(page, 'Unikernel: Clear Filter of Library Pool');
}

async function graph(page, shot, folder, theme) {
  await command(page, 'Unikernel: Show Dependency Graph');
  const frame = page.frameLocator('iframe.webview.ready').last().frameLocator('#active-frame');
  await frame.locator('.node').first().waitFor({ timeout: patience });
  await page.waitForTimeout(800);
  await shot(`tree-graph-${theme}`);
  await frame.locator('button:has-text("Whole pool")').click();
  await frame.locator('.node[data-name="libposix_timerfd"]').waitFor({ timeout: patience });
  await page.waitForTimeout(800);
  await shot(`tree-graph-whole-${theme}`);
  // Zoom at the pointer, then pan: what was under the pointer follows it.
  const stage = await frame.locator('.stage').boundingBox();
  const middle = [stage.x + stage.width / 2, stage.y + stage.height / 2];
  await page.mouse.move(...middle);
  for (let i = 0; i < 6; i++) await page.mouse.wheel(0, -240);
  await page.waitForTimeout(400);
  const before = await frame.locator('.picture > g').first().getAttribute('transform');
  await page.mouse.down();
  await page.mouse.move(middle[0] + 160, middle[1] + 60, { steps: 5 });
  await page.mouse.up();
  assert.notEqual(await frame.locator('.picture > g').first().getAttribute('transform'), before, 'dragging pans');
  await frame.locator('.filter').fill('lwip');
  await page.waitForTimeout(400);
  await frame.locator('.filter').press('Enter');
  await frame.locator('.side h2:has-text("lwip")').waitFor({ timeout: patience });
  await page.waitForTimeout(800);
  await shot(`tree-graph-found-${theme}`);
  await frame.locator('.side .button:has-text("Focus")').click();
  await frame.locator('.focus:has-text("lwip")').waitFor({ timeout: patience });
  await page.waitForTimeout(800);
  await shot(`tree-graph-focus-${theme}`);
  await frame.locator('[aria-label^="Export as SVG"]').click();
  const input = page.locator('.quick-input-widget input').first();
  await input.waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`tree-graph-export-${theme}`);
  await page.locator('.quick-input-widget .monaco-button:has-text("OK")').first().click();
  const svg = path.join(folder, 'dependencies.svg');
  await until('no picture was written', () =>
    access(svg).then(
      () => true,
      () => false,
    ),
  );
  const picture = await readFile(svg, 'utf8');
  assert.ok(picture.includes('<svg') && picture.trimEnd().endsWith('</svg>') && picture.includes('>lwip<'), 'it is a picture of lwip');
  assert.ok(!picture.includes(' opacity="0.08"'), 'nothing is faded in it');
}

/** Out of the Kraftfile and into it again: everything else stays as it was. */
async function requirements(page, shot, folder, theme) {
  const file = path.join(folder, 'Kraftfile');
  await command(page, 'Unikernel: Remove Library from Kraftfile');
  await page.locator('.quick-input-widget input').first().fill('lwip');
  await page.locator('.quick-input-list .monaco-list-row:has-text("lwip")').first().click();
  const without = kraftfile.replace(/^ {2}lwip.*\n/m, '');
  await until('lwip is still asked for', async () => (await readFile(file, 'utf8')) === without);
  // The file is shown as it was changed, and takes the focus with it.
  await page.locator('.tab.active:has-text("Kraftfile")').waitFor({ timeout: patience });
  await page.waitForTimeout(1000);
  await filter(page, 'lwip');
  await page.waitForTimeout(800);
  await shot(`tree-beside-${theme}`);
  await row(page, 'lwip').click();
  await details(page).locator('a.button:has-text("Add to Kraftfile")').waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`tree-beside-page-${theme}`);
  await command(page, 'Unikernel: Clear Filter of Library Pool');
  await command(page, 'Unikernel: Add Library to Kraftfile');
  await page.locator('.quick-input-widget input').first().fill('lwip');
  await page.locator('.quick-input-list .monaco-list-row:has-text("lwip")').first().click();
  // What lies there already is added with what the configuration becomes, shown first.
  const plan = page.locator('.quick-input-list .monaco-list-row:has-text("LIBLWIP=y")').first();
  await plan.waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`tree-kraftfile-plan-${theme}`);
  await plan.click();
  await until('lwip is not asked for', async () => (await readFile(file, 'utf8')).includes('lwip'));
  const text = await readFile(file, 'utf8');
  await until('lwip is not configured', async () =>
    (await readFile(path.join(folder, '.config.web_qemu-x86_64'), 'utf8')).includes('CONFIG_LIBLWIP=y'),
  );
  for (const comment of ['# what the image is called', '# The C library comes first.']) assert.ok(text.includes(comment), comment);
  await page.waitForTimeout(1000);
  await shot(`tree-kraftfile-${theme}`);
}

const scenario = (theme, colours) => ({
  name: `the library pool of a Unikraft tree, ${theme}`,
  settings: { 'workbench.colorTheme': colours, 'files.autoSave': 'off' },
  prepare: prepareTree,
  steps: (page, shot, folder) => tour(page, shot, folder, theme),
});

/** None where the tree is not there. */
export const poolTreeScenarios =
  suites && core
    ? [scenario('dark', 'Default Dark Modern'), scenario('light', 'Default Light Modern'), scenario('contrast', 'Default High Contrast')]
    : [];
