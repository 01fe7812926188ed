/** The structures that arguments point to: how many bytes of each are kept, and how they are written out. Layouts are those of the x86-64 kernel ABI. */
import { formatEnum, formatFlags, formatSignalSet } from './flags';
import { quoteBytes } from './text';

interface Structure {
  readonly bytes: number;
  /** @param view exactly `bytes` long. */
  format(view: DataView): string;
}

const u16 = (view: DataView, at: number): number => view.getUint16(at, true);
const u32 = (view: DataView, at: number): number => view.getUint32(at, true);
const i32 = (view: DataView, at: number): number => view.getInt32(at, true);
const u64 = (view: DataView, at: number): bigint => view.getBigUint64(at, true);
const i64 = (view: DataView, at: number): bigint => view.getBigInt64(at, true);
const hex = (value: bigint): string => (value === 0n ? 'NULL' : `0x${value.toString(16)}`);

function timespec(view: DataView, at: number): string {
  return `{tv_sec=${i64(view, at)}, tv_nsec=${i64(view, at + 8)}}`;
}

function timeval(view: DataView, at: number): string {
  return `{tv_sec=${i64(view, at)}, tv_usec=${i64(view, at + 8)}}`;
}

function mode(value: number): string {
  const type = formatFlags('filetype', BigInt(value & 0o170000));
  const permissions = `0${(value & 0o7777).toString(8)}`;
  return (value & 0o170000) === 0 ? permissions : `${type}|${permissions}`;
}

function limit(value: bigint): string {
  if (value === 0xffff_ffff_ffff_ffffn) return 'RLIM64_INFINITY';
  return value > 1024n && value % 1024n === 0n ? `${value / 1024n}*1024` : value.toString();
}

const hexNumber = (value: bigint): string => (value === 0n ? '0' : `0x${value.toString(16)}`);

/** The two parts of a device number (makedev(3)). */
export const device = (value: bigint): string =>
  `makedev(${hexNumber((value >> 8n) & 0xfffn)}, ${hexNumber((value & 0xffn) | ((value >> 12n) & 0xfff00n))})`;

/** Devices have no size. */
function sizeOrDevice(view: DataView): string {
  const type = u32(view, 24) & 0o170000;
  return type === 0o020000 || type === 0o060000 ? `st_rdev=${device(u64(view, 40))}` : `st_size=${i64(view, 48)}`;
}

const structures: Readonly<Record<string, Structure>> = {
  int: { bytes: 4, format: (view) => `[${i32(view, 0)}]` },
  long: { bytes: 8, format: (view) => `[${i64(view, 0)}]` },
  fdpair: { bytes: 8, format: (view) => `[${i32(view, 0)}, ${i32(view, 4)}]` },
  timespec: { bytes: 16, format: (view) => timespec(view, 0) },
  timeval: { bytes: 16, format: (view) => timeval(view, 0) },
  itimerval: { bytes: 32, format: (view) => `{it_interval=${timeval(view, 0)}, it_value=${timeval(view, 16)}}` },
  itimerspec: { bytes: 32, format: (view) => `{it_interval=${timespec(view, 0)}, it_value=${timespec(view, 16)}}` },
  rlimit: { bytes: 16, format: (view) => `{rlim_cur=${limit(u64(view, 0))}, rlim_max=${limit(u64(view, 8))}}` },
  sigset: { bytes: 8, format: (view) => formatSignalSet(u64(view, 0)) },
  stat: { bytes: 56, format: (view) => `{st_mode=${mode(u32(view, 24))}, ${sizeOrDevice(view)}, ...}` },
  statx: {
    bytes: 48,
    format: (view) =>
      `{stx_mask=${formatFlags('statx', BigInt(u32(view, 0)))}, stx_mode=${mode(u16(view, 28))}, stx_size=${u64(view, 40)}, ...}`,
  },
  epollevent: {
    bytes: 12,
    format: (view) => `{events=${formatFlags('epoll', BigInt(u32(view, 0)))}, data=${hex(view.getBigUint64(4, true))}}`,
  },
  stack: {
    bytes: 24,
    format: (view) => `{ss_sp=${hex(u64(view, 0))}, ss_flags=${formatFlags('sigstack', BigInt(u32(view, 8)))}, ss_size=${u64(view, 16)}}`,
  },
  msghdr: {
    bytes: 56,
    format: (view) =>
      `{msg_name=${hex(u64(view, 0))}, msg_namelen=${u32(view, 8)}, msg_iov=${hex(u64(view, 16))}, msg_iovlen=${u64(view, 24)}, msg_controllen=${u64(view, 40)}, msg_flags=${formatFlags('msg', BigInt(u32(view, 48)))}}`,
  },
  sigaction: {
    bytes: 32,
    format: (view) => {
      const handler = u64(view, 0);
      const name = handler === 0n ? 'SIG_DFL' : handler === 1n ? 'SIG_IGN' : hex(handler);
      return `{sa_handler=${name}, sa_mask=${formatSignalSet(u64(view, 24))}, sa_flags=${formatFlags('sigaction', u64(view, 8))}}`;
    },
  },
  // Each field has 65 bytes.
  utsname: {
    bytes: 130,
    format: (view) => `{sysname=${quoteBytes(cString(view, 0), false)}, nodename=${quoteBytes(cString(view, 65), false)}, ...}`,
  },
};

function cString(view: DataView, at: number): Uint8Array {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, view.byteLength - at);
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** Bytes of a structure that are kept, or undefined for a kind that is none. */
export function structureBytes(kind: string): number | undefined {
  return structures[kind]?.bytes;
}

/** A structure as text; undefined where not all of its bytes are there. */
export function formatStructure(kind: string, bytes: Uint8Array): string | undefined {
  const structure = structures[kind];
  if (structure === undefined || bytes.length < structure.bytes) return undefined;
  return structure.format(new DataView(bytes.buffer, bytes.byteOffset, structure.bytes));
}

/** A socket address: IPv4, IPv6, Unix; others as their family and bytes. */
export function formatSocketAddress(bytes: Uint8Array): string {
  if (bytes.length < 2) return '{}';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const family = u16(view, 0);
  const name = formatEnum('family', BigInt(family));
  if (family === 2 && bytes.length >= 8)
    return `{sa_family=${name}, sin_port=htons(${view.getUint16(2)}), sin_addr=inet_addr("${[...bytes.subarray(4, 8)].join('.')}")}`;
  if (family === 10 && bytes.length >= 24) {
    const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(8 + 2 * i).toString(16));
    return `{sa_family=${name}, sin6_port=htons(${view.getUint16(2)}), sin6_addr="${groups.join(':')}"}`;
  }
  if (family === 1) {
    const path = bytes.subarray(2);
    const end = path.indexOf(0, 1);
    return `{sa_family=${name}, sun_path=${quoteBytes(end < 0 ? path : path.subarray(0, end), false)}}`;
  }
  return `{sa_family=${name}, ...}`;
}

/** An array of struct pollfd. */
export function formatPoll(bytes: Uint8Array, after: boolean, truncated: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const items: string[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    const happened = after ? u16(view, at + 6) : 0;
    const revents = happened === 0 ? '' : `, revents=${formatFlags('poll', BigInt(happened))}`;
    items.push(`{fd=${i32(view, at)}, events=${formatFlags('poll', BigInt(u16(view, at + 4)))}${revents}}`);
  }
  if (truncated) items.push('...');
  return `[${items.join(', ')}]`;
}
