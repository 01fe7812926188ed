// An image of real size as a user looks into it: sizes alone and against another build, what an option costs, who provides a call, and catalog-core's layouts. Wants UNIKERNEL_SUITES and UK_ROOT.
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCommand, search } from './ui-config.mjs';
import { command, row } from './ui-pool.mjs';
import { details } from './ui-pool-tree.mjs';

const patience = 60_000;
const { UNIKERNEL_SUITES: suites, UK_ROOT: core } = process.env;

/** The ELF loader with network, whose image was built, and beside it one without. */
async function prepareImage() {
  const folder = await mkdtemp(path.join(tmpdir(), 'unikernel-image-'));
  await cp(path.join(suites, 'apps', 'elfloader'), folder, { recursive: true });
  await mkdir(path.join(folder, '.unikraft', 'libs'), { recursive: true });
  await symlink(core, path.join(folder, '.unikraft', 'unikraft'));
  for (const name of ['libelf', 'lwip', 'musl'])
    await symlink(path.join(suites, 'libs', name), path.join(folder, '.unikraft', 'libs', name));
  await symlink(path.join(suites, 'build', 'elfloader-net'), path.join(folder, '.unikraft', 'build'));
  await cp(path.join(suites, 'build', 'elfloader-net', 'config'), path.join(folder, '.config'));
  await mkdir(path.join(folder, 'before'));
  for (const end of ['', '.dbg'])
    await cp(
      path.join(suites, 'build', 'elfloader', `elfloader_qemu-x86_64${end}`),
      path.join(folder, 'before', `elfloader_qemu-x86_64${end}`),
    );
  return folder;
}

/** The page that is to be seen. */
const shown = (page) => page.frameLocator('iframe.webview:visible').frameLocator('#active-frame');

async function imageTour(page, shot, folder, theme) {
  await page.waitForSelector('.monaco-workbench .part.editor', { timeout: patience });
  await command(page, 'Unikernel: Focus on Library Pool View').catch(() => command(page, 'View: Show Unikernel'));
  await row(page, 'lwip').waitFor({ timeout: patience });

  await command(page, 'Unikernel: Show Sizes of Image');
  const sizes = shown(page);
  await sizes.locator('.rows .line').first().waitFor({ timeout: patience });
  await sizes.locator('.box').first().waitFor({ timeout: patience });
  await page.waitForTimeout(800);
  await shot(`image-sizes-${theme}`);
  await sizes.locator('.rows .line:has-text("lwip")').first().click();
  await sizes.locator('.rows .line[aria-level="2"]').first().click();
  await sizes.locator('.rows .line[aria-level="3"]').first().waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`image-sizes-open-${theme}`);
  await sizes.locator('button:has-text("By section")').click();
  await sizes.locator('.rows .line:has-text(".text")').first().waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`image-sizes-section-${theme}`);
  await sizes.locator('button:has-text("By library")').click();
  await sizes.locator('button:has-text("Compare with")').click();
  await page.locator('.quick-input-list .monaco-list-row:has-text("before/elfloader_qemu-x86_64")').first().click();
  await sizes.locator('h1:has-text("against")').waitFor({ timeout: patience });
  await page.waitForTimeout(800);
  await shot(`image-sizes-compared-${theme}`);

  await runCommand(page, 'Unikernel: Configure');
  const config = shown(page);
  await config.locator('.row').first().waitFor({ timeout: patience });
  await search(page, config, 'LIBLWIP');
  await config.locator('text=/bytes|KiB/').first().waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`image-cost-${theme}`);

  await command(page, 'Unikernel: Which Library Provides This Syscall?');
  await page.locator('.quick-input-widget:has-text("Which Library Provides")').waitFor({ timeout: patience });
  await page.locator('.quick-input-widget input').first().fill('epoll_');
  await page.locator('.quick-input-list .monaco-list-row:has-text("epoll_create1")').first().waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`image-syscall-${theme}`);
  await page.locator('.quick-input-list .monaco-list-row:has-text("epoll_create1")').first().click();
  await details(page).locator('header h1:has-text("posix-poll")').waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`image-provider-${theme}`);

  await command(page, 'Unikernel: Show Dependency Graph');
  const graph = shown(page);
  const started = Date.now();
  await graph.locator('.node').first().waitFor({ timeout: patience });
  console.log(`    ${await graph.locator('.node').count()} libraries drawn after ${Date.now() - started} ms`);
  await page.waitForTimeout(800);
  await shot(`image-graph-${theme}`);
  assert.ok((await graph.locator('.node').count()) > 50);
}

/** catalog-core with its repositories, and the applications that its setup makes of them. */
async function prepareCatalog() {
  const folder = await mkdtemp(path.join(tmpdir(), 'unikernel-catalog-'));
  await mkdir(path.join(folder, 'repos', 'libs'), { recursive: true });
  await mkdir(path.join(folder, 'repos', 'apps'), { recursive: true });
  await symlink(core, path.join(folder, 'repos', 'unikraft'));
  for (const name of ['musl', 'lwip', 'libelf', 'nginx'])
    await symlink(path.join(suites, 'libs', name), path.join(folder, 'repos', 'libs', name));
  await symlink(path.join(suites, 'apps', 'elfloader'), path.join(folder, 'repos', 'apps', 'elfloader'));
  for (const [app, ...libs] of [['c-hello'], ['c-fs'], ['c-http', 'lwip'], ['nginx', 'musl', 'lwip', 'nginx'], ['python3-hello']]) {
    await cp(path.join(suites, 'catalog-core', app), path.join(folder, app), { recursive: true });
    if (app === 'python3-hello') continue;
    await mkdir(path.join(folder, app, 'workdir', 'libs'), { recursive: true });
    await symlink('../../repos/unikraft', path.join(folder, app, 'workdir', 'unikraft'));
    for (const lib of libs) await symlink(`../../../repos/libs/${lib}`, path.join(folder, app, 'workdir', 'libs', lib));
  }
  return folder;
}

async function catalogTour(page, shot, folder, theme) {
  await page.waitForSelector('.monaco-workbench .part.editor', { timeout: patience });
  await command(page, 'Unikernel: Focus on Library Pool View').catch(() => command(page, 'View: Show Unikernel'));
  for (const name of ['c-hello', 'c-fs', 'c-http', 'nginx']) await row(page, name).waitFor({ timeout: patience });
  await page.waitForTimeout(800);
  await shot(`catalog-projects-${theme}`);
  await row(page, 'nginx').click();
  await page.locator('.statusbar-item:has-text("nginx:")').first().waitFor({ timeout: patience });
  for (const name of ['lwip', 'musl']) await row(page, name).waitFor({ timeout: patience });
  await command(page, 'Unikernel: Select Target');
  await page.locator('.quick-input-list .monaco-list-row:has-text("fc-x86_64")').first().waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`catalog-targets-${theme}`);
  await page.locator('.quick-input-list .monaco-list-row:has-text("fc-x86_64")').first().click();
  await page.locator('.statusbar-item:has-text("fc-x86_64")').first().waitFor({ timeout: patience });
  await page.waitForTimeout(800);
  await shot(`catalog-chosen-${theme}`);
  // A program of the project is configured for the target by its defconfig, before any build.
  await runCommand(page, 'Unikernel: Configure');
  const application = page.locator('.quick-input-list .monaco-list-row.focused:has-text("nginx")').first();
  await application.waitFor({ timeout: patience });
  await page.waitForTimeout(300);
  await shot(`catalog-applications-${theme}`);
  await application.click();
  const config = shown(page);
  await config.locator('.row').first().waitFor({ timeout: patience });
  await search(page, config, 'KVM_VMM_FIRECRACKER');
  await config.locator('.row[data-name="KVM_VMM_FIRECRACKER"][aria-checked="true"]').waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`catalog-configured-${theme}`);
}

const themes = [
  ['dark', 'Default Dark Modern'],
  ['light', 'Default Light Modern'],
  ['contrast', 'Default High Contrast'],
];

/** None where the tree is not there. */
export const poolImageScenarios =
  suites && core
    ? themes.flatMap(([theme, colours]) => {
        const settings = { 'workbench.colorTheme': colours, 'files.autoSave': 'off' };
        return [
          {
            name: `an image of a Unikraft tree, ${theme}`,
            settings,
            prepare: prepareImage,
            steps: (page, shot, folder) => imageTour(page, shot, folder, theme),
          },
          {
            name: `catalog-core, ${theme}`,
            settings,
            prepare: prepareCatalog,
            steps: (page, shot, folder) => catalogTour(page, shot, folder, theme),
          },
        ];
      })
    : [];
