/** The debugger: one machine, its symbols, and everything that a protocol may ask of them. Runs beside the machine, on its thread. */
import { type Machine, MachineError, type StopReason } from '../machine/api';
import { PcMachine } from '../machine/machine';
import { SourcePathMap, SymbolFile } from '../symbols/api';
import {
  type BreakpointStatus,
  type DataBreakpointRequest,
  type DebuggerApi,
  type DebuggerEvent,
  type DisassembledInstruction,
  type ExceptionDetails,
  type ExceptionFilter,
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
import { BreakpointManager } from './breakpoints/manager';
import { CodedError } from './channel';
import { Disassembler } from './disassembler';
import { errors } from './errors';
import { ExceptionCatcher } from './exceptions';
import { Evaluator } from './expr/evaluator';
import { scopeNodes } from './expr/scopes';
import { disassemble } from './instructions';
import { GuestModel, type GuestThreadDetails, savedRegisterNodes } from './guest';
import { historyErrors } from './history/errors';
import { TravellingTarget } from './history/probes';
import { launchHash } from './history/session-file';
import { type Arrival, TimeTravel } from './history/travel';
import { modules } from './modules';
import { watchPrograms } from './programs';
import { registerNodes } from './register-nodes';
import { registerGroups } from './registers';
import { type Host, Runner, type RunPlan } from './runner';
import { type StepDemand, Stepper } from './stepper';
import { type Target } from './target';
import { TraceLog, type TracePage } from './trace-log';
import { attachTracers, type Tracers } from './tracers';
import { type StackFrame, walkStack } from './unwind';
import { type ValueNode } from './value-node';
import { ValueStore } from './value-store';

/** Frame ids of one thread; the running thread's begin at 1. */
const framesPerThread = 1000;

/** The parts of a launched session. */
interface Live {
  readonly target: Target;
  readonly runner: Runner;
  readonly breakpoints: BreakpointManager;
  readonly evaluator: Evaluator;
  readonly catcher: ExceptionCatcher;
  readonly guest: GuestModel;
}

export type MachineFactory = (options: LaunchOptions) => Machine;

export class Debugger implements DebuggerApi {
  #target: Target | undefined;
  #runner: Runner | undefined;
  #breakpoints: BreakpointManager | undefined;
  #evaluator: Evaluator | undefined;
  #catcher: ExceptionCatcher | undefined;
  #tracers: Tracers | undefined;
  #guest: GuestModel | undefined;
  /** Undefined where the machine is not one of ours. */
  #travel: TimeTravel | undefined;
  #launched: LaunchOptions | undefined;
  #traceLog: TraceLog | undefined;
  #imageName = '';
  #disassembler: Disassembler | undefined;
  #stopOnEntry = false;
  #ended = false;
  #exception: ExceptionDetails | undefined;
  readonly #values = new ValueStore();
  /** Frames by the first id of their thread's range, less 1; 0 is the running thread. */
  readonly #stacks = new Map<number, readonly StackFrame[]>();

  constructor(
    private readonly createMachine: MachineFactory,
    private readonly host: Host,
    private readonly emit: (event: DebuggerEvent) => void,
  ) {}

  async launch(options: LaunchOptions): Promise<LaunchResult> {
    const warnings: string[] = [];
    const machine = this.#boot(options);
    this.#disassembler ??= await Disassembler.load('intel');
    const symbols = options.symbols ?? { name: options.imageName, bytes: options.image };
    const folder = symbols.name.slice(0, Math.max(0, symbols.name.lastIndexOf('/')));
    const target = new TravellingTarget(machine, new SourcePathMap(options.sourceMap), folder);
    const file = SymbolFile.open(symbols.bytes, { name: symbols.name });
    target.addSymbols(file);
    if (options.symbols !== undefined && !isElf(symbols.bytes))
      warnings.push(`${symbols.name} is not an ELF file, so it gives no symbols. Name the .dbg file of the build under "symbols".`);
    else if (!file.hasDwarf)
      warnings.push(
        `${symbols.name} holds no debug information: source breakpoints will not bind. Build with -g, or name the .dbg file under "symbols".`,
      );
    this.#target = target;
    this.#stopOnEntry = options.stopOnEntry;
    this.#evaluator = new Evaluator(target);
    const guest = (this.#guest = new GuestModel(target));
    this.#imageName = options.imageName;
    // What the guest wrote before comes before the line.
    const say = (category: 'log' | 'trace', text: string, location?: SourceLocation): void => {
      machine.flushConsole();
      this.emit({ kind: 'message', category, text, ...(location === undefined ? {} : { location }) });
    };
    this.#breakpoints = new BreakpointManager(target, this.#hitEvaluator(), (text, location) => {
      // What is looked at on the way through the past is not what the user runs.
      if (this.#travel?.travelling !== true) say('log', text, location);
    });
    // The catcher wraps hooks that tracers set before it.
    this.#tracers = attachTracers(target, options.trace, (text) => {
      if (!machine.replaying) say('trace', text);
    });
    this.#traceLog = new TraceLog(this.#tracers.ring, (address) => guest.traceThread(address));
    this.#catcher = new ExceptionCatcher(target);
    watchPrograms(target, options.initrd, ({ path, hasDwarf, text, found }) => {
      this.emit({ kind: 'message', category: found ? 'log' : 'warning', text });
      if (!found) return;
      this.#stacks.clear();
      for (const status of this.#breakpoints?.refresh() ?? []) this.emit({ kind: 'breakpoint', status });
      this.emit({ kind: 'symbols', name: path, hasDwarf });
    });
    this.#runner = new Runner(machine, this.host, options.clock, () => this.#stopped('pause'));
    machine.onConsoleOutput = (bytes) => {
      this.#travel?.history.wrote(bytes);
      this.emit({ kind: 'console', bytes });
    };
    this.#launched = options;
    if (machine instanceof PcMachine) this.#travel = this.#record(machine, target, options);
    return { warnings };
  }

  #record(machine: PcMachine, target: TravellingTarget, options: LaunchOptions): TimeTravel {
    const travel = new TimeTravel({
      machine,
      target,
      disassembler: this.#disassembler!,
      host: this.host,
      ...(options.historyBytes === undefined ? {} : { budget: options.historyBytes }),
      // The same factory gave the machine that runs.
      pristine: () => this.createMachine(options) as PcMachine,
      judge: (reason) => this.#judge(reason),
      arrived: (arrival) => this.#arrived(arrival),
      message: (text) => this.emit({ kind: 'message', category: 'log', text }),
    });
    this.#runner!.onRan = (reason) => travel.ran(reason);
    return travel;
  }

  #boot(options: LaunchOptions): Machine {
    try {
      return this.createMachine(options);
    } catch (error) {
      throw error instanceof MachineError ? new CodedError(error.code, error.message) : error;
    }
  }

  start(): void {
    if (this.#stopOnEntry) this.#stopped('entry');
    else this.resume();
  }

  resume(): void {
    this.#begin({ onStop: (reason) => this.#onStop(reason) });
  }

  pause(): void {
    if (this.#travel?.travelling === true) this.#travel.pause();
    else this.#live().runner.pause();
  }

  stepBack(kind: 'back' | 'over' | 'in' | 'out', granularity: Granularity): void {
    this.#setOut((travel) => travel.reverse(kind, granularity));
  }

  reverseContinue(): void {
    this.#setOut((travel) => travel.reverseContinue());
  }

  seek(place: SeekPlace | { readonly traceSequence: number }): void {
    if (!('traceSequence' in place)) return this.#setOut((travel) => travel.seek(place));
    const event = this.#trace().ring.read(place.traceSequence);
    if (event === undefined) throw historyErrors.noEvent(place.traceSequence);
    this.#setOut((travel) => travel.seek({ instruction: Number(event.start) }));
  }

  openSession(bytes: Uint8Array): void {
    this.#setOut((travel) => travel.open(bytes, launchHash(this.#launched!)));
  }

  history(): HistoryStatus {
    return this.#past().status;
  }

  saveSession(): Uint8Array {
    const travel = this.#past();
    const { target } = this.#halted();
    const saved = travel.save(launchHash(this.#launched!), this.#imageName);
    target.probes.passCurrent();
    return saved;
  }

  step(kind: 'over' | 'in' | 'out', granularity: Granularity): void {
    const { target, catcher } = this.#halted();
    const program = new Stepper(target, this.#disassembler!, catcher.watchDeliveries()).program(kind, granularity);
    let demand: StepDemand | undefined;
    let limit: bigint | undefined;
    let reached = false;
    let probe: { remove(): void } | undefined;
    const clear = (): void => {
      probe?.remove();
      probe = undefined;
    };
    /** Asks the program what comes next; false when the step is done. */
    const advance = (): boolean => {
      clear();
      const next = program.next();
      if (next.done === true) return false;
      demand = next.value;
      reached = false;
      target.probes.passCurrent();
      limit = demand.kind === 'instruction' ? target.machine.cpu.retired + 1n : undefined;
      if (demand.kind === 'until') {
        const { address, when } = demand;
        probe = target.probes.add(address, () => {
          reached = when();
          return reached ? 'stop' : undefined;
        });
      }
      return true;
    };
    const finish = (outcome: 'resume' | 'end'): 'resume' | 'end' => {
      if (outcome === 'end') {
        clear();
        catcher.unwatchDeliveries();
      }
      return outcome;
    };
    if (!advance()) return this.#stopped('step');
    this.#begin({
      limit: () => limit,
      onStop: (reason) => {
        if (reason.kind === 'limit' || (reason.kind === 'probe' && reached)) {
          // A breakpoint at the place that the step ends at is a hit of the breakpoint.
          if (advance()) return 'resume';
          const hit = this.#breakpoints?.takeStop();
          if (hit === undefined) this.#stopped('step');
          else this.#stopped(hit.kind, hit.ids, hit.note);
          return finish('end');
        }
        return finish(this.#onStop(reason));
      },
    });
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

  stack(threadId: number, start: number, levels: number): { readonly frames: readonly FrameInfo[]; readonly total: number } {
    const { target, guest } = this.#halted();
    const base = threadId === guest.currentId() ? 0 : threadId * framesPerThread;
    const frames = this.#frames(base);
    const wanted = levels > 0 ? frames.slice(start, start + levels) : frames.slice(start);
    return { frames: wanted.map((frame, index) => frameInfo(target, frame, base + start + index + 1)), total: frames.length };
  }

  guestThreads(): { readonly threads: readonly GuestThreadDetails[]; readonly notes: readonly string[] } {
    return this.#live().guest.details((address) => this.#traceLog?.openCall(address));
  }

  guestTls(threadId: number | undefined): ReturnType<GuestModel['tls']> {
    return this.#live().guest.tls(threadId);
  }

  traceEvents(from: number | undefined, limit: number, filter: string): TracePage {
    return this.#trace().page(from, limit, filter);
  }

  traceSummary(filter: string): ReturnType<TraceLog['summary']> {
    return this.#trace().summary(filter);
  }

  tracePlace(sequence: number): { readonly function?: string; readonly location?: SourceLocation } {
    const { target } = this.#live();
    const address = this.#trace().place(sequence);
    if (address === undefined) return {};
    const location = target.location(address);
    return { function: target.describe(address), ...(location === undefined ? {} : { location }) };
  }

  exportTrace(format: 'strace' | 'chrome', filter: string): string {
    return this.#trace().export(format, filter, this.#imageName.slice(this.#imageName.lastIndexOf('/') + 1));
  }

  scopes(frameId: number): readonly ScopeInfo[] {
    const { target } = this.#halted();
    const frame = this.#frame(frameId);
    const own = scopeNodes(target, frame, { hex: false }).map(({ name, kind, count, expensive }): ScopeInfo => ({
      name,
      kind,
      expensive,
      handle: this.#values.add(
        name,
        (from, size) =>
          scopeNodes(target, frame, { hex: this.#hex })
            .find((scope) => scope.name === name)
            ?.children(from, size) ?? [],
      ),
      ...(count === undefined ? {} : { count }),
    }));
    // What another thread will go on with is what its frames hold; the processor's registers are not its.
    if (frameId > framesPerThread) {
      const saved = (): readonly ValueNode[] => savedRegisterNodes(target, frame);
      return [...own, { name: 'Registers: Saved', kind: 'registers', expensive: false, handle: this.#values.add('Saved', saved) }];
    }
    const registers = registerGroups.map((group): ScopeInfo => {
      const children = (): ReturnType<typeof registerNodes> => registerNodes(target.machine, group, { hex: this.#hex });
      return {
        name: `Registers: ${group.name}`,
        kind: 'registers',
        expensive: group.name !== 'General',
        handle: this.#values.add(group.name, children),
      };
    });
    return [...own, ...registers];
  }

  variables(handle: number, start?: number, count?: number, hex = false): readonly VariableInfo[] {
    this.#halted();
    return this.#withHex(hex, () => this.#values.children(handle, start, count));
  }

  setVariable(handle: number, name: string, value: string): VariableInfo {
    this.#halted();
    const result = this.#values.assign(handle, name, value);
    this.#edited();
    return result;
  }

  evaluate(expression: string, frameId: number | undefined, hex: boolean): VariableInfo {
    const { evaluator, target } = this.#halted();
    const edits = target.machine.journal.length;
    const row = this.#withHex(hex, () =>
      this.#values.present(evaluator.evaluate(expression, this.#optionalFrame(frameId), { hex }), 'evaluate'),
    );
    // An assignment may have changed what the frames were found by.
    if (target.machine.journal.length !== edits) this.#edited();
    return row;
  }

  setExpression(expression: string, value: string, frameId: number | undefined): VariableInfo {
    const { evaluator } = this.#halted();
    const node = evaluator.evaluate(expression, this.#optionalFrame(frameId), { hex: false });
    if (node.assign === undefined) throw errors.readOnly(expression);
    const changed = node.assign(value);
    this.#edited();
    return this.#values.present(changed, 'evaluate');
  }

  completions(text: string, column: number, frameId: number | undefined): ReturnType<DebuggerApi['completions']> {
    const { evaluator } = this.#halted();
    return evaluator.completions(text, column, this.#optionalFrame(frameId));
  }

  dataPlace(
    name: string,
    handle: number | undefined,
    frameId: number | undefined,
  ): { readonly address: bigint; readonly length: number } | undefined {
    const { evaluator } = this.#halted();
    const expression = handle === undefined || handle === 0 ? name : this.#values.expressionOf(handle, name);
    return expression === undefined ? undefined : evaluator.place(expression, this.#optionalFrame(frameId));
  }

  readMemory(address: bigint, length: number): Uint8Array {
    return this.#live().target.machine.cpu.readMemory(address, length);
  }

  writeMemory(address: bigint, bytes: Uint8Array): number {
    const { target } = this.#live();
    const written = target.writeMemory(address, bytes);
    this.#edited();
    return written;
  }

  disassemble(address: bigint, offset: number, count: number): readonly DisassembledInstruction[] {
    return disassemble(this.#live().target, this.#disassembler!, address, offset, count);
  }

  modules(): readonly ModuleInfo[] {
    return modules(this.#live().target);
  }

  loadedSources(): readonly string[] {
    const { target } = this.#live();
    return target.symbolFiles.flatMap((file) => file.sources().map((source) => target.localPath(source.path)));
  }

  exceptionInfo(): ExceptionDetails | undefined {
    return this.#exception;
  }

  consoleInput(text: string): void {
    const { target, runner } = this.#live();
    target.machine.consoleInput(new TextEncoder().encode(text));
    this.#travel?.noteEdits();
    runner.wake();
  }

  statistics(): RunStatistics {
    const { machine } = this.#live().target;
    return { instructions: machine.cpu.retired, virtualTime: machine.clock.now() };
  }

  terminate(): void {
    this.#runner?.halt();
    this.#travel?.close();
    this.#tracers?.close();
    this.#ended = true;
  }

  #hex = false;

  #withHex<T>(hex: boolean, work: () => T): T {
    this.#hex = hex;
    return work();
  }

  #past(): TimeTravel {
    this.#live();
    if (this.#travel === undefined) throw historyErrors.none();
    return this.#travel;
  }

  /** Sends the guest on a journey; it arrives by `#arrived`. */
  #setOut(journey: (travel: TimeTravel) => void): void {
    const { guest } = this.#halted();
    if (this.#ended) throw errors.exited();
    const travel = this.#past();
    const threadId = guest.currentId();
    journey(travel);
    this.#forgetState();
    this.emit({ kind: 'continued', threadId });
  }

  #arrived({ reason, breakpoints, text, exception }: Arrival): void {
    this.#forgetState();
    this.#exception = exception;
    this.#stopped(reason, breakpoints, text);
  }

  /** What was shown of the guest's state is old. */
  #forgetState(): void {
    this.#values.invalidate();
    this.#stacks.clear();
    this.#exception = undefined;
  }

  /** The guest's state was changed from outside, which may have ended the recorded future. */
  #edited(): void {
    this.#stacks.clear();
    this.#travel?.noteEdits();
  }

  #live(): Live {
    if (this.#target === undefined || this.#runner === undefined) throw errors.notLaunched();
    this.#travel?.settle();
    return {
      target: this.#target,
      runner: this.#runner,
      breakpoints: this.#breakpoints!,
      evaluator: this.#evaluator!,
      catcher: this.#catcher!,
      guest: this.#guest!,
    };
  }

  #trace(): TraceLog {
    if (this.#traceLog === undefined) throw errors.notLaunched();
    return this.#traceLog;
  }

  /** For what needs a guest that stands still. */
  #halted(): Live {
    const live = this.#live();
    if (live.runner.running || this.#travel?.travelling === true) throw errors.running();
    return live;
  }

  #begin(plan: RunPlan): void {
    const { target, runner } = this.#halted();
    if (this.#ended) throw errors.exited();
    this.#forgetState();
    this.#travel?.starts();
    target.probes.passCurrent();
    runner.start(plan);
    this.emit({ kind: 'continued', threadId: this.#live().guest.currentId() });
  }

  /** Frames of the thread whose ids begin after `base`. */
  #frames(base: number): readonly StackFrame[] {
    let frames = this.#stacks.get(base);
    if (frames === undefined) {
      const { guest } = this.#live();
      frames = guest.frames(base === 0 ? guest.currentId() : base / framesPerThread, framesPerThread);
      this.#stacks.set(base, frames);
    }
    return frames;
  }

  #frame(id: number): StackFrame {
    const index = (id - 1) % framesPerThread;
    const frame = this.#frames(id - 1 - index)[index];
    if (frame === undefined) throw errors.unknownFrame(id);
    return frame;
  }

  #optionalFrame(id: number | undefined): StackFrame {
    return this.#frame(id ?? 1);
  }

  #hitEvaluator(): { isTrue(expression: string): boolean; text(expression: string): string } {
    const frame = (): StackFrame => {
      const [innermost] = walkStack(this.#live().target, 1);
      return innermost!;
    };
    return {
      isTrue: (expression) => this.#evaluator!.isTrue(expression, frame()),
      text: (expression) => this.#evaluator!.evaluate(expression, frame(), { hex: false }).text,
    };
  }

  #onStop(reason: StopReason): 'resume' | 'end' {
    switch (reason.kind) {
      case 'limit':
      case 'idle':
        return 'resume';
      case 'exit':
      case 'dead': {
        const end = describeEnd(reason);
        this.#ended = true;
        this.emit({ kind: 'exited', ...end });
        return 'end';
      }
      case 'probe':
      case 'watch':
      case 'tripleFault':
      case 'unsupported':
      case 'hook': {
        const stop = this.#judge(reason);
        if (stop === undefined) return 'resume';
        this.#exception = stop.exception;
        this.#stopped(stop.reason, stop.breakpoints, stop.text);
        return 'end';
      }
    }
  }

  /** What a stop of the machine means to the user; undefined where it means nothing. */
  #judge(reason: StopReason): Arrival | undefined {
    switch (reason.kind) {
      case 'probe': {
        const stop = this.#breakpoints?.takeStop();
        return stop === undefined
          ? undefined
          : { reason: stop.kind, breakpoints: stop.ids, ...(stop.note === undefined ? {} : { text: stop.note }) };
      }
      case 'watch': {
        for (const hit of reason.hits) {
          const stop = this.#breakpoints?.dataHit(hit.id);
          if (stop === undefined) continue;
          const text = `${hit.write ? 'Written' : 'Read'}: ${hit.size} bytes at 0x${hit.address.toString(16)} by ${this.#live().target.describe(hit.rip)}`;
          return { reason: 'data breakpoint', breakpoints: stop.ids, text };
        }
        return undefined;
      }
      case 'tripleFault':
      case 'unsupported':
      case 'hook': {
        const exception = this.#catcher?.explain(reason);
        return { reason: 'exception', breakpoints: [], ...(exception === undefined ? {} : { text: exception.description, exception }) };
      }
      default:
        return undefined;
    }
  }

  #stopped(reason: StopKind, breakpoints: readonly number[] = [], text?: string): void {
    this.#runner?.halt();
    this.#target?.probes.passCurrent();
    const threadId = this.#guest?.currentId() ?? 1;
    const description = this.#travel?.description;
    this.#travel?.rested();
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

/** The magic number of ELF. */
const isElf = (bytes: Uint8Array): boolean => [0x7f, 0x45, 0x4c, 0x46].every((byte, index) => bytes[index] === byte);

function frameInfo(target: Target, frame: StackFrame, id: number): FrameInfo {
  const position = frame.symbolic?.position;
  const location = position === undefined ? target.location(frame.lookup) : target.present(position);
  const library = frame.symbols?.unitAt(frame.lookup)?.library;
  return {
    id,
    name: frame.name,
    address: frame.pc,
    origin: frame.origin,
    ...(location === undefined ? {} : { location }),
    ...(library === undefined ? {} : { library }),
  };
}

function describeEnd(reason: Extract<StopReason, { kind: 'exit' | 'dead' }>): { code: number; description: string } {
  if (reason.kind === 'dead') return { code: 0, description: 'The guest halted with interrupts off.' };
  switch (reason.exit.kind) {
    case 'powerOff':
      return { code: 0, description: 'The guest powered off.' };
    case 'reset':
      return { code: 0, description: 'The guest asked for a reset.' };
    case 'exitPort':
      return { code: (reason.exit.value << 1) | 1, description: `The guest wrote ${reason.exit.value} to the debug exit port.` };
  }
}
