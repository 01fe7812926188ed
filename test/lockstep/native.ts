/** The oracle's side of the lock-step tests: builds `native.c` with the host's compiler and sends it batches of cases. */

import { execFileSync, spawn, type ChildProcessByStdio } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Readable, type Writable } from 'node:stream';

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

  close(): void {
    this.#process.stdin.end();
  }
}
