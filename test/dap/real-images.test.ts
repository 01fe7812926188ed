/** Unikraft's own images as F5 has them: the stripped image boots, its .dbg gives a stop in C source, a step and the stack; the console says what QEMU's did. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type DebugProtocol } from '@vscode/debugprotocol';
import { TestClient } from './client';

const suites = process.env['UNIKERNEL_SUITES'];
const loaderLine = (program: string): string => `vfs.fstab=[ "initrd0:/:extract::ramfs=1:" ] -- ${program}`;

/** Function to stop at, and a line that the console must have by the end. */
const images = [
  { name: 'hello-qemu', stop: 'main', says: 'Hello world!', cmdline: 'a b', ends: true },
  { name: 'hello-fc', stop: 'main', says: 'Hello world!', cmdline: 'a b', ends: true },
  { name: 'hello-musl', stop: 'main', says: 'slept 20 ms: ok', cmdline: 'one two', ends: true },
  // It idles when its program is over.
  { name: 'elfloader', stop: 'uk_syscall_r_write', says: 'malloc: x', cmdline: loaderLine('/hello'), initrd: 'hello.cpio', ends: false },
] as const;

describe('images of Unikraft', function () {
  this.timeout(120_000);
  let client: TestClient;
  beforeEach(() => {
    client = new TestClient();
    client.patience = 60_000;
  });
  afterEach(() => client.close());

  for (const image of images) {
    it(`${image.name} stops at ${image.stop}, steps, and runs on`, async function () {
      const file = path.join(suites ?? '', 'images', image.name);
      if (suites === undefined || !existsSync(`${file}.dbg`)) {
        console.log(`    SKIPPED: UNIKERNEL_SUITES names no folder with images/${image.name} and its .dbg`);
        return this.skip();
      }
      const initrd = 'initrd' in image ? { initrd: path.join(suites, 'images/initrd', image.initrd) } : {};
      await client.launch({ image: file, cmdline: image.cmdline, memory: 256, trace: [], ...initrd });
      await client.ok('setFunctionBreakpoints', { breakpoints: [{ name: image.stop }] });
      const stopped = await client.untilStopped('configurationDone', undefined);
      const { threadId } = stopped;
      const top = async (): Promise<DebugProtocol.StackFrame> =>
        (await client.ok<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId })).stackFrames[0]!;
      const first = await top();
      assert.equal(first.name, image.stop);
      assert.ok(first.source?.path?.endsWith('.c') === true && first.line > 0, JSON.stringify(first));
      await client.untilStopped('next', { threadId });
      const second = await top();
      assert.ok(second.line !== first.line || second.name !== first.name, JSON.stringify(second));
      const from = client.messages.length;
      await client.ok('setFunctionBreakpoints', { breakpoints: [] });
      await client.ok('continue', { threadId });
      if (image.ends) await client.event('terminated', from);
      else for (let turns = 0; turns < 600 && !client.output('stdout').includes(image.says); turns++) await setTimeout(50);
      assert.ok(client.output('stdout').includes(image.says), client.output('stdout').slice(-500));
    });
  }
});
