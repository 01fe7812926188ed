/** Random small programs for the translator: loops, calls, tables of jumps, stores of every kind, to code too, and any instruction that touches registers alone. */

import { definitions, opcodeTable } from '../../debug-adapter/x86/isa/all';
import { Decoder, DecodeResult, Insn, Kind } from '../../debug-adapter/x86/decoder';
import { Mode } from '../../debug-adapter/x86/state';
import { drawCase, formsOf, type Form } from './generate';
import { drawInterrupt } from './jit-handlers';
import { entryOf, Place } from './jit-rig';
import { Image } from './native';
import { type Random } from './random';

/** Registers that hold the program together: loop counters, data pointers, the stack. */
const kept = new Set([3, 4, 5, 12, 14, 15]);
/** Written or read without being named, or not for a program in one piece. */
const unfit =
  /^(CPUID|CMPXCHG(8|16)B|XLAT|ENTER|LEAVE|PUSH|POP|MASKMOV|MAXMOV|RD|WR|SYS|SWAPGS|X(SAVE|RSTOR|GETBV|SETBV)|FX|CL[ITAC]|ST[IAC]|HLT|IN|OUT|INT|IRET|MONITOR|MWAIT|UD|LFS|LGS|LSS|V?ZERO|L[GIL]DT|LTR|LMSW|STR|SLDT|INV|WBINVD|F|EMMS|CRC32|CMPS|SCAS|LODS|MOVS$|STOS)/;

const scratch = [0, 1, 2, 6, 7, 8, 9, 10, 11, 13] as const;
const dataRegisters = [3, 5, 12] as const;

const decoder = new Decoder(opcodeTable);
const insn = new Insn();
const drawn = Buffer.alloc(Image.size);
let forms: readonly Form[] | undefined;

/** Bytes of a random instruction on scratch registers and vectors alone, or of a NOP where none was found. */
function anyInstruction(r: Random): number[] {
  forms ??= formsOf(definitions).filter(({ definition }) => !unfit.test(definition.mnemonic) && definition.endsBlock !== true);
  for (let i = 0; i < 12; i++) {
    drawCase(r, r.pick(forms), drawn, 0);
    const bytes = [...drawn.subarray(Image.code, Image.code + drawn[Image.codeLength]!)];
    const padded = Uint8Array.from([...bytes, ...Array<number>(16).fill(0)]);
    if (decoder.decode(padded, 0, padded.length, Mode.long | Mode.flat | Mode.protected, 0, 0, () => true, insn) !== DecodeResult.ok)
      continue;
    if (insn.length !== bytes.length || insn.hasMemory || insn.rep !== 'none') continue;
    if (insn.kinds.slice(0, insn.count).some((kind, k) => kind === Kind.reg && kept.has(insn.registers[k]! & 15))) continue;
    return bytes;
  }
  return [0x90];
}

/** A program under construction; jumps are filled in at the end. */
class Draft {
  readonly bytes: number[] = [];
  readonly labels: number[] = [];
  readonly jumps: { readonly at: number; readonly label: number }[] = [];
  /** Words of jump tables: target minus table. */
  readonly tables: { readonly at: number; readonly base: number; readonly label: number }[] = [];
  /** Offsets of bytes that stores may change: immediates of additions. */
  readonly patchable: number[] = [];

  constructor(readonly r: Random) {}

  put(...bytes: number[]): void {
    this.bytes.push(...bytes);
  }
  i32(value: number): void {
    this.put(value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255);
  }
  label(): number {
    return this.labels.push(this.bytes.length) - 1;
  }
  later(): number {
    return this.labels.push(-1) - 1;
  }
  here(label: number): void {
    this.labels[label] = this.bytes.length;
  }
  jump(opcode: readonly number[], label: number): void {
    this.put(...opcode);
    this.jumps.push({ at: this.bytes.length, label });
    this.i32(0);
  }
  /** ModRM, SIB and displacement of memory around a data pointer; REX.B, REX.X are returned first by `rex`. */
  memory(reg: number): { rex: number; bytes: number[] } {
    const { r } = this;
    const base = r.pick(dataRegisters);
    const rexR = reg >= 8 ? 4 : 0;
    const rexB = base >= 8 ? 1 : 0;
    // Now and then over the end of a page, into the read-only page, or beyond all of them.
    const disp = r.oneIn(12) ? 0x1000 - r.below(12) : r.oneIn(60) ? r.below(0x5000) : r.oneIn(3) ? r.below(100) : 16 * r.below(60);
    const i32 = [disp & 255, (disp >> 8) & 255, (disp >> 16) & 255, 0];
    if (r.oneIn(3)) return { rex: rexR | rexB, bytes: [0x84 | ((reg & 7) << 3), (0 << 6) | (4 << 3) | (base & 7), ...i32] };
    if (r.oneIn(3))
      return { rex: rexR | rexB | 2, bytes: [0x84 | ((reg & 7) << 3), (r.below(3) << 6) | ((14 & 7) << 3) | (base & 7), ...i32] };
    if ((base & 7) === 4) return { rex: rexR | rexB, bytes: [0x84 | ((reg & 7) << 3), 0x24, ...i32] };
    return { rex: rexR | rexB, bytes: [0x80 | ((reg & 7) << 3) | (base & 7), ...i32] };
  }
}

const alu = [0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38] as const;

function memoryInstruction(d: Draft): void {
  const { r } = d;
  const reg = r.pick(scratch);
  const { rex, bytes } = d.memory(reg);
  const w = r.oneIn(2) ? 8 : 0;
  const small = r.oneIn(8) ? [0x66] : [];
  const segment = r.oneIn(16) ? [0x64] : [];
  switch (r.below(12)) {
    case 0:
      return d.put(...segment, ...small, 0x40 | rex | w, 0x8b, ...bytes);
    case 1:
      return d.put(...segment, ...small, 0x40 | rex | w, 0x89, ...bytes);
    case 2:
      return d.put(0x40 | rex, 0x88, ...bytes);
    case 3:
      return d.put(...small, 0x40 | rex | w, r.pick(alu) + 3, ...bytes);
    case 4:
      return d.put(...small, 0x40 | rex | w, r.pick(alu) + 1, ...bytes);
    case 5:
      return d.put(0x40 | rex | w, 0x0f, r.pick([0xb6, 0xb7, 0xbe, 0xbf]), ...bytes);
    case 6:
      return d.put(r.pick([0x66, 0xf3]), 0x40 | rex, 0x0f, 0x6f, ...bytes);
    case 7:
      return d.put(0xf3, 0x40 | rex, 0x0f, 0x7f, ...bytes);
    case 8:
      return d.put(r.pick([0xf2, 0xf3]), 0x40 | rex, 0x0f, r.pick([0x10, 0x11, 0x58, 0x59, 0x5c, 0x5e, 0x51]), ...bytes);
    case 9:
      return d.put(0x40 | rex | w, 0x0f, r.pick([0xc1, 0xb1, 0xab, 0xb3, 0xaf, 0xa3]), ...bytes);
    case 10:
      return d.put(0x40 | rex | w, 0x87, ...bytes);
    default:
      return d.put(0x40 | rex, 0x80, bytes[0]! & ~0x38, ...bytes.slice(1), r.below(256));
  }
}

/** mov r32, imm32. */
const movImmediate = (d: Draft, register: number, value: number): void => {
  if (register >= 8) d.put(0x41);
  d.put(0xb8 | (register & 7));
  d.i32(value);
};

/** Bits of a double or of two singles: ordinary numbers most of the time, now and then the ends of what regions compute with themselves, zeros and what is no number. */
function floatBits(r: Random, double: boolean, extreme: boolean): bigint {
  const [digits, bias] = double ? [52n, 1023] : [23n, 127];
  const ends = double ? [255, 256, 257, 307, 308, 512, 767, 1022] : [31, 32, 33, 54, 55, 64, 95, 126];
  const one = (): bigint => {
    const sign = BigInt(r.below(2)) << (double ? 63n : 31n);
    if (r.oneIn(10)) return sign;
    if (r.oneIn(24)) return sign | (BigInt(2 * bias + 1) << digits) | BigInt(r.pick([0, 1, 1 << 22]));
    if (r.oneIn(24)) return sign | BigInt(1 + r.below(1000));
    // Products of these go beyond what there are numbers for.
    const large = (double ? 256 : 32) - 1 - r.below(3);
    const exponent = extreme ? large * (r.oneIn(5) ? -1 : 1) : r.oneIn(6) ? r.pick(ends) * (r.oneIn(2) ? 1 : -1) : r.below(40) - 20;
    // Few digits make exact results.
    const significand = r.oneIn(2) ? BigInt(r.below(16)) << (digits - 4n) : BigInt(r.below(2 ** 23)) << BigInt(r.below(double ? 30 : 1));
    return sign | (BigInt(bias + exponent) << digits) | significand;
  };
  return double ? one() : (one() << 32n) | one();
}

/** Saves r15 and makes it the counter of a loop that begins here. */
function startLoop(d: Draft, times: number, apart = false): number {
  d.put(0x41, 0x57, 0x41, 0xbf);
  d.i32(times);
  // The interpreter goes on to the end of a block once it is in it, here into the first turn.
  if (apart) d.put(0xeb, 0x00);
  return d.label();
}

function endLoop(d: Draft, top: number): void {
  d.put(0x41, 0xff, 0xcf);
  d.jump([0x0f, 0x85], top);
}

/** ldmxcsr from the stack: rounding and sticky flags. */
function loadMxcsr(d: Draft, value: number): void {
  d.put(0xc7, 0x44, 0x24, 0xf0);
  d.i32(value);
  d.put(0x0f, 0xae, 0x54, 0x24, 0xf0);
}

/** fxsave [rsi], perhaps another MXCSR in it, an instruction that changes registers, fxrstor [rsi]. @param reach bytes behind the start of the data that the area begins in */
function extendedState(d: Draft, reach: number, between: readonly number[]): void {
  const { r } = d;
  movImmediate(d, 6, Place.data + 16 * r.below(reach / 16));
  d.put(...(r.oneIn(2) ? [0x48] : []), 0x0f, 0xae, 0x06);
  // mov dword [rsi + 24], imm32
  if (!r.oneIn(3)) d.put(0xc7, 0x46, 24, ...word(r.pick([0x1f80, 0x1fa0, 0x1fa0, 0x3f80, 0x1fbf, 0x9fc0])));
  d.put(...between);
  d.put(...(r.oneIn(2) ? [0x48] : []), 0x0f, 0xae, 0x0e);
}

/** Chains of floating-point arithmetic on XMM0..XMM3, of which values go through memory in between. */
function floats(d: Draft): void {
  const { r } = d;
  // Flags that are set already hide that an operation sets them.
  if (!r.oneIn(3)) loadMxcsr(d, r.pick([0x1f80, 0x1fa0, 0x1fa0]));
  const top = startLoop(d, 2 + r.below(6), true);
  const double = r.oneIn(2);
  const extreme = r.oneIn(3);
  const common = extreme ? [0x59, 0x59, 0x59, 0x58, 0x5c] : [0x58, 0x58, 0x59, 0x59, 0x5c];
  for (let register = 0; register < 4; register++) {
    // mov rax, imm64; movq xmm, rax; now and then the same in both halves.
    const bits = floatBits(r, double, extreme);
    d.put(0x48, 0xb8);
    d.i32(Number(BigInt.asIntN(32, bits)));
    d.i32(Number(BigInt.asIntN(32, bits >> 32n)));
    d.put(0x66, 0x48, 0x0f, 0x6e, 0xc0 | (register << 3));
    if (r.oneIn(2)) d.put(0x66, 0x0f, 0x14, 0xc0 | (register * 9));
  }
  const scalar = double ? 0xf2 : 0xf3;
  const packed = double ? [0x66] : [];
  for (let i = 4 + r.below(16); i > 0; i--) {
    if (r.oneIn(40)) extendedState(d, 0xc00, [0x0f, 0x58, 0xc0 | r.below(64)]);
    const [to, from] = [r.below(4), r.below(4)];
    const prefix = r.oneIn(3) ? packed : [scalar];
    const modrm = 0xc0 | (to << 3) | from;
    const disp = 8 * r.below(12);
    switch (r.below(12)) {
      case 0:
        d.put(...packed, 0x0f, 0x28, modrm);
        break;
      case 1:
        d.put(scalar, 0x0f, r.pick([0x10, 0x11]), 0x43 | (to << 3), disp);
        break;
      case 2:
        d.put(scalar, 0x0f, r.pick([0x58, 0x59, 0x5c]), 0x43 | (to << 3), disp);
        break;
      case 3:
        d.put(...prefix, 0x0f, r.pick([0x51, 0x5e, 0x5d, 0x5f]), modrm);
        break;
      case 4:
        // Kinds mixed: what is known of doubles says nothing of singles.
        if (r.oneIn(2)) d.put(double ? 0xf3 : 0xf2, 0x0f, 0x58, modrm);
        else d.put(...packed, 0x0f, r.pick([0x14, 0x15, 0x54, 0x57]), modrm);
        break;
      default:
        d.put(...prefix, 0x0f, r.pick(common), modrm);
        break;
    }
  }
  // What flags there are at the end of each turn: stmxcsr [rsp-16]; mov eax, [rsp-16]; add [rbx+0x68], eax; rol dword [rbx+0x68], 1.
  d.put(0x0f, 0xae, 0x5c, 0x24, 0xf0, 0x8b, 0x44, 0x24, 0xf0, 0x01, 0x43, 0x68, 0xd1, 0x43, 0x68);
  endLoop(d, top);
  d.put(0x41, 0x5f);
}

/** Two pointers, r8 and r9, that move by constants and otherwise, and accesses all around them. */
function walk(d: Draft): void {
  const { r } = d;
  d.put(0x4c, 0x8d, 0x83);
  d.i32(r.below(0x1800));
  d.put(0x4c, 0x8d, 0x8d);
  d.i32(r.below(0x800));
  const near = (): number => (r.oneIn(2) ? 8 * r.below(6) : r.below(256));
  for (let i = 4 + r.below(12); i > 0; i--) {
    const which = r.below(2);
    switch (r.below(14)) {
      case 0:
        d.put(0x49, 0x83, r.pick([0xc0, 0xe8]) | which, near());
        break;
      case 1:
        d.put(0x49, 0xff, r.pick([0xc0, 0xc8]) | which);
        break;
      case 2:
        d.put(0x4d, r.pick([0x89, 0x8b, 0x87]), r.pick([0xc1, 0xc8]));
        break;
      case 3:
        d.put(0x4d, 0x8d, r.pick([0x40, 0x41, 0x48, 0x49]), near());
        break;
      case 4:
        // Of 32 bits, of 8, perhaps, and by an index.
        d.put(
          ...r.pick([
            [0x41, 0x83, 0xc0, near()],
            [0x41, 0xb0, near()],
            [0x4d, 0x0f, 0x44, 0xc1],
            [0x4f, 0x8d, 0x04, 0xb0],
          ]),
        );
        break;
      case 5:
        d.put(0x4b, r.pick([0x8b, 0x89]), 0x44, 0xf0, near());
        break;
      case 6:
        d.put(
          ...r.pick([
            [0x50, 0x59],
            [0x50, 0x51, 0x58, 0x59],
            [0x41, 0x50, 0x41, 0x59],
          ]),
        );
        break;
      case 7:
        d.put(0x41, 0x0f, r.pick([0x10, 0x11]), 0x40 | which, near());
        break;
      default:
        d.put(0x49, r.pick([0x8b, 0x8b, 0x89, 0x01, 0x03]), 0x40 | which, near());
        break;
    }
  }
}

function special(d: Draft, functions: readonly number[]): void {
  const { r } = d;
  switch (r.below(20)) {
    case 17:
    case 18:
    case 19:
      return walk(d);
    case 13:
    case 14:
    case 15:
      return floats(d);
    case 0:
    case 1:
      if (functions.length > 0) return d.jump([0xe8], r.pick(functions));
      return;
    case 2: {
      // Through a table of jumps: r14 is 0..7.
      const cases = Array.from({ length: 8 }, () => d.later());
      const after = d.later();
      // lea rax, [rip + table]; movsxd rcx, [rax + r14*4]; add rax, rcx; jmp rax
      d.put(0x48, 0x8d, 0x05);
      const table = d.later();
      d.jumps.push({ at: d.bytes.length, label: table });
      d.i32(0);
      d.put(0x4a, 0x63, 0x0c, 0xb0, 0x48, 0x01, 0xc8, 0xff, 0xe0);
      d.here(table);
      const tableAt = d.bytes.length;
      cases.forEach((label) => {
        d.tables.push({ at: d.bytes.length, base: tableAt, label });
        d.i32(0);
      });
      for (const label of cases) {
        d.here(label);
        straight(d, 1 + r.below(2));
        if (r.oneIn(2)) d.jump([0xe9], after);
      }
      return d.here(after);
    }
    case 3:
      // rep movs / stos within the data pages.
      d.put(0x48, 0x8d, 0x73, r.below(120), 0x48, 0x8d, 0x7d, r.below(120));
      movImmediate(d, 1, r.oneIn(6) ? r.below(1500) : r.below(20));
      return d.put(r.pick([0xf3, 0xf2]), ...(r.oneIn(2) ? [0x48] : []), r.pick([0xa4, 0xa5, 0xaa, 0xab, 0xa6, 0xae, 0xac]));
    case 4:
    case 5: {
      // A store to code: a byte of an addition gets another value.
      if (d.patchable.length === 0) return;
      movImmediate(d, 0, Place.code + r.pick(d.patchable));
      return d.put(0xc6, 0x00, r.below(256));
    }
    case 6: {
      // The frames of two alias pages change places, then both are invalidated, or everything.
      const [a, b] = [Place.alias + 4096 * r.below(4), Place.alias + 4096 * r.below(4)];
      movImmediate(d, 6, entryOf(a));
      movImmediate(d, 7, entryOf(b));
      d.put(0x48, 0x8b, 0x06, 0x48, 0x8b, 0x0f, 0x48, 0x89, 0x07, 0x48, 0x89, 0x0e);
      if (r.oneIn(3)) return d.put(0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8);
      for (const page of [a, b]) {
        movImmediate(d, 6, page);
        d.put(0x0f, 0x01, 0x3e);
      }
      return;
    }
    case 7:
    case 8:
      // Memory through the alias; now and then the device behind it.
      movImmediate(d, 6, Place.alias + r.below(r.oneIn(8) ? 0x5000 : 0x4000) - (r.oneIn(8) ? 3 : 0));
      return d.put(0x48, r.oneIn(2) ? 0x89 : 0x8b, 0x06);
    case 9:
      // Ports: an interrupt, a shorter budget, a value.
      movImmediate(d, 2, r.pick([0x80, 0x80, 0x81, 0x90]));
      return d.put(r.pick([0xee, 0xef, 0xec, 0xed]));
    case 10:
      return d.put(r.pick([0xfa, 0xfb, 0xfb, 0xfc, 0xfc]));
    case 11:
      // mov ss, ax with a good selector; then the shadow's instruction.
      movImmediate(d, 0, 0x10);
      return d.put(0x8e, 0xd0);
    case 12:
      // Now and then over the end of a page.
      if (r.oneIn(2)) return extendedState(d, r.oneIn(4) ? 0x4000 : 0x600, anyInstruction(r));
      return loadMxcsr(d, r.pick([0x1f80, 0x1fa0, 0x3f80, 0x1fbf, 0x9fc0, 0x1fa0]));
    default:
      d.put(0x0f, 0xa2);
      return d.put(0xbb, ...word(Place.data));
  }
}

const word = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255];

function straight(d: Draft, count: number): void {
  const { r } = d;
  for (let i = 0; i < count; i++) {
    switch (r.below(8)) {
      case 0:
      case 1:
      case 2:
        memoryInstruction(d);
        break;
      case 3:
        // add al, imm8: a place for stores to code.
        d.put(0x04, r.below(256));
        d.patchable.push(d.bytes.length - 1);
        break;
      case 4:
        d.put(0x50 | r.pick([0, 1, 2, 6, 7]), 0x58 | r.pick([0, 1, 2, 6, 7]));
        break;
      default:
        d.put(...anyInstruction(r));
        break;
    }
  }
}

function body(d: Draft, depth: number, functions: readonly number[]): void {
  const { r } = d;
  const parts = 2 + r.below(4);
  for (let i = 0; i < parts; i++) {
    straight(d, r.below(5));
    if (r.oneIn(2)) special(d, functions);
    if (r.oneIn(3)) d.put(...drawInterrupt(r));
    if (r.oneIn(2)) {
      // Over something, by any condition.
      const over = d.later();
      d.jump([0x0f, 0x80 | r.below(16)], over);
      straight(d, 1 + r.below(3));
      d.here(over);
    }
    if (depth > 0 && r.oneIn(2)) {
      // A loop: its counter is saved on the stack, r14 follows it.
      const top = startLoop(d, 1 + r.below(r.oneIn(5) ? 60 : 8));
      d.put(0x45, 0x89, 0xfe, 0x41, 0x83, 0xe6, 0x07);
      const out = d.later();
      body(d, depth - 1, functions);
      if (r.oneIn(3)) d.jump([0x0f, 0x80 | r.below(16)], out);
      endLoop(d, top);
      d.here(out);
      d.put(0x41, 0x5f);
    }
  }
}

/** Draws a program for `Place.code`; it ends in a jump to its own start. */
export function drawProgram(r: Random): Uint8Array {
  const d = new Draft(r);
  const start = d.later();
  d.jump([0xe9], start);
  // Sometimes the code lies over the end of a page.
  if (r.oneIn(3)) while (d.bytes.length < 4096 - r.below(200)) d.put(0x90);
  const functions: number[] = [];
  for (let i = r.below(4); i > 0; i--) {
    const entry = d.label();
    body(d, 1, functions);
    d.put(0xc3);
    functions.push(entry);
  }
  d.here(start);
  movImmediate(d, 3, Place.data);
  movImmediate(d, 5, Place.data + 16 * r.below(100));
  movImmediate(d, 12, r.oneIn(3) ? Place.alias : Place.data + 8 * r.below(300));
  movImmediate(d, 4, Place.stack);
  d.put(0x45, 0x31, 0xf6);
  body(d, 2, functions);
  d.jump([0xe9], start);
  return finish(d) ?? drawProgram(r);
}

/** Draws a program of one tight loop: floating-point arithmetic, or accesses around two pointers. */
export function drawLoop(r: Random): Uint8Array {
  const d = new Draft(r);
  const start = d.label();
  movImmediate(d, 3, Place.data);
  movImmediate(d, 4, Place.stack);
  movImmediate(d, 5, Place.data + 0x800);
  if (r.oneIn(2)) floats(d);
  else {
    const top = startLoop(d, 2 + r.below(20), true);
    d.put(0x45, 0x89, 0xfe, 0x41, 0x83, 0xe6, 0x07);
    walk(d);
    if (r.oneIn(2)) walk(d);
    endLoop(d, top);
    d.put(0x41, 0x5f);
  }
  d.jump([0xe9], start);
  return finish(d) ?? drawLoop(r);
}

/** Fills in the jumps; undefined where the program is too long. */
function finish(d: Draft): Uint8Array | undefined {
  for (const { at, label } of d.jumps) patch(d, at, d.labels[label]! - at - 4);
  for (const { at, base, label } of d.tables) patch(d, at, d.labels[label]! - base);
  return d.bytes.length > Place.codePages * 4096 ? undefined : Uint8Array.from(d.bytes);
}

function patch(d: Draft, at: number, value: number): void {
  word(value).forEach((byte, i) => (d.bytes[at + i] = byte));
}
