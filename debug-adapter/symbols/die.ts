/** Debugging information entries: the tree of a unit as columns of numbers, and handles that decode attributes when asked. */
import { type Abbrev } from './abbrev';
import { AT, FORM, dwarfName } from './constants';
import { blockLength, fixedConstantSize, formIndex, isAddressForm, passOver, skipForm } from './forms';
import { Reader } from './reader';
import { type Unit } from './unit';

/** Nesting deeper than this is damage. */
const MAX_DEPTH = 512;

export class DieTree {
  constructor(
    readonly count: number,
    /** Offset of each DIE, ascending. */
    readonly offsets: Int32Array,
    /** Index of the parent; -1 for the root. */
    readonly parents: Int32Array,
    /** Index of the first DIE after the subtree. */
    readonly ends: Int32Array,
    readonly abbrevs: readonly Abbrev[],
  ) {}

  indexOf(offset: number): number {
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const value = this.offsets[middle]!;
      if (value === offset) return middle;
      if (value < offset) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}

/** Walks all DIEs of a unit once. A damaged unit gives the tree up to the damage. */
export function buildTree(unit: Unit): DieTree {
  const { diagnostics } = unit.sections;
  const r = new Reader(unit.dwarf.info, unit.dieOffset, unit.end);
  const table = unit.abbrevTable;
  let capacity = 64 + Math.floor((unit.end - unit.offset) / 6);
  let offsets = new Int32Array(capacity);
  let parents = new Int32Array(capacity);
  const abbrevs: Abbrev[] = [];
  const open: number[] = [];
  const endOf: number[] = [];
  let count = 0;
  let parent = -1;
  const complain = (code: string, message: string, offset: number): void =>
    diagnostics.add(code, message, '.debug_info', offset - unit.base);
  while (r.more) {
    const offset = r.pos;
    const code = r.uleb();
    if (code === 0) {
      if (parent < 0) continue;
      endOf[parent] = count;
      open.pop();
      parent = open.length > 0 ? open[open.length - 1]! : -1;
      // Only padding follows the root.
      if (parent < 0) break;
      continue;
    }
    const abbrev = table.get(code);
    if (!abbrev) {
      complain('dwarf-abbrev', `DIE of unknown abbreviation ${code}; the rest of the unit is not read.`, offset);
      break;
    }
    if (count === capacity) {
      capacity *= 2;
      offsets = grow(offsets, capacity);
      parents = grow(parents, capacity);
    }
    const unknown = passOver(r, abbrev, unit);
    if (unknown >= 0) {
      const [form, attribute] = [dwarfName('FORM', abbrev.forms[unknown]!), dwarfName('AT', abbrev.names[unknown]!)];
      complain('dwarf-form', `Unknown form ${form} of ${attribute}; the rest of the unit is not read.`, offset);
      break;
    }
    if (r.failed) {
      complain('dwarf-die', 'DIE cut off by the end of its unit.', offset);
      break;
    }
    offsets[count] = offset;
    parents[count] = parent;
    abbrevs.push(abbrev);
    endOf.push(count + 1);
    if (abbrev.hasChildren) {
      if (open.length >= MAX_DEPTH) {
        complain('dwarf-die', `DIEs nested deeper than ${MAX_DEPTH}; the rest of the unit is not read.`, offset);
        count++;
        break;
      }
      open.push(count);
      parent = count;
    }
    count++;
    if (parent < 0) break;
  }
  for (const index of open) endOf[index] = count;
  return new DieTree(count, offsets.slice(0, count), parents.slice(0, count), Int32Array.from(endOf), abbrevs);
}

function grow(array: Int32Array<ArrayBuffer>, capacity: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(capacity);
  larger.set(array);
  return larger;
}

/** A handle on one DIE. Getters give undefined for an absent attribute and for one of another class. */
export class Die {
  readonly abbrev: Abbrev;
  private readonly r: Reader;
  private readonly first: number;
  private constant = 0n;
  private position: number | undefined;

  /** `index` is the DIE's position in its unit's tree; 0 (the root) needs no tree. */
  constructor(
    readonly unit: Unit,
    index: number | undefined,
    readonly offset: number = index === undefined || index === 0 ? unit.dieOffset : unit.tree().offsets[index]!,
  ) {
    this.position = index;
    this.r = new Reader(unit.dwarf.info, this.offset, unit.end);
    const code = this.r.uleb();
    this.abbrev = (this.offset === unit.dieOffset ? unit.rootAbbrev(code) : unit.abbrevTable.get(code)) ?? NO_ABBREV;
    this.first = this.r.pos;
  }

  /** The DIE that is known to begin at an offset of the unit: its attributes are read without a tree, which only its parent and children need. */
  static at(unit: Unit, offset: number): Die {
    return new Die(unit, undefined, offset);
  }

  /** Position in the unit's tree. */
  get index(): number {
    return (this.position ??= this.unit.tree().indexOf(this.offset));
  }

  get tag(): number {
    return this.abbrev.tag;
  }

  get parent(): Die | undefined {
    const parent = this.unit.tree().parents[this.index] ?? -1;
    return parent < 0 ? undefined : new Die(this.unit, parent);
  }

  *children(): Generator<Die> {
    const tree = this.unit.tree();
    const end = tree.ends[this.index] ?? 0;
    for (let i = this.index + 1; i < end; i = tree.ends[i]!) yield new Die(this.unit, i);
  }

  has(at: number): boolean {
    return this.abbrev.names.includes(at);
  }

  /** Moves the reader to the attribute's value; its form, indirection resolved, or 0 when there is none. */
  private find(at: number): number {
    const { names, forms, constants } = this.abbrev;
    const wanted = names.indexOf(at);
    if (wanted < 0) return 0;
    this.r.pos = this.first;
    this.r.failed = false;
    for (let i = 0; i < wanted; i++) if (!skipForm(this.r, forms[i]!, this.unit)) return 0;
    this.constant = constants[wanted]!;
    let form = forms[wanted]!;
    if (form === FORM.indirect) form = this.r.uleb();
    return this.r.failed ? 0 : form;
  }

  /** Form of an attribute's value, 0 when there is none. */
  form(at: number): number {
    return this.find(at);
  }

  /** An unsigned constant, flag, index or section offset, exact up to 2^53. */
  number(at: number): number | undefined {
    const form = this.find(at);
    const size = fixedConstantSize(form);
    if (size > 0 && size <= 8) return this.r.unsigned(size);
    switch (form) {
      case FORM.udata:
      case FORM.rnglistx:
      case FORM.loclistx:
        return this.r.uleb();
      case FORM.sdata:
        return this.r.sleb();
      case FORM.implicit_const:
        return Number(this.constant);
      case FORM.flag_present:
        return 1;
      case FORM.sec_offset:
        return this.r.offset(this.unit.is64);
      default:
        return undefined;
    }
  }

  /** A constant at full width. Fixed-size forms say nothing of the sign: `signed` decides (DWARF 5, section 7.5.5, class constant). */
  big(at: number, signed: boolean): bigint | undefined {
    const form = this.find(at);
    const size = fixedConstantSize(form);
    if (size > 0) {
      const value = this.r.unsignedBig(size);
      return signed ? BigInt.asIntN(size * 8, value) : value;
    }
    if (form === FORM.udata) return this.r.ulebBig();
    if (form === FORM.sdata) return this.r.slebBig();
    if (form === FORM.implicit_const) return this.constant;
    return undefined;
  }

  flag(at: number): boolean {
    const form = this.find(at);
    return (
      form === FORM.flag_present || (form === FORM.flag && this.r.u8() !== 0) || (form === FORM.implicit_const && this.constant !== 0n)
    );
  }

  string(at: number): string | undefined {
    const form = this.find(at);
    const { sections } = this.unit;
    switch (form) {
      case 0:
        return undefined;
      case FORM.string:
        return this.r.cstring();
      case FORM.strp:
        return sections.debugString(this.r.offset(this.unit.is64));
      case FORM.line_strp:
        return sections.lineString(this.r.offset(this.unit.is64));
      case FORM.strp_sup:
      case FORM.GNU_strp_alt:
        return this.unit.supplement?.debugString(this.r.offset(this.unit.is64));
      default: {
        const index = formIndex(this.r, form);
        return index < 0 || isAddressForm(form) ? undefined : this.unit.indexedString(index);
      }
    }
  }

  /** Offset in its file's .debug_str of a string that lies there. */
  stringPlace(at: number): number | undefined {
    return this.find(at) === FORM.strp ? this.r.offset(this.unit.is64) : undefined;
  }

  /** An internal address (see `DebugSections`). */
  address(at: number): number | undefined {
    const form = this.find(at);
    if (form === FORM.addr) return this.unit.sections.address(this.r, this.unit.addressSize);
    return isAddressForm(form) ? this.unit.indexedAddress(formIndex(this.r, form)) : undefined;
  }

  /** A block or expression: a view of the section. */
  block(at: number): Uint8Array | undefined {
    const form = this.find(at);
    const length = blockLength(this.r, form);
    if (length === undefined) return undefined;
    const bytes = this.r.take(length);
    return this.r.failed ? undefined : bytes;
  }

  /** Position of the DIE referred to in `Dwarf.info`, without looking whether there is one; -1 for other reference classes. */
  refOffset(at: number): number {
    return this.unit.reference(this.r, this.find(at));
  }

  ref(at: number): Die | undefined {
    const form = this.find(at);
    if (form === 0) return undefined;
    if (form === FORM.ref_sig8) return this.unit.dwarf.dieBySignature(this.r.u64Big());
    const target = this.unit.reference(this.r, form);
    return target < 0 ? undefined : this.unit.dwarf.dieAt(target);
  }

  /** The attribute's value as readelf would class it is not kept; this gives its raw bytes, for comparison in tests. */
  raw(at: number): Uint8Array | undefined {
    const form = this.find(at);
    if (form === 0) return undefined;
    const start = this.r.pos;
    skipForm(this.r, form, this.unit);
    return this.r.failed ? undefined : this.r.bytes.subarray(start, this.r.pos);
  }

  /** Follows DW_AT_abstract_origin, DW_AT_specification (and DW_AT_extension) until a DIE has the attribute. */
  inherited(at: number): Die | undefined {
    return this.origins().find((die) => die.has(at));
  }

  /** This DIE and those it completes, nearest first. */
  origins(): Die[] {
    const chain: Die[] = [this];
    while (chain.length < 16) {
      const last = chain[chain.length - 1]!;
      const next = last.ref(AT.abstract_origin) ?? last.ref(AT.specification);
      if (!next) break;
      chain.push(next);
    }
    return chain;
  }
}

const NO_ABBREV: Abbrev = {
  code: 0,
  tag: 0,
  hasChildren: false,
  names: [],
  forms: [],
  constants: [],
  sibling: -1,
  plan: [],
  planFormat: -1,
};
