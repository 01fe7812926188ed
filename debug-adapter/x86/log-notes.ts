/** The code that notes in the log (event-log.ts) what a hook or an observer would else be told at once: part of regions, and functions for the interpreter. */

import { atOnce, fsBaseAt, LogArea, LogKind, LogRecord, LogState, SlotState } from './event-log';
import { Reg, Seg, State } from './state';
import { Code, type Label } from './wasm/code';

/** What emission needs of the code around it. */
export interface Noting {
  readonly c: Code;
  /** Pushes a general register, i64. */
  reg(register: number): void;
  /** Pushes the address of the event and a few bytes more, f64. */
  rip(more: number): void;
  /** Pushes how many instructions have retired, f64. */
  retired(): void;
  /** A local for a while. */
  temp(type: 'i32' | 'i64' | 'f64'): number;
  /** Index of `noteBytes` (log-bytes.ts). */
  readonly noteBytes: number;
}

/** Length of the instruction. */
const syscallBytes = 2;
/** The six arguments of a system call. */
const argumentRegisters = [Reg.RDI, Reg.RSI, Reg.RDX, Reg.R10, Reg.R8, Reg.R9];

/** Branches to `otherwise` where there is no room; answers the local with the address of the record. */
function open(noting: Noting, otherwise: Label): number {
  const { c } = noting;
  const at = noting.temp('i32');
  c.i32(0).mem('i32.load', LogState.head).tee(at).i32(0).mem('i32.load', LogState.limit).op('i32.ge_s').brIf(otherwise, 'unlikely');
  return at;
}

/** Pushes the sampled word. */
const sample = (c: Code): Code => c.i32(0).mem('i32.load', LogState.sampleAt).mem('i64.load');

/** Writes how many instructions have retired, and the time. */
function fillMoment(noting: Noting, at: number, count: number, time: number): void {
  const { c } = noting;
  const retired = noting.temp('f64');
  noting.retired();
  c.set(retired);
  c.get(at).get(retired).mem('f64.store', count);
  c.get(at).get(retired).i32(0).mem('f64.load', LogState.charged).op('f64.add').mem('f64.store', time);
}

/** Writes what all records have. */
function fill(noting: Noting, at: number, kind: number): void {
  const { c } = noting;
  c.get(at).i32(kind).mem('i32.store', LogRecord.kind);
  fillMoment(noting, at, LogRecord.start, LogRecord.startTime);
  sample(c.get(at)).op('f64.convert_i64_s').mem('f64.store', LogRecord.sample);
  c.get(at);
  noting.rip(0);
  c.mem('f64.store', LogRecord.rip);
}

/** Makes the records one more. */
function commit(noting: Noting, at: number): void {
  noting.c.i32(0).get(at).i32(LogRecord.size).op('i32.add').mem('i32.store', LogState.head);
}

function fillRegister(noting: Noting, at: number, register: number, offset: number): void {
  noting.c.get(at);
  noting.reg(register);
  noting.c.mem('i64.store', offset);
}

function fillStack(noting: Noting, at: number): void {
  noting.c.get(at);
  noting.reg(Reg.RSP);
  noting.c.op('f64.convert_i64_s').mem('f64.store', LogRecord.rsp);
}

/** Pushes what is to be copied of a record's call once that returns, by the local with its number. */
const planAfter = (c: Code, number: number): Code =>
  c
    .get(number)
    .i32(3)
    .op('i32.shl')
    .mem('i32.load', LogArea.calls + 4);

/** Copies what a plan in a local says, if there is one, and marks the record; branches to `otherwise` where that cannot be. */
function follow(noting: Noting, at: number, plan: number, kind: number, otherwise: Label): void {
  const { c } = noting;
  c.get(plan);
  c.if();
  c.get(at).get(plan).call(noting.noteBytes).op('i32.eqz').brIf(otherwise, 'unlikely');
  c.get(at).get(at).mem('i32.load', LogRecord.kind).i32(kind).op('i32.or').mem('i32.store', LogRecord.kind);
  c.end();
}

/** Notes the system call that is about to be made; branches to `noted`, or goes on where it has to be told at once. */
export function noteCall(noting: Noting, noted: Label): void {
  const { c } = noting;
  const otherwise = c.block();
  const at = open(noting, otherwise);
  const number = noting.temp('i32');
  noting.reg(Reg.RAX);
  c.op('i32.wrap_i64').tee(number).i32(LogArea.mostCalls).op('i32.ge_u').brIf(otherwise, 'unlikely');
  const plan = noting.temp('i32');
  c.get(number).i32(3).op('i32.shl').mem('i32.load', LogArea.calls).tee(plan).i32(atOnce).op('i32.eq').brIf(otherwise, 'unlikely');
  // One whose memory is looked at when it returns must be known to be open from here on.
  const before = noting.temp('i32');
  c.i32(0).mem('i32.load', LogState.openCall).tee(before);
  c.if(undefined, 'unlikely');
  c.get(before).mem('i32.load', LogRecord.number).set(before);
  planAfter(c, before).brIf(otherwise, 'unlikely');
  c.i32(0).i32(1).mem('i32.store', LogState.nested);
  c.end();
  fill(noting, at, LogKind.openCall);
  c.get(at).get(number).mem('i32.store', LogRecord.number);
  c.get(at);
  noting.rip(syscallBytes);
  c.mem('f64.store', LogRecord.caller);
  fillStack(noting, at);
  argumentRegisters.forEach((register, i) => {
    fillRegister(noting, at, register, LogRecord.args + i * 8);
  });
  follow(noting, at, plan, LogKind.before, otherwise);
  commit(noting, at);
  c.i32(0).get(at).mem('i32.store', LogState.openCall);
  sample(c.i32(0)).mem('i64.store', LogState.inside).br(noted);
  c.end();
}

/** Branches to `noted` where the sampled word says that a call is open whose handlers are of no interest. */
export function passInside({ c }: Noting, noted: Label): void {
  sample(c).i32(0).mem('i64.load', LogState.inside).op('i64.eq').brIf(noted, 'likely');
}

/** Notes that the address of a slot is passed, where somebody may wait for that; branches to `noted`. @param slot pushes four times its number */
export function notePass(noting: Noting, slot: () => void, noted: Label): void {
  const { c } = noting;
  const otherwise = c.block();
  const state = noting.temp('i32');
  slot();
  c.mem('i32.load', LogArea.slots).tee(state).i32(SlotState.busy).op('i32.eq').brIf(otherwise, 'unlikely');
  const awaited = c.block();
  noteEnd(noting, noted, otherwise, awaited);
  // It is none of the newest call, and no other one that was noted is open.
  c.get(state).i32(0).mem('i32.load', LogState.nested).op('i32.or', 'i32.eqz').brIf(noted);
  c.end();
  const at = open(noting, otherwise);
  fill(noting, at, LogKind.pass);
  commit(noting, at);
  c.get(at);
  slot();
  c.i32(2).op('i32.shr_u').mem('i32.store', LogRecord.number);
  fillStack(noting, at);
  fillRegister(noting, at, Reg.RAX, LogRecord.result);
  c.i32(0).i64(-1).mem('i64.store', LogState.inside).br(noted);
  c.end();
}

/**
 * Notes that the newest call returns here, in its record, and branches to `noted`. Goes on where it returns elsewhere, to `another` where this may be the return of another one to the same address,
 * and to `otherwise` where that has to be told at once.
 */
function noteEnd(noting: Noting, noted: Label, otherwise: Label, another: Label): void {
  const { c } = noting;
  const call = noting.temp('i32');
  const plan = noting.temp('i32');
  const none = c.block();
  const differs = c.block();
  c.i32(0).mem('i32.load', LogState.openCall).tee(call).op('i32.eqz').brIf(none, 'unlikely');
  c.get(call).mem('i32.load', LogRecord.number).set(plan);
  planAfter(c, plan).set(plan);
  // Handlers return in the midst of calls: an address that the newest one does not return to is none of it.
  c.get(call).mem('f64.load', LogRecord.caller);
  noting.rip(0);
  c.op('f64.ne').brIf(none, 'unlikely');
  c.get(call).mem('f64.load', LogRecord.rsp);
  noting.reg(Reg.RSP);
  c.op('f64.convert_i64_s', 'f64.ne').brIf(differs, 'unlikely');
  sample(c.get(call).mem('f64.load', LogRecord.sample)).op('f64.convert_i64_s', 'f64.ne').brIf(differs, 'unlikely');
  fillRegister(noting, call, Reg.RAX, LogRecord.result);
  follow(noting, call, plan, LogKind.after, otherwise);
  c.get(call).get(call).mem('i32.load', LogRecord.kind).i32(LogKind.wholeCall).op('i32.or').mem('i32.store', LogRecord.kind);
  fillMoment(noting, call, LogRecord.end, LogRecord.endTime);
  c.i32(0).i32(0).mem('i32.store', LogState.openCall);
  c.i32(0).i64(-1).mem('i64.store', LogState.inside).br(noted);
  c.end();
  // Whose return this is has to be found out where memory would have to be copied.
  c.get(plan).brIf(otherwise, 'unlikely').br(another);
  c.end();
}

/** Notes that FS.base has been changed; `State.replacedBase` says from what. */
export function noteBase(noting: Noting, noted: Label): void {
  const { c } = noting;
  const base = noting.temp('i64');
  const own = noting.temp('i64');
  c.i32(0).mem('i64.load', fsBaseAt).tee(base).i32(0).mem('i64.load', State.replacedBase).op('i64.eq').brIf(noted, 'likely');
  const otherwise = c.block();
  sample(c).i32(0).mem('i64.load', LogState.besideOf).op('i64.ne').brIf(otherwise, 'unlikely');
  const at = open(noting, otherwise);
  fill(noting, at, LogKind.base);
  commit(noting, at);
  c.get(at).i32(Seg.FS).mem('i32.store', LogRecord.number);
  c.get(at).get(base).mem('i64.store', LogRecord.result);
  c.get(at).i32(0).mem('i64.load', State.replacedBase).mem('i64.store', LogRecord.args);
  // Whose it is, where the word beside the sampled one names the kernel's.
  c.i32(0).mem('i32.load', LogState.besideAt).mem('i64.load').tee(own).op('i64.eqz').brIf(noted);
  c.get(at)
    .i32(LogKind.base | LogKind.ofKernel)
    .i32(LogKind.base | LogKind.ofApplication);
  c.get(own).get(base).op('i64.eq', 'select').mem('i32.store', LogRecord.kind);
  c.br(noted);
  c.end();
}

/** What a function for the interpreter notes; the state block is as it is between instructions. Its parameters: the address and the retired instructions as f64, and a slot's number as i32. */
export type NotingFunction = 'call' | 'pass' | 'base';
export const notingParameters = ['f64', 'f64', 'i32'] as const;

/** -> i32: 1 where it has been noted, 0 where it has to be told at once. @param noteBytes index of that function */
export function notingFunction(what: NotingFunction, noteBytes: number): Code {
  const c = new Code(notingParameters);
  const [rip, retired, slot] = [0, 1, 2];
  const noting: Noting = {
    c,
    reg: (register) => void c.i32(0).mem('i64.load', State.gpr + register * 8),
    rip: (more) => {
      c.get(rip);
      if (more > 0) c.f64(more).op('f64.add');
    },
    retired: () => void c.get(retired),
    temp: (type) => c.local(type),
    noteBytes,
  };
  const noted = c.block();
  if (what === 'call') noteCall(noting, noted);
  else if (what === 'base') noteBase(noting, noted);
  else notePass(noting, () => void c.get(slot).i32(2).op('i32.shl'), noted);
  c.i32(0).op('return');
  c.end();
  c.i32(1);
  return c;
}
