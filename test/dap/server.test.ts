/** A machine that runs in a server: clients attach to it one after the other, and it goes on in between. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type DebugProtocol } from '@vscode/debugprotocol';
import { kludgeImage } from '../unit/machine/images';
import { validateMessage } from './schema';

const adapter = path.resolve(__dirname, '../../dist/adapter.js');
type Message = DebugProtocol.Response & DebugProtocol.Event;

/** A client over a socket. */
class SocketClient {
  readonly messages: Message[] = [];
  #buffer = Buffer.alloc(0);
  #seq = 1;
  #heard: (() => void)[] = [];
  readonly #socket;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('data', (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      for (;;) {
        const header = /^Content-Length: (\d+)\r\n\r\n/.exec(this.#buffer.toString('latin1', 0, 64));
        const end = header === null ? 0 : header[0].length + Number(header[1]);
        if (header === null || this.#buffer.length < end) break;
        const message = JSON.parse(this.#buffer.toString('utf8', header[0].length, end)) as Message;
        this.#buffer = this.#buffer.subarray(end);
        validateMessage(message);
        this.messages.push(message);
      }
      for (const each of this.#heard.splice(0)) each();
    });
  }

  async until(accept: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(accept);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#heard.push(resolve));
    }
  }

  async request(command: string, args: object = {}): Promise<Message> {
    const seq = this.#seq++;
    const body = JSON.stringify({ seq, type: 'request', command, arguments: args });
    this.#socket.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    const response = await this.until((message) => message.type === 'response' && message.request_seq === seq);
    assert.ok(response.success, `${command}: ${response.message ?? ''}`);
    return response;
  }

  async attach(): Promise<void> {
    await this.request('initialize', { adapterID: 'unikernel' });
    await this.request('attach');
    await this.request('configurationDone');
  }
}

describe('a machine in a server', () => {
  it('is attached to, left running, left standing, and ended', async function () {
    this.timeout(60_000);
    if (!existsSync(adapter)) this.skip();
    const folder = mkdtempSync(path.join(tmpdir(), 'server-'));
    const image = path.join(folder, 'spinner');
    // inc eax; jmp back.
    writeFileSync(image, kludgeImage(Uint8Array.of(0x40, 0xeb, 0xfd)));
    const server = spawn(process.execPath, [adapter, '--server=0', image, '--memory', '16'], { stdio: ['ignore', 'ignore', 'pipe'] });
    try {
      const port = await new Promise<number>((resolve, reject) => {
        let text = '';
        server.stderr.on('data', (chunk: Buffer) => {
          text += chunk.toString();
          const match = /port (\d+)/.exec(text);
          if (match !== null) resolve(Number(match[1]));
        });
        server.on('exit', () => reject(new Error(text)));
      });
      const instructions = async (client: SocketClient): Promise<bigint> =>
        BigInt(((await client.request('unikernel/statistics')).body as { instructions: string }).instructions);

      const first = new SocketClient(port);
      await first.attach();
      const before = await instructions(first);
      await first.request('setInstructionBreakpoints', { breakpoints: [{ instructionReference: '0x100020' }] });
      await first.until(({ event }) => event === 'stopped');
      await first.request('disconnect');

      // The breakpoint went with its client, and the guest ran on.
      const second = new SocketClient(port);
      await second.attach();
      assert.ok(!second.messages.some(({ event }) => event === 'stopped'));
      assert.ok((await instructions(second)) > before);
      await second.request('disconnect', { suspendDebuggee: true });

      const third = new SocketClient(port);
      await third.attach();
      await third.until(({ event }) => event === 'stopped');
      const standing = await instructions(third);
      assert.equal(await instructions(third), standing);
      await third.request('disconnect', { terminateDebuggee: true });

      const fourth = new SocketClient(port);
      await fourth.request('initialize', { adapterID: 'unikernel' });
      await assert.rejects(fourth.request('attach'), /nothing to attach to/);
      await fourth.request('disconnect');
    } finally {
      server.kill();
      rmSync(folder, { recursive: true });
    }
  });
});
