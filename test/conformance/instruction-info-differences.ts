/** Where the product's definitions knowingly say something else than iced's instruction information, with the reason. */

import { type Insn, Kind } from '../../debug-adapter/x86/decoder';

/** Mnemonics, what differs, why. */
const explanations: readonly (readonly [RegExp, RegExp, string])[] = [
  [/^NOP$/, /^operand 0 is n/, 'a NOP with an operand does not look at it (SDM vol. 2B, NOP)'],
  [/^SH[LR]$/, /undefined oac, not oa$/, 'CF too is undefined where the count reaches the width (SDM vol. 2B, SAL/SHL)'],
  [/^MOV$/, /^leaves undefined -, not oszacp$/, 'moves of control and debug registers leave the flags alone, which "undefined" allows'],
  [/^SYSRET$/, /^writes oszacp, not -$/, 'RFLAGS is loaded from R11 (SDM vol. 2B, SYSRET)'],
];

const zeroIdioms = /^(SUB|XOR|PXOR|PSUBU?S?[BWDQ]|XORP[SD])$/;

/** Why a difference is right; undefined where it is a mistake. */
export function explanation(insn: Insn, difference: string): string | undefined {
  const { mnemonic } = insn.row.definition;
  const sameRegister = insn.kinds[0] === insn.kinds[1] && insn.kinds[0] !== Kind.mem && insn.registers[0] === insn.registers[1];
  if (sameRegister && zeroIdioms.test(mnemonic)) return 'iced knows that equal operands give zero, a definition is for any';
  return explanations.find(([name, text]) => name.test(mnemonic) && text.test(difference))?.[2];
}
