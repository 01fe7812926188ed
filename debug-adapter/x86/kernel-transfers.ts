/**
 * The frequent ways into a handler and back, in generated code: 64-bit code at CPL 0 that stays there, with all descriptors and the stack in the TLB. Whatever is out of
 * the ordinary is refused before anything has changed, for exceptions.ts to do by all the rules.
 */

import { Attribute, Cr4 } from './control-bits';
import { Scratch } from './interp-abi';
import { ARITHMETIC, Flag } from './isa/definition';
import { Refusing } from './refusing';
import { Layout, Mode, Reg, Seg, SegField, State } from './state';
import { Code } from './wasm/code';

/** What `enterHandler` and `leaveHandler` take as their first operand: for the former the vector in bits 7:0, and an error code from `errorShift` on where `hasError` is set. */
export const Transfer = {
  /** Only where the loop in TypeScript need not look at anything before the next instruction. */ strict: 0x100,
  hasError: 0x200,
  errorShift: 32,
} as const;

/** What IRET loads at CPL 0. */
const returnedFlags = 0x3d_7fd5;
/** Bytes pushed by each delivery, and by an error code. */
const frameSize = 40;
const errorSize = 8;
/** Offsets in the frame. */
const Frame = { rip: 0, cs: 8, flags: 16, rsp: 24, ss: 32 } as const;
const rspAt = State.gpr + Reg.RSP * 8;
/** Offset of the first stack of the interrupt stack table in the TSS, less the size of one. */
const stackTable = 0x1c;
/** Present interrupt and trap gates, in the second word of a gate: P, and the type but for its last bit. */
const gate = { mask: 0x9e00, wanted: 0x8e00, trap: 0x100 } as const;

const segmentAt = (segment: number): number => State.seg + segment * SegField.size;

/** Emits one of the functions. */
class Transfers extends Refusing {
  readonly event = 0;
  readonly flags = 1;

  /** Supervisor accesses of instructions and of the processor itself are alike, and the code is 64-bit code at CPL 0. */
  refuseUnlessPlain(): void {
    const { c } = this;
    c.i32(0)
      .mem('i32.load', State.mode)
      .i32(Mode.long | Mode.user)
      .op('i32.and')
      .i32(Mode.long)
      .op('i32.xor');
    c.i32(0).mem('i32.load', State.cpl).op('i32.or');
    c.i32(0).mem('i32.load', State.cr4).i32(Cr4.SMAP).op('i32.and', 'i32.or');
    this.refuse();
  }

  /** Refuses where any of these flags is set in an i64 local. */
  refuseFlags(local: number, flags: number): void {
    this.c.get(local).op('i32.wrap_i64').i32(flags).op('i32.and');
    this.refuse();
  }

  refuseUnlessCanonical(local: number): void {
    this.c.get(local).i64(16).op('i64.shl').i64(16).op('i64.shr_s').get(local).op('i64.ne');
    this.refuse();
  }

  /**
   * Pushes the host address of so many bytes of a table.
   * @param base where the state block has its linear address @param limit and its last offset, 32 bits
   * @param offset an i32 local
   */
  inTable(base: number, limit: number, offset: number, size: number): void {
    const { c } = this;
    const linear = c.local('i64');
    c.get(offset)
      .i32(size - 1)
      .op('i32.add')
      .i32(0)
      .mem('i32.load', limit)
      .op('i32.gt_u');
    this.refuse();
    this.load(base).get(offset).op('i64.extend_i32_u', 'i64.add').set(linear);
    this.host(Layout.tlbRead, linear, () =>
      c
        .get(linear)
        .i64(size - 1)
        .op('i64.add'),
    );
  }

  /**
   * Local with the descriptor of a selector (i32 local) that is of the GDT and of RPL 0, and which is present, of DPL 0 and accessed.
   * @param attributes which of the others to look at @param wanted and how they have to be
   */
  descriptor(selector: number, attributes: number, wanted: number): number {
    const { c } = this;
    const all = Attribute.s | Attribute.present | (3 << Attribute.dplShift) | 1;
    const descriptor = c.local('i64');
    c.get(selector).i32(7).op('i32.and').get(selector).op('i32.eqz', 'i32.or');
    this.refuse();
    this.inTable(State.gdtr, State.gdtr + 8, selector, 8);
    c.mem('i64.load').tee(descriptor);
    c.i64(BigInt(attributes | all) << 40n).op('i64.and');
    c.i64(BigInt(wanted | Attribute.s | Attribute.present | 1) << 40n).op('i64.ne');
    this.refuse();
    return descriptor;
  }

  codeDescriptor(selector: number): number {
    const { code, conforming, long, big } = Attribute;
    return this.descriptor(selector, code | conforming | long | big, code | long);
  }

  stackDescriptor(selector: number): number {
    return this.descriptor(selector, Attribute.code | Attribute.readWrite, Attribute.readWrite);
  }

  /** Loads a segment register with what lies in locals. */
  loadSegment(segment: number, selector: number, descriptor: number): void {
    const { c } = this;
    const at = segmentAt(segment);
    const limit = c.local('i32');
    c.i32(0).get(descriptor).i64(16).op('i64.shr_u').i64(0xff_ffff).op('i64.and');
    c.get(descriptor).i64(32).op('i64.shr_u').i64(0xff00_0000).op('i64.and', 'i64.or');
    c.mem('i64.store', at + SegField.base);
    c.get(descriptor).op('i32.wrap_i64').i32(0xffff).op('i32.and');
    c.get(descriptor).i64(32).op('i64.shr_u', 'i32.wrap_i64').i32(0xf_0000).op('i32.and', 'i32.or').set(limit);
    c.i32(0);
    c.get(limit).i32(12).op('i32.shl').i32(0xfff).op('i32.or').get(limit);
    c.get(descriptor)
      .i64(BigInt(Attribute.granularity) << 40n)
      .op('i64.and')
      .i64(0)
      .op('i64.ne', 'select');
    c.mem('i32.store', at + SegField.limit);
    c.i32(0)
      .get(descriptor)
      .i64(40)
      .op('i64.shr_u', 'i32.wrap_i64')
      .i32(0xf0ff)
      .op('i32.and')
      .mem('i32.store', at + SegField.attributes);
    c.i32(0)
      .get(selector)
      .mem('i32.store16', at + SegField.selector);
  }

  /** Pushes i64: what the state block keeps of these flags (i64 local) beside the arithmetic ones. */
  keptFlags(flags: number): void {
    this.c.get(flags).i64(~ARITHMETIC).op('i64.and').i64(2).op('i64.or');
  }
}

/**
 * `(event: i64, flags: i64) -> i64`: delivers an event (`Transfer`) with the RIP of the state block as the return address, and RSP there; the flags are those to be pushed.
 * Answers 0 where that takes more than this; nothing has changed then. The arithmetic flags stay as they are.
 */
export function enterFunction(): Code {
  const t = new Transfers();
  const { c } = t;
  const [offset, kind, selector, frame] = [c.local('i32'), c.local('i32'), c.local('i32'), c.local('i32')];
  const [at, target, top, stack] = [c.local('i32'), c.local('i64'), c.local('i64'), c.local('i64')];
  t.refuseUnlessPlain();
  t.refuseFlags(t.flags, Flag.VM | Flag.TF);
  c.get(t.event).op('i32.wrap_i64').i32(0xff).op('i32.and').i32(4).op('i32.shl').set(offset);
  t.inTable(State.idtr, State.idtr + 8, offset, 16);
  c.tee(at).mem('i32.load', 4).tee(kind).i32(gate.mask).op('i32.and').i32(gate.wanted).op('i32.ne');
  t.refuse();
  c.get(at).mem('i64.load16_u').get(kind).i32(0xffff_0000).op('i32.and', 'i64.extend_i32_u', 'i64.or');
  c.get(at).mem('i64.load32_u', 8).i64(32).op('i64.shl', 'i64.or').set(target);
  t.refuseUnlessCanonical(target);
  c.get(at).mem('i32.load16_u', 2).set(selector);
  const descriptor = t.codeDescriptor(selector);
  t.load(rspAt).set(top);
  c.get(kind).i32(7).op('i32.and').tee(offset);
  c.if(undefined, 'unlikely');
  c.get(offset).i32(3).op('i32.shl').i32(stackTable).op('i32.add').set(offset);
  const task = segmentAt(Seg.TR);
  t.inTable(task + SegField.base, task + SegField.limit, offset, 8);
  c.mem('i64.load').set(top);
  c.end();
  c.get(top).i64(-16).op('i64.and').tee(top);
  const hasError = (): Code => c.get(t.event).op('i32.wrap_i64').i32(Transfer.hasError).op('i32.and');
  c.i64(frameSize + errorSize).i64(frameSize);
  hasError().op('select', 'i64.sub').set(stack);
  t.host(Layout.tlbWrite, stack, () => c.get(top).i64(1).op('i64.sub'));
  c.set(frame);
  hasError();
  c.if();
  c.get(frame).get(t.event).i64(Transfer.errorShift).op('i64.shr_u').mem('i64.store');
  c.get(frame).i32(errorSize).op('i32.add').set(frame);
  c.end();
  c.get(frame);
  t.load(State.rip).mem('i64.store', Frame.rip);
  for (const [segment, place] of [
    [Seg.CS, Frame.cs],
    [Seg.SS, Frame.ss],
  ] as const)
    c.get(frame)
      .i32(0)
      .mem('i64.load16_u', segmentAt(segment) + SegField.selector)
      .mem('i64.store', place);
  c.get(frame).get(t.flags).mem('i64.store', Frame.flags);
  c.get(frame);
  t.load(rspAt).mem('i64.store', Frame.rsp);
  c.i32(0).get(stack).mem('i64.store', rspAt);
  c.i32(0).get(target).mem('i64.store', State.rip);
  t.loadSegment(Seg.CS, selector, descriptor);
  c.i32(0);
  t.keptFlags(t.flags);
  // Interrupt gates clear IF, trap gates leave it.
  const cleared = Flag.NT | Flag.RF;
  c.i64(~cleared).i64(~(cleared | Flag.IF));
  c.get(kind).i32(gate.trap).op('i32.and', 'select', 'i64.and').mem('i64.store', State.flags);
  return t.done;
}

/** `(event: i64, flags: i64) -> i64`: IRETQ from such a handler; the flags are those before. Answers 0 where that takes more than this; nothing has changed then. */
export function leaveFunction(): Code {
  const t = new Transfers();
  const { c } = t;
  const [frame, cs, ss] = [c.local('i32'), c.local('i32'), c.local('i32')];
  const [stack, target, popped] = [c.local('i64'), c.local('i64'), c.local('i64')];
  t.refuseUnlessPlain();
  t.refuseFlags(t.flags, Flag.VM | Flag.TF | Flag.NT);
  t.load(rspAt).set(stack);
  t.host(Layout.tlbRead, stack, () =>
    c
      .get(stack)
      .i64(frameSize - 1)
      .op('i64.add'),
  );
  c.tee(frame).mem('i64.load', Frame.rip).set(target);
  t.refuseUnlessCanonical(target);
  c.get(frame).mem('i64.load', Frame.flags).set(popped);
  t.refuseFlags(popped, Flag.TF);
  c.get(t.event).op('i32.wrap_i64').i32(Transfer.strict).op('i32.and');
  c.if();
  t.refuseFlags(popped, Flag.RF);
  c.get(popped).op('i32.wrap_i64').i32(Flag.IF).op('i32.and');
  c.i32(0).i32(0).mem('i32.load', Scratch.line).op('select');
  t.refuse();
  c.end();
  c.get(frame).mem('i32.load16_u', Frame.cs).set(cs);
  const code = t.codeDescriptor(cs);
  c.get(frame).mem('i32.load16_u', Frame.ss).set(ss);
  const data = t.stackDescriptor(ss);
  c.i32(0).get(target).mem('i64.store', State.rip);
  c.i32(0).get(frame).mem('i64.load', Frame.rsp).mem('i64.store', rspAt);
  t.loadSegment(Seg.CS, cs, code);
  t.loadSegment(Seg.SS, ss, data);
  c.get(t.flags).i64(~returnedFlags).op('i64.and').get(popped).i64(returnedFlags).op('i64.and', 'i64.or').set(popped);
  c.i32(0);
  t.keptFlags(popped);
  c.mem('i64.store', State.flags);
  c.i32(0).i32(0).mem('i32.store', State.flagKind);
  c.i32(0).get(popped).i64(ARITHMETIC).op('i64.and').mem('i64.store', State.flagA);
  return t.done;
}

/**
 * `(vector: i32, errorCode: i32, flags: i32) -> i32`, the former for TypeScript, to which 64-bit integers are big ones; an error code below 0 stands for none.
 * @param enter number of that function
 */
export function enterFromOutside(enter: number): Code {
  const c = new Code(['i32', 'i32', 'i32']);
  const [vector, errorCode, flags] = [0, 1, 2];
  c.get(errorCode).op('i64.extend_i32_u').i64(Transfer.errorShift).op('i64.shl').i64(Transfer.hasError).op('i64.or');
  c.i64(0).get(errorCode).i32(0).op('i32.ge_s', 'select');
  c.get(vector).op('i64.extend_i32_u', 'i64.or').get(flags).op('i64.extend_i32_u').call(enter).op('i32.wrap_i64');
  return c;
}

/** `(flags: i32) -> i32`, the same of the latter. */
export function leaveFromOutside(leave: number): Code {
  const c = new Code(['i32']);
  c.i64(0).get(0).op('i64.extend_i32_u').call(leave).op('i32.wrap_i64');
  return c;
}
