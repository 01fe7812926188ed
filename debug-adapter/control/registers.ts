/** The registers that people see: which groups there are, how each is spelt, and how bits and lanes are named. */
import { type Cpu } from '../x86/api';

/** A named bit or bit field of a register, low bit first. */
export interface RegisterBits {
  readonly name: string;
  readonly low: number;
  readonly width: number;
  readonly meaning: string;
}

export interface RegisterGroup {
  readonly name: string;
  readonly registers: readonly RegisterDefinition[];
  /** The group is not of registers but of the bits of this one. */
  readonly bitsOf?: string;
}

/** One row: an integer register of `bits` bits, or a wide one with lanes. */
export type RegisterDefinition =
  | { readonly kind: 'integer'; readonly name: string; readonly bits: 16 | 32 | 64; readonly fields?: readonly RegisterBits[] }
  | { readonly kind: 'vector'; readonly name: string }
  | { readonly kind: 'x87'; readonly name: string };

const integer = (bits: 16 | 32 | 64, ...names: readonly string[]): RegisterDefinition[] =>
  names.map((name) => ({ kind: 'integer', name, bits }));
const bit = (low: number, name: string, meaning: string, width = 1): RegisterBits => ({ name, low, width, meaning });
const numbered = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

/** RFLAGS (SDM vol. 1, 3.4.3). */
export const rflagsBits: readonly RegisterBits[] = [
  bit(0, 'CF', 'carry'),
  bit(2, 'PF', 'parity'),
  bit(4, 'AF', 'auxiliary carry'),
  bit(6, 'ZF', 'zero'),
  bit(7, 'SF', 'sign'),
  bit(8, 'TF', 'trap'),
  bit(9, 'IF', 'interrupts enabled'),
  bit(10, 'DF', 'direction'),
  bit(11, 'OF', 'overflow'),
  bit(12, 'IOPL', 'I/O privilege level', 2),
  bit(14, 'NT', 'nested task'),
  bit(16, 'RF', 'resume'),
  bit(17, 'VM', 'virtual-8086 mode'),
  bit(18, 'AC', 'alignment check, access control'),
  bit(19, 'VIF', 'virtual interrupt flag'),
  bit(20, 'VIP', 'virtual interrupt pending'),
  bit(21, 'ID', 'CPUID available'),
];

/** CR0 and CR4 (SDM vol. 3A, 2.5), EFER (2.2.1), MXCSR (vol. 1, 10.2.3), x87 words (vol. 1, 8.1). */
const cr0: readonly RegisterBits[] = [
  bit(0, 'PE', 'protection enabled'),
  bit(1, 'MP', 'monitor coprocessor'),
  bit(2, 'EM', 'emulation'),
  bit(3, 'TS', 'task switched'),
  bit(4, 'ET', 'extension type'),
  bit(5, 'NE', 'numeric error'),
  bit(16, 'WP', 'write protect'),
  bit(18, 'AM', 'alignment mask'),
  bit(29, 'NW', 'not write-through'),
  bit(30, 'CD', 'cache disable'),
  bit(31, 'PG', 'paging'),
];
const cr4: readonly RegisterBits[] = [
  bit(2, 'TSD', 'time stamp disable'),
  bit(3, 'DE', 'debugging extensions'),
  bit(4, 'PSE', 'page size extensions'),
  bit(5, 'PAE', 'physical address extension'),
  bit(6, 'MCE', 'machine check'),
  bit(7, 'PGE', 'global pages'),
  bit(9, 'OSFXSR', 'FXSAVE and SSE enabled'),
  bit(10, 'OSXMMEXCPT', 'unmasked SSE exceptions'),
  bit(11, 'UMIP', 'user-mode instruction prevention'),
  bit(16, 'FSGSBASE', 'RDFSBASE and its like enabled'),
  bit(17, 'PCIDE', 'process context identifiers'),
  bit(18, 'OSXSAVE', 'XSAVE enabled'),
  bit(20, 'SMEP', 'supervisor execution prevention'),
  bit(21, 'SMAP', 'supervisor access prevention'),
];
const efer: readonly RegisterBits[] = [
  bit(0, 'SCE', 'SYSCALL enabled'),
  bit(8, 'LME', 'long mode enabled'),
  bit(10, 'LMA', 'long mode active'),
  bit(11, 'NXE', 'no-execute enabled'),
];
const mxcsr: readonly RegisterBits[] = [
  bit(0, 'IE', 'invalid operation'),
  bit(1, 'DE', 'denormal'),
  bit(2, 'ZE', 'divide by zero'),
  bit(3, 'OE', 'overflow'),
  bit(4, 'UE', 'underflow'),
  bit(5, 'PE', 'precision'),
  bit(6, 'DAZ', 'denormals are zeros'),
  bit(7, 'IM', 'invalid operation masked'),
  bit(8, 'DM', 'denormal masked'),
  bit(9, 'ZM', 'divide by zero masked'),
  bit(10, 'OM', 'overflow masked'),
  bit(11, 'UM', 'underflow masked'),
  bit(12, 'PM', 'precision masked'),
  bit(13, 'RC', 'rounding: nearest, down, up, to zero', 2),
  bit(15, 'FZ', 'flush to zero'),
];
const fcw: readonly RegisterBits[] = [
  bit(0, 'IM', 'invalid operation masked'),
  bit(1, 'DM', 'denormal masked'),
  bit(2, 'ZM', 'divide by zero masked'),
  bit(3, 'OM', 'overflow masked'),
  bit(4, 'UM', 'underflow masked'),
  bit(5, 'PM', 'precision masked'),
  bit(8, 'PC', 'precision: 24, reserved, 53, 64 bits', 2),
  bit(10, 'RC', 'rounding: nearest, down, up, to zero', 2),
];
const fsw: readonly RegisterBits[] = [
  bit(0, 'IE', 'invalid operation'),
  bit(1, 'DE', 'denormal'),
  bit(2, 'ZE', 'divide by zero'),
  bit(3, 'OE', 'overflow'),
  bit(4, 'UE', 'underflow'),
  bit(5, 'PE', 'precision'),
  bit(6, 'SF', 'stack fault'),
  bit(7, 'ES', 'error summary'),
  bit(8, 'C0', 'condition 0'),
  bit(9, 'C1', 'condition 1'),
  bit(10, 'C2', 'condition 2'),
  bit(11, 'TOP', 'top of stack', 3),
  bit(14, 'C3', 'condition 3'),
  bit(15, 'B', 'busy'),
];
const withBits = (name: string, bits: 16 | 32 | 64, fields: readonly RegisterBits[]): RegisterDefinition => ({
  kind: 'integer',
  name,
  bits,
  fields,
});

/** In the order in which the Variables view shows them. */
export const registerGroups: readonly RegisterGroup[] = [
  {
    name: 'General',
    registers: [
      ...integer(64, 'rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp'),
      ...integer(64, ...numbered('r', 16).slice(8)),
      ...integer(64, 'rip'),
      withBits('rflags', 64, rflagsBits),
    ],
  },
  { name: 'Flags', registers: [withBits('rflags', 64, rflagsBits)], bitsOf: 'rflags' },
  {
    name: 'Segments',
    registers: [...integer(16, 'cs', 'ss', 'ds', 'es', 'fs', 'gs'), ...integer(64, 'fs_base', 'gs_base', 'kernel_gs_base')],
  },
  {
    name: 'Control',
    registers: [
      withBits('cr0', 64, cr0),
      ...integer(64, 'cr2', 'cr3'),
      withBits('cr4', 64, cr4),
      ...integer(64, 'cr8'),
      withBits('efer', 64, efer),
    ],
  },
  { name: 'Debug', registers: integer(64, 'dr0', 'dr1', 'dr2', 'dr3', 'dr6', 'dr7') },
  {
    name: 'MSRs',
    registers: integer(64, 'star', 'lstar', 'cstar', 'sfmask', 'tsc_aux', 'pat', 'sysenter_cs', 'sysenter_esp', 'sysenter_eip'),
  },
  {
    name: 'SSE',
    registers: [...numbered('xmm', 16).map((name): RegisterDefinition => ({ kind: 'vector', name })), withBits('mxcsr', 32, mxcsr)],
  },
  {
    name: 'x87',
    registers: [
      ...numbered('st', 8).map((name): RegisterDefinition => ({ kind: 'x87', name })),
      withBits('fcw', 16, fcw),
      withBits('fsw', 16, fsw),
      ...integer(16, 'ftw'),
    ],
  },
];

/** Every integer register's width in bits, sub-registers of the general ones included. */
export const registerWidths: ReadonlyMap<string, number> = new Map([
  ...registerGroups.flatMap(({ registers }) =>
    registers.flatMap((each) => (each.kind === 'integer' ? [[each.name, each.bits] as const] : [])),
  ),
  ...['eax', 'ebx', 'ecx', 'edx', 'esi', 'edi', 'ebp', 'esp', 'eip', 'eflags'].map((name) => [name, 32] as const),
]);

/** `IF ZF` and the like: the names of the set one-bit fields, and the others with their value. */
export function describeBits(value: bigint, fields: readonly RegisterBits[]): string {
  const set: string[] = [];
  for (const { name, low, width } of fields) {
    const part = (value >> BigInt(low)) & ((1n << BigInt(width)) - 1n);
    if (width > 1) set.push(`${name}=${part}`);
    else if (part === 1n) set.push(name);
  }
  return set.join(' ');
}

export const hex = (value: bigint, bits = 64): string => `0x${value.toString(16).padStart(bits / 4, '0')}`;

/** How the lanes of a vector register can be read. */
export const laneKinds = [
  { name: 'f32', bytes: 4, float: true },
  { name: 'f64', bytes: 8, float: true },
  { name: 'i8', bytes: 1, float: false },
  { name: 'i16', bytes: 2, float: false },
  { name: 'i32', bytes: 4, float: false },
  { name: 'i64', bytes: 8, float: false },
] as const;

export type LaneKind = (typeof laneKinds)[number];

/** The lanes of a vector register as text, lowest first. */
export function readLanes(bytes: Uint8Array, kind: LaneKind, asHex: boolean): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lanes: string[] = [];
  for (let at = 0; at + kind.bytes <= bytes.length; at += kind.bytes) {
    if (kind.float) lanes.push(String(kind.bytes === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true)));
    else {
      const value = readInteger(view, at, kind.bytes);
      lanes.push(asHex ? hex(value, kind.bytes * 8) : String(BigInt.asIntN(kind.bytes * 8, value)));
    }
  }
  return lanes;
}

/** Writes one lane from text; false where the text is no such number. */
export function writeLane(bytes: Uint8Array, kind: LaneKind, index: number, text: string): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = index * kind.bytes;
  if (at < 0 || at + kind.bytes > bytes.length) return false;
  if (kind.float) {
    const value = Number(text.trim());
    if (text.trim() === '' || (Number.isNaN(value) && !/^nan$/i.test(text.trim()))) return false;
    if (kind.bytes === 4) view.setFloat32(at, value, true);
    else view.setFloat64(at, value, true);
    return true;
  }
  const value = parseInteger(text, kind.bytes * 8);
  if (value === undefined) return false;
  for (let i = 0; i < kind.bytes; i++) bytes[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
  return true;
}

/** A whole number in decimal, 0x or 0b, perhaps negative, that fits `bits` bits; as its unsigned pattern. */
export function parseInteger(text: string, bits: number): bigint | undefined {
  const match = /^\s*(-)?(0x[0-9a-f]+|0b[01]+|0o[0-7]+|\d+)\s*$/i.exec(text);
  if (match === null) return undefined;
  const magnitude = BigInt(match[2]!);
  const limit = 1n << BigInt(bits);
  if (match[1] === undefined) return magnitude < limit ? magnitude : undefined;
  return magnitude <= limit / 2n ? BigInt.asUintN(bits, -magnitude) : undefined;
}

/** An x87 register's value as a decimal number, to the precision of a double. */
export function x87Text(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const significand = view.getBigUint64(0, true);
  const signExponent = view.getUint16(8, true);
  const exponent = signExponent & 0x7fff;
  const sign = (signExponent & 0x8000) !== 0 ? -1 : 1;
  if (exponent === 0x7fff) return (significand & 0x7fff_ffff_ffff_ffffn) === 0n ? (sign < 0 ? '-Infinity' : 'Infinity') : 'NaN';
  if (significand === 0n) return sign < 0 ? '-0' : '0';
  return String(sign * (Number(significand) / 2 ** 63) * 2 ** (exponent - 16383));
}

/** An integer register, or undefined where this processor has none of the name. */
export const readRegister = (cpu: Cpu, name: string): bigint | undefined => cpu.getRegister(name.toLowerCase());

function readInteger(view: DataView, at: number, bytes: number): bigint {
  let value = 0n;
  for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(view.getUint8(at + i));
  return value;
}
