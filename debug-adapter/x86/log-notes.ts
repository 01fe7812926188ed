/** The code that notes in the log (event-log.ts) what a hook or an observer would else be told at once: part of regions, and functions for the interpreter. */

import { atOnce, fsBaseAt, LogArea, LogBase, LogCall, LogContext, LogKind, LogPass, LogState, numberShift, SlotState } from './event-log';
import { Reg, State } from './state';
import { Code, type Label } from './wasm/code';

/** What emission needs of the code around it. */
export interface Noting {
  readonly c: Code;
  /** Pushes a general register, i64. */
  reg(register: number): void;
  /** Pushes the address of the event and a few bytes more, i64. */
  rip(more: number): void;
  /** Pushes how many instructions have retired since the run began, i32. */
  ran(): void;
  /** A local for a while. */
  temp(type: 'i32' | 'i64'): number;
  /** Index of `noteBytes` (log-bytes.ts). */
  readonly noteBytes: number;
}

/** Length of the instruction. */
const syscallBytes = 2;
/** The six arguments of a system call. */
const argumentRegisters = [Reg.RDI, Reg.RSI, Reg.RDX, Reg.R10, Reg.R8, Reg.R9];

/** Branches to `otherwise` where there is no room; answers the local with the address of the record. */
function open(noting: Noting, otherwise: Label, limit: number = LogState.limit): number {
  const { c } = noting;
  const at = noting.temp('i32');
  c.i32(0).mem('i32.load', LogState.head).tee(at).i32(0).mem('i32.load', limit).op('i32.ge_s').brIf(otherwise, 'unlikely');
  return at;
}

/** Pushes the sampled word. */
const sample = (c: Code): Code => c.i32(0).mem('i32.load', LogState.sampleAt).mem('i64.load');

/** Writes how many instructions have retired, and what was charged. */
function fillMoment(noting: Noting, at: number, count: number, charged: number): void {
  const { c } = noting;
  c.get(at);
  noting.ran();
  c.mem('i32.store', count);
  c.get(at).i32(0).mem('i32.load', LogState.charged).mem('i32.store', charged);
}

/** Adds to a word of the log's state. */
const add = (c: Code, field: number, value: number): Code =>
  c.i32(0).i32(0).mem('i32.load', field).i32(value).op('i32.add').mem('i32.store', field);

/** Makes the records one more event, in a local; its length is pushed. */
function commit(noting: Noting, at: number, length: () => void): void {
  const { c } = noting;
  c.i32(0).get(at);
  length();
  c.op('i32.add').mem('i32.store', LogState.head);
  add(c, LogState.count, 1);
}

/**
 * Writes a context in front of the record where what it says has changed. RSP is of interest to calls alone: without it the upper halves stay what they were.
 * @param thread local with the sampled word
 * @param stack local with RSP
 */
function settleContext(noting: Noting, at: number, thread: number, stack?: number): void {
  const { c } = noting;
  c.get(thread).i32(0).mem('i64.load', LogState.contextOf).op('i64.xor');
  if (stack !== undefined) {
    c.get(stack).i32(0).mem('i64.load', LogState.contextStack).op('i64.xor');
    noting.rip(0);
    c.i32(0).mem('i64.load', LogState.contextRip).op('i64.xor', 'i64.or').i64(32).op('i64.shr_u', 'i64.or');
  }
  c.op('i64.eqz', 'i32.eqz');
  c.if(undefined, 'unlikely');
  c.i32(0).get(thread).mem('i64.store', LogState.contextOf);
  if (stack !== undefined) {
    c.i32(0).get(stack).mem('i64.store', LogState.contextStack);
    c.i32(0);
    noting.rip(0);
    c.mem('i64.store', LogState.contextRip);
  }
  c.get(at).i32(LogKind.context).mem('i32.store');
  c.get(at).get(thread).mem('i64.store', LogContext.thread);
  c.get(at)
    .i32(0)
    .mem('i32.load', LogState.contextRip + 4)
    .mem('i32.store', LogContext.ripHigh);
  c.get(at)
    .i32(0)
    .mem('i32.load', LogState.contextStack + 4)
    .mem('i32.store', LogContext.stackHigh);
  // It stays where it is, whatever becomes of the record.
  c.i32(0).get(at).i32(LogContext.size).op('i32.add').tee(at).mem('i32.store', LogState.head);
  add(c, LogState.contexts, 1);
  c.end();
}

function fillRegister(noting: Noting, at: number, register: number, offset: number): void {
  noting.c.get(at);
  noting.reg(register);
  noting.c.mem('i64.store', offset);
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
  c.get(at).get(at).mem('i32.load').i32(kind).op('i32.or').mem('i32.store');
  c.end();
}

/** Notes the system call that is about to be made; branches to `noted`, or goes on where it has to be told at once. */
export function noteCall(noting: Noting, noted: Label): void {
  const { c } = noting;
  const otherwise = c.block();
  const at = open(noting, otherwise, LogState.callLimit);
  const number = noting.temp('i32');
  noting.reg(Reg.RAX);
  c.op('i32.wrap_i64').tee(number).i32(LogArea.mostCalls).op('i32.ge_u').brIf(otherwise, 'unlikely');
  const plan = noting.temp('i32');
  c.get(number).i32(3).op('i32.shl').mem('i32.load', LogArea.calls).tee(plan).i32(atOnce).op('i32.eq').brIf(otherwise, 'unlikely');
  // One whose memory is looked at when it returns must be known to be open from here on.
  const before = noting.temp('i32');
  c.i32(0).mem('i32.load', LogState.openCall).tee(before);
  c.if(undefined, 'unlikely');
  c.get(before).mem('i32.load').i32(numberShift).op('i32.shr_u').set(before);
  planAfter(c, before).brIf(otherwise, 'unlikely');
  c.i32(0).i32(1).mem('i32.store', LogState.nested);
  c.end();
  const thread = noting.temp('i64');
  const stack = noting.temp('i64');
  sample(c).set(thread);
  noting.reg(Reg.RSP);
  c.set(stack);
  settleContext(noting, at, thread, stack);
  c.get(at).get(number).i32(numberShift).op('i32.shl').i32(LogKind.openCall).op('i32.or').mem('i32.store');
  fillMoment(noting, at, LogCall.start, LogCall.startCharged);
  c.get(at);
  noting.rip(0);
  c.mem('i64.store32', LogCall.rip);
  c.get(at).get(stack).mem('i64.store32', LogCall.stack);
  argumentRegisters.forEach((register, i) => {
    fillRegister(noting, at, register, LogCall.args + i * 8);
  });
  follow(noting, at, plan, LogKind.before, otherwise);
  commit(noting, at, () => void c.get(number).mem('i32.load8_u', LogArea.sizes));
  c.i32(0).get(at).mem('i32.store', LogState.openCall);
  c.i32(0).get(at).mem('i32.store', LogState.lastCall);
  c.i32(0);
  noting.rip(syscallBytes);
  c.mem('i64.store', LogState.returnsTo);
  c.i32(0).get(stack).mem('i64.store', LogState.openStack);
  c.i32(0).get(thread).mem('i64.store', LogState.openOf);
  c.i32(0).get(thread).mem('i64.store', LogState.inside).br(noted);
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
  c.get(at).i32(LogKind.pass).mem('i32.store');
  fillMoment(noting, at, LogPass.start, LogPass.charged);
  c.get(at);
  slot();
  c.i32(2).op('i32.shr_u').mem('i32.store', LogPass.slot);
  fillRegister(noting, at, Reg.RSP, LogPass.stack);
  fillRegister(noting, at, Reg.RAX, LogPass.result);
  commit(noting, at, () => void c.i32(LogPass.size));
  c.i32(0).i32(1).mem('i32.store', LogState.passed);
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
  const number = noting.temp('i32');
  const none = c.block();
  const differs = c.block();
  c.i32(0).mem('i32.load', LogState.openCall).tee(call).op('i32.eqz').brIf(none, 'unlikely');
  c.get(call).mem('i32.load').i32(numberShift).op('i32.shr_u').tee(number).set(plan);
  planAfter(c, plan).set(plan);
  // Handlers return in the midst of calls: an address that the newest one does not return to is none of it.
  c.i32(0).mem('i64.load', LogState.returnsTo);
  noting.rip(0);
  c.op('i64.ne').brIf(none, 'unlikely');
  c.i32(0).mem('i64.load', LogState.openStack);
  noting.reg(Reg.RSP);
  c.op('i64.ne').brIf(differs, 'unlikely');
  sample(c).i32(0).mem('i64.load', LogState.openOf).op('i64.ne').brIf(differs, 'unlikely');
  fillRegister(noting, call, Reg.RAX, LogCall.result);
  follow(noting, call, plan, LogKind.after, otherwise);
  c.get(call).get(call).mem('i32.load').i32(LogKind.wholeCall).op('i32.or').mem('i32.store');
  fillMoment(noting, call, LogCall.end, LogCall.endCharged);
  c.get(number).mem('i32.load8_u', LogArea.marks);
  c.if(undefined, 'unlikely');
  noting.reg(Reg.RAX);
  c.i64(0).op('i64.ge_s');
  c.if();
  add(c, LogState.marked, 1);
  c.end();
  c.end();
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
  const thread = noting.temp('i64');
  const kind = noting.temp('i32');
  const from = noting.temp('i64');
  sample(c).set(thread);
  settleContext(noting, at, thread);
  fillMoment(noting, at, LogBase.start, LogBase.charged);
  c.get(at);
  noting.rip(0);
  c.mem('i64.store', LogBase.rip);
  // Mostly there are two, in turns.
  const equal = (local: number, field: number): Code => c.get(local).i32(0).mem('i64.load', field).op('i64.eq');
  c.i32(0).mem('i64.load', State.replacedBase).set(from);
  const isKnown = c.block();
  c.i32(LogKind.swappedBase).set(kind);
  equal(base, LogState.baseFrom);
  equal(from, LogState.baseValue).op('i32.and').i32(0).mem('i32.load', LogState.hasBases).op('i32.and').brIf(isKnown, 'likely');
  c.i32(LogKind.sameBase).set(kind);
  equal(base, LogState.baseValue);
  equal(from, LogState.baseFrom).op('i32.and').i32(0).mem('i32.load', LogState.hasBases).op('i32.and').brIf(isKnown);
  c.i32(LogKind.base).set(kind);
  c.get(at).get(base).mem('i64.store', LogBase.value);
  c.get(at).get(from).mem('i64.store', LogBase.from);
  c.i32(0).get(base).mem('i64.store', LogState.baseValue);
  c.i32(0).get(from).mem('i64.store', LogState.baseFrom);
  c.i32(0).i32(1).mem('i32.store', LogState.hasBases);
  c.end();
  commit(noting, at, () => void c.i32(LogBase.size).i32(LogBase.short).get(kind).i32(LogKind.base).op('i32.eq', 'select'));
  // Whose it is, where the word beside the sampled one names the kernel's.
  c.get(at).get(kind);
  c.i32(0).mem('i32.load', LogState.besideAt).mem('i64.load').set(own);
  c.i32(LogKind.ofKernel).i32(LogKind.ofApplication).get(own).get(base).op('i64.eq', 'select');
  c.i32(0).get(own).op('i64.eqz', 'i32.eqz', 'i32.sub', 'i32.and', 'i32.or').mem('i32.store');
  c.br(noted);
  c.end();
}

/** What a function for the interpreter notes; the state block is as it is between instructions. Its parameters: the address as f64, and as i32 the instructions since the run began and a slot's number. */
export type NotingFunction = 'call' | 'pass' | 'base';
export const notingParameters = ['f64', 'i32', 'i32'] as const;

/** -> i32: 1 where it has been noted, 0 where it has to be told at once. @param noteBytes index of that function */
export function notingFunction(what: NotingFunction, noteBytes: number): Code {
  const c = new Code(notingParameters);
  const [address, ran, slot] = [0, 1, 2];
  const rip = c.local('i64');
  c.get(address).op('i64.trunc_sat_f64_s').set(rip);
  const noting: Noting = {
    c,
    reg: (register) => void c.i32(0).mem('i64.load', State.gpr + register * 8),
    rip: (more) => {
      c.get(rip);
      if (more > 0) c.i64(more).op('i64.add');
    },
    ran: () => void c.get(ran),
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
