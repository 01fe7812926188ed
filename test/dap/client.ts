/** A debug adapter client for tests: drives a session in this process over streams, keeps every message, and checks them against the protocol's schema. */
import assert from 'node:assert/strict';
import { access, readFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { type DebugProtocol } from '@vscode/debugprotocol';
import { type DebuggerEvent } from '../../debug-adapter/control/api';
import { type Channel, serve } from '../../debug-adapter/control/channel';
import { Debugger } from '../../debug-adapter/control/debugger';
import { launchedMachine } from '../../debug-adapter/control/launched-machine';
import { type AdapterHost } from '../../debug-adapter/dap/host';
import { runnerHost } from '../../debug-adapter/runner-host.node';
import { UnikernelDebugSession } from '../../debug-adapter/session';
import { FrameReader } from './frames';
import { validateMessage } from './schema';

export type Message = DebugProtocol.ProtocolMessage & Readonly<Record<string, unknown>>;

/** The debugger in this process, behind the same cloned messages as in a worker. */
const inProcessHost: AdapterHost = {
  readFile: async (path) => new Uint8Array(await readFile(path)),
  exists: (path) =>
    access(path).then(
      () => true,
      () => false,
    ),
  // What is installed here is not to change what tests see.
  debugFolders: [],
  startWorker: () => {
    const listeners: ((message: unknown) => void)[][] = [[], []];
    let open = true;
    const end = (own: number): Channel => ({
      post: (message) => {
        const copy: unknown = structuredClone(message);
        setImmediate(() => open && listeners[1 - own]!.forEach((listener) => listener(copy)));
      },
      onMessage: (listener) => void listeners[own]!.push(listener),
      close: () => undefined,
    });
    const events: { emit?: (event: DebuggerEvent) => void } = {};
    const served = new Debugger(launchedMachine, runnerHost, (event) => events.emit?.(event));
    events.emit = serve<DebuggerEvent>(end(1), served);
    return {
      channel: end(0),
      terminate: () => {
        open = false;
        return Promise.resolve(served.terminate());
      },
    };
  },
};

export class TestClient {
  readonly messages: Message[] = [];
  /** Milliseconds that an answer or event is waited for. */
  patience = 20_000;
  #seq = 1;
  readonly #frames = new FrameReader();
  #waiting: { accept(message: Message): boolean; resolve(message: Message): void }[] = [];
  readonly #toAdapter = new PassThrough();
  readonly #session: UnikernelDebugSession;

  constructor(host: AdapterHost = inProcessHost) {
    const fromAdapter = new PassThrough();
    this.#session = new UnikernelDebugSession(host);
    this.#session.setRunAsServer(true);
    this.#session.start(this.#toAdapter, fromAdapter);
    fromAdapter.on('data', (chunk: Buffer) => this.#receive(chunk));
  }

  /** Sends a request and answers its response, successful or not. A request that is wrong on purpose is not checked against the schema. */
  async request(command: string, args?: unknown, { wrong = false } = {}): Promise<DebugProtocol.Response> {
    const seq = this.#seq++;
    const request = { seq, type: 'request', command, ...(args === undefined ? {} : { arguments: args }) };
    if (!wrong) validateMessage(request);
    this.messages.push(request);
    const body = JSON.stringify(request);
    const response = this.#wait((message) => message.type === 'response' && message['request_seq'] === seq, `the response to ${command}`);
    this.writeRaw(body);
    return (await response) as unknown as DebugProtocol.Response;
  }

  /** Writes JSON that need not be a message. */
  writeRaw(json: string): void {
    this.#toAdapter.write(`Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`);
  }

  /** Sends a request that must succeed; answers its body. */
  async ok<T>(command: string, args?: unknown): Promise<T> {
    const response = await this.request(command, args);
    assert.ok(response.success, `${command}: ${response.message ?? ''} ${JSON.stringify(response.body)}`);
    return response.body as T;
  }

  /** Sends a request that must fail; answers the sentence shown to the user. */
  async fails(command: string, args?: unknown): Promise<string> {
    const response = await this.request(command, args);
    assert.ok(!response.success, `${command} succeeded`);
    return response.message ?? '';
  }

  /** The next event of this name from now on (or since `from`, an index into `messages`). */
  async event<T = Record<string, unknown>>(name: string, from = this.messages.length): Promise<T> {
    const isIt = (message: Message): boolean => message.type === 'event' && message['event'] === name;
    const past = this.messages.slice(from).find(isIt);
    const message = past ?? (await this.#wait(isIt, `the event ${name}`));
    return message['body'] as T;
  }

  /** Initializes and launches; the client may now set breakpoints. */
  async launch(args: Readonly<Record<string, unknown>>): Promise<void> {
    await this.ok('initialize', {
      adapterID: 'unikernel',
      linesStartAt1: true,
      columnsStartAt1: true,
      pathFormat: 'path',
      supportsVariableType: true,
      supportsMemoryReferences: true,
    });
    const from = this.messages.length;
    await this.ok('launch', { clock: 'skip', ...args });
    await this.event('initialized', from);
  }

  /** Runs a request that resumes the guest, and answers the next stop. */
  async untilStopped(command: string, args: unknown = { threadId: 1 }): Promise<DebugProtocol.StoppedEvent['body']> {
    const from = this.messages.length;
    await this.ok(command, args);
    return this.event<DebugProtocol.StoppedEvent['body']>('stopped', from);
  }

  async stack(): Promise<DebugProtocol.StackFrame[]> {
    return (await this.ok<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: 1 })).stackFrames;
  }

  async evaluate(expression: string, frameId?: number): Promise<string> {
    return (
      await this.ok<DebugProtocol.EvaluateResponse['body']>('evaluate', {
        expression,
        context: 'watch',
        ...(frameId === undefined ? {} : { frameId }),
      })
    ).result;
  }

  /** All output of one category so far. */
  output(category: string): string {
    return this.messages
      .filter((message) => message.type === 'event' && message['event'] === 'output')
      .map((message) => message['body'] as { readonly category?: string; readonly output: string })
      .filter((body) => body.category === category)
      .map((body) => body.output)
      .join('');
  }

  async close(): Promise<void> {
    await this.request('disconnect', {});
  }

  #wait(accept: (message: Message) => boolean, what: string): Promise<Message> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () =>
          reject(
            new Error(
              `Waited in vain for ${what}. Last messages:\n${this.messages
                .slice(-6)
                .map((message) => JSON.stringify(message))
                .join('\n')}`,
            ),
          ),
        this.patience,
      );
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
    for (const frame of this.#frames.read(chunk)) {
      const message = frame as Message;
      validateMessage(message);
      this.messages.push(message);
      const ready = this.#waiting.filter(({ accept }) => accept(message));
      this.#waiting = this.#waiting.filter((each) => !ready.includes(each));
      for (const each of ready) each.resolve(message);
    }
  }
}
