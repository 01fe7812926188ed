/**
 * What translated code notes of system calls, returns and segment bases against what the interpreter tells at once: random programs in place of `main`, on both paths of the shim, with other bases of FS, on a
 * journey into the past and another way from there on. The rings must hold the same events with the same bytes behind their arguments, and the lines must come in the same order. Arguments point nowhere,
 * over the ends of pages and of memory, to strings of all lengths, and to what the program and the calls change. TRACE_PROGRAMS sets the number, SEED repeats a run.
 */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { TravellingTarget } from '../../debug-adapter/control/history/probes';
import { attachTracers, type Tracers } from '../../debug-adapter/control/tracers';
import { type PcMachine } from '../../debug-adapter/machine/machine';
import { createMachine } from '../../debug-adapter/machine/pc';
import { SourcePathMap, SymbolFile } from '../../debug-adapter/symbols/api';
import { PackedReader } from '../../debug-adapter/trace/packed';
import { EventKind, notedAfter, notedBefore } from '../../debug-adapter/trace/records';
import { type TraceEvent } from '../../debug-adapter/trace/ring';
import { type SyscallArgument, type SyscallRow } from '../../debug-adapter/trace/syscalls/row';
import { syscallRows } from '../../debug-adapter/trace/syscalls/table';
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
          code: 'uk_vsyscall_r',
          data: 'cpu_crit_stack',
        },
      ]),
];

/** getpid, getuid, gettid, sched_yield, brk and numbers that nobody has: nothing is captured of these. */
const plainCalls = [39, 102, 186, 24, 12, 330, 511, 512, 70_000];
/** write, read, uname, getcwd, openat, close, clock_gettime: something is. */
const lookedAt = [1, 0, 63, 79, 257, 3, 228];

const bytesOf = (value: number): number[] => [...new Uint8Array(Int32Array.of(value).buffer)];
const wordOf = (value: bigint): number[] => [...new Uint8Array(BigUint64Array.of(BigInt.asUintN(64, value)).buffer)];

/** Bytes of the program's data, and where they lie below its stack pointer. */
const dataBytes = 0x3000;
const dataBelow = 0x6000;
/** Bytes of the program, which lies below them. */
const codeBytes = 0x1000;
/** Instructions `mov r, imm64` for the arguments of the instruction, and of a direct call. */
const binaryMoves = [[0x48, 0xbf], [0x48, 0xbe], [0x48, 0xba], [0x49, 0xba], [0x49, 0xb8], [0x49, 0xb9]]; // prettier-ignore
const nativeMoves = [[0x48, 0xbf], [0x48, 0xbe], [0x48, 0xba], [0x48, 0xb9], [0x49, 0xb8], [0x49, 0xb9]]; // prettier-ignore

/** What a random program is made of. */
interface World {
  /** Where its code and its data lie. */
  readonly code: number;
  readonly data: bigint;
  /** The end of RAM. */
  readonly end: bigint;
  /** Functions to call directly. */
  readonly handlers: readonly number[];
  /** Handlers of calls that may be given any pointer, and those that fill in what a pointer to the data names. */
  readonly write: number | undefined;
  readonly clock: number | undefined;
  /** Calls that the image does not have: they look at none of their arguments. */
  readonly absent: readonly SyscallRow[];
}

/** An address that a call may be given which does not look at it. */
function pointer(r: Random, { data, end }: World): bigint {
  const inData = data + BigInt(r.below(dataBytes - 64));
  switch (r.below(10)) {
    case 0:
      return 0n;
    case 1:
      return r.pick([0x7fff_f000_0000n, 0x8000_0000_0000_0000n, -1n, -8n, 5n, 0xffff_8000_0000_0ffdn]);
    case 2:
      return end - BigInt(r.below(3 * 4096));
    case 3:
      return end - BigInt(r.below(24));
    case 4:
      // Near the end of a page.
      return (inData | 0xfffn) - BigInt(r.below(20));
    case 5:
      return inData & ~0xffn;
    default:
      return inData;
  }
}

const isPointer = ({ kind, filled }: SyscallArgument): boolean =>
  filled || !/^(int|uint|long|hex|size|off|mode|pid|uid|fd|dirfd|sig|dev|ptr|[ef]\..*)$/.test(kind);
const small = (r: Random): bigint => BigInt(r.oneIn(8) ? r.below(0x1_0000) : r.below(r.oneIn(4) ? 200 : 12)) - (r.oneIn(8) ? 2n : 0n);

/** The program's data: strings and bytes, and vectors of pointers with lengths, at places that `pointer` finds now and then. */
function drawData(r: Random, world: World): Uint8Array {
  const bytes = new Uint8Array(dataBytes);
  const isSparse = r.oneIn(3);
  for (let i = 0; i < dataBytes; i++) bytes[i] = r.oneIn(isSparse ? 2500 : 90) ? 0 : 32 + r.below(90);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < dataBytes; at += 0x100) {
    if (!r.oneIn(3)) continue;
    for (let i = 0; i < 14; i++)
      view.setBigUint64(at + i * 8, BigInt.asUintN(64, i % 2 === 0 ? pointer(r, world) : r.oneIn(9) ? r.u64() : small(r)), true);
  }
  return bytes;
}

/** Machine code of a loop. RBX holds the base of FS that there was, R12 counts. */
function draw(r: Random, world: World): Uint8Array {
  const { code: address, data, handlers, absent, write, clock } = world;
  const code: number[] = [0xf3, 0x48, 0x0f, 0xae, 0xc3, 0x45, 0x31, 0xed]; // rdfsbase rbx; xor r13d, r13d
  const start = code.length;
  const set = (moves: readonly number[][], values: readonly bigint[]): void =>
    values.forEach((value, i) => code.push(...moves[i]!, ...wordOf(value)));
  const instruction = (number: number): void => void code.push(0xb8, ...bytesOf(number), 0x0f, 0x05); // mov eax, number; syscall
  const call = (handler: number): void => {
    // wrfsbase rbx; call handler
    code.push(0xf3, 0x48, 0x0f, 0xae, 0xd3, 0xe8);
    code.push(...bytesOf(handler - (address + code.length + 4)));
  };
  // mov rcx, address; inc qword [rcx]
  const increment = (at: bigint): void => void code.push(0x48, 0xb9, ...wordOf(at), 0x48, 0xff, 0x01);
  const inData = (): bigint => data + BigInt(r.below(dataBytes - 512));
  const statement = (): void => {
    switch (r.below(13)) {
      case 0:
      case 1:
        instruction(plainCalls[r.below(plainCalls.length)]!);
        return;
      case 2:
        // mov edi, 1; lea rsi, [rsp - 512]; mov edx, 3
        code.push(0xbf, ...bytesOf(r.below(4)), 0x48, 0x8d, 0xb4, 0x24, ...bytesOf(-512), 0xba, ...bytesOf(r.below(5)));
        instruction(lookedAt[r.below(lookedAt.length)]!);
        return;
      case 3:
        // lea rax, [rbx + n]; wrfsbase rax
        code.push(0x48, 0x8d, 0x83, ...bytesOf(r.oneIn(2) ? 0 : 0x1000 * r.below(4)), 0xf3, 0x48, 0x0f, 0xae, 0xd0);
        return;
      case 4:
        if (handlers.length > 0) call(handlers[r.below(handlers.length)]!);
        return;
      case 5:
        // inc r12; mov rdi, r12; mov r10, r12
        code.push(0x49, 0xff, 0xc4, 0x4c, 0x89, 0xe7, 0x4d, 0x89, 0xe2);
        return;
      case 6:
        // mov ecx, n; dec ecx; jnz
        code.push(0xb9, ...bytesOf(1 + r.below(50)), 0xff, 0xc9, 0x75, 0xfc);
        return;
      case 7:
        increment(inData());
        return;
      case 8: {
        // A descriptor that nobody has: nothing is looked at.
        const values = [-1n, pointer(r, world), small(r)];
        if (write !== undefined && r.oneIn(2)) {
          set(nativeMoves, values);
          call(write);
        } else {
          set(binaryMoves, values);
          instruction(r.pick([1, 20]));
        }
        return;
      }
      case 9: {
        // clock_gettime, getcwd, uname: they write into the data.
        const out = inData();
        if (clock !== undefined && r.oneIn(3)) {
          set(nativeMoves, [BigInt(r.below(3)), out]);
          call(clock);
        } else if (r.oneIn(3)) {
          set(binaryMoves, [out, BigInt(r.below(30))]);
          instruction(r.pick([79, 63]));
        } else {
          set(binaryMoves, [BigInt(r.below(3)), out]);
          instruction(228);
        }
        if (r.oneIn(2)) increment(out);
        return;
      }
      default: {
        const row = r.pick(absent);
        const values = row.args.map((argument) => (isPointer(argument) ? pointer(r, world) : r.oneIn(12) ? r.integer() : small(r)));
        set(binaryMoves, values);
        instruction(row.number);
      }
    }
  };
  // Some end in an exception: inc r13; cmp r13, n; jne; ud2
  if (r.oneIn(6)) code.push(0x49, 0xff, 0xc5, 0x49, 0x81, 0xfd, ...bytesOf(20 + r.below(3000)), 0x75, 2, 0x0f, 0x0b);
  for (let i = 2 + r.below(10); i > 0; i--) statement();
  return Uint8Array.from([...code, 0xe9, ...bytesOf(start - (code.length + 5))]);
}

const ramBytes = 128 << 20;

function worldOf(symbols: SymbolFile, { code, data: place }: Booted, stack: bigint): World {
  const addressOf = (name: string | undefined): bigint | undefined =>
    name === undefined ? undefined : symbols.symbolsNamed(name)[0]?.address;
  const data = ((addressOf(place) ?? stack - BigInt(dataBelow)) | 0xfffn) + 1n;
  const handlerOf = (name: string): number | undefined => {
    const address = symbols.symbolsNamed(`uk_syscall_r_${name}`)[0]?.address;
    return address === undefined ? undefined : Number(address);
  };
  const safe = ['getpid', 'getuid', 'gettid', 'sched_yield', 'close'];
  return {
    code: Number(addressOf(code) ?? data - BigInt(codeBytes)),
    data,
    end: BigInt(ramBytes),
    handlers: safe.flatMap((name) => handlerOf(name) ?? []),
    write: handlerOf('write'),
    clock: handlerOf('clock_gettime'),
    absent: syscallRows().filter(({ name, result }) => result !== 'never' && handlerOf(name) === undefined),
  };
}

interface Booted {
  readonly file: string;
  readonly commandLine: string;
  readonly initrd?: string;
  /** What the program and its data may take the place of; without, they are put below the stack. */
  readonly code?: string;
  readonly data?: string;
}

interface Subject {
  readonly machine: PcMachine;
  readonly tracers: Tracers;
  readonly lines: string[];
  readonly saved: { readonly at: bigint; readonly bytes: Uint8Array }[];
}

/** Records so far, and those of them with bytes of when the call was made and of when it returned: that there are any is what this is about. */
const noted = { records: 0, before: 0, after: 0, whole: 0 };

/** `unfollowed`: noted, and for stretches nobody wants lines. */
type Way = 'noted' | 'unfollowed' | 'told' | 'interpreted';

function boot(booted: Booted, symbols: SymbolFile, seed: number, way: Way): Subject {
  const { file, commandLine, initrd } = booted;
  const options = {
    image: new Uint8Array(readFileSync(file)),
    imageName: 'image',
    commandLine,
    memory: ramBytes,
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
  const world = worldOf(symbols, booted, target.register('rsp'));
  const r = new Random(seed);
  const program = draw(r, world);
  assert.ok(program.length <= codeBytes);
  assert.equal(target.writeMemory(BigInt(world.code), program), program.length);
  // mov rax, code; jmp rax
  target.writeMemory(main, Uint8Array.of(0x48, 0xb8, ...wordOf(BigInt(world.code)), 0xff, 0xe0));
  assert.equal(target.writeMemory(world.data, drawData(r, world)), dataBytes);
  const lines: string[] = [];
  // What is told at once in the middle of a call has its return told at once, too.
  const kinds = r.pick([['syscalls'], ['syscalls', 'tls'], ['syscalls', 'tls', 'interrupts', 'extendedState']] as const);
  const whims = new Random(seed + 2);
  const wanted = (): boolean => way !== 'unfollowed' || whims.oneIn(4);
  const tracers = attachTracers(target, kinds, (line) => lines.push(line), wanted);
  const { hooks, log } = machine.cpu;
  const read = log!.reader!;
  const packed = new PackedReader();
  log!.reader = (part) => {
    packed.begin(log!.halves, part.from, part.to, part.bases);
    while (packed.advance()) {
      if (packed.kind !== EventKind.syscall) continue;
      noted.records++;
      if ((packed.flags & notedBefore) !== 0) noted.before++;
      if ((packed.flags & notedAfter) !== 0) noted.after++;
    }
    if (part.isWhole && way === 'unfollowed') noted.whole++;
    read(part);
  };
  if (way === 'told' || way === 'interpreted') {
    // Hooks that are not those of the tracers are told at once.
    const { syscall, fsBase } = hooks;
    hooks.syscall = () => syscall!();
    if (fsBase !== undefined)
      hooks.fsBase = (from, to) => {
        fsBase(from, to);
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
  const ways = ['noted', 'unfollowed', 'told', 'interpreted'] as const;
  const subjects = ways.map((way) => boot(booted, symbols, seed, way));
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
      if (ways[i + 1] !== 'unfollowed') assert.deepEqual(first!.lines, other.lines, where);
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
      Object.assign(noted, { records: 0, before: 0, after: 0, whole: 0 });
      // Some programs do little, or nothing that may be noted.
      const isEnough = (): boolean =>
        events > programs * 100 && [noted.records, noted.before, noted.after].every((count) => count > programs * 50);
      let seed = first;
      while (seed < first + programs || (!isEnough() && seed < first + 25)) events += runProgram(booted, symbols, seed++);
      assert.ok(isEnough(), `only ${events} events, noted: ${JSON.stringify(noted)}`);
      console.log(`      ${seed - first} programs, ${events} events, noted: ${JSON.stringify(noted)}`);
    });
  }
});
