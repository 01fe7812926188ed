/** A session as a file: what was launched, everything that reached the machine, and its last state; opened again by letting it all happen once more. */
import { bytesOf, type Contents } from '../../machine/api';
import { type JournalEntry } from '../../machine/api';
import { ByteReader, ByteWriter, decode, encode } from '../../machine/codec';
import { Hash } from '../../machine/hash';
import { type Disk } from '../../machine/extra-devices';
import { type PcMachine } from '../../machine/machine';
import { CodedError } from '../channel';
import { historyErrors } from './errors';
import { type Journey } from './history';

/** "UKSS", little endian. */
const magic = 0x5353_4b55;
/**
 * Version 1 had one hash of the launch, version 2 no disks; in versions 3 and 4 the timer took less time to be read, up to version 5 the time-stamp counter
 * none.
 */
const version = 6;

/** What two launches must have in common to run alike. */
export interface SessionLaunch {
  /** The image's file name: the first word of its command line. */
  readonly imageName: string;
  readonly image: bigint;
  readonly initrd: bigint | undefined;
  readonly commandLine: string;
  /** Bytes. */
  readonly memory: number;
  readonly cpuModel: string;
  /** A virtio network card is plugged in. */
  readonly network: boolean;
  /** Hashes of the disks' contents, and which cannot be written. */
  readonly disks: readonly { readonly contents: bigint; readonly readOnly: boolean }[];
  readonly devices: readonly string[];
}

export interface SavedSession {
  readonly launch: SessionLaunch;
  readonly journal: readonly JournalEntry[];
  /** Where what was kept of the session begins, instructions; absent where that is the launch. */
  readonly start?: number;
  /** Instructions retired at the end of history, and where the user stood. */
  readonly end: number;
  readonly position: number;
  /** Hash of the state at the end, and the state itself. */
  readonly hash: bigint;
  readonly state: Uint8Array;
}

/** The files and settings of a launch as sessions tell them apart. `imageName` may be a path. */
export function describeLaunch(options: {
  readonly image: Uint8Array;
  readonly imageName: string;
  readonly initrd?: Contents;
  readonly commandLine: string;
  readonly memory: number;
  readonly cpuModel: string;
  readonly network?: boolean;
  readonly disks?: readonly Disk[];
  readonly devices?: readonly string[];
}): SessionLaunch {
  const { image, imageName, initrd, commandLine, memory, cpuModel, network = false, disks = [], devices = [] } = options;
  return {
    imageName: baseName(imageName),
    image: hashOf(image),
    initrd: initrd === undefined ? undefined : hashOf(bytesOf(initrd)),
    commandLine,
    memory,
    cpuModel,
    network,
    disks: disks.map(({ bytes, readOnly }) => ({ contents: hashOf(bytes), readOnly })),
    devices: [...devices].sort(),
  };
}

/** The last part of a path of any system. */
export const baseName = (path: string): string => path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);

function hashOf(bytes: Uint8Array): bigint {
  const hash = new Hash();
  hash.bytes(bytes);
  return hash.digest();
}

/** What differs between the recorded launch and another one, in words; empty where the session can be repeated. */
export function differences(recorded: SessionLaunch, now: SessionLaunch): readonly string[] {
  const quoted = (text: string): string => (text === '' ? 'none' : `"${text}"`);
  const lines: string[] = [];
  if (recorded.image !== now.image)
    lines.push(`the image has other contents (the session is of ${recorded.imageName}; launch the very file that was recorded)`);
  else if (recorded.imageName !== now.imageName) lines.push(`the image's file name was ${recorded.imageName}, and is ${now.imageName}`);
  if (recorded.initrd !== now.initrd)
    lines.push(
      recorded.initrd === undefined
        ? 'the session had no initrd'
        : now.initrd === undefined
          ? 'the session had an initrd'
          : 'the initrd has other contents',
    );
  if (recorded.commandLine !== now.commandLine)
    lines.push(`the command line was ${quoted(recorded.commandLine)}, and is ${quoted(now.commandLine)}`);
  if (recorded.memory !== now.memory) lines.push(`the memory was ${recorded.memory >> 20} MiB, and is ${now.memory >> 20}`);
  if (recorded.cpuModel !== now.cpuModel) lines.push(`the processor model was "${recorded.cpuModel}", and is "${now.cpuModel}"`);
  if (recorded.network !== now.network) lines.push(`the session had ${recorded.network ? 'a' : 'no'} network card`);
  if (recorded.disks.length !== now.disks.length)
    lines.push(`the session had ${recorded.disks.length} disks, and there are ${now.disks.length}`);
  else
    recorded.disks.forEach(({ contents, readOnly }, index) => {
      if (contents !== now.disks[index]!.contents) lines.push(`disk ${index + 1} has other contents`);
      else if (readOnly !== now.disks[index]!.readOnly) lines.push(`disk ${index + 1} was ${readOnly ? 'read-only' : 'writable'}`);
    });
  if (recorded.devices.join() !== now.devices.join())
    lines.push(`the further devices were ${quoted(recorded.devices.join(', '))}, and are ${quoted(now.devices.join(', '))}`);
  return lines;
}

/** Layout: magic, version, then one record of the codec. */
export function encodeSession(session: SavedSession): Uint8Array {
  const out = new ByteWriter();
  out.u32(magic);
  out.u32(version);
  encode(out, session);
  return out.finish();
}

/** Throws a CodedError for anything that `encodeSession` did not write. */
export function decodeSession(bytes: Uint8Array): SavedSession {
  let found: unknown;
  try {
    const input = new ByteReader(bytes);
    if (input.u32() !== magic) throw historyErrors.noSession('its first bytes are wrong');
    const format = input.u32();
    if (format !== version) throw historyErrors.noSession(`it has format ${format}, and this program reads format ${version}`);
    found = decode(input);
  } catch (error) {
    throw error instanceof CodedError ? error : historyErrors.noSession('it is damaged or cut short');
  }
  const session = found as Partial<SavedSession> | null | undefined;
  const sound =
    typeof session === 'object' &&
    session !== null &&
    isLaunch(session.launch) &&
    isCount(session.end) &&
    isCount(session.position) &&
    (session.start === undefined || isCount(session.start)) &&
    session.position <= session.end &&
    typeof session.hash === 'bigint' &&
    session.state instanceof Uint8Array &&
    Array.isArray(session.journal) &&
    session.journal.every(isEntry) &&
    session.journal.every(({ at }, index, all) => at <= BigInt(session.end!) && (index === 0 || at >= all[index - 1]!.at));
  if (!sound) throw historyErrors.noSession('a part of it is missing or of a wrong kind');
  return session as SavedSession;
}

/**
 * Lets a saved session happen again on a machine that was just made, up to its end. `ran` is called as the machine goes on.
 * Rejects with a CodedError where the launch is another one. Answers false where the end is not the recorded one, as the emulator itself is another, or
 * where the session's beginning was not kept: the machine has the saved state then with nothing before it.
 */
export function* repeatSession(machine: PcMachine, session: SavedSession, launch: SessionLaunch, ran: () => void): Journey<boolean> {
  const others = differences(session.launch, launch);
  if (others.length > 0) throw historyErrors.otherLaunch(others);
  function* runTo(count: bigint): Journey<void> {
    for (let standstill = 0; machine.cpu.retired < count;) {
      const before = machine.cpu.retired;
      const part = before + 10_000_000n;
      const reason = machine.run(part < count ? part : count);
      ran();
      if (machine.cpu.retired > before) standstill = 0;
      else if (++standstill > 100 || reason.kind === 'exit') throw historyErrors.repeated(Number(before));
      yield;
    }
    machine.run(count);
  }
  try {
    if (session.start !== undefined) throw historyErrors.before(session.start);
    for (const entry of session.journal) {
      yield* runTo(entry.at);
      if (entry.kind === 'input') machine.input(entry.device, entry.bytes);
      else if (entry.kind === 'advance') machine.advance(entry.to);
      else machine.edit(entry);
    }
    yield* runTo(BigInt(session.end));
    if (machine.hash() === session.hash) return true;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
  }
  machine.restore(session.state);
  return false;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function isLaunch(value: unknown): value is SessionLaunch {
  if (typeof value !== 'object' || value === null) return false;
  const launch = value as Readonly<Record<string, unknown>>;
  return (
    typeof launch['imageName'] === 'string' &&
    typeof launch['image'] === 'bigint' &&
    (launch['initrd'] === undefined || typeof launch['initrd'] === 'bigint') &&
    typeof launch['commandLine'] === 'string' &&
    isCount(launch['memory']) &&
    typeof launch['cpuModel'] === 'string' &&
    typeof launch['network'] === 'boolean' &&
    isList(launch['disks'], (disk) => typeof disk['contents'] === 'bigint' && typeof disk['readOnly'] === 'boolean') &&
    Array.isArray(launch['devices']) &&
    launch['devices'].every((name) => typeof name === 'string')
  );
}

function isList(value: unknown, isItem: (item: Readonly<Record<string, unknown>>) => boolean): boolean {
  return (
    Array.isArray(value) &&
    value.every((item) => typeof item === 'object' && item !== null && isItem(item as Readonly<Record<string, unknown>>))
  );
}

function isEntry(value: unknown): value is JournalEntry {
  if (typeof value !== 'object' || value === null) return false;
  const entry = value as Readonly<Record<string, unknown>>;
  if (typeof entry['at'] !== 'bigint' || entry['at'] < 0n) return false;
  switch (entry['kind']) {
    case 'input':
      return typeof entry['device'] === 'string' && entry['bytes'] instanceof Uint8Array;
    case 'advance':
      return isCount(entry['to']);
    case 'memory':
      return isCount(entry['physical']) && entry['bytes'] instanceof Uint8Array;
    case 'register':
      return typeof entry['name'] === 'string' && typeof entry['value'] === 'bigint';
    case 'wideRegister':
      return typeof entry['name'] === 'string' && entry['bytes'] instanceof Uint8Array;
    default:
      return false;
  }
}
