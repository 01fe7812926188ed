/** Random x87 cases, run on this machine's own processor by a small C program and on the unit under test. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { X87Unit } from '../../../../debug-adapter/x86/x87/execute';
import { type X87Port } from '../../../../debug-adapter/x86/x87/port';
import { State } from '../../../../debug-adapter/x86/state';

const source = join(dirname(fileURLToPath(import.meta.url)), '..', 'native', 'x87.c');
const caseSize = 144;

/** Small, fast, seedable generator (xorshift32 variant with 32-bit outputs). */
export class Random {
  private s: number;
  constructor(seed: number) {
    this.s = (seed | 0) === 0 ? 0x9e37_79b9 : seed | 0;
    for (let i = 0; i < 8; i++) this.u32();
  }
  u32(): number {
    let x = this.s;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.s = x;
    return Math.imul(x, 0x9e37_79b1) >>> 0;
  }
  below(n: number): number {
    return Math.floor((this.u32() / 2 ** 32) * n);
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
  chance(n: number): boolean {
    return this.below(n) === 0;
  }
}

/** One case in the native program's layout. */
export interface Case {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

export function newCase(): Case {
  const bytes = new Uint8Array(caseSize);
  return { bytes, view: new DataView(bytes.buffer) };
}

/** Compiles the native program; undefined (with the reason printed) where that cannot be done. */
export function compileNative(): { run(cases: readonly Case[]): Uint8Array; dispose(): void } | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.log('      skipped: the native x87 comparison needs Linux on x86-64');
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'x87-'));
  const program = join(folder, 'x87');
  try {
    execFileSync('gcc', ['-O1', '-o', program, source], { stdio: 'pipe' });
  } catch (error) {
    rmSync(folder, { recursive: true });
    console.log(`      skipped: the native x87 comparison needs gcc (${error instanceof Error ? error.message.split('\n')[0] : ''})`);
    return undefined;
  }
  return {
    run(cases) {
      const input = Buffer.alloc(cases.length * caseSize);
      cases.forEach((c, i) => input.set(c.bytes, i * caseSize));
      const result = spawnSync(program, { input, maxBuffer: input.length + 65536, timeout: 60_000 });
      if (result.status !== 0) throw new Error(`native program ended with ${result.status ?? result.signal}`);
      return new Uint8Array(result.stdout.buffer, result.stdout.byteOffset, result.stdout.length);
    },
    dispose: () => rmSync(folder, { recursive: true }),
  };
}

const state = new DataView(new ArrayBuffer(State.end));

class TestPort implements X87Port {
  readonly operand = new DataView(new ArrayBuffer(128));
  memory: Uint8Array = new Uint8Array(16);
  flags = 0;
  ax = 0;
  readonly operand16 = false;
  readonly realFormat = false;
  readonly instructionPointer = 0n;
  readonly dataPointer = 0n;
  load(size: number): void {
    for (let i = 0; i < size; i++) this.operand.setUint8(i, this.memory[i]!);
  }
  store(size: number): void {
    for (let i = 0; i < size; i++) this.memory[i] = this.operand.getUint8(i);
  }
  checkStore(): void {
    // This memory may always be written.
  }
  arithmeticFlags(): number {
    return this.flags;
  }
  setCompareFlags(bits: number): void {
    this.flags = bits;
  }
  setAx(value: number): void {
    this.ax = value;
  }
}

const unit = new X87Unit(state);
const port = new TestPort();

/** What a case leaves. */
export interface Outcome {
  readonly fcw: number;
  readonly fsw: number;
  readonly ftw: number;
  /** ST(0) to ST(7), twenty hexadecimal digits each. */
  readonly registers: readonly string[];
  readonly operand: string;
  /** CF, PF and ZF. */
  readonly flags: number;
  readonly ax: number;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).reverse().toString('hex');
}

function outcome(image: Uint8Array, operand: Uint8Array, flags: number, ax: number): Outcome {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const registers: string[] = [];
  for (let i = 0; i < 8; i++) registers.push(hex(image.subarray(28 + i * 10, 38 + i * 10)));
  return {
    fcw: view.getUint16(0, true),
    fsw: view.getUint16(4, true),
    ftw: view.getUint16(8, true),
    registers,
    operand: hex(operand),
    flags: flags & 0x45,
    ax,
  };
}

/** Runs a case on the unit under test, between an FRSTOR and an FNSAVE as the native program does. */
export function runOurs(c: Case): Outcome {
  port.memory = c.bytes.slice(16, 124);
  unit.execute(0xdd, 0x26, port);
  port.memory = c.bytes.slice(124, 140);
  port.flags = c.view.getUint32(140, true) & 0x45;
  port.ax = 0;
  unit.execute(c.bytes[0]!, c.bytes[1]!, port);
  const operand = port.memory;
  port.memory = new Uint8Array(108);
  unit.execute(0xdd, 0x36, port);
  return outcome(port.memory, operand, port.flags, port.ax);
}

export function readNative(results: Uint8Array, index: number): Outcome {
  const at = index * caseSize;
  const view = new DataView(results.buffer, results.byteOffset + at, caseSize);
  return outcome(
    results.subarray(at, at + 108),
    results.subarray(at + 108, at + 124),
    view.getUint32(124, true),
    view.getUint16(128, true),
  );
}

/** F2XM1, FYL2X, FPTAN, FPATAN, FYL2XP1, FSINCOS, FSIN, FCOS: within one unit of the last place on real processors, with a C1 of their own. */
export function isTranscendental(opcode: number, modrm: number): boolean {
  return opcode === 0xd9 && [0xf0, 0xf1, 0xf2, 0xf3, 0xf9, 0xfb, 0xfe, 0xff].includes(modrm);
}

/** A register's value as an integer that grows by one from each number to the next, without the sign. */
function ordinal(register: string): bigint {
  const v = BigInt(`0x${register}`);
  return (((v >> 64n) & 0x7fffn) << 63n) | (v & 0x7fff_ffff_ffff_ffffn);
}

function close(a: string, b: string): boolean {
  if (a === b) return true;
  if (a[0]! >= '8' !== b[0]! >= '8') return false;
  const d = ordinal(a) - ordinal(b);
  return d === 1n || d === -1n;
}

/** What two outcomes differ in, as text for a failure; undefined where they agree as far as processors agree with each other. */
export function difference(c: Case, native: Outcome, ours: Outcome): string | undefined {
  const loose = isTranscendental(c.bytes[0]!, c.bytes[1]!) && (ours.fsw & 0x60) === 0x20;
  const fswMask = loose ? ~0x200 : ~0;
  const same =
    native.fcw === ours.fcw &&
    (native.fsw & fswMask) === (ours.fsw & fswMask) &&
    native.ftw === ours.ftw &&
    native.registers.every((r, i) => (loose && i < 2 ? close(r, ours.registers[i]!) : r === ours.registers[i])) &&
    native.operand === ours.operand &&
    native.flags === ours.flags &&
    native.ax === ours.ax;
  if (same) return undefined;
  const lines = [`${hex(c.bytes.subarray(0, 2))} case ${Buffer.from(c.bytes).toString('hex')}`];
  for (const key of ['fcw', 'fsw', 'ftw', 'flags', 'ax'] as const) {
    if (native[key] !== ours[key]) lines.push(`  ${key}: native ${native[key].toString(16)}, ours ${ours[key].toString(16)}`);
  }
  native.registers.forEach((r, i) => {
    if (r !== ours.registers[i]) lines.push(`  st${i}: native ${r}, ours ${ours.registers[i]}`);
  });
  if (native.operand !== ours.operand) lines.push(`  operand: native ${native.operand}, ours ${ours.operand}`);
  return lines.join('\n');
}

/** Ten bytes of an operand: special values, values near each other, and random bits. */
export function randomExtended(random: Random, into: Uint8Array, at: number): void {
  const view = new DataView(into.buffer, into.byteOffset);
  let exponent: number;
  switch (random.below(8)) {
    case 0:
      exponent = 0;
      break;
    case 1:
      exponent = 0x7fff;
      break;
    case 2:
      exponent = random.below(0x8000);
      break;
    case 3:
      exponent = random.pick([
        1,
        2,
        0x7ffe,
        0x7ffd,
        0x3fff + 127,
        0x3fff - 126,
        0x3fff - 149,
        0x3fff + 1023,
        0x3fff - 1022,
        0x3fff - 1074,
        0x3fff + 63,
      ]);
      break;
    default:
      exponent = 0x3fff - 34 + random.below(100);
  }
  let high = random.u32();
  let low = random.u32();
  switch (random.below(8)) {
    case 0:
      low = 0;
      high = 0;
      break;
    case 1:
      low = 0;
      high &= random.pick([0x8000_0000, 0xc000_0000, 0xff00_0000, 0xffff_ff80]);
      break;
    case 2:
      low &= random.pick([0xffff_f800, 0xffff_fc00, 0, 1, 0x400]);
      break;
    case 3:
      low = 0xffff_ffff;
      high = 0xffff_ffff;
      break;
  }
  if (exponent !== 0 ? !random.chance(24) : random.chance(4)) high |= 0x8000_0000;
  view.setUint32(at, low, true);
  view.setUint32(at + 4, high, true);
  view.setUint16(at + 8, exponent | (random.below(2) << 15), true);
}

/** Sixteen bytes of memory operand, plausible for the width that the instruction reads. */
export function randomOperand(random: Random, into: Uint8Array, at: number): void {
  const view = new DataView(into.buffer, into.byteOffset);
  switch (random.below(5)) {
    case 0:
      view.setFloat32(at, Math.fround((random.u32() / 2 ** 31 - 1) * 2 ** (random.below(260) - 150)), true);
      if (random.chance(4))
        view.setUint32(
          at,
          (random.pick([0, 0x7f80_0000, 0x8000_0000, 0xff80_0000]) | (random.chance(2) ? 0 : random.u32() & 0x7f_ffff)) >>> 0,
          true,
        );
      break;
    case 1:
      view.setFloat64(at, (random.u32() / 2 ** 31 - 1) * 2 ** (random.below(2100) - 1075), true);
      if (random.chance(4))
        view.setUint32(
          at + 4,
          (random.pick([0, 0x7ff0_0000, 0x8000_0000, 0xfff0_0000]) | (random.chance(2) ? 0 : random.u32() & 0xf_ffff)) >>> 0,
          true,
        );
      break;
    case 2:
      randomExtended(random, into, at);
      break;
    case 3:
      for (let i = 0; i < 9; i++) into[at + i] = (random.below(10) << 4) | random.below(10);
      into[at + 9] = random.pick([0, 0x80]);
      break;
    default:
      for (let i = 0; i < 10; i++) into[at + i] = random.below(256);
      if (random.chance(3)) view.setBigInt64(at, BigInt(random.below(2001) - 1000), true);
  }
}

/** A case with random registers, tags (mostly full), control word and operand; the status word has no exception set. */
export function randomCase(random: Random, opcode: number, modrm: number): Case {
  const c = newCase();
  // Memory forms use [rsi].
  c.bytes[0] = opcode;
  c.bytes[1] = modrm < 0xc0 ? (modrm & 0x38) | 6 : modrm;
  c.bytes[15] = 2;
  const masks = random.chance(3) ? random.below(64) : 0x3f;
  c.view.setUint16(16, 0x40 | masks | (random.pick([0, 2, 3, 3, 3, 1]) << 8) | (random.below(4) << 10), true);
  c.view.setUint16(20, (random.below(8) << 11) | (random.below(2) * 0x4000) | (random.below(8) << 8), true);
  let tags = 0;
  const style = random.below(8);
  for (let i = 0; i < 16; i += 2) if (style === 0 ? random.chance(2) : style < 3 ? random.chance(6) : false) tags |= 3 << i;
  // Instructions that push need room: ST(7) is empty in many cases.
  const top = (c.view.getUint16(20, true) >>> 11) & 7;
  if (random.chance(2)) tags |= 3 << (((top + 7) & 7) * 2);
  c.view.setUint16(24, tags, true);
  for (let i = 0; i < 8; i++) randomExtended(random, c.bytes, 16 + 28 + i * 10);
  if (random.chance(6)) c.bytes.copyWithin(16 + 38, 16 + 28, 16 + 38);
  randomOperand(random, c.bytes, 124);
  c.view.setUint32(140, random.u32() & 0x45, true);
  return c;
}
