/** Location lists: .debug_loc of DWARF 4 and .debug_loclists of DWARF 5 (sections 2.6.2 and 7.29). */
import { FORM } from './constants';
import { type Die } from './die';
import { Reader } from './reader';
import { type Unit } from './unit';

export interface LocationEntry {
  /** Internal addresses; absent for the default entry. */
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly bytes: Uint8Array;
}

const MAX_ENTRIES = 1 << 16;

const LLE = {
  end_of_list: 0,
  base_addressx: 1,
  startx_endx: 2,
  startx_length: 3,
  offset_pair: 4,
  default_location: 5,
  base_address: 6,
  start_end: 7,
  start_length: 8,
  GNU_view_pair: 9,
} as const;

/** The list that an attribute of a DIE names, in recorded order; empty ranges are kept out. */
export function locationList(die: Die, at: number): LocationEntry[] {
  const value = die.number(at);
  if (value === undefined) return [];
  if (die.unit.version < 5) return oldList(die.unit, value);
  const offset = die.form(at) === FORM.loclistx ? die.unit.indexedList('.debug_loclists', value) : value;
  return offset === undefined ? [] : newList(die.unit, offset);
}

function oldList(unit: Unit, offset: number): LocationEntry[] {
  const { sections } = unit;
  const r = new Reader(sections.get('.debug_loc'), offset);
  const size = unit.addressSize;
  const selection = size === 8 ? 2 ** 64 : 2 ** 32 - 1;
  const list: LocationEntry[] = [];
  let base = unit.lowPc;
  while (r.more && list.length < MAX_ENTRIES) {
    const start = r.pos;
    const first = r.unsigned(size);
    const second = r.unsigned(size);
    if (first === 0 && second === 0) return list;
    r.pos = start;
    if (first === selection) {
      r.skip(size);
      base = sections.address(r, size);
      continue;
    }
    const low = sections.relative(r, base, size);
    const high = sections.relative(r, base, size);
    const bytes = r.take(r.u16());
    if (high > low && !r.failed) list.push({ low, high, bytes });
  }
  sections.diagnostics.add('dwarf-location-list', 'The location list does not end.', '.debug_loc', offset);
  return list;
}

function newList(unit: Unit, offset: number): LocationEntry[] {
  const { sections } = unit;
  const r = new Reader(sections.get('.debug_loclists'), offset);
  const size = unit.addressSize;
  const list: LocationEntry[] = [];
  let base = unit.lowPc;
  while (r.more && list.length < MAX_ENTRIES) {
    const kind = r.u8();
    let low: number | undefined;
    let high: number | undefined;
    switch (kind) {
      case LLE.end_of_list:
        return list;
      case LLE.base_addressx:
        base = unit.indexedAddress(r.uleb()) ?? base;
        continue;
      case LLE.base_address:
        base = sections.address(r, size);
        continue;
      case LLE.GNU_view_pair:
        r.skipLeb();
        r.skipLeb();
        continue;
      case LLE.startx_endx:
        low = unit.indexedAddress(r.uleb());
        high = unit.indexedAddress(r.uleb());
        break;
      case LLE.startx_length:
        low = unit.indexedAddress(r.uleb());
        high = (low ?? 0) + r.uleb();
        break;
      case LLE.offset_pair:
        low = base + r.uleb();
        high = base + r.uleb();
        break;
      case LLE.default_location:
        break;
      case LLE.start_end:
        low = sections.address(r, size);
        high = sections.address(r, size);
        break;
      case LLE.start_length:
        low = sections.address(r, size);
        high = low + r.uleb();
        break;
      default:
        sections.diagnostics.add('dwarf-location-list', `Unknown location list entry ${kind}.`, '.debug_loclists', r.pos - 1);
        return list;
    }
    const bytes = r.take(r.uleb());
    if (r.failed) break;
    if (kind === LLE.default_location) list.push({ low: undefined, high: undefined, bytes });
    else if (low !== undefined && high !== undefined && high > low) list.push({ low, high, bytes });
  }
  sections.diagnostics.add('dwarf-location-list', 'The location list does not end.', '.debug_loclists', offset);
  return list;
}
