/**
 * Boots the images found under UNIKERNEL_SUITES/images and compares the serial console with QEMU's, kept in images/expected as NAME.txt beside the command
 * line NAME.cmd. Each runs with the translator and without it, to the same instruction; the state hashes must be equal too.
 */

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type PcMachine } from '../../debug-adapter/machine/machine';
import { startCompiler } from '../../debug-adapter/compiler-thread.node';
import { createMachine } from '../../debug-adapter/machine/pc';
import { useCompiler } from '../../debug-adapter/x86/default-compiler';
import { type ConformanceResult, type Tally } from './result';

/** One recorded run of QEMU. */
interface Recording {
  readonly name: string;
  readonly kernel: string;
  readonly initrd: string | undefined;
  readonly append: string;
  /** MiB. */
  readonly memory: number;
  readonly console: string;
}

/** Where the build has put the thread that compiles: images are translated as they are in the product. */
const built = join(__dirname, '../../dist');
/** Virtual seconds without console output after which a guest that only sleeps has said all. */
const quietSeconds = 10;
/** Instructions after which the run ends in any case. */
const mostInstructions = 3_000_000_000n;
const slice = 5_000_000n;

/** Words of a command line as bash's printf %q wrote them. */
function words(line: string): string[] {
  const found = line.match(/(?:\\.|[^\\\s])+/g) ?? [];
  return found.map((word) => word.replace(/\\(.)/g, '$1'));
}

function read(folder: string, name: string): Recording | undefined {
  const line = readFileSync(join(folder, `${name}.cmd`), 'utf8').split('\n')[0]!;
  const args = words(line);
  const value = (option: string): string | undefined => (args.includes(option) ? args[args.indexOf(option) + 1] : undefined);
  const kernel = value('-kernel');
  if (kernel === undefined || !existsSync(kernel)) return undefined;
  // Runs with a network need somebody who asks: bench/net has those.
  if (args.includes('-netdev')) return undefined;
  const [memory, append, initrd] = [Number(value('-m') ?? 128), value('-append') ?? '', value('-initrd')];
  // The first word of QEMU's command line is the path that it was given; here it is the image's name, the same on every machine.
  const console = readFileSync(join(folder, `${name}.txt`), 'latin1').replaceAll(kernel, basename(kernel));
  return { name, kernel, initrd, append, memory, console };
}

interface Run {
  readonly console: string;
  readonly hash: bigint;
  readonly retired: bigint;
  readonly end: string;
  /** Regions that another thread compiled. */
  readonly beside: number;
}

/** Runs to the guest's end, to silence, or to an instruction count. */
async function boot(recording: Recording, jit: boolean, until: bigint | undefined): Promise<Run> {
  let console = '';
  let spokeAt = 0;
  const { machine }: { machine: PcMachine } = createMachine({
    image: readFileSync(recording.kernel),
    imageName: recording.kernel,
    commandLine: recording.append,
    ...(recording.initrd === undefined ? {} : { initrd: readFileSync(recording.initrd) }),
    memory: recording.memory << 20,
    cpuModel: 'default',
    jit,
    // Where QEMU's guest measured its clock, ours does too.
    tscLeaf: !recording.console.includes('Calibrating TSC'),
  });
  machine.onConsoleOutput = (bytes) => {
    console += Buffer.from(bytes).toString('latin1');
    spokeAt = machine.clock.now();
  };
  const enough = recording.console.length;
  let end = 'limit';
  for (let at = slice; ; at = machine.cpu.retired + slice) {
    // What was compiled meanwhile comes in.
    await new Promise((resolve) => setImmediate(resolve));
    const limit = until ?? mostInstructions;
    const reason = machine.run(at < limit ? at : limit);
    if (reason.kind === 'idle') {
      if (reason.until === undefined || machine.clock.now() - spokeAt > quietSeconds * 1e9) {
        end = 'idle';
        break;
      }
      machine.skipIdle();
    } else if (reason.kind !== 'limit') {
      end = reason.kind === 'exit' ? reason.exit.kind : reason.kind;
      break;
    }
    if (machine.cpu.retired >= limit) break;
    // A guest that never falls silent has been recorded for a while only.
    if (until === undefined && console.length > enough + 4096) break;
  }
  return { console, hash: machine.hash(), retired: machine.cpu.retired, end, beside: machine.cpu.jitStatistics?.['beside'] ?? 0 };
}

/** Recordings that another processor model explains: what is not compared, and why. */
const explained: Readonly<Record<string, readonly [RegExp, string]>> = {
  'elfloader-crash': [
    /SS: 00[01]0/g,
    'QEMU clears SS at every switch to an IST stack, the manual only where the privilege changes (SDM vol. 3A, 6.14.4)',
  ],
  'elfloader-helloworld-go': [
    /(RSP|RBP|base): +[0-9a-f]{16}/g,
    "the stack's place depends on the CPU features of -cpu max; with those of our model QEMU prints the same",
  ],
};

/** What a run's clock and QEMU's decide, taken out: times of log lines, and the measured frequency. */
const comparable = (text: string): string =>
  text.replace(/^\[ *\d+\.\d{6}\]/gm, '[time]').replace(/(frequency estimate is) \d+ Hz/, '$1 N Hz');

/** The first difference, in words, or undefined. QEMU's recording may end in mid-line where it was cut off by time. */
function difference(ours: string, theirs: string): string | undefined {
  const [a, b] = [comparable(ours), comparable(theirs)];
  if (a === b) return undefined;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  if (at === b.length && a.length > b.length + 1024) return undefined;
  const line = b.slice(0, at).split('\n').length;
  const show = (text: string): string => JSON.stringify(text.slice(Math.max(0, at - 40), at + 60));
  return `console differs in line ${line} (${a.length} bytes, QEMU ${b.length}): ${show(a)}, QEMU ${show(b)}`;
}

/** Boots the recordings whose name matches. */
export async function runImages(pattern = /./): Promise<ConformanceResult> {
  if (existsSync(join(built, 'compiler.js'))) useCompiler(async () => Promise.resolve(startCompiler(built)));
  const groups = new Map<string, Tally>();
  const failures: string[] = [];
  const skipped: string[] = [];
  const suites = process.env['UNIKERNEL_SUITES'];
  const folder = suites && join(suites, 'images/expected');
  if (folder === undefined || !existsSync(folder))
    return { missing: 'no images/expected below UNIKERNEL_SUITES', groups, failures, skipped };
  const names = readdirSync(folder).flatMap((file) => (file.endsWith('.cmd') ? [file.slice(0, -4)] : []));
  for (const name of names.filter((n) => pattern.test(n))) {
    const recording = existsSync(join(folder, `${name}.txt`)) ? read(folder, name) : undefined;
    const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
    groups.set(name, tally);
    if (recording === undefined) {
      tally.skipped++;
      skipped.push(`${name}: its image is not here, or it needs a network`);
      continue;
    }
    const translated = await boot(recording, true, undefined);
    const wrong: string[] = [];
    const differs = difference(translated.console, recording.console);
    if (differs !== undefined) wrong.push(`${differs}; ended by ${translated.end} after ${translated.retired} instructions`);
    const [mask, why] = explained[name] ?? [];
    if (
      differs !== undefined &&
      mask !== undefined &&
      difference(translated.console.replace(mask, ''), recording.console.replace(mask, '')) === undefined
    ) {
      wrong.length = 0;
      skipped.push(`${name}: a line that differs: ${why!}`);
    }
    const interpreted = await boot(recording, false, translated.retired);
    if (interpreted.hash !== translated.hash || interpreted.console !== translated.console)
      wrong.push(`the interpreter's state differs after ${translated.retired} instructions`);
    tally[wrong.length === 0 ? 'passed' : 'failed']++;
    failures.push(...wrong.map((reason) => `${name}: ${reason}`));
    if (process.stderr.isTTY || process.env['VERBOSE'] !== undefined)
      console.error(
        `${name}: ${translated.retired} instructions, ${translated.beside} regions compiled beside, hash ${translated.hash.toString(16)}, ${translated.end}; ${wrong.join('; ') || 'same'}`,
      );
  }
  return { groups, failures, skipped };
}
