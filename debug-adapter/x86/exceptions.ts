/** Delivery of exceptions and interrupts through the IDT, the way back by IRET, and the software interrupt instructions (SDM vol. 3A, chapter 6). */

import { type CpuContext, type DecodedInsn, GuestFault, type HelperTable, Vector } from './context';
import { Attribute, isCanonical } from './control-bits';
import { checkReturn, checkTarget, innerStack, innerStackSegment, is64BitCode, returnOuter, writeInnerStack } from './far';
import {
  attributesOf,
  baseOf,
  type Descriptor,
  dplOf,
  isNull,
  limitOf,
  loadCode,
  longModeActive,
  markAccessed,
  protectedMode,
  readDescriptor,
  selectorOf,
  systemAddress,
  writeSegment,
} from './segments';
import { Seg, State } from './state';

const RSP = 4;

/** RFLAGS bits that delivery and IRET touch. */
const Rflags = {
  OF: 0x800n,
  TF: 0x100n,
  IF: 0x200n,
  IOPL: 0x3000n,
  NT: 0x4000n,
  RF: 0x1_0000n,
  VM: 0x2_0000n,
  AC: 0x4_0000n,
  VIF: 0x8_0000n,
  VIP: 0x10_0000n,
  ID: 0x20_0000n,
  /** What IRET loads at any privilege: CF PF AF ZF SF TF DF OF NT. */
  always: 0x4dd5n,
} as const;

/** Where an event comes from; see `Deliver`. */
export type EventSource = 'fault' | 'trap' | 'external' | 'software';

/** How two exceptions combine (SDM vol. 3A, table 6-4). */
function classOf(vector: number): 'benign' | 'contributory' | 'pageFault' | 'doubleFault' {
  switch (vector) {
    case Vector.DE:
    case Vector.TS:
    case Vector.NP:
    case Vector.SS:
    case Vector.GP:
      return 'contributory';
    case Vector.PF:
      return 'pageFault';
    case Vector.DF:
      return 'doubleFault';
    default:
      return 'benign';
  }
}

/**
 * Delivers an event with `cpu.rip` as the return address. Faults met on the way are delivered instead, or become a double fault, as the
 * processor combines them; false means a triple fault. Nothing of the processor's state has changed then.
 */
export function deliver(cpu: CpuContext, vector: number, errorCode: number | undefined, source: EventSource): boolean {
  if (enterPlainHandler(cpu, vector, errorCode, source)) return true;
  let current = vector;
  let code = errorCode;
  let from = source;
  for (;;) {
    try {
      transfer(cpu, current, code, from);
      return true;
    } catch (fault) {
      if (!(fault instanceof GuestFault)) throw fault;
      // Interrupts are benign whatever their vector.
      const first = from === 'external' || from === 'software' ? 'benign' : classOf(current);
      const second = classOf(fault.vector);
      if (first === 'doubleFault') return false;
      const double =
        (first === 'contributory' && second === 'contributory') ||
        (first === 'pageFault' && (second === 'pageFault' || second === 'contributory'));
      current = double ? Vector.DF : fault.vector;
      code = double ? 0 : fault.errorCode;
      from = 'fault';
    }
  }
}

/** The frequent way, where it suffices. Faults push RF set, so that a breakpoint on the instruction does not strike again (SDM vol. 3B, 17.3.1.1). */
function enterPlainHandler(cpu: CpuContext, vector: number, errorCode: number | undefined, source: EventSource): boolean {
  const flags = cpu.flagsWord();
  return cpu.enterHandler(vector, errorCode ?? -1, source === 'fault' ? flags | Number(Rflags.RF) : flags);
}

/** A gate of the IDT. */
interface Gate {
  readonly type: number;
  readonly selector: number;
  readonly offset: bigint;
  readonly ist: number;
}

function readGate(cpu: CpuContext, vector: number, source: EventSource, ext: number): Gate {
  const long = longModeActive(cpu);
  const size = long ? 16 : 8;
  const error = vector * 8 + 2 + ext;
  const base = cpu.view.getBigUint64(State.idtr, true);
  if (vector * size + size - 1 > cpu.view.getUint32(State.idtr + 8, true)) cpu.raise(Vector.GP, error);
  const at = systemAddress(cpu, base, vector * size);
  const raw = cpu.readSystem(at, 8);
  const upper = long ? cpu.readSystem(systemAddress(cpu, at, 8), 8) & 0xffff_ffffn : 0n;
  const type = Number((raw >> 40n) & 0x1fn);
  const known = type === 0xe || type === 0xf || (!long && (type === 5 || type === 6 || type === 7));
  if (!known) cpu.raise(Vector.GP, error);
  if (source === 'software' && Number((raw >> 45n) & 3n) < cpu.cpl) cpu.raise(Vector.GP, error);
  if (((raw >> 47n) & 1n) === 0n) cpu.raise(Vector.NP, error);
  if (type === 5) cpu.unsupported(`vector ${vector} has a task gate, and hardware task switches are not implemented`);
  const wide = type >= 0xe;
  return {
    type,
    selector: Number((raw >> 16n) & 0xffffn),
    offset: (raw & 0xffffn) | (wide ? ((raw >> 48n) << 16n) | (upper << 32n) : 0n),
    ist: long ? Number((raw >> 32n) & 7n) : 0,
  };
}

/** One attempt at delivery: throws GuestFault with nothing changed but memory below the new stack pointer. */
function transfer(cpu: CpuContext, vector: number, errorCode: number | undefined, source: EventSource): void {
  if (!protectedMode(cpu)) {
    transferReal(cpu, vector);
    return;
  }
  const ext = source === 'software' ? 0 : 1;
  const gate = readGate(cpu, vector, source, ext);
  const error = (gate.selector & 0xfffc) | ext;
  if (isNull(gate.selector)) cpu.raise(Vector.GP, ext);
  const code = readDescriptor(cpu, gate.selector, Vector.GP, ext);
  const a = code.attributes;
  const dpl = dplOf(a);
  if ((a & (Attribute.s | Attribute.code)) !== (Attribute.s | Attribute.code) || dpl > cpu.cpl) cpu.raise(Vector.GP, error);
  if ((a & Attribute.present) === 0) cpu.raise(Vector.NP, error);
  const flags = cpu.getFlags();
  if ((flags & Rflags.VM) !== 0n) cpu.unsupported('virtual-8086 mode is not implemented');
  const pushed = source === 'fault' ? flags | Rflags.RF : flags;
  const inner = (a & Attribute.conforming) === 0 && dpl < cpu.cpl;
  const level = inner ? dpl : cpu.cpl;
  const next = cpu.rip;
  const cs = BigInt(selectorOf(cpu, Seg.CS));
  const ss = BigInt(selectorOf(cpu, Seg.SS));
  const rsp = cpu.getReg(RSP, 8);
  if (longModeActive(cpu)) {
    if (!is64BitCode(cpu, code, gate.selector, ext)) cpu.raise(Vector.GP, error);
    let at = gate.ist !== 0 ? istStack(cpu, gate.ist, ext) : inner ? innerStack(cpu, level, ext).pointer : rsp;
    at &= ~15n;
    checkTarget(cpu, code, true, gate.offset, ext);
    const frame = [ss, rsp, pushed, cs, next];
    if (errorCode !== undefined) frame.push(BigInt(errorCode));
    for (const value of frame) {
      at = BigInt.asUintN(64, at - 8n);
      if (!isCanonical(at)) cpu.raise(Vector.SS, ext);
      if (level === 3) cpu.writeVirtual(at, 8, value);
      else cpu.writeSystem(at, 8, value);
    }
    loadCode(cpu, gate.selector, code, level);
    if (inner) writeSegment(cpu, Seg.SS, level, 0n, 0, level << Attribute.dplShift);
    cpu.setReg(RSP, 8, at);
  } else {
    const size = gate.type >= 0xe ? 4 : 2;
    const frame = [pushed, cs, next];
    if (errorCode !== undefined) frame.push(BigInt(errorCode));
    checkTarget(cpu, code, false, gate.offset, ext);
    if (inner) {
      const stack = innerStack(cpu, level, ext);
      const d = innerStackSegment(cpu, stack.selector, level, ext);
      const pointer = writeInnerStack(cpu, d, stack.selector, stack.pointer, size, [ss, rsp, ...frame], ext);
      loadCode(cpu, gate.selector, code, level);
      writeSegment(cpu, Seg.SS, stack.selector, d.base, d.limit, markAccessed(cpu, d));
      cpu.setReg(RSP, 4, pointer);
    } else {
      const pointer = writeInnerStack(cpu, currentStack(cpu), 0, rsp, size, frame, ext);
      loadCode(cpu, gate.selector, code, level);
      cpu.setReg(RSP, 4, pointer);
    }
  }
  cpu.rip = gate.offset;
  // Interrupt gates (even types) clear IF, trap gates leave it.
  const cleared = Rflags.TF | Rflags.NT | Rflags.RF | Rflags.VM | ((gate.type & 1) === 0 ? Rflags.IF : 0n);
  cpu.setFlags(flags & ~cleared);
  cpu.modeChanged();
}

function currentStack(cpu: CpuContext): Descriptor {
  return {
    address: 0n,
    base: baseOf(cpu, Seg.SS),
    limit: limitOf(cpu, Seg.SS),
    attributes: attributesOf(cpu, Seg.SS),
    low: 0,
    high: 0,
    upper: 0,
  };
}

function istStack(cpu: CpuContext, ist: number, ext: number): bigint {
  const at = 0x1c + ist * 8;
  if (at + 7 > limitOf(cpu, Seg.TR)) cpu.raise(Vector.TS, (selectorOf(cpu, Seg.TR) & 0xfffc) | ext);
  const pointer = cpu.readSystem(systemAddress(cpu, baseOf(cpu, Seg.TR), at), 8);
  if (!isCanonical(pointer)) cpu.raise(Vector.SS, ext);
  return pointer;
}

/** Real-address mode: four-byte vectors, three words pushed (SDM vol. 3B, 20.1.4). */
function transferReal(cpu: CpuContext, vector: number): void {
  if (vector * 4 + 3 > cpu.view.getUint32(State.idtr + 8, true)) cpu.raise(Vector.GP, 0);
  const at = (cpu.view.getBigUint64(State.idtr, true) + BigInt(vector * 4)) & 0xffff_ffffn;
  const entry = cpu.readSystem(at, 4);
  const flags = cpu.getFlags();
  const pointer = writeInnerStack(cpu, currentStack(cpu), 0, cpu.getReg(RSP, 8), 2, [flags, BigInt(selectorOf(cpu, Seg.CS)), cpu.rip], 0);
  const selector = Number(entry >> 16n);
  writeSegment(cpu, Seg.CS, selector, BigInt(selector) << 4n, limitOf(cpu, Seg.CS), attributesOf(cpu, Seg.CS));
  cpu.setReg(RSP, 2, pointer & 0xffffn);
  cpu.rip = entry & 0xffffn;
  cpu.setFlags(flags & ~(Rflags.TF | Rflags.IF | Rflags.AC | Rflags.RF));
  cpu.modeChanged();
}

/** The RFLAGS that POPF and IRET make of a popped value: what the privilege level may not change stays. */
function returnedFlags(cpu: CpuContext, popped: bigint, size: number, cpl: number): bigint {
  const old = cpu.getFlags();
  let mask: bigint = Rflags.always;
  if (size > 2) mask |= Rflags.RF | Rflags.AC | Rflags.ID;
  if (cpl <= Number((old & Rflags.IOPL) >> 12n)) mask |= Rflags.IF;
  if (cpl === 0) {
    mask |= Rflags.IOPL;
    if (size > 2) mask |= Rflags.VIF | Rflags.VIP;
  }
  return (old & ~mask) | (popped & mask);
}

function interruptReturn(cpu: CpuContext, insn: DecodedInsn): void {
  const size = insn.operandSize;
  if (size === 8 && cpu.leaveHandler()) {
    cpu.hooks.interruptReturn?.();
    return;
  }
  const rsp = cpu.getReg(RSP, 8);
  try {
    if (!protectedMode(cpu)) returnReal(cpu, size);
    else returnProtected(cpu, size);
  } catch (fault) {
    cpu.setReg(RSP, 8, rsp);
    throw fault;
  }
  cpu.hooks.interruptReturn?.();
}

function returnReal(cpu: CpuContext, size: number): void {
  const offset = cpu.pop(size);
  const selector = Number(cpu.pop(size) & 0xffffn);
  const flags = cpu.pop(size);
  if (offset > BigInt(limitOf(cpu, Seg.CS))) cpu.raise(Vector.GP, 0);
  writeSegment(cpu, Seg.CS, selector, BigInt(selector) << 4n, limitOf(cpu, Seg.CS), attributesOf(cpu, Seg.CS));
  cpu.rip = offset;
  cpu.setFlags(returnedFlags(cpu, flags, size, 0));
  cpu.modeChanged();
}

function returnProtected(cpu: CpuContext, size: number): void {
  const flagsBefore = cpu.getFlags();
  if ((flagsBefore & Rflags.VM) !== 0n) cpu.unsupported('virtual-8086 mode is not implemented');
  if ((flagsBefore & Rflags.NT) !== 0n) {
    if (longModeActive(cpu)) cpu.raise(Vector.GP, 0);
    cpu.unsupported('IRET with NT set asks for a hardware task switch');
  }
  const from64 = cpu.long;
  const cplBefore = cpu.cpl;
  const offset = cpu.pop(size);
  const selector = Number(cpu.pop(size) & 0xffffn);
  const popped = cpu.pop(size);
  if (!longModeActive(cpu) && size === 4 && (popped & Rflags.VM) !== 0n && cplBefore === 0) {
    cpu.unsupported('IRET to virtual-8086 mode is not implemented');
  }
  const { rpl, code, long } = checkReturn(cpu, selector, offset);
  const flags = returnedFlags(cpu, popped, size, cplBefore);
  if (from64 || rpl > cplBefore) {
    const sp = cpu.pop(size);
    const ss = Number(cpu.pop(size) & 0xffffn);
    returnOuter(cpu, selector, code, rpl, long, ss, sp, 0n, size);
  } else {
    loadCode(cpu, selector, code, rpl);
  }
  cpu.rip = offset;
  cpu.setFlags(flags);
  cpu.modeChanged();
}

/** INT n, INT3, INTO: a fault on the way (gate DPL and the like) has the instruction's own address, which throwing gives it. */
function softwareInterrupt(cpu: CpuContext, insn: DecodedInsn): void {
  if (insn.mnemonic === 'INT3') transfer(cpu, Vector.BP, undefined, 'software');
  else if (insn.mnemonic === 'INTO') {
    if ((cpu.getFlags() & Rflags.OF) !== 0n) transfer(cpu, Vector.OF, undefined, 'software');
  } else if (insn.mnemonic === 'INT1') {
    // ICEBP is a trap of its own: neither the gate's DPL nor DR6 takes part.
    transfer(cpu, Vector.DB, undefined, 'trap');
  } else {
    const vector = Number(cpu.readOperand(insn, 0) & 0xffn);
    if (!enterPlainHandler(cpu, vector, undefined, 'software')) transfer(cpu, vector, undefined, 'software');
  }
}

/** POPF, PUSHF (SDM vol. 2): privileged bits stay or go by CPL and IOPL; PUSHF shows RF and VM clear. */
function popFlags(cpu: CpuContext, insn: DecodedInsn): void {
  const size = cpu.long && insn.operandSize === 4 ? 8 : insn.operandSize;
  const popped = cpu.pop(size);
  // Unlike IRET, POPF clears RF and leaves VIP and VIF alone.
  const old = cpu.getFlags();
  const flags = returnedFlags(cpu, popped & ~Rflags.RF, size, cpu.cpl);
  const keep = Rflags.VIF | Rflags.VIP;
  cpu.setFlags((flags & ~keep) | (old & keep));
}

function pushFlags(cpu: CpuContext, insn: DecodedInsn): void {
  const size = cpu.long && insn.operandSize === 4 ? 8 : insn.operandSize;
  cpu.push(size, BigInt.asUintN(size * 8, cpu.getFlags() & ~(Rflags.RF | Rflags.VM)));
}

export const exceptionHelpers: HelperTable = {
  IRET: interruptReturn,
  INT: softwareInterrupt,
  INT3: softwareInterrupt,
  INTO: softwareInterrupt,
  INT1: softwareInterrupt,
  POPF: popFlags,
  PUSHF: pushFlags,
};
