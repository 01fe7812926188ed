/** Encodings of the system instructions: segment registers, far transfers, interrupts, control registers, port I/O, state saving. All have a TypeScript helper; of a few, generated code does what is frequent. */

import { Vector } from '../context';
import { Seg } from '../state';
import { ARITHMETIC, type Definition, enc, type Encoding, type Feature, Flag } from './definition';
import { extendedState, interrupt, iret, popf, rdmsr, readBase, swapgs, syscall, writeBase, wrmsr } from './system-emit';

interface More extends Omit<Partial<Definition>, 'mnemonic' | 'encodings' | 'feature'> {
  readonly feature?: Feature;
}

/** A definition whose helper has the mnemonic's name unless `more` says otherwise. */
function row(mnemonic: string, encodings: Encoding | readonly Encoding[], more: More = {}): Definition {
  return { mnemonic, encodings: 'map' in encodings && 'opcode' in encodings ? [encodings] : encodings, helper: mnemonic, ...more };
}

const privileged = { privileged: true } as const;
const ends = { endsBlock: true } as const;
const privilegedEnds = { privileged: true, endsBlock: true } as const;
const group01 = (digit: number, rm: number): Encoding => enc(1, 0x01, [], { digit, rm, mod: 'reg', prefix: 'none' });

const segments: readonly Definition[] = [
  row('MOV', enc(0, 0x8c, ['Rv_Mw', 'Sw']), { helper: 'MOV r,Sreg' }),
  row('MOV', enc(0, 0x8e, ['Sw', 'Ew']), { helper: 'MOV Sreg,r', ...ends }),
  row(
    'PUSH',
    [
      ...['ES', 'CS', 'SS', 'DS'].map((segment, i) => enc(0, 0x06 + i * 8, [segment], { mode: 'legacy' })),
      enc(1, 0xa0, ['FS']),
      enc(1, 0xa8, ['GS']),
    ],
    { helper: 'PUSH Sreg', size64: 'd64' },
  ),
  row(
    'POP',
    [
      enc(0, 0x07, ['ES'], { mode: 'legacy' }),
      enc(0, 0x17, ['SS'], { mode: 'legacy' }),
      enc(0, 0x1f, ['DS'], { mode: 'legacy' }),
      enc(1, 0xa1, ['FS']),
      enc(1, 0xa9, ['GS']),
    ],
    { helper: 'POP Sreg', size64: 'd64', ...ends },
  ),
  row('LES', enc(0, 0xc4, ['Gv', 'Mp'], { mode: 'legacy', mod: 'mem' }), ends),
  row('LDS', enc(0, 0xc5, ['Gv', 'Mp'], { mode: 'legacy', mod: 'mem' }), ends),
  row('LSS', enc(1, 0xb2, ['Gv', 'Mp']), ends),
  row('LFS', enc(1, 0xb4, ['Gv', 'Mp']), ends),
  row('LGS', enc(1, 0xb5, ['Gv', 'Mp']), ends),
  row('LAR', enc(1, 0x02, ['Gv', 'Ew']), { flags: { writes: Flag.ZF } }),
  row('LSL', enc(1, 0x03, ['Gv', 'Ew']), { flags: { writes: Flag.ZF } }),
  row('SLDT', enc(1, 0x00, ['Rv_Mw'], { digit: 0 })),
  row('STR', enc(1, 0x00, ['Rv_Mw'], { digit: 1 })),
  row('LLDT', enc(1, 0x00, ['Ew'], { digit: 2 }), ends),
  row('LTR', enc(1, 0x00, ['Ew'], { digit: 3 }), ends),
  row('VERR', enc(1, 0x00, ['Ew'], { digit: 4 }), { flags: { writes: Flag.ZF } }),
  row('VERW', enc(1, 0x00, ['Ew'], { digit: 5 }), { flags: { writes: Flag.ZF } }),
];

/** They store RFLAGS, on the stack or in R11. */
const storesFlags = { flags: { keeps: ARITHMETIC } } as const;
const loadsFlags = { flags: { writes: ARITHMETIC } } as const;

const transfers: readonly Definition[] = [
  row('JMP', [enc(0, 0xea, ['Ap'], { mode: 'legacy' }), enc(0, 0xff, ['Mp'], { digit: 5 })], { helper: 'JMP far', ...ends }),
  row('CALL', [enc(0, 0x9a, ['Ap'], { mode: 'legacy' }), enc(0, 0xff, ['Mp'], { digit: 3 })], { helper: 'CALL far', ...ends }),
  row('RETF', [enc(0, 0xcb), enc(0, 0xca, ['Iw'])], ends),
  row('IRET', enc(0, 0xcf), { ...ends, ...loadsFlags, emit: iret }),
  row('INT', enc(0, 0xcd, ['Ib']), { ...ends, ...storesFlags, emit: interrupt() }),
  row('INT3', enc(0, 0xcc), { ...ends, ...storesFlags, emit: interrupt(Vector.BP) }),
  row('INTO', enc(0, 0xce, [], { mode: 'legacy' }), { ...ends, flags: { reads: Flag.OF, keeps: ARITHMETIC } }),
  row('INT1', enc(0, 0xf1), { ...ends, ...storesFlags, emit: interrupt(Vector.DB) }),
  row('SYSCALL', enc(1, 0x05), { ...ends, flags: { reads: ARITHMETIC, writes: ARITHMETIC }, feature: 'syscall', emit: syscall }),
  row('SYSRET', enc(1, 0x07), { ...ends, ...loadsFlags, feature: 'syscall' }),
  row('SYSENTER', enc(1, 0x34), { ...ends, feature: 'sep' }),
  row('SYSEXIT', enc(1, 0x35), { ...ends, feature: 'sep' }),
  row('POPF', enc(0, 0x9d), { size64: 'd64', ...ends, ...loadsFlags, emit: popf }),
  row('HLT', enc(0, 0xf4), privilegedEnds),
];

const control: readonly Definition[] = [
  row('MOV', enc(1, 0x20, ['Rv', 'C']), { helper: 'MOV r,CR', ...privileged, size64: 'f64' }),
  row('MOV', enc(1, 0x21, ['Rv', 'D']), { helper: 'MOV r,DR', ...privileged, size64: 'f64' }),
  row('MOV', enc(1, 0x22, ['C', 'Rv']), { helper: 'MOV CR,r', ...privilegedEnds, size64: 'f64' }),
  row('MOV', enc(1, 0x23, ['D', 'Rv']), { helper: 'MOV DR,r', ...privilegedEnds, size64: 'f64' }),
  row('SGDT', enc(1, 0x01, ['M'], { digit: 0, mod: 'mem' })),
  row('SIDT', enc(1, 0x01, ['M'], { digit: 1, mod: 'mem' })),
  row('LGDT', enc(1, 0x01, ['M'], { digit: 2, mod: 'mem' }), privileged),
  row('LIDT', enc(1, 0x01, ['M'], { digit: 3, mod: 'mem' }), privileged),
  row('SMSW', enc(1, 0x01, ['Rv_Mw'], { digit: 4 })),
  row('LMSW', enc(1, 0x01, ['Ew'], { digit: 6 }), privilegedEnds),
  row('INVLPG', enc(1, 0x01, ['Mb'], { digit: 7, mod: 'mem' }), privilegedEnds),
  row('INVPCID', enc(2, 0x82, ['Gy', 'M'], { prefix: '66', mod: 'mem' }), { ...privilegedEnds, feature: 'invpcid', size64: 'f64' }),
  row('CLTS', enc(1, 0x06), privilegedEnds),
  row('INVD', enc(1, 0x08), privileged),
  row('WBINVD', enc(1, 0x09), privileged),
  row('MONITOR', group01(1, 0)),
  row('MWAIT', group01(1, 1)),
  row('CLAC', group01(1, 2), { feature: 'smap', ...ends }),
  row('STAC', group01(1, 3), { feature: 'smap', ...ends }),
  row('XGETBV', group01(2, 0), { feature: 'xsave' }),
  row('XSETBV', group01(2, 1), { feature: 'xsave', ...ends }),
  row('SWAPGS', enc(1, 0x01, [], { digit: 7, rm: 0, mod: 'reg', mode: '64' }), { emit: swapgs }),
  row('RDTSCP', enc(1, 0x01, [], { digit: 7, rm: 1, mod: 'reg' }), { feature: 'rdtscp' }),
  row('RDPID', enc(1, 0xc7, ['Rv'], { prefix: 'F3', digit: 7, mod: 'reg' }), { feature: 'rdpid', size64: 'f64' }),
  row('RDTSC', enc(1, 0x31), { feature: 'tsc' }),
  row('RDPMC', enc(1, 0x33)),
  row('RDMSR', enc(1, 0x32), { ...privileged, feature: 'msr', emit: rdmsr }),
  row('WRMSR', enc(1, 0x30), { ...privilegedEnds, feature: 'msr', emit: wrmsr }),
  row('CPUID', enc(1, 0xa2)),
];

const fsgs = { feature: 'fsgsbase' } as const;

const numbered = { flags: { writes: Flag.CF, cleared: ARITHMETIC & ~Flag.CF } } as const;

/** Of group 15: what saves or restores an area of extended state, in generated code as far as `emit` goes. */
const area = (
  mnemonic: string,
  digit: number,
  feature: Definition['feature'] & string,
  emit: NonNullable<Definition['emit']>,
): Definition => row(mnemonic, enc(1, 0xae, ['M'], { prefix: 'none', digit, mod: 'mem' }), { feature, aligned: false, emit });

const others: readonly Definition[] = [
  row('RDFSBASE', enc(1, 0xae, ['Ry'], { prefix: 'F3', digit: 0, mod: 'reg', mode: '64' }), { ...fsgs, emit: readBase(Seg.FS) }),
  row('RDGSBASE', enc(1, 0xae, ['Ry'], { prefix: 'F3', digit: 1, mod: 'reg', mode: '64' }), { ...fsgs, emit: readBase(Seg.GS) }),
  row('WRFSBASE', enc(1, 0xae, ['Ry'], { prefix: 'F3', digit: 2, mod: 'reg', mode: '64' }), { ...fsgs, emit: writeBase(Seg.FS) }),
  row('WRGSBASE', enc(1, 0xae, ['Ry'], { prefix: 'F3', digit: 3, mod: 'reg', mode: '64' }), { ...fsgs, emit: writeBase(Seg.GS) }),
  row('RDRAND', [enc(1, 0xc7, ['Rv'], { digit: 6, mod: 'reg' })], { feature: 'rdrand', ...numbered }),
  row('RDSEED', [enc(1, 0xc7, ['Rv'], { digit: 7, mod: 'reg' })], { feature: 'rdseed', ...numbered }),
  area('FXSAVE', 0, 'fxsr', extendedState('fxsave', false)),
  area('FXRSTOR', 1, 'fxsr', extendedState('fxrstor', false)),
  area('XSAVE', 4, 'xsave', extendedState('xsave', true)),
  area('XRSTOR', 5, 'xsave', extendedState('xrstor', true)),
  area('XSAVEOPT', 6, 'xsaveopt', extendedState('xsave', true)),
  row('XSAVEC', enc(1, 0xc7, ['M'], { prefix: 'none', digit: 4, mod: 'mem' }), { feature: 'xsaveopt', aligned: false }),
  row('IN', [enc(0, 0xe4, ['AL', 'Ib']), enc(0, 0xe5, ['eAX', 'Ib']), enc(0, 0xec, ['AL', 'DX']), enc(0, 0xed, ['eAX', 'DX'])], ends),
  row('OUT', [enc(0, 0xe6, ['Ib', 'AL']), enc(0, 0xe7, ['Ib', 'eAX']), enc(0, 0xee, ['DX', 'AL']), enc(0, 0xef, ['DX', 'eAX'])], ends),
];

/** All rows of this file. */
export const systemRowDefinitions: readonly Definition[] = [...segments, ...transfers, ...control, ...others];
