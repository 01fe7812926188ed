/** Random requests in random order, with arguments that are right, wrong or absurd: each is answered once, and the adapter goes on. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { kludgeImage } from '../unit/machine/images';
import { type Message, TestClient } from './client';
import { image as example, mainSource } from './golden';

const total = Number(process.env['FUZZ'] ?? 1500);
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const perSession = 200;
const mostOpen = 20;
/** Requests of a long run between two words of how far it is. */
const wordEvery = 20_000;

/** Mulberry32. */
function generator(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Fuzzer {
  readonly #random: () => number;
  /** What responses named, to be asked for again. */
  readonly #references: number[] = [1, 2, 3];
  readonly #addresses: string[] = ['0x100020', '0x0', '0x7f0000000000', '0xffffffffffffffff'];

  constructor(
    seed: number,
    private readonly images: readonly string[],
  ) {
    this.#random = generator(seed);
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  learn(message: Message): void {
    const text = JSON.stringify(message['body'] ?? {});
    for (const match of text.matchAll(/"variablesReference":(\d+)/g)) if (match[1] !== '0') this.#references.push(Number(match[1]));
    for (const match of text.matchAll(/"(?:memory|instruction|instructionPointer)Reference":"(0x[0-9a-f]+)"/g))
      this.#addresses.push(match[1]!);
    this.#references.splice(0, this.#references.length - 200);
    this.#addresses.splice(0, this.#addresses.length - 50);
  }

  request(): [command: string, args: unknown] {
    const templates = this.#templates();
    let command = this.chance(0.02)
      ? this.pick(['', 'toString', '__proto__', 'runInTerminal', 'startDebugging', 'event'])
      : this.pick(Object.keys(templates));
    // They take a hundred times as long as the others.
    if ((command === 'launch' || command === 'restart') && this.chance(0.8)) command = 'pause';
    let args = templates[command];
    if (this.chance(0.4)) args = this.#spoil(args, 0);
    // A launch with what another field allows could ask for gigabytes.
    if ((command === 'launch' || command === 'restart') && JSON.stringify(args ?? {}).includes('memory'))
      args = { image: this.pick(this.images) };
    return [command, args];
  }

  #number(): unknown {
    return this.pick([0, 1, 2, 5, 28, 30, 99, -1, 1.5, 2 ** 31 - 1, 2 ** 31, 2 ** 53, -(2 ** 53), 1e300, -0, 4096, 100_000]);
  }

  #text(): string {
    return this.pick([
      '',
      ' ',
      'main',
      '$rip',
      'x'.repeat(5000),
      '\u0000',
      '{',
      '/',
      '🙂',
      '0x',
      '[0]',
      '-1',
      'line',
      '('.repeat(3000),
      '%s',
      'argc',
    ]);
  }

  #junk(): unknown {
    return this.pick<() => unknown>([
      () => this.#number(),
      () => this.#text(),
      () => null,
      () => true,
      () => [],
      () => ({}),
      () => [[[]]],
      () => [null],
      () => ({ a: { b: [1] } }),
      () => undefined,
    ])();
  }

  /** Somewhere in the arguments something is replaced, dropped or added. */
  #spoil(value: unknown, depth: number): unknown {
    if (depth > 3 || typeof value !== 'object' || value === null || this.chance(0.15)) return this.#junk();
    if (Array.isArray(value)) {
      if (value.length === 0 || this.chance(0.2)) return [...(value as unknown[]), this.#junk()];
      const at = this.below(value.length);
      return value.map((each: unknown, index) => (index === at ? this.#spoil(each, depth + 1) : each));
    }
    const keys = Object.keys(value);
    if (keys.length === 0 || this.chance(0.1))
      return { ...value, [this.pick(['line', 'format', 'extra', '__proto__', 'length'])]: this.#junk() };
    const key = this.pick(keys);
    const { [key]: old, ...rest } = value as Record<string, unknown>;
    return this.chance(0.25) ? rest : { ...rest, [key]: this.#spoil(old, depth + 1) };
  }

  #expression(): string {
    const atoms = [
      'argc',
      'argv',
      'line',
      'i',
      '$rip',
      '$rsp',
      '$xmm0',
      '$st0',
      '0',
      '1',
      '-1',
      '0x7fffffffffffffff',
      '1.5',
      '"a"',
      "'x'",
      'main',
      'nobody',
      '(char)1',
    ];
    const operators = [
      '+',
      '-',
      '*',
      '/',
      '%',
      '<<',
      '>>',
      '&',
      '|',
      '^',
      '==',
      '<',
      '&&',
      '||',
      '=',
      '+=',
      '.',
      '->',
      ',',
      '?',
      '[',
      ']',
      '(',
      ')',
      '::',
    ];
    let text = this.pick(atoms);
    for (let n = this.below(4); n > 0; n--) {
      const shape = this.below(6);
      if (shape < 3) text = `${text} ${this.pick(operators)} ${this.pick(atoms)}`;
      else if (shape === 3) text = `${this.pick(['*', '&', '-', '!', '~', '(char *)', '(int)', 'sizeof ', '(long[1000000])'])}${text}`;
      else if (shape === 4) text = `(${text})[${this.pick(atoms)}]`;
      else text = `${text},${this.pick(['x', 'd', 'c', 's', 'b', 'a', '5', '[3]', '999999999', 'q'])}`;
    }
    return text;
  }

  #templates(): Readonly<Record<string, unknown>> {
    const reference = this.pick(this.#references);
    const memoryReference = this.pick(this.#addresses);
    const frameId = this.pick([1, 2, 3, 0, 50]);
    const expression = this.#expression();
    const options = {
      ...(this.chance(0.3) ? { condition: this.#expression() } : {}),
      ...(this.chance(0.3) ? { hitCondition: this.pick(['1', '> 2', '% 3', '%0', 'x', '= 99999999999999999999']) } : {}),
      ...(this.chance(0.3) ? { logMessage: this.pick(['{argc}', '{', '{}', '\\{', `{${this.#expression()}}`]) } : {}),
    };
    const step = {
      threadId: this.pick([1, 0, 7]),
      granularity: this.pick(['statement', 'line', 'instruction']),
      ...(this.chance(0.2) ? { singleThread: true } : {}),
    };
    return {
      initialize: { adapterID: 'x', linesStartAt1: this.chance(0.9), columnsStartAt1: true },
      launch: {
        image: this.pick(this.images),
        clock: 'skip',
        stopOnEntry: this.chance(0.5),
        trace: this.pick([[], ['syscalls', 'tls', 'interrupts']]),
      },
      restart: this.pick([undefined, {}, { arguments: { image: this.pick(this.images) } }]),
      configurationDone: undefined,
      terminate: this.chance(0.05) ? {} : 5,
      cancel: this.pick([{ requestId: this.below(300) }, { progressId: 'progress-1' }]),
      setBreakpoints: { source: { path: mainSource }, breakpoints: [{ line: this.below(60), ...options }, { line: 28 }] },
      setFunctionBreakpoints: {
        breakpoints: [{ name: this.pick(['main', '/^run/', '/(/', '/u/', 'hello:main', ':', '', '//']), ...options }],
      },
      setInstructionBreakpoints: { breakpoints: [{ instructionReference: memoryReference, offset: this.pick([0, 1, -5]), ...options }] },
      setExceptionBreakpoints: {
        filters: [this.pick(['pf', 'gp', 'none', 'panic', 'tls'])],
        filterOptions: [
          {
            filterId: this.pick(['ud', 'syscall', 'syscall-return', 'irq', 'enosys']),
            condition: this.pick([expression, 'write', 'openat,-ENOENT', '32']),
          },
        ],
      },
      dataBreakpointInfo: {
        name: this.pick(['argc', 'line', '[1]', memoryReference, expression]),
        variablesReference: reference,
        frameId,
        bytes: 8,
        asAddress: this.chance(0.3),
      },
      setDataBreakpoints: {
        breakpoints: [
          {
            dataId: this.pick([`${memoryReference}:${this.pick([1, 4, 8, 4096])}`, '$fs_base', '$cr3', '$nothing']),
            mode: this.pick(['', 'once', 'change', 'x']),
            accessType: this.pick(['read', 'write', 'readWrite']),
            ...options,
          },
        ],
      },
      breakpointLocations: { source: { path: mainSource }, line: this.below(60), endLine: this.below(60) },
      continue: { threadId: 1 },
      pause: { threadId: 1 },
      next: step,
      stepIn: { ...step, ...(this.chance(0.3) ? { targetId: this.below(8) } : {}) },
      stepInTargets: { frameId },
      gotoTargets: { source: { path: mainSource }, line: this.below(60), column: this.below(9) },
      goto: { threadId: this.pick([1, 7]), targetId: this.below(8) },
      restartFrame: { frameId },
      terminateThreads: { threadIds: [1] },
      source: { source: { path: this.pick([mainSource, '/etc/passwd']) }, sourceReference: 0 },
      locations: { locationReference: this.below(40) },
      stepBack: step,
      reverseContinue: { threadId: 1 },
      attach: this.pick([{}, { image: this.pick(this.images), session: mainSource }]),
      stepOut: step,
      threads: undefined,
      stackTrace: { threadId: 1, startFrame: this.below(4), levels: this.below(4) },
      scopes: { frameId },
      variables: {
        variablesReference: reference,
        filter: this.pick(['indexed', 'named']),
        start: this.below(10),
        count: this.below(10),
        format: { hex: true },
      },
      setVariable: {
        variablesReference: reference,
        name: this.pick(['argc', 'rax', 'rip', 'rsp', 'cr3', 'CF', '[0]', 'xmm1', 'st1', 'cs', 'efer']),
        value: this.pick(['1', '-1', '0x10', '1e5', 'nan', expression]),
      },
      evaluate: {
        expression: this.chance(0.2)
          ? this.pick(['when', 'info tlb', 'info pt $rsp', 'trace write', 'checkpoint a', 'seek a', 'seek 100', 'help'])
          : expression,
        frameId,
        context: this.pick(['watch', 'repl', 'hover']),
        format: { hex: this.chance(0.5) },
      },
      setExpression: { expression, value: this.#expression(), frameId },
      completions: { text: expression, column: this.below(20), frameId },
      exceptionInfo: { threadId: 1 },
      readMemory: { memoryReference, offset: this.pick([0, 1, -1, 4095]), count: this.pick([0, 16, 5000, 2_000_000]) },
      writeMemory: { memoryReference, data: this.pick(['AAAA', '', 'zz', 'kJA=']), allowPartial: this.chance(0.5) },
      disassemble: {
        memoryReference,
        instructionOffset: this.pick([0, -200, 50, -5000]),
        instructionCount: this.pick([0, 1, 400, 2000]),
        resolveSymbols: true,
      },
      modules: { startModule: 0, moduleCount: 5 },
      loadedSources: {},
      'unikernel/consoleInput': { text: 'hello\n' },
      'unikernel/statistics': undefined,
    };
  }
}

describe('debug adapter: random requests', () => {
  it(`are each answered once (SEED=${seed} FUZZ=${total})`, async function () {
    this.timeout(Math.max(120_000, total * 60));
    const folder = mkdtempSync(path.join(tmpdir(), 'fuzz-'));
    const spinner = path.join(folder, 'spinner');
    writeFileSync(spinner, kludgeImage(Uint8Array.of(0xeb, 0xfe)));
    const images = existsSync(example) ? [example, example, spinner] : [spinner];
    if (images.length === 1) console.log('      over a spinning image only: dist/examples/hello is not built');
    const rejections: unknown[] = [];
    const note = (reason: unknown): void => void rejections.push(reason);
    process.on('unhandledRejection', note);
    const outcomes = { succeeded: 0, failed: 0 };
    const internal = new Map<string, string>();
    let reached = '';
    try {
      for (let done = 0, session = 0; done < total; done += perSession, session++) {
        const fuzzer = new Fuzzer(seed + session, images);
        reached = `SEED=${seed + session} FUZZ=${perSession}, after ${done} answered before`;
        const client = new TestClient();
        // A long run shares the host with others.
        if (total > wordEvery) client.patience = 180_000;
        if (done > 0 && done % wordEvery === 0) console.log(`      ${done} answered, up to SEED=${seed + session}`);
        const open = new Set<Promise<unknown>>();
        if (fuzzer.chance(0.9)) await client.launch({ image: fuzzer.pick(images), stopOnEntry: fuzzer.chance(0.5), trace: [] });
        for (let n = 0; n < Math.min(perSession, total - done); n++) {
          if (fuzzer.chance(0.01))
            client.writeRaw(fuzzer.pick(['null', '5', '[]', '{}', '"x"', '{"type":"response"}', '{"type":"event","event":"x"}']));
          const [command, args] = fuzzer.request();
          const answer = client.request(command, args, { wrong: true }).then((response) => {
            outcomes[response.success ? 'succeeded' : 'failed']++;
            fuzzer.learn(response as unknown as Message);
            const error = (response.body as { error?: { id: number } } | undefined)?.error;
            if (error?.id === 1000) internal.set(response.message ?? '', `${command} ${JSON.stringify(args)?.slice(0, 300)}`);
            open.delete(answer);
          });
          open.add(answer);
          if (open.size >= mostOpen || fuzzer.chance(0.3)) await Promise.all(open);
        }
        await Promise.all(open);
        await client.request('disconnect', {});
        const answered = client.messages.filter((message) => message.type === 'response').map((message) => message['request_seq']);
        assert.equal(new Set(answered).size, answered.length, `session ${session}: a request was answered twice`);
        assert.equal(answered.length, client.messages.filter((message) => message.type === 'request').length, `session ${session}`);
      }
    } catch (error) {
      console.log(`      failed in the session of ${reached}`);
      throw error;
    } finally {
      process.off('unhandledRejection', note);
      rmSync(folder, { recursive: true });
    }
    console.log(`      ${outcomes.succeeded} succeeded, ${outcomes.failed} failed with a sentence`);
    assert.deepEqual(rejections, []);
    assert.deepEqual([...internal], [], 'internal errors: a sentence for people is missing');
    assert.ok(outcomes.succeeded > total / 20 && outcomes.failed > total / 20, 'the requests are too right or too wrong to show anything');
  });
});
