/** FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2 and FLDZ: values with more than 64 bits inside, rounded as the rounding control says. */

import { type Float80, Rounding } from './float80';

/** Exponent, the significand cut to 64 bits, and whether the bits after it are more than half a unit; exact ones are `undefined`. */
interface Constant {
  readonly exponent: number;
  readonly high: number;
  readonly low: number;
  readonly nearestIsUp: boolean | undefined;
}

const constants: readonly Constant[] = [
  { exponent: 0x3fff, high: 0x8000_0000, low: 0, nearestIsUp: undefined },
  { exponent: 0x4000, high: 0xd49a_784b, low: 0xcd1b_8afe, nearestIsUp: false },
  { exponent: 0x3fff, high: 0xb8aa_3b29, low: 0x5c17_f0bb, nearestIsUp: true },
  { exponent: 0x4000, high: 0xc90f_daa2, low: 0x2168_c234, nearestIsUp: true },
  { exponent: 0x3ffd, high: 0x9a20_9a84, low: 0xfbcf_f798, nearestIsUp: true },
  { exponent: 0x3ffe, high: 0xb172_17f7, low: 0xd1cf_79ab, nearestIsUp: true },
  { exponent: 0, high: 0, low: 0, nearestIsUp: undefined },
];

/** `index` is the opcode's low three bits (D9 E8+index), 0..6. */
export function loadConstant(out: Float80, index: number, rounding: number): void {
  const c = constants[index]!;
  const up = c.nearestIsUp !== undefined && (rounding === Rounding.up || (rounding === Rounding.nearest && c.nearestIsUp));
  out.set(0, c.exponent, c.high, up ? c.low + 1 : c.low);
}
