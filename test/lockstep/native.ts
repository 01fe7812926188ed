/** The oracle's side of the lock-step tests: builds `native.c` with the host's compiler and sends it batches of cases. */

import { execFileSync, spawn, type ChildProcessByStdio } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Readable, type Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';

/** Linear addresses that both sides map: data (two writable pages and a read-only one, nothing around them) and code (two pages). */
export const Area = {
  data: 0x1000_0000,
  dataWritable: 0x2000,
  dataSize: 0x3000,
  code: 0x2000_0000,
  codeSize: 0x2000,
  /** The part of the data that a case sets and gets back: it lies across the first page boundary. */
  window: 0xf80,
  windowSize: 256,
} as const;

/** Byte offsets in a case and in a result, both 1024 bytes; as `struct image` of native.c. */
export const Image = {
  size: 1024,
  id: 0,
  codeLength: 4,
  run: 5,
  codeOffset: 6,
  code: 8,
  maxCode: 64,
  trap: 4,
  signal: 8,
  error: 12,
  cr2: 16,
  rip: 24,
  rflags: 72,
  gpr: 80,
  /** An FXSAVE image (SDM vol. 1, table 10-2). */
  fx: 208,
  mxcsr: 208 + 24,
  st: 208 + 32,
  xmm: 208 + 160,
  fsBase: 720,
  gsBase: 728,
  window: 736,
  stray: 992,
  strayOffset: 996,
  strayBytes: 1000,
} as const;

/** `Image.run` bits. */
export const Run = { toEnd: 1, compatibility: 2 } as const;

/** What the data pages hold outside of the window, by offset. */
export const patternByte = (offset: number): number => Math.imul(offset, 2654435761) >>> 24;

/** Why the oracle cannot run here, or undefined where it can. */
export function oracleMissing(): string | undefined {
  if (arch() !== 'x64' || process.platform !== 'linux') return `the oracle needs Linux on x86-64, this is ${process.platform} on ${arch()}`;
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore' });
  } catch {
    return 'the oracle needs gcc on the PATH';
  }
  return undefined;
}

/** Compiles native.c once for each version of its text; answers the program's path. */
function compile(): string {
  const source = join(import.meta.dirname, 'native.c');
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const folder = join(tmpdir(), 'unikernel-workbench-oracle');
  const program = join(folder, `native-${hash}`);
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const fresh = `${program}.${process.pid}`;
  execFileSync('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-fno-stack-protector', '-mno-red-zone', '-Wl,-z,now', '-o', fresh, source], {
    stdio: 'pipe',
  });
  renameSync(fresh, program);
  return program;
}

/** RSP among the general registers, and what a single step ends with. */
const stackPointer = 4;
const debugTrap = 1;
const repeatPrefix = 0xf3;
const allOnes = 0xffff_ffff_ffff_ffffn;
const lowerHalf = 0x7fff_ffff_ffffn;

/** A case of one instruction with these registers, all else as a program begins. */
function plainCase(code: Uint8Array, registers: Readonly<Record<number, bigint>>): Buffer {
  const image = Buffer.alloc(Image.size);
  image.writeUInt8(code.length, Image.codeLength);
  image.set(code, Image.code);
  image.writeBigUInt64LE(0x202n, Image.rflags);
  for (const [register, value] of Object.entries(registers)) image.writeBigUInt64LE(value, Image.gpr + Number(register) * 8);
  image.writeUInt16LE(0x37f, Image.fx);
  image.writeUInt32LE(0x1f80, Image.mxcsr);
  return image;
}

/**
 * The register that a WRGSBASE writes GS.base from, or undefined for other instructions: F3, among other prefixes, and [REX] 0F AE /3 (SDM vol. 2D). A REX
 * prefix counts only where it stands last.
 */
function writtenBase(code: Uint8Array): number | undefined {
  const found = /^(?:26|2e|36|3e|6[4-7]|f[023]|4[0-9a-f])*?(?:4([0-9a-f]))?0faed([89a-f])$/.exec(Buffer.from(code).toString('hex'));
  if (found === null || !code.includes(repeatPrefix)) return undefined;
  const extension = found[1] === undefined ? 0 : (parseInt(found[1], 16) & 1) * 8;
  return (parseInt(found[2]!, 16) & 7) + extension;
}

/** Times that a case which differs is run again, after a pause that doubles from 1 ms; and how long all pauses of an oracle may take, in ms. */
const repeats = 10;
const longestPauses = 20_000;
/** Of one batch; as BATCH of native.c. */
const mostCases = 4096;

/** A running oracle. */
export class Oracle {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  /** What has arrived of the answer that is waited for. */
  readonly #answer = Buffer.alloc(mostCases * Image.size);
  #have = 0;
  #waiting: { readonly bytes: number; readonly resolve: (data: Buffer) => void; readonly reject: (why: Error) => void } | undefined;
  #ended: string | undefined;
  /** Paravirtualised kernels (KVM's pvm) answer #GP to a return to a stack that is not canonical, which processors do not look at. */
  #anyStack = true;
  #keepsBases = true;
  #paused = 0;
  /** Cases that differed once, and not again. */
  unsteady = 0;

  constructor() {
    this.#process = spawn(compile(), [], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#process.stdout.on('data', (chunk: Buffer) => {
      this.#have += chunk.copy(this.#answer, this.#have);
      const waiting = this.#waiting;
      if (waiting === undefined || this.#have < waiting.bytes) return;
      this.#waiting = undefined;
      waiting.resolve(this.#answer.subarray(0, waiting.bytes));
    });
    this.#process.stdin.on('error', () => undefined);
    this.#process.on('exit', (code, signal) => {
      this.#ended = `the oracle ended (${signal ?? `status ${code}`})`;
      this.#waiting?.reject(new Error(this.#ended));
    });
  }

  /** Finds out what this host leaves out; to be called before the first run. */
  async begin(): Promise<this> {
    const high = { [stackPointer]: 1n << 63n };
    this.#anyStack = (await this.run(plainCase(Uint8Array.of(0x90), high))).readUInt32LE(Image.trap) === debugTrap;
    if (!this.#anyStack) console.log('      this host enters no program whose RSP is not canonical: those have others');
    const writeBase = Uint8Array.of(0xf3, 0x48, 0x0f, 0xae, 0xd8);
    this.#keepsBases = (await this.run(plainCase(writeBase, { 0: allOnes }))).readBigUInt64LE(Image.gsBase) === allOnes;
    if (!this.#keepsBases) console.log('      this host loses a GS.base in the upper half: WRGSBASE writes others');
    return this;
  }

  /** Changes cases that stand one after another to such as this host can run. */
  fit(cases: Buffer): void {
    for (let at = 0; at < cases.length; at += Image.size) {
      const stack = at + Image.gpr + stackPointer * 8;
      if (!this.#anyStack) cases.writeBigUInt64LE(BigInt.asUintN(64, BigInt.asIntN(48, cases.readBigUInt64LE(stack))), stack);
      const base = this.#keepsBases
        ? undefined
        : writtenBase(cases.subarray(at + Image.code, at + Image.code + cases[at + Image.codeLength]!));
      if (base === undefined) continue;
      const register = at + Image.gpr + base * 8;
      cases.writeBigUInt64LE(cases.readBigUInt64LE(register) & lowerHalf, register);
    }
  }

  /** Runs at most 4096 cases that stand one after another; the result has as many bytes, and holds until the next run. */
  run(cases: Uint8Array): Promise<Buffer> {
    if (this.#ended !== undefined) return Promise.reject(new Error(this.#ended));
    if (this.#waiting !== undefined || cases.length > this.#answer.length)
      return Promise.reject(new Error('one batch at a time, of 4096 cases at most'));
    this.#have = 0;
    const count = Buffer.alloc(4);
    count.writeUInt32LE(cases.length / Image.size);
    return new Promise((resolve, reject) => {
      this.#waiting = { bytes: cases.length, resolve, reject };
      this.#process.stdin.write(count);
      this.#process.stdin.write(cases);
    });
  }

  /**
   * What of a case differs whenever the processor runs it: under paravirtualised kernels a program that another one interrupts now and then goes on without what
   * it had loaded, such as FS.base, and at times for a while.
   * @param check what differs from a result.
   */
  async always(one: Buffer, check: (expected: Buffer) => readonly string[]): Promise<readonly string[]> {
    let differences: readonly string[] = [];
    for (let i = 0; i < repeats; i++) {
      differences = check(await this.run(one));
      if (differences.length === 0) {
        this.unsteady++;
        break;
      }
      const pause = 2 ** i;
      if (this.#paused + pause > longestPauses) continue;
      this.#paused += pause;
      await setTimeout(pause);
    }
    return differences;
  }

  close(): void {
    this.#process.stdin.end();
    if (this.unsteady > 0) console.log(`      ${this.unsteady} times this host did otherwise when it was asked again`);
  }
}
