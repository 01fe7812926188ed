/** The filters of the Breakpoints view at work: notices what they name as it happens, stops the guest there, and explains the stop. */
import { type Machine, type StopReason } from '../../machine/api';
import { type CpuHooks } from '../../x86/api';
import { type SyscallPath } from '../../trace/ring';
import { type BreakpointStatus, type ExceptionDetails, type ExceptionFilter } from '../api';
import { conditionHolds, type HitEvaluator } from '../breakpoints/breakpoint';
import { CodedError } from '../channel';
import { syscallByNumber } from '../../trace/syscalls/table';
import { errors } from '../errors';
import { type GuestModel } from '../guest';
import { hex } from '../registers';
import { type Target } from '../target';
import { type Tracers } from '../tracers';
import { CallWatch } from './calls';
import { formatCallResult } from './results';
import { ExceptionCatcher } from './exceptions';
import { Filter, filterDefinitions } from './filters';
import { PanicWatch } from './panics';
import { providerText } from './provided';
import { parseSyscallCondition, parseVectors, type SyscallCondition, syscallName } from './syscall-condition';

/** Explained when the guest stands: what it was doing may still go on. */
interface Caught {
  readonly id: string;
  readonly description: string;
  details?(): string;
  readonly note?: string | undefined;
}

/** ENOSYS. */
const noSuchCall = 38n;

export class Catcher {
  readonly exceptions: ExceptionCatcher;
  readonly #machine: Machine;
  readonly #panics: PanicWatch;
  /** Conditions of the filters that are set, as they were written. */
  #set = new Map<string, string>([[Filter.tripleFault, '']]);
  #calls = new Map<string, SyscallCondition>();
  #interrupts: ((vector: number) => boolean) | undefined;
  #caught: Caught | undefined;
  #callWatch: CallWatch | undefined;
  /** The hook that was there before. */
  readonly #fsBaseBefore: CpuHooks['fsBase'];

  constructor(
    private readonly target: Target,
    private readonly evaluator: HitEvaluator,
    private readonly guest: GuestModel,
    private readonly tracers: Tracers,
  ) {
    this.#machine = target.machine;
    this.exceptions = new ExceptionCatcher(target, evaluator, guest);
    this.#panics = new PanicWatch(target, ({ kind, text }) => this.#onProbe(kind, { id: kind, description: text }));
    const { hooks } = this.#machine.cpu;
    const { interrupt } = hooks;
    this.#fsBaseBefore = hooks.fsBase;
    hooks.interrupt = (vector) => this.#onInterrupt(vector) ?? interrupt?.(vector);
  }

  /** Replaces all filters. A filter that does not exist, or whose condition cannot be understood, is not set and says why. */
  setFilters(filters: readonly ExceptionFilter[]): readonly BreakpointStatus[] {
    this.#set = new Map();
    this.#calls = new Map();
    this.#interrupts = undefined;
    const vectors: ExceptionFilter[] = [];
    const statuses = filters.map((filter, index): BreakpointStatus => {
      try {
        this.#add(filter, vectors);
        return { id: -1 - index, verified: true };
      } catch (error) {
        if (error instanceof CodedError) return { id: -1 - index, verified: false, message: error.message };
        throw error;
      }
    });
    this.exceptions.setFilters(vectors);
    this.symbolsAdded();
    this.#watchThreadPointer();
    const watches = this.#calls.size > 0;
    // Kept while it is wanted: it knows the calls that are open.
    if (watches) this.#callWatch ??= new CallWatch(this.target, (path, number, result) => this.#onCall(path, number, result));
    else {
      this.#callWatch?.close();
      this.#callWatch = undefined;
    }
    return statuses;
  }

  /** There are more symbols than before. */
  symbolsAdded(): void {
    if (this.#set.has(Filter.panic) || this.#set.has(Filter.assertion)) this.#panics.arm();
    else this.#panics.disarm();
  }

  /** The guest goes another way from instruction count `moment` on. */
  forgetAfter(moment: number): void {
    this.#callWatch?.forgetAfter(BigInt(moment));
  }

  /** Whether a triple fault stops, or ends the run as the reset that it is. */
  get stopsAtTripleFault(): boolean {
    return this.#set.has(Filter.tripleFault);
  }

  /** What a filter stopped the guest for at a probe or hook; asked once. */
  take(): ExceptionDetails | undefined {
    const caught = this.#caught;
    this.#caught = undefined;
    if (caught === undefined) return undefined;
    const details = [caught.details?.() ?? '', caught.note ?? ''].filter((line) => line !== '').join('\n');
    return { id: caught.id, description: caught.description, details };
  }

  explain(reason: Extract<StopReason, { kind: 'tripleFault' | 'unsupported' | 'hook' }>): ExceptionDetails {
    return (reason.kind === 'hook' ? this.take() : undefined) ?? this.exceptions.explain(reason);
  }

  #add({ filter, condition = '' }: ExceptionFilter, vectors: ExceptionFilter[]): void {
    if (!filterDefinitions.some((each) => each.filter === filter)) throw errors.unknownFilter(filter);
    switch (filter) {
      case Filter.syscallEntry:
      case Filter.syscallReturn:
      case Filter.unhandledSyscall: {
        const parsed = parseSyscallCondition(condition);
        if (filter === Filter.syscallEntry && parsed.needsResult) throw errors.resultAtEntry();
        this.#calls.set(filter, parsed);
        break;
      }
      case Filter.interrupt:
        this.#interrupts = parseVectors(condition);
        break;
      case Filter.panic:
      case Filter.assertion:
      case Filter.tlsSwitch:
      case Filter.tripleFault:
        break;
      default:
        vectors.push(condition === '' ? { filter } : { filter, condition });
    }
    this.#set.set(filter, condition);
  }

  /** Something caught by a probe: stops unless its condition does not hold. */
  #onProbe(filter: string, caught: Caught, condition = this.#set.get(filter)): 'stop' | undefined {
    if (condition === undefined) return undefined;
    const { holds, note } = conditionHolds(this.evaluator, condition);
    if (!holds) return undefined;
    this.#caught = { ...caught, note };
    return 'stop';
  }

  #onCall(path: SyscallPath, number: number, result: bigint | undefined): 'stop' | undefined {
    const wanted: readonly string[] =
      result === undefined
        ? [Filter.syscallEntry]
        : result === -noSuchCall
          ? [Filter.unhandledSyscall, Filter.syscallReturn]
          : [Filter.syscallReturn];
    for (const filter of wanted) {
      const condition = this.#calls.get(filter);
      if (condition?.accepts(path, number, result) !== true) continue;
      const name = syscallName(number);
      const way = path === 'binary' ? 'by a syscall instruction' : 'by a direct call';
      const description =
        result === undefined
          ? `System call ${name}, ${way}`
          : filter === Filter.unhandledSyscall
            ? `System call ${name} is not provided by this image`
            : `System call ${name} returned ${formatCallResult(result)}`;
      const verdict = this.#onProbe(
        filter,
        {
          id: filter,
          description,
          details: () =>
            [this.#callText(path, number, result), filter === Filter.unhandledSyscall ? this.#whoProvides(number) : '']
              .filter((text) => text !== '')
              .join('\n'),
        },
        condition.expression ?? '',
      );
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }

  /** The call as strace has it, where it is traced; else its registers. */
  #callText(path: SyscallPath, number: number, result: bigint | undefined): string {
    const traced = this.tracers.lastCall();
    if (traced.startsWith(`${syscallName(number)}(`)) return traced;
    if (result !== undefined) return '';
    const registers = ['rdi', 'rsi', 'rdx', path === 'binary' ? 'r10' : 'rcx', 'r8', 'r9'].slice(
      0,
      syscallByNumber(number)?.args.length ?? 6,
    );
    return registers.map((name) => `${name} = 0x${this.target.register(name).toString(16)}`).join(', ');
  }

  /** What would have to be in the image for a call that is not. */
  #whoProvides(number: number): string {
    const name = syscallName(number);
    const [kernel] = this.target.symbolFiles;
    return providerText(name, (kernel?.symbolsNamed(`uk_syscall_r_${name}`).length ?? 0) > 0);
  }

  /** A hook costs something at every system call: it is there only while the filter is set. */
  #watchThreadPointer(): void {
    const { hooks } = this.#machine.cpu;
    const before = this.#fsBaseBefore;
    const watch = (from: bigint, to: bigint): void => {
      before?.(from, to);
      this.#onThreadPointer(from, to);
    };
    if (this.#set.has(Filter.tlsSwitch)) hooks.fsBase = watch;
    else if (before === undefined) delete hooks.fsBase;
    else hooks.fsBase = before;
  }

  #onThreadPointer(from: bigint, to: bigint): void {
    if (this.target.probes.quiet) return;
    const details = (): string => {
      // Before there are threads nobody can tell whose a block is.
      if (this.guest.list().threads.length === 0) return '';
      const block = this.guest.tls(undefined).find(({ pointer }) => pointer === to);
      return block === undefined ? '' : `It is the ${block.owner}'s block${block.size === undefined ? '' : ` of ${block.size} bytes`}.`;
    };
    const description = `FS base changed from ${hex(from)} to ${hex(to)} in ${this.target.describe(this.target.pc)}`;
    if (this.#onProbe(Filter.tlsSwitch, { id: Filter.tlsSwitch, description, details }) === 'stop') this.#machine.yieldSoon('hook');
  }

  #onInterrupt(vector: number): 'stop' | undefined {
    if (this.#interrupts?.(vector) !== true || this.target.probes.quiet) return undefined;
    return this.#onProbe(
      Filter.interrupt,
      { id: Filter.interrupt, description: `Interrupt ${vector} is delivered in ${this.target.describe(this.target.pc)}` },
      '',
    );
  }
}
