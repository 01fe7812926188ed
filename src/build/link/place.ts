/** Places sections: which input goes into which section of the image, in which order, at which address and file offset. */

import { mergeWanted } from './debug-strings';
import { type FrameRecord, placeFrames } from './ehframe';
import { EHDR_SIZE, PHDR_SIZE, SHF, SHT } from './elf';
import { type ImageLayout, type InputPattern, type OutputLayout } from './layout';
import { isMergeable, mergeSections } from './merge';
import { type InputObject, type InputSection, OutputSection } from './object';

/** A run of merged pieces inside an output section. */
export interface MergedBlock {
  readonly output: OutputSection;
  readonly offset: number;
  readonly data: Uint8Array;
}

/** A loadable segment with its place. */
export interface PlacedSegment {
  readonly name: string;
  readonly flags: number;
  readonly align: number;
  readonly sections: OutputSection[];
  address: number;
  fileOffset: number;
  fileSize: number;
  memorySize: number;
}

/** The whole arrangement. */
export interface Placement {
  readonly segments: PlacedSegment[];
  /** Loaded sections in order of address, then the others. */
  readonly sections: OutputSection[];
  readonly byLayout: ReadonlyMap<OutputLayout, OutputSection>;
  readonly merged: MergedBlock[];
  readonly programHeaders: number;
  tls: { start: number; end: number; align: number } | undefined;
  /** Address after the last byte of memory. */
  end: number;
  /** File offset after the last section. */
  fileEnd: number;
}

interface Slot {
  readonly output: OutputSection;
  readonly pattern: number;
  readonly sort: InputPattern['sort'];
  readonly keep: boolean;
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

/** Finds the place of sections by their names. */
export class Placer {
  private readonly slots = new Map<string, Slot | 'discard' | undefined>();
  private readonly outputs = new Map<OutputLayout, OutputSection>();
  private readonly orphans = new Map<string, OutputSection>();

  constructor(
    private readonly layout: ImageLayout,
    private readonly mergeStrings: boolean,
    private readonly debugFolders: readonly (readonly [string, string])[],
  ) {
    for (const segment of layout.segments)
      for (const section of segment.sections) this.outputs.set(section, new OutputSection(section.name));
  }

  private slot(name: string): Slot | 'discard' | undefined {
    if (this.slots.has(name)) return this.slots.get(name);
    let found: Slot | 'discard' | undefined;
    for (const segment of this.layout.segments) {
      for (const section of segment.sections) {
        const pattern = section.inputs.findIndex((p) => matches(p.name, name));
        if (pattern < 0 || found) continue;
        const p = section.inputs[pattern]!;
        found = { output: this.outputs.get(section)!, pattern, sort: p.sort, keep: p.keep ?? false };
      }
    }
    if (!found && this.layout.discard.some((p) => matches(p, name))) found = 'discard';
    this.slots.set(name, found);
    return found;
  }

  /** Whether the layout keeps a section that nothing refers to. */
  isKept(s: InputSection): boolean {
    const slot = this.slot(s.name);
    return slot !== undefined && slot !== 'discard' && slot.keep;
  }

  /** The section of the image that a part of the layout describes. */
  outputOf(layout: OutputLayout): OutputSection {
    return this.outputs.get(layout)!;
  }

  /** The section of the image that loaded inputs of a name without pattern go into; undefined where there are none. */
  orphanFor(objects: readonly InputObject[], name: string): OutputSection | undefined {
    for (const object of objects)
      for (const s of object.sections) if (s?.live && !s.discarded && s.alloc && s.name === name) return this.orphan(s);
    return undefined;
  }

  /** Marks what the layout drops. */
  discard(objects: readonly InputObject[]): void {
    for (const object of objects) for (const s of object.sections) if (s && this.slot(s.name) === 'discard') s.discarded = true;
  }

  /** Assigns live sections to sections of the image. */
  assign(objects: readonly InputObject[]): void {
    const lists = new Map<OutputSection, { s: InputSection; slot: Slot }[]>();
    for (const object of objects) {
      for (const s of object.sections) {
        if (!s?.live || s.discarded) continue;
        const slot = s.alloc ? this.slot(s.name) : undefined;
        if (slot === undefined || slot === 'discard') {
          this.orphan(s).inputs.push(s);
          continue;
        }
        let list = lists.get(slot.output);
        if (!list) lists.set(slot.output, (list = []));
        list.push({ s, slot });
      }
    }
    for (const [output, list] of lists) {
      // Sorting is stable: what no rule orders stays in the order of the objects.
      list.sort((a, b) => a.slot.pattern - b.slot.pattern || compare(a.slot.sort, a.s.name, b.s.name));
      for (const { s } of list) output.inputs.push(s);
    }
  }

  private orphan(s: InputSection): OutputSection {
    const key = `${s.name}\0${s.flags & (SHF.ALLOC | SHF.WRITE | SHF.EXECINSTR | SHF.TLS)}`;
    let output = this.orphans.get(key);
    if (!output) this.orphans.set(key, (output = new OutputSection(s.name)));
    return output;
  }

  /** Gives everything its place. `frames` are the taken-apart .eh_frame sections. */
  place(frames: ReadonlyMap<InputSection, readonly FrameRecord[]>, extraHeaders: number): Placement {
    const segments: PlacedSegment[] = this.layout.segments.map((l) => ({
      name: l.name,
      flags: l.flags,
      align: l.align,
      sections: this.withOrphans(l.flags, l.sections),
      address: 0,
      fileOffset: 0,
      fileSize: 0,
      memorySize: 0,
    }));
    const merged: MergedBlock[] = [];
    const aligns = new Map([...this.outputs].map(([l, o]) => [o, l.align ?? 1]));
    const debug = [...this.orphans.values()].filter((o) => (o.inputs[0]!.flags & SHF.ALLOC) === 0);
    for (const output of [...segments.flatMap((s) => s.sections), ...debug]) this.fill(output, aligns.get(output) ?? 1, frames, merged);

    const present = segments.filter((s) => s.sections.some((o) => o.size > 0) || (this.layout.headers && s === segments[0]));
    const programHeaders =
      present.length + extraHeaders + (segments.some((s) => s.sections.some((o) => (o.flags & SHF.TLS) !== 0 && o.size > 0)) ? 1 : 0);
    const placement: Placement = {
      segments: present,
      sections: [],
      byLayout: this.outputs,
      merged,
      programHeaders,
      tls: undefined,
      end: 0,
      fileEnd: 0,
    };
    this.addresses(segments, placement);
    let at = placement.fileEnd;
    for (const o of debug) {
      if (o.size === 0) continue;
      o.fileOffset = at = Math.ceil(at / o.align) * o.align;
      at += o.size;
      placement.sections.push(o);
    }
    placement.fileEnd = at;
    return placement;
  }

  /** Sections without a pattern follow those with the same access; thread-local and zero ones keep their places. */
  private withOrphans(flags: number, layouts: readonly OutputLayout[]): OutputSection[] {
    const sections = layouts.map((l) => this.outputs.get(l)!);
    const own = [...this.orphans.values()].filter((o) => {
      const f = o.inputs[0]!.flags;
      if ((f & SHF.ALLOC) === 0) return false;
      const access = 4 | ((f & SHF.WRITE) !== 0 ? 2 : 0) | ((f & SHF.EXECINSTR) !== 0 ? 1 : 0);
      return (
        access === flags &&
        this.layout.segments.find((s) => s.flags === access && s.sections === layouts) !== undefined &&
        this.lastWith(access) === layouts
      );
    });
    if (own.length === 0) return sections;
    const bss = sections.findIndex((s) => s.name === '.bss');
    const at = bss < 0 ? sections.length : bss;
    const isZero = (o: OutputSection): boolean => o.inputs.every((s) => s.type === SHT.NOBITS);
    return [...sections.slice(0, at), ...own.filter((o) => !isZero(o)), ...own.filter(isZero), ...sections.slice(at)];
  }

  private lastWith(flags: number): readonly OutputLayout[] | undefined {
    return this.layout.segments.filter((s) => s.flags === flags).at(-1)?.sections;
  }

  private fill(
    output: OutputSection,
    align: number,
    frames: ReadonlyMap<InputSection, readonly FrameRecord[]>,
    merged: MergedBlock[],
  ): void {
    let at = 0;
    output.align = align;
    const mergeable = new Map<string, Set<InputSection>>();
    for (const s of output.inputs) {
      if (!this.mergeStrings || !isMergeable(s)) continue;
      const key = `${s.flags & SHF.STRINGS} ${s.entsize}`;
      const list = mergeable.get(key);
      if (list) list.add(s);
      else mergeable.set(key, new Set([s]));
    }
    const done = new Set<InputSection>();
    const allFrames: FrameRecord[] = [];
    for (const s of output.inputs) {
      output.flags |= s.flags & (SHF.ALLOC | SHF.WRITE | SHF.EXECINSTR | SHF.TLS);
      if (s.type !== SHT.NOBITS) output.type = output.type === SHT.NOBITS ? s.type : output.type === s.type ? s.type : SHT.PROGBITS;
      output.align = Math.max(output.align, s.align);
      s.output = output;
      const records = frames.get(s);
      if (records) {
        allFrames.push(...records);
        s.outputOffset = 0;
        continue;
      }
      const list = mergeable.size > 0 ? mergeable.get(`${s.flags & SHF.STRINGS} ${s.entsize}`) : undefined;
      if (list?.has(s)) {
        if (done.has(s)) continue;
        let blockAlign = 1;
        for (const m of list) {
          done.add(m);
          blockAlign = Math.max(blockAlign, m.align);
        }
        at = Math.ceil(at / blockAlign) * blockAlign;
        const data = s.wanted ? mergeWanted([...list], at, this.debugFolders) : mergeSections([...list], at);
        merged.push({ output, offset: at, data });
        at += data.length;
        continue;
      }
      at = Math.ceil(at / s.align) * s.align;
      s.outputOffset = at;
      at += s.size;
    }
    if (allFrames.length > 0) at = placeFrames(allFrames);
    output.size = at;
    const first = output.inputs[0];
    const uniform = first && mergeable.size === 1 && output.inputs.every((s) => done.has(s));
    if (uniform) {
      output.flags |= first.flags & (SHF.MERGE | SHF.STRINGS);
      output.entsize = first.entsize;
    }
  }

  private addresses(segments: readonly PlacedSegment[], placement: Placement): void {
    let address = this.layout.base;
    let offset = 0;
    let tls: Placement['tls'];
    segments.forEach((segment, i) => {
      const withHeaders = i === 0 && this.layout.headers === true;
      address = Math.ceil(address / segment.align) * segment.align;
      offset = withHeaders ? 0 : Math.ceil(offset / segment.align) * segment.align;
      if (i === 0 && !withHeaders) offset = segment.align;
      segment.address = address;
      segment.fileOffset = offset;
      let at = withHeaders ? EHDR_SIZE + placement.programHeaders * PHDR_SIZE : 0;
      let fileEnd = at;
      for (const o of segment.sections) {
        const isTls = (o.flags & SHF.TLS) !== 0;
        const start = Math.ceil((address + at) / o.align) * o.align;
        o.address = start;
        // A section without bytes in the file says where it would be, as other linkers have it.
        o.fileOffset = offset + (start - address);
        if (isTls && o.size > 0) {
          tls ??= { start, end: start, align: 1 };
          tls.end = start + o.size;
          tls.align = Math.max(tls.align, o.align);
        }
        if (o.size > 0) placement.sections.push(o);
        // .tbss takes no room: every thread gets its own.
        if (isTls && o.type === SHT.NOBITS) continue;
        if (o.size === 0) continue;
        at = start - address + o.size;
        if (o.type !== SHT.NOBITS) fileEnd = at;
      }
      segment.fileSize = fileEnd;
      segment.memorySize = at;
      address += at;
      if (at > 0) offset += fileEnd;
    });
    placement.tls = tls;
    placement.end = address;
    placement.fileEnd = Math.max(offset, EHDR_SIZE + placement.programHeaders * PHDR_SIZE);
  }
}

/** Order of constructors: by the number at the end of the name, none last. */
function priority(name: string): number {
  const match = /\.(\d+)$/.exec(name);
  return match ? Number(match[1]) : 65536;
}

function compare(sort: InputPattern['sort'], a: string, b: string): number {
  if (sort === 'name') return a < b ? -1 : a > b ? 1 : 0;
  if (sort === 'init-priority') return priority(a) - priority(b);
  return 0;
}
