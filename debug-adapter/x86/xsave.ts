/** FXSAVE, FXRSTOR and the XSAVE family: x87, SSE and AVX state as one area in memory (SDM vol. 1, 10.5 and chapter 13). */

import { type CpuContext, type DecodedInsn, type HelperTable, Vector } from './context';
import { Cr0, Cr4, readCr0, readCr4 } from './control-bits';
import { featuresOf } from './cpuid';
import { State } from './state';
import { X87State } from './x87/state';

/** MXCSR bits that exist; the others are reserved (SDM vol. 1, 10.2.3). */
const mxcsrMask = 0xffff;

/** State components, as XCR0 and XSTATE_BV number them. */
const Component = { x87: 1, sse: 2, avx: 4 } as const;

const headerOffset = 512;
const avxOffset = 576;
const xmmOffset = 160;

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

function saveX87(cpu: CpuContext, image: DataView, wide: boolean): void {
  const { view } = cpu;
  const state = new X87State(view);
  image.setUint16(0, state.controlWord, true);
  image.setUint16(2, state.statusWord, true);
  let used = 0;
  for (let physical = 0; physical < 8; physical++) if (((state.tagWord >>> (physical * 2)) & 3) !== 3) used |= 1 << physical;
  image.setUint16(4, used, true);
  image.setUint16(6, view.getUint16(State.fop, true), true);
  if (wide) {
    image.setBigUint64(8, view.getBigUint64(State.fip, true), true);
    image.setBigUint64(16, view.getBigUint64(State.fdp, true), true);
  } else {
    image.setUint32(8, view.getUint32(State.fip, true), true);
    image.setUint32(12, view.getUint16(State.fcs, true), true);
    image.setUint32(16, view.getUint32(State.fdp, true), true);
    image.setUint32(20, view.getUint16(State.fds, true), true);
  }
  for (let i = 0; i < 8; i++) {
    const at = state.offset(i);
    image.setBigUint64(32 + i * 16, view.getBigUint64(at, true), true);
    image.setBigUint64(40 + i * 16, BigInt(view.getUint16(at + 8, true)), true);
  }
}

function restoreX87(cpu: CpuContext, image: DataView, wide: boolean): void {
  const { view } = cpu;
  const state = new X87State(view);
  state.controlWord = image.getUint16(0, true);
  state.statusWord = image.getUint16(2, true);
  const used = image.getUint8(4);
  let tags = 0;
  for (let physical = 0; physical < 8; physical++) if ((used & (1 << physical)) === 0) tags |= 3 << (physical * 2);
  state.tagWord = tags;
  view.setUint16(State.fop, image.getUint16(6, true) & 0x7ff, true);
  if (wide) {
    view.setBigUint64(State.fip, image.getBigUint64(8, true), true);
    view.setBigUint64(State.fdp, image.getBigUint64(16, true), true);
    view.setUint16(State.fcs, 0, true);
    view.setUint16(State.fds, 0, true);
  } else {
    view.setBigUint64(State.fip, BigInt(image.getUint32(8, true)), true);
    view.setUint16(State.fcs, image.getUint16(12, true), true);
    view.setBigUint64(State.fdp, BigInt(image.getUint32(16, true)), true);
    view.setUint16(State.fds, image.getUint16(20, true), true);
  }
  for (let i = 0; i < 8; i++) {
    const at = state.offset(i);
    view.setBigUint64(at, image.getBigUint64(32 + i * 16, true), true);
    view.setUint16(at + 8, image.getUint16(40 + i * 16, true), true);
  }
}

function copyXmm(cpu: CpuContext, image: Uint8Array, save: boolean): void {
  for (let i = 0; i < xmmCount(cpu); i++) {
    const register = cpu.u8.subarray(State.xmm + i * 32, State.xmm + i * 32 + 16);
    const slot = image.subarray(xmmOffset + i * 16, xmmOffset + i * 16 + 16);
    if (save) slot.set(register);
    else register.set(slot);
  }
}

function fxsave(cpu: CpuContext, insn: DecodedInsn): void {
  if ((readCr0(cpu.view) & (Cr0.EM | Cr0.TS)) !== 0) cpu.raise(Vector.NM);
  const linear = area(cpu, insn, 512, 16n, 'write');
  cpu.probe(linear, 512, 'write');
  const withSse = (readCr4(cpu.view) & Cr4.OSFXSR) !== 0;
  // Bytes past the last saved register are not touched.
  const image = new Uint8Array(xmmOffset + (withSse ? xmmCount(cpu) * 16 : 0));
  const view = new DataView(image.buffer);
  saveX87(cpu, view, insn.rexW);
  view.setUint32(24, cpu.view.getUint32(State.mxcsr, true), true);
  view.setUint32(28, mxcsrMask, true);
  if (withSse) copyXmm(cpu, image, true);
  cpu.writeBytes(linear, image);
  cpu.hooks.extendedState?.('save', linear);
}

function fxrstor(cpu: CpuContext, insn: DecodedInsn): void {
  if ((readCr0(cpu.view) & (Cr0.EM | Cr0.TS)) !== 0) cpu.raise(Vector.NM);
  const linear = area(cpu, insn, 512, 16n, 'read');
  const image = cpu.readBytes(linear, 512);
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const mxcsr = view.getUint32(24, true);
  if ((mxcsr & ~mxcsrMask) !== 0) cpu.raise(Vector.GP, 0);
  restoreX87(cpu, view, insn.rexW);
  if ((readCr4(cpu.view) & Cr4.OSFXSR) !== 0) {
    cpu.view.setUint32(State.mxcsr, mxcsr, true);
    copyXmm(cpu, image, false);
  }
  cpu.hooks.extendedState?.('restore', linear);
}

/** The components that EDX:EAX asks for and XCR0 enables; the XSAVE family's common checks. */
function requested(cpu: CpuContext): number {
  if ((readCr4(cpu.view) & Cr4.OSXSAVE) === 0) cpu.raise(Vector.UD);
  if ((readCr0(cpu.view) & Cr0.TS) !== 0) cpu.raise(Vector.NM);
  return Number(cpu.getReg(0, 4)) & cpu.view.getUint32(State.xcr0, true);
}

/** XSAVE, XSAVEOPT and XSAVEC. Every component counts as in use and modified, which the manual allows; XSAVEC marks its area as compacted. */
function xsave(cpu: CpuContext, insn: DecodedInsn): void {
  const mask = requested(cpu);
  const compact = insn.mnemonic === 'XSAVEC';
  const size = (mask & Component.avx) !== 0 ? avxOffset + 256 : avxOffset;
  const linear = area(cpu, insn, size, 64n, 'write');
  cpu.probe(linear, size, 'write');
  const image = cpu.readBytes(linear, size).slice();
  const view = new DataView(image.buffer);
  if ((mask & Component.x87) !== 0) saveX87(cpu, view, insn.rexW);
  if ((mask & Component.sse) !== 0) copyXmm(cpu, image, true);
  if ((mask & (Component.sse | Component.avx)) !== 0) {
    view.setUint32(24, cpu.view.getUint32(State.mxcsr, true), true);
    view.setUint32(28, mxcsrMask, true);
  }
  if ((mask & Component.avx) !== 0) copyUpper(cpu, image, true);
  if (compact) {
    view.setBigUint64(headerOffset, BigInt(mask), true);
    view.setBigUint64(headerOffset + 8, (1n << 63n) | BigInt(mask), true);
  } else {
    view.setBigUint64(headerOffset, (view.getBigUint64(headerOffset, true) & ~7n) | (view.getBigUint64(headerOffset, true) & BigInt(7 & ~mask)) | BigInt(mask), true);
  }
  cpu.writeBytes(linear, image);
  cpu.hooks.extendedState?.('save', linear);
}

/** The upper halves of the vector registers, which only AVX has. */
function copyUpper(cpu: CpuContext, image: Uint8Array, save: boolean): void {
  for (let i = 0; i < xmmCount(cpu); i++) {
    const register = cpu.u8.subarray(State.xmm + i * 32 + 16, State.xmm + i * 32 + 32);
    const slot = image.subarray(avxOffset + i * 16, avxOffset + i * 16 + 16);
    if (save) slot.set(register);
    else register.set(slot);
  }
}

function xrstor(cpu: CpuContext, insn: DecodedInsn): void {
  const mask = requested(cpu);
  const size = (mask & Component.avx) !== 0 ? avxOffset + 256 : avxOffset;
  const linear = area(cpu, insn, size, 64n, 'read');
  const image = cpu.readBytes(linear, size);
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const present = view.getBigUint64(headerOffset, true);
  const layout = view.getBigUint64(headerOffset + 8, true);
  const xcr0 = BigInt(cpu.view.getUint32(State.xcr0, true));
  const compact = layout >> 63n !== 0n;
  let bad = (present & ~xcr0) !== 0n;
  if (compact) {
    const saved = layout & ~(1n << 63n);
    bad ||= !featuresOf(cpu.model).has('xsaveopt') || (saved & ~xcr0) !== 0n || (present & ~saved) !== 0n;
  } else {
    bad ||= layout !== 0n;
  }
  for (let at = headerOffset + 16; at < headerOffset + 64; at += 8) bad ||= view.getBigUint64(at, true) !== 0n;
  const takesMxcsr = compact
    ? (BigInt(mask) & present & BigInt(Component.sse | Component.avx)) !== 0n
    : (mask & (Component.sse | Component.avx)) !== 0;
  const mxcsr = view.getUint32(24, true);
  if (takesMxcsr) bad ||= (mxcsr & ~mxcsrMask) !== 0;
  if (bad) cpu.raise(Vector.GP, 0);
  const held = Number(present);
  if ((mask & Component.x87) !== 0) {
    if ((held & Component.x87) !== 0) restoreX87(cpu, view, insn.rexW);
    else {
      new X87State(cpu.view).initialize();
      cpu.u8.fill(0, State.x87, State.x87 + 128);
    }
  }
  if ((mask & Component.sse) !== 0) {
    if ((held & Component.sse) !== 0) copyXmm(cpu, image, false);
    else for (let i = 0; i < xmmCount(cpu); i++) cpu.u8.fill(0, State.xmm + i * 32, State.xmm + i * 32 + 16);
  }
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
