// What a user does with the Library Pool: looks at the libraries, filters, reads a details page, enables one, asks who provides a system call.
import { access, readFile } from 'node:fs/promises';

const patience = 60_000;

/** Picks a command; keys pressed before the workbench is wired do nothing, so it looks, acts and repeats. */
export async function command(page, title) {
  for (let attempt = 0; attempt < 20; attempt++) {
    await page.keyboard.press('F1');
    const input = page.locator('.quick-input-widget input').first();
    const shown = await input.waitFor({ timeout: 3000 }).then(
      () => true,
      () => false,
    );
    // What opens meanwhile may take the focus, and the box with it.
    const filled =
      shown &&
      (await input.fill(`>${title}`, { timeout: 4000 }).then(
        () => true,
        () => false,
      ));
    if (filled) {
      const row = page.locator(`.quick-input-list .monaco-list-row:has-text("${title}")`).first();
      const found = await row.waitFor({ timeout: 4000 }).then(
        () => true,
        () => false,
      );
      const clicked =
        found &&
        (await row.click({ timeout: 4000 }).then(
          () => true,
          () => false,
        ));
      if (clicked) return;
    }
    await page.keyboard.press('Escape');
    await page.waitForTimeout(500);
  }
  throw new Error(`no command ${title}`);
}

/** Opens the box of system calls and types into it; it closes where a page that is drawn anew takes the focus, and is opened again then. */
async function askForSyscall(page, name) {
  const box = page.locator('.quick-input-widget:has-text("Which Library Provides")');
  const found = page.locator(`.quick-input-list .monaco-list-row.focused:has-text("${name}")`).first();
  for (let attempt = 0; attempt < 10; attempt++) {
    await command(page, 'Unikernel: Which Library Provides This Syscall?');
    const typed = await box
      .waitFor({ timeout: 6000 })
      // Typed keys would be lost where the box has no focus yet.
      .then(() => page.locator('.quick-input-widget input').first().fill(name, { timeout: 4000 }))
      .then(() => found.waitFor({ timeout: 4000 }))
      .then(
        () => true,
        () => false,
      );
    if (typed) return;
    await page.keyboard.press('Escape');
    await page.waitForTimeout(500);
  }
  throw new Error('the box of system calls stays closed');
}

export const row = (page, text) => page.locator(`.pane-body .monaco-list-row:has-text("${text}")`).first();

async function exists(file) {
  return access(file).then(
    () => true,
    () => false,
  );
}

async function poolTour(page, shot, folder, theme) {
  await page.waitForSelector('.monaco-workbench .part.editor', { timeout: patience });
  await command(page, 'Unikernel: Focus on Library Pool View').catch(() => command(page, 'View: Show Unikernel'));
  await row(page, 'ukalloc').waitFor({ timeout: patience });
  await page.waitForTimeout(1000);
  await shot(`pool-tree-${theme}`);

  await row(page, 'uksched').click();
  const frame = page.frameLocator('iframe.webview').frameLocator('#active-frame');
  await frame.locator('header h1:has-text("uksched")').waitFor({ timeout: patience });
  await frame.locator('text=sched_yield').first().waitFor({ timeout: patience });
  await page.waitForTimeout(800);
  await shot(`pool-library-${theme}`);

  await frame.locator('a.button:has-text("Enable")').click();
  await page.locator('.quick-input-list .monaco-list-row:has-text("LIBUKSCHED=y")').first().waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`pool-plan-${theme}`);
  await page.keyboard.press('Enter');
  const config = `${folder}/library-pool/app/hello/.config`;
  for (let attempt = 0; !((await exists(config)) && (await readFile(config, 'utf8')).includes('CONFIG_LIBUKSCHED=y')); attempt++) {
    if (attempt > 60) throw new Error('the .config has no LIBUKSCHED');
    await page.waitForTimeout(250);
  }
  await frame.locator('a.button:has-text("Disable")').waitFor({ timeout: patience });
  await page.waitForTimeout(800);
  await shot(`pool-enabled-${theme}`);

  await askForSyscall(page, 'write');
  await shot(`pool-syscall-${theme}`);
  await page.keyboard.press('Enter');
  await frame.locator('header h1:has-text("posix-fdio")').waitFor({ timeout: patience });

  await command(page, 'Unikernel: Build');
  await page.locator('.statusbar-item:has-text("KiB")').first().waitFor({ timeout: patience });
  await frame.locator('.state.image').waitFor({ timeout: patience });
  await page.waitForTimeout(1500);
  await shot(`pool-built-${theme}`);

  await graphTour(page, shot, theme);
  await sizesTour(page, shot, theme);
}

/** The dependency graph: what is drawn, what is selected, what is round a library. */
async function graphTour(page, shot, theme) {
  await command(page, 'Unikernel: Show Dependency Graph');
  const frame = page.frameLocator('iframe.webview.ready').last().frameLocator('#active-frame');
  const node = (name) => frame.locator(`.node[data-name="${name}"]`);
  await node('libuksched').waitFor({ timeout: patience });
  await shot(`graph-${theme}`);
  await node('libuksched').click();
  await frame.locator('.side h2:has-text("uksched")').waitFor({ timeout: patience });
  await frame.locator('.side .button:has-text("Focus")').click();
  await frame.locator('.focus:has-text("uksched")').waitFor({ timeout: patience });
  await page.waitForTimeout(700);
  await shot(`graph-focus-${theme}`);
  await frame.locator('button:has-text("Whole pool")').click();
  await frame.locator('.focus button').click();
  await node('libukschedcoop').waitFor({ timeout: patience });
  await page.waitForTimeout(700);
  await shot(`graph-whole-${theme}`);
}

/** The sizes of the image that was just built. */
async function sizesTour(page, shot, theme) {
  await command(page, 'Unikernel: Show Sizes of Image');
  const frame = page.frameLocator('iframe.webview.ready').last().frameLocator('#active-frame');
  await frame.locator('.rows .line').first().waitFor({ timeout: patience });
  await frame.locator('.box').first().waitFor({ timeout: patience });
  await shot(`sizes-${theme}`);
  await frame.locator('.rows .line').first().click();
  await frame.locator('.rows .line[aria-level="2"]').first().waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`sizes-open-${theme}`);
  // The image that came with the example, without threads, is the other build.
  await frame.locator('button:has-text("Compare with")').click();
  await page.locator('.quick-input-list .monaco-list-row').first().waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`sizes-compare-pick-${theme}`);
  await page.locator('.quick-input-list .monaco-list-row:has-text("hello_qemu-x86_64")').first().click();
  await frame.locator('button:has-text("Stop comparing")').waitFor({ timeout: patience });
  await frame.locator('h1:has-text("against")').waitFor({ timeout: patience });
  await page.waitForTimeout(800);
  await shot(`sizes-compared-${theme}`);
}

export const poolScenarios = [
  {
    name: 'the library pool, dark',
    settings: { 'workbench.colorTheme': 'Default Dark Modern' },
    steps: (page, shot, folder) => poolTour(page, shot, folder, 'dark'),
  },
  {
    name: 'the library pool, light',
    settings: { 'workbench.colorTheme': 'Default Light Modern' },
    steps: (page, shot, folder) => poolTour(page, shot, folder, 'light'),
  },
];
