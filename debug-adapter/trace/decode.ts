/** Writes recorded events out as text: system calls as strace would. */
import { pieceHeader } from './capture';
import { type Capture } from './arena';
import { type OtherEvent, type SyscallEvent, type TraceEvent } from './ring';
import { errnoOf } from './syscalls/errno';
import { formatEnum, formatFlags, formatSignal } from './syscalls/flags';
import { type SyscallArgument, type SyscallResult } from './syscalls/row';
import { formatPoll, formatSocketAddress, formatStructure } from './syscalls/structures';
import { syscallByNumber } from './syscalls/table';
import { quoteBuffer, quoteBytes, quoteHex } from './syscalls/text';

/** Largest error number that a result can be (errno values are below 4096). */
const mostErrno = 4095n;
/** Where results begin, unless the call is longer. */
const resultColumn = 40;

/** `write(1, "Hello\n", 6) = 6`; an open call ends in `= ?`. */
export function formatSyscall(event: SyscallEvent): string {
  return withResult(formatCall(event), formatResult(event));
}

/** Spaces in front of the result. */
const gaps = Array.from({ length: resultColumn + 1 }, (_, length) => `${' '.repeat(Math.max(1, resultColumn - length))}= `);

/** A line with the result in its column, or a space behind a longer one. */
export const withResult = (line: string, result: string): string => line + gaps[Math.min(line.length, resultColumn)]! + result;

/** The call without its result. With `paths`, descriptors are followed by what they were opened for, as `strace -y` has it. */
export function formatCall(event: SyscallEvent, paths = false): string {
  const row = syscallByNumber(event.number);
  if (row === undefined) return unknownCall(event);
  const count = presentArguments(event, row.name, row.args.length);
  let text = `${row.name}(`;
  for (let index = 0; index < count; index++) {
    if (index > 0) text += ', ';
    text += formatArgument(event, row.args[index]!, index, paths, row.name);
  }
  return `${text})`;
}

const unknownCall = (event: SyscallEvent): string =>
  `syscall_${event.number}(${event.args.map((arg) => `0x${arg.toString(16)}`).join(', ')})`;

/** The call in the part that is known when it begins, and the rest: strace breaks a line there when another thread's comes between. */
export function splitCall(event: SyscallEvent, paths = false): readonly [string, string] {
  const row = syscallByNumber(event.number);
  if (row === undefined) return [unknownCall(event).slice(0, -1), ')'];
  const args = row.args.slice(0, presentArguments(event, row.name, row.args.length));
  const texts = args.map((argument, index) => formatArgument(event, argument, index, paths, row.name));
  const filled = args.findIndex((argument) => argument.filled);
  const known = filled < 0 ? texts.length : filled;
  const rest = texts.slice(known);
  return [`${row.name}(${texts.slice(0, known).join(', ')}${rest.length > 0 && known > 0 ? ', ' : ''}`, `${rest.join(', ')})`];
}

/** The mode of `open` is there only where a file may be created. */
function presentArguments(event: SyscallEvent, name: string, count: number): number {
  if (name !== 'open' && name !== 'openat') return count;
  const flags = event.args[name === 'open' ? 1 : 2]!;
  return (flags & 0x40n) !== 0n || (flags & 0x41_0000n) === 0x41_0000n ? count : count - 1;
}

/** The result with the error's name and meaning. */
export function formatResult(event: SyscallEvent, paths = false): string {
  const { result } = event;
  if (result === undefined) return '?';
  if (result < 0n && result >= -mostErrno) {
    const error = errnoOf(Number(-result));
    return error === undefined ? `-1 (errno ${-result})` : error.text;
  }
  const row = syscallByNumber(event.number);
  const text = formatNumber(row?.result ?? 'hex', result);
  const opened = paths && row?.result === 'fd' ? row.args.findIndex(({ kind }) => kind === 'path') : -1;
  const path = opened < 0 ? undefined : event.captures[opened];
  return path === undefined ? text : `${text}<${pathText(path.bytes)}>`;
}

/** A path as it stands behind a descriptor. */
const pathText = (bytes: Uint8Array): string => quoteBytes(bytes, false).slice(1, -1);

function formatNumber(kind: SyscallResult, value: bigint): string {
  switch (kind) {
    case 'ptr':
    case 'hex':
      return hex(BigInt.asUintN(64, value));
    case 'size':
      return decimal(value);
    default:
      return signed32(value);
  }
}

/** Small numbers are written sooner than big integers. */
const small = 1n << 53n;
const decimal = (value: bigint): string => (value < small && value > -small ? String(Number(value)) : value.toString());
const signed32 = (value: bigint): string => String(Number(BigInt.asIntN(32, value)));

function hex(value: bigint): string {
  return value === 0n ? '0' : `0x${value.toString(16)}`;
}

function formatArgument(event: SyscallEvent, argument: SyscallArgument, index: number, paths: boolean, call: string): string {
  const value = event.args[index]!;
  const { kind } = argument;
  if (kind.startsWith('f.'))
    return formatFlags(kind.slice(2), kind === 'f.clone' || kind === 'f.mount' ? value : BigInt.asUintN(32, value));
  if (kind.startsWith('e.')) return formatEnum(kind.slice(2), value);
  switch (kind) {
    case 'fd':
    case 'dirfd': {
      const behind = paths ? event.captures[index] : undefined;
      const text = kind === 'dirfd' && BigInt.asIntN(32, value) === -100n ? 'AT_FDCWD' : signed32(value);
      return behind === undefined ? text : `${text}<${pathText(behind.bytes)}>`;
    }
    case 'int':
    case 'pid':
      if (!argument.filled) return signed32(value);
      break;
    case 'uid':
    case 'uint':
      return BigInt.asUintN(32, value) === 0xffff_ffffn ? '-1' : BigInt.asUintN(32, value).toString();
    case 'long':
      if (!argument.filled) return BigInt.asIntN(64, value).toString();
      break;
    case 'off':
      return decimal(BigInt.asIntN(64, value));
    case 'size':
      return decimal(value);
    case 'mode':
      return `0${Number(BigInt.asUintN(32, value)).toString(8).padStart(2, '0')}`;
    case 'sig':
      return formatSignal(Number(BigInt.asIntN(32, value)));
    case 'hex':
      return hex(value);
    case 'dev':
      return `makedev(${hex((value >> 8n) & 0xfffn)}, ${hex((value & 0xffn) | ((value >> 12n) & 0xfff00n))})`;
    default:
  }
  if (value === 0n) return 'NULL';
  const capture = event.captures[index];
  // What a call that failed, or has not returned, was to fill in is only an address.
  const failed = argument.filled && (event.result === undefined || (event.result < 0n && event.result >= -mostErrno));
  return (capture === undefined || failed ? undefined : formatFollowed(kind, capture, event, index, call)) ?? `0x${value.toString(16)}`;
}

function formatFollowed(kind: string, capture: Capture, event: SyscallEvent, index: number, call: string): string | undefined {
  switch (kind) {
    case 'path':
    case 'str':
      return quoteBytes(capture.bytes, capture.truncated);
    case 'bytes':
      // Random bytes are no text, whatever they look like.
      return call === 'getrandom' ? quoteHex(capture.bytes, capture.truncated) : quoteBuffer(capture.bytes, capture.truncated);
    case 'strings':
      return formatStrings(capture);
    case 'iovec':
      return formatVector(capture.bytes, Number(BigInt.asIntN(32, event.args[index + 1] ?? 0n)));
    case 'pollfd':
      return formatPoll(capture.bytes, event.result !== undefined, capture.truncated);
    case 'sockaddr':
      return formatSocketAddress(capture.bytes);
    default:
      return formatStructure(kind, capture.bytes);
  }
}

function formatStrings(capture: Capture): string {
  const items: string[] = [];
  for (let at = 0; at < capture.bytes.length;) {
    const end = capture.bytes.indexOf(0, at);
    if (end < 0) break;
    items.push(quoteBytes(capture.bytes.subarray(at, end), false));
    at = end + 1;
  }
  if (capture.truncated) items.push('...');
  return `[${items.join(', ')}]`;
}

function formatVector(bytes: Uint8Array, count: number): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const items: string[] = [];
  for (let at = 0; at + pieceHeader <= bytes.length;) {
    const length = view.getUint32(at, true);
    const kept = bytes[at + 4]!;
    at += pieceHeader;
    items.push(`{iov_base=${quoteBuffer(bytes.subarray(at, at + kept), kept < length)}, iov_len=${length}}`);
    at += kept;
  }
  if (items.length < count) items.push('...');
  return `[${items.join(', ')}]`;
}

/** Any event on one line. `describe` names code addresses, e.g. `main+0x12`; without it they are numbers. */
export function formatEvent(event: TraceEvent, describe?: (address: bigint) => string): string {
  return event.kind === 'syscall' ? formatSyscall(event) : formatOther(event, describe);
}

function formatOther(event: OtherEvent, describe?: (address: bigint) => string): string {
  const at = describe === undefined ? `at 0x${event.rip.toString(16)}` : `(${describe(event.rip)})`;
  switch (event.kind) {
    case 'segmentBase':
      // The FS base is where the System V ABI has the thread-local storage of the running thread.
      return `${event.number === 4 ? 'TLS: FS' : 'GS'} base 0x${event.from.toString(16)} -> 0x${event.value.toString(16)}${event.owner === undefined ? '' : ` (${event.owner})`} ${at}`;
    case 'exception':
      return `exception ${event.number} (error code 0x${event.value.toString(16)}) ${at}`;
    case 'interrupt':
      return `interrupt 0x${event.number.toString(16)} ${at}`;
    case 'interruptReturn':
      return `iret ${at}`;
    case 'extendedState': {
      const whose = event.owner === undefined ? 'extended' : event.owner === 'kernel' ? "the thread's extended" : "the program's extended";
      return `${event.number === 0 ? 'save' : 'restore'} of ${whose} registers at 0x${event.value.toString(16)} ${at}`;
    }
    case 'threadSwitch':
      return `switch from thread 0x${event.from.toString(16)} to 0x${event.value.toString(16)} ${at}`;
  }
}
