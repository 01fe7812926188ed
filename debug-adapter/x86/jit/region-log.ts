/** How a region notes in the log (event-log.ts) what it would else call out of WebAssembly for. */

import { atOnce, fsBaseAt, LogArea, LogKind, LogRecord, LogState, Telling } from '../event-log';
import { Reg, Seg, State } from '../state';
import { type Code, type Label } from '../wasm/code';
import { Local, RegionImports } from './region-abi';

/** What emission needs of the region around it. */
interface Noting {
  readonly c: Code;
  /** Pushes a general register, i64. */
  reg(register: number, size: 8): void;
  /** A local for a while. */
  temp(type: 'i32' | 'i64' | 'f64'): number;
}

/** Length of the instruction. */
const syscallBytes = 2;
/** The six arguments of a system call. */
const argumentRegisters = [Reg.RDI, Reg.RSI, Reg.RDX, Reg.R10, Reg.R8, Reg.R9];

/** Branches to `otherwise` where there is no room; answers the local with the address of the record. */
function open(region: Noting, otherwise: Label): number {
  const { c } = region;
  const at = region.temp('i32');
  c.i32(0).mem('i32.load', LogState.head).tee(at).i32(0).mem('i32.load', LogState.limit).op('i32.ge_s').brIf(otherwise);
  return at;
}

/** Pushes the sampled word. */
const sample = (c: Code): Code => c.i32(0).mem('i32.load', LogState.sampleAt).mem('i64.load');

/** Writes how many instructions have retired, and the time. @param uncharged instructions that were charged and do not count as retired */
function fillMoment(region: Noting, at: number, uncharged: number, count: number, time: number): void {
  const { c } = region;
  const retired = region.temp('f64');
  c.i32(0).mem('f64.load', LogState.origin).get(Local.budget);
  if (uncharged > 0) c.i32(uncharged).op('i32.add');
  c.op('f64.convert_i32_s', 'f64.sub').set(retired);
  c.get(at).get(retired).mem('f64.store', count);
  c.get(at).get(retired).i32(0).mem('f64.load', LogState.charged).op('f64.add').mem('f64.store', time);
}

/** Writes what all records have. */
function fill(region: Noting, at: number, kind: number, uncharged: number, rip: number): void {
  const { c } = region;
  c.get(at).i32(kind).mem('i32.store', LogRecord.kind);
  fillMoment(region, at, uncharged, LogRecord.start, LogRecord.startTime);
  sample(c.get(at)).op('f64.convert_i64_s').mem('f64.store', LogRecord.sample);
  c.get(at).f64(rip).mem('f64.store', LogRecord.rip);
}

/** Makes the records one more. */
function commit(region: Noting, at: number): void {
  region.c.i32(0).get(at).i32(LogRecord.size).op('i32.add').mem('i32.store', LogState.head);
}

function fillRegister(region: Noting, at: number, register: number, offset: number): void {
  region.c.get(at);
  region.reg(register, 8);
  region.c.mem('i64.store', offset);
}

function fillStack(region: Noting, at: number): void {
  region.c.get(at);
  region.reg(Reg.RSP, 8);
  region.c.op('f64.convert_i64_s').mem('f64.store', LogRecord.rsp);
}

/** Pushes what is to be copied of a record's call once that returns, by the local with its number. */
const planAfter = (c: Code, number: number): Code =>
  c
    .get(number)
    .i32(3)
    .op('i32.shl')
    .mem('i32.load', LogArea.calls + 4);

/** Copies what a plan in a local says, if there is one, and marks the record; branches to `otherwise` where that cannot be. */
function follow(region: Noting, at: number, plan: number, kind: number, otherwise: Label): void {
  const { c } = region;
  c.get(plan);
  c.if();
  c.get(at).get(plan).call(RegionImports.noteBytes).op('i32.eqz').brIf(otherwise);
  c.get(at).get(at).mem('i32.load', LogRecord.kind).i32(kind).op('i32.or').mem('i32.store', LogRecord.kind);
  c.end();
}

/** Notes the system call that is about to be made at `rip`; branches to `noted`, or goes on where it has to be told at once. */
export function noteCall(region: Noting, rip: number, uncharged: number, noted: Label): void {
  const { c } = region;
  const otherwise = c.block();
  const at = open(region, otherwise);
  const number = region.temp('i32');
  region.reg(Reg.RAX, 8);
  c.op('i32.wrap_i64').tee(number).i32(LogArea.mostCalls).op('i32.ge_u').brIf(otherwise);
  const plan = region.temp('i32');
  c.get(number).i32(3).op('i32.shl').mem('i32.load', LogArea.calls).tee(plan).i32(atOnce).op('i32.eq').brIf(otherwise);
  // One whose memory is looked at when it returns must be known to be open from here on.
  const before = region.temp('i32');
  c.i32(0).mem('i32.load', LogState.openCall).tee(before);
  c.if();
  c.get(before).mem('i32.load', LogRecord.number).set(before);
  planAfter(c, before).brIf(otherwise);
  c.end();
  fill(region, at, LogKind.openCall, uncharged, rip);
  c.get(at).get(number).mem('i32.store', LogRecord.number);
  c.get(at)
    .f64(rip + syscallBytes)
    .mem('f64.store', LogRecord.caller);
  fillStack(region, at);
  argumentRegisters.forEach((register, i) => {
    fillRegister(region, at, register, LogRecord.args + i * 8);
  });
  follow(region, at, plan, LogKind.before, otherwise);
  commit(region, at);
  c.i32(0).get(at).mem('i32.store', LogState.openCall);
  sample(c.i32(0)).mem('i64.store', LogState.inside).br(noted);
  c.end();
}

/** Notes that the address `rip` is passed, or finds that nobody need be told; branches to `noted` then. */
export function notePass(region: Noting, rip: number, telling: number, noted: Label): void {
  const { c } = region;
  if (telling === Telling.atOnce) return;
  if (telling === Telling.unlessInside) {
    sample(c).i32(0).mem('i64.load', LogState.inside).op('i64.eq').brIf(noted);
    return;
  }
  const otherwise = c.block();
  c.i32(0)
    .mem('i32.load', LogArea.slots + telling * 4)
    .brIf(otherwise);
  noteEnd(region, rip, noted, otherwise);
  const at = open(region, otherwise);
  fill(region, at, LogKind.pass, 0, rip);
  commit(region, at);
  c.get(at).i32(telling).mem('i32.store', LogRecord.number);
  fillStack(region, at);
  fillRegister(region, at, Reg.RAX, LogRecord.result);
  c.i32(0).i64(-1).mem('i64.store', LogState.inside).br(noted);
  c.end();
}

/** Notes that the newest call returns to `rip`, in its record, and branches to `noted`; goes on where it does not, or to `otherwise` where that has to be told at once. */
function noteEnd(region: Noting, rip: number, noted: Label, otherwise: Label): void {
  const { c } = region;
  const call = region.temp('i32');
  const plan = region.temp('i32');
  const none = c.block();
  const another = c.block();
  c.i32(0).mem('i32.load', LogState.openCall).tee(call).op('i32.eqz').brIf(none);
  c.get(call).mem('i32.load', LogRecord.number).set(plan);
  planAfter(c, plan).set(plan);
  c.get(call).mem('f64.load', LogRecord.caller).f64(rip).op('f64.ne').brIf(another);
  c.get(call).mem('f64.load', LogRecord.rsp);
  region.reg(Reg.RSP, 8);
  c.op('f64.convert_i64_s', 'f64.ne').brIf(another);
  sample(c.get(call).mem('f64.load', LogRecord.sample)).op('f64.convert_i64_s', 'f64.ne').brIf(another);
  fillRegister(region, call, Reg.RAX, LogRecord.result);
  follow(region, call, plan, LogKind.after, otherwise);
  c.get(call).get(call).mem('i32.load', LogRecord.kind).i32(LogKind.wholeCall).op('i32.or').mem('i32.store', LogRecord.kind);
  fillMoment(region, call, 0, LogRecord.end, LogRecord.endTime);
  c.i32(0).i32(0).mem('i32.store', LogState.openCall);
  c.i32(0).i64(-1).mem('i64.store', LogState.inside).br(noted);
  c.end();
  // Whose return this is has to be found out where memory would have to be copied.
  c.get(plan).brIf(otherwise);
  c.end();
}

/** Notes that FS.base has been changed by the instruction before `rip`; `State.replacedBase` says from what. */
export function noteBase(region: Noting, rip: number, uncharged: number, noted: Label): void {
  const { c } = region;
  const base = region.temp('i64');
  const own = region.temp('i64');
  c.i32(0).mem('i64.load', fsBaseAt).tee(base).i32(0).mem('i64.load', State.replacedBase).op('i64.eq').brIf(noted);
  const otherwise = c.block();
  sample(c).i32(0).mem('i64.load', LogState.besideOf).op('i64.ne').brIf(otherwise);
  const at = open(region, otherwise);
  fill(region, at, LogKind.base, uncharged, rip);
  commit(region, at);
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
