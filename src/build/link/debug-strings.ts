/** Merges the strings of debug information, those that something refers to: of objects compiled with macros most belong to copies that the linker drops. */

import { SHF, STT } from './elf';
import { isMergeable, MergeMap } from './merge';
import { type InputObject, type InputSection } from './object';

/** Words of a relocation (Elf64_Rela): offset, offset's high half, type, symbol, addend, addend's high half. */
export const RELA_WORDS = 6;

function isStringTable(s: InputSection): boolean {
  return !s.alloc && s.live && !s.discarded && s.entsize === 1 && (s.flags & SHF.STRINGS) !== 0 && isMergeable(s);
}

/** Notes in each table of strings of debug information (`wanted`) where those start that live sections refer to. */
export function findWantedStrings(objects: readonly InputObject[]): void {
  for (const object of objects) {
    const seen = new Map<InputSection, Uint8Array>();
    for (const s of object.sections) {
      if (!s || !isStringTable(s)) continue;
      s.wanted = [];
      seen.set(s, new Uint8Array(s.size));
    }
    if (seen.size === 0) continue;
    // By symbol: the table that it lies in.
    const tables = object.symbols.map(({ section }) => (section && seen.has(section) ? section : undefined));
    for (const s of object.sections) {
      if (s?.live && !s.discarded && s.relaCount > 0) followStrings(object, s, tables, seen);
    }
  }
}

function followStrings(
  { words, symbols }: InputObject,
  s: InputSection,
  tables: readonly (InputSection | undefined)[],
  seen: ReadonlyMap<InputSection, Uint8Array>,
): void {
  const end = s.relaOffset / 4 + s.relaCount * RELA_WORDS;
  for (let w = s.relaOffset / 4; w < end; w += RELA_WORDS) {
    const index = words[w + 3]!;
    const table = tables[index];
    if (!table) continue;
    const symbol = symbols[index]!;
    let start = symbol.value + (symbol.type === STT.SECTION ? words[w + 4]! : 0);
    if (start >= table.size) continue;
    const { data } = table;
    while (start > 0 && data[start - 1] !== 0) start--;
    const known = seen.get(table)!;
    if (known[start] !== 0) continue;
    known[start] = 1;
    table.wanted!.push(start);
  }
}

/**
 * Merges sections whose wanted strings are known. Result: the merged bytes; each section gets its map. `base` is where they start.
 * `folders` are replaced at the start of strings: [what stands there, what comes in its place].
 */
export function mergeWanted(sections: readonly InputSection[], base: number, folders: readonly (readonly [string, string])[]): Uint8Array {
  // Names are looked up as text, whose hashing is the engine's own: an engine that has just started runs loops over bytes slowly.
  const decoder = new TextDecoder('latin1');
  const encoder = new TextEncoder();
  const others = folders.map(([from, to]) => ({ from, bytes: encoder.encode(to), text: decoder.decode(encoder.encode(to)) }));
  const known = new Map<string, number>();
  const pieces: Uint8Array[] = [];
  let length = 0;
  const place = (key: string, bytes: () => Uint8Array): number => {
    let at = known.get(key);
    if (at === undefined) {
      known.set(key, (at = length));
      const piece = bytes();
      pieces.push(piece);
      length += piece.length;
    }
    return at;
  };
  for (const s of sections) {
    const places = new Uint32Array(s.size);
    const from = base + length;
    const text = decoder.decode(s.data);
    for (const start of s.wanted ?? []) {
      const end = text.indexOf('\0', start);
      const string = text.slice(start, end);
      const other = string.startsWith('/') ? others.find(({ from }) => isBelow(string, from)) : undefined;
      const at = other
        ? place(other.text + string.slice(other.from.length), () =>
            joined(other.bytes, s.data.subarray(start + other.from.length, end + 1)),
          )
        : place(string, () => s.data.subarray(start, end + 1));
      places[start] = base + at + 1;
    }
    s.merged = new MergeMap(places, from, base + length);
  }
  const out = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/** Whether a path is a folder or lies below it. */
function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder) && (path.length === folder.length || path[folder.length] === '/');
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
