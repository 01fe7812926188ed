/** Registers by name for the debugger: reading, and writing with the checks that keep the processor in a state that hardware can have. */

import { type CpuContext } from './context';
import { Cr4, isCanonical } from './control-bits';
import { cr4Mask } from './cpuid';
import { writeDebugRegister } from './debug-registers';
import { Seg, SegField, State } from './state';

const names64 = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'];
const names32 = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
const names16 = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];
const names8 = ['al', 'cl', 'dl', 'bl', 'spl', 'bpl', 'sil', 'dil'];
const namesHigh = ['ah', 'ch', 'dh', 'bh'];
const segments = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr'];

interface Access {
  readonly get: (cpu: CpuContext) => bigint;
  /** False: the value is not acceptable. */
  readonly set?: (cpu: CpuContext, value: bigint) => boolean;
}

const table = new Map<string, Access>();

function part(register: number, size: number): Access {
  return {
    get: (cpu) => cpu.getReg(register, size),
    set: (cpu, value) => {
      cpu.setReg(register, size, value);
      return true;
    },
  };
}

names64.forEach((name, i) => table.set(name, part(i, 8)));
names32.forEach((name, i) => table.set(name, part(i, 4)));
names16.forEach((name, i) => table.set(name, part(i, 2)));
names8.forEach((name, i) => table.set(name, part(i, 1)));
for (let i = 8; i < 16; i++) {
  table.set(`r${i}d`, part(i, 4));
  table.set(`r${i}w`, part(i, 2));
  table.set(`r${i}b`, part(i, 1));
}
namesHigh.forEach((name, i) =>
  table.set(name, {
    get: (cpu) => (cpu.getReg(i, 2) >> 8n) & 0xffn,
    set: (cpu, value) => {
      cpu.setReg(i, 2, (cpu.getReg(i, 2) & 0xffn) | ((value & 0xffn) << 8n));
      return true;
    },
  }),
);

/** A u64 of the state block, written where `check` allows. */
function word(offset: number, check?: (value: bigint, cpu: CpuContext) => boolean, after?: (cpu: CpuContext) => void): Access {
  const access: Access = { get: (cpu) => cpu.view.getBigUint64(offset, true) };
  if (!check) return access;
  return {
    ...access,
    set: (cpu, value) => {
      if (!check(value, cpu)) return false;
      cpu.view.setBigUint64(offset, value, true);
      after?.(cpu);
      return true;
    },
  };
}

function narrow(offset: number, size: 2 | 4, allowed: bigint): Access {
  return {
    get: (cpu) => BigInt(size === 2 ? cpu.view.getUint16(offset, true) : cpu.view.getUint32(offset, true)),
    set: (cpu, value) => {
      if (value < 0n || (value & ~allowed) !== 0n) return false;
      if (size === 2) cpu.view.setUint16(offset, Number(value), true);
      else cpu.view.setUint32(offset, Number(value), true);
      return true;
    },
  };
}

const always = (): boolean => true;
const changed = (cpu: CpuContext): void => cpu.modeChanged();

function translationsChanged(cpu: CpuContext): void {
  cpu.flushTlb(true);
  cpu.modeChanged();
}

table.set(
  'rip',
  word(State.rip, (value, cpu) => (cpu.long ? isCanonical(value) : value < 1n << 32n)),
);
table.set('rflags', {
  get: (cpu) => cpu.getFlags(),
  set: (cpu, value) => {
    cpu.setFlags(value);
    return true;
  },
});
table.set('eflags', table.get('rflags')!);
segments.forEach((name, i) => {
  const base = State.seg + i * SegField.size;
  table.set(name, { get: (cpu) => BigInt(cpu.view.getUint16(base + SegField.selector, true)) });
  table.set(
    `${name}_base`,
    word(base + SegField.base, i === (Seg.FS as number) || i === (Seg.GS as number) ? (value) => isCanonical(value) : undefined),
  );
  table.set(`${name}_limit`, { get: (cpu) => BigInt(cpu.view.getUint32(base + SegField.limit, true)) });
  table.set(`${name}_attributes`, { get: (cpu) => BigInt(cpu.view.getUint32(base + SegField.attributes, true)) });
});
for (const [name, offset] of [
  ['gdtr', State.gdtr],
  ['idtr', State.idtr],
] as const) {
  table.set(
    `${name}_base`,
    word(offset, (value) => isCanonical(value)),
  );
  table.set(`${name}_limit`, narrow(offset + 8, 4, 0xffffn));
}
// PE, PG and the protection bits follow from what runs: changing CR0's mode bits by hand would leave states that hardware cannot have.
table.set(
  'cr0',
  word(State.cr0, (value, cpu) => ((value ^ cpu.view.getBigUint64(State.cr0, true)) & ~0x5002en) === 0n, translationsChanged),
);
table.set('cr2', word(State.cr2, always));
table.set(
  'cr3',
  word(
    State.cr3,
    (value) => value >> 52n === 0n,
    (cpu) => cpu.flushTlb(false),
  ),
);
table.set(
  'cr4',
  word(
    State.cr4,
    (value, cpu) =>
      (value & ~BigInt(cr4Mask(cpu.model) >>> 0)) === 0n && ((value ^ cpu.view.getBigUint64(State.cr4, true)) & BigInt(Cr4.PAE)) === 0n,
    translationsChanged,
  ),
);
table.set(
  'cr8',
  word(State.cr8, (value) => value < 16n),
);
table.set('xcr0', word(State.xcr0));
table.set(
  'efer',
  word(State.efer, (value, cpu) => ((value ^ cpu.view.getBigUint64(State.efer, true)) & ~0x801n) === 0n, translationsChanged),
);
table.set('star', word(State.star, always));
table.set(
  'lstar',
  word(State.lstar, (value) => isCanonical(value)),
);
table.set(
  'cstar',
  word(State.cstar, (value) => isCanonical(value)),
);
table.set(
  'sfmask',
  word(State.sfmask, (value) => value < 1n << 32n),
);
table.set(
  'kernel_gs_base',
  word(State.kernelGsBase, (value) => isCanonical(value)),
);
table.set(
  'tsc_aux',
  word(State.tscAux, (value) => value < 1n << 32n),
);
table.set('sysenter_cs', word(State.sysenterCs, always));
table.set('sysenter_esp', word(State.sysenterEsp, always));
table.set('sysenter_eip', word(State.sysenterEip, always));
table.set('pat', word(State.pat));
table.set('apic_base', word(State.apicBase));
for (const i of [0, 1, 2, 3, 6, 7]) {
  table.set(`dr${i}`, {
    get: (cpu) => cpu.view.getBigUint64(State.dr + i * 8, true),
    set: (cpu, value) => writeDebugRegister(cpu, i, value),
  });
}
table.set('cpl', { get: (cpu) => BigInt(cpu.cpl) });
table.set('mxcsr', narrow(State.mxcsr, 4, 0xffffn));
table.set('fcw', narrow(State.fcw, 2, 0x1f7fn));
table.set('fsw', narrow(State.fsw, 2, 0xffffn));
table.set('ftw', narrow(State.ftw, 2, 0xffffn));
table.set('fop', narrow(State.fop, 2, 0x7ffn));
table.set('fip', word(State.fip, always));
table.set('fdp', word(State.fdp, always));

export function readRegister(cpu: CpuContext, name: string): bigint | undefined {
  return table.get(name)?.get(cpu);
}

export function writeRegister(cpu: CpuContext, name: string, value: bigint): boolean {
  if (value < 0n || value >> 64n !== 0n) return false;
  const set = table.get(name)?.set;
  if (!set) return false;
  if (set(cpu, value)) {
    if (name === 'cs_base') changed(cpu);
    return true;
  }
  return false;
}

/** Offset and length of a vector or x87 register by name. */
export function wideRegister(cpu: CpuContext, name: string): { offset: number; length: number } | undefined {
  const match = /^(xmm|ymm|st|mm)(\d{1,2})$/.exec(name);
  if (!match) return undefined;
  const index = Number(match[2]);
  switch (match[1]) {
    case 'xmm':
      return index < 16 ? { offset: State.xmm + index * 32, length: 16 } : undefined;
    case 'ymm':
      return index < 16 ? { offset: State.xmm + index * 32, length: 32 } : undefined;
    case 'mm':
      return index < 8 ? { offset: State.x87 + index * 16, length: 8 } : undefined;
    default: {
      const top = (cpu.view.getUint16(State.fsw, true) >> 11) & 7;
      return index < 8 ? { offset: State.x87 + ((top + index) & 7) * 16, length: 10 } : undefined;
    }
  }
}
