// What a user sees of a build that cannot end: a symbol that is defined twice, one that is nowhere, a disk that is full, and each time the next build.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { command } from './ui-pool.mjs';

const patience = 60_000;
const statusItem = (page, text) => page.locator(`.statusbar-item:has-text("${text}")`).first();
const problem = (page, text) => page.locator(`.markers-panel .monaco-list-row:has-text("${text}")`).first();
const notification = (page, text) => page.locator(`.notification-list-item:has-text("${text}")`).first();

/** Builds what is broken, and looks for what is said of it; the place is where the Problems view leads. */
async function fails(page, shot, name, text, place) {
  await command(page, 'Unikernel: Build');
  await problem(page, text).waitFor({ timeout: patience });
  await statusItem(page, 'build failed').waitFor({ timeout: patience });
  await notification(page, 'The image was not built').waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(name);
  if (place !== undefined) {
    await problem(page, text).dblclick();
    await page.locator(`.tab.active:has-text("${place.file}")`).first().waitFor({ timeout: patience });
    await statusItem(page, `Ln ${place.line}`).waitFor({ timeout: patience });
  }
  await command(page, 'Notifications: Clear All Notifications');
}

async function builds(page, text) {
  await command(page, 'Unikernel: Build');
  await statusItem(page, 'KiB').waitFor({ timeout: patience });
  await problem(page, text).waitFor({ state: 'hidden', timeout: patience });
}

async function tour(page, shot, folder, theme) {
  const app = path.join(folder, 'library-pool', 'app', 'hello');
  const [main, makefile] = [path.join(app, 'main.c'), path.join(app, 'Makefile.uk')];
  const [source, sources] = await Promise.all([main, makefile].map((file) => readFile(file, 'utf8')));
  await page.waitForSelector('.monaco-workbench .part.editor', { timeout: patience });
  await statusItem(page, 'hello').waitFor({ timeout: patience });

  await writeFile(path.join(app, 'twice.c'), '/* The second one. */\n\nint main(void)\n{\n\treturn 2;\n}\n');
  await writeFile(makefile, `${sources}APPHELLO_SRCS-y += $(APPHELLO_BASE)/twice.c\n`);
  await fails(page, shot, `build-twice-${theme}`, 'main', { file: 'twice.c', line: 3 });
  await writeFile(makefile, sources);
  await builds(page, 'twice.c');

  const call = '\ti = nothing_of_this_name();\n';
  const broken = source.replace('\tint i;\n', `\tint i;\n\textern int nothing_of_this_name(void);\n\n${call}`);
  assert.notEqual(broken, source);
  await writeFile(main, broken);
  const line = broken.slice(0, broken.indexOf(call)).split('\n').length;
  await fails(page, shot, `build-unresolved-${theme}`, 'nothing_of_this_name', { file: 'main.c', line });
  await writeFile(main, source);
  await builds(page, 'nothing_of_this_name');

  // A disk of its own may be made by the machine's owner alone.
  const build = path.join(app, 'build');
  await mkdir(build, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=100k', 'tmpfs', build], { stdio: 'ignore' });
  } catch {
    console.log('    - without a full disk: no tmpfs can be mounted here');
    return;
  }
  try {
    await fails(page, shot, `build-full-${theme}`, 'no room left', undefined);
  } finally {
    execFileSync('umount', [build]);
  }
  await builds(page, 'no room left');
}

const scenario = (theme, colours) => ({
  name: `a build that fails, ${theme}`,
  settings: { 'workbench.colorTheme': colours, 'files.autoSave': 'off' },
  steps: (page, shot, folder) => tour(page, shot, folder, theme),
});

export const buildFaultScenarios = [
  scenario('dark', 'Default Dark Modern'),
  scenario('light', 'Default Light Modern'),
  scenario('contrast', 'Default High Contrast'),
];
