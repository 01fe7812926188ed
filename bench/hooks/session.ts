/**
 * What a trace costs in a session: the debug adapter as VS Code starts it, with the requests that the view of system calls sends while the guest runs.
 * `npx tsx bench/hooks/session.ts [--rounds N] [--seconds N] [--json]`, after `npm run build`. Loops of system calls run in two adapters in turns, one that traces
 * what sessions trace by default and one that does not; prints instructions per second of the machine's thread and per second, and by how much they are fewer with the trace.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from './client';
import { loops } from './loops';

const root = path.resolve(__dirname, '../..');
const image = path.join(root, 'dist/examples/hello/hello_qemu-x86_64');
const option = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const rounds = option('rounds', 8);
const seconds = option('seconds', 1);
/** Milliseconds between two looks of a view at a guest that runs, and rows that it shows. */
const viewInterval = 1000;
const viewRows = 60;

/** A session whose guest runs a loop in place of `main`, and stands. */
class Session {
  readonly #client = new Client(path.join(root, 'dist/adapter.js'));

  async must<T>(command: string, args?: unknown): Promise<T> {
    const response = await this.#client.request(command, args);
    if (response.success !== true) throw new Error(`${command}: ${response.message ?? ''}`);
    return response.body as T;
  }

  async start(loop: Uint8Array, trace: readonly string[]): Promise<this> {
    const { exceptionBreakpointFilters: filters } = await this.must<{
      exceptionBreakpointFilters: readonly { readonly filter: string; readonly default?: boolean }[];
    }>('initialize', { adapterID: 'unikernel' });
    await this.must('launch', { image, clock: 'skip', trace });
    await this.must('setFunctionBreakpoints', { breakpoints: [{ name: 'main' }] });
    await this.must('setExceptionBreakpoints', { filters: filters.filter((each) => each.default === true).map((each) => each.filter) });
    const stopped = this.#client.event('stopped');
    await this.must('configurationDone');
    await stopped;
    const { stackFrames } = await this.must<{ stackFrames: { instructionPointerReference: string }[] }>('stackTrace', {
      threadId: 1,
      levels: 1,
    });
    await this.must('setFunctionBreakpoints', { breakpoints: [] });
    const memoryReference = stackFrames[0]!.instructionPointerReference;
    await this.must('writeMemory', { memoryReference, data: Buffer.from(loop).toString('base64') });
    return this;
  }

  /** Lets the guest run for a while, with the view open. */
  async run(milliseconds: number): Promise<{ readonly instructions: number; readonly cpu: number; readonly wall: number }> {
    const before = await this.#position();
    const cpu = this.#busiest();
    const started = performance.now();
    await this.must('continue', { threadId: 1 });
    const look = (): Promise<unknown> => this.must('unikernel/traceRows', { filter: '', start: Number.MAX_SAFE_INTEGER, count: viewRows });
    const end = started + milliseconds;
    for (let left = milliseconds; left > 0; left = end - performance.now()) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(left, viewInterval)));
      await look();
    }
    const stopped = this.#client.event('stopped');
    await this.must('pause', { threadId: 1 });
    await stopped;
    const wall = (performance.now() - started) / 1000;
    return { instructions: (await this.#position()) - before, cpu: this.#busiest() - cpu, wall };
  }

  async #position(): Promise<number> {
    return Number((await this.must<{ position: string }>('unikernel/history')).position);
  }

  /** Seconds of processor time of the thread that has had most of it: the machine's. */
  #busiest(): number {
    const tasks = `/proc/${this.#client.pid}/task`;
    // Nanoseconds on a processor are the first number (proc(5)).
    const times = readdirSync(tasks).map((task) => Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e9);
    return Math.max(...times);
  }

  end(): void {
    this.#client.end();
  }
}

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1]!;

async function main(): Promise<void> {
  if (!existsSync(image)) throw new Error('The example is not built: npm run build, with a C compiler installed.');
  if (!existsSync('/proc/self/task')) throw new Error('Times of threads are read from /proc: this runs on Linux.');
  const results: Record<string, unknown> = {};
  for (const [name, loop] of Object.entries(loops)) {
    const sessions = [await new Session().start(loop, []), await new Session().start(loop, ['syscalls', 'tls'])];
    // Translated by then.
    for (const session of sessions) await session.run(3000);
    const speeds = sessions.map((): { cpu: number[]; wall: number[] } => ({ cpu: [], wall: [] }));
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < sessions.length; turn++) {
        const index = (turn + round) % sessions.length;
        const { instructions, cpu, wall } = await sessions[index]!.run(seconds * 1000);
        speeds[index]!.cpu.push(instructions / cpu / 1e6);
        speeds[index]!.wall.push(instructions / wall / 1e6);
      }
    }
    for (const session of sessions) session.end();
    const [plain, traced] = speeds as [(typeof speeds)[0], (typeof speeds)[0]];
    const ratios = (which: 'cpu' | 'wall'): { median: number; best: number } => ({
      median: median(plain[which].map((speed, round) => speed / traced[which][round]!)),
      best: Math.max(...plain[which]) / Math.max(...traced[which]),
    });
    const [cpu, wall] = [ratios('cpu'), ratios('wall')];
    results[name] = { cpu, wall };
    const text = ({ median: middle, best }: typeof cpu): string => `median ${middle.toFixed(3)}, of the best rounds ${best.toFixed(3)}`;
    console.log(
      `${name.padEnd(14)} processor time: ${text(cpu)}   wall: ${text(wall)}   (${median(plain.cpu).toFixed(0)} and ${median(traced.cpu).toFixed(0)} MIPS)`,
    );
  }
  if (process.argv.includes('--json')) console.log(JSON.stringify(results));
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
