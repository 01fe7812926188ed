/** Takes .eh_frame apart, so that records of dropped functions go, and makes .eh_frame_hdr (LSB Core, "Exception Frames"). */

import { RELA_SIZE } from './elf';
import { type InputSection, type LinkSymbol } from './object';
import { R_X86_64 } from './relocations';

/** A record of an input .eh_frame. */
export interface FrameRecord {
  readonly section: InputSection;
  readonly offset: number;
  /** With the length field. */
  readonly size: number;
  /** The CIE of an FDE; undefined for a CIE. */
  readonly cie: FrameRecord | undefined;
  /** What an FDE describes. */
  readonly target: LinkSymbol | undefined;
  readonly targetAddend: number;
  /** Range of its relocations. */
  readonly relaFrom: number;
  readonly relaTo: number;
  /** Offset in the output section; -1: dropped. */
  outputOffset: number;
}

/** Records of a section; undefined where it is not understood, and must then be taken as it is. Relocations must ascend by offset, as assemblers write them. */
export function readFrames(section: InputSection): FrameRecord[] | undefined {
  const { data, object } = section;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const records: FrameRecord[] = [];
  const byOffset = new Map<number, FrameRecord>();
  let rela = 0;
  const relaOffset = (i: number): number => object.view.getUint32(section.relaOffset + i * RELA_SIZE, true);
  for (let at = 0; at + 4 <= data.length;) {
    const length = view.getUint32(at, true);
    if (length === 0) break;
    const size = length + 4;
    if (length === 0xffffffff || length < 4 || at + size > data.length) return undefined;
    const relaFrom = rela;
    while (rela < section.relaCount && relaOffset(rela) < at + size) {
      if (relaOffset(rela) < at) return undefined;
      rela++;
    }
    const id = view.getUint32(at + 4, true);
    let record: FrameRecord;
    if (id === 0) {
      record = { section, offset: at, size, cie: undefined, target: undefined, targetAddend: 0, relaFrom, relaTo: rela, outputOffset: -1 };
    } else {
      const cie = byOffset.get(at + 4 - id);
      // The first relocation of an FDE is that of its function.
      if (!cie || relaFrom === rela || relaOffset(relaFrom) !== at + 8) return undefined;
      const entry = section.relaOffset + relaFrom * RELA_SIZE;
      const target = object.symbols[object.view.getUint32(entry + 12, true)];
      const targetAddend = object.view.getInt32(entry + 16, true);
      record = { section, offset: at, size, cie, target, targetAddend, relaFrom, relaTo: rela, outputOffset: -1 };
    }
    records.push(record);
    byOffset.set(at, record);
    at += size;
  }
  return records;
}

/** Gives the records of live functions, and their CIEs, places; returns the bytes needed with the end mark. */
export function placeFrames(records: readonly FrameRecord[]): number {
  let size = 0;
  for (const r of records) {
    if (!r.cie || !isLive(r)) continue;
    if (r.cie.outputOffset < 0) {
      r.cie.outputOffset = size;
      size += r.cie.size;
    }
    r.outputOffset = size;
    size += r.size;
  }
  return size + 4;
}

/** Whether an FDE's function is in the image. */
export function isLive(fde: FrameRecord): boolean {
  const s = fde.target?.section;
  return fde.target?.state === 'defined' && s !== undefined && s.live && !s.discarded;
}

/** Whether all FDEs use the pointer form that the table can be made from: PC-relative, signed, four bytes. */
export function hasPlainPointers(record: FrameRecord): boolean {
  const entry = record.section.relaOffset + record.relaFrom * RELA_SIZE;
  return record.section.object.view.getUint32(entry + 8, true) === R_X86_64.PC32;
}

/** Bytes of .eh_frame_hdr for a number of FDEs. */
export function frameHeaderSize(fdes: number): number {
  return 12 + 8 * fdes;
}

/** Writes .eh_frame_hdr at `at` of the output: a table of (function, FDE), both relative to its start, sorted. */
export function writeFrameHeader(
  out: DataView,
  at: number,
  address: number,
  frameAddress: number,
  fdes: readonly { pc: number; fde: number }[],
): void {
  out.setUint8(at, 1);
  out.setUint8(at + 1, 0x1b); // eh_frame_ptr: PC-relative, signed 4 bytes
  out.setUint8(at + 2, 0x03); // count: unsigned 4 bytes
  out.setUint8(at + 3, 0x3b); // table: relative to this section, signed 4 bytes
  out.setInt32(at + 4, frameAddress - (address + 4), true);
  out.setUint32(at + 8, fdes.length, true);
  [...fdes]
    .sort((a, b) => a.pc - b.pc)
    .forEach((e, i) => {
      out.setInt32(at + 12 + 8 * i, e.pc - address, true);
      out.setInt32(at + 16 + 8 * i, e.fde - address, true);
    });
}
