// What a user does with a Linux program inside an ELF loader image: stops in the program's own source, looks at the kernel under it and at both TLS blocks,
// steps back over a system call, and travels to who wrote a variable. Wants `images` and `programs` of UNIKERNEL_SUITES.
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { breakHere, command, openFile } from './ui.mjs';

const patience = 60_000;
/** Where a program's nanosleep comes to in the kernel, by way of its C library. */
const handler = 'uk_syscall_r_clock_nanosleep';
const suites = process.env.UNIKERNEL_SUITES ?? '';
const source = path.join(suites, 'programs', 'threads.c');
const needed = ['images/elfloader', 'images/elfloader.dbg', 'images/initrd/threads.cpio', 'programs/threads.c'];
const missing = suites === '' ? needed : needed.filter((name) => !existsSync(path.join(suites, name)));

/** A folder with the program's source and a launch.json for the image, as somebody who runs a program on a prebuilt loader has it. */
async function programFolder() {
  const folder = await mkdtemp(path.join(tmpdir(), 'unikernel-program-'));
  await copyFile(source, path.join(folder, 'threads.c'));
  await mkdir(path.join(folder, '.vscode'));
  const configuration = {
    type: 'unikernel',
    request: 'launch',
    name: 'threads on the ELF loader',
    image: path.join(suites, 'images', 'elfloader'),
    initrd: path.join(suites, 'images', 'initrd', 'threads.cpio'),
    cmdline: 'vfs.fstab=[ "initrd0:/:extract::ramfs=1:" ] -- /threads',
    memory: 256,
    sourceMap: { [path.dirname(source)]: '${workspaceFolder}' },
  };
  await writeFile(
    path.join(folder, '.vscode', 'launch.json'),
    JSON.stringify({ version: '0.2.0', configurations: [configuration] }, null, 2),
  );
  return folder;
}

const lineOf = async (folder, text) => {
  const lines = (await readFile(path.join(folder, 'threads.c'), 'utf8')).split('\n');
  return lines.findIndex((line) => line.includes(text)) + 1;
};

const frame = (page, text) => page.locator(`.debug-call-stack .stack-frame:has-text("${text}")`).first();

/** Waits until the editor marks this line of the program as the one that the guest stands before. */
async function standsAt(page, line) {
  await page.locator(`.debug-call-stack .stack-frame:has-text("threads.c"):has-text("${line}:")`).first().waitFor({ timeout: patience });
}

async function section(page, title, open) {
  const header = page.locator(`.pane-header[aria-label*="${title}"][aria-expanded="${!open}"]`).first();
  if (await header.isVisible().catch(() => false)) await header.click();
}

/** Presses a button in the header of a section. */
async function paneAction(page, title, action) {
  await section(page, title, true);
  const header = page.locator(`.pane-header[aria-label^="${title}"]`).first();
  await header.hover();
  await header.locator(`.action-label[aria-label*="${action}"]`).first().click();
  await page.waitForTimeout(700);
}

/** The stopped thread's frames and its locals: the editor unfolds them by itself unless its lists come late. */
async function unfold(page) {
  const stopped = page.locator('.debug-call-stack .monaco-list-row:is(:has-text("Paused on"), :has-text("in the past"))').first();
  await stopped.waitFor({ timeout: patience });
  for (const title of ['Watch', 'Breakpoints']) await section(page, title, false);
  await page.waitForTimeout(1200);
  for (const row of [stopped, page.locator('.debug-variables .monaco-list-row:has-text("Locals")').first()]) {
    if ((await row.getAttribute('aria-expanded', { timeout: patience })) === 'false') await row.locator('.monaco-tl-twistie').click();
    await page.waitForTimeout(800);
  }
}

async function program(page, shot, folder, theme) {
  const sleeps = await lineOf(folder, 'nanosleep(');
  await openFile(page, 'threads.c', await lineOf(folder, 'total++'));
  await breakHere(page);
  await page.keyboard.press('F5');
  await page.locator('.debug-toolbar').first().waitFor({ timeout: patience });
  await unfold(page);
  await frame(page, 'worker').waitFor({ timeout: patience });
  await page.waitForTimeout(1500);
  await shot(`program-own-source-${theme}`);

  // A stop in the kernel on behalf of the program: a breakpoint on the handler that its libc's nanosleep comes to.
  await paneAction(page, 'Breakpoints', 'Remove All Breakpoints');
  // The row that takes the name comes below all exceptions.
  for (const title of ['Variables', 'Call Stack']) await section(page, title, false);
  await paneAction(page, 'Breakpoints', 'Add Function Breakpoint');
  await page.locator('.debug-breakpoints input').first().waitFor({ timeout: patience });
  await page.keyboard.type(handler);
  await page.keyboard.press('Enter');
  await page.waitForTimeout(1000);
  for (const [title, open] of [['Breakpoints', false], ['Variables', true], ['Call Stack', true]]) await section(page, title, open); // prettier-ignore
  await page.keyboard.press('F5');
  await page.locator(`.debug-call-stack .monaco-list-row:has-text("Paused on function breakpoint")`).first().waitFor({ timeout: patience });
  await unfold(page);
  await frame(page, handler).waitFor({ timeout: patience });
  await frame(page, 'system call: clock_nanosleep').waitFor({ timeout: patience });
  await frame(page, 'worker').waitFor({ timeout: patience });
  await page.waitForTimeout(1500);
  await shot(`program-kernel-frames-${theme}`);

  // The frame below the boundary is the program's: its variables, its TLS.
  await frame(page, 'worker').click();
  await page.waitForTimeout(1500);
  await shot(`program-frame-of-program-${theme}`);
  for (const title of ['Variables', 'Watch', 'Call Stack', 'Breakpoints']) await section(page, title, false);
  await command(page, 'Focus on Unikernel: Threads & TLS View');
  for (const owner of ['Unikraft TLS', 'Application TLS']) {
    const row = page.locator(`.pane-body .monaco-list-row:has-text("${owner}")`).first();
    await row.waitFor({ timeout: patience });
    await row.locator('.monaco-tl-twistie').click();
    await page.waitForTimeout(700);
  }
  await page.locator('.pane-body .monaco-list-row:has-text("mine")').first().waitFor({ timeout: patience });
  await shot(`program-tls-${theme}`);

  // Registers: a group opened, after a step what changed is marked, and one edited.
  await section(page, 'Threads & TLS', false);
  await command(page, 'Focus on Unikernel: Registers View');
  const register = (name) => page.locator(`.pane-body .monaco-list-row:has-text("${name}")`).first();
  await register('rax').waitFor({ timeout: patience });
  const before = /0x[0-9a-f]+/.exec(await register('rbx').innerText())[0];
  await page.keyboard.press('F11');
  await page.waitForTimeout(1500);
  await page.locator('.pane-body .monaco-list-row:has-text("Flags") .monaco-tl-twistie').first().click();
  await page.waitForTimeout(800);
  await register('rbx').hover();
  await register('rbx').locator('.action-label').first().click();
  await page.locator('.quick-input-widget input').first().fill('0xfeedface');
  await page.keyboard.press('Enter');
  await page.locator('.pane-body .monaco-list-row:has-text("feedface")').first().waitFor({ timeout: patience });
  await page.waitForTimeout(800);
  await shot(`program-registers-${theme}`);
  // The way back goes through what was recorded: the change is taken back first.
  await register('rbx').locator('.action-label').first().click();
  await page.locator('.quick-input-widget input').first().fill(before);
  await page.keyboard.press('Enter');

  // Back to the program by its breakpoint, then over the system call, and back over it: the line before it stands again.
  await section(page, 'Registers', false);
  await section(page, 'Variables', true);
  await paneAction(page, 'Breakpoints', 'Remove All Breakpoints');
  await section(page, 'Breakpoints', false);
  await section(page, 'Call Stack', true);
  await openFile(page, 'threads.c', sleeps);
  await page.keyboard.press('F9');
  await page.waitForTimeout(1000);
  await page.keyboard.press('F5');
  await unfold(page);
  await standsAt(page, sleeps);
  // While this thread sleeps, the others would come here.
  await openFile(page, 'threads.c', sleeps);
  await page.keyboard.press('F9');
  await page.waitForTimeout(1000);
  await page.keyboard.press('F10');
  await page.locator('.debug-call-stack .monaco-list-row:has-text("Paused on step")').first().waitFor({ timeout: patience });
  await command(page, 'Step Back Over');
  await page.locator('.statusbar-item:has-text("back")').first().waitFor({ timeout: patience });
  await unfold(page);
  await standsAt(page, sleeps);
  await page.waitForTimeout(1200);
  await shot(`program-back-over-call-${theme}`);

  // Who wrote `total` last: the guest stands behind the increment, in whichever thread did it.
  await command(page, 'Who Wrote This Last');
  await page.locator('.quick-input-widget input').first().fill('total');
  await page.keyboard.press('Enter');
  await page.waitForTimeout(2500);
  await unfold(page);
  await standsAt(page, await lineOf(folder, 'total++'));
  await page.waitForTimeout(1200);
  await shot(`program-who-wrote-${theme}`);
}

if (missing.length > 0) console.log(`  - without a Linux program on the ELF loader: UNIKERNEL_SUITES has no ${missing.join(', ')}`);

export const programScenarios = (missing.length > 0 ? [] : ['Dark', 'Light']).map((theme) => ({
  name: `a Linux program on the ELF loader, ${theme.toLowerCase()}`,
  // The kernel's sources, which the call stack opens, may lie in a repository of their own.
  settings: { 'workbench.colorTheme': `Default ${theme} Modern`, 'git.openRepositoryInParentFolders': 'never' },
  prepare: programFolder,
  steps: (page, shot, folder) => program(page, shot, folder, theme.toLowerCase()),
}));
