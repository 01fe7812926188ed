/** The registers that gdb is shown, in the order of the `g` packet, and their description in XML (GDB manual, appendix G.5.5, "i386 Features"). */
import { type Machine } from '../machine/api';
import { type Cpu } from '../x86/api';
import { toHex } from './packet';

interface GdbRegister {
  /** Name that gdb knows. */
  readonly name: string;
  /** Name that the processor knows, or undefined for one that always reads 0. */
  readonly source: string | undefined;
  readonly bits: number;
  /** Type of the description, e.g. `int64`. */
  readonly type: string;
  readonly group?: string;
}

interface Feature {
  readonly name: string;
  /** Types that its registers use, in XML. */
  readonly types: string;
  readonly registers: readonly GdbRegister[];
}

const numbered = (count: number, make: (index: number) => GdbRegister): GdbRegister[] => Array.from({ length: count }, (_, i) => make(i));
const word = (name: string, type = 'int64', source = name): GdbRegister => ({ name, source, bits: 64, type });
const system = (name: string, source = name, type = 'int64'): GdbRegister => ({ name, source, bits: 64, type, group: 'system' });
const x87Word = (name: string, source?: string): GdbRegister => ({ name, source, bits: 32, type: 'int', group: 'float' });

const flag = (name: string, bit: number): string => `<field name="${name}" start="${bit}" end="${bit}"/>`;
const flags = (id: string, size: number, fields: readonly (readonly [string, number])[]): string =>
  `<flags id="${id}" size="${size}">${fields.map(([name, bit]) => flag(name, bit)).join('')}</flags>`;

const core: Feature = {
  name: 'org.gnu.gdb.i386.core',
  types: flags('i386_eflags', 4, [
    ['', 1],
    ['CF', 0],
    ['PF', 2],
    ['AF', 4],
    ['ZF', 6],
    ['SF', 7],
    ['TF', 8],
    ['IF', 9],
    ['DF', 10],
    ['OF', 11],
    ['NT', 14],
    ['RF', 16],
    ['VM', 17],
    ['AC', 18],
    ['VIF', 19],
    ['VIP', 20],
    ['ID', 21],
  ]),
  registers: [
    ...['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi'].map((name) => word(name)),
    word('rbp', 'data_ptr'),
    word('rsp', 'data_ptr'),
    ...numbered(8, (i) => word(`r${i + 8}`)),
    word('rip', 'code_ptr'),
    { name: 'eflags', source: 'rflags', bits: 32, type: 'i386_eflags' },
    ...['cs', 'ss', 'ds', 'es', 'fs', 'gs'].map((name): GdbRegister => ({ name, source: name, bits: 32, type: 'int32' })),
    ...numbered(8, (i) => ({ name: `st${i}`, source: `st${i}`, bits: 80, type: 'i387_ext' })),
    x87Word('fctrl', 'fcw'),
    x87Word('fstat', 'fsw'),
    x87Word('ftag', 'ftw'),
    // In 64-bit mode the processor keeps whole addresses and no selectors: the selector's place has the upper half.
    x87Word('fiseg'),
    x87Word('fioff', 'fip'),
    x87Word('foseg'),
    x87Word('fooff', 'fdp'),
    x87Word('fop', 'fop'),
  ],
};

const vectorLanes = [
  ['v8_bfloat16', 'bfloat16', 8],
  ['v4_float', 'ieee_single', 4],
  ['v2_double', 'ieee_double', 2],
  ['v16_int8', 'int8', 16],
  ['v8_int16', 'int16', 8],
  ['v4_int32', 'int32', 4],
  ['v2_int64', 'int64', 2],
] as const;

const sse: Feature = {
  name: 'org.gnu.gdb.i386.sse',
  types: [
    ...vectorLanes.map(([name, type, count]) => `<vector id="${laneId(name)}" type="${type}" count="${count}"/>`),
    `<union id="vec128">${vectorLanes.map(([name]) => `<field name="${name}" type="${laneId(name)}"/>`).join('')}<field name="uint128" type="uint128"/></union>`,
    flags('i386_mxcsr', 4, [
      ['IE', 0],
      ['DE', 1],
      ['ZE', 2],
      ['OE', 3],
      ['UE', 4],
      ['PE', 5],
      ['DAZ', 6],
      ['IM', 7],
      ['DM', 8],
      ['ZM', 9],
      ['OM', 10],
      ['UM', 11],
      ['PM', 12],
      ['FZ', 15],
    ]),
  ].join('\n'),
  registers: [
    ...numbered(16, (i) => ({ name: `xmm${i}`, source: `xmm${i}`, bits: 128, type: 'vec128' })),
    { name: 'mxcsr', source: 'mxcsr', bits: 32, type: 'i386_mxcsr', group: 'vector' },
  ],
};

const segments: Feature = {
  name: 'org.gnu.gdb.i386.segments',
  types: '',
  registers: [word('fs_base'), word('gs_base')],
};

/** Not a feature that gdb knows by name: it shows these under `info registers system`. */
const systemRegisters: Feature = {
  name: 'org.unikernel-workbench.x86.system',
  types: [
    flags('x86_cr0', 8, [
      ['PE', 0],
      ['MP', 1],
      ['EM', 2],
      ['TS', 3],
      ['ET', 4],
      ['NE', 5],
      ['WP', 16],
      ['AM', 18],
      ['NW', 29],
      ['CD', 30],
      ['PG', 31],
    ]),
    flags('x86_efer', 8, [
      ['SCE', 0],
      ['LME', 8],
      ['LMA', 10],
      ['NXE', 11],
    ]),
  ].join('\n'),
  registers: [
    system('k_gs_base', 'kernel_gs_base'),
    system('cr0', 'cr0', 'x86_cr0'),
    system('cr2'),
    system('cr3'),
    system('cr4'),
    system('cr8'),
    system('efer', 'efer', 'x86_efer'),
    system('star'),
    system('lstar'),
  ],
};

const features = [core, sse, segments, systemRegisters];
const allRegisters = features.flatMap(({ registers }) => registers);

/** Numbers of registers that stop replies carry: they do not depend on the features. */
export const expeditedRegisters = [6, 7, 16] as const;

/** The registers of one processor. */
export class RegisterFile {
  constructor(private readonly cpu: Cpu) {}

  get count(): number {
    return allRegisters.length;
  }

  /** Bytes of the `g` packet. */
  get size(): number {
    return allRegisters.reduce((sum, { bits }) => sum + bits / 8, 0);
  }

  /** The target description (GDB manual, appendix G). One architecture whatever mode the processor is in: gdb cannot change it under way. */
  description(): string {
    const parts = features.map(({ name, types, registers }) => {
      const rows = registers.map(
        (row) =>
          `<reg name="${row.name}" bitsize="${row.bits}" type="${row.type}"${row.group === undefined ? '' : ` group="${row.group}"`}/>`,
      );
      return `<feature name="${name}">\n${types === '' ? '' : `${types}\n`}${rows.join('\n')}\n</feature>`;
    });
    return `<?xml version="1.0"?>\n<!DOCTYPE target SYSTEM "gdb-target.dtd">\n<target version="1.0">\n<architecture>i386:x86-64</architecture>\n${parts.join('\n')}\n</target>\n`;
  }

  /** A register's bytes, the lowest first, or undefined where there is none of the number. */
  read(number: number): Uint8Array | undefined {
    const register = allRegisters[number];
    if (register === undefined) return undefined;
    const bytes = new Uint8Array(register.bits / 8);
    if (register.source === undefined) return bytes;
    const wide = this.cpu.getWideRegister(register.source);
    if (wide !== undefined) {
      bytes.set(wide.subarray(0, bytes.length));
      return bytes;
    }
    let value = this.cpu.getRegister(register.source) ?? 0n;
    for (let i = 0; i < bytes.length; i++, value >>= 8n) bytes[i] = Number(value & 0xffn);
    return bytes;
  }

  /**
   * A register in hexadecimal, or undefined where there is none of the number. With `saved`, that of a thread that does not run: by the processor's names, and
   * `x` for digits that nobody knows. Segments are the processor's, the same for all threads.
   */
  hex(number: number, saved?: ReadonlyMap<string, bigint>): string | undefined {
    const register = allRegisters[number];
    if (register === undefined) return undefined;
    const { source, bits } = register;
    if (saved === undefined || (source !== undefined && /^[c-g]s$/.test(source))) return toHex(this.read(number)!);
    const value = source === undefined ? undefined : saved.get(source);
    if (value === undefined) return 'x'.repeat(bits / 4);
    return toHex(Uint8Array.from({ length: bits / 8 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn)));
  }

  hexOfAll(saved?: ReadonlyMap<string, bigint>): string {
    return allRegisters.map((_, number) => this.hex(number, saved)!).join('');
  }

  /** Writes a register through the machine's journal where it takes it. False where the number, the length or the value is not acceptable. */
  write(machine: Machine, number: number, bytes: Uint8Array): boolean {
    const register = allRegisters[number];
    if (register === undefined || bytes.length !== register.bits / 8) return false;
    const before = this.read(number)!;
    // What stays as it is need not be writable: gdb writes all registers back at times.
    if (before.every((byte, i) => byte === bytes[i])) return true;
    const { source } = register;
    if (source === undefined) return false;
    const wide = this.cpu.getWideRegister(source);
    if (wide !== undefined) return machine.edit({ kind: 'wideRegister', name: source, bytes });
    const value = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    return machine.edit({ kind: 'register', name: source, value });
  }

  /** Writes all registers of a `G` packet; false where one was refused, the others being written. */
  writeAll(machine: Machine, bytes: Uint8Array): boolean {
    if (bytes.length !== this.size) return false;
    let at = 0;
    let all = true;
    allRegisters.forEach(({ bits }, number) => {
      all = this.write(machine, number, bytes.subarray(at, at + bits / 8)) && all;
      at += bits / 8;
    });
    return all;
  }
}

function laneId(field: string): string {
  return field.replace(/^v(\d+)_(.*)$/, (_, count: string, kind: string) => `lanes_${kind}_${count}`);
}
