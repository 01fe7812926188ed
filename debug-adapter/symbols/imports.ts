/** Which units share what other ones hold: DW_TAG_imported_unit (DWARF 5, section 3.2.5), as dwz writes it. */
import { AT, TAG } from './constants';
import { Die } from './die';
import { type Dwarf } from './dwarf';
import { passOver } from './forms';
import { Reader } from './reader';
import { type Unit } from './unit';

export class UnitImports {
  private readonly direct = new Map<Unit, readonly Unit[]>();
  /** Units that import a unit themselves. */
  private reverse: Map<Unit, Unit[]> | undefined;
  private readonly known = new Map<Unit, readonly Unit[]>();
  private closure: { readonly of: Unit; readonly units: ReadonlySet<Unit> } | undefined;

  constructor(private readonly dwarf: Dwarf) {}

  /** What units import, directly and through others, those units first. Imports that go in circles end. */
  reached(units: Iterable<Unit>): Set<Unit> {
    // A set that grows is walked to its end.
    const reached = new Set(units);
    for (const unit of reached) for (const imported of this.of(unit)) reached.add(imported);
    return reached;
  }

  /** Does a unit hold what another one has, itself or by sharing it? */
  isWithin(inner: Unit, outer: Unit): boolean {
    if (inner === outer) return true;
    return inner.isPartial && this.shared(outer).has(inner);
  }

  /** A unit and the partial units that it imports. */
  shared(unit: Unit): ReadonlySet<Unit> {
    if (this.closure?.of !== unit) {
      const units = new Set([...this.reached([unit])].filter((each) => each === unit || each.isPartial));
      this.closure = { of: unit, units };
    }
    return this.closure.units;
  }

  /** A unit, and where it is a partial one, those that import it, directly or through others: in order of the file. */
  users(unit: Unit): readonly Unit[] {
    if (!unit.isPartial) return [unit];
    let users = this.known.get(unit);
    if (users === undefined) {
      this.reverse ??= this.reversed();
      const reached = new Set([unit]);
      for (const each of reached) for (const importer of this.reverse.get(each) ?? []) reached.add(importer);
      users = [...reached].sort((a, b) => a.offset - b.offset);
      this.known.set(unit, users);
    }
    return users;
  }

  /** A unit, and where it is a partial one, those in which something may refer to what it holds: who imports it, and what they import beside it. */
  around(unit: Unit): readonly Unit[] {
    const users = this.users(unit);
    return unit.isPartial ? [...this.reached(users)].filter((each) => each.isPartial || users.includes(each)) : users;
  }

  /** Itself; of a partial unit the first that imports it and is none. dwz leaves out imports of what has no names: for such a unit the first of the file, but one of assembly. */
  user(unit: Unit): Unit {
    const isWhole = (each: Unit): boolean => !each.isPartial && !each.isTypeUnit;
    const user = this.users(unit).find(isWhole);
    return user ?? this.dwarf.units.find((each) => each.isOwn && isWhole(each) && each.language !== 'assembly') ?? unit;
  }

  private reversed(): Map<Unit, Unit[]> {
    const reverse = new Map<Unit, Unit[]>();
    for (const unit of this.dwarf.units) {
      for (const imported of this.of(unit)) {
        const list = reverse.get(imported);
        if (list) list.push(unit);
        else reverse.set(imported, [unit]);
      }
    }
    return reverse;
  }

  private of(unit: Unit): readonly Unit[] {
    let units = this.direct.get(unit);
    if (units === undefined) this.direct.set(unit, (units = this.read(unit)));
    return units;
  }

  /** Producers write imports before all else but base types, which expressions refer to by short numbers: the rest of the unit need not be read for them. */
  private read(unit: Unit): Unit[] {
    const found = new Set<Unit>();
    const r = new Reader(this.dwarf.info, unit.dieOffset, unit.end);
    const root = unit.rootAbbrev(r.uleb());
    if (root?.hasChildren !== true || passOver(r, root, unit) >= 0) return [];
    while (r.more) {
      const offset = r.pos;
      const code = r.uleb();
      const abbrev = code === 0 ? undefined : unit.rootAbbrev(code);
      if (abbrev?.tag !== TAG.imported_unit && abbrev?.tag !== TAG.base_type) break;
      if (abbrev.tag === TAG.imported_unit) {
        const target = this.dwarf.unitAt(Die.at(unit, offset).refOffset(AT.import));
        if (target !== undefined && target !== unit) found.add(target);
      }
      if (abbrev.hasChildren || passOver(r, abbrev, unit) >= 0) break;
    }
    return [...found];
  }
}
