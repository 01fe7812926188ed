/** Whether a name can be looked for in a large .debug_info by where it stands in the string tables, without reading any of it. */
import { type Dwarf } from './dwarf';
import { Mentions, startsWith } from './mentions';
import { type Unit } from './unit';

/** Below this, reading all of it takes no longer. */
const worthwhileBytes = 4 << 20;
const lessThan = '<'.charCodeAt(0);
/** A name that is the end of more strings than this is common enough for all units. */
const mostPlaces = 4096;

/**
 * What stands in .debug_info where the name does: its bytes, or a number that is its place in .debug_str. Undefined where that does not tell: names by index
 * (DW_FORM_strx), a name that ends very many others, or a file so small that it is not worth it.
 */
export function spellingOf(dwarf: Dwarf, name: string): Mentions | undefined {
  const { info, sections } = dwarf;
  if (info.length < worthwhileBytes || name === '') return undefined;
  if (sections.get('.debug_str_offsets').length > 0 || sections.get('.debug_line_str').length > worthwhileBytes) return undefined;
  const text = new TextEncoder().encode(name);
  const places = placesOf(sections.get('.debug_str'), text);
  return places && new Mentions(info, places, text);
}

/** The units that may define the name; some of them hold its bytes by chance. Undefined where `spellingOf` is. */
export function unitsSpelling(dwarf: Dwarf, name: string): readonly Unit[] | undefined {
  const found = spellingOf(dwarf, name)?.within({ start: 0, end: dwarf.info.length });
  return found && [...new Set(found.map((at) => dwarf.unitAt(at)))].filter((unit) => unit !== undefined);
}

/** Where the name stands whole or before template arguments; undefined for too many places. Linkers merge a string that is the end of another into that one. */
function placesOf(bytes: Uint8Array, name: Uint8Array): number[] | undefined {
  const found: number[] = [];
  const [first, second] = name;
  for (let at = bytes.indexOf(first!); at >= 0; at = bytes.indexOf(first!, at + 1)) {
    if ((name.length > 1 && bytes[at + 1] !== second) || !startsWith(bytes, at, name)) continue;
    const next = bytes[at + name.length];
    if ((next === 0 || next === lessThan) && found.push(at) > mostPlaces) return undefined;
  }
  return found;
}
