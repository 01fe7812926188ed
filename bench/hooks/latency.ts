/**
 * How fast the debug adapter answers while the guest spins in translated code: every request that may be asked then, from a client's pipe and back.
 * `npx tsx bench/hooks/latency.ts [--rounds N] [--json]`, after `npm run build`. Prints medians, 95th percentiles and maxima in milliseconds.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { Client } from './client';

const root = path.resolve(__dirname, '../..');
const image = path.join(root, 'dist/examples/hello/hello_qemu-x86_64');
const source = path.join(root, 'dist/examples/hello/library-pool/app/hello/main.c');
const at = process.argv.indexOf('--rounds');
const rounds = at < 0 ? 30 : Number(process.argv[at + 1]);
/** inc rax; jmp back. */
const spinLoop = 'SP/A6/s=';

async function main(): Promise<void> {
  if (!existsSync(image)) throw new Error('The example is not built: npm run build, with a C compiler installed.');
  const client = new Client(path.join(root, 'dist/adapter.js'));
  const must = async (command: string, args?: unknown): Promise<unknown> => {
    const response = await client.request(command, args);
    if (response.success !== true) throw new Error(`${command}: ${response.message ?? ''}`);
    return response.body;
  };
  await must('initialize', { adapterID: 'unikernel' });
  await must('launch', { image, clock: 'skip' });
  await must('setFunctionBreakpoints', { breakpoints: [{ name: 'main' }] });
  let stopped = client.event('stopped');
  await must('configurationDone');
  await stopped;
  const { stackFrames } = (await must('stackTrace', { threadId: 1, levels: 1 })) as {
    stackFrames: { instructionPointerReference: string }[];
  };
  const here = stackFrames[0]!.instructionPointerReference;
  await must('setFunctionBreakpoints', { breakpoints: [] });
  await must('writeMemory', { memoryReference: here, data: spinLoop });
  await must('continue', { threadId: 1 });
  // Translated by then.
  await new Promise((resolve) => setTimeout(resolve, 1500));

  /** Answers while the guest runs; those that need a guest that stands are refused, and that must be quick too. */
  const asked: readonly (readonly [command: string, args?: unknown])[] = [
    ['threads'],
    ['stackTrace', { threadId: 1 }],
    ['scopes', { frameId: 1 }],
    ['variables', { variablesReference: 1 }],
    ['evaluate', { expression: '$rip' }],
    ['completions', { text: 'mai', column: 4 }],
    ['readMemory', { memoryReference: here, count: 4096 }],
    ['disassemble', { memoryReference: here, instructionOffset: -200, instructionCount: 400, resolveSymbols: true }],
    ['setBreakpoints', { source: { path: source }, breakpoints: [{ line: 47 }, { line: 41 }] }],
    ['setBreakpoints', { source: { path: source }, breakpoints: [] }],
    ['breakpointLocations', { source: { path: source }, line: 1, endLine: 60 }],
    ['setFunctionBreakpoints', { breakpoints: [{ name: 'ukplat_terminate' }, { name: '/^uk_syscall_r_/' }] }],
    ['setFunctionBreakpoints', { breakpoints: [] }],
    ['setInstructionBreakpoints', { breakpoints: [{ instructionReference: '0x2000000' }] }],
    ['setDataBreakpoints', { breakpoints: [{ dataId: '0x2000000:8', accessType: 'write' }] }],
    ['setDataBreakpoints', { breakpoints: [] }],
    ['setExceptionBreakpoints', { filters: ['pf', 'panic', 'syscall'] }],
    ['setExceptionBreakpoints', { filters: [] }],
    ['exceptionInfo', { threadId: 1 }],
    ['modules'],
    ['loadedSources'],
    ['unikernel/threads'],
    ['unikernel/tls'],
    ['unikernel/syscalls'],
    ['unikernel/statistics'],
    ['unikernel/history'],
  ];
  const times = new Map<string, number[]>();
  const note = (name: string, started: number): void => {
    const list = times.get(name) ?? [];
    list.push(performance.now() - started);
    times.set(name, list);
  };
  for (let round = 0; round < rounds; round++) {
    for (const [command, args] of asked) {
      const started = performance.now();
      await client.request(command, args);
      note(command, started);
    }
    let started = performance.now();
    stopped = client.event('stopped');
    await must('pause', { threadId: 1 });
    await stopped;
    note('pause until stopped', started);
    started = performance.now();
    await must('continue', { threadId: 1 });
    note('continue', started);
  }
  client.end();
  const rows = [...times].map(([name, list]) => {
    const sorted = list.sort((a, b) => a - b);
    return { name, median: sorted[sorted.length >> 1]!, p95: sorted[Math.floor(sorted.length * 0.95)]!, max: sorted[sorted.length - 1]! };
  });
  console.log(`${'request'.padEnd(28)}  median     p95     max   (ms, ${rounds} rounds)`);
  for (const { name, median, p95, max } of rows)
    console.log(`${name.padEnd(28)}${median.toFixed(1).padStart(8)}${p95.toFixed(1).padStart(8)}${max.toFixed(1).padStart(8)}`);
  if (process.argv.includes('--json')) console.log(JSON.stringify(rows));
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
