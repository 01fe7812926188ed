/** `unikernel run`: boots an image with its serial console on standard input and output. */
import { type Contents } from '../../debug-adapter/machine/api';
import { CodedError } from '../../debug-adapter/control/channel';
import { describeLaunch, type SessionLaunch } from '../../debug-adapter/control/history/session-file';
import { MachineError, type StopReason } from '../../debug-adapter/machine/api';
import { exitStatus } from '../../debug-adapter/machine/exit-status';
import { offerMemory } from '../../debug-adapter/machine/memory';
import { createMachine } from '../../debug-adapter/machine/pc';
import { firstSlice, nextSlice } from '../../debug-adapter/machine/slice';
import { type PcMachine } from '../../debug-adapter/machine/machine';
import { defaultCompiler, useCompiler } from '../../debug-adapter/x86/default-compiler';
import { useHandlers } from '../../debug-adapter/x86/default-handlers';
import { type RunIo } from './io';
import { hasPeripherals, parseRunOptions, runHelp, type RunOptions } from './run-options';
import { type StraceRun } from './strace';

const ExitStatus = { usage: 2, limit: 124, failure: 125, interrupted: 130 } as const;

/** Host milliseconds that a slice of the guest aims at: input and signals are looked at between slices. */
const sliceGoal = 10;
/** Input is not looked for in the first milliseconds: a short run never pays for opening the console. */
const consoleGrace = 200;
/** Idle virtual time skipped without a word on the console, after which a guest counts as asleep, and takes no more host time than that. */
const skipAllowance = 60e9;

/** How a run ended, for the exit status and --stats. */
export interface Outcome {
  readonly status: number;
  readonly exit: string;
  /** For standard error. */
  readonly message?: string;
}

/** Runs an image by the command line. Resolves to the process's exit status; never throws for what the user or the guest did. */
export async function runCommand(argv: readonly string[], io: RunIo): Promise<number> {
  const options = parseRunOptions(argv);
  if (options === 'help') {
    io.stdout(runHelp);
    return 0;
  }
  if ('error' in options) {
    io.stderr(`unikernel run: ${options.error}\nTry 'unikernel run --help'.\n`);
    return ExitStatus.usage;
  }
  return runWith(options, io);
}

/** Runs an image by options that were read already. Resolves and never throws as `runCommand` does. */
export async function runWith(options: RunOptions, io: RunIo, strace?: StraceRun): Promise<number> {
  try {
    const handlers = await io.handlers;
    if (handlers !== undefined) useHandlers(handlers);
    if (io.memory !== undefined) offerMemory(io.memory);
    if (io.startCompiler !== undefined) useCompiler(io.startCompiler);
    return await new Run(options, io, strace).go();
  } catch (error) {
    // MachineError and the errors of reading files carry messages for people; anything else is a defect here and shows its place.
    const expected =
      error instanceof MachineError || error instanceof CodedError || (error instanceof Error && error.constructor === Error);
    io.stderr(`unikernel run: ${expected ? error.message : String((error as Error).stack)}\n`);
    return ExitStatus.failure;
  } finally {
    io.close();
  }
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

class Run {
  private interrupted = false;
  private wake: (() => void) | undefined;
  private consoleOpen = false;
  private recalls = false;
  private firstOutput: number | undefined;
  /** Virtual time of the last sign of life. */
  private lastOutputAt = 0;

  constructor(
    private readonly options: RunOptions,
    private readonly io: RunIo,
    private readonly strace: StraceRun | undefined,
  ) {}

  async go(): Promise<number> {
    const { io } = this;
    const session = this.options.replay === undefined ? undefined : (await import('./session')).readSession(this.options.replay, io);
    const options = session === undefined ? this.options : session.settings(this.options);
    const kept = options.keep ? io.keptOf?.([options.image, options.initrd ?? '']) : undefined;
    this.recalls = kept?.isThere === true;
    // The thread that has translations of an earlier run starts meanwhile.
    if (this.recalls && options.jit) defaultCompiler()?.prepare?.();
    const image = io.readFile(options.image);
    const initrd =
      options.initrd === undefined
        ? undefined
        : await this.readInitrd(options.initrd, options.record !== undefined || session !== undefined);
    const peripherals = hasPeripherals(options) ? await import('./peripherals') : undefined;
    const net = options.net === undefined ? undefined : peripherals?.openNetwork(options.net, io);
    const disks = peripherals?.readDisks(options, io) ?? [];
    const boot = {
      image,
      imageName: fileName(options.image),
      commandLine: options.append,
      ...(initrd === undefined ? {} : { initrd }),
      memory: options.memory * (1 << 20),
      cpuModel: options.cpu,
      network: options.net !== undefined,
      disks,
      devices: options.devices,
    };
    const { machine, bus } = createMachine({
      ...boot,
      jit: options.jit,
      ...(kept && { kept }),
      tscLeaf: !options.calibrate,
      ...(peripherals === undefined ? {} : { extraDevices: peripherals.extraDevices(boot) }),
    });
    machine.keepsJournal = options.record !== undefined || session !== undefined;
    machine.onConsoleOutput = (bytes) => {
      this.firstOutput ??= io.elapsed();
      this.lastOutputAt = machine.clock.now();
      io.writeConsole(bytes);
    };
    // What the network sent is in the session.
    if (session === undefined)
      net?.connect(
        machine,
        () => this.wake?.(),
        (message) => io.stderr(`unikernel run: ${message}\n`),
      );
    const tracer =
      options.trace.length === 0 ? undefined : (await import('./run-trace')).startTrace(options, io, machine, bus, this.strace);
    // To measure the clock takes tens of thousands of port accesses.
    if (options.calibrate || session !== undefined) await io.takesLonger?.();
    const started = io.elapsed();
    let outcome: Outcome;
    try {
      if (session !== undefined) outcome = session.repeat(machine, sessionLaunch(boot, options), () => tracer?.drain());
      else
        outcome = await this.loop(
          machine,
          () => net?.pump(),
          () => tracer?.drain(),
        );
    } finally {
      tracer?.close();
      net?.close();
    }
    const written = machine.cpu.keepTranslations?.();
    if (outcome.message !== undefined) io.stderr(`${outcome.message}\n`);
    if (options.stats) this.printStats(machine, outcome, started);
    if (options.record !== undefined) (await import('./session')).writeSession(options.record, machine, sessionLaunch(boot, options), io);
    await written;
    return outcome.status;
  }

  /** @param asBytes whoever looks at it later is to see what the guest got */
  private async readInitrd(path: string, asBytes: boolean): Promise<Contents> {
    const { io } = this;
    const kind = io.fileKind(path);
    if (kind === 'directory') return io.archive(path);
    return kind === 'file' && !asBytes && io.openFile !== undefined ? io.openFile(path) : io.readFile(path);
  }

  private async loop(machine: PcMachine, beforeSlice: () => void, afterSlice: () => void): Promise<Outcome> {
    const { options, io } = this;
    const limit = options.maxInstructions ?? 1n << 62n;
    const deadline = options.timeout === undefined ? Infinity : io.elapsed() + options.timeout * 1000;
    let slice = firstSlice;
    let slices = 0;
    for (;;) {
      if (slices++ === 1) await io.takesLonger?.();
      const before = io.elapsed();
      beforeSlice();
      const from = machine.cpu.retired;
      const reason = machine.run(from + slice < limit ? from + slice : limit);
      afterSlice();
      const took = io.elapsed() - before;
      if (reason.kind === 'limit') {
        if (machine.cpu.retired >= limit)
          return { status: ExitStatus.limit, exit: 'limit', message: `Stopped after ${limit} instructions.` };
        slice = nextSlice(slice, machine.cpu.retired - from, took, sliceGoal);
      } else if (reason.kind === 'idle') {
        // A limit on instructions must end a guest that sleeps for ever as well.
        if (reason.until === undefined && options.maxInstructions !== undefined && !this.canWake()) {
          return { status: ExitStatus.limit, exit: 'idle', message: 'The guest waits for an interrupt that nothing can raise.' };
        }
        await this.idle(machine, reason.until, deadline);
      } else return describe(reason, machine);
      if (this.interrupted) return { status: ExitStatus.interrupted, exit: 'interrupted' };
      if (io.elapsed() >= deadline)
        return { status: ExitStatus.limit, exit: 'timeout', message: `Stopped after ${options.timeout!} seconds.` };
      if (io.elapsed() > consoleGrace) this.openConsole(machine);
      // Translations of an earlier run are on their way from another thread.
      if (this.consoleOpen || this.recalls) await io.breathe();
    }
  }

  private canWake(): boolean {
    return this.options.net !== undefined || this.io.interactive;
  }

  private openConsole(machine: PcMachine): void {
    if (this.consoleOpen) return;
    this.consoleOpen = true;
    this.io.openConsole(
      (bytes) => {
        machine.consoleInput(bytes);
        this.lastOutputAt = machine.clock.now();
        this.wake?.();
      },
      () => {
        this.interrupted = true;
        this.wake?.();
      },
    );
  }

  /** Lets virtual time pass until `until` (nanoseconds): at once where time is skipped, else as long as it takes or until something wakes the guest. */
  private async idle(machine: PcMachine, until: number | undefined, deadline: number): Promise<void> {
    const { io } = this;
    const now = machine.clock.now();
    if (until !== undefined && this.skips(now)) {
      machine.skipIdle();
      return;
    }
    this.openConsole(machine);
    const wanted = until === undefined ? Infinity : (until - now) / 1e6;
    const from = io.elapsed();
    const span = Math.min(wanted, deadline - from, 60_000);
    // Timers of the host are no finer than this.
    if (span >= 0.5) {
      const sleep = io.sleep(span);
      this.wake = () => sleep.wake();
      await sleep.done;
      this.wake = undefined;
    }
    const passed = Math.max(io.elapsed() - from, span < 0.5 ? span : 0) * 1e6;
    machine.advance(Math.min(until ?? Infinity, now + Math.floor(passed)));
    if (until !== undefined && span === wanted && passed >= (until - now) * 0.999) machine.skipIdle();
  }

  private skips(now: number): boolean {
    const { clock } = this.options;
    if (clock !== 'auto') return clock === 'skip';
    return !this.io.interactive && this.options.net === undefined && now - this.lastOutputAt < skipAllowance;
  }

  private printStats(machine: PcMachine, outcome: Outcome, started: number): void {
    const { io } = this;
    const wallMs = io.elapsed();
    const runMs = wallMs - started;
    const round = (value: number): number => Math.round(value * 1000) / 1000;
    const stats = {
      instructions: Number(machine.cpu.retired),
      wallMs: round(wallMs),
      runMs: round(runMs),
      mips: round(Number(machine.cpu.retired) / 1000 / Math.max(runMs, 0.001)),
      exit: outcome.exit,
      status: outcome.status,
      bootMs: this.firstOutput === undefined ? null : round(this.firstOutput),
      virtualMs: round(machine.clock.now() / 1e6),
      jit: machine.cpu.jitStatistics ?? null,
    };
    io.stderr(`${JSON.stringify(stats)}\n`);
  }
}

/** What a session of this run is told apart by. To measure the clock is another run than to be told its frequency. */
const sessionLaunch = (boot: Parameters<typeof describeLaunch>[0], options: RunOptions): SessionLaunch =>
  describeLaunch({ ...boot, cpuModel: options.calibrate ? `${options.cpu}, calibrated` : options.cpu });

function describe(reason: Exclude<StopReason, { kind: 'limit' | 'idle' }>, machine: PcMachine): Outcome {
  const at = (): string => `0x${(machine.cpu.getRegister('rip') ?? 0n).toString(16)} after ${machine.cpu.retired} instructions`;
  switch (reason.kind) {
    case 'exit':
      switch (reason.exit.kind) {
        case 'exitPort':
          return { status: exitStatus(reason.exit), exit: `exitPort:${reason.exit.value}` };
        default:
          return { status: 0, exit: reason.exit.kind };
      }
    case 'dead':
      return { status: 0, exit: 'dead', message: `The guest halted with interrupts off at ${at()}.` };
    case 'tripleFault':
      return {
        status: ExitStatus.failure,
        exit: 'tripleFault',
        message: `The processor shut down: a fault while it delivered a double fault (first vector ${reason.vector}), at ${at()}.`,
      };
    case 'unsupported': {
      const bytes = [...reason.bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
      return {
        status: ExitStatus.failure,
        exit: 'unsupported',
        message: `The emulator lacks something that the guest needs: ${reason.reason} (bytes ${bytes} at 0x${reason.address.toString(16)}).`,
      };
    }
    default:
  }
  return { status: ExitStatus.failure, exit: reason.kind, message: `The run stopped at ${at()}: ${reason.kind}.` };
}
