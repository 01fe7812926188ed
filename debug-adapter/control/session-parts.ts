/** Puts a launched session's parts together: the machine with its symbols, what watches it, and what takes it back in time. */
import { type Machine, MachineError } from '../machine/api';
import { PcMachine } from '../machine/machine';
import { NetworkLink } from '../machine/network';
import { SourcePathMap, SymbolFile } from '../symbols/api';
import { type DebuggerEvent, type LaunchOptions, type SourceLocation } from './api';
import { type HitEvaluator } from './breakpoints/breakpoint';
import { BreakpointManager } from './breakpoints/manager';
import { Catcher } from './catch/catcher';
import { CodedError } from './channel';
import { type Disassembler } from './disassembler';
import { errors } from './errors';
import { Evaluator } from './expr/evaluator';
import { GuestModel } from './guest';
import { TravellingTarget } from './history/probes';
import { type Arrival, TimeTravel } from './history/travel';
import { Inspector } from './inspector';
import { JumpTargets } from './jumps';
import { LineBudget } from './line-budget';
import { missingSupplement, watchPrograms } from './programs';
import { type Host, Runner } from './runner';
import { StopJudge } from './stops';
import { type Target } from './target';
import { TraceLog } from './trace-log';
import { attachTracers, type Tracers } from './tracers';
import { type Turn } from './turn';
import { type StackFrame, walkStack } from './unwind';

/** The parts of a launched session. */
export interface Parts {
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

/** What the parts are made of, and whom they tell. */
export interface Surroundings {
  readonly options: LaunchOptions;
  readonly host: Host;
  readonly disassembler: Disassembler;
  readonly emit: (event: DebuggerEvent) => void;
  /** The machine was paused. */
  readonly paused: () => void;
  /** A journey through the past is at its end. */
  readonly arrived: (arrival: Arrival) => void;
}

/** Everything of a session around a machine that has not run, and what is worth telling about its symbols. */
export function assembleParts(
  machine: Machine,
  surroundings: Surroundings,
): { readonly parts: Parts; readonly warnings: readonly string[] } {
  const { options, host, disassembler, emit, paused } = surroundings;
  const { target, warnings } = openTarget(machine, options);
  const evaluator = new Evaluator(target);
  const guest = new GuestModel(target);
  const inspector = new Inspector(target, guest, evaluator);
  // What the guest wrote before comes before the line.
  const say = (category: 'log' | 'trace', text: string, location?: SourceLocation): void => {
    machine.flushConsole();
    emit({ kind: 'message', category, text, ...(location === undefined ? {} : { location }) });
  };
  const runner = new Runner(machine, host, options.clock, paused);
  target.probes.onAnswered = () => runner.turn.look();
  const atHit = hitEvaluator(target, evaluator, runner.turn);
  // One in a tight loop has hundreds of thousands a second to say, behind which every answer would wait.
  const messages = new LineBudget((skipped) =>
    say(
      'log',
      `… ${skipped.toLocaleString('en-US')} more messages of log points, faster than can be read here: a condition or a hit count thins them out.`,
    ),
  );
  const breakpoints = new BreakpointManager(target, atHit, (line) => {
    // What is looked at on the way through the past is not what the user runs.
    if (travel?.travelling === true || !messages.take()) return;
    const { text, location } = line();
    say('log', text, location);
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
    () => host.now(),
  );
  const catcher = new Catcher(target, atHit, guest, tracers);
  const jumps = new JumpTargets(target, disassembler);
  const judge = new StopJudge(target, breakpoints, catcher);
  watchPrograms(target, options, ({ path, hasDwarf, text, found }) => {
    emit({ kind: 'message', category: found ? 'log' : 'warning', text });
    if (!found) return;
    inspector.forgetFrames();
    catcher.symbolsAdded();
    for (const status of breakpoints.refresh()) emit({ kind: 'breakpoint', status });
    emit({ kind: 'symbols', name: path, hasDwarf });
  });
  const watched = { target, runner, breakpoints, catcher, tracers, traceLog, judge };
  const travel = machine instanceof PcMachine ? recordHistory(machine, watched, surroundings) : undefined;
  runner.onRan = (reason) => {
    lines.refill();
    messages.refill();
    travel?.ran(reason);
  };
  machine.onConsoleOutput = (bytes) => {
    travel?.history.wrote(bytes);
    emit({ kind: 'console', bytes });
  };
  const network = machine instanceof PcMachine ? connectNetwork(machine, runner, travel, surroundings) : undefined;
  return { parts: { ...watched, options, evaluator, guest, inspector, jumps, travel, network }, warnings };
}

type Watched = Pick<Parts, 'runner' | 'breakpoints' | 'catcher' | 'tracers' | 'traceLog' | 'judge'> & { readonly target: TravellingTarget };

function recordHistory(
  machine: PcMachine,
  { target, runner, breakpoints, catcher, tracers, traceLog, judge }: Watched,
  { options, host, disassembler, emit, arrived }: Surroundings,
): TimeTravel {
  return new TimeTravel({
    machine,
    target,
    disassembler,
    host,
    turn: runner.turn,
    ...(options.historyBytes === undefined ? {} : { budget: options.historyBytes }),
    watchAlso: (watchpoint) => breakpoints.watchAlso(watchpoint),
    judge: (reason) => judge.judge(reason),
    arrived,
    message: (text) => emit({ kind: 'message', category: 'log', text }),
    futureDropped: (moment) => {
      breakpoints.forgetAfter(moment);
      tracers.forgetAfter(moment);
      traceLog.changed();
      catcher.forgetAfter(moment);
    },
  });
}

/** What a saved session got of the network is in its journal: only what goes on behind its end is new. */
function connectNetwork(
  machine: PcMachine,
  runner: Runner,
  travel: TimeTravel | undefined,
  { options, host, emit }: Surroundings,
): NetworkLink | undefined {
  if (options.network === undefined) return undefined;
  if (host.network === undefined) throw errors.noNetwork();
  const link = coded(() => new NetworkLink(options.network!, host.network!));
  const say = (text: string): void => emit({ kind: 'message', category: 'warning', text });
  link.connect(machine, () => runner.wake(), say);
  runner.onReady = () => {
    if (travel?.travelling !== true) link.pump();
  };
  return link;
}

/** Does what the machine may refuse, with its refusal as an error for the user. */
export function coded<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw error instanceof MachineError ? new CodedError(error.code, error.message) : error;
  }
}

/** The machine with its symbols, and what is worth telling about them. */
function openTarget(machine: Machine, options: LaunchOptions): { target: TravellingTarget; warnings: string[] } {
  const symbols = options.symbols ?? { name: options.imageName, bytes: options.image };
  const folder = symbols.name.slice(0, Math.max(0, symbols.name.lastIndexOf('/')));
  const target = new TravellingTarget(machine, new SourcePathMap(options.sourceMap), folder);
  const { name, bytes, supplement } = symbols;
  const file = SymbolFile.open(bytes, { name, ...(supplement !== undefined && { supplement }) });
  target.addSymbols(file);
  const warnings: string[] = [];
  if (options.symbols !== undefined && !isElf(symbols.bytes))
    warnings.push(`${symbols.name} is not an ELF file, so it gives no symbols. Name the .dbg file of the build under "symbols".`);
  else if (!file.hasDwarf)
    warnings.push(
      `${symbols.name} holds no debug information: source breakpoints will not bind. Build with -g, or name the .dbg file under "symbols".`,
    );
  const missing = missingSupplement(file);
  if (missing !== undefined) warnings.push(`${symbols.name}: ${missing}`);
  return { target, warnings };
}

/** Conditions and log points are evaluated in the innermost frame of the moment. */
function hitEvaluator(target: Target, evaluator: Evaluator, turn: Turn): HitEvaluator {
  const frame = (): StackFrame => {
    turn.look();
    return walkStack(target, 1)[0]!;
  };
  return {
    isTrue: (expression) => evaluator.isTrue(expression, frame()),
    text: (expression) => evaluator.evaluate(expression, frame(), { hex: false }, true).text,
  };
}

/** The magic number of ELF. */
const isElf = (bytes: Uint8Array): boolean => [0x7f, 0x45, 0x4c, 0x46].every((byte, index) => bytes[index] === byte);
