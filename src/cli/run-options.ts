/** The command line of `unikernel run`. */
import { type PlainDevice } from '../../debug-adapter/machine/extra-devices';
import { mebibyte, usualRam } from '../../debug-adapter/machine/memory';
import { type Flag, flags, type Repeated, repeated, runOptionHelp, traceKinds, type Valued, valued } from './run-option-table';

export interface RunOptions {
  readonly image: string;
  readonly symbols?: string;
  readonly initrd?: string;
  readonly append: string;
  readonly memory: number;
  readonly net?: string;
  /** `FILE` or `FILE,readonly`, in order. */
  readonly disks: readonly string[];
  readonly devices: readonly PlainDevice[];
  readonly trace: readonly TraceKind[];
  readonly traceOut?: string;
  /** File that the session goes to at its end, and file with one that is to happen again. */
  readonly record?: string;
  readonly replay?: string;
  readonly maxInstructions?: bigint;
  /** Seconds of host time. */
  readonly timeout?: number;
  readonly stats: boolean;
  readonly clock: 'real' | 'skip' | 'auto';
  readonly cpu: 'min' | 'default';
  readonly jit: boolean | 'eager';
  /** Keep what is translated for later runs. */
  readonly keep: boolean;
  /** Measure the TSC against the PIT instead of being told by CPUID. */
  readonly calibrate: boolean;
}

export type TraceKind = (typeof traceKinds)[number];

export const runHelp = `Usage: unikernel run IMAGE [options]

Boots a unikernel image. The serial console is standard input and output.

${runOptionHelp('run')}
At a terminal, Ctrl-A X ends the run, and Ctrl-A Ctrl-A sends Ctrl-A.
Exit status: the guest's own, 124 on a limit, 125 where the image or the emulator fails.
`;

/** As extra-devices.ts has them, which a run without any does not load. */
const knownDevices: readonly PlainDevice[] = ['rng', 'console'];
/**
 * Reads the arguments; answers a message for people where they are wrong, and 'help' where help is wanted.
 * `foreign` are options that only `run` itself takes.
 */
export function parseRunOptions(
  argv: readonly string[],
  foreign: readonly string[] = [],
): RunOptions | 'help' | { readonly error: string } {
  const values = new Map<Valued, string>();
  const lists: Record<Repeated, string[]> = { disk: [], device: [] };
  const set = new Set<Flag>();
  const positional: string[] = [];
  let literal = false;
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]!;
    if (literal || !argument.startsWith('-') || argument === '-') {
      positional.push(argument);
      continue;
    }
    if (argument === '--') {
      literal = true;
      continue;
    }
    if (argument === '-h') return 'help';
    const equals = argument.indexOf('=');
    const name = argument.slice(2, equals < 0 ? undefined : equals);
    const flag = flags.find((f) => f === name);
    const option = valued.find((v) => v === name);
    if (!argument.startsWith('--') || (flag === undefined && option === undefined)) return { error: `Unknown option ${argument}.` };
    if (foreign.includes(name)) return { error: `--${name} belongs to 'unikernel run'.` };
    if (flag !== undefined) {
      if (equals >= 0) return { error: `--${flag} takes no value.` };
      set.add(flag);
    } else {
      const value = equals >= 0 ? argument.slice(equals + 1) : argv[++i];
      if (value === undefined) return { error: `--${name} needs a value.` };
      const list = repeated.find((r) => r === option);
      if (list !== undefined) lists[list].push(value);
      else values.set(option!, value);
    }
  }
  if (set.has('help')) return 'help';
  const [image, ...rest] = positional;
  if (image === undefined) return { error: 'No image is given.' };
  if (rest.length > 0) return { error: `One image can be run, but there is also ${rest[0]!}. (The guest's arguments go into --append.)` };

  if (values.has('replay')) {
    const decided = (['append', 'memory', 'cpu', 'record', 'net', 'max-instructions'] as const).find((name) => values.has(name));
    if (lists.device.length > 0) return { error: '--replay repeats what was recorded: leave --device out.' };
    if (decided !== undefined) return { error: `--replay repeats what was recorded: leave --${decided} out.` };
  }
  const memory = Number(values.get('memory') ?? usualRam / mebibyte);
  if (!Number.isInteger(memory) || memory <= 0) return { error: `--memory takes a whole number of MiB, not ${values.get('memory')!}.` };
  const limit = values.get('max-instructions');
  if (limit !== undefined && !/^[0-9_]+$/.test(limit)) return { error: `--max-instructions takes a whole number, not ${limit}.` };
  const timeout = values.get('timeout');
  if (timeout !== undefined && !(Number(timeout) > 0)) return { error: `--timeout takes a number of seconds above 0, not ${timeout}.` };
  const clock = values.get('clock');
  if (clock !== undefined && clock !== 'real' && clock !== 'skip') return { error: `--clock is real or skip, not ${clock}.` };
  const cpu = values.get('cpu');
  if (cpu !== undefined && cpu !== 'min' && cpu !== 'default') return { error: `--cpu is min or default, not ${cpu}.` };
  const keep = values.get('keep');
  if (keep !== undefined && keep !== 'on' && keep !== 'off') return { error: `--keep is on or off, not ${keep}.` };
  const jit = values.get('jit');
  if (jit !== undefined && jit !== 'on' && jit !== 'off' && jit !== 'eager') return { error: `--jit is on, off or eager, not ${jit}.` };
  const trace: TraceKind[] = [];
  for (const word of values.get('trace')?.split(',') ?? []) {
    const kind = traceKinds.find((k) => k === word);
    if (kind === undefined) return { error: `--trace knows ${traceKinds.join(', ')}, but not ${word === '' ? 'an empty word' : word}.` };
    trace.push(kind);
  }
  const unknown = lists.device.find((word) => !(knownDevices as readonly string[]).includes(word));
  if (unknown !== undefined) return { error: `--device is ${knownDevices.join(' or ')}, not ${unknown}.` };
  const optional = <K extends string>(key: K, name: Valued): Partial<Record<K, string>> => {
    const value = values.get(name);
    return value === undefined ? {} : ({ [key]: value } as Record<K, string>);
  };
  return {
    image,
    ...optional('symbols', 'symbols'),
    ...optional('initrd', 'initrd'),
    ...optional('net', 'net'),
    disks: lists.disk,
    devices: lists.device as PlainDevice[],
    ...optional('traceOut', 'trace-out'),
    ...optional('record', 'record'),
    ...optional('replay', 'replay'),
    append: values.get('append') ?? '',
    memory,
    trace,
    ...(limit === undefined ? {} : { maxInstructions: BigInt(limit.replaceAll('_', '')) }),
    ...(timeout === undefined ? {} : { timeout: Number(timeout) }),
    stats: set.has('stats'),
    clock: clock ?? 'auto',
    cpu: cpu ?? 'default',
    jit: jit === 'eager' ? jit : jit !== 'off',
    keep: keep !== 'off',
    calibrate: set.has('calibrate'),
  };
}

/** Whether something is plugged in beside the PC's own devices. */
export function hasPeripherals({ net, disks, devices }: RunOptions): boolean {
  return net !== undefined || disks.length > 0 || devices.length > 0;
}
