/** Call frame information: the entries of .debug_frame and .eh_frame, found by address (DWARF 5, section 6.4; LSB 5, section 10.6). */
import { ET } from './elf';
import { type FrameRow, type FrameProgram, runFrame } from './cfi-program';
import { type RangeEntry, RangeMap } from './range-map';
import { Reader, stringAt } from './reader';
import { type DebugSections } from './sections';

export type FrameSection = '.debug_frame' | '.eh_frame';

/** A common information entry. */
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

/** A frame description entry; internal addresses. */
export interface Fde extends FrameProgram {
  readonly offset: number;
  readonly cie: Cie;
  readonly low: number;
  readonly high: number;
  readonly section: FrameSection;
}

const PE = { format: 0x0f, application: 0x70, indirect: 0x80, omit: 0xff, pcrel: 0x10, datarel: 0x30, textrel: 0x20 } as const;

export class CallFrames {
  /** Every entry in order of the sections, those of dropped code included. */
  readonly all: readonly Fde[];
  private readonly map: RangeMap<Fde>;

  constructor(private readonly sections: DebugSections) {
    this.all = [...this.parse('.eh_frame'), ...this.parse('.debug_frame')];
    const entries: RangeEntry<Fde>[] = [];
    // Of two entries for the same range the later wins, so .debug_frame comes last.
    for (const fde of this.all) if (sections.isCode(fde.low)) entries.push({ low: fde.low, high: fde.high, value: fde });
    this.map = new RangeMap(entries);
  }

  find(address: number): Fde | undefined {
    return this.map.find(address)?.value;
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

  private *parse(section: FrameSection): Generator<Fde> {
    const { sections } = this;
    const bytes = sections.get(section);
    const isEh = section === '.eh_frame';
    const header = sections.section(section);
    if (!header) return;
    const base = sections.toInternal(header.address);
    const cies = new Map<number, Cie | undefined>();
    let offset = 0;
    while (offset + 4 <= bytes.length) {
      const start = offset;
      const r = new Reader(bytes, offset);
      let length = r.u32();
      const is64 = length === 0xffff_ffff;
      if (is64) length = r.u64();
      const idAt = r.pos;
      offset = idAt + length;
      // A zero length ends .eh_frame; linked files may hold several ends.
      if (length === 0) continue;
      if (offset > bytes.length || offset <= start) {
        sections.diagnostics.add('dwarf-frame', 'The entry reaches past the end of the section.', section, start);
        return;
      }
      const id = is64 && !isEh ? r.u64() : r.u32();
      const isCie = isEh ? id === 0 : id === (is64 ? 2 ** 64 : 0xffff_ffff);
      if (isCie) continue;
      const cieOffset = isEh ? idAt - id : id;
      if (!cies.has(cieOffset)) cies.set(cieOffset, this.cie(section, bytes, cieOffset));
      const cie = cies.get(cieOffset);
      if (!cie) continue;
      const fde = this.fde(section, bytes, new Reader(bytes, r.pos, offset), start, cie, base);
      if (fde) yield fde;
      else sections.diagnostics.add('dwarf-frame', 'The frame description entry cannot be read.', section, start);
    }
  }

  private fde(section: FrameSection, bytes: Uint8Array, r: Reader, offset: number, cie: Cie, base: number): Fde | undefined {
    const { sections } = this;
    let low: number | undefined;
    let size: number | undefined;
    if (cie.encoding < 0) {
      low = sections.address(r, cie.addressSize);
      size = r.unsigned(cie.addressSize);
    } else {
      low = this.encoded(r, cie.encoding, cie.addressSize, base);
      // The size has the format of the address, but is never relative.
      size = this.encodedSize(r, cie.encoding, cie.addressSize);
    }
    if (low === undefined || size === undefined) return undefined;
    if (cie.sized) r.skip(r.uleb());
    if (r.failed) return undefined;
    return { offset, cie, low, high: low + size, section, bytes, start: r.pos, end: r.end, encodingBase: base };
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
