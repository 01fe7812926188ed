/** The address ranges of a DIE: low and high pc, .debug_ranges, .debug_rnglists (DWARF 5, sections 2.17 and 7.25). */
import { AT, FORM } from './constants';
import { type Die } from './die';
import { isAddressForm } from './forms';
import { Reader } from './reader';
import { type Unit } from './unit';

/** Half-open, internal addresses. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** A list longer than this is damage. */
const MAX_RANGES = 1 << 18;

const RLE = {
  end_of_list: 0,
  base_addressx: 1,
  startx_endx: 2,
  startx_length: 3,
  offset_pair: 4,
  base_address: 5,
  start_end: 6,
  start_length: 7,
} as const;

/** Ranges in the order recorded, empty ones left out; none for a DIE without code. */
export function rangesOf(die: Die): Range[] {
  if (die.has(AT.ranges)) return listRanges(die);
  const low = die.address(AT.low_pc);
  if (low === undefined) return [];
  // high_pc is an address, or an offset from low_pc (DWARF 5, section 2.17.2).
  const form = die.form(AT.high_pc);
  const high = isAddressForm(form) ? die.address(AT.high_pc) : form ? low + (die.number(AT.high_pc) ?? 0) : undefined;
  return high !== undefined && high > low ? [{ low, high }] : [];
}

function listRanges(die: Die): Range[] {
  const { unit } = die;
  const value = die.number(AT.ranges);
  if (value === undefined) return [];
  if (unit.version < 5) return oldRanges(unit, value);
  const offset = die.form(AT.ranges) === FORM.rnglistx ? unit.indexedList('.debug_rnglists', value) : value;
  return offset === undefined ? [] : rangeList(unit, offset);
}

/** .debug_ranges of DWARF 3 and 4. */
function oldRanges(unit: Unit, offset: number): Range[] {
  const { sections } = unit;
  const r = new Reader(sections.get('.debug_ranges'), offset);
  const size = unit.addressSize;
  const selection = size === 8 ? 2 ** 64 : 2 ** 32 - 1;
  const list: Range[] = [];
  let base = unit.lowPc;
  while (r.more && list.length < MAX_RANGES) {
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
    if (high > low) list.push({ low, high });
  }
  sections.diagnostics.add('dwarf-ranges', 'The range list does not end.', '.debug_ranges', offset);
  return list;
}

function rangeList(unit: Unit, offset: number): Range[] {
  const { sections } = unit;
  const r = new Reader(sections.get('.debug_rnglists'), offset);
  const size = unit.addressSize;
  const list: Range[] = [];
  let base = unit.lowPc;
  while (r.more && list.length < MAX_RANGES) {
    const kind = r.u8();
    let low: number | undefined;
    let high: number | undefined;
    switch (kind) {
      case RLE.end_of_list:
        return list;
      case RLE.base_addressx:
        base = unit.indexedAddress(r.uleb()) ?? base;
        continue;
      case RLE.base_address:
        base = sections.address(r, size);
        continue;
      case RLE.startx_endx:
        low = unit.indexedAddress(r.uleb());
        high = unit.indexedAddress(r.uleb());
        break;
      case RLE.startx_length:
        low = unit.indexedAddress(r.uleb());
        high = (low ?? 0) + r.uleb();
        break;
      case RLE.offset_pair:
        low = base + r.uleb();
        high = base + r.uleb();
        break;
      case RLE.start_end:
        low = sections.address(r, size);
        high = sections.address(r, size);
        break;
      case RLE.start_length:
        low = sections.address(r, size);
        high = low + r.uleb();
        break;
      default:
        sections.diagnostics.add('dwarf-ranges', `Unknown range list entry ${kind}.`, '.debug_rnglists', r.pos - 1);
        return list;
    }
    if (low !== undefined && high !== undefined && high > low && !r.failed) list.push({ low, high });
  }
  sections.diagnostics.add('dwarf-ranges', 'The range list does not end.', '.debug_rnglists', offset);
  return list;
}
