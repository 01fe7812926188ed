/**
 * Times the Kconfig engine on a real Unikraft tree: cold load, re-reading after a keystroke, one toggle; beside C's conf and Kconfiglib in the same run.
 *
 *   UK_ROOT=…/unikraft [UK_APP=DIR] [UK_LIBS=DIR:DIR] [UK_CONF=…/conf] [KCONFIGLIB=DIR] npx tsx bench/kconfig/bench.ts
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildSync } from 'esbuild';
import { type KconfigService, unikraftService } from '../../src/kconfig/service';
import { unikraftEnvironment, type UnikraftTree } from '../../src/kconfig/submenu';
import { NodeFiles } from '../../src/shared/files.node';

const root = process.env['UK_ROOT'];
if (!root) {
  console.error('UK_ROOT is not set: it names the Unikraft tree to measure on');
  process.exit(1);
}
const scratch = process.env['BENCH_SCRATCH'] ?? mkdtempSync(path.join(tmpdir(), 'kconfig-bench-'));
const app = process.env['UK_APP'] ?? path.join(scratch, 'app');
mkdirSync(path.join(scratch, 'build/kconfig'), { recursive: true });
mkdirSync(app, { recursive: true });
const tree: UnikraftTree = {
  base: root,
  app,
  libs: (process.env['UK_LIBS'] ?? '').split(':').filter(Boolean),
  build: path.join(scratch, 'build'),
  config: path.join(scratch, '.config'),
};

function open(): KconfigService {
  return unikraftService({ files: new NodeFiles(), cwd: scratch }, tree);
}

function median(times: number[]): number {
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}

function time(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** Load, evaluate with nothing set, and give the text of the .config. */
function load(): void {
  open().openConfiguration('').dotConfig();
}

if (process.argv[2] === '--once') {
  console.log(time(load));
  process.exit(0);
}

// A cold load is the first one of a process, in the bundled form in which it ships.
const bundle = path.join(scratch, 'bench.cjs');
buildSync({ entryPoints: [__filename], bundle: true, platform: 'node', outfile: bundle, external: ['esbuild'], logLevel: 'error' });
const once = { encoding: 'utf8', env: { ...process.env, BENCH_SCRATCH: scratch, NODE_PATH: path.resolve('node_modules') } } as const;
const cold = median(Array.from({ length: 9 }, () => Number(spawnSync(process.execPath, [bundle, '--once'], once).stdout)));

for (let round = 0; round < 20; round++) load();
const warmLoad = median(Array.from({ length: 15 }, () => time(load)));

const service = open();
const configuration = service.openConfiguration('');
const edited = path.join(root, 'lib/ukdebug/Config.uk');
const text = readFileSync(edited, 'utf8');
const keystrokes = Array.from({ length: 60 }, (_, round) =>
  time(() => {
    service.tree.setDocument(edited, `${text}# ${'x'.repeat(round % 7)}\n`);
    configuration.values.isWritten(service.tree.model.byName.get('LIBUKDEBUG')!);
  }),
);
// The toggles that reach furthest: the five symbols whose change changes most.
const toggles: Record<string, number> = {};
const candidates = [...service.tree.model.byName.values()]
  .filter((symbol) => symbol.type === 'bool' && !symbol.choice && configuration.values.isChangeable(symbol))
  .map((symbol) => ({ symbol, reach: configuration.preview(symbol, configuration.values.text(symbol) === 'y' ? 'n' : 'y').changes.length }))
  .sort((a, b) => b.reach - a.reach);
for (const { symbol, reach } of candidates.slice(0, 5)) {
  const flip = (): void => void configuration.set(symbol, configuration.values.text(symbol) === 'y' ? 'n' : 'y');
  toggles[`${symbol.label} (${reach} change)`] = Number(median(Array.from({ length: 60 }, () => time(flip))).toFixed(3));
}

const environment = { ...process.env, ...unikraftEnvironment(tree) };
function others(command: string, args: readonly string[]): number | undefined {
  const times = Array.from({ length: 5 }, () => {
    rmSync(path.join(scratch, '.config'), { force: true });
    const start = performance.now();
    const result = spawnSync(command, args, { cwd: scratch, env: environment, encoding: 'utf8' });
    if (result.status !== 0) throw new Error(`${command} fails: ${result.stderr}`);
    return performance.now() - start;
  });
  return median(times);
}
const conf = process.env['UK_CONF'];
const library = process.env['KCONFIGLIB'];
const python = `import sys; sys.path.insert(0, ${JSON.stringify(library ?? '')}); import kconfiglib; k = kconfiglib.Kconfig(${JSON.stringify(`${root}/Config.uk`)}, warn=False); k.write_config(".config")`;
const confTime = conf && others(conf, ['--olddefconfig', `${root}/Config.uk`]);
const libraryTime = library && others('python3', ['-c', python]);

const { files, byName } = service.tree.model;
const rounded = (value: number | '' | undefined): number | undefined =>
  value === '' || value === undefined ? undefined : Number(value.toFixed(1));
const result = {
  files: files.size,
  symbols: byName.size,
  coldMs: rounded(cold),
  warmLoadMs: rounded(warmLoad),
  keystrokeMs: rounded(median(keystrokes.slice(20))),
  toggleMs: toggles,
  confMs: rounded(confTime),
  kconfiglibMs: rounded(libraryTime),
  confToOurs: confTime ? rounded(confTime / cold) : undefined,
  kconfiglibToOurs: libraryTime ? rounded(libraryTime / cold) : undefined,
};
console.log(JSON.stringify(result, undefined, 2));
