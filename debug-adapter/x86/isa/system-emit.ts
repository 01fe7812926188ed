/** System instructions as a kernel uses them all the time: what generated code does of them itself, at CPL 0 in 64-bit code. The rest is the helpers'. */

import { Attribute, Cr4, Efer } from '../control-bits';
import { Extended } from '../extended-transfers';
import { Transfer } from '../kernel-transfers';
import { Hooked, Reg, Seg, SegField, State } from '../state';
import { ARITHMETIC, type Emitter, Flag } from './definition';
import { type Gen } from './gen';

const baseAt = (segment: number): number => State.seg + segment * SegField.size + SegField.base;

/** Pushes i32: not 0 where somebody is to be told of system instructions at all, or of `what` by the helper. */
function hooked(g: Gen, what: number): void {
  g.loadState('i32.load', State.hooked);
  g.c.i32(what | Hooked.systemInstruction).op('i32.and');
}

/** Bits of `Hooked` of which generated code of this tier cannot tell. */
const untold = (g: Gen, what: number): number => (g.tell === undefined ? what : 0);

/** Pushes i32: not 0 where the helper has to do it, as this is no kernel or somebody is to be told. */
function helperWanted(g: Gen, what: number): void {
  g.loadState('i32.load', State.cpl);
  hooked(g, what);
  g.c.op('i32.or');
}

/** Tells that FS.base is no longer what this local holds. */
function tellFsBase(g: Gen, before: number): void {
  g.tell?.(Hooked.fsBase, 'after', () => g.storeState('i64.store', State.replacedBase, () => g.c.get(before)));
}

/** Leaves the instruction to its helper where the i32 on the stack is not 0. */
function bailIf(g: Gen): void {
  g.c.if();
  g.bail();
  g.c.end();
}

/** Pushes i32: not 0 where the i64 local is no canonical address. */
function notCanonical(g: Gen, local: number): void {
  g.c.get(local).i64(16).op('i64.shl').i64(16).op('i64.shr_s').get(local).op('i64.ne');
}

/** RDFSBASE and RDGSBASE where CR4 allows them; the helper raises #UD otherwise. */
export const readBase =
  (segment: number): Emitter =>
  (g) => {
    g.loadState('i32.load', State.cr4);
    g.c.i32(Cr4.FSGSBASE).op('i32.and', 'i32.eqz');
    bailIf(g);
    g.wr(0, () => g.loadState('i64.load', baseAt(segment)));
  };

/** WRFSBASE and WRGSBASE likewise; no privilege is asked of them. */
export const writeBase =
  (segment: number): Emitter =>
  (g) => {
    const { c } = g;
    const value = g.temp('i64');
    const before = g.temp('i64');
    g.rd(0);
    c.set(value);
    notCanonical(g, value);
    hooked(g, segment === Seg.FS ? untold(g, Hooked.fsBase) : Hooked.gsBase);
    g.loadState('i32.load', State.cr4);
    c.i32(Cr4.FSGSBASE).op('i32.and', 'i32.eqz', 'i32.or', 'i32.or');
    bailIf(g);
    g.loadState('i64.load', baseAt(segment));
    c.set(before);
    g.storeState('i64.store', baseAt(segment), () => c.get(value));
    if (segment === Seg.FS) tellFsBase(g, before);
  };

export const swapgs: Emitter = (g) => {
  const { c } = g;
  const kernel = g.temp('i64');
  helperWanted(g, Hooked.gsBase);
  bailIf(g);
  g.loadState('i64.load', State.kernelGsBase);
  c.set(kernel);
  g.storeState('i64.store', State.kernelGsBase, () => g.loadState('i64.load', baseAt(Seg.GS)));
  g.storeState('i64.store', baseAt(Seg.GS), () => c.get(kernel));
};

/** The segment bases among the model-specific registers, by which threads are switched where there is no WRFSBASE. */
const baseMsrs: readonly (readonly [number, number])[] = [
  [0xc000_0100, baseAt(Seg.FS)],
  [0xc000_0101, baseAt(Seg.GS)],
  [0xc000_0102, State.kernelGsBase],
];

/** Local with the offset in the state block of the segment base that ECX names, or 0. */
function baseMsr(g: Gen): number {
  const { c } = g;
  const index = g.temp('i32');
  const offset = g.temp('i32');
  g.reg(1, 4);
  c.op('i32.wrap_i64').set(index);
  c.i32(0);
  for (const [number, at] of baseMsrs) c.i32(at).i32(0).get(index).i32(number).op('i32.eq', 'select', 'i32.or');
  c.set(offset);
  return offset;
}

export const rdmsr: Emitter = (g) => {
  const { c } = g;
  const value = g.temp('i64');
  const offset = baseMsr(g);
  c.get(offset).op('i32.eqz');
  bailIf(g);
  c.get(offset).mem('i64.load').set(value);
  g.setReg(0, 4, () => c.get(value));
  g.setReg(2, 4, () => c.get(value).i64(32).op('i64.shr_u'));
};

export const wrmsr: Emitter = (g) => {
  const { c } = g;
  const value = g.temp('i64');
  const before = g.temp('i64');
  const offset = baseMsr(g);
  g.reg(2, 4);
  c.i64(32).op('i64.shl');
  g.reg(0, 4);
  c.op('i64.or').set(value);
  c.get(offset).op('i32.eqz');
  notCanonical(g, value);
  c.op('i32.or');
  helperWanted(g, Hooked.gsBase | untold(g, Hooked.fsBase));
  c.op('i32.or');
  bailIf(g);
  g.loadState('i64.load', baseAt(Seg.FS));
  c.set(before);
  c.get(offset).get(value).mem('i64.store');
  // Where another base was written, that of FS is what it was.
  tellFsBase(g, before);
  g.fallThrough();
};

/** Goes where the state block says, where the function of the runtime has been there; its helper does the instruction otherwise. */
function transfer(g: Gen, name: string, event: () => void): void {
  const { c } = g;
  g.storeState('i64.store', rspAt, () => g.reg(Reg.RSP, 8));
  event();
  g.arithmetic();
  g.loadState('i64.load', State.flags);
  c.op('i64.or');
  g.call(name);
  c.op('i64.eqz');
  bailIf(g);
  g.setReg(Reg.RSP, 8, () => g.loadState('i64.load', rspAt));
}
const rspAt = State.gpr + Reg.RSP * 8;
const target = (g: Gen): void => g.jumpInd(() => g.loadState('i64.load', State.rip));

/** Software interrupts, and INT1; the vector is an operand where it is not given. */
export const interrupt =
  (vector?: number): Emitter =>
  (g) => {
    if (!g.long) {
      g.bail();
      return;
    }
    helperWanted(g, 0);
    bailIf(g);
    g.storeState('i64.store', State.rip, () => g.nextRip());
    transfer(g, 'enterHandler', () => {
      if (vector === undefined) g.rd(0);
      else g.c.i64(vector);
      g.c.i64(0xff).op('i64.and');
    });
    target(g);
  };

export const iret: Emitter = (g) => {
  if (!g.long || g.operandSize !== 8) {
    g.bail();
    return;
  }
  helperWanted(g, Hooked.interruptReturn);
  bailIf(g);
  transfer(g, 'leaveHandler', () => g.c.i64(Transfer.strict));
  g.setArithmetic(() => g.loadState('i64.load', State.flagA));
  target(g);
};

/** The frequent cases of what saves or restores extended state, by a function of the runtime. @param asked EAX says of what */
export const extendedState =
  (name: 'fxsave' | 'fxrstor' | 'xsave' | 'xrstor', asked: boolean): Emitter =>
  (g) => {
    if (!g.long) {
      g.bail();
      return;
    }
    const { c } = g;
    const linear = g.temp('i64');
    g.linear(0);
    c.set(linear);
    hooked(g, Hooked.extendedState);
    c.op('i32.eqz');
    c.if('i32');
    g.storeVectors();
    c.get(linear).i64(g.operandSize === 8 ? Extended.wide : 0);
    if (asked) {
      g.reg(Reg.RAX, 4);
      c.i64(Extended.maskShift).op('i64.shl', 'i64.or');
    }
    g.call(name);
    c.op('i64.eqz');
    c.else();
    c.i32(1);
    c.end();
    bailIf(g);
    if (name === 'fxrstor' || name === 'xrstor') g.loadVectors();
  };

/** What POPF may change without anybody taking notice. */
const plainFlags = Flag.IF | Flag.DF | Flag.IOPL | Flag.NT | Flag.ID;
const watchedFlags = Flag.TF | Flag.RF | Flag.VM | Flag.AC | Flag.VIF | Flag.VIP;

export const popf: Emitter = (g) => {
  if (!g.long || g.operandSize !== 8) {
    g.bail();
    return;
  }
  const { c } = g;
  const flags = g.temp('i32');
  const value = g.popPeek(8);
  g.loadState('i32.load', State.flags);
  c.tee(flags).get(value).op('i32.wrap_i64', 'i32.xor').i32(watchedFlags).op('i32.and');
  g.loadState('i32.load', State.cpl);
  c.op('i32.or');
  // With a request waiting the loop has to look.
  g.interruptLine();
  c.i32(0).get(value).op('i32.wrap_i64').i32(Flag.IF).op('i32.and', 'select', 'i32.or');
  bailIf(g);
  g.adjustStack(8);
  g.storeState('i32.store', State.flags, () => {
    c.get(flags).i32(~plainFlags).op('i32.and').get(value).op('i32.wrap_i64').i32(plainFlags).op('i32.and', 'i32.or');
  });
  g.setArithmetic(() => c.get(value).i64(ARITHMETIC).op('i64.and'));
  g.fallThrough();
};

/** Pushes i32: not 0 where a segment register is not as SYSCALL leaves it for CPL 0. @param selector pushes the selector, i32 */
function notFlat(g: Gen, segment: number, attributes: number, selector: () => void): void {
  const at = State.seg + segment * SegField.size;
  g.loadState('i32.load16_u', at + SegField.selector);
  selector();
  g.c.op('i32.ne');
  g.loadState('i32.load', at + SegField.attributes);
  g.c.i32(attributes).op('i32.ne', 'i32.or');
  g.loadState('i32.load', at + SegField.limit);
  g.c.i32(-1).op('i32.ne', 'i32.or');
  g.loadState('i64.load', at + SegField.base);
  g.c.i64(0).op('i64.ne', 'i32.or');
}

const flatCode = 0xb | Attribute.s | Attribute.present | Attribute.granularity | Attribute.long;
const flatStack = 3 | Attribute.s | Attribute.present | Attribute.granularity | Attribute.big;

/** SYSCALL that stays at CPL 0, as in a unikernel: the segments are what they become. */
export const syscall: Emitter = (g) => {
  if (!g.long) {
    g.bail();
    return;
  }
  const { c } = g;
  const flags = g.temp('i32');
  const next = g.temp('i64');
  const all = g.temp('i64');
  const mask = g.temp('i64');
  const star = (): void => {
    g.loadState('i32.load16_u', State.star + 4);
  };
  helperWanted(g, untold(g, Hooked.syscall));
  g.loadState('i32.load', State.efer);
  c.i32(Efer.SCE).op('i32.and', 'i32.eqz', 'i32.or');
  g.loadState('i32.load', State.flags);
  c.tee(flags)
    .i32(Flag.TF | Flag.RF | Flag.VM | Flag.AC)
    .op('i32.and', 'i32.or');
  notFlat(g, Seg.CS, flatCode, () => {
    star();
    c.i32(0xfffc).op('i32.and');
  });
  c.op('i32.or');
  notFlat(g, Seg.SS, flatStack, () => {
    star();
    c.i32(8).op('i32.add').i32(0xffff).op('i32.and');
  });
  c.op('i32.or');
  bailIf(g);
  g.tell?.(Hooked.syscall, 'before');
  g.arithmetic();
  c.get(flags).op('i64.extend_i32_u', 'i64.or').set(all);
  g.loadState('i64.load', State.sfmask);
  c.i64(-1).op('i64.xor').set(mask);
  g.nextRip();
  c.set(next);
  g.setReg(1, 8, () => c.get(next));
  g.setReg(11, 8, () => c.get(all));
  g.storeState('i32.store', State.flags, () => {
    c.get(flags).get(mask).op('i32.wrap_i64', 'i32.and').i32(2).op('i32.or');
  });
  g.setArithmetic(() => c.get(all).get(mask).op('i64.and').i64(ARITHMETIC).op('i64.and'));
  g.jumpInd(() => g.loadState('i64.load', State.lstar));
};
