/**
 * Notices system calls on both paths of the shim as they begin and return, for stops. The trace's recorder only looks on, and looks away while the past is
 * replayed; a stop is wanted there too, so this keeps a log of its own by which a return finds its call again at any later replay.
 */
import { type ProbeRegistration } from '../../machine/probes';
import { type SyscallPath } from '../../trace/ring';
import { syscallByName, syscallByNumber } from '../../trace/syscalls/table';
import { type Target } from '../target';

/** Asked at a call's entry (`result` undefined) and at its return. */
export type CallJudge = (path: SyscallPath, number: number, result: bigint | undefined) => 'stop' | undefined;

interface Call {
  readonly path: SyscallPath;
  readonly number: number;
  /** Instructions retired at its entry and, once it is known, at its return. */
  readonly start: bigint;
  end: bigint | undefined;
  readonly thread: bigint;
  /** RSP that the caller has once the call is over. */
  readonly stack: bigint;
}

const handlerPattern = /^uk_syscall_r_(?!e_)/;
const handlerPrefix = 'uk_syscall_r_';
const currentThread = '__uk_sched_thread_current';
/** Length of the `syscall` instruction. */
const syscallBytes = 2n;
/** Calls kept for one return address. */
const mostCalls = 4096;

export class CallWatch {
  readonly #probes: ProbeRegistration[] = [];
  /** Calls by return address, in the order of their entries. */
  readonly #calls = new Map<bigint, Call[]>();
  /** Newest call by thread. */
  readonly #newest = new Map<bigint, Call>();
  readonly #thread: bigint | undefined;
  readonly #before: (() => 'stop' | undefined) | undefined;

  constructor(
    private readonly target: Target,
    private readonly judge: CallJudge,
  ) {
    const [kernel] = target.symbolFiles;
    this.#thread = kernel?.symbolsNamed(currentThread)[0]?.address;
    const { hooks } = target.machine.cpu;
    const before = (this.#before = hooks.syscall);
    hooks.syscall = () => {
      const verdict = before?.();
      return this.#onInstruction() ?? verdict;
    };
    for (const { name, kind, address } of kernel?.searchSymbols(handlerPattern, 1000) ?? []) {
      const number = kind === 'function' ? syscallByName(name.slice(handlerPrefix.length))?.number : undefined;
      if (number !== undefined) this.#probes.push(target.probes.add(address, () => this.#onHandler(number)));
    }
  }

  close(): void {
    const { hooks } = this.target.machine.cpu;
    if (this.#before === undefined) delete hooks.syscall;
    else hooks.syscall = this.#before;
    for (const probe of this.#probes) probe.remove();
  }

  /** The guest goes another way from instruction count `moment` on. */
  forgetAfter(moment: bigint): void {
    this.#newest.clear();
    for (const [address, calls] of this.#calls) {
      const kept = calls.filter(({ start }) => start < moment);
      for (const call of kept) if (call.end !== undefined && call.end > moment) call.end = undefined;
      this.#calls.set(address, kept);
    }
  }

  get #now(): bigint {
    return this.target.machine.cpu.retired;
  }

  #onInstruction(): 'stop' | undefined {
    const { probes } = this.target;
    const number = Number(BigInt.asIntN(32, this.target.register('rax')));
    this.#note('binary', number, this.target.pc + syscallBytes, this.target.register('rsp'));
    return probes.quiet || probes.passing ? undefined : this.judge('binary', number, undefined);
  }

  /** A handler was entered: by a direct call, or by the dispatcher or another handler on behalf of a call that is open. */
  #onHandler(number: number): 'stop' | undefined {
    const now = this.#now;
    const stack = this.target.register('rsp') + 8n;
    const outer = this.#newest.get(this.#currentThread());
    const isOpen = outer !== undefined && outer.start <= now && (outer.end === undefined || outer.end > now);
    // A compiled-in call whose frame is gone was left without a return.
    if (isOpen && !(outer.path === 'compiled-in' && outer.stack < stack) && !neverReturns(outer.number)) return undefined;
    const returnAddress = this.target.readInteger(stack - 8n, 8);
    if (returnAddress === undefined) return undefined;
    this.#note('compiled-in', number, returnAddress, stack);
    return this.judge('compiled-in', number, undefined);
  }

  #note(path: SyscallPath, number: number, returnAddress: bigint, stack: bigint): void {
    const start = this.#now;
    const thread = this.#currentThread();
    let calls = this.#calls.get(returnAddress);
    if (calls === undefined) {
      this.#calls.set(returnAddress, (calls = []));
      this.#probes.push(this.target.probes.add(returnAddress, () => this.#onReturn(returnAddress)));
    }
    let at = calls.length;
    while (at > 0 && calls[at - 1]!.start > start) at--;
    let call = calls[at - 1];
    if (call?.start !== start) {
      call = { path, number, start, end: undefined, thread, stack };
      calls.splice(at, 0, call);
      if (calls.length > mostCalls) calls.shift();
    }
    this.#newest.set(thread, call);
  }

  #onReturn(address: bigint): 'stop' | undefined {
    const now = this.#now;
    const stack = this.target.register('rsp');
    const call = this.#calls.get(address)?.findLast((each) => each.start < now && each.stack === stack);
    if (call === undefined || (call.end !== undefined && call.end !== now)) return undefined;
    call.end = now;
    return this.judge(call.path, call.number, BigInt.asIntN(64, this.target.register('rax')));
  }

  #currentThread(): bigint {
    return this.#thread === undefined ? 0n : (this.target.readInteger(this.#thread, 8) ?? 0n);
  }
}

const neverReturns = (number: number): boolean => syscallByNumber(number)?.result === 'never';
