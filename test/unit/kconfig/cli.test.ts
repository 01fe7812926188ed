/** `unikernel config` on files on disk. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

  it('says what is wrong with a request, and changes nothing', async () => {
    const refused: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['get', 'SS'], 1, /there is no symbol SS in this tree; is S meant\?/],
      [['set', 'A=maybe'], 2, /A is a bool: it takes y or n, not "maybe"/],
      [['how', 'A=m'], 2, /takes y or n/],
      [['set', 'N=0x'], 2, /N takes a whole number, such as 42, not "0x"/],
      [['set', 'B=y'], 1, /unikernel config how B=y tells what to change first/],
      [['why', 'A', 'B'], 2, /why takes the name of a symbol: "B" is one too many/],
      [['olddefconfig', 'more'], 2, /takes no more words: "more" is one too many/],
      [['-x'], 2, /unknown option -x/],
      [['diff', 'a', 'b'], 1, /there is no file a/],
      [['olddefconfig', '--config', 'folder'], 1, /cannot read folder: it is a directory/],
      [['olddefconfig', '--config', 'Config.uk/x'], 1, /cannot write Config\.uk\/x: a part of its path is no directory/],
      [['get', 'A', '--dialect', 'other'], 2, /unknown dialect other; there are uk-5\.2/],
    ];
    writeFileSync(
      path.join(folder, 'Config.uk'),
      `${readFileSync(path.join(folder, 'Config.uk'), 'utf8')}config N\n\tint "n"\n\tdefault 1\n`,
    );
    mkdirSync(path.join(folder, 'folder'));
    for (const [argv, status, message] of refused) {
      const result = await run(...argv);
      assert.equal(result.status, status, argv.join(' '));
      assert.match(result.err, message);
      assert.equal(result.out, '', argv.join(' '));
    }
    assert.deepEqual(readdirSync(folder).sort(), ['Config.uk', 'folder']);
    assert.match((await run('get', 'A', '--config', 'absent')).err, /there is no absent: all options have their defaults/);
  });

  it('says how it is used', async () => {
    assert.match((await run('--help')).out, /^usage: unikernel config MODE/);
    assert.deepEqual(
      [(await run()).status, (await run('nonsense')).status, (await run('olddefconfig', '--tree', 'none')).status],
      [2, 2, 1],
    );
  });
});
