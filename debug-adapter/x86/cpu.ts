/** The processor: the run loop around generated code of both tiers, and events between instructions. */

import { Allowance } from './allowance';
import {
  type Cpu,
  type CpuExit,
  type CpuHooks,
  type CpuParts,
  type KeptRegions,
  type Probe,
  type StoreFollower,
  type Watchpoint,
} from './api';
import { type Block, BlockCache } from './blocks';
import { Callouts } from './callouts';
import { GuestFault, StoppedByHook, Unsupported, Vector } from './context';
import { featuresOf } from './cpuid';
import { noteBreakpoints, noteSingleStep } from './debug-registers';
import { CpuState } from './cpu-state';
import { Decoder } from './decoder';
import { type CompileService, defaultCompiler } from './default-compiler';
import { defaultHandlers } from './default-handlers';
import { Log, Telling } from './event-log';
import { deliver } from './exceptions';
import { HandlerSet } from './handlers';
import { type NotingFunction } from './log-notes';
import { HelperCalls } from './helper-calls';
import * as inspection from './inspection';
import { Attention, Exit, Scratch } from './interp-abi';
import { longestPath, slack } from './jit/discover';
import { Jit, type JitOutcome } from './jit/jit';
import { opcodeTable } from './isa/all';
import { type Row } from './isa/table';
import { MemoryAccess } from './memory-access';
import { powerOn } from './power-on';
import { writeFeatures } from './predecode/area';
import { ProbeSet } from './probe-set';
import { deriveMode } from './segments';
import { Rec } from './shape';
import { Hooked, Mode, Seg, SegField, State } from './state';
import { Watches } from './watches';

export interface CpuOptions extends CpuParts {
  /** Handlers built ahead of time by `buildHandlers`; made at start where absent. */
  readonly handlers?: WebAssembly.Module;
  /** Compiles beside this thread; by default the one that the process has (default-compiler.ts), but none for `eager`. */
  readonly compiler?: CompileService;
  /** Translate hot code (default true); 'eager': all code, at once. Never changes what the guest sees. */
  readonly jit?: boolean | 'eager';
  /** Where what is translated is kept for later runs. */
  readonly kept?: KeptRegions | undefined;
}

const RFLAGS_IF = 0x200;
const RFLAGS_TF = 0x100;
const RFLAGS_RF = 0x1_0000;

/** Instructions between two looks at where the interpreter is. */
const samplePeriod = 3_000;
/** The same where all code is translated. */
const eagerPeriod = 40;
/** The most of them, reached while slice after slice ends in a region: V8 optimises a function only between its calls. */
const regionSlice = 1_000_000;
/** A budget below which more is taken from what was kept back: no block is longer. */
const refillBelow = longestPath + slack;

/** Length of SYSCALL. */
const syscallBytes = 2;

const lowHalf = (key: number): number => key | 0;
const highHalf = (key: number): number => Math.floor(key / 0x1_0000_0000);

export class X86Cpu extends CpuState implements Cpu {
  readonly hooks: CpuHooks = {};
  readonly log: Log;
  lives = 0;
  protected readonly access: MemoryAccess;
  readonly #blocks: BlockCache;
  readonly #handlers: HandlerSet;
  readonly #decoder: Decoder;
  readonly #available: (row: Row) => boolean;
  readonly #probes = new ProbeSet();
  #probesChanged = false;
  readonly #helpers: HelperCalls;
  protected readonly allowance: Allowance;
  readonly #callouts: Callouts;
  readonly #watches: Watches;

  readonly #jit: Jit | undefined;
  readonly #samplePeriod: number;
  /** Instructions until the next look. */
  #slice: number;
  #line = false;
  #stopRequested = false;
  /** `retired` at which the exception hook has been asked already. */
  #hookAsked = -1;
  /** The same of the hook of SYSCALL, by a region that was then left for the interpreter. */
  #syscallAskedAt = -1;
  /** That hook wants to stop before the instruction. */
  #hookStops = false;

  constructor(options: CpuOptions) {
    super(options);
    const { memory } = options;
    const { buffer } = memory;
    this.allowance = new Allowance(this.i32);
    this.log = new Log(
      buffer,
      (linear) => inspection.hostOfPointer(this, linear),
      (linear) => inspection.hostOfPage(this, linear),
      (linear, length) => inspection.readMemory(this, linear, length),
    );
    const features = featuresOf(options.model);
    this.#available = (row) => row.definition.feature === undefined || features.has(row.definition.feature);
    writeFeatures(this.view, (feature) => features.has(feature));
    this.#decoder = new Decoder(opcodeTable);
    this.access = new MemoryAccess(this, this.bus, {
      codeWritten: (physical, length) => this.#codeWritten(physical, length),
      watchHit: (hits) => {
        const { record } = this.allowance;
        this.#watches.note(hits, record === 0 ? this.rip : this.u64[(record + Rec.rip) >> 3]!);
        this.allowance.breakAfterCurrent();
      },
      hasCode: (page) => this.#blocks.hasCode(page) || this.#jit?.hasCode(page) === true,
      codeUnmapped: () => {
        this.#blocks.unlinkAll();
        this.#jit?.translationsChanged();
      },
    });
    this.#watches = new Watches(this, this.access);
    this.#callouts = new Callouts(this, this.access, this.allowance, (record) => this.#helpers.call(record));
    this.#handlers = new HandlerSet(opcodeTable, options.handlers ?? defaultHandlers(), memory, this.#callouts);
    this.#blocks = new BlockCache(buffer, this.#decoder, this.#handlers, {
      fetchPhysical: (low, high) => this.access.fetchPhysical(low, high),
      protectCode: (page) => {
        this.access.protect(page);
        this.#jit?.codeAppeared(page);
      },
      probeAt: (low, high) => this.#probes.kindAt(low, high),
      probedWithin: (low, high, length) => this.#probes.within(low, high, length),
      callSeen: (low, high) => this.#jit?.callSeen(high * 0x1_0000_0000 + (low >>> 0)),
      met: (key) => this.#jit?.met(key),
    }, this.#available, opcodeTable.rows.length); // prettier-ignore
    this.#helpers = new HelperCalls(this, this.access, this.#blocks, this.#decoder, this.#available, (low, high) => this.#pass(low, high)); // prettier-ignore
    this.#jit =
      options.jit === false
        ? undefined
        : new Jit({
            memory,
            view: this.view,
            u8: this.u8,
            u32: this.u32,
            i32: this.i32,
            ramSize: this.ramSize,
            decoder: this.#decoder,
            runtime: this.#handlers.runtime,
            available: this.#available,
            probeAt: (key) => this.#probes.kindAt(lowHalf(key), highHalf(key)),
            tellingAt: (key) => this.#probes.tellingAt(lowHalf(key), highHalf(key)),
            observe: () => this.#observe(),
            tell: (what) => this.#tell(what),
            runsOf: (mode, key) => this.#blocks.runsOf(mode, key),
            hotBlocks: (mode) => this.#blocks.hot(mode),
            codePages: () => this.#blocks.codePages(),
            reached: (access) => this.access.reached(access),
            protect: (page) => this.access.protect(page),
            placeRecord: (key, mode, remaining, at) => this.#blocks.single(mode, lowHalf(key), highHalf(key), remaining, at),
            probedWithin: (key, length) => this.#probes.within(lowHalf(key), highHalf(key), length),
            recordsCleared: () => this.#helpers.clearRegions(),
            windowUsed: () => this.access.loseStores(),
            claim: (mode, key) => this.#blocks.dropStart(mode, key),
            model: options.model,
            kept: options.kept,
            compiler: options.compiler ?? defaultCompiler(),
            eager: options.jit === 'eager',
          });
    this.#samplePeriod = options.jit === 'eager' ? eagerPeriod : samplePeriod;
    this.#slice = this.#samplePeriod;
    this.reset();
  }

  // Changes of mode and translation.

  modeChanged(): void {
    const before = this.i32[State.mode >> 2]!;
    deriveMode(this);
    const mode = this.i32[State.mode >> 2]!;
    this.i32[(Scratch.modeTag + 4) >> 2] = (mode | 0x100) << 16;
    // Permissions depend on the privilege; blocks outside 64-bit code on the base of CS.
    if ((before ^ mode) & Mode.user) this.access.flush();
    else if (!(mode & Mode.long)) this.#blocks.unlinkAll();
    const watching = this.#watches.rearm();
    if (watching !== undefined) this.#setWatching(watching);
  }
  flushTlb(_global: boolean): void {
    this.access.flush();
    this.log.translationsChanged();
  }
  flushPage(linear: bigint): void {
    this.access.flushPage(linear);
    this.#jit?.pageChanged(linear);
    this.log.translationsChanged();
  }
  #codeWritten(physical: number, length: number): void {
    this.#jit?.invalidate(physical, length);
    if (this.#blocks.invalidate(physical, length, this.allowance.record)) this.allowance.breakAfterCurrent();
  }

  saveArea(host: number, what: number): void {
    this.#handlers.saveArea(host, what);
  }
  restoreArea(host: number, what: number): void {
    this.#handlers.restoreArea(host, what);
  }

  enterHandler(vector: number, errorCode: number, flags: number): boolean {
    return this.#handlers.enterHandler(vector, errorCode, flags) !== 0;
  }
  leaveHandler(): boolean {
    return this.#handlers.leaveHandler(this.flagsWord()) !== 0;
  }

  inhibitInterrupts(): void {
    this.i32[State.shadow >> 2] = 1;
  }
  halt(): void {
    this.i32[State.halted >> 2] = 1;
  }

  // The Cpu interface.

  /** Only inside a bus call: at most `n` more instructions after the current one. @returns how many those are now at most */
  shortenBudget(n: number): number {
    return this.allowance.shorten(n);
  }

  setInterruptLine(level: boolean): void {
    this.#line = level;
    this.i32[Scratch.line >> 2] = level ? 1 : 0;
    if (level && this.i32[State.flags >> 2]! & RFLAGS_IF) this.allowance.breakAfterCurrent();
  }
  requestStop(): void {
    this.#stopRequested = true;
    this.allowance.breakAfterCurrent();
  }

  reset(): void {
    powerOn(this.view);
    this.allowance.reset();
    this.setInterruptLine(false);
    this.#stopRequested = false;
    this.#hookAsked = -1;
    this.#watches.reset();
    this.invalidate();
  }

  invalidate(): void {
    this.#blocks.flush();
    this.#jit?.flush();
    this.#helpers.clear();
    this.#adoptState();
  }
  stateReplaced(): void {
    this.allowance.reset();
    this.#stopRequested = false;
    this.#hookStops = false;
    this.#hookAsked = -1;
    this.#watches.reset();
    this.#adoptState();
  }
  /** All that is derived from the state block and from page tables goes. */
  #adoptState(): void {
    this.lives++;
    this.allowance.restore(Number(this.u64[State.retired >> 3]!));
    this.#callouts.clear();
    this.modeChanged();
    this.access.flush();
    this.log.reset();
  }
  invalidateCode(physical: number, length: number): void {
    if (length > 0) this.#ramChanges(physical, length);
  }
  #ramChanges(physical: number, length: number): void {
    this.access.noteStore(physical, length);
    this.#codeWritten(physical, length);
  }
  followStores(follower: StoreFollower): boolean {
    if (this.#jit?.usesWindows === true) return false;
    this.access.followStores(follower);
    this.#jit?.writesForgotten();
    return true;
  }

  setProbe(address: bigint, probe: Probe | undefined, observes = false, telling: number = Telling.atOnce): void {
    const low = Number(address & 0xffffffffn) | 0;
    const high = Number(address >> 32n) | 0;
    const known = this.#probes.kindAt(low, high);
    const toldBefore = this.#probes.tellingAt(low, high);
    this.log.drain();
    this.#probes.set(low, high, probe, observes, telling);
    const told = this.#probes.tellingAt(low, high);
    if (known !== this.#probes.kindAt(low, high) || toldBefore !== told) {
      const key = high * 0x1_0000_0000 + (low >>> 0);
      this.#probesChanged = true;
      this.#blocks.dropAt(low, high);
      this.#jit?.dropAt(key);
      // A system call is noted only where its return is.
      if (toldBefore >= Telling.slots || told >= Telling.slots) this.#jit?.dropAt(key - 1);
    }
    this.allowance.breakAfterCurrent();
  }
  /** A region tells the observer at RIP. */
  #observe(): number {
    this.#probesChanged = false;
    this.#probes.tell(this.i32[State.rip >> 2]!, this.i32[(State.rip + 4) >> 2]!);
    return this.#probesChanged || this.#stopRequested || this.#refuse ? 1 : 0;
  }
  /** A region tells a hook; see `JitHost.tell`. */
  #tell(what: number): number {
    this.#probesChanged = false;
    if (what === Hooked.syscall) {
      const { syscall } = this.hooks;
      // Where the region could not note it for want of room, there may be some now.
      const isNoted = this.log.laterCalls(syscall) && this.log.makeRoom() && this.#noteCall();
      this.#hookStops = !isNoted && syscall?.() === 'stop';
      this.#syscallAskedAt = this.allowance.retired;
    } else {
      const at = State.seg + Seg.FS * SegField.size + SegField.base;
      const { u32 } = this;
      if (u32[at >> 2] !== u32[State.replacedBase >> 2] || u32[(at >> 2) + 1] !== u32[(State.replacedBase >> 2) + 1])
        this.hooks.fsBase?.(this.u64[State.replacedBase >> 3]!, this.u64[at >> 3]!);
    }
    return this.#hookStops || this.#probesChanged || this.#stopRequested || this.#refuse ? 1 : 0;
  }
  askSyscallHook(): 'stop' | undefined {
    const asked = this.#syscallAskedAt === this.allowance.retired;
    this.#syscallAskedAt = -1;
    const { syscall } = this.hooks;
    if (asked || syscall === undefined) return undefined;
    const isNoted = this.log.laterCalls(syscall) && (this.#noteCall() || (this.log.makeRoom() && this.#noteCall()));
    return isNoted ? undefined : syscall();
  }
  /** Translated code notes by itself what may be told later, as far as it can; the interpreter has it noted. */
  #note(what: NotingFunction, slot = 0): boolean {
    return this.#handlers.note[what](this.#signedRip, this.allowance.ran, slot) !== 0;
  }
  get #signedRip(): number {
    return this.i32[(State.rip + 4) >> 2]! * 0x1_0000_0000 + this.u32[State.rip >> 2]!;
  }
  #noteCall(): boolean {
    const next = this.#signedRip + syscallBytes;
    return this.#probes.tellingAt(lowHalf(next), highHalf(next)) >= Telling.slots && this.#note('call');
  }
  /** The interpreter comes to an address where somebody looks on. */
  #pass(low: number, high: number): void {
    const telling = this.#probes.tellingAt(low, high);
    const isNoted = telling === Telling.unlessInside ? this.log.isInside : telling >= Telling.slots && this.#note('pass', telling);
    if (!isNoted) this.#probes.tell(low, high);
  }
  fsBaseChanged(before: bigint, after: bigint): void {
    const { fsBase } = this.hooks;
    if (fsBase === undefined) return;
    this.u64[State.replacedBase >> 3] = before;
    if (!this.log.laterBases(fsBase) || !this.#note('base')) fsBase(before, after);
  }

  setWatchpoints(list: readonly Watchpoint[]): void {
    this.#setWatching(this.#watches.set(list));
    this.allowance.breakAfterCurrent();
  }
  /** Whether accesses are looked at one by one: then regions use no window, and instructions are not fused. */
  #setWatching(watching: boolean): void {
    if (this.#jit !== undefined) this.#jit.windowOff = watching;
    if (watching !== this.#blocks.fuse) return;
    this.#blocks.fuse = !watching;
    // Blocks that were built the other way go as soon as none of them runs.
    this.#refuse = true;
  }
  /** Blocks have to be built anew before the next one runs. */
  get #refuse(): boolean {
    return (this.i32[Scratch.attention >> 2]! & Attention.refuse) !== 0;
  }
  set #refuse(refuse: boolean) {
    if (refuse) this.i32[Scratch.attention >> 2]! |= Attention.refuse;
    else this.i32[Scratch.attention >> 2]! &= ~Attention.refuse;
  }

  /** Generated code tells whoever looks on, or has helpers do what they are told of. */
  #noteHooks(): void {
    const { systemInstruction, syscall, fsBase, gsBase, interruptReturn, extendedState } = this.hooks;
    this.i32[State.hooked >> 2] =
      (systemInstruction === undefined ? 0 : Hooked.systemInstruction) |
      (syscall === undefined ? 0 : Hooked.syscall) |
      (fsBase === undefined ? 0 : Hooked.fsBase) |
      (this.log.laterCalls(syscall) ? Hooked.laterSyscall : 0) |
      (this.log.laterBases(fsBase) ? Hooked.laterFsBase : 0) |
      (gsBase === undefined ? 0 : Hooked.gsBase) |
      (interruptReturn === undefined ? 0 : Hooked.interruptReturn) |
      (extendedState === undefined ? 0 : Hooked.extendedState);
  }

  /** Budget, interrupts, traps and probes between blocks. */
  run(budget: number): CpuExit {
    this.#noteHooks();
    this.#syscallAskedAt = -1;
    this.allowance.begin(budget, this.#jit === undefined ? budget : Math.min(budget, this.#samplePeriod));
    this.i32[Scratch.shadowLeft >> 2] = -1;
    if (this.#samplePeriod === eagerPeriod) this.#jit?.sample(eagerPeriod);
    try {
      return this.#loop();
    } catch (error) {
      // On the way into a handler: RIP is where it was.
      if (error instanceof Unsupported) return this.#unsupportedExit(error.reason);
      throw error;
    } finally {
      if (this.i32[Scratch.shadowLeft >> 2] === this.i32[State.budget >> 2]) this.i32[State.shadow >> 2] = 1;
      this.log.drain();
      this.u64[State.retired >> 3] = BigInt(this.allowance.end());
    }
  }

  /** More budget for generated code; by the way, the JIT is told where the interpreter is. */
  #refill(): void {
    const jit = this.#jit!;
    // A shadow that began at another budget is over, and must not be taken for one when that number comes again.
    this.i32[Scratch.shadowLeft >> 2] = -1;
    const key = this.i32[(State.rip + 4) >> 2]! * 0x1_0000_0000 + (this.i32[State.rip >> 2]! >>> 0);
    const slice = this.#slice;
    this.#slice = jit.has(key) ? Math.min(2 * slice, regionSlice) : this.#samplePeriod;
    this.allowance.refill(this.#slice);
    jit.sample(slice);
  }

  #loop(): CpuExit {
    const i32 = this.i32;
    const blocks = this.#blocks;
    let site = 0;
    /** The interrupt controller took its request back: one more block before it is asked again. */
    let unanswered = false;
    /** The interpreter must do the next instruction: a region has just left before it. */
    let interpret = false;
    for (;;) {
      if (this.#stopRequested) {
        this.#stopRequested = false;
        return { kind: 'stop' };
      }
      if (this.#hookStops) {
        this.#hookStops = false;
        return { kind: 'hook' };
      }
      if (this.#refuse) {
        this.#refuse = false;
        site = 0;
        blocks.flush();
      }
      if (i32[State.acknowledged >> 2] !== 0) {
        const vector = i32[State.acknowledged >> 2]! - 1;
        i32[State.acknowledged >> 2] = 0;
        if (!deliver(this, vector, undefined, 'external')) return { kind: 'tripleFault', vector };
        site = 0;
      }
      if (i32[Scratch.shadowLeft >> 2] === i32[State.budget >> 2]) {
        i32[State.shadow >> 2] = 1;
        i32[Scratch.shadowLeft >> 2] = -1;
      }
      const flags = i32[State.flags >> 2]!;
      if (this.#line && flags & RFLAGS_IF && i32[State.shadow >> 2] === 0) {
        const vector = this.bus.acknowledgeInterrupt();
        if (vector >= 0) {
          i32[State.halted >> 2] = 0;
          if (this.hooks.interrupt?.(vector) === 'stop') {
            i32[State.acknowledged >> 2] = vector + 1;
            return { kind: 'hook' };
          }
          if (!deliver(this, vector, undefined, 'external')) return { kind: 'tripleFault', vector };
          site = 0;
          continue;
        }
        unanswered = true;
      }
      if (i32[State.halted >> 2] !== 0) return { kind: 'halted', interruptible: (flags & RFLAGS_IF) !== 0 };
      if (this.allowance.reserve > 0 && i32[State.budget >> 2]! < refillBelow) this.#refill();
      const left = i32[State.budget >> 2]!;
      if (left <= 0) return { kind: 'budget' };
      const low = i32[State.rip >> 2]!;
      const high = i32[(State.rip + 4) >> 2]!;
      const probe = this.#probes.get(low, high);
      if (probe !== undefined) {
        site = 0;
        if (probe() === 'stop') return { kind: 'probe', address: this.rip };
        this.#noteHooks();
        if (i32[State.rip >> 2] !== low || i32[(State.rip + 4) >> 2] !== high || this.#refuse) continue;
      }
      const mode = i32[State.mode >> 2]!;
      const single = (mode & Mode.step) !== 0;
      const shadow = i32[State.shadow >> 2] !== 0;
      let outcome: JitOutcome = 'miss';
      // A chain slot that is to be filled takes the way through the lookup below.
      const links = site !== 0 && this.#jit?.has(high * 0x1_0000_0000 + (low >>> 0)) === false && !blocks.linkCached(site, low, high);
      if (this.#jit !== undefined && !interpret && !links && !unanswered && !single && !shadow && (flags & RFLAGS_RF) === 0) {
        outcome = this.#jit.run();
        if (outcome !== 'miss' && outcome !== 'interpreted') {
          site = 0;
          // A budget that does not suffice is either filled up or used to its end by the interpreter.
          interpret = outcome === 'interpret' || (outcome === 'budget' && this.allowance.reserve === 0);
          continue;
        }
      }
      unanswered = false;
      interpret = false;
      let traps = false;
      if (outcome === 'miss') {
        let block: Block;
        if (single && this.#watches.executeBreakpoint()) {
          const exit = this.#deliverFault(new GuestFault(Vector.DB, undefined));
          if (exit) return exit;
          continue;
        }
        try {
          const csBase = i32[(State.seg + Seg.CS * SegField.size) >> 2]!;
          const most = single || (shadow && this.#line) ? 1 : left;
          if (most === 1) {
            block = blocks.once(mode, low, high, csBase, 1);
          } else {
            block = blocks.lookup(mode, low, high, csBase);
            if (block.count > most) {
              block = blocks.once(mode, low, high, csBase, most);
            } else if (probe === undefined && this.#jit?.has(block.key) !== true) {
              if (site !== 0 && blocks.linkable(site)) blocks.link(site, block);
              blocks.cacheRip(block);
            }
          }
        } catch (error) {
          site = 0;
          if (error instanceof GuestFault) {
            const exit = this.#deliverFault(error);
            if (exit) return exit;
            continue;
          }
          if (error instanceof Unsupported) return this.#unsupportedExit(error.reason);
          throw error;
        }
        if (shadow) {
          i32[State.shadow >> 2] = 0;
          i32[Scratch.shadowLeft >> 2] = -1;
        }
        if (flags & RFLAGS_RF) i32[State.flags >> 2] = flags & ~RFLAGS_RF;
        traps = single && (flags & RFLAGS_TF) !== 0 && !shadow;
        i32[State.budget >> 2] = left - block.count;
        i32[State.exit >> 2] = 0;
        blocks.countRun(block);
        this.#handlers.enter(block.header + Rec.size);
      }
      this.allowance.unbreak();
      const record = i32[State.exitRecord >> 2]!;
      site = 0;
      switch (i32[State.exit >> 2]) {
        case Exit.lookup:
          site = record;
          break;
        case Exit.leave:
          this.#comeBack(record, i32[(record + Rec.remaining) >> 2]!);
          break;
        case Exit.helper:
          // The instruction was the block's last.
          break;
        case Exit.restart:
          this.#comeBack(record, i32[(record + Rec.remaining) >> 2]! - 1);
          break;
        case Exit.fault: {
          this.#comeBack(record, i32[(record + Rec.remaining) >> 2]!);
          const thrown = this.#callouts.take();
          if (thrown instanceof Unsupported) return this.#unsupportedExit(thrown.reason);
          this.#watches.debugHits = 0;
          if (thrown instanceof StoppedByHook) return { kind: 'hook' };
          const exit = this.#deliverFault(thrown);
          if (exit) return exit;
          continue;
        }
        default:
          throw new Error(`generated code left with ${i32[State.exit >> 2]}`);
      }
      const { debugHits } = this.#watches;
      if (traps || debugHits !== 0) {
        if (debugHits !== 0) noteBreakpoints(this, debugHits);
        if (traps) noteSingleStep(this);
        this.#watches.debugHits = 0;
        site = 0;
        if (this.hooks.exception?.(Vector.DB, undefined) === 'stop') return { kind: 'hook' };
        if (!deliver(this, Vector.DB, undefined, 'trap')) return { kind: 'tripleFault', vector: Vector.DB };
      }
      const hits = this.#watches.take();
      if (hits) return { kind: 'watch', hits };
    }
  }

  /** RIP and budget back to a record of which `uncharged` instructions did not run. */
  #comeBack(record: number, uncharged: number): void {
    const i32 = this.i32;
    i32[State.rip >> 2] = i32[(record + Rec.rip) >> 2]!;
    i32[(State.rip + 4) >> 2] = i32[(record + Rec.rip + 4) >> 2]!;
    i32[State.budget >> 2] = i32[State.budget >> 2]! + uncharged;
  }

  #deliverFault(fault: GuestFault): CpuExit | undefined {
    if (this.hooks.exception) {
      // The fault comes again when the run goes on after a stop: it is asked about once.
      const at = this.allowance.retired;
      if (this.#hookAsked !== at && this.hooks.exception(fault.vector, fault.errorCode) === 'stop') {
        this.#hookAsked = at;
        return { kind: 'hook' };
      }
      this.#hookAsked = -1;
    }
    this.i32[State.shadow >> 2] = 0;
    if (!deliver(this, fault.vector, fault.errorCode, 'fault')) return { kind: 'tripleFault', vector: fault.vector };
    return undefined;
  }

  #unsupportedExit(reason: string): CpuExit {
    let bytes = new Uint8Array(0);
    try {
      bytes = this.#helpers.instructionBytes(this.i32[State.rip >> 2]!, this.i32[(State.rip + 4) >> 2]!).slice();
    } catch {
      // Not fetchable: the reason says enough.
    }
    return { kind: 'unsupported', address: this.rip, bytes, reason };
  }

  protected arithmetic(): bigint {
    return this.#handlers.arithmetic();
  }

  /** Has what was translated written for later runs, where it is kept. */
  async keepTranslations(): Promise<void> {
    await this.#jit?.keep();
  }

  /** What the translating tier did so far; undefined where it is off. */
  get jitStatistics(): Jit['statistics'] | undefined {
    return this.#jit?.statistics;
  }
}
