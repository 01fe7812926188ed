/** Encodings of the x87 instructions (SDM vol. 2D, appendix A.5). Their meaning is one helper, `x87/execute`, which goes by opcode and ModRM. */

import { type Definition, enc, type Encoding, type FlagEffects, Flag } from './definition';

/** Memory forms by opcode, /0 to /7: mnemonic and operand; '' where there is none. */
const memoryForms: readonly (readonly [number, readonly string[]])[] = [
  [0xd8, ['FADD Md', 'FMUL Md', 'FCOM Md', 'FCOMP Md', 'FSUB Md', 'FSUBR Md', 'FDIV Md', 'FDIVR Md']],
  [0xd9, ['FLD Md', '', 'FST Md', 'FSTP Md', 'FLDENV M', 'FLDCW Mw', 'FNSTENV M', 'FNSTCW Mw']],
  [0xda, ['FIADD Md', 'FIMUL Md', 'FICOM Md', 'FICOMP Md', 'FISUB Md', 'FISUBR Md', 'FIDIV Md', 'FIDIVR Md']],
  [0xdb, ['FILD Md', 'FISTTP Md', 'FIST Md', 'FISTP Md', '', 'FLD Mt', '', 'FSTP Mt']],
  [0xdc, ['FADD Mq', 'FMUL Mq', 'FCOM Mq', 'FCOMP Mq', 'FSUB Mq', 'FSUBR Mq', 'FDIV Mq', 'FDIVR Mq']],
  [0xdd, ['FLD Mq', 'FISTTP Mq', 'FST Mq', 'FSTP Mq', 'FRSTOR M', '', 'FNSAVE M', 'FNSTSW Mw']],
  [0xde, ['FIADD Mw', 'FIMUL Mw', 'FICOM Mw', 'FICOMP Mw', 'FISUB Mw', 'FISUBR Mw', 'FIDIV Mw', 'FIDIVR Mw']],
  [0xdf, ['FILD Mw', 'FISTTP Mw', 'FIST Mw', 'FISTP Mw', 'FBLD Mt', 'FILD Mq', 'FBSTP Mt', 'FISTP Mq']],
];

/** Register forms by opcode, C0+8n: mnemonic and operands with ST(i), or a list by the low three bits. */
const registerForms: readonly (readonly [number, readonly (string | readonly string[])[]])[] = [
  [0xd8, ['FADD ST0 STi', 'FMUL ST0 STi', 'FCOM STi', 'FCOMP STi', 'FSUB ST0 STi', 'FSUBR ST0 STi', 'FDIV ST0 STi', 'FDIVR ST0 STi']],
  [
    0xd9,
    [
      'FLD STi',
      'FXCH STi',
      ['FNOP'],
      'FSTPNCE STi',
      ['FCHS', 'FABS', '', '', 'FTST', 'FXAM', '', ''],
      ['FLD1', 'FLDL2T', 'FLDL2E', 'FLDPI', 'FLDLG2', 'FLDLN2', 'FLDZ', ''],
      ['F2XM1', 'FYL2X', 'FPTAN', 'FPATAN', 'FXTRACT', 'FPREM1', 'FDECSTP', 'FINCSTP'],
      ['FPREM', 'FYL2XP1', 'FSQRT', 'FSINCOS', 'FRNDINT', 'FSCALE', 'FSIN', 'FCOS'],
    ],
  ],
  [0xda, ['FCMOVB ST0 STi', 'FCMOVE ST0 STi', 'FCMOVBE ST0 STi', 'FCMOVU ST0 STi', [], ['', 'FUCOMPP'], [], []]],
  [
    0xdb,
    [
      'FCMOVNB ST0 STi',
      'FCMOVNE ST0 STi',
      'FCMOVNBE ST0 STi',
      'FCMOVNU ST0 STi',
      ['FNENI', 'FNDISI', 'FNCLEX', 'FNINIT', 'FNSETPM'],
      'FUCOMI ST0 STi',
      'FCOMI ST0 STi',
      [],
    ],
  ],
  [0xdc, ['FADD STi ST0', 'FMUL STi ST0', 'FCOM2 STi', 'FCOMP3 STi', 'FSUBR STi ST0', 'FSUB STi ST0', 'FDIVR STi ST0', 'FDIV STi ST0']],
  [0xdd, ['FFREE STi', 'FXCH4 STi', 'FST STi', 'FSTP STi', 'FUCOM STi', 'FUCOMP STi', [], []]],
  [
    0xde,
    ['FADDP STi ST0', 'FMULP STi ST0', 'FCOMP5 STi', ['', 'FCOMPP'], 'FSUBRP STi ST0', 'FSUBP STi ST0', 'FDIVRP STi ST0', 'FDIVP STi ST0'],
  ],
  [0xdf, ['FFREEP STi', 'FXCH7 STi', 'FSTP8 STi', 'FSTP9 STi', ['FNSTSW'], 'FUCOMIP ST0 STi', 'FCOMIP ST0 STi', []]],
];

/** What FCMOVcc and its opposite look at. */
const fcmovFlags: Readonly<Record<string, number>> = { B: Flag.CF, E: Flag.ZF, BE: Flag.CF | Flag.ZF, U: Flag.PF };

function define(mnemonic: string, encoding: Encoding): Definition {
  let flags: FlagEffects | undefined;
  const moved = /^FCMOVN?(B|E|BE|U)$/.exec(mnemonic)?.[1];
  if (moved !== undefined) flags = { reads: fcmovFlags[moved]! };
  else if (/^FU?COMIP?$/.test(mnemonic)) {
    flags = { writes: Flag.CF | Flag.PF | Flag.ZF, cleared: Flag.OF | Flag.SF | Flag.AF };
  }
  // The helper makes the unit's checks itself: it knows which instructions wait.
  return { mnemonic, encodings: [encoding], feature: 'fpu', unit: 'x87nowait', helper: 'X87', ...(flags && { flags }) };
}

function* rows(): Generator<Definition> {
  for (const [opcode, forms] of memoryForms) {
    for (const [digit, form] of forms.entries()) {
      const [mnemonic, operand] = form.split(' ');
      if (mnemonic) yield define(mnemonic, enc(0, opcode, [operand!], { digit, mod: 'mem' }));
    }
  }
  for (const [opcode, forms] of registerForms) {
    for (const [digit, form] of forms.entries()) {
      if (typeof form === 'string') {
        const [mnemonic, ...operands] = form.split(' ');
        yield define(mnemonic!, enc(0, opcode, operands, { digit, mod: 'reg' }));
        continue;
      }
      for (const [rm, mnemonic] of form.entries()) {
        if (mnemonic) yield define(mnemonic, enc(0, opcode, mnemonic === 'FNSTSW' ? ['AX'] : [], { digit, mod: 'reg', rm }));
      }
    }
  }
}

export const x87Definitions: readonly Definition[] = [
  ...rows(),
  { mnemonic: 'FWAIT', encodings: [enc(0, 0x9b)], feature: 'fpu', helper: 'FWAIT' },
];
