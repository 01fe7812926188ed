/** One unit's DIEs at places of interest, without a tree of all of them: subtrees in which none of the places lies are jumped over. */
import { type Abbrev } from './abbrev';
import { FORM, TAG } from './constants';
import { passOver, skipForm } from './forms';
import { type Span } from './mentions';
import { Reader } from './reader';
import { type Unit } from './unit';

/** A DIE with what holds it, outermost first: offsets in .debug_info. */
export interface FoundDie {
  readonly offset: number;
  readonly abbrev: Abbrev;
  readonly parents: readonly { readonly offset: number; readonly tag: number }[];
}

/** Nesting deeper than this is damage. */
const maximumDepth = 512;

export class UnitScan {
  /** Offsets of the root's children, and last where they end. */
  private readonly tops: number[] = [];
  /** Where functions stand, and what may hold functions: the parts in which anything refers to one. */
  readonly functions: readonly Span[];
  /** Of functions the attributes alone: the parts in which something completes a declaration. */
  readonly heads: readonly Span[];
  private readonly rootAbbrev: Abbrev | undefined;

  /** Reads the root's children, jumping over theirs where the producer tells how far (DWARF 5, section 2.3). */
  constructor(readonly unit: Unit) {
    const r = new Reader(unit.dwarf.info, unit.dieOffset, unit.end);
    const functions: { start: number; end: number }[] = [];
    const heads: Span[] = [];
    this.functions = functions;
    this.heads = heads;
    this.rootAbbrev = unit.abbrevTable.get(r.uleb());
    if (this.rootAbbrev === undefined || this.pass(r, this.rootAbbrev) < 0) return;
    while (r.more) {
      const start = r.pos;
      const abbrev = this.unit.abbrevTable.get(r.uleb());
      const sibling = abbrev === undefined ? -1 : this.pass(r, abbrev);
      if (abbrev === undefined || sibling < 0) break;
      const head = r.pos;
      if (abbrev.hasChildren && !this.passChildren(r, sibling)) break;
      this.tops.push(start);
      if (!mayHoldFunctions(abbrev.tag)) continue;
      heads.push({ start, end: abbrev.tag === TAG.subprogram ? head : r.pos });
      const last = functions[functions.length - 1];
      if (last?.end === start) last.end = r.pos;
      else functions.push({ start, end: r.pos });
    }
    this.tops.push(r.pos);
  }

  /** The DIEs in whose attributes the positions lie; positions ascend. */
  *at(positions: readonly number[]): Generator<FoundDie> {
    for (let i = 0; i < positions.length;) {
      const top = this.topOf(positions[i]!);
      const end = top < 0 ? undefined : this.tops[top + 1];
      if (end === undefined) {
        i++;
        continue;
      }
      let next = i;
      while (next < positions.length && positions[next]! < end) next++;
      yield* this.within(this.tops[top]!, end, positions, i, next);
      i = next;
    }
  }

  private *within(start: number, end: number, positions: readonly number[], first: number, last: number): Generator<FoundDie> {
    const { unit } = this;
    const r = new Reader(unit.dwarf.info, start, end);
    const parents: { offset: number; tag: number }[] = [{ offset: unit.dieOffset, tag: this.rootAbbrev!.tag }];
    let i = first;
    while (r.more && i < last) {
      const offset = r.pos;
      const code = r.uleb();
      if (code === 0) {
        parents.pop();
        if (parents.length <= 1) return;
        continue;
      }
      const abbrev = unit.abbrevTable.get(code);
      const sibling = abbrev === undefined ? -1 : this.pass(r, abbrev);
      if (abbrev === undefined || sibling < 0) return;
      if (positions[i]! < r.pos) {
        yield { offset, abbrev, parents: [...parents] };
        while (i < last && positions[i]! < r.pos) i++;
      }
      if (!abbrev.hasChildren) continue;
      if (sibling > r.pos && sibling <= end && (i >= last || positions[i]! >= sibling)) r.pos = sibling;
      else if (parents.push({ offset, tag: abbrev.tag }) > maximumDepth) return;
    }
  }

  /** Index of the root's child that holds a position, -1 for none. */
  private topOf(position: number): number {
    const { tops } = this;
    let low = 0;
    let high = tops.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (tops[middle]! <= position) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Passes over a DIE's attributes; its sibling's offset, 0 where none is given, -1 where it cannot be read. */
  private pass(r: Reader, abbrev: Abbrev): number {
    const { unit } = this;
    const { forms, sibling: at } = abbrev;
    const hasSibling = at >= 0 && abbrev.hasChildren && forms[at] === FORM.ref4;
    // GCC gives it last.
    if (!hasSibling || at === forms.length - 1) {
      if (passOver(r, abbrev, unit) >= 0 || r.failed) return -1;
      if (!hasSibling) return 0;
      r.pos -= 4;
      return unit.offset + r.u32();
    }
    let sibling = 0;
    for (let i = 0; i < forms.length; i++) {
      if (hasSibling && i === at) sibling = unit.offset + r.u32();
      else if (!skipForm(r, forms[i]!, unit)) return -1;
    }
    return r.failed ? -1 : sibling;
  }

  /** Passes over what a DIE holds; false where that cannot be read. */
  private passChildren(r: Reader, after: number): boolean {
    let sibling = after;
    if (sibling > r.pos && sibling <= r.end) {
      r.pos = sibling;
      return true;
    }
    for (let depth = 1; depth > 0 && r.more;) {
      const code = r.uleb();
      if (code === 0) {
        depth--;
        continue;
      }
      const inner = this.unit.abbrevTable.get(code);
      sibling = inner === undefined ? -1 : this.pass(r, inner);
      if (inner === undefined || sibling < 0) return false;
      if (!inner.hasChildren) continue;
      if (sibling > r.pos && sibling <= r.end) r.pos = sibling;
      else depth++;
    }
    return !r.failed;
  }
}

function mayHoldFunctions(tag: number): boolean {
  switch (tag) {
    case TAG.subprogram:
    case TAG.namespace:
    case TAG.module:
    case TAG.structure_type:
    case TAG.class_type:
    case TAG.union_type:
    case TAG.interface_type:
    case TAG.enumeration_type:
      return true;
    default:
      return false;
  }
}
