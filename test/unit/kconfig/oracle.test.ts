/**
 * A real Unikraft tree against upstream's own `conf`: every file and every message must be equal, in all modes and in random configurations.
 *
 * UK_ROOT names the Unikraft tree, UK_CONF its `conf`, UK_LIBS (colon list) and UK_APP more of the project, ORACLE_ROUNDS the random ones.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { modes, type Mode } from '../../../src/kconfig/conf';
import { unikraftService } from '../../../src/kconfig/service';
import { unikraftEnvironment, type UnikraftTree } from '../../../src/kconfig/submenu';
import { NodeFiles } from '../../../src/shared/files.node';
import { runSeed } from './random-tree';

const root = process.env['UK_ROOT'];
const conf = process.env['UK_CONF'];

describe("a real tree, against upstream's conf", function () {
  this.timeout(600_000 + 60_000 * Number(process.env['ORACLE_ROUNDS'] ?? 10));
  if (!root || !conf) {
    console.warn('    skipped: UK_ROOT (a Unikraft tree) and UK_CONF (its conf program) are not both set');
    return;
  }
  const seed = runSeed();
  const rounds = Number(process.env['ORACLE_ROUNDS'] ?? 10);
  const scratch = mkdtempSync(path.join(tmpdir(), 'kconfig-oracle-'));
  const app = process.env['UK_APP'] ?? path.join(scratch, 'app');
  const build = path.join(scratch, 'build');
  const config = path.join(scratch, '.config');
  const tree: UnikraftTree = { base: root, app, build, config, libs: (process.env['UK_LIBS'] ?? '').split(':').filter(Boolean) };
  const environment = unikraftEnvironment(tree);
  mkdirSync(path.join(build, 'kconfig'), { recursive: true });
  mkdirSync(path.join(build, 'include/uk/bits'), { recursive: true });
  mkdirSync(app, { recursive: true });
  const service = unikraftService({ files: new NodeFiles(), cwd: scratch }, tree);
  after(() => rmSync(scratch, { recursive: true }));

  function upstream(args: readonly string[], extra: Readonly<Record<string, string>> = {}): { stdout: string; stderr: string } {
    const result = spawnSync(conf!, [...args, `${root}/Config.uk`], {
      cwd: scratch,
      env: { ...process.env, ...environment, ...extra },
      encoding: 'utf8',
    });
    assert.equal(result.status, 0, result.stderr);
    return result;
  }

  function compare(mode: Mode): void {
    for (const name of ['KCONFIG_AUTOCONFIG', 'KCONFIG_AUTOHEADER', 'KCONFIG_TRISTATE']) rmSync(environment[name]!, { force: true });
    const before = existsSync(config) ? readFileSync(config, 'utf8') : undefined;
    const said = upstream([`--${mode}`]);
    const text = (name: string): string => readFileSync(environment[name]!, 'utf8');
    upstream([`--savedefconfig=${scratch}/minimal`]);
    const theirs = {
      config: readFileSync(config, 'utf8'),
      stdout: said.stdout,
      stderr: said.stderr,
      auto: text('KCONFIG_AUTOCONFIG'),
      header: text('KCONFIG_AUTOHEADER'),
      tristate: text('KCONFIG_TRISTATE'),
      minimal: readFileSync(`${scratch}/minimal`, 'utf8'),
    };
    const outcome = service.openConfiguration().run(mode, (name) => (name === config ? before : undefined));
    const configuration = service.openConfiguration(outcome.config);
    const minimal = service.openConfiguration().run('savedefconfig', () => outcome.config).defconfig;
    assert.deepEqual(
      {
        config: outcome.config,
        stdout: outcome.stdout,
        stderr: outcome.stderr,
        auto: configuration.autoConf(),
        header: configuration.header(),
        tristate: configuration.tristateConf(),
        minimal,
      },
      theirs,
    );
  }

  for (const mode of modes) {
    if (mode === 'savedefconfig' || mode === 'defconfig') continue;
    it(mode, () => {
      rmSync(config, { force: true });
      compare(mode);
    });
  }

  it(`${rounds} random configurations`, () => {
    for (let round = 0; round < rounds; round++) {
      rmSync(config, { force: true });
      upstream(['--randconfig'], { KCONFIG_SEED: String(seed + round), KCONFIG_PROBABILITY: String(10 + ((round * 7) % 80)) });
      compare('olddefconfig');
    }
  });
});
