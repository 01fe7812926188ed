/**
 * Times the Kconfig engine on real trees: cold load, re-reading after a keystroke, one toggle; beside C's conf and Kconfiglib in the same run.
 *
 *   UK_ROOT=…/unikraft [UK_APP=DIR] [UK_LIBS=DIR:DIR] [UK_CONF=…/conf] [LINUX_ROOT=…/linux-6.1] [LINUX_CONF=…/conf] [KCONFIGLIB=DIR] \
 *     node bench/run.mjs bench/kconfig/bench.ts
 *
 * All figures are milliseconds of CPU. "cold" is the first load of a new process, measured inside it on its main thread: nothing of the tree was read before and
 * nothing about it is kept on disk; the code comes with V8's cache, as the command line's does, which was made on another tree; the system has the files in its
 * memory, for us as for the other engines. "process" is the whole process, start of Node and its compiler threads among it, as it compares with the other engines'
 * processes. Where a tree asks the compiler what it can do, as Linux's does, conf's time has these commands in it, and they are most of it; we run none here.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeCodeCache } from '../../src/cli/code-cache.node';
import { cpuOf, median, timeProcess } from './clock';
import { benchTrees, loadBenchTree, openBenchTree, type BenchTree } from './trees';

const scratch = process.env['BENCH_SCRATCH'] ?? mkdtempSync(path.join(tmpdir(), 'kconfig-bench-'));
const trees = benchTrees(scratch);

if (trees.length === 0) {
  console.error('UK_ROOT names the Unikraft tree to measure on, LINUX_ROOT the Linux tree: neither is set');
  process.exit(1);
}

// A cold load is the first one of a process, in the form in which it ships: bundled, and with compiled code beside the bundle.
const bundle = path.join(scratch, 'once.js');
const starter = path.join(scratch, 'cold.cjs');
for (const [entry, outfile] of [
  ['once.ts', bundle],
  ['cold.ts', starter],
] as const) {
  const options = [`--outfile=${outfile}`, '--bundle', '--minify', '--platform=node', '--external:esbuild', '--log-level=error'];
  execFileSync('npx', ['esbuild', `bench/kconfig/${entry}`, ...options]);
}
const rounded = (value: number): number => Number(value.toFixed(2));

void measure();

async function measure(): Promise<void> {
  await writeCodeCache([bundle], 'warm', [[path.resolve('library-pool')]]);
  for (const tree of trees) {
    console.log(JSON.stringify({ tree: tree.name, ...coldFigures(tree), ...warmFigures(tree) }, undefined, 2));
  }
  rmSync(scratch, { recursive: true });
}

/** Cold figures, round by round beside the other engines. */
function coldFigures(tree: BenchTree): Record<string, number> {
  const environment = tree.environment;
  const description = path.join(scratch, `${tree.name}.json`);
  writeFileSync(description, JSON.stringify(tree));
  const library = process.env['KCONFIGLIB'];
  const python =
    `import sys; sys.path.insert(0, ${JSON.stringify(library ?? '')}); import kconfiglib; ` +
    `k = kconfiglib.Kconfig(${JSON.stringify(tree.root)}, warn=False); k.write_config(".config")`;
  const cold: number[] = [];
  const whole: number[] = [];
  const empty: number[] = [];
  const conf: number[] = [];
  const kconfiglib: number[] = [];
  for (let round = 0; round < (tree.name === 'linux' ? 5 : 9); round++) {
    const ours = timeProcess([process.execPath, starter, bundle, description], scratch);
    cold.push(Number(ours.stdout));
    whole.push(ours.cpuMs);
    empty.push(timeProcess([process.execPath, '-e', '0'], scratch).cpuMs);
    rmSync(path.join(scratch, '.config'), { force: true });
    if (tree.conf) conf.push(timeProcess([tree.conf, '--olddefconfig', tree.root], scratch, environment).cpuMs);
    // Kconfiglib does not know the `modules` statement of today's Linux.
    if (library && tree.name === 'unikraft') kconfiglib.push(timeProcess(['python3', '-c', python], scratch, environment).cpuMs);
  }
  return {
    coldMs: rounded(median(cold)),
    coldBestMs: rounded(Math.min(...cold)),
    processMs: rounded(median(whole)),
    emptyNodeProcessMs: rounded(median(empty)),
    ...(conf.length > 0 && { confMs: rounded(median(conf)), confToOurs: rounded(median(conf) / median(whole)) }),
    ...(kconfiglib.length > 0 && {
      kconfiglibMs: rounded(median(kconfiglib)),
      kconfiglibToOurs: rounded(median(kconfiglib) / median(whole)),
    }),
  };
}

function warmFigures(tree: BenchTree): Record<string, unknown> {
  const rounds = tree.name === 'linux' ? 5 : 40;
  cpuOf(rounds, () => loadBenchTree(tree));
  const warmLoad = cpuOf(rounds, () => loadBenchTree(tree));
  const service = openBenchTree(tree);
  const configuration = service.openConfiguration('');
  const text = readFileSync(tree.edited, 'utf8');
  const keystroke = (round: number): void => {
    service.tree.setDocument(tree.edited, `${text}# ${'x'.repeat(round % 7)}\n`);
    configuration.values.isWritten(service.tree.model.byName.get(tree.editedOption)!);
  };
  cpuOf(rounds, keystroke);
  const keystrokeMs = rounded(cpuOf(rounds, keystroke));
  // The toggles that reach furthest: of the options that many others depend on, the five whose change changes most.
  const toggles: Record<string, number> = {};
  const flip = (value: string): string => (value === 'y' ? 'n' : 'y');
  const candidates = [...service.tree.model.byName.values()]
    .filter((symbol) => symbol.type === 'bool' && !symbol.choice && configuration.values.isChangeable(symbol))
    .sort((a, b) => service.tree.queries.usersOf(b).length - service.tree.queries.usersOf(a).length)
    .slice(0, 200)
    .map((symbol) => ({ symbol, reach: configuration.preview(symbol, flip(configuration.values.text(symbol))).changes.length }))
    .sort((a, b) => b.reach - a.reach);
  for (const { symbol, reach } of candidates.slice(0, 5)) {
    const toggle = (): void => void configuration.set(symbol, flip(configuration.values.text(symbol)));
    cpuOf(40, toggle);
    toggles[`${symbol.label} (${reach} change)`] = rounded(cpuOf(200, toggle));
  }
  const { files, byName } = service.tree.model;
  return { files: files.size, symbols: byName.size, warmLoadMs: rounded(warmLoad), keystrokeMs, toggleMs: toggles };
}
