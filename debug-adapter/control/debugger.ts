/** The debugger: one machine, its symbols, and everything that a protocol may ask of them. Runs beside the machine, on its thread. */
import { type Machine, MachineError, type StopReason } from '../machine/api';
import { PcMachine } from '../machine/machine';
import { NetworkLink } from '../machine/network';
import { SourcePathMap, SymbolFile } from '../symbols/api';
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
  type StopKind,
  type ThreadInfo,
  type VariableInfo,
} from './api';
import { type HitEvaluator } from './breakpoints/breakpoint';
import { BreakpointManager } from './breakpoints/manager';
import { CodedError } from './channel';
import { runCommand } from './commands';
import { Disassembler } from './disassembler';
import { errors } from './errors';
import { Catcher } from './catch/catcher';
import { Evaluator } from './expr/evaluator';
import { disassemble } from './instructions';
import { GuestModel } from './guest';
import { type ConsoleLine } from './history/console-marks';
import { historyErrors } from './history/errors';
import { TravellingTarget } from './history/probes';
import { describeLaunch, type SessionLaunch } from './history/session-file';
import { type Arrival, TimeTravel } from './history/travel';
import { framesPerThread, Inspector } from './inspector';
import { type JumpTarget, JumpTargets } from './jumps';
import { LineBudget } from './line-budget';
import { modules } from './modules';
import { watchPrograms } from './programs';
import { functionLeft, returned } from './return-value';
import { type Host, Runner, type RunPlan } from './runner';
import { aloneInThread } from './single-thread';
import { stepPlan } from './step-plan';
import { Stepper } from './stepper';
import { describeEnd, StopJudge } from './stops';
import { type Target } from './target';
import { TraceLog, type TracePage, type TraceRows } from './trace-log';
import { attachTracers, type Tracers } from './tracers';
import { type StackFrame, walkStack } from './unwind';

/** The parts of a launched session. */
interface Parts {
  readonly options: LaunchOptions;
  readonly target: Target;
  readonly runner: Runner;
  readonly breakpoints: BreakpointManager;
  readonly evaluator: Evaluator;
  readonly catcher: Catcher;
  readonly guest: GuestModel;
  readonly inspector: Inspector;
  readonly jumps: JumpTargets;
  readonly judge: StopJudge;
  readonly tracers: Tracers;
  readonly traceLog: TraceLog;
  /** Undefined where the machine is not one of ours. */
  readonly travel: TimeTravel | undefined;
  readonly network: NetworkLink | undefined;
}

export type MachineFactory = (options: LaunchOptions) => Machine;

/** What a saved session of this launch is told apart by. */
const describe = (options: LaunchOptions): SessionLaunch => describeLaunch({ ...options, network: options.network !== undefined });

export class Debugger implements DebuggerApi {
  #parts: Parts | undefined;
  #disassembler: Disassembler | undefined;
  #ended = false;
  /** Instruction count of the end that the user was shown: to go on from there ends the session. */
  #endShown: bigint | undefined;
  /** How the guest ended, where it did by itself. */
  #end: DebuggerEvent | undefined;
  #exception: ExceptionDetails | undefined;
  /** Moments that the user named in the console. */
  readonly #marks = new Map<string, number>();

  constructor(
    private readonly createMachine: MachineFactory,
    private readonly host: Host,
    private readonly emit: (event: DebuggerEvent) => void,
  ) {}

  async launch(options: LaunchOptions): Promise<LaunchResult> {
    const machine = this.#boot(options);
    this.#disassembler ??= await Disassembler.load('intel');
    const { target, warnings } = openTarget(machine, options);
    const evaluator = new Evaluator(target);
    const guest = new GuestModel(target);
    const inspector = new Inspector(target, guest, evaluator);
    // What the guest wrote before comes before the line.
    const say = (category: 'log' | 'trace', text: string, location?: SourceLocation): void => {
      machine.flushConsole();
      this.emit({ kind: 'message', category, text, ...(location === undefined ? {} : { location }) });
    };
    const atHit = hitEvaluator(target, evaluator);
    // One in a tight loop has hundreds of thousands a second to say, behind which every answer would wait.
    const messages = new LineBudget((skipped) =>
      say(
        'log',
        `… ${skipped.toLocaleString('en-US')} more messages of log points, faster than can be read here: a condition or a hit count thins them out.`,
      ),
    );
    const breakpoints = new BreakpointManager(target, atHit, (text, location) => {
      // What is looked at on the way through the past is not what the user runs.
      if (this.#parts?.travel?.travelling !== true && messages.take()) say('log', text, location);
    });
    const lines = new LineBudget((skipped) =>
      say('trace', `… ${skipped.toLocaleString('en-US')} more events, faster than can be read here: the Syscalls view has them.`),
    );
    // The catcher wraps hooks that tracers set before it.
    const tracers = attachTracers(
      target,
      options.trace,
      (text) => say('trace', text),
      () => lines.take(),
    );
    const traceLog = new TraceLog(
      tracers.ring,
      (address) => guest.traceThread(address),
      () => this.host.now(),
    );
    const catcher = new Catcher(target, atHit, guest, tracers);
    const jumps = new JumpTargets(target, this.#disassembler);
    const judge = new StopJudge(target, breakpoints, catcher);
    watchPrograms(target, options, ({ path, hasDwarf, text, found }) => {
      this.emit({ kind: 'message', category: found ? 'log' : 'warning', text });
      if (!found) return;
      inspector.forgetFrames();
      catcher.symbolsAdded();
      for (const status of breakpoints.refresh()) this.emit({ kind: 'breakpoint', status });
      this.emit({ kind: 'symbols', name: path, hasDwarf });
    });
    const runner = new Runner(machine, this.host, options.clock, () => this.#stopped('pause'));
    const travel = machine instanceof PcMachine ? this.#record(machine, target, options, judge) : undefined;
    runner.onRan = (reason) => {
      lines.refill();
      messages.refill();
      travel?.ran(reason);
    };
    machine.onConsoleOutput = (bytes) => {
      travel?.history.wrote(bytes);
      this.emit({ kind: 'console', bytes });
    };
    const network = machine instanceof PcMachine ? this.#connect(machine, runner, travel, options) : undefined;
    this.#parts = {
      options,
      target,
      runner,
      breakpoints,
      evaluator,
      catcher,
      guest,
      inspector,
      jumps,
      judge,
      tracers,
      traceLog,
      travel,
      network,
    };
    return { warnings };
  }

  #record(machine: PcMachine, target: TravellingTarget, options: LaunchOptions, judge: StopJudge): TimeTravel {
    return new TimeTravel({
      machine,
      target,
      disassembler: this.#disassembler!,
      host: this.host,
      ...(options.historyBytes === undefined ? {} : { budget: options.historyBytes }),
      // The same factory gave the machine that runs.
      pristine: () => this.#boot(options) as PcMachine,
      watchAlso: (watchpoint) => this.#parts?.breakpoints.watchAlso(watchpoint),
      judge: (reason) => judge.judge(reason),
      arrived: (arrival) => this.#arrived(arrival),
      message: (text) => this.emit({ kind: 'message', category: 'log', text }),
      futureDropped: (moment) => {
        this.#parts?.breakpoints.forgetAfter(moment);
        this.#parts?.tracers.forgetAfter(moment);
        this.#parts?.traceLog.changed();
        this.#parts?.catcher.forgetAfter(moment);
      },
    });
  }

  /** What a saved session got of the network is in its journal: only what goes on behind its end is new. */
  #connect(machine: PcMachine, runner: Runner, travel: TimeTravel | undefined, options: LaunchOptions): NetworkLink | undefined {
    if (options.network === undefined) return undefined;
    if (this.host.network === undefined) throw errors.noNetwork();
    let link: NetworkLink;
    try {
      link = new NetworkLink(options.network, this.host.network);
    } catch (error) {
      throw error instanceof MachineError ? new CodedError(error.code, error.message) : error;
    }
    const say = (text: string): void => this.emit({ kind: 'message', category: 'warning', text });
    link.connect(machine, () => runner.wake(), say);
    runner.onReady = () => {
      if (travel?.travelling !== true) link.pump();
    };
    return link;
  }

  #boot(options: LaunchOptions): Machine {
    try {
      return this.createMachine(options);
    } catch (error) {
      throw error instanceof MachineError ? new CodedError(error.code, error.message) : error;
    }
  }

  start(): void {
    if (this.#live().options.stopOnEntry) this.#stopped('entry');
    else this.resume();
  }

  report(): void {
    const { runner, travel } = this.#live();
    if (this.#end !== undefined) this.emit(this.#end);
    else if (!runner.running && travel?.travelling !== true) this.#stopped('pause');
  }

  detach(resume: boolean): void {
    const { breakpoints, catcher, runner, travel } = this.#live();
    breakpoints.clear();
    catcher.setFilters([]);
    if (travel?.travelling === true) travel.pause();
    if (!resume) runner.pause();
    else if (!runner.running && !this.#ended && travel?.travelling !== true) this.resume();
  }

  resume(alone?: number): void {
    this.#begin({ onStop: (reason) => this.#onStop(reason) }, alone);
  }

  pause(): void {
    const { travel, runner } = this.#live();
    if (travel?.travelling === true) travel.pause();
    else runner.pause();
  }

  stepBack(kind: 'back' | 'over' | 'in' | 'out', granularity: Granularity): void {
    this.#setOut((travel) => travel.reverse(kind, granularity));
  }

  reverseContinue(): void {
    this.#setOut((travel) => travel.reverseContinue());
  }

  seek(place: SeekPlace | { readonly traceSequence: number }): void {
    if (!('traceSequence' in place)) return this.#setOut((travel) => travel.seek(place));
    const event = this.#live().tracers.ring.read(place.traceSequence);
    if (event === undefined) throw historyErrors.noEvent(place.traceSequence);
    this.#setOut((travel) => travel.seek({ instruction: Number(event.start) }));
  }

  seekWrite(address: bigint, length: number): void {
    this.#setOut((travel) => travel.seekWrite(address, length));
  }

  consoleLines(search: string, limit: number): readonly ConsoleLine[] {
    return this.#past().travel.history.consoleLines(search, limit);
  }

  openSession(bytes: Uint8Array): void {
    const { options } = this.#live();
    this.#setOut((travel) => travel.open(bytes, describe(options)));
  }

  history(): HistoryStatus {
    return this.#past().travel.status;
  }

  saveSession(): Uint8Array {
    const { target } = this.#halted();
    const { travel, options } = this.#past();
    const saved = travel.save(describe(options));
    target.probes.passCurrent();
    return saved;
  }

  step(
    kind: 'over' | 'in' | 'out',
    granularity: Granularity,
    { into, alone }: { readonly into?: number; readonly alone?: number } = {},
  ): void {
    const { target, catcher, breakpoints, jumps, inspector } = this.#halted();
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
        if (hit === undefined) this.#stopped('step');
        else this.#stopped(hit.kind, hit.ids, hit.note);
      },
      other: (reason) => this.#onStop(reason),
    });
    if (plan === undefined) this.#stopped('step');
    else this.#begin(plan, alone);
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
    const { target, jumps, guest } = this.#halted();
    if (threadId !== guest.currentId()) throw errors.notTheRunningThread(threadId);
    if (this.#ended) throw errors.exited();
    const place = jumps.get(targetId);
    if (place === undefined) throw errors.unknownTarget(targetId);
    if (!target.machine.edit({ kind: 'register', name: 'rip', value: place.address })) throw errors.unmapped(place.address);
    this.#edited();
    this.#forgetState();
    this.#stopped('goto', [], undefined, 'execution goes on from here');
  }

  restartFrame(frameId: number): void {
    const { inspector } = this.#halted();
    const { symbolic, cfa, name, origin } = inspector.frame(frameId);
    if (frameId >= framesPerThread) throw errors.cannotRestart('its thread does not run now');
    if (origin === 'inlined') throw errors.cannotRestart(`${name} is inlined into its caller; begin that one again`);
    const entry = symbolic?.function.entry;
    if (entry === undefined || cfa === undefined) throw errors.cannotRestart('its function or its place on the stack is not known');
    // The call pushed the return address right below the frame.
    this.#setOut((travel) => travel.restartFrame(entry, cfa - 8n, name));
  }

  setSourceBreakpoints(path: string, requests: readonly SourceBreakpointRequest[]): readonly BreakpointStatus[] {
    return this.#live().breakpoints.setSource(path, requests);
  }

  setFunctionBreakpoints(requests: readonly FunctionBreakpointRequest[]): readonly BreakpointStatus[] {
    return this.#live().breakpoints.setFunctions(requests);
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
    return this.#exception;
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

  terminate(): void {
    const parts = this.#parts;
    parts?.runner.halt();
    parts?.travel?.close();
    parts?.network?.close();
    parts?.tracers.close();
    this.#ended = true;
  }

  #past(): { readonly travel: TimeTravel; readonly options: LaunchOptions } {
    const { travel, options } = this.#live();
    if (travel === undefined) throw historyErrors.none();
    return { travel, options };
  }

  /** Sends the guest on a journey; it arrives by `#arrived`. */
  #setOut(journey: (travel: TimeTravel) => void): void {
    const { guest } = this.#halted();
    if (this.#ended) throw errors.exited();
    const { travel } = this.#past();
    const threadId = guest.currentId();
    journey(travel);
    this.#forgetState();
    this.emit({ kind: 'continued', threadId });
  }

  #arrived({ reason, breakpoints, text, exception }: Arrival): void {
    this.#forgetState();
    this.#endShown = undefined;
    this.#exception = exception;
    this.#stopped(reason, breakpoints, text);
  }

  /** What was shown of the guest's state is old. */
  #forgetState(): void {
    this.#parts?.inspector.forget();
    this.#parts?.jumps.forget();
    this.#exception = undefined;
  }

  /** The guest's state was changed from outside, which may have ended the recorded future. */
  #edited(memory?: { readonly address: bigint; readonly length: number }): void {
    this.#parts?.inspector.forgetFrames();
    this.#parts?.travel?.noteEdits();
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

  #live(): Parts {
    if (this.#parts === undefined) throw errors.notLaunched();
    this.#parts.travel?.settle();
    return this.#parts;
  }

  /** For what reaches the guest from outside, running or not: on its way through the past it would change that. */
  #reachable(): Parts {
    const parts = this.#live();
    if (parts.travel?.travelling === true) throw errors.travelling();
    return parts;
  }

  /** For what needs a guest that stands still. */
  #halted(): Parts {
    const parts = this.#live();
    if (parts.runner.running || parts.travel?.travelling === true) throw errors.running();
    return parts;
  }

  /** Runs a plan; with `alone` only that thread, which must be the running one. */
  #begin(asked: RunPlan, alone?: number): void {
    const { target, runner, guest, travel, breakpoints } = this.#halted();
    const refusal = this.#ended
      ? errors.exited()
      : alone !== undefined && alone !== guest.currentId()
        ? errors.notTheRunningThread(alone)
        : undefined;
    if (refusal !== undefined) {
      asked.abandon?.();
      throw refusal;
    }
    this.#forgetState();
    travel?.starts();
    target.probes.passCurrent();
    breakpoints.registers.restart();
    const plan = breakpoints.registers.mustStep ? this.#watchingRegisters(asked) : asked;
    runner.start(alone === undefined ? plan : aloneInThread(target, guest, plan, (text) => this.#stopped('pause', [], text)));
    this.emit({ kind: 'continued', threadId: guest.currentId(), ...(alone === undefined ? {} : { alone: true }) });
  }

  /** A plan that comes back after every instruction, to look at registers that only then can be seen to change. */
  #watchingRegisters(plan: RunPlan): RunPlan {
    const { target, breakpoints } = this.#live();
    const { cpu } = target.machine;
    return {
      limit: () => cpu.retired + 1n,
      onStop: (reason) => {
        if (breakpoints.registers.check()) {
          const outcome = this.#onStop({ kind: 'hook' });
          if (outcome === 'end') plan.abandon?.();
          return outcome;
        }
        const own = plan.limit?.();
        return reason.kind === 'limit' && (own === undefined || cpu.retired < own) ? 'resume' : plan.onStop(reason);
      },
      abandon: () => plan.abandon?.(),
    };
  }

  #onStop(reason: StopReason): 'resume' | 'end' {
    switch (reason.kind) {
      case 'limit':
      case 'idle':
        return 'resume';
      case 'exit':
      case 'dead':
        return this.#exited(reason);
      case 'probe':
      case 'watch':
      case 'tripleFault':
      case 'unsupported':
      case 'hook': {
        if (reason.kind === 'tripleFault' && this.#parts?.catcher.stopsAtTripleFault === false) return this.#exited(reason);
        const stop = this.#parts?.judge.judge(reason);
        if (stop === undefined) return 'resume';
        this.#exception = stop.exception;
        this.#stopped(stop.reason, stop.breakpoints, stop.text);
        return 'end';
      }
    }
  }

  #exited(reason: Parameters<typeof describeEnd>[0]): 'end' {
    const end = describeEnd(reason);
    if (this.#staysAt(reason.kind === 'dead' || end.code !== 0)) {
      const text = `${end.description} Step back to see how it came to that; to go on ends the session.`;
      this.#stopped('exit', [], text, end.description.replace(/\.$/, ''));
    } else {
      this.#ended = true;
      this.#end = { kind: 'exited', ...end };
      this.emit(this.#end);
    }
    return 'end';
  }

  /** Whether the guest's end is a stop to the user, who has not been shown it yet. */
  #staysAt(failed: boolean): boolean {
    const { options, target, travel } = this.#live();
    if (travel === undefined || options.stopAtEnd === 'never' || (options.stopAtEnd === 'failure' && !failed)) return false;
    const { retired } = target.machine.cpu;
    if (this.#endShown === retired) return false;
    this.#endShown = retired;
    return true;
  }

  #stopped(reason: StopKind, breakpoints: readonly number[] = [], text?: string, what?: string): void {
    if (this.#parts === undefined) return;
    const { runner, target, guest, travel } = this.#parts;
    runner.halt();
    target.probes.passCurrent();
    const threadId = guest.currentId();
    const description = what ?? travel?.description ?? (reason === 'goto' ? 'back in the present' : undefined);
    travel?.rested();
    for (const status of this.#parts.breakpoints.afterStop(breakpoints)) this.emit({ kind: 'breakpoint', status, gone: true });
    this.emit({
      kind: 'stopped',
      reason,
      threadId,
      breakpoints,
      ...(description === undefined ? {} : { description }),
      ...(text === undefined ? {} : { text }),
    });
  }
}

/** The bytes that a row shows; scalars at the most. */
const memoryOf = ({ memory }: VariableInfo): { address: bigint; length: number } | undefined =>
  memory === undefined ? undefined : { address: memory, length: 16 };

/** The machine with its symbols, and what is worth telling about them. */
function openTarget(machine: Machine, options: LaunchOptions): { target: TravellingTarget; warnings: string[] } {
  const symbols = options.symbols ?? { name: options.imageName, bytes: options.image };
  const folder = symbols.name.slice(0, Math.max(0, symbols.name.lastIndexOf('/')));
  const target = new TravellingTarget(machine, new SourcePathMap(options.sourceMap), folder);
  const file = SymbolFile.open(symbols.bytes, { name: symbols.name });
  target.addSymbols(file);
  const warnings: string[] = [];
  if (options.symbols !== undefined && !isElf(symbols.bytes))
    warnings.push(`${symbols.name} is not an ELF file, so it gives no symbols. Name the .dbg file of the build under "symbols".`);
  else if (!file.hasDwarf)
    warnings.push(
      `${symbols.name} holds no debug information: source breakpoints will not bind. Build with -g, or name the .dbg file under "symbols".`,
    );
  return { target, warnings };
}

/** Conditions and log points are evaluated in the innermost frame of the moment. */
function hitEvaluator(target: Target, evaluator: Evaluator): HitEvaluator {
  const frame = (): StackFrame => walkStack(target, 1)[0]!;
  return {
    isTrue: (expression) => evaluator.isTrue(expression, frame()),
    text: (expression) => evaluator.evaluate(expression, frame(), { hex: false }, true).text,
  };
}

/** The magic number of ELF. */
const isElf = (bytes: Uint8Array): boolean => [0x7f, 0x45, 0x4c, 0x46].every((byte, index) => bytes[index] === byte);
