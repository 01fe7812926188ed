/** Call frame information: the entries of .debug_frame and .eh_frame, found by address (DWARF 5, section 6.4; LSB 5, section 10.6). */
import { ET } from './elf';
import { type FrameRow, type FrameProgram, runFrame } from './cfi-program';
import { type RangeEntry, RangeMap } from './range-map';
import { Reader, stringAt } from './reader';
import { type DebugSections } from './sections';

export type FrameSection = '.debug_frame' | '.eh_frame';

/** A common information entry: the first one of those that say the same, as each object file has its own. */
export interface Cie extends FrameProgram {
  readonly offset: number;
  readonly augmentation: string;
  readonly codeAlignment: number;
  readonly dataAlignment: number;
  readonly returnAddressRegister: number;
  readonly signalFrame: boolean;
  readonly addressSize: number;
  /** DW_EH_PE_ encoding of FDE addresses; -1 for plain addresses. */
  readonly encoding: number;
  /** Does each FDE have augmentation data with a length? */
  readonly sized: boolean;
}

/** What a frame description entry covers, and where it is; internal addresses. */
interface Entry {
  readonly offset: number;
  readonly cie: Cie;
  readonly low: number;
  readonly high: number;
  readonly section: FrameSection;
  /** Where the address is, in bytes of the section. */
  readonly start: number;
  readonly end: number;
}

/** A frame description entry. */
export interface Fde extends Entry, FrameProgram {}

const PE = {
  format: 0x0f,
  sdata4: 0x0b,
  application: 0x70,
  indirect: 0x80,
  omit: 0xff,
  pcrel: 0x10,
  datarel: 0x30,
  textrel: 0x20,
} as const;

/** Do two entries of a section have the same bytes? */
function sameEntries(bytes: Uint8Array, one: number, other: number): boolean {
  const end = one + 4 + new Reader(bytes, one).u32();
  for (let i = 0; one + i < end; i++) if (bytes[one + i] !== bytes[other + i]) return false;
  return true;
}

export class CallFrames {
  /** Every one in order of the sections, those of dropped code included. There are thousands, of which a walk along the stack needs a few: only those are read whole. */
  private readonly entries: readonly Entry[];
  private readonly map: RangeMap<Entry>;

  constructor(private readonly sections: DebugSections) {
    this.entries = [...this.parse('.eh_frame'), ...this.parse('.debug_frame')];
    const ranges: RangeEntry<Entry>[] = [];
    // Of two entries for the same range the later wins, so .debug_frame comes last.
    for (const entry of this.entries) if (sections.isCode(entry.low)) ranges.push({ low: entry.low, high: entry.high, value: entry });
    this.map = new RangeMap(ranges);
  }

  get all(): readonly Fde[] {
    return this.entries.flatMap((entry) => this.fde(entry) ?? []);
  }

  find(address: number): Fde | undefined {
    const entry = this.map.find(address)?.value;
    return entry && this.fde(entry);
  }

  /** The row in force at an address. */
  rowAt(address: number): { fde: Fde; row: FrameRow } | undefined {
    const fde = this.find(address);
    if (!fde) return undefined;
    let found: FrameRow | undefined;
    for (const row of runFrame(this.sections, fde)) {
      if (row.low > address) break;
      found = row;
    }
    return found && { fde, row: found };
  }

  private parse(section: FrameSection): Entry[] {
    const { sections } = this;
    const bytes = sections.get(section);
    const isEh = section === '.eh_frame';
    const header = sections.section(section);
    const entries: Entry[] = [];
    if (!header) return entries;
    const base = sections.toInternal(header.address);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const cies = new Map<number, Cie | undefined>();
    let last: Cie | undefined;
    let offset = 0;
    while (offset + 4 <= bytes.length) {
      const start = offset;
      let length = view.getUint32(start, true);
      const is64 = length === 0xffff_ffff;
      const idAt = start + (is64 ? 12 : 4);
      if (is64) length = new Reader(bytes, start + 4).u64();
      offset = idAt + length;
      // A zero length ends .eh_frame; linked files may hold several ends.
      if (length === 0) continue;
      if (offset > bytes.length || offset <= start) {
        sections.diagnostics.add('dwarf-frame', 'The entry reaches past the end of the section.', section, start);
        break;
      }
      const isWide = is64 && !isEh;
      const id = isWide || length < 4 ? new Reader(bytes, idAt)[isWide ? 'u64' : 'u32']() : view.getUint32(idAt, true);
      const isCie = isEh ? id === 0 : id === (is64 ? 2 ** 64 : 0xffff_ffff);
      if (isCie) continue;
      const cieOffset = isEh ? idAt - id : id;
      if (!cies.has(cieOffset)) {
        const before: Cie | undefined = last;
        last = before !== undefined && sameEntries(bytes, before.offset, cieOffset) ? before : this.cie(section, bytes, cieOffset);
        cies.set(cieOffset, last);
      }
      const cie = cies.get(cieOffset);
      if (!cie) continue;
      const at = idAt + (isWide ? 8 : 4);
      let low: number | undefined;
      let size: number | undefined;
      // The two forms that compilers write, without more ado.
      if (cie.encoding < 0 && cie.addressSize === 8 && at + 16 <= offset) {
        low = sections.fromHalves(view.getUint32(at, true), view.getUint32(at + 4, true));
        size = view.getUint32(at + 8, true) + view.getUint32(at + 12, true) * 2 ** 32;
      } else if (cie.encoding === (PE.pcrel | PE.sdata4) && at + 8 <= offset) {
        low = base + at + view.getInt32(at, true);
        size = view.getInt32(at + 4, true);
      } else {
        const r = new Reader(bytes, at, offset);
        [low, size] = this.range(r, cie, base);
        if (r.failed) low = undefined;
      }
      if (low !== undefined && size !== undefined)
        entries.push({ offset: start, cie, low, high: low + size, section, start: at, end: offset });
      else sections.diagnostics.add('dwarf-frame', 'The frame description entry cannot be read.', section, start);
    }
    return entries;
  }

  /** Address and size at the beginning of an entry. */
  private range(r: Reader, cie: Cie, base: number): readonly [low: number | undefined, size: number | undefined] {
    if (cie.encoding < 0) return [this.sections.address(r, cie.addressSize), r.unsigned(cie.addressSize)];
    // The size has the format of the address, but is never relative.
    return [this.encoded(r, cie.encoding, cie.addressSize, base), this.encodedSize(r, cie.encoding, cie.addressSize)];
  }

  /** The whole of an entry. */
  private fde(entry: Entry): Fde | undefined {
    const { sections } = this;
    const { cie, section, start, end, offset } = entry;
    const bytes = sections.get(section);
    const encodingBase = sections.toInternal(sections.section(section)!.address);
    const r = new Reader(bytes, start, end);
    this.range(r, cie, encodingBase);
    if (cie.sized) r.skip(r.uleb());
    if (!r.failed) return { ...entry, bytes, start: r.pos, encodingBase };
    sections.diagnostics.add('dwarf-frame', 'The frame description entry cannot be read.', section, offset);
    return undefined;
  }

  private cie(section: FrameSection, bytes: Uint8Array, offset: number): Cie | undefined {
    const { sections } = this;
    const refuse = (message: string): undefined => {
      sections.diagnostics.add('dwarf-frame', message, section, offset);
      return undefined;
    };
    const header = new Reader(bytes, offset);
    let length = header.u32();
    const is64 = length === 0xffff_ffff;
    if (is64) length = header.u64();
    const r = new Reader(bytes, header.pos, header.pos + length);
    const isEh = section === '.eh_frame';
    const id = is64 && !isEh ? r.u64() : r.u32();
    if (header.failed || id !== (isEh ? 0 : is64 ? 2 ** 64 : 0xffff_ffff))
      return refuse('An entry refers to a common information entry that is none.');
    const version = r.u8();
    if (version !== 1 && version !== 3 && version !== 4) return refuse(`Common information entry of unknown version ${version}.`);
    const augmentation = stringAt(bytes.subarray(0, r.end), r.pos);
    r.skipString();
    let { addressSize } = sections as { addressSize: number };
    if (version === 4) {
      addressSize = r.u8();
      r.u8();
    }
    if (augmentation.startsWith('eh')) r.skip(addressSize);
    const codeAlignment = r.uleb();
    const dataAlignment = r.sleb();
    const returnAddressRegister = version === 1 ? r.u8() : r.uleb();
    let encoding = isEh ? 0 : -1;
    let signalFrame = false;
    const sized = augmentation.startsWith('z');
    if (sized) {
      const dataEnd = r.uleb() + r.pos;
      for (const letter of augmentation.slice(1)) {
        if (letter === 'R') encoding = r.u8();
        else if (letter === 'L') r.u8();
        else if (letter === 'P') this.encodedSize(r, r.u8(), addressSize);
        else if (letter === 'S') signalFrame = true;
        else break;
      }
      r.pos = dataEnd;
      r.skip(0);
    } else if (augmentation !== '' && !augmentation.startsWith('eh')) return refuse(`Unknown augmentation "${augmentation}".`);
    if (r.failed || (addressSize !== 4 && addressSize !== 8)) return refuse('The common information entry is damaged.');
    return {
      ...{ offset, augmentation, codeAlignment, dataAlignment, returnAddressRegister, signalFrame, addressSize, encoding, sized },
      ...{ bytes, start: r.pos, end: r.end, encodingBase: 0 },
    };
  }

  /** A pointer in DW_EH_PE_ encoding as an internal address; undefined where it depends on memory or on an unknown base. */
  private encoded(r: Reader, encoding: number, addressSize: number, base: number): number | undefined {
    const at = base + r.pos;
    const application = encoding & PE.application;
    if (encoding === PE.omit || encoding & PE.indirect) return undefined;
    if (application === 0) {
      const format = encoding & PE.format;
      return format === 0 || format === 4 || format === 0x0c
        ? this.sections.address(r, format === 0 ? addressSize : 8)
        : this.encodedSize(r, encoding, addressSize);
    }
    const value = this.encodedSize(r, encoding | 0x08, addressSize);
    if (value === undefined) return undefined;
    if (application === PE.pcrel) return at + value;
    const header = this.sections.elf.section(application === PE.datarel ? '.eh_frame_hdr' : '.text');
    return header && this.sections.elf.type !== ET.REL ? this.sections.toInternal(header.address) + value : undefined;
  }

  private encodedSize(r: Reader, encoding: number, addressSize: number): number | undefined {
    switch (encoding & PE.format) {
      case 0x00:
        return addressSize === 8 ? r.u64() : r.u32();
      case 0x01:
        return r.uleb();
      case 0x02:
        return r.u16();
      case 0x03:
        return r.u32();
      case 0x04:
        return r.u64();
      case 0x08:
        return addressSize === 8 ? Number(BigInt.asIntN(64, r.u64Big())) : r.i32();
      case 0x09:
        return r.sleb();
      case 0x0a:
        return (r.u16() << 16) >> 16;
      case 0x0b:
        return r.i32();
      case 0x0c:
        return Number(BigInt.asIntN(64, r.u64Big()));
      default:
        return undefined;
    }
  }
}
