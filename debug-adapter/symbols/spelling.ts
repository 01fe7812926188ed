/** Whether a name can be looked for in a large .debug_info by where it stands in the string tables, without reading any of it. */
import { type Dwarf } from './dwarf';
import { Mentions, type Span, startsWith } from './mentions';
import { type Unit } from './unit';

/** Below this, reading all of it takes no longer. */
const worthwhileBytes = 4 << 20;
const lessThan = '<'.charCodeAt(0);
/** A name that is the end of more strings than this is common enough for all units. */
const mostPlaces = 4096;

/** What stands in .debug_info where a name does: its bytes, or a number that is a place of its in .debug_str. */
export class Spelling {
  #mentions: Mentions;

  /** @param places with the whole string that begins there */
  constructor(
    private readonly info: Uint8Array,
    private readonly text: Uint8Array,
    private places: ReadonlyMap<number, string>,
  ) {
    this.#mentions = this.#make();
  }

  #make(): Mentions {
    return new Mentions(this.info, [...this.places.keys()], this.text);
  }

  within(span: Span): number[] {
    return this.#mentions.within(span);
  }

  /** The string at a place is meant by some DIE: all that mean it do so by that place, as linkers have each string once. */
  settle(place: number): void {
    const string = this.places.get(place);
    if (string === undefined) return;
    const left = [...this.places].filter(([at, other]) => at === place || other !== string);
    if (left.length === this.places.size) return;
    this.places = new Map(left);
    this.#mentions = this.#make();
  }
}

/** Undefined where spelling does not tell: names by index (DW_FORM_strx) or in another file, a name that ends very many others, or a file so small that it is not worth it. */
export function spellingOf(dwarf: Dwarf, name: string): Spelling | undefined {
  const { info, sections } = dwarf;
  if (info.length < worthwhileBytes || name === '' || dwarf.supplement !== undefined) return undefined;
  if (sections.get('.debug_str_offsets').length > 0 || sections.get('.debug_line_str').length > worthwhileBytes) return undefined;
  const text = new TextEncoder().encode(name);
  const places = placesOf(sections.get('.debug_str'), text);
  return places && new Spelling(info, text, places);
}

/** The units that may define the name; some of them hold its bytes by chance. Undefined where `spellingOf` is. */
export function unitsSpelling(dwarf: Dwarf, name: string): readonly Unit[] | undefined {
  const found = spellingOf(dwarf, name)?.within({ start: 0, end: dwarf.info.length });
  return found && [...new Set(found.map((at) => dwarf.unitAt(at)))].filter((unit) => unit !== undefined);
}

/**
 * Where the name stands whole or before template arguments, with the whole string; undefined for too many places. Linkers merge a string that is the end of another into that one, but keep those apart
 * that stand alone anywhere.
 */
function placesOf(bytes: Uint8Array, name: Uint8Array): ReadonlyMap<number, string> | undefined {
  const alone = new Map<string, number[]>();
  const ends = new Map<string, number[]>();
  const decoder = new TextDecoder();
  let count = 0;
  const [first, second] = name;
  for (let at = bytes.indexOf(first!); at >= 0; at = bytes.indexOf(first!, at + 1)) {
    if ((name.length > 1 && bytes[at + 1] !== second) || !startsWith(bytes, at, name)) continue;
    const next = bytes[at + name.length];
    if (next !== 0 && next !== lessThan) continue;
    if (++count > mostPlaces) return undefined;
    const string = decoder.decode(bytes.subarray(at, bytes.indexOf(0, at)));
    const places = at === 0 || bytes[at - 1] === 0 ? alone : ends;
    const known = places.get(string);
    if (known === undefined) places.set(string, [at]);
    else known.push(at);
  }
  const found = new Map<number, string>();
  for (const places of [alone, ends])
    for (const [string, list] of places) if (places === alone || !alone.has(string)) for (const at of list) found.set(at, string);
  return found;
}
