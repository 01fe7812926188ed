// A project on a real Unikraft tree as a user meets it: built, booted and mended without a terminal. Wants UNIKERNEL_SUITES and UK_ROOT.
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const patience = 60_000;
/** A first build compiles a hundred files and Kconfig's own program. */
const building = 400_000;

const { UNIKERNEL_SUITES: suites, UK_ROOT: core } = process.env;

/** catalog-core's c-hello, set up as its setup.sh does. */
async function cHello() {
  const folder = await mkdtemp(path.join(tmpdir(), 'unikernel-c-hello-'));
  await cp(path.join(suites, 'catalog-core', 'c-hello'), folder, { recursive: true });
  await mkdir(path.join(folder, 'workdir'));
  await symlink(core, path.join(folder, 'workdir', 'unikraft'));
  return folder;
}

async function command(page, title) {
  for (let attempt = 0; attempt < 20; attempt++) {
    await page.keyboard.press('F1');
    const input = page.locator('.quick-input-widget input').first();
    if (
      await input.waitFor({ timeout: 3000 }).then(
        () => true,
        () => false,
      )
    ) {
      await input.fill(`>${title}`);
      const row = page.locator(`.quick-input-list .monaco-list-row:has-text("${title}")`).first();
      if (
        await row.waitFor({ timeout: 4000 }).then(
          () => true,
          () => false,
        )
      ) {
        await row.click();
        return;
      }
    }
    await page.keyboard.press('Escape');
    await page.waitForTimeout(500);
  }
  throw new Error(`no command ${title}`);
}

async function buildAndBoot(page, shot, folder, theme) {
  await page.waitForSelector('.monaco-workbench .part.editor', { timeout: patience });
  const item = page.locator('.statusbar-item:has-text("qemu-x86_64")').first();
  await item.waitFor({ timeout: patience });
  await command(page, 'Unikernel: Build');
  await page.locator('.statusbar-item:has-text("building")').first().waitFor({ timeout: patience });
  await page.waitForTimeout(6000);
  await shot(`upstream-building-${theme}`);
  await page.locator('.statusbar-item:has-text("KiB")').first().waitFor({ timeout: building });
  const commands = JSON.parse(await readFile(path.join(folder, 'workdir/build/compile_commands.json'), 'utf8'));
  assert.ok(commands.some(({ file }) => file.endsWith('/hello.c')));
  await shot(`upstream-built-${theme}`);

  await page.keyboard.press('F5');
  // Without a launch.json and an open file, the editor asks which debugger to use.
  const pick = page.locator('.quick-input-list .monaco-list-row:has-text("Unikernel")').first();
  await pick.waitFor({ timeout: 20_000 }).then(
    () => pick.click(),
    () => undefined,
  );
  await page.locator('text=/Hello from Unikraft!/').first().waitFor({ timeout: building });
  await page.waitForTimeout(1000);
  await shot(`upstream-booted-${theme}`);

  const source = path.join(folder, 'hello.c');
  const good = await readFile(source, 'utf8');
  await writeFile(source, `${good}int broken(void) { return nothing_of_this_name; }\n`);
  await command(page, 'Unikernel: Build');
  const problem = page.locator('.markers-panel .monaco-list-row:has-text("nothing_of_this_name")').first();
  await problem.waitFor({ timeout: building });
  await page.locator('.statusbar-item:has-text("build failed")').first().waitFor({ timeout: patience });
  await shot(`upstream-problem-${theme}`);
  await problem.dblclick();
  await page.locator('.tab:has-text("hello.c")').first().waitFor({ timeout: patience });
  await writeFile(source, good);
  await command(page, 'Unikernel: Build');
  await page.locator('.statusbar-item:has-text("KiB")').first().waitFor({ timeout: building });
}

/** None where the tree is not there. */
export const upstreamScenarios =
  suites && core
    ? [
        {
          name: 'a project on a Unikraft tree, dark',
          settings: { 'workbench.colorTheme': 'Default Dark Modern' },
          prepare: cHello,
          steps: (page, shot, folder) => buildAndBoot(page, shot, folder, 'dark'),
        },
      ]
    : [];
