/** The debug adapter as its users start it: the bundle on stdio and on a port, and the command line's sub-command. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Readable, type Writable } from 'node:stream';
import { type DebugProtocol } from '@vscode/debugprotocol';
import { kludgeImage } from '../unit/machine/images';
import { validateMessage } from './schema';

const dist = path.resolve(__dirname, '../../dist');
const patience = 20_000;
/** Milliseconds that an answer should take while the guest spins. Printed beside what it took; that an answer comes at all is what `patience` judges. */
const wanted = 50;

/** Reads and writes the protocol's frames over two streams. */
class Wire {
  #buffer = Buffer.alloc(0);
  #seq = 1;
  readonly #waiting: { accept(message: DebugProtocol.ProtocolMessage): boolean; resolve(message: DebugProtocol.ProtocolMessage): void }[] =
    [];

  constructor(
    from: Readable,
    private readonly to: Writable,
  ) {
    from.on('data', (chunk: Buffer) => this.#receive(chunk));
  }

  async request(command: string, args?: unknown): Promise<DebugProtocol.Response> {
    const seq = this.#seq++;
    const request = { seq, type: 'request', command, ...(args === undefined ? {} : { arguments: args }) };
    const answer = this.#wait(
      (message) => message.type === 'response' && (message as DebugProtocol.Response).request_seq === seq,
      `the response to ${command}`,
    );
    const json = JSON.stringify(request);
    this.to.write(`Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`);
    const response = (await answer) as DebugProtocol.Response;
    assert.ok(response.success, `${command}: ${response.message ?? ''}`);
    return response;
  }

  event(name: string): Promise<unknown> {
    return this.#wait((message) => message.type === 'event' && (message as DebugProtocol.Event).event === name, `the event ${name}`);
  }

  #wait(accept: (message: DebugProtocol.ProtocolMessage) => boolean, what: string): Promise<DebugProtocol.ProtocolMessage> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), patience);
      this.#waiting.push({
        accept,
        resolve: (message) => {
          clearTimeout(timer);
          resolve(message);
        },
      });
    });
  }

  #receive(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const header = /^Content-Length: (\d+)\r\n\r\n/.exec(this.#buffer.toString('latin1', 0, 64));
      const end = header === null ? Infinity : header[0].length + Number(header[1]);
      if (header === null || this.#buffer.length < end) return;
      const message = JSON.parse(this.#buffer.toString('utf8', header[0].length, end)) as DebugProtocol.ProtocolMessage;
      this.#buffer = this.#buffer.subarray(end);
      validateMessage(message);
      for (const each of this.#waiting.filter(({ accept }) => accept(message))) {
        this.#waiting.splice(this.#waiting.indexOf(each), 1);
        each.resolve(message);
      }
    }
  }
}

describe('debug adapter: as a process', () => {
  const children: ChildProcess[] = [];
  let folder: string;
  let spinner: string;

  before(function () {
    const missing = ['adapter.js', 'worker.js', 'cli.js'].filter((file) => !existsSync(path.join(dist, file)));
    if (missing.length > 0) {
      console.log(`      skipped: dist has no ${missing.join(', ')}; run \`npm run build\``);
      this.skip();
    }
    folder = mkdtempSync(path.join(tmpdir(), 'adapter-'));
    spinner = path.join(folder, 'spinner');
    // jmp .
    writeFileSync(spinner, kludgeImage(Uint8Array.of(0xeb, 0xfe)));
  });

  after(() => {
    for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  const start = (
    script: string,
    ...args: readonly string[]
  ): { child: ChildProcess; exit: Promise<number | null>; errors: () => string } => {
    const child = spawn(process.execPath, [path.join(dist, script), ...args], { stdio: 'pipe' });
    children.push(child);
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
    return { child, exit: new Promise((resolve) => child.on('exit', resolve)), errors: () => text };
  };

  /** Launches the spinning guest, measures answers, stops it, and goes. */
  const session = async (wire: Wire, what: string): Promise<void> => {
    await wire.request('initialize', { adapterID: 'unikernel' });
    const initialized = wire.event('initialized');
    await wire.request('launch', { image: spinner });
    await initialized;
    await wire.request('configurationDone');
    const times: number[] = [];
    for (let i = 0; i < 20; i++) {
      const from = performance.now();
      await wire.request('readMemory', { memoryReference: '0x100020', count: 2 });
      times.push(performance.now() - from);
    }
    const from = performance.now();
    const stopped = wire.event('stopped');
    await wire.request('pause', { threadId: 1 });
    await stopped;
    const pause = performance.now() - from;
    times.sort((a, b) => a - b);
    console.log(
      `      ${what}: answers while the guest spins: median ${times[10]!.toFixed(1)} ms, slowest ${times[19]!.toFixed(1)} ms; pause ${pause.toFixed(1)} ms (aim: ${wanted} ms)`,
    );
    await wire.request('stackTrace', { threadId: 1 });
    await wire.request('continue', { threadId: 1 });
    await wire.request('disconnect');
  };

  const ended = async (exit: Promise<number | null>): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('the process did not end')), patience);
    });
    assert.equal(await Promise.race([exit, late]), 0);
    clearTimeout(timer);
  };

  /** Waits for the line that tells the port, and connects. */
  const dial = async (child: ChildProcess, errors: () => string): Promise<Socket> => {
    for (let waited = 0; !/port \d+/.test(errors()) && waited < patience && child.exitCode === null; waited += 20)
      await new Promise((resolve) => setTimeout(resolve, 20));
    const port = Number(/port (\d+)/.exec(errors())?.[1]);
    assert.ok(port > 0, `no port was told: ${errors()}`);
    return connect(port, '127.0.0.1');
  };

  it('serves one session on stdin and stdout, and ends with it', async () => {
    const { child, exit, errors } = start('adapter.js');
    await session(new Wire(child.stdout!, child.stdin!), 'adapter.js on stdio');
    await ended(exit);
    assert.equal(errors(), '');
  });

  it('ends when its client goes without a word', async () => {
    const { child, exit } = start('adapter.js');
    const wire = new Wire(child.stdout!, child.stdin!);
    await wire.request('initialize', { adapterID: 'unikernel' });
    await wire.request('launch', { image: spinner });
    await wire.request('configurationDone');
    child.stdin!.end();
    await ended(exit);
  });

  for (const [script, ...args] of [
    ['adapter.js', '--server=0'],
    ['cli.js', 'dap', '--server', '0'],
  ] as const)
    it(`serves session after session on a port: ${script} ${args.join(' ')}`, async () => {
      const { child, exit, errors } = start(script, ...args);
      for (const round of ['first', 'second']) {
        const socket = await dial(child, errors);
        await session(new Wire(socket, socket), `${script}, ${round} session on a port`);
        socket.end();
      }
      assert.equal(child.exitCode, null, errors());
      child.kill('SIGTERM');
      await exit;
    });

  it('serves one session on stdio as `unikernel dap`', async () => {
    const { child, exit, errors } = start('cli.js', 'dap');
    await session(new Wire(child.stdout!, child.stdin!), 'unikernel dap');
    await ended(exit);
    assert.equal(errors(), '');
  });

  it('says what is wrong with a port', async () => {
    const { exit, errors } = start('adapter.js', '--server=here');
    assert.equal(await exit, 1);
    assert.match(errors(), /--server takes a port from 0 to 65535, not "here"/);
  });
});
