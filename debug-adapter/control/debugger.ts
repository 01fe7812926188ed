/** The debugger: one machine, its symbols, and everything that a protocol may ask of them. Runs beside the machine, on its thread. */
import { type Machine } from '../machine/api';
import {
  type BreakpointStatus,
  type DataBreakpointRequest,
  type DebuggerApi,
  type DebuggerEvent,
  type DisassembledInstruction,
  type ExceptionDetails,
  type ExceptionFilter,
  type FrameFormat,
  type FrameInfo,
  type FunctionBreakpointRequest,
  type Granularity,
  type HistoryStatus,
  type InstructionBreakpointRequest,
  type LaunchOptions,
  type LaunchResult,
  type ModuleInfo,
  type RunStatistics,
  type ScopeInfo,
  type SeekPlace,
  type SourceBreakpointRequest,
  type SourceLocation,
  type ThreadInfo,
  type VariableInfo,
} from './api';
import { runCommand } from './commands';
import { Disassembler } from './disassembler';
import { errors } from './errors';
import { type GuestModel } from './guest';
import { type ConsoleLine } from './history/console-marks';
import { historyErrors } from './history/errors';
import { describeLaunch, type SessionLaunch } from './history/session-file';
import { framesPerThread } from './inspector';
import { disassemble } from './instructions';
import { type JumpTarget } from './jumps';
import { modules } from './modules';
import { functionLeft, returned } from './return-value';
import { RunControl } from './run-control';
import { type Host } from './runner';
import { assembleParts, coded, type Parts } from './session-parts';
import { stepPlan } from './step-plan';
import { Search } from './search';
import { Stepper } from './stepper';
import { type TraceLog, type TracePage, type TraceRows } from './trace-log';

/** The parts of a launched session, and what runs them. */
type Session = Parts & { readonly control: RunControl };

export type MachineFactory = (options: LaunchOptions) => Machine;

/** What a saved session of this launch is told apart by. */
const describe = (options: LaunchOptions): SessionLaunch => describeLaunch({ ...options, network: options.network !== undefined });

export class Debugger implements DebuggerApi {
  #session: Session | undefined;
  #disassembler: Disassembler | undefined;
  /** Moments that the user named in the console. */
  readonly #marks = new Map<string, number>();

  readonly #search: Search;

  constructor(
    private readonly createMachine: MachineFactory,
    private readonly host: Host,
    private readonly emit: (event: DebuggerEvent) => void,
  ) {
    this.#search = new Search(host, (share) => emit({ kind: 'search', share }));
  }

  async launch(options: LaunchOptions): Promise<LaunchResult> {
    const machine = coded(() => this.createMachine(options));
    const disassembler = (this.#disassembler ??= await Disassembler.load('intel'));
    const { parts, warnings } = assembleParts(machine, {
      ...{ options, host: this.host, disassembler, emit: this.emit },
      paused: () => control.stopped('pause'),
      arrived: (arrival) => control.arrived(arrival),
    });
    const control = new RunControl(parts, this.emit);
    this.#session = { ...parts, control };
    return { warnings };
  }

  start(): void {
    const { options, control } = this.#live();
    if (options.stopOnEntry) control.stopped('entry');
    else control.resume();
  }

  report(): void {
    this.#live().control.report();
  }

  detach(resume: boolean): void {
    this.#live().control.detach(resume);
  }

  resume(alone?: number): void {
    this.#halted().control.resume(alone);
  }

  pause(): void {
    this.#live().control.pause();
  }

  stepBack(kind: 'back' | 'over' | 'in' | 'out', granularity: Granularity): void {
    this.#halted().control.setOut((travel) => travel.reverse(kind, granularity));
  }

  reverseContinue(): void {
    this.#halted().control.setOut((travel) => travel.reverseContinue());
  }

  seek(place: SeekPlace | { readonly traceSequence: number }): void {
    if (!('traceSequence' in place)) return this.#halted().control.setOut((travel) => travel.seek(place));
    const event = this.#live().tracers.ring.read(place.traceSequence);
    if (event === undefined) throw historyErrors.noEvent(place.traceSequence);
    this.#halted().control.setOut((travel) => travel.seek({ instruction: Number(event.start) }));
  }

  seekWrite(address: bigint, length: number): void {
    this.#halted().control.setOut((travel) => travel.seekWrite(address, length));
  }

  consoleLines(search: string, limit: number): readonly ConsoleLine[] {
    return this.#live().control.past().history.consoleLines(search, limit);
  }

  openSession(bytes: Uint8Array): void {
    const { options } = this.#live();
    this.#halted().control.setOut((travel) => travel.open(bytes, describe(options)));
  }

  history(): HistoryStatus {
    return this.#live().control.past().status;
  }

  saveSession(): Uint8Array {
    const { target, options, control } = this.#halted();
    const saved = control.past().save(describe(options));
    target.probes.passCurrent();
    return saved;
  }

  step(
    kind: 'over' | 'in' | 'out',
    granularity: Granularity,
    { into, alone }: { readonly into?: number; readonly alone?: number } = {},
  ): void {
    const { target, catcher, breakpoints, jumps, inspector, control } = this.#halted();
    const site = into === undefined ? undefined : jumps.get(into);
    if (into !== undefined && site === undefined) throw errors.unknownTarget(into);
    const leaving = kind === 'out' ? functionLeft(target) : undefined;
    const stepper = new Stepper(target, this.#disassembler!, catcher.exceptions.watchDeliveries());
    const program = site === undefined ? stepper.program(kind, granularity) : stepper.intoCall(site.address);
    const plan = stepPlan(target, catcher.exceptions, program, {
      // A breakpoint at the place that the step ends at is a hit of the breakpoint.
      done: () => {
        const hit = breakpoints.takeStop();
        if (leaving !== undefined) inspector.showReturned(returned(target, leaving));
        if (hit === undefined) control.stopped('step');
        else control.stopped(hit.kind, hit.ids, hit.note);
      },
      other: (reason) => control.onStop(reason),
    });
    if (plan === undefined) control.stopped('step');
    else control.begin(plan, alone);
  }

  stepInTargets(frameId: number): readonly JumpTarget[] {
    const { inspector, jumps, target } = this.#halted();
    // Callers' lines are under way already.
    return inspector.frame(frameId).pc === target.pc && frameId < framesPerThread ? jumps.callsFrom(target.pc) : [];
  }

  gotoTargets(path: string, line: number, column: number | undefined): readonly JumpTarget[] {
    return this.#halted().jumps.ofLine(path, line, column);
  }

  goto(threadId: number, targetId: number): void {
    const { target, jumps, guest, control } = this.#halted();
    if (threadId !== guest.currentId()) throw errors.notTheRunningThread(threadId);
    if (control.ended) throw errors.exited();
    const place = jumps.get(targetId);
    if (place === undefined) throw errors.unknownTarget(targetId);
    if (!target.machine.edit({ kind: 'register', name: 'rip', value: place.address })) throw errors.unmapped(place.address);
    this.#edited();
    control.forgetState();
    control.stopped('goto', [], undefined, 'execution goes on from here');
  }

  restartFrame(frameId: number): void {
    const { inspector } = this.#halted();
    const { symbolic, cfa, name, origin } = inspector.frame(frameId);
    if (frameId >= framesPerThread) throw errors.cannotRestart('its thread does not run now');
    if (origin === 'inlined') throw errors.cannotRestart(`${name} is inlined into its caller; begin that one again`);
    const entry = symbolic?.function.entry;
    if (entry === undefined || cfa === undefined) throw errors.cannotRestart('its function or its place on the stack is not known');
    // The call pushed the return address right below the frame.
    this.#halted().control.setOut((travel) => travel.restartFrame(entry, cfa - 8n, name));
  }

  setSourceBreakpoints(path: string, requests: readonly SourceBreakpointRequest[]): readonly BreakpointStatus[] {
    return this.#live().breakpoints.setSource(path, requests);
  }

  setFunctionBreakpoints(requests: readonly FunctionBreakpointRequest[]): Promise<readonly BreakpointStatus[]> {
    const { breakpoints } = this.#live();
    return this.#search.run((state) => breakpoints.setFunctions(requests, state));
  }

  cancelSearch(): void {
    this.#search.cancel();
  }

  setInstructionBreakpoints(requests: readonly InstructionBreakpointRequest[]): readonly BreakpointStatus[] {
    return this.#live().breakpoints.setInstructions(requests);
  }

  setDataBreakpoints(requests: readonly DataBreakpointRequest[]): readonly BreakpointStatus[] {
    return this.#live().breakpoints.setData(requests);
  }

  setExceptionFilters(filters: readonly ExceptionFilter[]): readonly BreakpointStatus[] {
    return this.#live().catcher.setFilters(filters);
  }

  breakpointLocations(path: string, fromLine: number, toLine: number): readonly SourceLocation[] {
    return this.#live().breakpoints.locations(path, fromLine, toLine);
  }

  threads(): readonly ThreadInfo[] {
    return this.#live().guest.infos();
  }

  stack(
    threadId: number,
    start: number,
    levels: number,
    format?: FrameFormat,
  ): { readonly frames: readonly FrameInfo[]; readonly total: number } {
    return this.#halted().inspector.stack(threadId, start, levels, format);
  }

  guestThreads(): ReturnType<DebuggerApi['guestThreads']> {
    const { guest, traceLog } = this.#live();
    return { ...guest.details((address) => traceLog.openCall(address)), queues: guest.queues() };
  }

  guestAllocators(): ReturnType<DebuggerApi['guestAllocators']> {
    return this.#live().guest.allocators();
  }

  guestTests(): ReturnType<DebuggerApi['guestTests']> {
    const { guest, target } = this.#live();
    return guest.tests().map((suite) => ({
      ...suite,
      cases: suite.cases.map((test) => {
        const location = target.location(test.address);
        return { ...test, ...(location === undefined ? {} : { location }) };
      }),
    }));
  }

  guestTls(threadId: number | undefined): ReturnType<GuestModel['tls']> {
    return this.#live().guest.tls(threadId);
  }

  traceEvents(from: number | undefined, limit: number, filter: string): TracePage {
    return this.#live().traceLog.page(from, limit, filter);
  }

  traceRows(filter: string, start: number, count: number): TraceRows {
    return this.#live().traceLog.rows(filter, start, count);
  }

  traceSummary(filter: string): ReturnType<TraceLog['summary']> {
    return this.#live().traceLog.summary(filter);
  }

  tracePlace(sequence: number): { readonly function?: string; readonly location?: SourceLocation } {
    const { target, traceLog } = this.#live();
    const address = traceLog.place(sequence);
    if (address === undefined) return {};
    const location = target.location(address);
    return { function: target.describe(address), ...(location === undefined ? {} : { location }) };
  }

  exportTrace(format: 'strace' | 'chrome', filter: string): string {
    const { traceLog, options } = this.#live();
    return traceLog.export(format, filter, options.imageName.slice(options.imageName.lastIndexOf('/') + 1));
  }

  scopes(frameId: number): readonly ScopeInfo[] {
    return this.#halted().inspector.scopes(frameId);
  }

  variables(handle: number, start?: number, count?: number, hex = false): readonly VariableInfo[] {
    return this.#halted().inspector.variables(handle, start, count, hex);
  }

  setVariable(handle: number, name: string, value: string): VariableInfo {
    return this.#editing(({ inspector }) => inspector.setVariable(handle, name, value));
  }

  evaluate(expression: string, frameId: number | undefined, hex: boolean): VariableInfo {
    return this.#editing(
      ({ inspector }) => inspector.evaluate(expression, frameId, hex),
      () => undefined,
    );
  }

  command(line: string, frameId: number | undefined): string | undefined {
    const { inspector, evaluator, target, guest, travel, traceLog } = this.#halted();
    return runCommand(
      {
        target,
        guest,
        travel,
        traceLog,
        marks: this.#marks,
        number: (expression) => evaluator.address(expression, inspector.frame(frameId)),
        seek: (instruction) => this.seek({ instruction }),
      },
      line,
    );
  }

  setExpression(expression: string, value: string, frameId: number | undefined): VariableInfo {
    return this.#editing(({ inspector }) => inspector.setExpression(expression, value, frameId));
  }

  completions(text: string, column: number, frameId: number | undefined): ReturnType<DebuggerApi['completions']> {
    return this.#halted().inspector.completions(text, column, frameId);
  }

  dataPlace(name: string, handle: number | undefined, frameId: number | undefined): ReturnType<DebuggerApi['dataPlace']> {
    return this.#halted().inspector.dataPlace(name, handle, frameId);
  }

  readMemory(address: bigint, length: number): Uint8Array {
    return this.#live().target.machine.cpu.readMemory(address, length);
  }

  writeMemory(address: bigint, bytes: Uint8Array): number {
    const { target } = this.#reachable();
    const written = target.writeMemory(address, bytes);
    this.#edited({ address, length: written });
    return written;
  }

  disassemble(address: bigint, offset: number, count: number): readonly DisassembledInstruction[] {
    return disassemble(this.#live().target, this.#disassembler!, address, offset, count);
  }

  modules(): readonly ModuleInfo[] {
    return modules(this.#live().target);
  }

  loadedSources(): ReturnType<DebuggerApi['loadedSources']> {
    const { target } = this.#live();
    return target.symbolFiles.flatMap((file) =>
      file.sources().map(({ path, md5 }) => ({ path: target.localPath(path), ...(md5 === undefined ? {} : { md5 }) })),
    );
  }

  exceptionInfo(): ExceptionDetails | undefined {
    return this.#session?.control.exception;
  }

  consoleInput(text: string): void {
    const { target, runner, travel } = this.#reachable();
    target.machine.consoleInput(new TextEncoder().encode(text));
    travel?.noteEdits();
    runner.wake();
  }

  statistics(): RunStatistics {
    const { machine } = this.#live().target;
    return { instructions: machine.cpu.retired, virtualTime: machine.clock.now() };
  }

  async terminate(): Promise<void> {
    this.#search.cancel();
    this.#session?.control.terminate();
    await this.#session?.target.machine.cpu.keepTranslations?.();
  }

  /** The guest's state was changed from outside, which may have ended the recorded future. */
  #edited(memory?: { readonly address: bigint; readonly length: number }): void {
    this.#session?.inspector.forgetFrames();
    this.#session?.travel?.noteEdits();
    this.emit({ kind: 'edited', ...(memory === undefined ? {} : { memory }) });
  }

  /** Does what may assign, and tells of it where it did: also where it failed after a first assignment. */
  #editing(act: (parts: Parts) => VariableInfo, place: (row: VariableInfo) => ReturnType<typeof memoryOf> = memoryOf): VariableInfo {
    const parts = this.#halted();
    const { journal } = parts.target.machine;
    const before = journal[journal.length - 1];
    let row: VariableInfo | undefined;
    try {
      row = act(parts);
      return row;
    } finally {
      // In the past a new entry may stand in the place of an old one.
      if (journal[journal.length - 1] !== before) this.#edited(row === undefined ? undefined : place(row));
    }
  }

  #live(): Session {
    if (this.#session === undefined) throw errors.notLaunched();
    this.#session.travel?.settle();
    return this.#session;
  }

  /** For what reaches the guest from outside, running or not: on its way through the past it would change that. */
  #reachable(): Session {
    const live = this.#live();
    if (live.control.travelling) throw errors.travelling();
    return live;
  }

  /** For what needs a guest that stands still. */
  #halted(): Session {
    const live = this.#live();
    if (!live.control.halted) throw errors.running();
    return live;
  }
}

/** The bytes that a row shows; scalars at the most. */
const memoryOf = ({ memory }: VariableInfo): { address: bigint; length: number } | undefined =>
  memory === undefined ? undefined : { address: memory, length: 16 };
