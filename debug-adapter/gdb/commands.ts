/** Answers the packets that look at the guest and change it: registers, memory, breakpoints, threads. */
import { type Debuggee } from './debuggee';
import { asciiText, fromHex, parseCount, parseNumber, toHex, unescapeBinary } from './packet';
import { pointKinds } from './breakpoints';
import { parseThread } from './threads';

/** Most bytes between `$` and `#` that are taken or sent. */
export const packetSize = 0x20000;

/** Error numbers are not told apart by gdb; these follow errno where one fits. */
export const Reply = { ok: 'OK', unsupported: '', malformed: 'E16', refused: 'E01', fault: 'E0e' } as const;

const noThread = 'E03';

/** Answers a packet that does not make the guest run, or undefined where this part knows none such. */
export function answerCommand(debuggee: Debuggee, packet: Uint8Array): string | undefined {
  const text = asciiText(packet);
  const rest = text.slice(1);
  switch (text[0]) {
    case 'g':
      return debuggee.registers.hexOfAll(debuggee.threads.saved());
    case 'G': {
      const bytes = fromHex(rest);
      if (bytes?.length !== debuggee.registers.size) return Reply.malformed;
      if (debuggee.threads.saved() !== undefined) return Reply.refused;
      return debuggee.registers.writeAll(debuggee.machine, bytes) ? Reply.ok : Reply.refused;
    }
    case 'p': {
      const number = parseCount(rest);
      const value = number === undefined ? undefined : debuggee.registers.hex(number, debuggee.threads.saved());
      return value ?? Reply.malformed;
    }
    case 'P': {
      const [number, value] = splitAt(rest, '=');
      const index = parseCount(number);
      const bytes = fromHex(value);
      if (index === undefined || bytes === undefined) return Reply.malformed;
      // A thread that does not run has its registers on its stack, where they lie by the kernel's own custom.
      if (debuggee.threads.saved() !== undefined) return Reply.refused;
      return debuggee.registers.write(debuggee.machine, index, bytes) ? Reply.ok : Reply.refused;
    }
    case 'm':
      return readMemory(debuggee, rest);
    case 'M': {
      const [where, data] = splitAt(rest, ':');
      return writeMemory(debuggee, where, fromHex(data));
    }
    case 'X': {
      const colon = packet.indexOf(0x3a);
      if (colon < 0) return Reply.malformed;
      return writeMemory(debuggee, asciiText(packet.subarray(1, colon)), unescapeBinary(packet.subarray(colon + 1)));
    }
    case 'Z':
    case 'z':
      return changePoint(debuggee, text[0] === 'Z', rest);
    case 'H': {
      const thread = parseThread(rest.slice(1));
      if (!/^[gcmM]/.test(rest) || thread === undefined) return noThread;
      if (rest[0] === 'g') return debuggee.threads.select(thread) ? Reply.ok : noThread;
      return typeof thread !== 'number' || debuggee.threads.has(thread) ? Reply.ok : noThread;
    }
    case 'T': {
      const thread = parseThread(rest);
      return thread !== undefined && (typeof thread !== 'number' || debuggee.threads.has(thread)) ? Reply.ok : noThread;
    }
    default:
      return undefined;
  }
}

/** Reads `address,length`. Shorter than asked where a page is missing; an error where the first byte is. */
function readMemory({ machine }: Debuggee, where: string): string {
  const range = parseRange(where);
  if (range === undefined) return Reply.malformed;
  const length = Math.min(range.length, packetSize / 2);
  if (length === 0) return '';
  const bytes = machine.cpu.readMemory(range.address, bounded(range.address, length));
  return bytes.length === 0 ? Reply.fault : toHex(bytes);
}

function writeMemory({ target }: Debuggee, where: string, bytes: Uint8Array | undefined): string {
  const range = parseRange(where);
  if (range === undefined || bytes?.length !== range.length) return Reply.malformed;
  if (bounded(range.address, bytes.length) < bytes.length) return Reply.fault;
  return target.writeMemory(range.address, bytes) === bytes.length ? Reply.ok : Reply.fault;
}

function changePoint({ points }: Debuggee, insert: boolean, text: string): string {
  // Conditions and commands in agent bytecode may follow a semicolon; they were not announced, so no client sends them.
  const [type = '', ...where] = text.split(';', 1)[0]!.split(',');
  const kind = /^[0-4]$/.test(type) ? pointKinds[Number(type)] : undefined;
  if (kind === undefined) return Reply.unsupported;
  const range = parseRange(where.join(','));
  if (range === undefined) return Reply.malformed;
  if (!insert) points.remove(kind, range.address, range.length);
  else if (!points.insert(kind, range.address, range.length)) return Reply.refused;
  return Reply.ok;
}

/** Bytes of a range that lie below the end of the address space. */
function bounded(address: bigint, length: number): number {
  const room = (1n << 64n) - address;
  return room < BigInt(length) ? Number(room) : length;
}

function parseRange(text: string): { readonly address: bigint; readonly length: number } | undefined {
  const [first, second] = splitAt(text, ',');
  const address = parseNumber(first);
  const length = parseCount(second);
  return address === undefined || length === undefined ? undefined : { address, length };
}

/** The parts before and after the first `separator`; the second is empty where there is none. */
export function splitAt(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
