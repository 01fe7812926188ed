/** Which unit holds an address: from .debug_aranges, and from the root DIEs of the units that it leaves out (DWARF 5, section 6.1.2). */
import { UT } from './constants';
import { type Dwarf } from './dwarf';
import { type RangeEntry, RangeMap } from './range-map';
import { type Range, rangesOf } from './ranges';
import { Reader } from './reader';
import { type Unit } from './unit';

export class UnitMap {
  private readonly map: RangeMap<Unit>;
  private readonly byUnit = new Map<Unit, Range[]>();

  constructor(dwarf: Dwarf) {
    const entries: RangeEntry<Unit>[] = [];
    this.readAranges(dwarf);
    for (const unit of dwarf.units) {
      if (unit.type === UT.type || unit.type === UT.split_type) continue;
      if (!this.byUnit.has(unit)) this.byUnit.set(unit, merge(rangesOf(unit.root).filter((range) => dwarf.sections.isCode(range.low))));
      for (const range of this.byUnit.get(unit)!) entries.push({ ...range, value: unit });
    }
    this.map = new RangeMap(entries);
  }

  find(address: number): Unit | undefined {
    return this.map.find(address)?.value;
  }

  /** Sorted, merged ranges of code. */
  rangesOf(unit: Unit): readonly Range[] {
    return this.byUnit.get(unit) ?? [];
  }

  private readAranges(dwarf: Dwarf): void {
    const { sections } = dwarf;
    const bytes = sections.get('.debug_aranges');
    const collected = new Map<Unit, Range[]>();
    let next = 0;
    while (next + 12 <= bytes.length) {
      const start = next;
      const r = new Reader(bytes, start);
      let length = r.u32();
      const is64 = length === 0xffff_ffff;
      if (is64) length = r.u64();
      next = r.pos + length;
      if (next > bytes.length || next <= start) {
        sections.diagnostics.add('dwarf-aranges', 'The set reaches past the end of the section.', '.debug_aranges', start);
        break;
      }
      const version = r.u16();
      const unit = dwarf.unitAt(r.offset(is64));
      const addressSize = r.u8();
      const segmentSize = r.u8();
      if (version !== 2 || segmentSize !== 0 || (addressSize !== 4 && addressSize !== 8) || !unit) continue;
      // Tuples are aligned to their own size from the set's start.
      r.pos = start + Math.ceil((r.pos - start) / (2 * addressSize)) * 2 * addressSize;
      const ranges: Range[] = collected.get(unit) ?? [];
      while (r.pos + 2 * addressSize <= next) {
        const low = sections.address(r, addressSize);
        const size = r.unsigned(addressSize);
        if (low === sections.zero && size === 0) break;
        if (size > 0 && sections.isCode(low)) ranges.push({ low, high: low + size });
      }
      collected.set(unit, ranges);
    }
    // A set of data addresses only, or an empty one, does not say that the unit has no code.
    for (const [unit, ranges] of collected) if (ranges.length > 0) this.byUnit.set(unit, merge(ranges));
  }
}

function merge(ranges: readonly Range[]): Range[] {
  const sorted = [...ranges].sort((a, b) => a.low - b.low);
  const merged: { low: number; high: number }[] = [];
  for (const range of sorted) {
    const last = merged[merged.length - 1];
    if (last && range.low <= last.high) last.high = Math.max(last.high, range.high);
    else merged.push({ ...range });
  }
  return merged;
}
