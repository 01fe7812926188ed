/** Where names are defined in .debug_info: one pass over the top levels of units, kept as columns of numbers; of all of them in steps, or first of those that may define a name. */
import { AT, FORM, TAG } from './constants';
import { type Dwarf } from './dwarf';
import { formIndex, isAddressForm, passOver, skipForm } from './forms';
import { Reader, stringAt } from './reader';
import { type Abbrev } from './abbrev';
import { type DebugSections } from './sections';
import { unitsSpelling } from './spelling';
import { type Unit } from './unit';

export type NameKind = 'function' | 'variable' | 'type' | 'enumerator';
const KINDS: readonly NameKind[] = ['function', 'variable', 'type', 'enumerator'];

/** More names than any file that fits in memory defines. */
const MAX_ENTRIES = 1 << 24;

/** A name costs a pass over the bytes, and all names some six of them. */
const MOST_SINGLE_LOOKUPS = 6;

/** What to do with a DIE of a tag: record its name, look at its children. */
function kindOf(tag: number): number {
  switch (tag) {
    case TAG.subprogram:
      return 0;
    case TAG.variable:
    case TAG.constant:
      return 1;
    case TAG.structure_type:
    case TAG.class_type:
    case TAG.interface_type:
    case TAG.union_type:
    case TAG.enumeration_type:
    case TAG.typedef:
    case TAG.base_type:
    case TAG.unspecified_type:
    case TAG.template_alias:
    case TAG.subrange_type:
      return 2;
    case TAG.enumerator:
      return 3;
    default:
      return -1;
  }
}

/** Types hold enumerators, methods, static members and nested types; functions and blocks hold nothing that is found by name from outside. */
function descends(tag: number): boolean {
  switch (tag) {
    case TAG.compile_unit:
    case TAG.partial_unit:
    case TAG.type_unit:
    case TAG.namespace:
    case TAG.module:
    case TAG.enumeration_type:
    case TAG.structure_type:
    case TAG.class_type:
    case TAG.interface_type:
    case TAG.union_type:
      return true;
    default:
      return false;
  }
}

export class NameIndex {
  private readonly ids = new Map<string, number>();
  private readonly texts: string[] = [];
  /** Number of the name at each offset of .debug_str, plus one; 0 where none was looked at. */
  private readonly byStringOffset: Int32Array;
  /** The same for the file that is shared with others. */
  private readonly bySharedOffset: Int32Array;
  /** Newest entry of each name, chained backwards through `next`; -1 ends. */
  private heads: number[] = [];
  private offsets = new Int32Array(1 << 12);
  private nexts = new Int32Array(1 << 12);
  private kinds = new Uint8Array(1 << 12);
  private count = 0;
  private steps: Generator<number, void> | undefined;
  private readonly scanned = new Set<Unit>();
  private isComplete = false;
  /** Names that were looked for unit by unit. */
  private singleLookups = 0;

  constructor(private readonly dwarf: Dwarf) {
    this.byStringOffset = new Int32Array(dwarf.sections.get('.debug_str').length + 1);
    this.bySharedOffset = new Int32Array((dwarf.supplement?.get('.debug_str').length ?? 0) + 1);
  }

  /** Offsets of the DIEs of a name, in order of appearance. */
  find(name: string, kind: NameKind): number[] {
    this.cover(name);
    const wanted = KINDS.indexOf(kind);
    const found: number[] = [];
    const id = this.ids.get(name);
    if (id === undefined) return found;
    for (let i = this.heads[id]!; i >= 0; i = this.nexts[i]!) if (this.kinds[i] === wanted) found.push(this.offsets[i]!);
    return found.sort((a, b) => a - b);
  }

  /** All names with something of this kind that the expression matches. */
  *search(pattern: RegExp, kind: NameKind): Generator<{ name: string; offsets: number[] }> {
    this.complete();
    // A sticky or global expression would remember where it stopped.
    const test = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
    for (const name of this.texts) {
      if (!test.test(name)) continue;
      const offsets = this.find(name, kind);
      if (offsets.length > 0) yield { name, offsets };
    }
  }

  /** Offsets of everything of a kind. */
  all(kind: NameKind): number[] {
    this.complete();
    const wanted = KINDS.indexOf(kind);
    const found: number[] = [];
    for (let i = 0; i < this.count; i++) if (this.kinds[i] === wanted) found.push(this.offsets[i]!);
    return found;
  }

  /** Continues the pass; yields the share done after each unit. */
  build(): Generator<number, void> {
    return (this.steps ??= this.pass());
  }

  /** Reads the units that may define a name, or all: after some names that is quicker. */
  private cover(name: string): void {
    if (this.isComplete) return;
    const units = this.singleLookups++ < MOST_SINGLE_LOOKUPS ? unitsSpelling(this.dwarf, name) : undefined;
    if (units === undefined) this.complete();
    else for (const unit of units) this.scan(unit);
  }

  private complete(): void {
    const steps = this.build();
    while (!steps.next().done);
  }

  private *pass(): Generator<number, void> {
    const size = this.dwarf.info.length || 1;
    for (const unit of this.dwarf.units) {
      this.scan(unit);
      if (this.count >= MAX_ENTRIES) return;
      yield unit.end / size;
    }
    this.isComplete = true;
  }

  private scan(unit: Unit): void {
    if (this.scanned.has(unit)) return;
    this.scanned.add(unit);
    const { info } = this.dwarf;
    const r = new Reader(info, unit.dieOffset, unit.end);
    const table = unit.abbrevTable;
    let depth = 0;
    // Depth below which nothing is recorded; siblings are skipped to where the producer gives them.
    let quiet = Infinity;
    while (r.more && this.count < MAX_ENTRIES) {
      const offset = r.pos;
      const code = r.uleb();
      if (code === 0) {
        depth--;
        if (depth <= quiet) quiet = Infinity;
        if (depth <= 0) return;
        continue;
      }
      const abbrev = table.get(code);
      if (!abbrev) return;
      const kind = depth > quiet ? -1 : kindOf(abbrev.tag);
      const enters = abbrev.hasChildren && depth <= quiet && descends(abbrev.tag);
      // Nothing of it is recorded, and there is nothing to jump over.
      const plain = kind < 0 && (!abbrev.hasChildren || enters || abbrev.sibling < 0);
      const sibling = plain ? passed(r, abbrev, unit) : this.attributes(r, abbrev, unit, kind, offset);
      if (sibling < 0) return;
      if (!abbrev.hasChildren) {
        if (depth === 0) return;
        continue;
      }
      if (!enters && sibling > r.pos && sibling < unit.end) {
        r.pos = sibling;
        continue;
      }
      if (!enters && quiet === Infinity) quiet = depth;
      depth++;
    }
  }

  /** Passes over a DIE's attributes, recording its name; the offset of its sibling, 0 for none given, -1 when it cannot be read. */
  private attributes(r: Reader, abbrev: Abbrev, unit: Unit, kind: number, offset: number): number {
    const { names, forms } = abbrev;
    let sibling = 0;
    let name = -1;
    let declaration = false;
    let specification = -1;
    let linkage = -1;
    for (let i = 0; i < names.length; i++) {
      const form = forms[i]!;
      const at = names[i]!;
      if (kind >= 0) {
        if (at === AT.name) {
          name = this.nameId(r, form, unit);
          continue;
        }
        if (at === AT.linkage_name || at === AT.MIPS_linkage_name) {
          linkage = this.nameId(r, form, unit);
          continue;
        }
        if (at === AT.declaration) declaration = true;
        else if (at === AT.specification) {
          const before = r.pos;
          specification = unit.reference(r, form);
          if (r.pos > before) continue;
        }
      }
      if (at === AT.sibling && form === FORM.ref4) sibling = unit.offset + r.u32();
      else if (!skipForm(r, form, unit)) return -1;
    }
    if (r.failed) return -1;
    // Declarations of types are of no use to lookups; those of functions and variables give their definitions a name.
    if (kind === 2 && declaration) return sibling;
    const isC = unit.language === 'c';
    if (isC && kind <= 1 && declaration && specification < 0) return sibling;
    // A static member's definition is named by its declaration, and a C function's may be; C++'s functions are found from theirs by `UnitFunctions`.
    if ((kind === 1 || (kind === 0 && isC)) && name < 0 && specification >= 0) name = this.declaredName(specification);
    if (name >= 0) this.add(name, offset, kind);
    if (linkage >= 0 && linkage !== name) this.add(linkage, offset, kind);
    return sibling;
  }

  private declaredName(offset: number): number {
    const unit = this.dwarf.unitAt(offset);
    if (unit === undefined) return -1;
    const r = new Reader(this.dwarf.info, offset, unit.end);
    const abbrev = unit.abbrevTable.get(r.uleb());
    const at = abbrev?.names.indexOf(AT.name) ?? -1;
    if (!abbrev || at < 0) return -1;
    for (let i = 0; i < at; i++) if (!skipForm(r, abbrev.forms[i]!, unit)) return -1;
    return this.nameId(r, abbrev.forms[at]!, unit);
  }

  /** Number of the name at the reader, -1 for an empty or unreadable one; moves past it. */
  private nameId(r: Reader, form: number, unit: Unit): number {
    if (form === FORM.strp) return this.placedName(r, unit, unit.sections);
    if (form === FORM.GNU_strp_alt || form === FORM.strp_sup) {
      const { supplement } = unit;
      if (supplement !== undefined) return this.placedName(r, unit, supplement);
    }
    if (form === FORM.string) return this.intern(r.cstring());
    if (form === FORM.line_strp) return this.intern(stringAt(unit.sections.get('.debug_line_str'), r.offset(unit.is64)));
    const start = r.pos;
    const index = isAddressForm(form) ? -1 : formIndex(r, form);
    if (index >= 0) return this.intern(unit.indexedString(index) ?? '');
    r.pos = start;
    if (!skipForm(r, form, unit)) r.skip(-1);
    return -1;
  }

  /** Number of the name at the offset in .debug_str that the reader is at. */
  private placedName(r: Reader, unit: Unit, sections: DebugSections): number {
    const numbers = sections === this.dwarf.sections ? this.byStringOffset : this.bySharedOffset;
    const at = Math.min(r.offset(unit.is64), numbers.length - 1);
    const known = numbers[at]!;
    if (known !== 0) return known - 1;
    const id = this.intern(stringAt(sections.get('.debug_str'), at));
    // Of the empty name, too, which has the number -1 and is seldom.
    numbers[at] = id + 1;
    return id;
  }

  private intern(text: string): number {
    if (text === '') return -1;
    let id = this.ids.get(text);
    if (id === undefined) {
      id = this.texts.length;
      this.ids.set(text, id);
      this.texts.push(text);
      this.heads.push(-1);
    }
    return id;
  }

  private add(name: number, offset: number, kind: number): void {
    if (this.count === this.offsets.length) {
      const grow = (from: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
        const to = new Int32Array(this.count * 2);
        to.set(from);
        return to;
      };
      this.offsets = grow(this.offsets);
      this.nexts = grow(this.nexts);
      const kinds = new Uint8Array(this.count * 2);
      kinds.set(this.kinds);
      this.kinds = kinds;
    }
    const i = this.count++;
    this.offsets[i] = offset;
    this.kinds[i] = kind;
    this.nexts[i] = this.heads[name]!;
    this.heads[name] = i;
  }
}

/** Passes over all attributes; -1 when they cannot be read, else 0. */
function passed(r: Reader, abbrev: Abbrev, unit: Unit): number {
  return passOver(r, abbrev, unit) >= 0 || r.failed ? -1 : 0;
}
