/** The encodings of attribute values (DWARF 5, section 7.5.6): how long each is, and which class it is of. */
import { type Abbrev } from './abbrev';
import { FORM } from './constants';
import { type Reader } from './reader';

/** What of a unit's header decides the size of forms. */
export interface FormContext {
  readonly version: number;
  readonly is64: boolean;
  readonly addressSize: number;
}

/** Bytes of a value whose form alone tells how many they are; -1 for the other forms, known or not. */
function fixedSize(form: number, unit: FormContext): number {
  switch (form) {
    case FORM.flag_present:
    case FORM.implicit_const:
      return 0;
    case FORM.data1:
    case FORM.ref1:
    case FORM.flag:
    case FORM.strx1:
    case FORM.addrx1:
      return 1;
    case FORM.data2:
    case FORM.ref2:
    case FORM.strx2:
    case FORM.addrx2:
      return 2;
    case FORM.strx3:
    case FORM.addrx3:
      return 3;
    case FORM.data4:
    case FORM.ref4:
    case FORM.ref_sup4:
    case FORM.strx4:
    case FORM.addrx4:
      return 4;
    case FORM.data8:
    case FORM.ref8:
    case FORM.ref_sig8:
    case FORM.ref_sup8:
      return 8;
    case FORM.data16:
      return 16;
    case FORM.strp:
    case FORM.line_strp:
    case FORM.sec_offset:
    case FORM.strp_sup:
    case FORM.GNU_ref_alt:
    case FORM.GNU_strp_alt:
      return unit.is64 ? 8 : 4;
    case FORM.ref_addr:
      return unit.version <= 2 ? unit.addressSize : unit.is64 ? 8 : 4;
    case FORM.addr:
      return unit.addressSize;
    default:
      return -1;
  }
}

/** Moves past a value; false for a form that is not known, after which nothing in the unit can be read. */
export function skipForm(r: Reader, form: number, unit: FormContext): boolean {
  const size = fixedSize(form, unit);
  if (size >= 0) {
    r.skip(size);
    return true;
  }
  switch (form) {
    case FORM.udata:
    case FORM.sdata:
    case FORM.ref_udata:
    case FORM.strx:
    case FORM.addrx:
    case FORM.loclistx:
    case FORM.rnglistx:
    case FORM.GNU_addr_index:
    case FORM.GNU_str_index:
      r.skipLeb();
      return true;
    case FORM.string:
      r.skipString();
      return true;
    case FORM.exprloc:
    case FORM.block:
      r.skip(r.uleb());
      return true;
    case FORM.block1:
      r.skip(r.u8());
      return true;
    case FORM.block2:
      r.skip(r.u16());
      return true;
    case FORM.block4:
      r.skip(r.u32());
      return true;
    case FORM.indirect: {
      const actual = r.uleb();
      return actual !== FORM.indirect && actual !== FORM.implicit_const && skipForm(r, actual, unit);
    }
    default:
      return false;
  }
}

/**
 * Moves past all attributes of a DIE, those of fixed size together. -1, or the index of the attribute whose form is not known.
 * The way is worked out once for each abbreviation.
 */
export function passOver(r: Reader, abbrev: Abbrev, unit: FormContext): number {
  const format = (unit.is64 ? 1 : 0) | (unit.version <= 2 ? 2 : 0) | (unit.addressSize << 2);
  if (abbrev.plan === undefined || abbrev.planFormat !== format) {
    abbrev.plan = planOf(abbrev, unit);
    abbrev.planFormat = format;
  }
  const { plan } = abbrev;
  for (let i = 0; i < plan.length; i++) {
    const step = plan[i]!;
    if (step >= 0) r.skip(step);
    else if (!skipForm(r, abbrev.forms[-1 - step]!, unit)) return -1 - step;
  }
  return -1;
}

/** Bytes to skip, and between them, as -1 and lower, indexes of attributes whose size stands with them. */
function planOf({ forms }: Abbrev, unit: FormContext): readonly number[] {
  const plan: number[] = [];
  let bytes = 0;
  for (let i = 0; i < forms.length; i++) {
    const size = fixedSize(forms[i]!, unit);
    if (size >= 0) bytes += size;
    else {
      if (bytes > 0) plan.push(bytes);
      bytes = 0;
      plan.push(-1 - i);
    }
  }
  if (bytes > 0) plan.push(bytes);
  return plan;
}

/** Length of the block that the reader stands at, after its length field was read; undefined when the form is no block. */
export function blockLength(r: Reader, form: number): number | undefined {
  switch (form) {
    case FORM.exprloc:
    case FORM.block:
      return r.uleb();
    case FORM.block1:
      return r.u8();
    case FORM.block2:
      return r.u16();
    case FORM.block4:
      return r.u32();
    case FORM.data16:
      return 16;
    default:
      return undefined;
  }
}

/** Bytes of a fixed-size unsigned constant form, or 0. */
export function fixedConstantSize(form: number): number {
  switch (form) {
    case FORM.data1:
    case FORM.flag:
      return 1;
    case FORM.data2:
      return 2;
    case FORM.data4:
      return 4;
    case FORM.data8:
      return 8;
    case FORM.data16:
      return 16;
    default:
      return 0;
  }
}

/** Index encoded by an addrx/strx form, or -1. */
export function formIndex(r: Reader, form: number): number {
  switch (form) {
    case FORM.strx:
    case FORM.addrx:
    case FORM.GNU_addr_index:
    case FORM.GNU_str_index:
      return r.uleb();
    case FORM.strx1:
    case FORM.addrx1:
      return r.u8();
    case FORM.strx2:
    case FORM.addrx2:
      return r.u16();
    case FORM.strx3:
    case FORM.addrx3:
      return r.u24();
    case FORM.strx4:
    case FORM.addrx4:
      return r.u32();
    default:
      return -1;
  }
}

export function isAddressForm(form: number): boolean {
  return form === FORM.addr || form === FORM.addrx || form === FORM.GNU_addr_index || (form >= FORM.addrx1 && form <= FORM.addrx4);
}
