// What a user does with time travel and the views of a debug session: looks at system calls, threads and registers, goes back, and travels from the list.
import { breakHere, command, openFile } from './ui.mjs';
import { themes } from './ui-config.mjs';
import { readFile } from 'node:fs/promises';

const patience = 60_000;

/** The page inside the view of system calls. */
function syscallsPage(page) {
  return page.frameLocator('iframe.webview').frameLocator('#active-frame');
}

async function lastGreeting(folder) {
  const text = await readFile(`${folder}/library-pool/app/hello/main.c`, 'utf8');
  return text.split('\n').findLastIndex((line) => /printf|greet|hello/i.test(line) && line.trim().endsWith(';')) + 1;
}

async function travel(page, shot, folder, theme) {
  await openFile(page, 'main.c', await lastGreeting(folder));
  await breakHere(page);
  for (let attempt = 0; attempt < 4; attempt++) {
    await page.keyboard.press('F5');
    const started = await page
      .locator('.debug-toolbar')
      .first()
      .waitFor({ timeout: 25_000 })
      .then(
        () => true,
        () => false,
      );
    if (started) break;
    const pick = page.locator('.quick-input-list .monaco-list-row:has-text("Unikernel")').first();
    if (await pick.isVisible().catch(() => false)) await pick.click();
  }
  await page.waitForSelector('.debug-call-stack .stack-frame:has-text("main")', { timeout: patience });
  // Room for the views that this is about.
  for (const title of ['Variables', 'Watch', 'Breakpoints']) {
    const header = page.locator(`.pane-header[aria-label*="${title}"][aria-expanded="true"]`).first();
    if (await header.isVisible().catch(() => false)) await header.click();
  }
  await command(page, 'Focus on Unikernel: Syscalls View');
  const calls = syscallsPage(page);
  await calls.locator('.row.call').first().waitFor({ timeout: patience });
  await page.waitForTimeout(1500);
  await shot(`travel-live-${theme}`);
  const all = await calls.locator('.row').count();
  await calls.locator('.box input').fill('write');
  await calls.locator('.row:not(:has-text("write"))').first().waitFor({ state: 'detached', timeout: patience });
  await page.waitForTimeout(500);
  await shot(`travel-filter-${theme}`);
  await calls.locator('.box input').fill('');
  await page.waitForTimeout(1000);
  if ((await calls.locator('.row').count()) < all) throw new Error('rows are missing after the filter was taken away');
  await calls.locator('.row.call:has-text("SYSCALL")').first().click();
  await calls.locator('.details code').waitFor({ timeout: patience });
  await page.waitForTimeout(1200);
  await shot(`travel-call-${theme}`);
  await calls.locator('.row.call:has-text("SYSCALL")').first().dblclick();
  await page.waitForSelector('.statusbar-item:has-text("back")', { timeout: patience });
  await page.waitForTimeout(1500);
  await shot(`travel-past-${theme}`);
  await command(page, 'Toggle Summary of System Calls');
  await calls.locator('tr.total').waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`travel-summary-${theme}`);
  await command(page, 'Toggle Summary of System Calls');
  await page.locator('.statusbar-item:has-text("back")').first().click();
  await page.locator('.quick-input-list .monaco-list-row:has-text("Console Line")').first().waitFor({ timeout: patience });
  await shot(`travel-menu-${theme}`);
  await page.locator('.quick-input-list .monaco-list-row:has-text("To the End")').first().click();
  await page.waitForSelector('.statusbar-item:has-text("live")', { timeout: patience });
  for (const name of ['Threads & TLS', 'Registers']) {
    await command(page, `Focus on Unikernel: ${name} View`);
    await page.waitForTimeout(1500);
  }
  await shot(`travel-views-${theme}`);
}

export const travelScenarios = Object.entries(themes).map(([name, theme]) => ({
  name: `time travel and the views of a session, ${name}`,
  settings: { 'workbench.colorTheme': theme },
  steps: (page, shot, folder) => travel(page, shot, folder, name),
}));
