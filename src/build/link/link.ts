/** The linker: relocatable objects and archives in, a static executable out (ET_EXEC, or ET_DYN for static-PIE). */

import { Archive, isArchive } from './archive';
import { findWantedStrings } from './debug-strings';
import { type FrameRecord, frameHeaderSize, hasPlainPointers, isLive, readFrames, writeFrameHeader } from './ehframe';
import { ElfError, SHF, SHT, SYM_SIZE } from './elf';
import { type LinkProblem, LinkProblems } from './errors';
import { markLive } from './gc';
import { type ImageLayout } from './layout';
import { type InputObject, type InputSection, isGlobal, type LinkSymbol, type OutputSection, parseObject } from './object';
import { Placer, type Placement } from './place';
import {
  applyDebugRelocations,
  applyRelocations,
  referenceAddress,
  type RelocationOutput,
  scanRelocations,
  targetAddress,
} from './relocate';
import { R_X86_64 } from './relocations';
import { SymbolTable } from './resolve';
import { Synthetic } from './synthetic';
import { buildSymbolTable, numberSections, planFile, set64, writeHeaders } from './write';

/** A file to link. */
export interface LinkInput {
  /** For messages. */
  readonly name: string;
  /** An object or an archive. */
  readonly bytes: Uint8Array;
}

/** Inputs whose symbols are seen by others only where exported. */
export interface LinkUnit {
  readonly name: string;
  readonly inputs: readonly LinkInput[];
  /** Undefined: all. */
  readonly exports?: readonly string[];
}

/** What to make. */
export interface LinkOptions {
  readonly layout: ImageLayout;
  /** Name of the entry point. */
  readonly entry: string;
  /** Further symbols that are entered from outside. */
  readonly keep?: readonly string[];
  readonly gcSections?: boolean;
  readonly pie?: boolean;
  /** Default: true. */
  readonly mergeStrings?: boolean;
  /** Folders that debug information names otherwise: [start of the path in the objects, what stands for it]. */
  readonly debugFolders?: readonly (readonly [string, string])[];
}

/** A piece of the image, for size reports. */
export interface LinkedPiece {
  readonly unit: string;
  readonly object: string;
  readonly section: string;
  readonly output: string;
  readonly address: number;
  readonly size: number;
}

/** The result; without `bytes` where there were errors. */
export interface LinkResult {
  readonly bytes?: Uint8Array;
  readonly entry: number;
  readonly problems: readonly LinkProblem[];
  /** Loaded pieces in order of address. */
  readonly pieces: () => LinkedPiece[];
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Links. Never throws on bad input: damaged files and unresolved names are problems. */
export function link(units: readonly LinkUnit[], options: LinkOptions): LinkResult {
  const problems = new LinkProblems();
  const none = (): LinkResult => ({ entry: 0, problems: problems.finish(), pieces: () => [] });
  try {
    return new Linker(units, options, problems).run() ?? none();
  } catch (error) {
    if (!(error instanceof ElfError || error instanceof RangeError)) throw error;
    problems.add('', error.name === 'RangeError' ? `An input is damaged: ${error.message}` : error.message);
    return none();
  }
}

/** Bytes of an image's file, beyond which there is a fault in the input. */
const LARGEST_FILE = 2 ** 30;

const TLS_MODULE_BASE = '_TLS_MODULE_BASE_';

/** A symbol of the layout, and what its address follows from. */
interface LayoutSymbol {
  readonly symbol: LinkSymbol;
  readonly output: OutputSection | 'base' | 'end' | 'thread pointer';
  readonly end: boolean;
}

/** Where the thread pointer is, taken that the initial values lay right before it (variant II of the ABI's thread-local storage); 0 without any. */
function threadPointer({ tls }: Placement): number {
  return tls ? Math.ceil(tls.end / tls.align) * tls.align : 0;
}

class Linker {
  private readonly table: SymbolTable;
  private readonly synthetic = new Synthetic();
  private readonly placer: Placer;
  private readonly frames = new Map<InputSection, readonly FrameRecord[]>();
  private readonly unitOf = new Map<InputObject, string>();
  private readonly pie: boolean;

  constructor(
    private readonly units: readonly LinkUnit[],
    private readonly options: LinkOptions,
    private readonly problems: LinkProblems,
  ) {
    this.table = new SymbolTable(problems);
    this.placer = new Placer(options.layout, options.mergeStrings ?? true, options.debugFolders ?? []);
    this.pie = options.pie ?? false;
  }

  run(): LinkResult | undefined {
    this.load();
    if (this.problems.failed) return undefined;
    const { table, synthetic, placer, options } = this;
    const roots = [options.entry, ...(options.keep ?? [])].map((name) => this.named(name));
    placer.discard(table.objects);
    synthetic.allocateCommons([...table.globals.values(), ...table.scoped.flatMap((m) => [...(m?.values() ?? [])])]);
    this.readFrameSections();
    const boundaries = this.boundarySections();
    markLive(table.objects, this.frames, options.gcSections ?? false, roots, (s) => placer.isKept(s), boundaries);
    table.objects.push(synthetic.object);

    const layoutSymbols = this.defineLayoutSymbols();
    const context = { pie: this.pie, problems: this.problems, synthetic };
    for (const object of table.objects) {
      for (const s of object.sections) {
        if (!s?.live || s.discarded || !s.alloc || s.relaCount === 0) continue;
        const records = this.frames.get(s);
        if (!records) scanRelocations(s, context);
        else for (const r of records) if (!r.cie || isLive(r)) scanRelocations(s, context, r.relaFrom, r.relaTo);
      }
    }
    const entry = this.named(options.entry);
    if (entry.state !== 'defined' && entry.state !== 'absolute') this.problems.add('', `Nothing defines the entry point ${options.entry}.`);
    if (this.problems.failed) return undefined;

    this.makeSynthetic();
    if (options.mergeStrings ?? true) findWantedStrings(table.objects);
    placer.assign(table.objects);
    const headerCount = 1 + (this.pie ? 1 : 0) + (this.synthetic.frameHeader ? 1 : 0);
    const placement = placer.place(this.frames, headerCount);
    numberSections(placement);
    this.valueLayoutSymbols(layoutSymbols, placement);
    return this.write(placement, entry);
  }

  private named(name: string): LinkSymbol {
    for (const own of this.table.scoped) {
      const symbol = own?.get(name);
      if (symbol && symbol.state !== 'undefined') return symbol;
    }
    return this.table.lookup(name, -1);
  }

  private load(): void {
    const { table } = this;
    const archives: { scope: number; archive: Archive }[] = [];
    for (const unit of this.units) {
      const objects: InputObject[] = [];
      for (const input of unit.inputs) {
        if (isArchive(input.bytes)) {
          const archive = new Archive(input.bytes, input.name);
          archives.push({ scope: -1, archive });
          table.addArchive(archive);
        } else objects.push(parseObject(input.bytes, input.name));
      }
      const definitions = unit.exports
        ? objects.flatMap((o) => o.rawSymbols.filter((s) => isGlobal(s) && s.shndx !== 0).map((s) => s.name))
        : [];
      const scope = table.addScope(unit.exports ? { exports: new Set(unit.exports) } : {}, definitions);
      for (const object of objects) {
        object.scope = scope;
        this.unitOf.set(object, unit.name);
        table.addObject(object);
      }
    }
    for (const name of [this.options.entry, ...(this.options.keep ?? [])]) if (this.named(name).state === 'undefined') table.want(name);
    if (archives.length > 0) table.loadArchives(-1);
  }

  private readFrameSections(): void {
    for (const object of this.table.objects) {
      for (const s of object.sections) {
        if (!s || s.discarded || s.name !== '.eh_frame' || !s.alloc) continue;
        const records = readFrames(s);
        if (records) this.frames.set(s, records);
        else this.problems.add(object.name, `The .eh_frame of ${object.name} is not understood; it is kept as it is.`, 'warning');
      }
    }
  }

  /** Names of sections whose bounds some object asks for with __start_ or __stop_. */
  private boundarySections(): Set<string> {
    const names = new Set<string>();
    for (const name of this.table.globals.keys()) {
      if (!name.startsWith('__st')) continue;
      const match = /^__(?:start|stop)_(.+)$/.exec(name);
      if (match && IDENTIFIER.test(match[1]!)) names.add(match[1]!);
    }
    return names;
  }

  /** Defines the layout's symbols that no object defines; their values follow when places are known. */
  private defineLayoutSymbols(): LayoutSymbol[] {
    const { layout } = this.options;
    const found: LayoutSymbol[] = [];
    const marker = this.synthetic.section('', SHT.PROGBITS, SHF.ALLOC, 1, 0);
    this.synthetic.object.sections.pop(); // it stands for addresses and takes no place
    const define = (name: string, output: LayoutSymbol['output'], end: boolean): void => {
      const symbol = this.table.lookup(name, -1);
      if (symbol.state !== 'undefined') return;
      symbol.state = 'defined';
      symbol.section = marker;
      found.push({ symbol, output, end });
    };
    for (const name of layout.start) define(name, 'base', false);
    for (const name of layout.end) define(name, 'end', true);
    // What code for local-dynamic access with descriptors starts from: in an executable the thread pointer itself.
    if (this.table.globals.has(TLS_MODULE_BASE)) define(TLS_MODULE_BASE, 'thread pointer', false);
    for (const segment of layout.segments) {
      for (const section of segment.sections) {
        const output = this.placer.outputOf(section);
        for (const name of section.start ?? []) define(name, output, false);
        for (const name of section.end ?? []) define(name, output, true);
      }
    }
    for (const name of this.boundarySections()) {
      for (const [prefix, end] of [
        ['__start_', false],
        ['__stop_', true],
      ] as const) {
        const symbol = this.table.globals.get(prefix + name);
        const output = symbol?.state === 'undefined' ? this.placer.orphanFor(this.table.objects, name) : undefined;
        if (output) define(prefix + name, output, end);
      }
    }
    return found;
  }

  private valueLayoutSymbols(found: readonly LayoutSymbol[], placement: Placement): void {
    for (const { symbol, output, end } of found) {
      const at =
        output === 'base'
          ? this.options.layout.base
          : output === 'end'
            ? placement.end
            : output === 'thread pointer'
              ? threadPointer(placement)
              : output.address + (end ? output.size : 0);
      const marker = this.synthetic.section('', SHT.PROGBITS, SHF.ALLOC, 1, 0);
      this.synthetic.object.sections.pop();
      // A section outside of the file is named by its address alone.
      const home =
        output === 'base'
          ? placement.segments[0]?.sections.find((o) => o.size > 0)
          : output === 'end' || output === 'thread pointer'
            ? placement.segments.at(-1)?.sections.findLast((o) => o.size > 0)
            : output;
      marker.output = home;
      marker.outputOffset = at - (home?.address ?? 0);
      symbol.section = marker;
      symbol.value = 0;
    }
  }

  private makeSynthetic(): void {
    const { synthetic } = this;
    const RW = SHF.ALLOC | SHF.WRITE;
    for (const symbol of synthetic.iplt) synthetic.gotSlots.push({ symbol, kind: 'indirect' });
    if (synthetic.gotSlots.length > 0) {
      const got = (synthetic.got = synthetic.section('.got', SHT.PROGBITS, RW, 8, synthetic.gotSlots.length * 8));
      synthetic.gotSlots.forEach(({ symbol, kind }, i) => {
        if (kind === 'indirect') synthetic.indirect.push({ section: got, offset: i * 8, kind: 'indirect', symbol, addend: 0 });
        else if (this.pie && kind === 'address' && symbol.state === 'defined')
          synthetic.dynamic.push({ section: got, offset: i * 8, kind: 'relative', symbol, addend: 0 });
      });
    }
    if (synthetic.iplt.length > 0)
      synthetic.ipltSection = synthetic.section('.iplt', SHT.PROGBITS, SHF.ALLOC | SHF.EXECINSTR, 16, synthetic.iplt.length * 16);
    if (!this.pie && synthetic.indirect.length > 0)
      synthetic.relaIplt = synthetic.section('.rela.iplt', SHT.RELA, SHF.ALLOC, 8, synthetic.indirect.length * 24);
    if (this.pie) {
      synthetic.section('.dynsym', SHT.DYNSYM, SHF.ALLOC, 8, SYM_SIZE);
      synthetic.section('.dynstr', SHT.STRTAB, SHF.ALLOC, 1, 1);
      const count = synthetic.dynamic.length + synthetic.indirect.length;
      if (count > 0) synthetic.relaDyn = synthetic.section('.rela.dyn', SHT.RELA, SHF.ALLOC, 8, count * 24);
      synthetic.dynamicSection = synthetic.section('.dynamic', SHT.DYNAMIC, RW, 8, 16 * 10);
    }
    const fdes = [...this.frames.values()].flat().filter((r) => r.cie && isLive(r));
    if (fdes.length > 0 && fdes.every(hasPlainPointers))
      synthetic.frameHeader = synthetic.section('.eh_frame_hdr', SHT.PROGBITS, SHF.ALLOC, 4, frameHeaderSize(fdes.length));
  }

  private write(placement: Placement, entry: LinkSymbol): LinkResult | undefined {
    const { table, synthetic } = this;
    const tls = placement.tls;
    const tlsStart = tls?.start ?? 0;
    const symbols = buildSymbolTable(table.objects, table.globals.values(), tlsStart);
    const file = planFile(placement, symbols);
    if (file.size > LARGEST_FILE) {
      this.problems.add('', `The image's file would take ${file.size} bytes: some section is damaged, or is aligned to far too much.`);
      return undefined;
    }
    const bytes = new Uint8Array(file.size);
    const view = new DataView(bytes.buffer);
    const addressOf = (s: InputSection | undefined): number => (s?.output ? s.output.address + s.outputOffset : 0);
    const out: RelocationOutput = {
      pie: this.pie,
      problems: this.problems,
      synthetic,
      bytes,
      view,
      gotAddress: addressOf(synthetic.got),
      ipltAddress: addressOf(synthetic.ipltSection),
      tp: threadPointer(placement),
      tlsStart,
    };
    for (const block of placement.merged) bytes.set(block.data, block.output.fileOffset + block.offset);
    for (const o of placement.sections) {
      if (o.type === SHT.NOBITS) continue;
      if ((o.flags & SHF.EXECINSTR) !== 0) bytes.fill(0x90, o.fileOffset, o.fileOffset + o.size);
      for (const s of o.inputs) this.copy(s, o, bytes, out);
    }
    this.writeSynthetic(out, placement);
    const extra = {
      ...(synthetic.dynamicSection?.output && { dynamic: synthetic.dynamicSection.output }),
      ...(synthetic.frameHeader?.output && { frameHeader: synthetic.frameHeader.output }),
    };
    writeHeaders(bytes, file, placement, symbols, referenceAddress(entry, out.ipltAddress), this.pie, extra);
    if (this.problems.failed) return undefined;
    return { bytes, entry: entry.address, problems: this.problems.finish(), pieces: () => this.pieces(placement) };
  }

  private copy(s: InputSection, o: OutputSection, bytes: Uint8Array, out: RelocationOutput): void {
    const records = this.frames.get(s);
    if (records) {
      const view = out.view;
      for (const r of records) {
        if (r.outputOffset < 0) continue;
        const to = o.fileOffset + r.outputOffset;
        bytes.set(s.data.subarray(r.offset, r.offset + r.size), to);
        if (r.cie) view.setUint32(to + 4, r.outputOffset + 4 - r.cie.outputOffset, true);
        applyRelocations(s, out, to - r.offset, o.address + r.outputOffset - r.offset, r.relaFrom, r.relaTo);
      }
      return;
    }
    if (s.merged) return;
    if (s.type !== SHT.NOBITS) bytes.set(s.data, o.fileOffset + s.outputOffset);
    if (s.relaCount === 0) return;
    if (!s.alloc) applyDebugRelocations(s, out, o.fileOffset + s.outputOffset);
    else applyRelocations(s, out, o.fileOffset + s.outputOffset, o.address + s.outputOffset);
  }

  private writeSynthetic(out: RelocationOutput, placement: Placement): void {
    const { synthetic } = this;
    const { view } = out;
    const fileAt = (s: InputSection): number => s.output!.fileOffset + s.outputOffset;
    const address = (s: InputSection): number => s.output!.address + s.outputOffset;
    synthetic.gotSlots.forEach(({ symbol, kind }, i) => {
      const value =
        kind === 'tp-offset'
          ? symbol.state === 'defined'
            ? symbol.address - out.tp
            : 0
          : kind === 'indirect'
            ? symbol.address
            : referenceAddress(symbol, out.ipltAddress);
      set64(view, fileAt(synthetic.got!) + 8 * i, value);
    });
    const firstIndirect = synthetic.gotSlots.length - synthetic.iplt.length;
    synthetic.iplt.forEach((symbol, i) => {
      const to = fileAt(synthetic.ipltSection!) + symbol.iplt;
      // jmp *slot(%rip)
      out.bytes.set([0xff, 0x25], to);
      view.setInt32(to + 2, out.gotAddress + 8 * (firstIndirect + i) - (address(synthetic.ipltSection!) + symbol.iplt + 6), true);
    });
    const rela = (s: InputSection | undefined, list: Synthetic['dynamic'], from: number): void => {
      list.forEach((r, i) => {
        const to = fileAt(s!) + (from + i) * 24;
        set64(view, to, r.section.addressOf(r.offset));
        set64(view, to + 8, r.kind === 'relative' ? R_X86_64.RELATIVE : R_X86_64.IRELATIVE);
        set64(view, to + 16, r.kind === 'relative' ? targetAddress(r.symbol, r.addend, out.ipltAddress) : r.symbol.address + r.addend);
      });
    };
    if (this.pie) {
      rela(synthetic.relaDyn, synthetic.dynamic, 0);
      rela(synthetic.relaDyn, synthetic.indirect, synthetic.dynamic.length);
      this.writeDynamic(view, fileAt(synthetic.dynamicSection!), placement);
    } else rela(synthetic.relaIplt, synthetic.indirect, 0);
    const header = synthetic.frameHeader;
    if (header) {
      const records = [...this.frames.values()].flat().filter((r) => r.cie && r.outputOffset >= 0);
      const frame = records[0]!.section.output!;
      const fdes = records.map((r) => ({ pc: r.target!.address + r.targetAddend, fde: frame.address + r.outputOffset }));
      writeFrameHeader(view, fileAt(header), address(header), frame.address, fdes);
    }
  }

  /** The dynamic section: where the run-time relocations are (System V ABI, chapter 5, "Dynamic Section"). */
  private writeDynamic(view: DataView, at: number, placement: Placement): void {
    const place = (name: string): number => placement.sections.find((o) => o.name === name)?.address ?? 0;
    const rela = this.synthetic.relaDyn;
    const entries: [number, number][] = [
      [5, place('.dynstr')],
      [6, place('.dynsym')],
      [10, 1],
      [11, SYM_SIZE],
      [0x6ffffffb, 0x08000000], // DT_FLAGS_1: DF_1_PIE
    ];
    if (rela) entries.push([7, place('.rela.dyn')], [8, rela.size], [9, 24], [0x6ffffff9, this.synthetic.dynamic.length]);
    entries.forEach(([tag, value], i) => {
      set64(view, at + 16 * i, tag);
      set64(view, at + 16 * i + 8, value);
    });
  }

  private pieces(placement: Placement): LinkedPiece[] {
    const list: LinkedPiece[] = [];
    for (const o of placement.sections) {
      if ((o.flags & SHF.ALLOC) === 0) continue;
      for (const s of o.inputs) {
        // Frame records of all objects are mixed; of equal strings the first object that has one owns it.
        const address = this.frames.has(s) ? o.address : s.merged ? o.address + s.merged.from : s.addressOf(0);
        const size = this.frames.has(s) ? o.size : s.merged ? s.merged.to - s.merged.from : s.size;
        if (size === 0) continue;
        list.push({
          unit: this.unitOf.get(s.object) ?? s.object.name.replace(/\(.*\)$/, ''),
          object: s.object.name,
          section: s.name,
          output: o.name,
          address,
          size,
        });
        if (this.frames.has(s)) break;
      }
    }
    return list.sort((a, b) => a.address - b.address);
  }
}
