/** What is run everywhere: a guest full of floating-point work on odd values, and the state hashes on its way. Knows no host. */

import { createMachine } from '../../debug-adapter/machine/pc';
import { Random } from '../lockstep/random';
import { kludgeImage } from '../unit/machine/images';

/** How a run is made. None of it may change what the guest does. */
export interface Variant {
  readonly name: string;
  readonly jit: boolean;
  /** Breakpoints that let the guest go on, on instructions of the loop; and runs cut into odd pieces. */
  readonly breakpoints: boolean;
}

export const variants: readonly Variant[] = [
  { name: 'translated', jit: true, breakpoints: false },
  { name: 'interpreted', jit: false, breakpoints: false },
  { name: 'translated, breakpoints', jit: true, breakpoints: true },
];

/** Instruction counts at which the state is hashed. */
const stops = [1_000n, 20_000n, 100_000n, 400_000n, 1_000_000n];

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

/** 32-bit code: turns SSE on, then loops for ever over random arithmetic between registers and the table, stores, x87 work and MXCSR reads. */
function program(random: Random): Uint8Array {
  const code: number[] = [];
  const word = (value: number): number[] => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255];
  // mov eax, cr4; or eax, OSFXSR | OSXMMEXCPT; mov cr4, eax; fninit; xor esi, esi
  code.push(0x0f, 0x20, 0xe0, 0x0d, ...word(0x600), 0x0f, 0x22, 0xe0, 0xdb, 0xe3, 0x31, 0xf6);
  const loop = code.length;
  for (let i = 0; i < 120; i++) {
    const target = random.below(8);
    const source = random.below(8);
    switch (random.below(10)) {
      case 0:
        // movaps xmm, [table + esi]
        code.push(0x0f, 0x28, 0x86 | (target << 3), ...word(table));
        break;
      case 1:
        // movaps [table + 0x1000 + esi], xmm
        code.push(0x0f, 0x29, 0x86 | (target << 3), ...word(table + tableBytes));
        break;
      case 2:
        // fld qword [table + esi]; fmul qword [table + esi + 8]; fstp qword [table + 0x2000 + esi]
        code.push(0xdd, 0x86, ...word(table), 0xdc, 0x8e, ...word(table + 8), 0xdd, 0x9e, ...word(table + 2 * tableBytes));
        break;
      case 3:
        // stmxcsr [table + 0x3000]
        code.push(0x0f, 0xae, 0x1d, ...word(table + 3 * tableBytes));
        break;
      case 4:
        code.push(0x0f, random.pick(packedLogic), 0xc0 | (target << 3) | source);
        break;
      case 5:
        // cvttss2si eax, xmm; add [table + 0x3004], eax
        code.push(0xf3, 0x0f, 0x2c, 0xc0 | source, 0x01, 0x05, ...word(table + 3 * tableBytes + 4));
        break;
      default:
        code.push(...random.pick(prefixes), 0x0f, random.pick(arithmetic), 0xc0 | (target << 3) | source);
    }
  }
  // add esi, 16; and esi, 0xff0; jmp loop
  code.push(0x83, 0xc6, 0x10, 0x81, 0xe6, ...word(0xff0), 0xe9);
  code.push(...word(loop - (code.length + 4)));
  return Uint8Array.from(code);
}

/** Runs a guest drawn from a seed; answers the hash at each stop as `instructions:hash`. */
export function fingerprints(seed: number, variant: Variant): string[] {
  const random = new Random(seed);
  const code = program(random);
  const { machine } = createMachine({
    image: kludgeImage(code),
    imageName: 'determinism',
    commandLine: '',
    memory: 16 << 20,
    cpuModel: 'default',
    jit: variant.jit,
  });
  machine.edit({ kind: 'memory', physical: table, bytes: values(random) });
  let struck = 0;
  if (variant.breakpoints) {
    for (const offset of [16, 27]) {
      machine.cpu.setProbe(BigInt(loadAddress + offset), () => {
        struck++;
        return struck % 5 === 0 ? 'stop' : undefined;
      });
    }
  }
  const out: string[] = [];
  for (const stop of stops) {
    while (machine.cpu.retired < stop) {
      const piece = variant.breakpoints ? machine.cpu.retired + BigInt(1 + ((struck * 7919) % 30_000)) : stop;
      const { kind } = machine.run(piece < stop ? piece : stop);
      if (kind !== 'limit' && kind !== 'probe') throw new Error(`the guest ended: ${kind}`);
      // Past the breakpoint that has been reported.
      if (kind === 'probe') struck++;
    }
    out.push(`${machine.cpu.retired}:${machine.hash().toString(16)}`);
  }
  return out;
}
