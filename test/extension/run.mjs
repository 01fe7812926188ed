// `npm run test:extension`: the suite inside the extension host, then the packaged extension driven through the user interface, with screenshots.
import { mkdir, rm } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { format, promisify } from 'node:util';
import { root, startBrowser, startServer, workbenchUrl } from './host.mjs';
import { bundleSuite, exampleFolder } from './prepare.mjs';
import { scenarios } from './ui.mjs';
import { buildFaultScenarios } from './ui-build-faults.mjs';
import { accessibilityScenarios } from './ui-accessibility.mjs';
import { configScenarios } from './ui-config.mjs';
import { languageScenarios } from './ui-language.mjs';
import { poolScenarios } from './ui-pool.mjs';
import { poolFetchScenarios } from './ui-pool-fetch.mjs';
import { poolImageScenarios } from './ui-pool-image.mjs';
import { poolTreeScenarios } from './ui-pool-tree.mjs';
import { programScenarios } from './ui-program.mjs';
import { travelScenarios } from './ui-travel.mjs';
import { upstreamScenarios } from './ui-upstream.mjs';
import { workspaceScenarios } from './ui-workspaces.mjs';

const run = promisify(execFile);
const shots = path.join(root, 'out', 'screenshots');
let passed = 0;
let failed = 0;

/** Runs the mocha suite in the extension host; counts its tests by their report. */
async function runSuite(browser, suite) {
  const folder = await exampleFolder();
  const server = await startServer();
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  try {
    const ended = new Promise((resolve) => page.exposeFunction('codeAutomationExit', resolve));
    await page.exposeFunction('codeAutomationLog', (_type, args) => {
      // Mocha's report comes as a format and its values.
      const text = format(...args.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))));
      passed += Number(/(\d+) passing/.exec(text)?.[1] ?? 0);
      failed += Number(/(\d+) failing/.exec(text)?.[1] ?? 0);
      console.log(text);
    });
    if (process.env.VERBOSE) page.on('console', (message) => console.log(`[page] ${message.text()}`));
    await page.goto(workbenchUrl(server.port, { folder, extension: root, tests: suite }), { timeout: 180_000 });
    const timer = setTimeout(() => console.log('the suite did not end in time'), 240_000);
    const code = await Promise.race([ended, new Promise((resolve) => setTimeout(() => resolve(1), 240_000))]);
    clearTimeout(timer);
    if (code !== 0 && failed === 0) failed++;
    if (code !== 0) await page.screenshot({ path: path.join(shots, 'suite-failed.png') });
  } finally {
    await page.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a run drives: a few scenarios, or with SCENARIO=TEXT those whose name holds the text (all of them where it is empty). */
const everyTime = [
  'F5 on the example, dark',
  'F5 on the example, light',
  'F5 in a browser, dark',
  'the configuration editor, dark',
  'the configuration editor, light',
  'the library pool, dark',
  'the library pool, light',
  'the library pool of a Unikraft tree, dark',
];
const everything = [
  ...scenarios,
  ...configScenarios,
  ...accessibilityScenarios,
  ...languageScenarios,
  ...poolScenarios,
  ...buildFaultScenarios,
  ...poolTreeScenarios,
  ...poolFetchScenarios,
  ...poolImageScenarios,
  ...travelScenarios,
  ...programScenarios,
  ...upstreamScenarios,
  ...workspaceScenarios,
];
const chosen = everything.filter(({ name }) =>
  process.env.SCENARIO === undefined ? everyTime.includes(name) : name.includes(process.env.SCENARIO),
);

if (process.env.SCENARIO === undefined && poolTreeScenarios.length === 0)
  console.log('  - without the library pool of a Unikraft tree: UNIKERNEL_SUITES and UK_ROOT do not say where one is');

/** Installs the package and drives it as a user would. */
async function runScenarios(browser) {
  const vsix = path.join(root, 'out', 'unikernel-workbench.vsix');
  await run('npx', ['vsce', 'package', '--no-dependencies', '--allow-missing-repository', '--out', vsix], {
    cwd: root,
    maxBuffer: 1 << 26,
  });
  for (const { name, settings, steps, workspace, restricted, prepare = exampleFolder } of chosen) {
    const folder = await prepare();
    const server = await startServer({ vsix, settings, restricted });
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    try {
      if (process.env.VERBOSE) page.on('console', (message) => console.log(`[page] ${message.text()}`));
      await page.goto(workbenchUrl(server.port, { folder, workspace: workspace && path.join(folder, workspace) }), { timeout: 180_000 });
      await steps(page, (shot) => page.screenshot({ path: path.join(shots, `${shot}.png`) }), folder);
      console.log(`  ✔ ${name}`);
      passed++;
    } catch (error) {
      console.log(`  ✘ ${name}\n${error.stack}`);
      await page.screenshot({ path: path.join(shots, `failed-${name.replace(/\W+/g, '-')}.png`) }).catch(() => undefined);
      failed++;
    } finally {
      await page.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  }
}

await mkdir(shots, { recursive: true });
const suite = await bundleSuite();
const browser = await startBrowser();
try {
  if (process.env.SCENARIO === undefined) await runSuite(browser, suite);
  await runScenarios(browser);
} finally {
  await browser.close();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
