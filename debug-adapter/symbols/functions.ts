/** The functions of a unit: by address, with their inlined instances and nested blocks (DWARF 5, section 3.3). */
import { AT, TAG } from './constants';
import { Die } from './die';
import { type RangeEntry, RangeMap } from './range-map';
import { type Range, rangesOf } from './ranges';
import { type Unit } from './unit';

/** Entries of lists beyond this in one unit are damage. */
const MAX_RANGES = 1 << 21;

export class UnitFunctions {
  /** Concrete functions; values are indexes into the unit's tree. */
  readonly concrete: RangeMap<number>;
  /** By offset of the abstract function: indexes of its inlined instances. */
  readonly inlined = new Map<number, number[]>();
  /** By offset of the abstract function or declaration: indexes of its concrete instances. */
  readonly instances = new Map<number, number[]>();

  /** By offset of a declaration: offsets of the abstract functions that define it. */
  private readonly definitions = new Map<number, number[]>();

  constructor(readonly unit: Unit) {
    const tree = unit.tree();
    const { sections } = unit;
    const entries: RangeEntry<number>[] = [];
    for (let i = 0; i < tree.count; i++) {
      const { tag } = tree.abbrevs[i]!;
      if (tag !== TAG.subprogram && tag !== TAG.inlined_subroutine) continue;
      const die = new Die(unit, i);
      const origin = die.has(AT.abstract_origin) ? die.refOffset(AT.abstract_origin) : die.refOffset(AT.specification);
      if (tag === TAG.inlined_subroutine) append(this.inlined, origin, i);
      else if (entries.length < MAX_RANGES) {
        const ranges = rangesOf(die).filter((range) => sections.isCode(range.low));
        for (const range of ranges) entries.push({ ...range, value: i });
        if (ranges.length > 0 && origin >= 0) append(this.instances, origin, i);
        else if (origin >= 0 && die.has(AT.inline)) append(this.definitions, origin, die.offset);
      }
    }
    this.concrete = new RangeMap(entries);
  }

  abstractDefinitions(declaration: number): readonly number[] {
    return this.definitions.get(declaration) ?? [];
  }

  /** The function's DIE and, from it inwards, the blocks and inlined functions that hold the address. */
  nesting(address: number): Die[] {
    const found = this.concrete.find(address);
    if (!found) return [];
    const path = [new Die(this.unit, found.value)];
    for (;;) {
      const inner = innerBlock(path[path.length - 1]!, address);
      if (!inner) return path;
      path.push(inner);
    }
  }
}

function append(map: Map<number, number[]>, key: number, value: number): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

/** Does the DIE open a scope of its own when it has addresses? */
export function isBlock(tag: number): boolean {
  return tag === TAG.inlined_subroutine || tag === TAG.lexical_block || tag === TAG.try_block || tag === TAG.catch_block;
}

function innerBlock(die: Die, address: number): Die | undefined {
  for (const child of die.children()) {
    if (!isBlock(child.tag)) continue;
    if (rangesOf(child).some((range) => address >= range.low && address < range.high)) return child;
    // A block without addresses is only a wrapper (GCC leaves them around inlined calls).
    if (child.tag === TAG.lexical_block && !child.has(AT.low_pc) && !child.has(AT.ranges)) {
      const inner = innerBlock(child, address);
      if (inner) return inner;
    }
  }
  return undefined;
}

/** Address at which an (inlined) function begins to execute: DW_AT_entry_pc, else the start of its first range. */
export function entryOf(die: Die, ranges: readonly Range[]): number | undefined {
  const entry = die.address(AT.entry_pc);
  if (entry !== undefined) return entry;
  const base = die.address(AT.low_pc) ?? ranges[0]?.low;
  const offset = die.number(AT.entry_pc);
  return base !== undefined && offset !== undefined ? base + offset : base;
}

/**
 * Variables and parameters declared directly in a scope's DIE. A concrete instance need not repeat what was optimised away: the rest comes from its
 * abstract origin, as DIEs without a location (DWARF 5, section 3.3.8.2).
 */
export function declaredIn(scope: Die, wanted: (tag: number) => boolean): Die[] {
  const found: Die[] = [];
  const seen = new Set<number>();
  collect(scope, wanted, found, seen, 0);
  let origin = scope.ref(AT.abstract_origin);
  for (let depth = 0; origin && depth < 8; depth++) {
    const missing: Die[] = [];
    collect(origin, wanted, missing, new Set(), 0, seen);
    for (const die of missing) {
      if (seen.has(die.offset)) continue;
      seen.add(die.offset);
      found.push(die);
    }
    origin = origin.ref(AT.abstract_origin);
  }
  return found;
}

/** @param apart offsets of blocks that have a scope of their own, though not in this tree. */
function collect(
  scope: Die,
  wanted: (tag: number) => boolean,
  found: Die[],
  seen: Set<number>,
  depth: number,
  apart?: ReadonlySet<number>,
): void {
  for (const child of scope.children()) {
    const isNested = child.tag === TAG.lexical_block;
    if (wanted(child.tag)) found.push(child);
    if (wanted(child.tag) || isNested) for (const die of child.origins()) seen.add(die.offset);
    if (
      isNested &&
      depth < 16 &&
      apart?.has(child.offset) !== true &&
      !child.has(AT.low_pc) &&
      !child.has(AT.ranges) &&
      child.has(AT.abstract_origin) === scope.has(AT.abstract_origin)
    ) {
      if (scope.tag !== TAG.subprogram || rangesOf(scope).length > 0) collect(child, wanted, found, seen, depth + 1, apart);
    }
  }
}
