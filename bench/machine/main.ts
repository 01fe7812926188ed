/**
 * What machine speed is quoted on: `npx tsx bench/machine/main.ts [--json] [--only nine,scattered,others,cold,sqlite]`. Our machine with and without the translator, QEMU's TCG on the same
 * kernels, v86 on their i386 build, this host; CPU time of whole processes, MIPS by our count of instructions. Of the nine workloads ours, TCG and the host run in turns, --rounds N (3) times,
 * and the least of each is taken. Images for the cold start are in
 * UNIKERNEL_SUITES/images; UNIKERNEL_V86 is the folder of the npm package v86.
 */

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildSync } from 'esbuild';
import { prebuiltHandlers } from '../../debug-adapter/x86/build-handlers';
import { host, missing, nine, nine32, others, scattered } from './kernels';
import { processTime, sqlite } from './real';

interface Measured {
  readonly name: string;
  readonly checksum: string;
  readonly milliseconds: number;
  readonly instructions?: number;
}

/** What is promised of the nine workloads. */
const targets = { geomean: 4, least: 1.2, native: 0.42, interpreter: 100 } as const;
const root = path.resolve(__dirname, '../..');
const json = process.argv.includes('--json');
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1]!.split(',') : undefined;
const rounds = process.argv.includes('--rounds') ? Math.max(1, Number(process.argv[process.argv.indexOf('--rounds') + 1])) : 3;
const wanted = (part: string): boolean => only?.includes(part) ?? true;
const say = (text: string): void => void (json || console.log(text));
const geomean = (values: readonly number[]): number => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** Lines of a child that runs on; `each` is called as they come. */
function follow(program: string, args: readonly string[], seconds: number, each: (line: string, pid: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
    let rest = '';
    child.stdout.on('data', (data: Buffer) => {
      const lines = (rest + data.toString('latin1')).split('\n');
      rest = lines.pop()!;
      for (const line of lines) each(line.trim(), child.pid!);
    });
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** What our machine has beside it as it is shipped: the interpreter's handlers, and the thread that translates. */
function bundleBeside(folder: string): void {
  writeFileSync(path.join(folder, 'handlers.wasm'), prebuiltHandlers());
  for (const [entry, out] of [['compiler.node', 'compiler'] as const, ['region-compiler', 'region-compiler'] as const]) {
    buildSync({
      entryPoints: [path.join(root, `debug-adapter/${entry}.ts`)],
      outfile: path.join(folder, `${out}.js`),
      bundle: true,
      external: ['./region-compiler.js'],
      platform: 'node',
      format: 'cjs',
      target: 'node20',
      logLevel: 'error',
    });
  }
}

/** One of the programs that run a kernel, bundled. */
function bundle(folder: string, name: 'ours' | 'v86'): string {
  const outfile = path.join(folder, `${name}.cjs`);
  if (!existsSync(outfile)) {
    const entryPoints = [path.join(__dirname, `${name}.ts`)];
    buildSync({ entryPoints, outfile, bundle: true, platform: 'node', format: 'cjs', target: 'node20', logLevel: 'error' });
    if (name === 'ours') bundleBeside(folder);
  }
  return outfile;
}

/** The lines of JSON that one of them prints. */
async function measured(folder: string, name: 'ours' | 'v86', args: readonly string[], seconds = 600): Promise<Measured[]> {
  const result: Measured[] = [];
  await follow(process.execPath, [bundle(folder, name), ...args], seconds, (line) => {
    if (line.startsWith('{')) result.push(JSON.parse(line) as Measured);
  });
  return result;
}

const ours = (kernel: string, tier: 'jit' | 'beside' | 'interpreter'): Promise<Measured[]> =>
  measured(path.dirname(kernel), 'ours', [kernel, tier]);

/** Nothing, and a sentence that says so, where the package or the firmware is missing. */
async function v86(folder: string): Promise<Measured[]> {
  const home = process.env['UNIKERNEL_V86'];
  if (home === undefined || !existsSync('/usr/share/seabios/bios.bin')) {
    console.log("v86 is left out: UNIKERNEL_V86 names the folder of the npm package v86, and Debian's package seabios has the firmware");
    return [];
  }
  return measured(folder, 'v86', [nine32(folder), home]);
}

async function qemu(kernel: string, seconds = 600): Promise<Measured[]> {
  const result: Measured[] = [];
  let start = 0;
  const args = ['-accel', 'tcg', '-m', '128', '-nographic', '-device', 'isa-debug-exit,iobase=0xf4', '-kernel', kernel];
  await follow('qemu-system-x86_64', args, seconds, (line, pid) => {
    const found = /(S|E) (\w+)(?: ([0-9a-f]+))?$/.exec(line);
    if (found === null) return;
    if (found[1] === 'S') start = processTime(pid);
    else result.push({ name: found[2]!, checksum: found[3] ?? '', milliseconds: Math.max(10, processTime(pid) - start) });
  });
  return result;
}

function native(program: string): Measured[] {
  const names = 'sieve crc32 qsort queens matmul nbody copy chase vm'.split(' ');
  return names.map((name) => {
    // The least of three: it is the bound that the others are held against.
    const runs = [1, 2, 3].map(() => {
      const text = execFileSync('bash', ['-c', '{ TIMEFORMAT=%U; time "$0" "$1" 1; } 2>&1', program, name], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      // "name checksum wall", then the user time that the shell measured.
      const [result, seconds] = text.trim().split('\n');
      return { checksum: result!.split(' ')[1]!, milliseconds: Number(seconds) * 1000 };
    });
    return { name, checksum: runs[0]!.checksum, milliseconds: Math.min(...runs.map((run) => run.milliseconds)) };
  });
}

/** The least time of each workload, of several rounds. */
function least(rounds: readonly Measured[][]): Measured[] {
  return (rounds[0] ?? []).map((one) => {
    const all = rounds.flatMap((round) => round.find(({ name }) => name === one.name) ?? []);
    return all.reduce((best, other) => (other.milliseconds < best.milliseconds ? other : best));
  });
}

const pad = (value: number | undefined, digits = 0): string => (value === undefined ? '-' : value.toFixed(digits)).padStart(9);

interface Row {
  readonly name: string;
  readonly instructions: number;
  readonly jit: number;
  readonly interpreter: number | undefined;
  readonly tcg: number | undefined;
  readonly native: number | undefined;
  /** Of an i386 build, which takes more instructions. */
  readonly v86: number | undefined;
  /** All checksums agree. */
  readonly agree: boolean;
}

function table(
  title: string,
  jit: Measured[],
  interpreter: Measured[],
  tcg: Measured[],
  host: Measured[] = [],
  v86: Measured[] = [],
): Row[] {
  const rows = jit.map((one): Row => {
    const same = [interpreter, tcg, host, v86].map((list) => list.find((other) => other.name === one.name));
    const [a, b, c, d] = same.map((found) => found?.milliseconds);
    const agree = same.every((found) => found === undefined || found.checksum === one.checksum);
    return { name: one.name, instructions: one.instructions!, jit: one.milliseconds, interpreter: a, tcg: b, native: c, v86: d, agree };
  });
  const mips = (row: Row, time: number | undefined): number | undefined => time && row.instructions / time / 1000;
  say(`\n${title}: MIPS by CPU time`);
  say('              ours   interp.      TCG   native   ours ms   TCG ms   v86 ms    x TCG x native    x v86');
  for (const row of rows) {
    say(
      row.name.padEnd(10) +
        pad(mips(row, row.jit)) +
        pad(mips(row, row.interpreter)) +
        pad(mips(row, row.tcg)) +
        pad(mips(row, row.native)) +
        pad(row.jit) +
        pad(row.tcg) +
        pad(row.v86) +
        pad(row.tcg && row.tcg / row.jit, 2) +
        pad(row.native && row.native / row.jit, 2) +
        pad(row.v86 && row.v86 / row.jit, 2) +
        (row.agree ? '' : '  CHECKSUMS DIFFER'),
    );
  }
  return rows;
}

function summary(rows: readonly Row[]): Record<string, number> {
  const of = (pick: (row: Row) => number | undefined): number[] => rows.flatMap((row) => pick(row) ?? []);
  const byTcg = of((row) => row.tcg && row.tcg / row.jit);
  const byV86 = of((row) => row.v86 && row.v86 / row.jit);
  const byNative = of((row) => row.native && row.native / row.jit);
  const interpreted = of((row) => row.interpreter && row.instructions / row.interpreter / 1000);
  const result: Record<string, number> = {};
  if (byTcg.length > 0) {
    result['geomean of TCG'] = geomean(byTcg);
    result['least of TCG'] = Math.min(...byTcg);
  }
  if (byNative.length > 0) result['geomean of native'] = geomean(byNative);
  if (byV86.length > 0) result['geomean of v86'] = geomean(byV86);
  if (interpreted.length > 0) result['interpreter MIPS, geomean'] = geomean(interpreted);
  return result;
}

/** From the start of the process to its end. */
function cold(program: string, args: readonly string[]): number | undefined {
  const times: number[] = [];
  // Certificates that Node would read before anything else have no part in this.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    try {
      execFileSync(program, args, { stdio: 'ignore', timeout: 30_000, env });
    } catch (error) {
      // Guests end with statuses of their own.
      const { status } = error as { readonly status?: number | null };
      if (status === null || status === undefined) return undefined;
    }
    times.push(performance.now() - start);
  }
  return Math.min(...times);
}

async function main(): Promise<void> {
  const why = missing();
  if (why !== undefined) {
    console.log(`skipped: ${why}`);
    return;
  }
  const hasQemu = existsSync('/usr/bin/qemu-system-x86_64');
  if (!hasQemu) console.log('QEMU is left out: qemu-system-x86_64 is not installed');
  const tcg = (kernel: string): Promise<Measured[]> => (hasQemu ? qemu(kernel) : Promise.resolve([]));
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-machine-'));
  const report: Record<string, unknown> = {};
  try {
    if (wanted('nine')) {
      const kernel = nine(folder);
      const program = host(folder);
      const turns: { ours: Measured[]; tcg: Measured[]; native: Measured[] }[] = [];
      // The host's own speed changes by the minute.
      for (let i = 0; i < rounds; i++) turns.push({ ours: await ours(kernel, 'jit'), tcg: await tcg(kernel), native: native(program) });
      const rows = table(
        `the nine workloads, least of ${rounds}`,
        least(turns.map((turn) => turn.ours)),
        await ours(kernel, 'interpreter'),
        least(turns.map((turn) => turn.tcg)),
        least(turns.map((turn) => turn.native)),
        await v86(folder),
      );
      const figures = summary(rows);
      for (const [name, value] of Object.entries(figures)) say(`${name.padEnd(28)} ${value.toFixed(2)}`);
      say(
        `asked for: geomean ${targets.geomean} x TCG, none under ${targets.least}; ${targets.native} of native; interpreter ${targets.interpreter} MIPS`,
      );
      report['nine'] = { rows, ...figures };
    }
    if (wanted('scattered')) {
      const kernel = scattered(folder);
      const rows = table('the same on shuffled 4 KiB pages', await ours(kernel, 'jit'), [], await tcg(kernel));
      say(`geomean of TCG ${(summary(rows)['geomean of TCG'] ?? NaN).toFixed(2)}; asked for: each ahead of TCG`);
      report['scattered'] = { rows, ...summary(rows) };
    }
    if (wanted('others')) {
      const kernel = others(folder);
      const title = 'half a megabyte of hot code, system calls, interrupts';
      const [interpreted, theirs] = [await ours(kernel, 'interpreter'), await tcg(kernel)];
      report['others'] = table(title, await ours(kernel, 'jit'), interpreted, theirs);
      report['others beside'] = table(`the same, translated on a second thread`, await ours(kernel, 'beside'), interpreted, theirs);
      say('asked for: each ahead of TCG');
    }
    if (wanted('cold')) report['cold'] = coldStart(hasQemu);
    if (wanted('sqlite')) report['sqlite'] = await realProgram(hasQemu);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (json) console.log(JSON.stringify(report, null, 2));
}

function coldStart(hasQemu: boolean): unknown {
  const suites = process.env['UNIKERNEL_SUITES'];
  // A processor without RDSEED, as QEMU before 8.0 has it, needs the image that does not ask for random numbers.
  const names = ['hello-norand', 'hello-qemu'];
  const image = names.map((name) => path.join(suites ?? '', 'images', name)).find((file) => existsSync(file));
  const cli = path.join(root, 'dist/cli.js');
  if (suites === undefined || image === undefined || !existsSync(cli)) {
    console.log('the cold start is left out: it needs UNIKERNEL_SUITES/images/hello-norand or hello-qemu, and dist/cli.js (npm run build)');
    return undefined;
  }
  const ourTime = cold(cli, ['run', image]);
  const devices = ['-display', 'none', '-serial', 'null', '-monitor', 'none', '-no-reboot', '-nic', 'none'];
  const exit = ['-device', 'isa-debug-exit,iobase=0x501,iosize=2'];
  const theirs = hasQemu
    ? cold('qemu-system-x86_64', ['-accel', 'tcg', '-cpu', 'max', '-m', '128', ...devices, ...exit, '-kernel', image])
    : undefined;
  say(`\n${path.basename(image)}, start to exit, wall ms, least of 5: ours ${pad(ourTime)} QEMU ${pad(theirs)}; asked for: ahead of QEMU`);
  return { ours: ourTime, qemu: theirs };
}

async function realProgram(hasQemu: boolean): Promise<unknown> {
  const taken = await sqlite(path.join(root, 'dist/cli.js'), hasQemu);
  if (taken === undefined) {
    console.log('sqlite is left out: it needs UNIKERNEL_SUITES with images/elfloader-norand, and dist/cli.js (npm run build)');
    return undefined;
  }
  const { jit, kept, interpreter, tcg } = taken;
  say(
    `\nsqlite, 20,000 rows, CPU ms: ours ${pad(jit?.cpu)} again ${pad(kept?.cpu)} interpreter ${pad(interpreter?.cpu)} QEMU ${pad(tcg?.cpu)}; asked for: sooner than QEMU`,
  );
  say(
    `                  wall ms: ours ${pad(jit?.wall)} again ${pad(kept?.wall)} interpreter ${pad(interpreter?.wall)} QEMU ${pad(tcg?.wall)}`,
  );
  return taken;
}

void main();
