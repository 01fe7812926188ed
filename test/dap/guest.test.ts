/** The guest's threads, their TLS and its recorded system calls, through the protocol: on the example, and on real images where they are at hand. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type DebugProtocol } from '@vscode/debugprotocol';
import { type CustomRequests } from '../../debug-adapter/dap/custom';
import { writeCpio } from '../../src/build/cpio';
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
    const { traceEvents } = JSON.parse(chrome.text) as {
      traceEvents: { ph: string; name?: string; ts: number; tid: number; args?: { name?: string } }[];
    };
    // A slice lasts from its B to the E of the same lane.
    const begun = traceEvents.findIndex(({ ph, name }) => ph === 'B' && name === 'write');
    const write = traceEvents[begun];
    const ended = traceEvents.slice(begun + 1).find(({ tid }) => tid === write?.tid);
    assert.ok(write !== undefined && ended?.ph === 'E' && ended.ts > write.ts, JSON.stringify([write, ended]));
    const tls = traceEvents.find(({ ph, name, args }) => ph === 'M' && name === 'thread_name' && args?.name?.startsWith('TLS') === true);
    assert.ok(traceEvents.some(({ ph, tid }) => ph === 'B' && tid === tls?.tid));
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
    assert.match(threads[1]?.waitsFor ?? '', /semaphore/);
    assert.equal(threads[0]?.waitsFor, undefined);
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

describe('a Linux program on the ELF loader', function () {
  this.timeout(120_000);
  const loader = images && path.join(images, 'elfloader');
  const initrd = (program: string): string | undefined => images && path.join(images, 'initrd', `${program}.cpio`);
  const launch = (program: string): Readonly<Record<string, unknown>> => ({
    image: loader,
    initrd: initrd(program),
    cmdline: `vfs.fstab=[ "initrd0:/:extract::ramfs=1:" ] -- /${program}`,
    cpu: 'min',
    trace: ['syscalls', 'tls'],
  });
  let client: TestClient;
  beforeEach(function () {
    need(this, loader, 'UNIKERNEL_SUITES names no folder with images/elfloader');
    for (const program of ['threads', 'hello'])
      need(this, initrd(program), `UNIKERNEL_SUITES names no folder with images/initrd/${program}.cpio`);
    client = new TestClient();
  });
  afterEach(() => client?.close());

  it('has its symbols by itself: a breakpoint in a function of the program binds when it is loaded', async () => {
    const from = client.messages.length;
    await client.launch(launch('threads'));
    const { breakpoints } = await client.ok<DebugProtocol.SetFunctionBreakpointsResponse['body']>('setFunctionBreakpoints', {
      breakpoints: [{ name: 'worker' }],
    });
    assert.equal(breakpoints[0]?.verified, false);
    const stopped = await client.untilStopped('configurationDone', undefined);
    const changed = await client.event<DebugProtocol.BreakpointEvent['body']>('breakpoint', from);
    assert.deepEqual([changed.reason, changed.breakpoint.id, changed.breakpoint.verified], ['changed', breakpoints[0]?.id, true]);
    assert.deepEqual(stopped.hitBreakpointIds, [breakpoints[0]?.id]);
    const { stackFrames } = await client.ok<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: stopped.threadId });
    assert.equal(stackFrames[0]?.name, 'worker');
    assert.ok(stackFrames[0]?.source?.path?.endsWith('/threads.c'), JSON.stringify(stackFrames[0]));
    // The first of them.
    assert.equal(await client.evaluate('(long)arg', stackFrames[0].id), '0');
    // Its own thread-local variable, through its own TLS.
    assert.equal(await client.evaluate('mine', stackFrames[0].id), '0');
    const { threads } = await client.ok<Answer<'unikernel/threads'>>('unikernel/threads');
    const current = threads.find((each) => each.current)!;
    assert.deepEqual(
      current.tls.map(({ owner, active }) => [owner, active]),
      [
        ['kernel', false],
        ['application', true],
      ],
    );
    const { blocks } = await client.ok<Answer<'unikernel/tls'>>('unikernel/tls', { threadId: current.id });
    assert.ok(
      blocks[1]?.variables.some(({ name, value }) => name === 'mine' && value === '0'),
      JSON.stringify(blocks[1]),
    );
    assert.ok(blocks[0]!.variables.length > 0);
  });

  it('gets the symbols of a stripped program from a file beside the RAM disk, unless that is of another build', async function () {
    const program = need(this, suites && path.join(suites, 'programs', 'hello'), 'UNIKERNEL_SUITES names no folder with programs/hello');
    const folder = mkdtempSync(path.join(tmpdir(), 'stripped-'));
    try {
      const bytes = new Uint8Array(readFileSync(program));
      const stripped = path.join(folder, 'stripped');
      execFileSync('strip', ['-o', stripped, program]);
      writeFileSync(path.join(folder, 'hello.dbg'), bytes);
      const entry = { path: 'hello', kind: 'file' as const, mode: 0o755, data: new Uint8Array(readFileSync(stripped)) };
      const archive = path.join(folder, 'disk.cpio');
      writeFileSync(archive, writeCpio([entry]));
      const launched = { ...launch('hello'), initrd: archive };
      await client.launch(launched);
      await client.ok('setFunctionBreakpoints', { breakpoints: [{ name: 'factorial' }] });
      const stopped = await client.untilStopped('configurationDone', undefined);
      const { stackFrames } = await client.ok<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: stopped.threadId });
      assert.ok(stackFrames[0]?.source?.path?.endsWith('/hello.c'), JSON.stringify(stackFrames[0]));
      const said = (wanted: RegExp): boolean => client.messages.some((message) => wanted.test(JSON.stringify(message)));
      assert.ok(said(/Symbols of \/hello loaded from .*hello\.dbg/));
      await client.close();
      // The note of the build ID begins with its owner's name.
      const changed = Buffer.from(bytes);
      const note = changed.indexOf('GNU\0', changed.indexOf(Buffer.from([4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0])));
      changed[note + 4]! ^= 0xff;
      writeFileSync(path.join(folder, 'hello.dbg'), changed);
      client = new TestClient();
      const from = client.messages.length;
      await client.launch(launched);
      await client.ok('setFunctionBreakpoints', { breakpoints: [{ name: 'ukplat_crash' }] });
      await client.request('configurationDone');
      await client.event<DebugProtocol.OutputEvent['body']>('output', from);
      for (let waits = 0; waits < 600 && !said(/build IDs differ/); waits++) await new Promise((resolve) => setTimeout(resolve, 100));
      assert.ok(said(/hello\.dbg is not of the \/hello that runs/));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is under the kernel’s frames of a system call, with a boundary between', async () => {
    await client.launch(launch('hello'));
    // The loader's main, then the program's.
    await client.ok('setFunctionBreakpoints', { breakpoints: [{ name: 'main' }] });
    await client.untilStopped('configurationDone', undefined);
    await client.untilStopped('continue');
    await client.ok('setFunctionBreakpoints', { breakpoints: [{ name: 'uk_syscall6_r_e' }] });
    const stopped = await client.untilStopped('continue');
    const { stackFrames } = await client.ok<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: stopped.threadId });
    const names = stackFrames.map(({ name }) => name);
    const boundary = stackFrames.findIndex(({ presentationHint }) => presentationHint === 'label');
    assert.ok(boundary > 0, names.join(' '));
    assert.match(names[boundary] ?? '', /^system call: \w+$/);
    assert.ok(names.slice(0, boundary).includes('ukplat_syscall_handler'), names.join(' '));
    assert.ok(
      names.slice(boundary).some((name) => name === 'main'),
      names.join(' '),
    );
    // The program's block is where the kernel put its pointer by; its own is in use.
    const { threads } = await client.ok<Answer<'unikernel/threads'>>('unikernel/threads');
    assert.deepEqual(
      threads.find((each) => each.current)?.tls.map(({ owner, active }) => [owner, active]),
      [
        ['kernel', true],
        ['application', false],
      ],
    );
  });

  it('tells what its threads wait for, and what was saved of their registers', async () => {
    await client.launch(launch('threads'));
    await client.ok('setFunctionBreakpoints', { breakpoints: [{ name: 'uk_syscall_r_clock_nanosleep' }] });
    await client.untilStopped('configurationDone', undefined);
    await client.untilStopped('continue');
    const { threads } = await client.ok<Answer<'unikernel/threads'>>('unikernel/threads');
    const waits = threads.map(({ state, waitsFor }) => `${state}: ${waitsFor ?? ''}`);
    assert.ok(
      waits.some((text) => /^blocked: futex cond\+0x[0-9a-f]+$/.test(text)),
      waits.join('; '),
    );
    assert.ok(waits.includes('sleeping: time to pass'), waits.join('; '));
    const switched = threads.find(({ extendedRegisters }) => extendedRegisters !== undefined)!;
    assert.equal(switched.extendedRegisters?.find(({ name }) => name === 'mxcsr')?.value, '0x00001f80');
    const { stackFrames } = await client.ok<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: switched.id });
    const { scopes } = await client.ok<DebugProtocol.ScopesResponse['body']>('scopes', { frameId: stackFrames[0]!.id });
    const saved = scopes.find(({ name }) => name === 'Registers: Saved')!;
    const { variables } = await client.ok<DebugProtocol.VariablesResponse['body']>('variables', {
      variablesReference: saved.variablesReference,
    });
    const names = variables.map(({ name }) => name);
    assert.ok(
      ['rip', 'rsp', 'mxcsr', 'st0', 'xmm15'].every((name) => names.includes(name)),
      names.join(' '),
    );
    assert.ok(variables.find(({ name }) => name === 'xmm0')!.variablesReference > 0);
  });
});
