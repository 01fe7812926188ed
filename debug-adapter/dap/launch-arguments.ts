/** The launch request's own arguments, checked field by field; the extension's manifest holds the same names. */
import { type DebugProtocol } from '@vscode/debugprotocol';
import { type TraceKind } from '../control/api';
import { closest } from '../control/closest';
import { type PlainDevice, plainDevices } from '../machine/extra-devices';
import { leastRam, mebibyte, mostRam } from '../machine/memory';
import { protocolErrors } from './errors';

/** As launch.json has them. */
export interface LaunchArguments {
  /** Path of the kernel image. */
  readonly image: string;
  /** Path of the file with symbols; default: `<image>.dbg` where it exists, else the image. */
  readonly symbols?: string;
  /** Folders with debug information by build ID, as gdb's `debug-file-directory`; default: what the host has. */
  readonly debugFileDirectories?: readonly string[];
  /** Path of an initial RAM disk. */
  readonly initrd?: string;
  /** What follows the image's name on the kernel's command line. */
  readonly cmdline: string;
  /** The network behind a virtio card, e.g. `user,hostfwd=tcp:127.0.0.1:8080-:80`; default: no card. */
  readonly net?: string;
  /** Disks: paths of raw images, each perhaps with `,readonly`. */
  readonly disks: readonly string[];
  /** Further virtio devices. */
  readonly devices: readonly PlainDevice[];
  /** MiB of RAM. */
  readonly memory: number;
  readonly cpu: 'min' | 'default';
  readonly clock: 'real' | 'skip';
  readonly stopOnEntry: boolean;
  readonly stopAtEnd: 'never' | 'failure' | 'always';
  /** Path of a saved session to let happen again. */
  readonly session?: string;
  /** MiB of checkpoints to go back to. */
  readonly historyMemory: number;
  readonly trace: readonly TraceKind[];
  /** Recorded path prefix to local path prefix. */
  readonly sourceMap: Readonly<Record<string, string>>;
  /** Run without stopping anywhere. */
  readonly noDebug: boolean;
}

type Check<T> = (value: unknown) => T | undefined;

const text: Check<string> = (value) => (typeof value === 'string' ? value : undefined);
const flag: Check<boolean> = (value) => (typeof value === 'boolean' ? value : undefined);
const oneOf =
  <T extends string>(...allowed: readonly T[]): Check<T> =>
  (value) =>
    allowed.find((each) => each === value);

const texts: Check<readonly string[]> = (value) =>
  Array.isArray(value) && value.every((each) => typeof each === 'string' && each !== '') ? (value as string[]) : undefined;
const listOf =
  <T extends string>(...allowed: readonly T[]): Check<readonly T[]> =>
  (value) =>
    Array.isArray(value) && value.every((each) => (allowed as readonly unknown[]).includes(each)) ? (value as T[]) : undefined;

const traceKinds = ['syscalls', 'tls', 'extendedState', 'interrupts'] as const;
/** RAM that can be offered, MiB. */
export const memoryLimits = { least: leastRam / mebibyte, most: mostRam / mebibyte } as const;

/** Fields that VS Code itself adds to every configuration; names that begin with `__` are its private ones. */
const foreign: readonly string[] = [
  ...['type', 'request', 'name', 'presentation', 'preLaunchTask', 'postDebugTask', 'internalConsoleOptions'],
  ...['debugServer', 'serverReadyAction', 'suppressMultipleSessionWarning', 'linux', 'windows', 'osx'],
];

const known = [
  'image',
  'symbols',
  'debugFileDirectories',
  'initrd',
  'cmdline',
  'net',
  'disks',
  'devices',
  'memory',
  'cpu',
  'clock',
  'stopOnEntry',
  'stopAtEnd',
  'session',
  'historyMemory',
  'trace',
  'sourceMap',
  'noDebug',
] as const;

/** Checks what the client sent. Throws a ProtocolError that names the field and the fault. */
export function parseLaunchArguments(args: DebugProtocol.LaunchRequestArguments): LaunchArguments {
  const raw = args as unknown as Readonly<Record<string, unknown>>;
  for (const field of Object.keys(raw)) {
    if (field.startsWith('_') || foreign.includes(field) || (known as readonly string[]).includes(field)) continue;
    throw protocolErrors.unknownLaunchField(field, closest(field, known), known);
  }
  const take = <T>(field: (typeof known)[number], check: Check<T>, expected: string): T | undefined => {
    const value = raw[field];
    if (value === undefined || value === null) return undefined;
    const result = check(value);
    if (result === undefined) throw protocolErrors.launchField(field, expected);
    return result;
  };
  const image = take('image', text, 'must be a path, as a string');
  if (image === undefined || image.trim() === '') throw protocolErrors.launchField('image', 'is missing: name the kernel image to boot');
  const symbols = take('symbols', text, 'must be a path, as a string');
  const debugFileDirectories = take('debugFileDirectories', texts, 'must be a list of folders, e.g. ["/usr/lib/debug"]');
  const initrd = take('initrd', text, 'must be a path, as a string');
  const net = take('net', text, 'must be a string, e.g. "user,hostfwd=tcp:127.0.0.1:8080-:80"');
  const session = take('session', text, 'must be a path, as a string');
  const isHistory: Check<number> = (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= 16 && value <= 8192 ? value : undefined;
  const isMemory: Check<number> = (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= memoryLimits.least && value <= memoryLimits.most ? value : undefined;
  const isMap: Check<Readonly<Record<string, string>>> = (value) =>
    typeof value === 'object' && value !== null && Object.values(value).every((each) => typeof each === 'string')
      ? (value as Record<string, string>)
      : undefined;
  return {
    image,
    ...(symbols === undefined ? {} : { symbols }),
    ...(debugFileDirectories === undefined ? {} : { debugFileDirectories }),
    ...(initrd === undefined ? {} : { initrd }),
    cmdline: take('cmdline', text, 'must be a string') ?? '',
    ...(net === undefined ? {} : { net }),
    disks: take('disks', texts, 'must be a list of files, e.g. ["${workspaceFolder}/disk.img"]') ?? [],
    devices: take('devices', listOf(...plainDevices), `must be a list of ${plainDevices.map((name) => `"${name}"`).join(', ')}`) ?? [],
    memory: take('memory', isMemory, `must be a whole number of MiB from ${memoryLimits.least} to ${memoryLimits.most}`) ?? 128,
    cpu: take('cpu', oneOf('min', 'default'), 'must be "min" or "default"') ?? 'default',
    clock: take('clock', oneOf('real', 'skip'), 'must be "real" or "skip"') ?? 'real',
    stopOnEntry: take('stopOnEntry', flag, 'must be true or false') ?? false,
    stopAtEnd: take('stopAtEnd', oneOf('never', 'failure', 'always'), 'must be "never", "failure" or "always"') ?? 'failure',
    ...(session === undefined ? {} : { session }),
    historyMemory: take('historyMemory', isHistory, 'must be a whole number of MiB from 16 to 8192') ?? 256,
    trace: take('trace', listOf(...traceKinds), `must be a list of ${traceKinds.map((kind) => `"${kind}"`).join(', ')}`) ?? [
      'syscalls',
      'tls',
    ],
    sourceMap: take('sourceMap', isMap, 'must map recorded paths to local paths, both strings') ?? {},
    noDebug: take('noDebug', flag, 'must be true or false') ?? false,
  };
}
