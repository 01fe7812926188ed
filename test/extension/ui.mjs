// What a user does with the installed extension, step by step, in the real workbench.
import { readFile } from 'node:fs/promises';

const patience = 60_000;

/** Opens a file at a line through Quick Open. */
export async function openFile(page, name, line) {
  await page.waitForSelector('.monaco-workbench .part.editor', { timeout: patience });
  // Keys pressed before the workbench is wired do nothing: look, act, repeat.
  for (let attempt = 0; attempt < 20; attempt++) {
    await page.keyboard.press('Control+p');
    const input = page.locator('.quick-input-widget input').first();
    if (
      await input
        .waitFor({ timeout: 3000 })
        .then(() => true)
        .catch(() => false)
    ) {
      await input.fill(`${name}:${line}`);
      await page.waitForTimeout(700);
      await page.keyboard.press('Enter');
      if (
        await page
          .locator(`.tab:has-text("${name}")`)
          .first()
          .isVisible({ timeout: 4000 })
          .catch(() => false)
      )
        return;
    }
    await page.keyboard.press('Escape');
    await page.waitForTimeout(500);
  }
  throw new Error(`${name} did not open`);
}

export async function command(page, title) {
  await page.keyboard.press('F1');
  const input = page.locator('.quick-input-widget input').first();
  await input.waitFor({ timeout: patience });
  await input.fill(`>${title}`);
  await page.waitForTimeout(600);
  await page.keyboard.press('Enter');
}

/** Sets a breakpoint at the cursor with F9. */
export async function breakHere(page) {
  for (let attempt = 0; attempt < 20; attempt++) {
    if ((await page.locator('.codicon-debug-breakpoint, .codicon-debug-breakpoint-unverified').count()) > 0) return;
    await page.keyboard.press('F9');
    await page.waitForTimeout(800);
  }
  throw new Error('no breakpoint appeared');
}

async function greetLine(folder) {
  const text = await readFile(`${folder}/library-pool/app/hello/main.c`, 'utf8');
  return text.split('\n').findIndex((line) => line.includes('greet("Hello from a direct call!')) + 1;
}

/** F5 on the example: stop in C, look, step, run to the end. */
async function debugExample(page, shot, folder, theme) {
  await openFile(page, 'main.c', await greetLine(folder));
  await breakHere(page);
  for (let attempt = 0; ; attempt++) {
    await page.keyboard.press('F5');
    if (
      await page
        .locator('.debug-toolbar')
        .first()
        .waitFor({ timeout: 25_000 })
        .then(() => true)
        .catch(() => false)
    )
      break;
    // The first F5 in a folder without launch.json may ask which debugger to use.
    const pick = page.locator('.quick-input-list .monaco-list-row:has-text("Unikernel")').first();
    if (await pick.isVisible().catch(() => false)) await pick.click();
    if (attempt > 3) throw new Error('no debug session started');
  }
  await page.waitForSelector('.codicon-debug-stackframe, .debug-top-stack-frame-line', { timeout: patience });
  await page.waitForSelector('.debug-call-stack .stack-frame:has-text("main")', { timeout: patience });
  await page.waitForTimeout(1500);
  await shot(`debug-stopped-${theme}`);
  await page.keyboard.press('F10');
  await page.waitForTimeout(1500);
  await shot(`debug-stepped-${theme}`);
  await page.keyboard.press('F5');
  await page.waitForSelector('.debug-toolbar', { state: 'hidden', timeout: patience }).catch(() => undefined);
  await command(page, 'Debug Console: Focus on Debug Console View');
  await page.waitForSelector('text=/Hello from a SYSCALL/', { timeout: patience });
  await page.waitForTimeout(1000);
  await shot(`debug-ended-${theme}`);
}

/** The library pool needs a machine with files and programs: it is there on a server, and not in the browser alone. */
async function offersPool(page, expected) {
  const offered = (await page.locator('.activitybar .action-item a[aria-label^="Unikernel"]').count()) > 0;
  if (offered !== expected) throw new Error(expected ? 'the library pool is missing' : 'the extension ran on the server');
}

/** Has the editor run the extension in the browser's own worker, as where there is no machine behind it. */
const inBrowser = { 'remote.extensionKind': { 'unikernel-workbench.unikernel-workbench': ['web'] } };

export const scenarios = [
  {
    name: 'F5 in a browser, dark',
    settings: { 'workbench.colorTheme': 'Default Dark Modern', ...inBrowser },
    steps: async (page, shot, folder) => {
      await debugExample(page, shot, folder, 'browser');
      await offersPool(page, false);
    },
  },
  {
    name: 'F5 on the example, dark',
    settings: { 'workbench.colorTheme': 'Default Dark Modern' },
    steps: async (page, shot, folder) => {
      await debugExample(page, shot, folder, 'dark');
      await offersPool(page, true);
    },
  },
  {
    name: 'F5 on the example, light',
    settings: { 'workbench.colorTheme': 'Default Light Modern' },
    steps: (page, shot, folder) => debugExample(page, shot, folder, 'light'),
  },
];
