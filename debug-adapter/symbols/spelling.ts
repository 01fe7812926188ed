/** Which units of a large .debug_info may define a name, without reading any: by where the name stands in the string tables, and who refers to it. */
import { type Dwarf } from './dwarf';
import { type Unit } from './unit';

/** Below this, reading all of it takes no longer. */
const worthwhileBytes = 4 << 20;
/** A name that is the end of more strings than this is common enough for all units. */
const mostPlaces = 4096;

/**
 * The units whose bytes hold the name, or a number that is its place in .debug_str; some of them may do so by chance. Undefined where that does not tell: names by index
 * (DW_FORM_strx), a name that ends very many others, or a file so small that it is not worth it.
 */
export function unitsSpelling(dwarf: Dwarf, name: string): readonly Unit[] | undefined {
  const { info, sections } = dwarf;
  if (info.length < worthwhileBytes || name === '') return undefined;
  if (sections.get('.debug_str_offsets').length > 0 || sections.get('.debug_line_str').length > worthwhileBytes) return undefined;
  const needle = new TextEncoder().encode(`${name}\0`);
  // Linkers merge a string that is the end of another into that one.
  const places = placesOf(sections.get('.debug_str'), needle);
  return places && [...new Set(mentions(info, needle, places).map((at) => dwarf.unitAt(at)))].filter((unit) => unit !== undefined);
}

const startsWith = (bytes: Uint8Array, at: number, needle: Uint8Array): boolean => needle.every((byte, i) => bytes[at + i] === byte);

/** Where the needle stands; undefined for too many places. */
function placesOf(bytes: Uint8Array, needle: Uint8Array): number[] | undefined {
  const found: number[] = [];
  const [first] = needle;
  for (let at = bytes.indexOf(first!); at >= 0; at = bytes.indexOf(first!, at + 1)) {
    if (bytes[at + 1] === needle[1] && startsWith(bytes, at, needle) && found.push(at) > mostPlaces) return undefined;
  }
  return found;
}

/** Where the needle stands, or one of the numbers as 32 bits, little-endian, at any alignment. */
function mentions(info: Uint8Array, needle: Uint8Array, numbers: readonly number[]): number[] {
  const wanted = new Set(numbers);
  /** By the lower half of what stands at a place: whether that is worth a closer look. */
  const halves = new Uint8Array(0x1_0000);
  for (const number of numbers) halves[number & 0xffff] = 1;
  halves[needle[0]! | (needle[1]! << 8)] = 1;
  const found: number[] = [];
  let half = (info[0] ?? 0) << 8;
  for (let at = 1; at < info.length; at++) {
    half = (half >> 8) | (info[at]! << 8);
    if (halves[half] === 0) continue;
    const start = at - 1;
    const number = half + (info[at + 1] ?? 0) * 0x1_0000 + (info[at + 2] ?? 0) * 0x100_0000;
    if (wanted.has(number) || startsWith(info, start, needle)) found.push(start);
  }
  return found;
}
