/** Time travel as a client sees it, on the example image: steps and runs backwards, seeks, who wrote this last, and what an edit in the past does. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type DebugProtocol } from '@vscode/debugprotocol';
import { type HistoryAnswer } from '../../debug-adapter/dap/custom';
import { kludgeImage } from '../unit/machine/images';
import { TestClient } from './client';

const image = path.resolve(__dirname, '../../dist/examples/hello/hello_qemu-x86_64');

describe('time travel over the protocol', () => {
  let client: TestClient;

  const history = (): Promise<HistoryAnswer> => client.ok<HistoryAnswer>('unikernel/history');
  const top = async (): Promise<DebugProtocol.StackFrame> => (await client.stack())[0]!;
  const reference = async (): Promise<string> => (await top()).instructionPointerReference!;

  /** Launches and runs to the beginning of `main`. */
  async function toMain(): Promise<void> {
    await client.launch({ image, trace: [] });
    await client.ok('setFunctionBreakpoints', { breakpoints: [{ name: 'main' }] });
    const from = client.messages.length;
    await client.ok('configurationDone');
    await client.event('stopped', from);
  }

  before(function () {
    if (existsSync(image)) return;
    console.log(`    skipped: ${image} is not built (npm run build makes it)`);
    this.skip();
  });
  beforeEach(() => {
    client = new TestClient();
  });
  afterEach(() => client.close());

  it('is offered', async () => {
    const capabilities = await client.ok<DebugProtocol.Capabilities>('initialize', { adapterID: 'unikernel' });
    assert.equal(capabilities.supportsStepBack, true);
  });

  it('steps back where it came from, line by line and instruction by instruction', async () => {
    await toMain();
    const way = [await top()];
    for (let i = 0; i < 3; i++) {
      await client.untilStopped('next');
      way.push(await top());
    }
    const { position } = await history();
    for (const frame of way.slice(0, -1).reverse()) {
      const stop = await client.untilStopped('stepBack');
      assert.equal(stop.reason, 'step');
      assert.equal(stop.description, 'in the past');
      assert.equal((await top()).line, frame.line);
    }
    await client.untilStopped('unikernel/seek', { instruction: position });
    assert.equal((await history()).inPast, false);
    assert.equal((await top()).instructionPointerReference, way[way.length - 1]!.instructionPointerReference);
    await client.untilStopped('stepBack', { threadId: 1, granularity: 'instruction' });
    assert.equal((await history()).position, String(Number(position) - 1));
  });

  it('steps back by line in code that has none and that nothing called', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'history-'));
    try {
      const loop = path.join(folder, 'loop');
      // inc eax; jmp back.
      await writeFile(loop, kludgeImage(Uint8Array.of(0x40, 0xeb, 0xfd)));
      await client.launch({ image: loop, trace: [], stopOnEntry: true });
      const from = client.messages.length;
      await client.ok('configurationDone');
      await client.event('stopped', from);
      await client.ok('continue', { threadId: 1 });
      // Less than a step looks back.
      while (Number((await history()).position) < 100_000);
      await client.untilStopped('pause');
      const { position } = await history();
      await client.untilStopped('stepBack');
      assert.ok(Number((await history()).position) < Number(position));
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('runs back to the breakpoint hit last, and to the beginning', async () => {
    await toMain();
    const there = await history();
    await client.untilStopped('next');
    await client.untilStopped('next');
    const stop = await client.untilStopped('reverseContinue');
    assert.equal(stop.reason, 'function breakpoint');
    assert.equal(stop.hitBreakpointIds?.length, 1);
    assert.equal((await history()).position, there.position);
    const start = await client.untilStopped('reverseContinue');
    assert.equal(start.reason, 'entry');
    assert.match(start.text ?? '', /History begins here/);
    assert.equal((await history()).position, '0');
    assert.equal((await client.untilStopped('stepBack')).reason, 'entry');
    assert.equal((await client.untilStopped('continue')).reason, 'function breakpoint');
    assert.equal((await history()).position, there.position);
  });

  it('records and counts nothing again that it replays', async () => {
    await client.launch({ image, trace: ['syscalls', 'tls'] });
    await client.ok('setFunctionBreakpoints', { breakpoints: [{ name: 'uk_syscall_r_write', hitCondition: '2' }] });
    const from = client.messages.length;
    await client.ok('configurationDone');
    await client.event('stopped', from);
    const there = await history();
    const before = await client.ok<{ total: number; events: unknown[] }>('unikernel/syscalls', { limit: 5000 });
    await client.untilStopped('unikernel/seek', { instruction: '0' });
    const again = await client.untilStopped('continue');
    assert.equal(again.reason, 'function breakpoint');
    assert.equal((await history()).position, there.position, 'the second hit is the second hit, however often');
    await client.untilStopped('unikernel/seek', { instruction: '0' });
    await client.untilStopped('unikernel/seek', { instruction: there.end });
    assert.deepEqual(await client.ok('unikernel/syscalls', { limit: 5000 }), before);
    // Another future: what the old one recorded is gone, and what happens now is recorded.
    await client.untilStopped('unikernel/seek', { instruction: '1000' });
    await client.evaluate('$xmm5 = 1').catch(() => client.evaluate('$rbx = $rbx + 0'));
    const after = await client.ok<{ total: number; events: unknown[] }>('unikernel/syscalls', { limit: 5000 });
    assert.equal(after.events.length, 0);
    await client.untilStopped('continue');
    const anew = await client.ok<{ total: number; events: { instruction: string; text: string }[] }>('unikernel/syscalls', { limit: 5000 });
    assert.ok(anew.total > before.total);
    assert.equal(anew.events.length, before.events.length);
  });

  it('passes over breakpoints whose condition did not hold', async () => {
    await toMain();
    await client.untilStopped('next');
    await client.ok('setFunctionBreakpoints', { breakpoints: [{ name: 'main', condition: '1 == 2' }] });
    assert.equal((await client.untilStopped('reverseContinue')).reason, 'entry');
  });

  it('goes back to before the call of a function, and over calls', async () => {
    await toMain();
    const caller = (await client.stack())[1]!;
    await client.untilStopped('unikernel/reverseOut');
    assert.equal((await top()).name, caller.name);
    assert.equal((await top()).line, caller.line);
    const { position } = await history();
    await client.untilStopped('unikernel/reverseNext');
    assert.ok(Number((await history()).position) < Number(position));
  });

  it('tells who wrote a place last', async () => {
    await toMain();
    // The stack pointer's target: what a call or a push wrote.
    const address = BigInt(await client.evaluate('$rsp').then((text) => /0x[0-9a-f]+/i.exec(text)?.[0] ?? text));
    const info = await client.ok<DebugProtocol.DataBreakpointInfoResponse['body']>('dataBreakpointInfo', {
      name: `0x${address.toString(16)}`,
      asAddress: true,
      bytes: 8,
    });
    const value = (await client.ok<DebugProtocol.ReadMemoryResponse['body']>('readMemory', {
      memoryReference: `0x${address.toString(16)}`,
      count: 8,
    }))!.data;
    await client.ok('setDataBreakpoints', { breakpoints: [{ dataId: info.dataId, accessType: 'write' }] });
    const stop = await client.untilStopped('reverseContinue');
    assert.equal(stop.reason, 'data breakpoint');
    assert.match(stop.text ?? '', /^Written: \d+ bytes/);
    // It stands before the write: afterwards the value is there, and stays.
    await client.untilStopped('stepIn', { threadId: 1, granularity: 'instruction' });
    const now = (await client.ok<DebugProtocol.ReadMemoryResponse['body']>('readMemory', {
      memoryReference: `0x${address.toString(16)}`,
      count: 8,
    }))!.data;
    assert.equal(now, value, 'nothing wrote it afterwards');
  });

  it('goes to where console output was written, and sends none again', async () => {
    await toMain();
    await client.ok('setFunctionBreakpoints', { breakpoints: [] });
    await client.untilStopped('next');
    await client.untilStopped('next');
    const sent = client.output('stdout');
    const { consoleBytes, end } = await history();
    assert.ok(consoleBytes > 0);
    await client.untilStopped('unikernel/seek', { consoleOffset: consoleBytes - 1 });
    assert.match(
      await client.evaluate('$al'),
      new RegExp(`\\b(0x0?${sent.charCodeAt(sent.length - 1).toString(16)}|${sent.charCodeAt(sent.length - 1)})\\b`),
    );
    await client.untilStopped('unikernel/seek', { instruction: end });
    assert.equal(client.output('stdout'), sent);
    assert.match(await client.fails('unikernel/seek', { instruction: String(Number(end) + 1) }), /has not run yet/);
    assert.match(await client.fails('unikernel/seek', { traceSequence: 1 }), /not in the trace/);
    assert.match(await client.fails('unikernel/seek', {}), /one of/);
  });

  it('drops the future when the past is changed, and says so', async () => {
    await toMain();
    await client.untilStopped('next');
    await client.untilStopped('stepBack', { threadId: 1, granularity: 'instruction' });
    const { position } = await history();
    await client.ok('setExpression', { expression: '$rbx', value: '1' });
    assert.match(client.output('console'), /is dropped/);
    const after = await history();
    assert.equal(after.end, position);
    assert.equal(after.inPast, false);
  });

  it('lets nothing reach the guest on its way through the past', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'history-'));
    try {
      const spinner = path.join(folder, 'spinner');
      await writeFile(spinner, kludgeImage(Uint8Array.of(0xeb, 0xfe)));
      await client.launch({ image: spinner, trace: [] });
      await client.ok('configurationDone');
      await new Promise((resolve) => setTimeout(resolve, 300));
      await client.untilStopped('pause');
      const there = await history();
      await client.untilStopped('unikernel/seek', { instruction: String(Number(there.end) - 5) });
      const from = client.messages.length;
      const journey = client.ok('reverseContinue', { threadId: 1 });
      const typed = client.fails('unikernel/consoleInput', { text: 'x' });
      const written = client.fails('writeMemory', { memoryReference: '0x200000', data: 'AAAA' });
      await journey;
      assert.match(await typed, /on its way through its past/);
      assert.match(await written, /on its way through its past/);
      await client.event('stopped', from);
      assert.equal((await history()).end, there.end);
      await client.ok('unikernel/consoleInput', { text: 'x' });
      const { position, end } = await history();
      assert.equal(end, position, 'what is typed where it stands counts');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('is not changed by conditions and log messages that assign', async () => {
    await toMain();
    await client.untilStopped('next');
    const there = await history();
    for (const options of [{ condition: '$rbx = 1' }, { logMessage: '{$rbx = 1}' }]) {
      await client.untilStopped('unikernel/seek', { instruction: '0' });
      await client.ok('setFunctionBreakpoints', { breakpoints: [{ name: 'main', ...options }] });
      await client.ok('setInstructionBreakpoints', { breakpoints: [{ instructionReference: await reference() }] });
      const from = client.messages.length;
      await client.untilStopped('unikernel/seek', { instruction: there.end });
      const back = await client.untilStopped('reverseContinue');
      assert.ok('logMessage' in options || back.reason === 'function breakpoint');
      assert.equal((await history()).end, there.end);
      assert.doesNotMatch(JSON.stringify(client.messages.slice(from)), /is dropped/);
      await client.untilStopped('unikernel/seek', { instruction: there.end });
      const again = await history();
      assert.deepEqual([again.inPast, again.journalEntries], [false, there.journalEntries]);
    }
  });

  it('knows of each edit in the past, also of one in the place of another and of one before an error, and of no refused one', async () => {
    await toMain();
    await client.evaluate('$rbx = 1');
    await client.untilStopped('next');
    const there = await history();
    const back = async (): Promise<void> => {
      await client.untilStopped('unikernel/seek', { instruction: String(Number((await history()).end) - 1) });
    };
    await back();
    assert.match(await client.fails('setExpression', { expression: '$rip', value: '0x800000000000' }), /./);
    assert.equal((await history()).end, there.end, 'refused');
    await client.untilStopped('unikernel/seek', { instruction: '1000' });
    assert.equal((await history()).journalEntries, there.journalEntries);
    await client.evaluate('$rbx = 2');
    assert.equal((await history()).end, '1000', 'in the place of the other');
    await client.untilStopped('continue');
    await back();
    const { position } = await history();
    await client.fails('evaluate', { expression: '($rbx = 3) + nobody', context: 'repl' });
    assert.equal((await history()).end, position, 'before an error');
    assert.equal((await client.untilStopped('reverseContinue')).reason, 'entry');
  });

  it('keeps the guest’s end where it was', async () => {
    await toMain();
    const from = client.messages.length;
    await client.untilStopped('stepBack', { threadId: 1, granularity: 'instruction' });
    await client.ok('setFunctionBreakpoints', { breakpoints: [] });
    await client.ok('continue', { threadId: 1 });
    const { exitCode } = await client.event<DebugProtocol.ExitedEvent['body']>('exited', from);
    assert.equal(typeof exitCode, 'number');
    assert.match(client.output('stdout'), /Hello/);
  });

  it('stays at the guest’s end where that is asked for, to go back from there', async () => {
    const from = client.messages.length;
    await client.launch({ image, trace: [], stopAtEnd: 'always' });
    await client.ok('configurationDone');
    const stop = await client.event<DebugProtocol.StoppedEvent['body']>('stopped', from);
    assert.equal(stop.reason, 'exit');
    assert.match(stop.description ?? '', /^The guest /);
    const { position } = await history();
    // Long enough for the way back to be prepared.
    await new Promise((resolve) => setTimeout(resolve, 600));
    await client.untilStopped('stepBack', { threadId: 1, granularity: 'instruction' });
    assert.equal((await history()).position, String(Number(position) - 1));
    assert.equal((await client.untilStopped('continue')).reason, 'exit', 'the end comes again');
    await client.untilStopped('unikernel/seek', { instruction: '500' });
    await client.untilStopped('unikernel/seek', { instruction: position });
    assert.equal((await history()).position, position);
    await client.untilStopped('unikernel/seek', { instruction: '500' });
    assert.equal((await client.untilStopped('continue')).reason, 'exit');
    const last = client.messages.length;
    await client.ok('continue', { threadId: 1 });
    await client.event('exited', last);
  });

  it('finds lines of the console, and who wrote a place last', async () => {
    await toMain();
    const rsp = /0x[0-9a-f]+/i.exec(await client.evaluate('$rsp'))![0];
    const stop = await client.untilStopped('unikernel/seekWrite', { address: rsp, bytes: 8 });
    assert.equal(stop.reason, 'data breakpoint', stop.text);
    assert.match(stop.text ?? '', /^Here .* writes 0x[0-9a-f]+ for the last time: ([0-9a-f]{2} ){8}becomes/);
    await client.untilStopped('unikernel/seek', { instruction: (await history()).end });
    await client.ok('setFunctionBreakpoints', { breakpoints: [] });
    await client.untilStopped('next');
    await client.untilStopped('next');
    const { lines } = await client.ok<{ lines: { offset: number; text: string }[] }>('unikernel/consoleLines', { search: 'HELLO' });
    assert.deepEqual(
      lines.map(({ text }) => text),
      ['Hello from a direct call!', 'Hello from a SYSCALL instruction!'].slice(0, lines.length),
    );
    await client.untilStopped('unikernel/seek', { consoleOffset: lines[0]!.offset });
    assert.match(await client.evaluate('$al'), /0x48|72/);
    // What the image brought was written by nobody.
    const { end } = await history();
    await client.untilStopped('unikernel/seek', { instruction: end });
    const never = await client.untilStopped('unikernel/seekWrite', { address: '0x100000', bytes: 4 });
    assert.match(never.text ?? '', /^No instruction wrote the 4 bytes at 0x100000/);
    assert.equal((await history()).position, end);
    assert.match(await client.fails('unikernel/seekWrite', { name: '$rax' }), /does not lie in memory|register/);
  });

  it('opens a saved session elsewhere, and says why it cannot open another', async () => {
    await toMain();
    const { position } = await history();
    const { data } = await client.ok<{ data: string }>('unikernel/saveSession');
    const folder = await mkdtemp(path.join(tmpdir(), 'session-'));
    try {
      const file = path.join(folder, 'hello.uksession');
      await writeFile(file, Buffer.from(data, 'base64'));
      const elsewhere = path.join(folder, path.basename(image));
      await copyFile(image, elsewhere);
      await client.close();
      client = new TestClient();
      const from = client.messages.length;
      await client.launch({ image: elsewhere, symbols: `${image}.dbg`, trace: [], session: file });
      await client.ok('configurationDone');
      const stop = await client.event<DebugProtocol.StoppedEvent['body']>('stopped', from);
      assert.match(stop.text ?? '', /A session of hello_qemu-x86_64, as it was saved/);
      assert.equal((await history()).position, position);
      await client.close();
      client = new TestClient();
      await client.launch({ image: elsewhere, trace: [], session: file, memory: 64, cmdline: 'other' });
      assert.match(await client.fails('configurationDone'), /command line was none, and is "other"; the memory was 128 MiB, and is 64/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('gives a session as bytes', async () => {
    await toMain();
    const before = await reference();
    const { data } = await client.ok<{ data: string }>('unikernel/saveSession');
    assert.equal(Buffer.from(data, 'base64').toString('latin1', 0, 4), 'UKSS');
    assert.equal(await reference(), before);
  });
});
