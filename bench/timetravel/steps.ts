/**
 * How soon a session answers a step back: the first one after a stop and those after it, by instruction, line, and over or out of calls.
 * `npx tsx bench/timetravel/steps.ts [IMAGE] [--symbols FILE] [--initrd FILE] [--append TEXT] [--at FUNCTION] [--rest MS] [--steps N] [--only KIND] [--json]`, after `npm run build`. Each kind has a session of its
 * own, which stops in FUNCTION (`main`), rests for MS milliseconds, as a user does who looks at the stop, and steps back N times.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { Client } from '../hooks/client';

const root = path.resolve(__dirname, '../..');
const text = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};
const steps = Number(text('steps') ?? 10);
const rest = Number(text('rest') ?? 0);
const at = text('at') ?? 'main';
const given = process.argv[2];
const image = given === undefined || given.startsWith('--') ? path.join(root, 'dist/examples/hello/hello_qemu-x86_64') : given;

/** Requests by what they are called in the result. */
const kinds: readonly (readonly [name: string, command: string, args: Readonly<Record<string, unknown>>])[] = [
  ['instruction', 'stepBack', { granularity: 'instruction' }],
  ['line', 'stepBack', { granularity: 'line' }],
  ['reverse next', 'unikernel/reverseNext', {}],
  ['reverse out', 'unikernel/reverseOut', {}],
];

class Session {
  readonly #client = new Client(path.join(root, 'dist/adapter.js'));

  async must(command: string, args?: unknown): Promise<unknown> {
    const response = await this.#client.request(command, args);
    if (response.success !== true) throw new Error(`${command}: ${response.message ?? ''}`);
    return response.body;
  }

  /** Runs to the function. */
  async start(): Promise<void> {
    await this.must('initialize', { adapterID: 'unikernel' });
    const options = Object.fromEntries(
      [
        ['symbols', text('symbols')],
        ['initrd', text('initrd')],
        ['cmdline', text('append')],
      ].filter(([, value]) => value !== undefined),
    ) as Record<string, string>;
    await this.must('launch', { image, clock: 'skip', ...options });
    await this.must('setFunctionBreakpoints', { breakpoints: [{ name: at }] });
    const stopped = this.#client.event('stopped');
    await this.must('configurationDone');
    await stopped;
  }

  /** Milliseconds until the guest stands again. */
  async step(command: string, args: Readonly<Record<string, unknown>>): Promise<number> {
    const stopped = this.#client.event('stopped');
    const started = performance.now();
    await this.must(command, { threadId: 1, ...args });
    await stopped;
    return performance.now() - started;
  }

  async position(): Promise<string> {
    return ((await this.must('unikernel/history')) as { position: string }).position;
  }

  async end(): Promise<void> {
    await this.must('disconnect');
    this.#client.end();
  }
}

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] ?? NaN;
const round = (value: number): number => Math.round(value * 10) / 10;

async function main(): Promise<void> {
  if (!existsSync(image)) throw new Error(`There is no ${image}: npm run build makes the example, with a C compiler installed.`);
  const results: Record<string, unknown> = {};
  const only = text('only');
  for (const [name, command, args] of kinds.filter(([kind]) => only === undefined || kind === only)) {
    const session = new Session();
    await session.start();
    const from = await session.position();
    await new Promise((resolve) => setTimeout(resolve, rest));
    const times: number[] = [];
    for (let i = 0; i < steps; i++) times.push(await session.step(command, args));
    const [first = NaN, ...later] = times;
    results[name] = { firstMs: round(first), laterMedianMs: round(median(later)), laterWorstMs: round(Math.max(...later)) };
    console.log(
      `${name.padEnd(14)} first ${round(first)} ms, later ${round(median(later))} ms in the median, ${round(Math.max(...later))} at most   (instruction ${from} to ${await session.position()})`,
    );
    await session.end();
  }
  if (process.argv.includes('--json')) console.log(JSON.stringify(results));
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
