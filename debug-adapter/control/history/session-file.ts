/** A session as a file: what was launched, everything that reached the machine, and its last state; opened again by letting it all happen once more. */
import { type JournalEntry } from '../../machine/api';
import { ByteReader, ByteWriter, decode, encode } from '../../machine/codec';
import { Hash } from '../../machine/hash';
import { type PcMachine } from '../../machine/machine';
import { type LaunchOptions } from '../api';
import { CodedError } from '../channel';
import { historyErrors } from './errors';
import { type Journey } from './history';

/** "UKSS", little endian. */
const magic = 0x5353_4b55;
const version = 1;

export interface SavedSession {
  /** Hash of what decides a run: image, initrd, command line, memory, processor. */
  readonly launch: bigint;
  readonly imageName: string;
  readonly journal: readonly JournalEntry[];
  /** Instructions retired at the end of history, and where the user stood. */
  readonly end: number;
  readonly position: number;
  /** Hash of the state at the end, and the state itself. */
  readonly hash: bigint;
  readonly state: Uint8Array;
}

/** What two launches must have in common to run alike. */
export function launchHash({ image, initrd, commandLine, memory, cpuModel, imageName }: LaunchOptions): bigint {
  const hash = new Hash();
  hash.bytes(image);
  hash.bytes(initrd ?? new Uint8Array(0));
  const out = new ByteWriter();
  encode(out, { commandLine, memory, cpuModel, initrd: initrd !== undefined, name: imageName.slice(imageName.lastIndexOf('/') + 1) });
  hash.bytes(out.finish());
  return hash.digest();
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
    typeof session.launch === 'bigint' &&
    typeof session.imageName === 'string' &&
    isCount(session.end) &&
    isCount(session.position) &&
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
 * Rejects with a CodedError where the launch is another one. Answers false where the end is not the recorded one: the emulator itself is another then,
 * and the machine has the saved state with nothing before it.
 */
export function* repeatSession(machine: PcMachine, session: SavedSession, launch: bigint, ran: () => void): Journey<boolean> {
  if (launch !== session.launch) throw historyErrors.otherLaunch(session.imageName);
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
