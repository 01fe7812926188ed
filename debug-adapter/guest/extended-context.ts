/** Extended registers in a save area of FXSAVE or XSAVE, whose first 512 bytes are alike (SDM vol. 1, 10.5.1 and 13.4.1). */

const legacyBytes = 512;
const Area = { fcw: 0, fsw: 2, ftw: 4, mxcsr: 24, st: 32, xmm: 160 } as const;
const slotBytes = 16;

export interface ExtendedRegister {
  readonly name: string;
  /** The lowest byte first: 2 of fcw, fsw and ftw, 4 of mxcsr, 10 of an x87 register, 16 of a vector register. */
  readonly bytes: Uint8Array;
}

/** All registers of an area; none where it is not mapped as a whole. */
export function readExtendedContext(
  guest: { readMemory(address: bigint, length: number): Uint8Array },
  address: bigint,
): readonly ExtendedRegister[] {
  const area = guest.readMemory(address, legacyBytes);
  if (area.length < legacyBytes) return [];
  const register = (name: string, at: number, length: number): ExtendedRegister => ({ name, bytes: area.slice(at, at + length) });
  const numbered = (prefix: string, count: number, at: number, length: number): ExtendedRegister[] =>
    Array.from({ length: count }, (_, index) => register(`${prefix}${index}`, at + index * slotBytes, length));
  return [
    register('fcw', Area.fcw, 2),
    register('fsw', Area.fsw, 2),
    register('ftw', Area.ftw, 1),
    register('mxcsr', Area.mxcsr, 4),
    ...numbered('st', 8, Area.st, 10),
    ...numbered('xmm', 16, Area.xmm, 16),
  ];
}
