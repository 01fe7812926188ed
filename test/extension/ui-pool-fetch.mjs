// Fetching a library's sources as a user meets it: progress, cancelling, checksums, hostile archives, git, and what a pool that is broken says. Wants UNIKERNEL_SUITES and UK_ROOT.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { command, row } from './ui-pool.mjs';
import { details, filter, prepareTree, until } from './ui-pool-tree.mjs';

const patience = 60_000;
const { UNIKERNEL_SUITES: suites, UK_ROOT: core } = process.env;

/** A library's sources as an archive, or with a path that leads out of it. */
async function packed(folder, ...names) {
  const sources = path.join(folder, 'origin', 'lib-zlib-1.0');
  await mkdir(sources, { recursive: true });
  await writeFile(path.join(sources, 'Config.uk'), 'config LIBZLIB\n\tbool "zlib - Compression"\n\tdefault n\n');
  await writeFile(
    path.join(sources, 'Makefile.uk'),
    '$(eval $(call addlib_s,libzlib,$(CONFIG_LIBZLIB)))\n\nLIBZLIB_SRCS-y += $(LIBZLIB_BASE)/zlib.c\n',
  );
  await writeFile(path.join(sources, 'zlib.c'), 'int zlib_ready = 1;\n');
  const rename = names.length === 0 ? [] : [`--transform=s,^lib-zlib-1.0/zlib.c,${names[0]},`, '-P'];
  return execFileSync('tar', ['-czf', '-', ...rename, 'lib-zlib-1.0'], { cwd: path.join(folder, 'origin') });
}

const servers = new Map();

/** The tree with an index whose archives come from a server of this test: a good one, a slow one, and two that must not be taken. */
async function prepare() {
  const folder = await prepareTree();
  const good = await packed(folder);
  const outside = await packed(folder, '../../outside.c');
  const server = createServer((request, response) => {
    const body = request.url.includes('outside') ? outside : good;
    if (!request.url.startsWith('/slow')) return response.writeHead(200, { 'content-length': String(body.length) }).end(body);
    response.writeHead(200, { 'content-length': String(40 << 20) });
    const timer = setInterval(() => response.write(Buffer.alloc(1 << 18)), 100);
    response.on('close', () => clearInterval(timer));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.set(folder, server);
  const url = `http://127.0.0.1:${server.address().port}`;
  const sum = createHash('sha256').update(good).digest('hex');
  const version = (name, from, sha256) => `  - version: ${name}\n    resource: ${url}/${from}/zlib.tar.gz\n    sha256: ${sha256}\n`;
  await writeFile(
    path.join(folder, 'index.yaml'),
    `name: zlib\ntype: lib\ndescription: Compression\nversions:\n${version('1.0', 'good', sum)}${version('1.1-slow', 'slow', sum)}` +
      `${version('1.2-changed', 'good', '0'.repeat(64))}${version('1.3-outside', 'outside', createHash('sha256').update(outside).digest('hex'))}`,
  );
  const git = (...args) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
      cwd: path.join(folder, 'origin', 'lib-zlib-1.0'),
      stdio: 'ignore',
    });
  git('init', '-b', 'stable');
  git('add', '.');
  git('commit', '-m', 'zlib');
  return folder;
}

const notification = (page, text) => page.locator(`.notification-list-item:has-text("${text}")`).first();

/** Chooses a version of zlib, or gives an address. */
async function fetchZlib(page, choice, address) {
  await command(page, 'Notifications: Clear All Notifications');
  const pick = (text) => page.locator(`.quick-input-list .monaco-list-row:has-text("${text}")`).first().click({ timeout: 6000 });
  // A list closes where something else takes the focus: look, act, repeat.
  for (let attempt = 0; attempt < 10; attempt++) {
    await command(page, 'Unikernel: Fetch Library');
    const picked = await pick('zlib')
      .then(() => pick(choice))
      .then(
        () => true,
        () => false,
      );
    if (picked) break;
    await page.keyboard.press('Escape');
  }
  if (address === undefined) return;
  await page.locator('.quick-input-widget:has-text("Address of an archive")').waitFor({ timeout: patience });
  await page.locator('.quick-input-widget input').first().fill(address);
  await page.keyboard.press('Enter');
}

async function fetching(page, shot, folder, theme) {
  const place = path.join(folder, '.unikraft', 'libs', 'zlib');
  const absent = () => assert.rejects(access(place), 'nothing of it is left');
  await page.waitForSelector('.monaco-workbench .part.editor', { timeout: patience });
  await command(page, 'Unikernel: Focus on Library Pool View').catch(() => command(page, 'View: Show Unikernel'));
  await filter(page, 'zlib');
  await row(page, 'zlib').click();
  await details(page).locator('a.button:has-text("Fetch")').waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`fetch-available-${theme}`);

  await fetchZlib(page, '1.1-slow');
  const running = notification(page, 'Fetching zlib');
  await running.locator('text=/of 40/').first().waitFor({ timeout: patience });
  await shot(`fetch-running-${theme}`);
  await running.locator('.monaco-button:has-text("Cancel")').click();
  await running.waitFor({ state: 'hidden', timeout: patience });
  await absent();

  await fetchZlib(page, '1.2-changed');
  await notification(page, 'SHA-256').waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`fetch-checksum-${theme}`);
  await absent();

  await fetchZlib(page, '1.3-outside');
  await notification(page, 'outside').waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`fetch-outside-${theme}`);
  await absent();

  await fetchZlib(page, '1.0');
  await notification(page, 'zlib is in .unikraft/libs/zlib').waitFor({ timeout: patience });
  assert.match(await readFile(path.join(place, 'zlib.c'), 'utf8'), /zlib_ready/);
  await details(page).locator('.state:has-text("not in the Kraftfile")').waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`fetch-done-${theme}`);
  await notification(page, 'zlib is in').locator('.monaco-button:has-text("Add to Kraftfile")').click();
  await page.locator('.quick-input-list .monaco-list-row:has-text("LIBZLIB=y")').first().click();
  await until('zlib is not asked for', async () => (await readFile(path.join(folder, 'Kraftfile'), 'utf8')).includes('  zlib: stable\n'));
  await page.locator('.pane-body .monaco-list-row:has-text("enabled")').first().waitFor({ timeout: patience });

  // Once its files are gone, it is missing, and comes by git, too.
  await rm(place, { recursive: true });
  await page.locator('.pane-body .monaco-list-row:has-text("missing")').first().waitFor({ timeout: patience });
  await shot(`fetch-missing-${theme}`);
  await fetchZlib(page, 'Another address', `file://${folder}/origin/lib-zlib-1.0`);
  await notification(page, 'zlib is in .unikraft/libs/zlib').waitFor({ timeout: patience });
  await access(path.join(place, '.git'));

  await faults(page, shot, folder, theme);
  servers.get(folder)?.close();
}

const problem = (page, text) => page.locator(`.markers-panel .monaco-list-row:has-text("${text}")`).first();

/** What is wrong with files of the pool is in the Problems view, at its line, and gone once it is mended. */
async function faults(page, shot, folder, theme) {
  const zlib = path.join(folder, '.unikraft', 'libs', 'zlib');
  const makefile = path.join(zlib, 'Makefile.uk');
  const config = path.join(zlib, 'Config.uk');
  const good = { makefile: await readFile(makefile, 'utf8'), config: await readFile(config, 'utf8') };
  await writeFile(makefile, `${good.makefile}\nifeq ($(CONFIG_LIBZLIB),y)\nUK_PROVIDED_SYSCALLS-$(CONFIG_LIBZLIB) += inflate\n`);
  await command(page, 'Problems: Focus on Problems View');
  await problem(page, 'no system call').waitFor({ timeout: patience });
  await problem(page, 'has no endif').waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`faults-makefile-${theme}`);
  await writeFile(makefile, good.makefile);
  await problem(page, 'no system call').waitFor({ state: 'hidden', timeout: patience });

  await rm(config);
  await problem(page, 'has no Config.uk').waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`faults-config-${theme}`);
  await writeFile(config, good.config);
  await problem(page, 'has no Config.uk').waitFor({ state: 'hidden', timeout: patience });

  await rm(path.join(folder, '.unikraft', 'unikraft'));
  await command(page, 'Unikernel: Clear Filter of Library Pool');
  await command(page, 'Unikernel: Refresh Library Pool');
  await page.locator('.pane-body:has-text("There is no Unikraft core for this application")').first().waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await shot(`faults-core-${theme}`);
}

const scenario = (theme, colours) => ({
  name: `fetching into a Unikraft tree, ${theme}`,
  settings: { 'workbench.colorTheme': colours, 'files.autoSave': 'off', 'unikernel.pool.index': 'index.yaml' },
  prepare,
  steps: (page, shot, folder) => fetching(page, shot, folder, theme),
});

/** None where the tree is not there. */
export const poolFetchScenarios =
  suites && core
    ? [scenario('dark', 'Default Dark Modern'), scenario('light', 'Default Light Modern'), scenario('contrast', 'Default High Contrast')]
    : [];
