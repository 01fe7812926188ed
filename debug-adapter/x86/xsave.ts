/** FXSAVE, FXRSTOR and the XSAVE family: x87, SSE and AVX state as one area in memory (SDM vol. 1, 10.5 and chapter 13). */

import { type CpuContext, type DecodedInsn, type HelperTable, Vector } from './context';
import { Cr0, Cr4, readCr0, readCr4 } from './control-bits';
import { featuresOf } from './cpuid';
import { LegacyArea, Moved } from './extended-area';
import { mxcsrBits as mxcsrMask } from './extended-transfers';
import { Layout, State } from './state';
import { cachedHost } from './tlb';
import { X87State } from './x87/state';

/** State components, as XCR0 and XSTATE_BV number them. */
const Component = { x87: 1, sse: 2, avx: 4 } as const;

const headerOffset = 512;
const avxOffset = 576;

function xmmCount(cpu: CpuContext): number {
  return cpu.long ? 16 : 8;
}

/** FXSAVE's checks: an unavailable unit is #NM, a misaligned area #GP(0). */
function area(cpu: CpuContext, insn: DecodedInsn, size: number, align: bigint, access: 'read' | 'write'): bigint {
  if (insn.memory === undefined) return cpu.raise(Vector.UD);
  const linear = cpu.linearAddress(insn, size, access);
  if ((linear & (align - 1n)) !== 0n) cpu.raise(Vector.GP, 0);
  return linear;
}

/** Where an area's bytes are for the moment: in guest memory itself, or in a copy that is read or written as a whole. */
interface Image {
  readonly view: DataView;
  readonly u8: Uint8Array;
  /** Offset of the area in both. */
  readonly at: number;
}

/** The area in place when the TLB has all of it, else a copy of what it holds now. */
function openImage(cpu: CpuContext, linear: bigint, size: number, access: 'read' | 'write'): Image {
  const host = cachedHost(cpu.u32, access === 'read' ? Layout.tlbRead : Layout.tlbWrite, linear, size);
  if (host >= 0) return { view: cpu.view, u8: cpu.u8, at: host };
  if (access === 'write') cpu.probe(linear, size, 'write');
  const bytes = cpu.readBytes(linear, size);
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), u8: bytes, at: 0 };
}

/** Writes back the first `length` bytes of a copy. */
function closeImage(cpu: CpuContext, image: Image, linear: bigint, length: number): void {
  if (image.u8 !== cpu.u8) cpu.writeBytes(linear, image.u8.subarray(0, length));
}

/** Is it in place, and in a mode in which generated code moves all of it? */
const isQuick = (cpu: CpuContext, image: Image): boolean => image.u8 === cpu.u8 && cpu.long;

/** Moves x87 state and XMM registers to the area. */
function saveLegacy(cpu: CpuContext, image: Image, what: number): void {
  if (isQuick(cpu, image)) cpu.saveArea(image.at, what);
  else {
    if ((what & Moved.x87) !== 0) saveX87(cpu, image, (what & Moved.wide) !== 0);
    if ((what & Moved.xmm) !== 0) copyXmm(cpu, image, true);
  }
}

/** Takes them from there. */
function restoreLegacy(cpu: CpuContext, image: Image, what: number): void {
  if (isQuick(cpu, image)) cpu.restoreArea(image.at, what);
  else {
    if ((what & Moved.x87) !== 0) restoreX87(cpu, image, (what & Moved.wide) !== 0);
    if ((what & Moved.xmm) !== 0) copyXmm(cpu, image, false);
  }
}

function saveX87(cpu: CpuContext, image: Image, wide: boolean): void {
  const { view } = cpu;
  const { view: to, at } = image;
  const fsw = view.getUint16(State.fsw, true);
  const tags = view.getUint16(State.ftw, true);
  let used = 0;
  for (let physical = 0; physical < 8; physical++) if (((tags >>> (physical * 2)) & 3) !== 3) used |= 1 << physical;
  to.setUint32(at, view.getUint16(State.fcw, true) | (fsw << 16), true);
  to.setUint32(at + 4, used | (view.getUint16(State.fop, true) << 16), true);
  to.setUint32(at + 8, view.getUint32(State.fip, true), true);
  to.setUint32(at + 16, view.getUint32(State.fdp, true), true);
  to.setUint32(at + 12, wide ? view.getUint32(State.fip + 4, true) : view.getUint16(State.fcs, true), true);
  to.setUint32(at + 20, wide ? view.getUint32(State.fdp + 4, true) : view.getUint16(State.fds, true), true);
  const top = (fsw >>> 11) & 7;
  for (let i = 0; i < 8; i++) {
    const from = State.x87 + ((top + i) & 7) * 16;
    const slot = at + 32 + i * 16;
    to.setUint32(slot, view.getUint32(from, true), true);
    to.setUint32(slot + 4, view.getUint32(from + 4, true), true);
    to.setUint32(slot + 8, view.getUint16(from + 8, true), true);
    to.setUint32(slot + 12, 0, true);
  }
}

function restoreX87(cpu: CpuContext, image: Image, wide: boolean): void {
  const { view } = cpu;
  const { view: from, at } = image;
  const state = new X87State(view);
  state.controlWord = from.getUint16(at, true);
  state.statusWord = from.getUint16(at + 2, true);
  const used = from.getUint8(at + 4);
  let tags = 0;
  for (let physical = 0; physical < 8; physical++) if ((used & (1 << physical)) === 0) tags |= 3 << (physical * 2);
  view.setUint16(State.ftw, tags, true);
  view.setUint16(State.fop, from.getUint16(at + 6, true) & 0x7ff, true);
  view.setUint32(State.fip, from.getUint32(at + 8, true), true);
  view.setUint32(State.fdp, from.getUint32(at + 16, true), true);
  view.setUint32(State.fip + 4, wide ? from.getUint32(at + 12, true) : 0, true);
  view.setUint32(State.fdp + 4, wide ? from.getUint32(at + 20, true) : 0, true);
  view.setUint16(State.fcs, wide ? 0 : from.getUint16(at + 12, true), true);
  view.setUint16(State.fds, wide ? 0 : from.getUint16(at + 20, true), true);
  const { top } = state;
  for (let i = 0; i < 8; i++) {
    const to = State.x87 + ((top + i) & 7) * 16;
    const slot = at + 32 + i * 16;
    view.setUint32(to, from.getUint32(slot, true), true);
    view.setUint32(to + 4, from.getUint32(slot + 4, true), true);
    view.setUint16(to + 8, from.getUint16(slot + 8, true), true);
  }
}

/** Moves sixteen bytes for each vector register between the state block (32 bytes apart, from `offset`) and an area. */
function copyVectors(cpu: CpuContext, image: Image, offset: number, areaOffset: number, save: boolean): void {
  const count = xmmCount(cpu);
  for (let i = 0; i < count; i++) {
    const register = offset + i * 32;
    const slot = image.at + areaOffset + i * 16;
    for (let k = 0; k < 16; k += 4) {
      if (save) image.view.setUint32(slot + k, cpu.view.getUint32(register + k, true), true);
      else cpu.view.setUint32(register + k, image.view.getUint32(slot + k, true), true);
    }
  }
}

function copyXmm(cpu: CpuContext, image: Image, save: boolean): void {
  copyVectors(cpu, image, State.xmm, LegacyArea.xmm, save);
}

/** The upper halves of the vector registers, which only AVX has. */
function copyUpper(cpu: CpuContext, image: Image, save: boolean): void {
  copyVectors(cpu, image, State.xmm + 16, avxOffset, save);
}

function fxsave(cpu: CpuContext, insn: DecodedInsn): void {
  if ((readCr0(cpu.view) & (Cr0.EM | Cr0.TS)) !== 0) cpu.raise(Vector.NM);
  const linear = area(cpu, insn, 512, 16n, 'write');
  const image = openImage(cpu, linear, 512, 'write');
  const withSse = (readCr4(cpu.view) & Cr4.OSFXSR) !== 0;
  saveLegacy(cpu, image, Moved.x87 | (withSse ? Moved.xmm : 0) | (insn.rexW ? Moved.wide : 0));
  image.view.setUint32(image.at + LegacyArea.mxcsr, cpu.view.getUint32(State.mxcsr, true), true);
  image.view.setUint32(image.at + LegacyArea.mxcsrMask, mxcsrMask, true);
  // Bytes past the last saved register are not touched.
  closeImage(cpu, image, linear, LegacyArea.xmm + (withSse ? xmmCount(cpu) * 16 : 0));
  cpu.hooks.extendedState?.('save', linear);
}

function fxrstor(cpu: CpuContext, insn: DecodedInsn): void {
  if ((readCr0(cpu.view) & (Cr0.EM | Cr0.TS)) !== 0) cpu.raise(Vector.NM);
  const linear = area(cpu, insn, 512, 16n, 'read');
  const image = openImage(cpu, linear, 512, 'read');
  const mxcsr = image.view.getUint32(image.at + LegacyArea.mxcsr, true);
  if ((mxcsr & ~mxcsrMask) !== 0) cpu.raise(Vector.GP, 0);
  const withSse = (readCr4(cpu.view) & Cr4.OSFXSR) !== 0;
  restoreLegacy(cpu, image, Moved.x87 | (withSse ? Moved.xmm : 0) | (insn.rexW ? Moved.wide : 0));
  if (withSse) cpu.view.setUint32(State.mxcsr, mxcsr, true);
  cpu.hooks.extendedState?.('restore', linear);
}

/** The components that EDX:EAX asks for and XCR0 enables; the XSAVE family's common checks. */
function requested(cpu: CpuContext): number {
  if ((readCr4(cpu.view) & Cr4.OSXSAVE) === 0) cpu.raise(Vector.UD);
  if ((readCr0(cpu.view) & Cr0.TS) !== 0) cpu.raise(Vector.NM);
  return Number(cpu.getReg(0, 4)) & cpu.view.getUint32(State.xcr0, true);
}

/** What a set of components has in the legacy region. */
const legacyParts = (components: number, insn: DecodedInsn): number =>
  ((components & Component.x87) !== 0 ? Moved.x87 : 0) |
  ((components & Component.sse) !== 0 ? Moved.xmm : 0) |
  (insn.rexW ? Moved.wide : 0);

/** XSAVE, XSAVEOPT and XSAVEC. Every component counts as in use and modified, which the manual allows; XSAVEC marks its area as compacted. */
function xsave(cpu: CpuContext, insn: DecodedInsn): void {
  const mask = requested(cpu);
  const compact = insn.mnemonic === 'XSAVEC';
  const size = (mask & Component.avx) !== 0 ? avxOffset + 256 : avxOffset;
  const linear = area(cpu, insn, size, 64n, 'write');
  const image = openImage(cpu, linear, size, 'write');
  const { view, at } = image;
  saveLegacy(cpu, image, legacyParts(mask, insn));
  if ((mask & (Component.sse | Component.avx)) !== 0) {
    view.setUint32(at + LegacyArea.mxcsr, cpu.view.getUint32(State.mxcsr, true), true);
    view.setUint32(at + LegacyArea.mxcsrMask, mxcsrMask, true);
  }
  if ((mask & Component.avx) !== 0) copyUpper(cpu, image, true);
  const header = at + headerOffset;
  if (compact) {
    view.setBigUint64(header, BigInt(mask), true);
    view.setBigUint64(header + 8, (1n << 63n) | BigInt(mask), true);
  } else {
    view.setUint32(header, view.getUint32(header, true) | mask, true);
  }
  closeImage(cpu, image, linear, size);
  cpu.hooks.extendedState?.('save', linear);
}

function xrstor(cpu: CpuContext, insn: DecodedInsn): void {
  const mask = requested(cpu);
  const size = (mask & Component.avx) !== 0 ? avxOffset + 256 : avxOffset;
  const linear = area(cpu, insn, size, 64n, 'read');
  const image = openImage(cpu, linear, size, 'read');
  const { view, at } = image;
  const header = at + headerOffset;
  const present = view.getBigUint64(header, true);
  const layout = view.getBigUint64(header + 8, true);
  const xcr0 = BigInt(cpu.view.getUint32(State.xcr0, true));
  const compact = layout >> 63n !== 0n;
  let bad = (present & ~xcr0) !== 0n;
  if (compact) {
    const saved = layout & ~(1n << 63n);
    bad ||= !featuresOf(cpu.model).has('xsaveopt') || (saved & ~xcr0) !== 0n || (present & ~saved) !== 0n;
  } else {
    bad ||= layout !== 0n;
  }
  for (let i = 16; i < 64; i += 8) bad ||= view.getBigUint64(header + i, true) !== 0n;
  const takesMxcsr = compact
    ? (BigInt(mask) & present & BigInt(Component.sse | Component.avx)) !== 0n
    : (mask & (Component.sse | Component.avx)) !== 0;
  const mxcsr = view.getUint32(at + LegacyArea.mxcsr, true);
  if (takesMxcsr) bad ||= (mxcsr & ~mxcsrMask) !== 0;
  if (bad) cpu.raise(Vector.GP, 0);
  const held = Number(present);
  restoreLegacy(cpu, image, legacyParts(mask & held, insn));
  if ((mask & ~held & Component.x87) !== 0) {
    new X87State(cpu.view).initialize();
    cpu.u8.fill(0, State.x87, State.x87 + 128);
  }
  if ((mask & ~held & Component.sse) !== 0)
    for (let i = 0; i < xmmCount(cpu); i++) cpu.u8.fill(0, State.xmm + i * 32, State.xmm + i * 32 + 16);
  if ((mask & Component.avx) !== 0) {
    if ((held & Component.avx) !== 0) copyUpper(cpu, image, false);
    else for (let i = 0; i < xmmCount(cpu); i++) cpu.u8.fill(0, State.xmm + i * 32 + 16, State.xmm + i * 32 + 32);
  }
  if (takesMxcsr) cpu.view.setUint32(State.mxcsr, mxcsr, true);
  else if (compact && (mask & Component.sse) !== 0) cpu.view.setUint32(State.mxcsr, 0x1f80, true);
  cpu.hooks.extendedState?.('restore', linear);
}

export const xsaveHelpers: HelperTable = {
  FXSAVE: fxsave,
  FXRSTOR: fxrstor,
  XSAVE: xsave,
  XSAVEOPT: xsave,
  XSAVEC: xsave,
  XRSTOR: xrstor,
};
