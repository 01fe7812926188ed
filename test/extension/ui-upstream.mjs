// Projects on a real Unikraft tree as a user meets them: configured, built, booted and mended without a terminal. Wants UNIKERNEL_SUITES and UK_ROOT.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { configPage, runCommand, search, setChecked } from './ui-config.mjs';

const patience = 60_000;
/** A first build compiles some hundred files and Kconfig's own program; other work may share the processors. */
const building = 900_000;

const { UNIKERNEL_SUITES: suites, UK_ROOT: core } = process.env;

/** catalog-core's c-hello, set up as its setup.sh does. */
const hello = {
  async prepare() {
    const folder = await mkdtemp(path.join(tmpdir(), 'unikernel-c-hello-'));
    await cp(path.join(suites, 'catalog-core', 'c-hello'), folder, { recursive: true });
    await mkdir(path.join(folder, 'workdir'));
    await symlink(core, path.join(folder, 'workdir', 'unikraft'));
    return folder;
  },
  config: '.config',
  source: 'hello.c',
  greeting: 'Hello from Unikraft!',
};

/** catalog-core's elfloader-basic, with a loader of its own to change; its Linux programs are made by the build. */
const elfloader = {
  async prepare() {
    const folder = await mkdtemp(path.join(tmpdir(), 'unikernel-elfloader-'));
    const workdir = path.join(folder, 'workdir');
    await cp(path.join(suites, 'catalog-core', 'elfloader-basic'), folder, { recursive: true });
    await mkdir(path.join(workdir, 'libs'), { recursive: true });
    await symlink(core, path.join(workdir, 'unikraft'));
    await symlink(path.join(suites, 'libs', 'libelf'), path.join(workdir, 'libs', 'libelf'));
    await cp(path.join(suites, 'apps', 'elfloader'), path.join(workdir, 'apps', 'elfloader'), { recursive: true });
    return folder;
  },
  config: 'workdir/apps/elfloader/.config',
  source: 'workdir/apps/elfloader/elf_ctx.c',
  greeting: 'Hello from Unikraft!',
};

const statusItem = (page, text) => page.locator(`.statusbar-item:has-text("${text}")`).first();

/** Processes whose command line names the folder: what a build has left running. */
function processesIn(folder) {
  const all = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n');
  return all.filter((line) => line.includes(folder) && /^(?:\S*\/)?(?:make|gcc|cc1|sh|bash|ld|as)\b/.test(line));
}

/** Chooses another boot banner, so that it shows on the console whether the build took what the editor wrote. */
async function configure(page, shot, folder, { config }, theme) {
  await runCommand(page, 'Unikernel: Configure');
  const frame = configPage(page);
  await frame.locator('.row').first().waitFor({ timeout: patience });
  await search(page, frame, 'LIBUKBOOT_BANNER_CLASSIC');
  await page.keyboard.press('y');
  await setChecked(frame, 'LIBUKBOOT_BANNER_CLASSIC', 'true');
  await shot(`upstream-configured-${theme}`);
  await page.keyboard.press('Control+s');
  const end = Date.now() + 15_000;
  while (!(await readFile(path.join(folder, config), 'utf8')).includes('CONFIG_LIBUKBOOT_BANNER_CLASSIC=y')) {
    assert.ok(Date.now() < end, 'the banner is saved');
    await page.waitForTimeout(200);
  }
}

/** A build shows how far it is, can be cancelled, and leaves nothing running then. */
async function cancel(page, shot, folder, theme) {
  await runCommand(page, 'Unikernel: Build');
  await statusItem(page, 'building').waitFor({ timeout: patience });
  const notification = page.locator('.notification-list-item:has-text("Building")').first();
  await notification.locator('text=/CC/').first().waitFor({ timeout: building });
  await shot(`upstream-building-${theme}`);
  await notification.locator('.monaco-button:has-text("Cancel")').click();
  await statusItem(page, 'not built').waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  assert.deepEqual(processesIn(folder), []);
}

async function build(page) {
  await runCommand(page, 'Unikernel: Build');
  await statusItem(page, 'building').waitFor({ timeout: patience });
  await statusItem(page, 'KiB').waitFor({ timeout: building });
}

async function boot(page, shot, { greeting }, theme) {
  await page.keyboard.press('F5');
  // Without a launch.json and an open file, the editor asks which debugger to use.
  const pick = page.locator('.quick-input-list .monaco-list-row:has-text("Unikernel")').first();
  const rows = page.locator('.xterm-rows').first();
  await Promise.race([rows.waitFor({ timeout: building }), pick.waitFor({ timeout: building }).then(() => pick.click())]);
  for (const text of ['Welcome to', greeting]) await page.locator(`.xterm-rows:has-text("${text}")`).first().waitFor({ timeout: building });
  await page.waitForTimeout(1000);
  await shot(`upstream-booted-${theme}`);
  // What waits for more to do, as the loader does after its program has ended, is stopped.
  if (await page.locator('.debug-toolbar').first().isVisible()) await page.keyboard.press('Shift+F5');
  await page.locator('.debug-toolbar').first().waitFor({ state: 'hidden', timeout: patience });
}

/** A compile error is shown at its line; once it is mended, the build is green and the problem gone. */
async function mend(page, shot, folder, { source }, theme) {
  const file = path.join(folder, source);
  const good = await readFile(file, 'utf8');
  await writeFile(file, `${good}int broken(void) { return nothing_of_this_name; }\n`);
  await runCommand(page, 'Unikernel: Build');
  const problem = page.locator('.markers-panel .monaco-list-row:has-text("nothing_of_this_name")').first();
  await problem.waitFor({ timeout: building });
  await statusItem(page, 'build failed').waitFor({ timeout: patience });
  await problem.dblclick();
  const name = path.basename(source);
  await page.locator(`.tab:has-text("${name}")`).first().waitFor({ timeout: patience });
  await page.locator('.view-lines:has-text("nothing_of_this_name")').first().waitFor({ timeout: patience });
  await statusItem(page, `Ln ${good.split('\n').length}`).waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`upstream-problem-${theme}`);
  await writeFile(file, good);
  await build(page);
  await problem.waitFor({ state: 'hidden', timeout: patience });
  await shot(`upstream-mended-${theme}`);
}

async function wholeWay(page, shot, folder, project, theme) {
  await page.waitForSelector('.monaco-workbench .part.editor', { timeout: patience });
  await statusItem(page, 'qemu-x86_64').waitFor({ timeout: patience });
  await configure(page, shot, folder, project, theme);
  await cancel(page, shot, folder, theme);
  await build(page);
  const commands = JSON.parse(await readFile(path.join(folder, 'workdir/build/compile_commands.json'), 'utf8'));
  assert.ok(commands.some(({ file }) => file.endsWith(`/${path.basename(project.source)}`)));
  await shot(`upstream-built-${theme}`);
  await boot(page, shot, project, theme);
  await mend(page, shot, folder, project, theme);
}

const settings = (theme) => ({
  'workbench.colorTheme': theme,
  // Text that can be read from the page.
  'terminal.integrated.gpuAcceleration': 'off',
  'files.autoSave': 'off',
});

/** None where the tree is not there. */
export const upstreamScenarios =
  suites && core
    ? [
        {
          name: 'hello on a Unikraft tree, dark',
          settings: settings('Default Dark Modern'),
          prepare: hello.prepare,
          steps: (page, shot, folder) => wholeWay(page, shot, folder, hello, 'dark'),
        },
        {
          name: 'the ELF loader on a Unikraft tree, light',
          settings: settings('Default Light Modern'),
          prepare: elfloader.prepare,
          steps: (page, shot, folder) => wholeWay(page, shot, folder, elfloader, 'light'),
        },
      ]
    : [];
