/** `unikernel config` on files on disk. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { configCommand } from '../../../src/cli/config';

describe('unikernel config', function () {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'unikernel-config-'));
    writeFileSync(
      path.join(folder, 'Config.uk'),
      'config A\n\tbool "a"\n\tdefault y\nconfig B\n\tbool "b"\n\tdepends on !A\nconfig S\n\tstring "s"\n',
    );
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function run(...argv: string[]): Promise<{ status: number; out: string; err: string }> {
    let out = '';
    let err = '';
    const status = await configCommand(argv, { stdout: (text) => (out += text), stderr: (text) => (err += text), cwd: folder, env: {} });
    return { status, out, err };
  }
  const config = (): string => readFileSync(path.join(folder, '.config'), 'utf8');

  it('makes, keeps and backs up a .config', async () => {
    assert.deepEqual(await run('olddefconfig'), { status: 0, out: '#\n# configuration written to .config\n#\n', err: '' });
    assert.match(config(), /^CONFIG_A=y$/m);
    assert.equal((await run('olddefconfig')).out, '#\n# No change to .config\n#\n');
    assert.equal(existsSync(path.join(folder, '.config.old')), false);
    assert.equal((await run('allnoconfig')).status, 0);
    assert.match(config(), /^# CONFIG_A is not set$/m);
    assert.ok(existsSync(path.join(folder, '.config.old')));
  });

  it('sets and gets as a menu does', async () => {
    const refused = await run('set', 'B=y');
    assert.equal(refused.status, 1);
    assert.match(refused.err, /B cannot be set to y now/);
    assert.deepEqual(await run('set', 'A=n', 'CONFIG_B=y', 'S="q q"'), { status: 0, out: 'A: y -> n\nB: n -> y\nS:  -> q q\n', err: '' });
    assert.equal((await run('get', 'S')).out, 'q q\n');
    assert.deepEqual(JSON.parse((await run('get', 'A', 'B', '--json')).out), { A: 'n', B: 'y' });
  });

  it('explains, plans, minimises and compares', async () => {
    assert.match((await run('why', 'A')).out, /^A = y: default y \(y\) \(Config\.uk:3\)/);
    const plans = JSON.parse((await run('how', 'B=y', '--json')).out) as { plans: { steps: unknown }[] };
    assert.deepEqual(plans.plans[0]?.steps, [
      { symbol: 'A', value: 'n' },
      { symbol: 'B', value: 'y' },
    ]);
    await run('set', 'A=n', 'B=y');
    await run('savedefconfig', 'small');
    assert.equal(readFileSync(path.join(folder, 'small'), 'utf8'), '# CONFIG_A is not set\nCONFIG_B=y\n');
    await run('alldefconfig', '--config', 'other');
    assert.equal((await run('diff', '.config', 'other')).out, ' A n -> y\n-B y\n');
  });

  it('refuses what conf refuses', async () => {
    writeFileSync(path.join(folder, 'Config.uk'), 'config A\n\tbool "a"\n\tdepends on A\n');
    const { status, err } = await run('olddefconfig');
    assert.equal(status, 1);
    assert.match(err, /recursive dependency detected/);
    assert.equal(existsSync(path.join(folder, '.config')), false);
  });

  it('says how it is used', async () => {
    assert.match((await run('--help')).out, /^usage: unikernel config MODE/);
    assert.deepEqual(
      [(await run()).status, (await run('nonsense')).status, (await run('olddefconfig', '--tree', 'none')).status],
      [2, 2, 1],
    );
  });
});
