/** Builds what is measured into a temporary folder: the nine workloads as a kernel and as a host program, and the kernels of our own beside them. */

import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Where bench.c, bare.c, boot.S, link.ld and host.c are. */
export const workloads = process.env['UNIKERNEL_WORKLOADS'] ?? path.resolve(__dirname, '../../../shared/bench/machine');

/** Why nothing can be built, or undefined. */
export function missing(): string | undefined {
  if (!existsSync(path.join(workloads, 'bench.c')))
    return `the workloads' sources are not in ${workloads}; UNIKERNEL_WORKLOADS names their folder`;
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore' });
  } catch {
    return 'gcc is not installed';
  }
  return undefined;
}

const freestanding =
  '-O2 -ffreestanding -fno-pic -fno-pie -no-pie -nostdlib -static -fno-stack-protector -fcf-protection=none -fno-math-errno'.split(' ');
const long = ['-DB64', '-mno-red-zone'];

function link(out: string, sources: readonly string[], flags: readonly string[] = [], target = long): string {
  execFileSync(
    'gcc',
    [...freestanding, ...target, ...flags, `-Wl,-T,${path.join(workloads, 'link.ld')}`, '-Wl,--build-id=none', '-o', out, ...sources],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  return out;
}

const shared = (name: string): string => path.join(workloads, name);
const own = (name: string): string => path.join(__dirname, name);

/** The nine workloads as a multiboot kernel. */
export const nine = (folder: string): string =>
  link(path.join(folder, 'nine.elf'), [shared('boot.S'), shared('bare.c'), shared('bench.c')]);

/** The same for i386 with SSE2, for machines that have no long mode. */
export const nine32 = (folder: string): string =>
  link(path.join(folder, 'nine32.elf'), [shared('boot.S'), shared('bare.c'), shared('bench.c')], [], ['-m32', '-msse2', '-mfpmath=sse']);

/** The same on 4 KiB pages whose frames are shuffled. */
export const scattered = (folder: string): string =>
  link(
    path.join(folder, 'scattered.elf'),
    [shared('boot.S'), shared('bare.c'), shared('bench.c'), own('scattered.c')],
    ['-Dkmain=bench_main'],
  );

/** System calls, interrupts, and half a megabyte of hot code. */
export function others(folder: string): string {
  const hot = path.join(folder, 'hot.c');
  writeFileSync(hot, hotCode(2048));
  return link(path.join(folder, 'others.elf'), [shared('boot.S'), own('others.c'), hot]);
}

export function host(folder: string): string {
  const out = path.join(folder, 'host');
  execFileSync('gcc', ['-O2', '-fno-math-errno', '-o', out, shared('host.c'), shared('bench.c'), '-lm']);
  return out;
}

/** `count` functions of some 24 instructions that call each other through a table, in an order that a generator of random numbers gives. */
function hotCode(count: number): string {
  let seed = 12345;
  const next = (): number => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0);
  const lines = ['typedef unsigned long u64;', 'extern u64 (*const table[])(u64, u64);'];
  for (let i = 0; i < count; i++) {
    lines.push(`__attribute__((noinline)) u64 f${i}(u64 a, u64 n) {`);
    for (let k = 0; k < 20; k++) {
      const [x, y] = [next() >>> 3, (next() >>> 8) % 31];
      lines.push([`a += ${x};`, `a ^= a >> ${y + 1};`, `a *= ${x | 1};`, `a -= a << ${(y % 7) + 1};`][next() >>> 30]!);
      lines.push('__asm__ volatile("" : "+r"(a));');
    }
    lines.push(`return n == 0 ? a : table[(a ^ ${next() >>> 4}) % ${count}](a, n - 1); }`);
  }
  lines.push(`u64 (*const table[])(u64, u64) = { ${Array.from({ length: count }, (_, i) => `f${i}`).join(', ')} };`);
  lines.push('u64 hot(u64 reps) { u64 t = 1; for (u64 i = 0; i < reps; i++) t = table[i % 2048](t, 4096); return t; }');
  return lines.join('\n');
}
