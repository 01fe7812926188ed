// Kconfig in workspaces of every kind: several folders, not trusted, in the browser alone, with Windows' line ends, read-only, text and tree side by side.
import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from './host.mjs';
import { application, configPage, configure, fileHas, poolIn, runCommand, search, setChecked } from './ui-config.mjs';

const patience = 60_000;
const byHand = { 'files.autoSave': 'off' };
const dark = { ...byHand, 'workbench.colorTheme': 'Default Dark Modern' };

async function example(folder) {
  await cp(path.join(root, 'dist', 'examples', 'hello'), folder, { recursive: true });
  await poolIn(folder);
}

/** Waits for the hover at the cursor to say something. */
export async function hoverSays(page, text) {
  for (let attempt = 0; attempt < 20; attempt++) {
    await page.keyboard.press('Control+k');
    await page.keyboard.press('Control+i');
    const found = await page
      .locator(`.monaco-hover:has-text("${text}")`)
      .first()
      .waitFor({ timeout: 3000 })
      .then(() => true)
      .catch(() => false);
    if (found) return;
    await page.keyboard.press('Escape');
  }
  throw new Error(`no hover says ${text}`);
}

/** Opens one of several files of a name. */
export async function openAt(page, file, place) {
  await page.waitForSelector('.monaco-workbench .part.editor', { timeout: patience });
  for (let attempt = 0; attempt < 20; attempt++) {
    await page.keyboard.press('Control+p');
    const input = page.locator('.quick-input-widget input').first();
    await input.fill(`${file}:${place}`).catch(() => undefined);
    await page.waitForTimeout(1000);
    await page.keyboard.press('Enter');
    const tab = page.locator(`.tab.active:has-text("${path.basename(file)}")`).first();
    if (
      await tab
        .waitFor({ timeout: 4000 })
        .then(() => true)
        .catch(() => false)
    )
      return;
    await page.keyboard.press('Escape');
  }
  throw new Error(`${file} did not open`);
}

/** The line and column, from 1, of a text in a file. */
export async function placeOf(file, text) {
  const lines = (await readFile(file, 'utf8')).split(/\r?\n/);
  const line = lines.findIndex((each) => each.includes(text));
  assert.ok(line >= 0, `${file} has ${text}`);
  return `${line + 1}:${lines[line].indexOf(text) + text.length}`;
}

/** Sets one option and brings it into the file. */
async function change(page, frame, file) {
  await search(page, frame, 'PC_BOOT_LXBOOT');
  await setChecked(frame, 'PC_BOOT_LXBOOT', 'true');
  await page.keyboard.press('n');
  await setChecked(frame, 'PC_BOOT_LXBOOT', 'false');
  await page.keyboard.press('Control+s');
  await fileHas(file, '# CONFIG_PC_BOOT_LXBOOT is not set');
}

/** Two projects: each is configured by itself, against its own tree. */
async function twoFolders() {
  const folder = await mkdtemp(path.join(tmpdir(), 'unikernel-folders-'));
  for (const name of ['first', 'second']) await example(path.join(folder, name));
  await writeFile(path.join(folder, 'both.code-workspace'), JSON.stringify({ folders: [{ path: 'first' }, { path: 'second' }] }));
  const options = path.join(folder, 'second/library-pool/Config.uk');
  await writeFile(
    options,
    (await readFile(options, 'utf8')).replace('"Drop unused functions and data"', '"Drop what the second does not use"'),
  );
  return folder;
}

async function inTwoFolders(page, shot, folder) {
  const second = `${folder}/second/${application}/.config`;
  const before = await readFile(`${folder}/first/${application}/.config`, 'utf8').catch(() => undefined);
  await runCommand(page, 'Unikernel: Configure');
  await page.locator('.quick-input-list .monaco-list-row:has-text("second"):has-text("app/hello")').first().click({ timeout: patience });
  const frame = configPage(page);
  await frame.locator('.row').first().waitFor({ timeout: patience });
  await search(page, frame, 'OPTIMIZE_DEADELIM');
  await frame.locator('.row .title:has-text("Drop what the second does not use")').waitFor({ timeout: patience });
  await change(page, frame, second);
  await shot('config-two-folders');
  assert.equal(
    await readFile(`${folder}/first/${application}/.config`, 'utf8').catch(() => undefined),
    before,
    'the other project is untouched',
  );
}

/** Nothing is run, and all is explained. */
async function restricted(page, shot, folder) {
  const frame = await configure(page, folder);
  await page.locator('.statusbar-item:has-text("Restricted Mode")').first().waitFor({ timeout: patience });
  await change(page, frame, `${folder}/${application}/.config`);
  await openAt(page, 'library-pool/Config.uk', await placeOf(`${folder}/library-pool/Config.uk`, 'config OPTIMIZE_DEADELIM'));
  await hoverSays(page, 'CONFIG_OPTIMIZE_DEADELIM');
  await shot('config-restricted');
}

/** The language server in the browser's own worker. */
async function inBrowser(page, shot, folder) {
  await poolIn(folder);
  await openAt(page, 'library-pool/Config.uk', await placeOf(`${folder}/library-pool/Config.uk`, 'config OPTIMIZE_DEADELIM'));
  await hoverSays(page, 'CONFIG_OPTIMIZE_DEADELIM');
  await shot('config-browser');
}

/** Gives every file of the tree and the configuration the line ends of Windows. */
async function windowsLines() {
  const folder = await mkdtemp(path.join(tmpdir(), 'unikernel-crlf-'));
  await example(folder);
  const convert = async (file) => writeFile(file, (await readFile(file, 'utf8')).replace(/\r?\n/g, '\r\n'));
  for (const name of await readdir(`${folder}/library-pool`, { recursive: true })) {
    if (/^(?:Config|Makefile)\.uk$/.test(path.basename(name))) await convert(path.join(folder, 'library-pool', name));
  }
  const config = `${folder}/${application}/.config`;
  await writeFile(config, 'CONFIG_PC_BOOT_LXBOOT=y\r\nCONFIG_LONG_GONE=y\r\n');
  return folder;
}

async function withWindowsLines(page, shot, folder) {
  const file = `${folder}/${application}/.config`;
  const frame = await configure(page);
  await frame.locator('.banner:has-text("CONFIG_LONG_GONE")').waitFor({ timeout: patience });
  await shot('config-strange-lines');
  await change(page, frame, file);
  const text = await readFile(file, 'utf8');
  assert.ok(!/[^\r]\n/.test(text), 'every line ends as it did');
  assert.ok(!text.includes('LONG_GONE'), 'what the tree does not have is left out');
}

/** A file that may not be written says so, and keeps its text. */
async function readOnly(page, shot, folder) {
  const file = `${folder}/${application}/.config`;
  const frame = await configure(page, folder);
  const before = await readFile(file, 'utf8');
  await search(page, frame, 'PC_BOOT_LXBOOT');
  await setChecked(frame, 'PC_BOOT_LXBOOT', 'true');
  await page.keyboard.press('n');
  await frame.locator('.notice.warning').waitFor({ timeout: patience });
  await setChecked(frame, 'PC_BOOT_LXBOOT', 'true');
  await shot('config-read-only');
  assert.equal(await readFile(file, 'utf8'), before);
}

/** Text on the left, tree on the right. */
async function sideBySide(page, shot, folder) {
  const frame = await configure(page, folder);
  await runCommand(page, 'View: Split Editor Right');
  await page.waitForTimeout(1000);
  await runCommand(page, 'Unikernel: Open Configuration as Text');
  await page.locator('.editor-instance .view-line:has-text("Automatically generated file")').first().waitFor({ timeout: patience });
  await page.locator('.editor-group-container').first().locator('.tab').first().click();
  await search(page, frame, 'PC_BOOT_LXBOOT');
  await setChecked(frame, 'PC_BOOT_LXBOOT', 'true');
  await page.keyboard.press('n');
  await page.locator('.view-line:has-text("CONFIG_PC_BOOT_LXBOOT is not set")').first().waitFor({ timeout: patience });
  await shot('config-side-by-side');
}

export const workspaceScenarios = [
  { name: 'workspaces: two folders', settings: dark, prepare: twoFolders, workspace: 'both.code-workspace', steps: inTwoFolders },
  {
    name: 'workspaces: restricted',
    settings: { ...dark, 'security.workspace.trust.enabled': true, 'security.workspace.trust.startupPrompt': 'never' },
    restricted: true,
    steps: restricted,
  },
  {
    name: 'workspaces: in the browser alone',
    settings: { ...dark, 'remote.extensionKind': { 'unikernel-workbench.unikernel-workbench': ['web'] } },
    steps: inBrowser,
  },
  { name: 'workspaces: line ends of Windows', settings: dark, prepare: windowsLines, steps: withWindowsLines },
  {
    name: 'workspaces: a read-only configuration',
    settings: { ...dark, 'files.readonlyInclude': { '**/.config': true } },
    steps: readOnly,
  },
  { name: 'workspaces: text and tree side by side', settings: dark, steps: sideBySide },
];
