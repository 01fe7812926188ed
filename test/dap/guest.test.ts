/** The guest's threads, their TLS and its recorded system calls, through the protocol: on the example, and on real images where they are at hand. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { type DebugProtocol } from '@vscode/debugprotocol';
import { type CustomRequests } from '../../debug-adapter/dap/custom';
import { TestClient } from './client';

type Answer<K extends keyof CustomRequests> = CustomRequests[K][1];

const example = path.resolve(__dirname, '../../dist/examples/hello/hello_qemu-x86_64');
const suites = process.env['UNIKERNEL_SUITES'];
const images = suites === undefined ? undefined : path.join(suites, 'images');

/** Skips, saying why, where an image is not at hand. */
function need(context: Mocha.Context, file: string | undefined, what: string): string {
  if (file !== undefined && existsSync(file)) return file;
  console.log(`    skipped: ${what}`);
  return context.skip();
}

async function stopAt(
  client: TestClient,
  launch: Readonly<Record<string, unknown>>,
  functions: readonly string[],
): Promise<DebugProtocol.StoppedEvent['body']> {
  await client.launch(launch);
  await client.ok('setFunctionBreakpoints', { breakpoints: functions.map((name) => ({ name })) });
  return client.untilStopped('configurationDone', undefined);
}

describe('the guest through the protocol', function () {
  this.timeout(60_000);
  let client: TestClient;
  beforeEach(() => (client = new TestClient()));
  afterEach(() => client.close());

  it('lists the example’s calls with their callers, pages, filters and counts them', async function () {
    const image = need(this, example, 'the example is not built: npm run build');
    await stopAt(client, { image, trace: ['syscalls', 'tls'] }, ['ukplat_terminate']);
    const all = await client.ok<Answer<'unikernel/syscalls'>>('unikernel/syscalls', {});
    const writes = all.events.filter(({ name }) => name === 'write' || name === 'writev');
    assert.ok(
      writes.some(({ path: way }) => way === 'binary'),
      JSON.stringify(all.events),
    );
    assert.ok(writes.some(({ path: way }) => way === 'compiled-in'));
    assert.ok(all.events.some(({ kind }) => kind === 'segmentBase'));
    assert.equal(all.total, all.next);
    for (const write of writes) {
      const { place } = await client.ok<Answer<'unikernel/eventPlace'>>('unikernel/eventPlace', { sequence: write.sequence });
      assert.ok(place !== undefined && place.line > 0, write.text);
    }
    const page = await client.ok<Answer<'unikernel/syscalls'>>('unikernel/syscalls', { from: 0, limit: 1 });
    assert.deepEqual(
      page.events.map(({ sequence }) => sequence),
      [0],
    );
    assert.equal(page.next, 1);
    const filtered = await client.ok<Answer<'unikernel/syscalls'>>('unikernel/syscalls', { filter: 'write* binary' });
    assert.deepEqual(
      filtered.events.map(({ path: way }) => way),
      filtered.events.map(() => 'binary'),
    );
    assert.ok(filtered.events.length > 0 && filtered.events.length < writes.length);
    const { rows } = await client.ok<Answer<'unikernel/syscallSummary'>>('unikernel/syscallSummary', {});
    const count = rows.filter(({ name }) => name.startsWith('write')).reduce((sum, { calls }) => sum + calls, 0);
    assert.equal(count, writes.length);
  });

  it('exports the trace as strace text and as Chrome JSON', async function () {
    const image = need(this, example, 'the example is not built: npm run build');
    await stopAt(client, { image, trace: ['syscalls', 'tls'] }, ['ukplat_terminate']);
    const { text } = await client.ok<Answer<'unikernel/exportTrace'>>('unikernel/exportTrace', { format: 'strace' });
    assert.match(text, /^\d+ +\d\d:\d\d:\d\d\.\d{6} write\(1, "/m);
    const chrome = await client.ok<Answer<'unikernel/exportTrace'>>('unikernel/exportTrace', { format: 'chrome' });
    const { traceEvents } = JSON.parse(chrome.text) as { traceEvents: { ph: string; name: string; dur?: number; tid: number }[] };
    assert.ok(traceEvents.some(({ ph, name, dur }) => ph === 'X' && name === 'write' && dur !== undefined && dur >= 0));
    assert.ok(traceEvents.some(({ ph, name }) => ph === 'i' && name.startsWith('fs = ')));
  });

  it('refuses arguments of the wrong kind', async () => {
    assert.match(await client.fails('unikernel/syscalls', { limit: 'many' }), /limit/);
    assert.match(await client.fails('unikernel/exportTrace', { format: 'pdf' }), /format/);
  });

  it('shows a real scheduler’s threads, with stacks of those that wait', async function () {
    const image = need(this, images && path.join(images, 'hello-spin'), 'UNIKERNEL_SUITES names no folder with images/hello-spin');
    const stopped = await stopAt(client, { image, trace: ['syscalls'] }, ['vga_console_out']);
    void stopped;
    // The first calls come from boot, before threads exist.
    await client.ok('setFunctionBreakpoints', { breakpoints: [{ name: 'main' }] });
    const { threadId } = await client.untilStopped('continue');
    const { threads, notes } = await client.ok<Answer<'unikernel/threads'>>('unikernel/threads');
    assert.deepEqual(notes, []);
    assert.deepEqual(
      threads.map(({ name, state }) => `${name} ${state}`),
      ['main running', 'init blocked', 'idle idle'],
    );
    assert.equal(threads[0]?.id, threadId);
    assert.match(threads[1]?.where ?? '', /uk_semaphore_down|uk_boot/);
    const listed = await client.ok<DebugProtocol.ThreadsResponse['body']>('threads');
    assert.deepEqual(
      listed.threads.map(({ id }) => id),
      threads.map(({ id }) => id),
    );
    const { stackFrames } = await client.ok<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: threads[1]!.id });
    const names = stackFrames.map(({ name }) => name);
    assert.match(names[0] ?? '', /^ukarch_ctx_switch/);
    assert.ok(names.includes('uk_boot_entry') && names.includes('ukplat_entry2'), names.join(' '));
    // Frames of another thread answer for their own scopes.
    const entry = stackFrames.find(({ name }) => name === 'uk_boot_entry')!;
    const { scopes } = await client.ok<DebugProtocol.ScopesResponse['body']>('scopes', { frameId: entry.id });
    assert.ok(
      scopes.some(({ name }) => name === 'Locals' || name === 'Arguments'),
      scopes.map(({ name }) => name).join(),
    );
    const pointers = threads.flatMap(({ tls }) => tls.map(({ pointer }) => pointer));
    assert.equal(new Set(pointers).size, 3);
    // The processor's own frames keep the ids from 1 on.
    const own = await client.ok<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId });
    assert.equal(own.stackFrames[0]?.name, 'main');
    assert.equal(own.stackFrames[0]?.id, 1);
  });
});
