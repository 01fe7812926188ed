/**
 * Linux 6.1 against its own `conf`: all that it writes must be equal, in every mode.
 *
 * LINUX_ROOT names the kernel's source tree (its Kconfig files, scripts and Makefile are enough), LINUX_CONF its `conf`.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Mode } from '../../../src/kconfig/conf';
import { KconfigService } from '../../../src/kconfig/service';
import { NodeFiles } from '../../../src/shared/files.node';
import { linuxEnvironment, replayingShell } from './linux-tree';

const root = process.env['LINUX_ROOT'];
const conf = process.env['LINUX_CONF'];

describe('Linux 6.1, against its conf', function () {
  this.timeout(600_000);
  if (!root || !conf) {
    console.warn('    skipped: LINUX_ROOT (a Linux 6.1 tree) and LINUX_CONF (its conf program) are not both set');
    return;
  }
  const scratch = mkdtempSync(path.join(tmpdir(), 'kconfig-linux-'));
  after(() => rmSync(scratch, { recursive: true }));
  const environment = linuxEnvironment(root, scratch);
  const config = environment['KCONFIG_CONFIG']!;
  const service = new KconfigService({
    files: new NodeFiles(),
    cwd: scratch,
    root: 'Kconfig',
    dialect: 'linux-6.1',
    environment,
    shell: replayingShell(scratch, environment),
  });

  function upstream(...args: readonly string[]): { stdout: string; stderr: string } {
    const result = spawnSync(conf!, [...args, 'Kconfig'], { cwd: scratch, env: { ...process.env, ...environment }, encoding: 'utf8' });
    assert.equal(result.status, 0, result.stderr);
    return result;
  }

  function compare(mode: Mode, defconfig?: string): void {
    rmSync(config, { force: true });
    const said = upstream(defconfig === undefined ? `--${mode}` : `--${mode}=${defconfig}`);
    const theirs = readFileSync(config, 'utf8');
    upstream(`--savedefconfig=${scratch}/minimal`);
    upstream('--syncconfig');
    const read = (name: string): string | undefined => new NodeFiles().readText(path.resolve(root!, name));
    const outcome = service.openConfiguration().run(mode, (name) => (name === config ? undefined : read(name)), defconfig);
    assert.equal(outcome.exit, 0, outcome.stderr);
    const configuration = service.openConfiguration(theirs);
    const lines = (text: string | undefined): readonly string[] => (text ?? '').split('\n');
    assert.deepEqual(lines(outcome.config), lines(theirs));
    assert.deepEqual([outcome.stdout, outcome.stderr], [said.stdout, said.stderr]);
    const minimal = service.openConfiguration().run('savedefconfig', (name) => (name === config ? theirs : undefined)).defconfig;
    assert.deepEqual(lines(minimal), lines(readFileSync(`${scratch}/minimal`, 'utf8')));
    assert.deepEqual(lines(configuration.autoConf()), lines(readFileSync(environment['KCONFIG_AUTOCONFIG']!, 'utf8')));
    assert.deepEqual(lines(configuration.header()), lines(readFileSync(environment['KCONFIG_AUTOHEADER']!, 'utf8')));
  }

  it('defconfig', () => compare('defconfig', 'arch/x86/configs/x86_64_defconfig'));
  for (const mode of ['alldefconfig', 'allyesconfig', 'allnoconfig', 'allmodconfig'] as const) it(mode, () => compare(mode));
});
