/**
 * Random trees with random configurations, against the engines themselves: UK_CONF (Unikraft's conf), LINUX_CONF (Linux 6.1's) and KCONFIGLIB (the library's
 * folder), where they are named. RANDOM_ROUNDS trees, each in all modes that the engine has.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Mode } from '../../../src/kconfig/conf';
import { type DialectName } from '../../../src/kconfig/dialect';
import { KconfigService } from '../../../src/kconfig/service';
import { NodeFiles } from '../../../src/shared/files.node';
import { randomOf, randomTree, runSeed, type Random } from './random-tree';

const { UK_CONF, LINUX_CONF, KCONFIGLIB } = process.env;
const symbols = 14;
const modes: readonly Mode[] = ['olddefconfig', 'alldefconfig', 'allyesconfig', 'allnoconfig', 'savedefconfig'];

/** A .config that sets some of the tree's symbols, to whatever comes. */
function randomConfig(random: Random): string {
  const lines: string[] = [];
  for (let at = 0; at < symbols; at++) {
    const value = ['y', 'm', 'n', String(random(9)), '007', '-3', ''][random(7)]!;
    if (random(2) === 0) lines.push(random(3) === 0 ? `# CONFIG_S${at} is not set` : `CONFIG_S${at}=${value}`);
  }
  if (random(2) === 0) lines.push('CONFIG_MODULES=y');
  return lines.map((line) => `${line}\n`).join('');
}

describe('random trees, against the engines themselves', function () {
  const seed = runSeed();
  const rounds = Number(process.env['RANDOM_ROUNDS'] ?? 40);
  this.timeout(60_000 + 10_000 * rounds);
  const scratch = mkdtempSync(path.join(tmpdir(), 'kconfig-random-'));
  after(() => rmSync(scratch, { recursive: true }));
  const file = (name: string): string => path.join(scratch, name);
  const environment = { CONFIG_: 'CONFIG_', KCONFIG_AUTOCONFIG: 'auto.conf', KCONFIG_CONFIG: '.config' };

  function execute(command: string, args: readonly string[]): string {
    const result = spawnSync(command, args, { cwd: scratch, env: { PATH: process.env['PATH'], ...environment }, encoding: 'utf8' });
    assert.equal(result.status, 0, result.stderr);
    return result.stderr;
  }

  /** What a command makes of the tree and the .config in the scratch folder: the new file, and the warnings. */
  type Engine = (mode: Mode) => { readonly text: string; readonly stderr: string | undefined };

  const conf =
    (program: string): Engine =>
    (mode) => {
      const minimal = mode === 'savedefconfig';
      const stderr = execute(program, [minimal ? '--savedefconfig=minimal' : `--${mode}`, 'Kconfig']);
      return { text: readFileSync(file(minimal ? 'minimal' : '.config'), 'utf8'), stderr };
    };

  const library =
    (folder: string): Engine =>
    () => {
      const script = `import sys; sys.path.insert(0, ${JSON.stringify(folder)}); import kconfiglib; k = kconfiglib.Kconfig("Kconfig", warn=False); k.load_config(".config"); k.write_config(".config", save_old=False)`;
      execute('python3', ['-c', script]);
      return { text: readFileSync(file('.config'), 'utf8'), stderr: undefined };
    };

  function compare(dialect: DialectName, engine: Engine, wanted: readonly Mode[], adapt: (tree: string) => string): void {
    for (let round = 0; round < rounds; round++) {
      const random = randomOf(seed + round);
      const tree = adapt(randomTree(random, { symbols, tristates: random(2) === 0, numbers: true, choices: true }));
      const config = randomConfig(random);
      writeFileSync(file('Kconfig'), tree);
      writeFileSync(file('auto.conf'), '');
      for (const mode of wanted) {
        writeFileSync(file('.config'), config);
        const service = new KconfigService({ files: new NodeFiles(), cwd: scratch, root: 'Kconfig', dialect, environment });
        const ours = service.openConfiguration().run(mode, (name) => (name === '.config' ? config : name === 'auto.conf' ? '' : undefined));
        const theirs = engine(mode);
        const text = mode === 'savedefconfig' ? ours.defconfig : ours.config;
        const said = theirs.stderr === undefined ? undefined : ours.stderr;
        assert.deepEqual({ text, stderr: said }, theirs, `SEED=${seed + round} ${mode}\n${tree}\n${config}`);
      }
    }
  }

  if (UK_CONF) it("Unikraft's conf", () => compare('uk-5.2', conf(UK_CONF), modes, (tree) => tree));
  if (LINUX_CONF) {
    // The word for it has changed.
    it("Linux's conf", () => compare('linux-6.1', conf(LINUX_CONF), modes, (tree) => tree.replace('option modules', 'modules')));
  }
  if (KCONFIGLIB) it('Kconfiglib', () => compare('kconfiglib', library(KCONFIGLIB), ['olddefconfig'], (tree) => tree));
  if (!UK_CONF && !LINUX_CONF && !KCONFIGLIB) console.warn('    skipped: none of UK_CONF, LINUX_CONF and KCONFIGLIB names an engine');
});
