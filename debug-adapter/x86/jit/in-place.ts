/** Instructions that a region has the interpreter do without being left: which they are, and where their records lie. */

import { isPortAccess, SINGLE_RECORDS } from '../blocks';
import { type Insn } from '../decoder';
import { Rec } from '../shape';
import { Mode } from '../state';

/** Records of these instructions: below those of the interpreter's blocks. */
const area = { start: 0x62_0000, end: 0x6e_0000 } as const;
/** The same of regions that were kept from an earlier run. */
export const recalledRecords = { start: 0x6e_0000, end: 0x7a_0000 } as const;

/** Bits of such an address with a sign. */
export const recordBits = 24;

export const isOfRegion = (record: number): boolean => record >= area.start && record < recalledRecords.end;

/** The address at which the record of one instruction is entered whose place begins at another: `BlockCache.single` puts a header in front. */
export const enteredAt = (place: number): number => place + Rec.size;

const saving = new Set(['FXSAVE', 'XSAVE', 'XSAVEOPT', 'XSAVEC']);
const restoring = new Set(['FXRSTOR', 'XRSTOR']);
/** Helpers that neither transfer control nor change what regions take for granted (mode, translations); of those that restore MXCSR see `restoresMxcsr`. */
const harmless = new Set(['FWAIT', 'CPUID', 'RDTSC', 'RDTSCP', 'RDRAND', 'RDSEED', 'XLAT', 'XGETBV', ...saving, ...restoring]);
const harmlessUnits: ReadonlySet<string | undefined> = new Set(['x87', 'x87nowait', 'mmx', 'sse']);

/** May the interpreter do this one while a region waits for it? */
export function isDoneInPlace(insn: Insn, mode: number): boolean {
  const { definition } = insn.row;
  if (definition.privileged === true && (mode & Mode.user) !== 0) return false;
  if (isPortAccess(insn)) return (mode & Mode.user) === 0;
  if (definition.endsBlock === true || definition.mnemonic === 'LDMXCSR') return false;
  if (definition.emit !== undefined) return insn.rep !== 'none';
  return harmlessUnits.has(definition.unit) || harmless.has(definition.mnemonic);
}

/** Is it one of those that generated code does the frequent cases of, and the interpreter the others in place? */
export function mayBeInPlace({ row: { definition } }: Insn): boolean {
  return definition.emit !== undefined && harmless.has(definition.mnemonic);
}

/** Does it read or write vector registers? */
export function touchesVectors(insn: Insn): boolean {
  const { unit, mnemonic } = insn.row.definition;
  return unit === 'sse' || unit === 'mmx' || saving.has(mnemonic) || restoring.has(mnemonic);
}

/** Has a region that relies on MXCSR to look at it again behind this one? */
export function restoresMxcsr(insn: Insn): boolean {
  return restoring.has(insn.row.definition.mnemonic);
}

/** Gives out the places of records; they come back all at once, when all regions go. */
export class InPlaceRecords {
  #next: number = area.start;

  clear(): void {
    this.#next = area.start;
  }

  /** Address for the records of one instruction, or 0 where no room is left. */
  allocate(): number {
    const at = this.#next;
    if (at + SINGLE_RECORDS * Rec.size > area.end) return 0;
    this.#next += SINGLE_RECORDS * Rec.size;
    return at;
  }
}
