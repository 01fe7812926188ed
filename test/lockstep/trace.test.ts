/**
 * What translated code notes of system calls, returns and segment bases against what the interpreter tells at once: random programs in place of `main`, on both paths of the shim, with other bases of FS, on a
 * journey into the past and another way from there on. The rings must hold the same events, and the lines must come in the same order. TRACE_PROGRAMS sets the number, SEED repeats a run.
 */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { TravellingTarget } from '../../debug-adapter/control/history/probes';
import { attachTracers, type Tracers } from '../../debug-adapter/control/tracers';
import { type PcMachine } from '../../debug-adapter/machine/machine';
import { createMachine } from '../../debug-adapter/machine/pc';
import { SourcePathMap, SymbolFile } from '../../debug-adapter/symbols/api';
import { type TraceEvent } from '../../debug-adapter/trace/ring';
import { image as example } from '../dap/golden';
import { Random, seedOf } from './random';

const suites = process.env['UNIKERNEL_SUITES'];
/** Images whose kernels take the instruction. */
const images: readonly Booted[] = [
  { file: example, commandLine: '' },
  ...(suites === undefined
    ? []
    : [
        {
          file: path.join(suites, 'images/elfloader'),
          commandLine: 'vfs.fstab=[ "initrd0:/:extract::ramfs=1:" ] -- /hello',
          initrd: path.join(suites, 'images/initrd/hello.cpio'),
        },
      ]),
];

/** getpid, getuid, gettid, sched_yield, brk and numbers that nobody has: nothing is captured of these. */
const plainCalls = [39, 102, 186, 24, 12, 330, 511, 512, 70_000];
/** write, read, uname, getcwd, openat, close, clock_gettime: something is. */
const lookedAt = [1, 0, 63, 79, 257, 3, 228];

const bytesOf = (value: number): number[] => [...new Uint8Array(Int32Array.of(value).buffer)];

/** Machine code of a loop at `address`. RBX holds the base of FS that there was, R12 counts; `handlers` are addresses of functions to call directly. */
function draw(r: Random, address: number, handlers: readonly number[]): Uint8Array {
  const code: number[] = [0xf3, 0x48, 0x0f, 0xae, 0xc3]; // rdfsbase rbx
  const start = code.length;
  const statement = (): void => {
    switch (r.below(7)) {
      case 0:
      case 1:
        // mov eax, number; syscall
        code.push(0xb8, ...bytesOf(plainCalls[r.below(plainCalls.length)]!), 0x0f, 0x05);
        return;
      case 2:
        // mov edi, 1; lea rsi, [rsp - 512]; mov edx, 3; mov eax, number; syscall
        code.push(0xbf, ...bytesOf(r.below(4)), 0x48, 0x8d, 0xb4, 0x24, ...bytesOf(-512), 0xba, ...bytesOf(r.below(5)));
        code.push(0xb8, ...bytesOf(lookedAt[r.below(lookedAt.length)]!), 0x0f, 0x05);
        return;
      case 3:
        // lea rax, [rbx + n]; wrfsbase rax
        code.push(0x48, 0x8d, 0x83, ...bytesOf(r.oneIn(2) ? 0 : 0x1000 * r.below(4)), 0xf3, 0x48, 0x0f, 0xae, 0xd0);
        return;
      case 4:
        // wrfsbase rbx; call handler
        if (handlers.length === 0) return;
        code.push(0xf3, 0x48, 0x0f, 0xae, 0xd3, 0xe8);
        code.push(...bytesOf(handlers[r.below(handlers.length)]! - (address + code.length + 4)));
        return;
      case 5:
        // inc r12; mov rdi, r12; mov r10, r12
        code.push(0x49, 0xff, 0xc4, 0x4c, 0x89, 0xe7, 0x4d, 0x89, 0xe2);
        return;
      default:
        // mov ecx, n; dec ecx; jnz
        code.push(0xb9, ...bytesOf(1 + r.below(50)), 0xff, 0xc9, 0x75, 0xfc);
    }
  };
  for (let i = 2 + r.below(8); i > 0; i--) statement();
  return Uint8Array.from([...code, 0xe9, ...bytesOf(start - (code.length + 5))]);
}

interface Booted {
  readonly file: string;
  readonly commandLine: string;
  readonly initrd?: string;
}

interface Subject {
  readonly machine: PcMachine;
  readonly tracers: Tracers;
  readonly lines: string[];
  readonly saved: { readonly at: bigint; readonly bytes: Uint8Array }[];
}

/** Bytes of records so far: that there are any is what this is about. */
let noted = 0;

type Way = 'noted' | 'told' | 'interpreted';

function boot(booted: Booted, symbols: SymbolFile, program: (main: number) => Uint8Array, way: Way): Subject {
  const { file, commandLine, initrd } = booted;
  const options = {
    image: new Uint8Array(readFileSync(file)),
    imageName: 'image',
    commandLine,
    memory: 128 << 20,
    ...(initrd === undefined ? {} : { initrd: new Uint8Array(readFileSync(initrd)) }),
  };
  const { machine } = createMachine({ ...options, cpuModel: 'default', jit: way !== 'interpreted' });
  const target = new TravellingTarget(machine, new SourcePathMap([]), '');
  target.addSymbols(symbols);
  const main = symbols.symbolsNamed('main')[0]!.address;
  const probe = target.probes.add(main, () => 'stop');
  for (let turns = 0, kind = ''; kind !== 'probe'; turns++) {
    kind = machine.run(machine.cpu.retired + 10_000_000n).kind;
    if (kind === 'idle') machine.skipIdle();
    if (turns > 50 || kind === 'exit') throw new Error('main is not reached');
  }
  probe.remove();
  target.writeMemory(main, program(Number(main)));
  const lines: string[] = [];
  const tracers = attachTracers(target, ['syscalls', 'tls', 'interrupts', 'extendedState'], (line) => lines.push(line));
  const { hooks, log } = machine.cpu;
  const read = log!.reader!;
  log!.reader = (from, to) => {
    noted += to - from;
    read(from, to);
  };
  if (way !== 'noted') {
    // Hooks that are not those of the tracers are told at once.
    const { syscall, fsBase } = hooks;
    hooks.syscall = () => syscall!();
    hooks.fsBase = (from, to) => {
      fsBase!(from, to);
    };
  }
  return { machine, tracers, lines, saved: [] };
}

const eventsOf = ({ ring }: Tracers): (TraceEvent | undefined)[] =>
  Array.from({ length: ring.head - ring.tail }, (_, i) => ring.read(ring.tail + i));

/** Runs to an instruction count, past idle times. */
function runTo({ machine }: Subject, limit: bigint): void {
  for (let turns = 0; machine.cpu.retired < limit && turns < 10_000; turns++) {
    const { kind } = machine.run(limit);
    if (kind === 'idle') machine.skipIdle();
    else if (kind !== 'limit') return;
  }
}

function runProgram(booted: Booted, symbols: SymbolFile, seed: number): number {
  const handlers = symbols
    .searchSymbols(/^uk_syscall_r_(getpid|getuid|gettid|sched_yield|uname|getcwd|close)$/, 20)
    .map(({ address }) => Number(address));
  const ways = ['noted', 'told', 'interpreted'] as const;
  const subjects = ways.map((way) => boot(booted, symbols, (main) => draw(new Random(seed), main, handlers), way));
  const r = new Random(seed + 1);
  for (let step = 0; step < 8; step++) {
    const action = r.below(4);
    const budget = BigInt(1 + r.below(r.oneIn(2) ? 400 : 400_000));
    const back = r.below(8);
    for (const subject of subjects) {
      const { machine, tracers, saved } = subject;
      const before = machine.cpu.retired;
      if (action === 0) saved.push({ at: before, bytes: machine.save() });
      const moment = saved[back % Math.max(1, saved.length)];
      if (action === 1 && moment !== undefined) {
        machine.restore(moment.bytes);
        runTo(subject, before);
      } else if (action === 2 && moment !== undefined) {
        machine.restore(moment.bytes);
        machine.forgetFuture();
        tracers.forgetAfter(Number(machine.cpu.retired));
        while (saved.length > 0 && saved.at(-1)!.at > moment.at) saved.pop();
      }
      runTo(subject, machine.cpu.retired + budget);
    }
    const [first, ...others] = subjects;
    for (const [i, other] of others.entries()) {
      const where = `SEED=${seed}, ${path.basename(booted.file)}, step ${step}, ${ways[i + 1]}`;
      assert.equal(first!.machine.cpu.retired, other.machine.cpu.retired, where);
      assert.deepEqual(eventsOf(first!.tracers), eventsOf(other.tracers), where);
      assert.deepEqual(first!.lines, other.lines, where);
    }
  }
  return subjects[0]!.tracers.ring.head;
}

describe('what translated code notes for the trace', function () {
  this.timeout(600_000);
  for (const booted of images) {
    const { file } = booted;
    it(`is what the interpreter tells: ${path.basename(file)}`, function () {
      if (!existsSync(`${file}.dbg`)) {
        console.log(`    SKIPPED: ${file} is not built`);
        return this.skip();
      }
      const symbols = SymbolFile.open(new Uint8Array(readFileSync(`${file}.dbg`)), { name: file });
      const first = seedOf(`trace of ${path.basename(file)}`);
      const programs = Number(process.env['TRACE_PROGRAMS'] ?? 2);
      let events = 0;
      noted = 0;
      // Some programs do little, or nothing that may be noted.
      const isEnough = (): boolean => events > programs * 100 && noted > programs * 10_000;
      let seed = first;
      while (seed < first + programs || (!isEnough() && seed < first + 25)) events += runProgram(booted, symbols, seed++);
      assert.ok(isEnough(), `only ${events} events, ${noted} bytes of records`);
      console.log(`      ${seed - first} programs, ${events} events, ${noted >> 7} records`);
    });
  }
});
