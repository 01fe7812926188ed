/** A client of the debug adapter in a process of its own, as small as a benchmark wants it. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { FrameReader } from '../../test/dap/frames';

/** A message of the adapter. */
export interface Response {
  readonly type: string;
  readonly event?: string;
  readonly request_seq?: number;
  readonly success?: boolean;
  readonly message?: string;
  readonly body?: unknown;
}

/** Requests and events over a pipe. */
export class Client {
  #seq = 1;
  readonly #frames = new FrameReader();
  readonly #open = new Map<number, (response: Response) => void>();
  #events: { name: string; resolve: () => void }[] = [];
  readonly #child: ChildProcessWithoutNullStreams;

  /** @param adapter the adapter's script. */
  constructor(adapter: string) {
    this.#child = spawn(process.execPath, [adapter]);
    this.#child.stdout.on('data', (chunk: Buffer) => this.#receive(chunk));
  }

  request(command: string, args?: unknown): Promise<Response> {
    const seq = this.#seq++;
    const body = JSON.stringify({ seq, type: 'request', command, ...(args === undefined ? {} : { arguments: args }) });
    this.#child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    return new Promise((resolve) => this.#open.set(seq, resolve));
  }

  event(name: string): Promise<void> {
    return new Promise((resolve) => this.#events.push({ name, resolve }));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  end(): void {
    this.#child.kill();
  }

  #receive(chunk: Buffer): void {
    for (const each of this.#frames.read(chunk)) {
      const message = each as Response;
      if (message.type === 'response') {
        this.#open.get(message.request_seq!)?.(message);
        this.#open.delete(message.request_seq!);
      }
      const heard = this.#events.filter(({ name }) => message.event === name);
      this.#events = this.#events.filter((each) => !heard.includes(each));
      for (const { resolve } of heard) resolve();
    }
  }
}
