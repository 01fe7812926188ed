/** Decides which sections are taken into the image: all, or with garbage collection those that something kept refers to. */

import { RELA_WORDS } from './debug-strings';
import { type FrameRecord, isLive } from './ehframe';
import { SHF, SHT } from './elf';
import { type InputObject, type InputSection, type LinkSymbol } from './object';

const SHF_GNU_RETAIN = 0x200000;
const KEPT_NAMES = /^\.(init|fini|jcr|init_array|fini_array|preinit_array|ctors|dtors)(\.|$)/;

/** Marks sections. `isKept` says which the layout keeps; `roots` are symbols that are entered from outside. */
export function markLive(
  objects: readonly InputObject[],
  frames: ReadonlyMap<InputSection, readonly FrameRecord[]>,
  gc: boolean,
  roots: readonly LinkSymbol[],
  isKept: (s: InputSection) => boolean,
  boundaryNames: ReadonlySet<string>,
): void {
  const work: InputSection[] = [];
  const mark = (s: InputSection | undefined): void => {
    if (!s || s.live || s.discarded) return;
    s.live = true;
    work.push(s);
  };
  const markSymbol = (symbol: LinkSymbol | undefined): void => {
    if (!symbol) return;
    if (symbol.section) mark(symbol.section);
  };

  for (const object of objects) {
    for (const s of object.sections) {
      if (!s || s.discarded) continue;
      if (!gc || !s.alloc || isRoot(s, isKept, boundaryNames)) mark(s);
    }
  }
  if (!gc) return;
  for (const symbol of roots) markSymbol(symbol);

  const pending = [...frames.values()].flat().filter((r) => r.cie);
  let waiting: FrameRecord[] = pending;
  for (;;) {
    for (let s = work.pop(); s; s = work.pop()) {
      // Debug information refers to everything and keeps nothing; frames keep what they need only when their function is there.
      if (s.alloc && !frames.has(s)) followRelocations(s, 0, s.relaCount, markSymbol);
    }
    const later: FrameRecord[] = [];
    for (const fde of waiting) {
      if (!isLive(fde)) {
        later.push(fde);
        continue;
      }
      followRelocations(fde.section, fde.relaFrom, fde.relaTo, markSymbol);
      followRelocations(fde.cie!.section, fde.cie!.relaFrom, fde.cie!.relaTo, markSymbol);
    }
    if (work.length === 0) return;
    waiting = later;
  }
}

function isRoot(s: InputSection, isKept: (s: InputSection) => boolean, boundaryNames: ReadonlySet<string>): boolean {
  return (
    isKept(s) ||
    s.type === SHT.INIT_ARRAY ||
    s.type === SHT.FINI_ARRAY ||
    s.type === SHT.PREINIT_ARRAY ||
    s.type === SHT.NOTE ||
    (s.flags & SHF_GNU_RETAIN) !== 0 ||
    KEPT_NAMES.test(s.name) ||
    s.name === '.eh_frame' ||
    boundaryNames.has(s.name) ||
    ((s.flags & SHF.ALLOC) !== 0 && s.object.symbols.length === 0)
  );
}

function followRelocations(s: InputSection, from: number, to: number, visit: (symbol: LinkSymbol | undefined) => void): void {
  const { words, symbols } = s.object;
  for (let i = from; i < to; i++) visit(symbols[words[s.relaOffset / 4 + i * RELA_WORDS + 3]!]);
}
