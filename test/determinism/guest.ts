/** What is run everywhere: a guest full of floating-point work on odd values, and the state hashes on its way. Knows no host. */

import { createMachine } from '../../debug-adapter/machine/pc';
import { type CompilerThread, useCompiler } from '../../debug-adapter/x86/default-compiler';
import { Random } from '../lockstep/random';
import { kludgeImage } from '../unit/machine/images';

/** How a run is made. None of it may change what the guest does. */
export interface Variant {
  readonly name: string;
  readonly jit: boolean;
  /** Code is compiled on another thread, as far as the host has one. */
  readonly beside: boolean;
  /** Breakpoints that let the guest go on, on instructions of the loop; and runs cut into odd pieces. */
  readonly breakpoints: boolean;
}

export const variants: readonly Variant[] = [
  { name: 'translated', jit: true, beside: false, breakpoints: false },
  { name: 'interpreted', jit: false, beside: false, breakpoints: false },
  { name: 'translated, breakpoints', jit: true, beside: false, breakpoints: true },
  // The last: from here on the process has the thread.
  { name: 'translated beside', jit: true, beside: true, breakpoints: false },
];

/** Instruction counts at which the state is hashed. */
const stops = [1_000n, 20_000n, 100_000n, 400_000n, 1_500_000n];
/** Instructions between the times that a run lets answers of another thread in. */
const turn = 50_000n;

const loadAddress = 0x10_0020;
const table = 0x20_0000;
/** Values in the table: 256 of 16 bytes. */
const tableBytes = 4096;

/** The odd values: NaNs quiet and signalling with payloads, infinities, denormals, ordinary numbers; single and double. */
function values(random: Random): Uint8Array {
  const bytes = new Uint8Array(tableBytes);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < tableBytes; at += 16) random.vector(view, at);
  return bytes;
}

/** Arithmetic of SSE and SSE2 on registers: prefix and opcode. */
const prefixes: readonly (readonly number[])[] = [[], [0x66], [0xf3], [0xf2]];
const arithmetic = [0x51, 0x58, 0x59, 0x5c, 0x5d, 0x5e, 0x5f];
const packedLogic = [0x54, 0x55, 0x56, 0x57, 0x14];

const pageTables = 0x30_0000;
const descriptors = 0x31_0000;
const stack = 0x40_0000;
/** Loops of the guest, and runs of each in turn: enough of them for all to be translated. */
const loops = 24;
const loopRuns = 400;

const word = (value: number): number[] => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255];

/** What the switch to 64-bit mode needs in memory, by address: 16 MiB mapped to itself by pages of 2 MiB; a descriptor of 64-bit code, and the operand of LGDT. */
function longModeTables(): readonly (readonly [number, Uint8Array])[] {
  const entries = (...values: bigint[]): Uint8Array => new Uint8Array(BigUint64Array.from(values).buffer);
  const table = (offset: number, flags: number): bigint => BigInt(pageTables + offset + flags);
  return [
    [pageTables, entries(table(0x1000, 3))],
    [pageTables + 0x1000, entries(table(0x2000, 3))],
    [pageTables + 0x2000, entries(...Array.from({ length: 8 }, (_, i) => BigInt(i * 0x20_0000 + 0x83)))],
    [descriptors, entries(0n, 0x00af_9a00_0000_ffffn)],
    [descriptors + 0x100, Uint8Array.from([15, 0, ...word(descriptors)])],
  ];
}

/** Turns SSE and 64-bit mode on, then runs loops in turn for ever: random arithmetic between registers and the table, stores, x87 work and MXCSR reads. */
function program(random: Random): { readonly code: Uint8Array; readonly starts: readonly number[] } {
  const code: number[] = [];
  const starts: number[] = [];
  // mov eax, cr4; or eax, PAE | OSFXSR | OSXMMEXCPT; mov cr4, eax; mov eax, pageTables; mov cr3, eax
  code.push(0x0f, 0x20, 0xe0, 0x0d, ...word(0x620), 0x0f, 0x22, 0xe0, 0xb8, ...word(pageTables), 0x0f, 0x22, 0xd8);
  // mov ecx, EFER; rdmsr; or eax, LME; wrmsr; mov eax, cr0; or eax, PG; mov cr0, eax
  code.push(0xb9, ...word(0xc000_0080), 0x0f, 0x32, 0x0d, ...word(0x100), 0x0f, 0x30);
  code.push(0x0f, 0x20, 0xc0, 0x0d, ...word(0x8000_0000), 0x0f, 0x22, 0xc0);
  // lgdt [descriptors + 0x100]; jmp 8:next
  code.push(0x0f, 0x01, 0x15, ...word(descriptors + 0x100), 0xea, ...word(loadAddress + code.length + 14), 8, 0);
  // mov esp, stack; fninit; xor esi, esi
  code.push(0xbc, ...word(stack), 0xdb, 0xe3, 0x31, 0xf6);
  const first = code.length;
  for (let i = 0; i < loops; i++) {
    // mov edi, loopRuns
    code.push(0xbf, ...word(loopRuns));
    const start = code.length;
    starts.push(loadAddress + start);
    for (let k = 0; k < 20; k++) code.push(...step(random));
    // add esi, 16; and esi, 0xff0; dec edi; jnz start
    code.push(0x83, 0xc6, 0x10, 0x81, 0xe6, ...word(0xff0), 0xff, 0xcf, 0x0f, 0x85);
    code.push(...word(start - (code.length + 4)));
  }
  // jmp first
  code.push(0xe9, ...word(first - (code.length + 5)));
  return { code: Uint8Array.from(code), starts };
}

/** A random step of a loop. */
function step(random: Random): readonly number[] {
  const target = random.below(8);
  const source = random.below(8);
  switch (random.below(10)) {
    case 0:
      // movaps xmm, [rsi + table]
      return [0x0f, 0x28, 0x86 | (target << 3), ...word(table)];
    case 1:
      // movaps [rsi + table + 0x1000], xmm
      return [0x0f, 0x29, 0x86 | (target << 3), ...word(table + tableBytes)];
    case 2:
      // fld qword [rsi + table]; fmul qword [rsi + table + 8]; fstp qword [rsi + table + 0x2000]
      return [0xdd, 0x86, ...word(table), 0xdc, 0x8e, ...word(table + 8), 0xdd, 0x9e, ...word(table + 2 * tableBytes)];
    case 3:
      // stmxcsr [table + 0x3000]
      return [0x0f, 0xae, 0x1c, 0x25, ...word(table + 3 * tableBytes)];
    case 4:
      return [0x0f, random.pick(packedLogic), 0xc0 | (target << 3) | source];
    case 5:
      // cvttss2si eax, xmm; add [table + 0x3004], eax
      return [0xf3, 0x0f, 0x2c, 0xc0 | source, 0x01, 0x04, 0x25, ...word(table + 3 * tableBytes + 4)];
    default:
      return [...random.pick(prefixes), 0x0f, random.pick(arithmetic), 0xc0 | (target << 3) | source];
  }
}

/** What a run needs of where it runs. */
export interface Host {
  /** Lets messages of other threads in. */
  breathe(): Promise<void>;
  startCompiler(): CompilerThread;
}

/** Runs a guest drawn from a seed; answers the hash at each stop as `instructions:hash`. Throws where the run was not what the variant says. */
export async function fingerprints(seed: number, variant: Variant, host: Host): Promise<string[]> {
  const random = new Random(seed);
  const { code, starts } = program(random);
  if (variant.beside) useCompiler(() => host.startCompiler());
  const { machine } = createMachine({
    image: kludgeImage(code),
    imageName: 'determinism',
    commandLine: '',
    memory: 16 << 20,
    cpuModel: 'default',
    jit: variant.jit,
  });
  machine.edit({ kind: 'memory', physical: table, bytes: values(random) });
  for (const [physical, bytes] of longModeTables()) machine.edit({ kind: 'memory', physical, bytes });
  let struck = 0;
  if (variant.breakpoints) {
    for (const start of [starts[3]!, starts[17]!]) {
      machine.cpu.setProbe(BigInt(start), () => {
        struck++;
        return struck % 5 === 0 ? 'stop' : undefined;
      });
    }
  }
  const out: string[] = [];
  let runs = 0;
  for (const stop of stops) {
    while (machine.cpu.retired < stop) {
      const piece = machine.cpu.retired + (variant.breakpoints ? BigInt(1 + ((++runs * 7919) % 30_000)) : variant.beside ? turn : stop);
      const { kind } = machine.run(piece < stop ? piece : stop);
      if (kind !== 'limit' && kind !== 'probe') throw new Error(`the guest ended: ${kind}`);
      // Past the breakpoint that has been reported.
      if (kind === 'probe') struck++;
      if (variant.beside) await host.breathe();
    }
    out.push(`${machine.cpu.retired}:${machine.hash().toString(16)}`);
  }
  const { compiled = 0, beside = 0 } = machine.cpu.jitStatistics ?? {};
  if (compiled > 0 !== variant.jit || beside > 0 !== variant.beside)
    throw new Error(`${variant.name}: ${compiled} regions were compiled, ${beside} of them beside`);
  if (variant.breakpoints && struck === 0) throw new Error(`${variant.name}: no breakpoint was met`);
  return out;
}
