/** Golden transcripts of how sessions begin and end, launches that fail included. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { golden, image, lineOf, mainSource } from './golden';

describe('debug adapter: lifecycle', () => {
  golden('launch and end', async (session) => {
    await session.launch({ trace: ['syscalls', 'tls'], cmdline: 'one two' });
    await session.until('terminated', 'configurationDone');
    await session.request('continue', { threadId: 1 });
    await session.request('threads');
    await session.request('stackTrace', { threadId: 1 }, () => '…');
  });

  golden('stop on entry', async (session) => {
    await session.launch({ stopOnEntry: true });
    await session.until('stopped', 'configurationDone');
    await session.frame();
    await session.request('configurationDone');
  });

  golden('capabilities', async (session) => {
    await session.request('initialize', { adapterID: 'unikernel', linesStartAt1: false, columnsStartAt1: false }, (body: object) =>
      Object.keys(body).length > 30 ? 'many' : 'few',
    );
  });

  golden('lines and columns from zero', async (session) => {
    await session.request('initialize', { adapterID: 'unikernel', linesStartAt1: false, columnsStartAt1: false }, () => '…');
    await session.request('launch', { image, clock: 'skip', trace: [] });
    const line = lineOf(mainSource, 'greet("Hello from a direct call!') - 1;
    await session.request('setBreakpoints', { source: { path: mainSource }, breakpoints: [{ line }] });
    await session.until('stopped', 'configurationDone');
    await session.frame();
  });

  golden('restart', async (session) => {
    await session.launch();
    await session.stopIn('main');
    await session.request('restart');
    await session.request('setFunctionBreakpoints', { breakpoints: [{ name: 'run_as_binary' }] });
    await session.until('stopped', 'configurationDone');
    await session.frame();
    await session.request('setFunctionBreakpoints', { breakpoints: [] });
    await session.until('terminated', 'continue');
    // Also after the end; the schema's choice between launch and attach arguments cannot be met by any.
    await session.wrong('restart', { arguments: { image, clock: 'skip', trace: [], stopOnEntry: true } });
    await session.until('stopped', 'configurationDone');
  });

  golden('terminate', async (session) => {
    await session.launch();
    await session.stopIn('main');
    await session.until('terminated', 'terminate', {});
    await session.request('continue', { threadId: 1 });
    await session.request('terminate');
  });

  golden('disconnect', async (session) => {
    await session.launch();
    await session.stopIn('main');
    await session.request('disconnect', { terminateDebuggee: true });
    await session.request('threads');
  });

  golden('requests that do not fit', async (session) => {
    await session.request('threads');
    await session.request('initialize', { adapterID: 'unikernel' }, () => '…');
    await session.request('makeCoffee', { sugar: 2 });
    await session.wrong('toString');
    await session.request('continue', { threadId: 1 });
    await session.launch();
    await session.request('launch', { image });
    for (const [command, args] of [
      ['setBreakpoints', undefined],
      ['setBreakpoints', { source: {}, breakpoints: [{ line: 'one' }] }],
      ['setBreakpoints', { source: { path: mainSource }, breakpoints: [{ line: 3, condition: 5 }] }],
      ['setFunctionBreakpoints', { breakpoints: 'main' }],
      ['setDataBreakpoints', { breakpoints: [{ dataId: 'here' }] }],
      ['next', { threadId: 1, granularity: 'leap' }],
      ['scopes', { frameId: 2 ** 40 }],
      ['variables', { variablesReference: -1 }],
      ['readMemory', { memoryReference: 'here', count: 4 }],
      ['readMemory', { memoryReference: '0x1000' }],
      ['disassemble', { memoryReference: '0x1000', instructionCount: 1e9 }],
      ['evaluate', { expression: null }],
    ] as const)
      await session.wrong(command, args);
    await session.request('cancel', { requestId: 1 });
  });

  golden('launches that fail', async (session) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'golden-'));
    const make = (name: string, bytes: Uint8Array | string): string => {
      writeFileSync(path.join(folder, name), bytes);
      return path.join(folder, name);
    };
    const whole = readFileSync(image);
    await session.request('initialize', { adapterID: 'unikernel' }, () => '…');
    const launch = (args: object): Promise<unknown> => session.request('launch', args);
    try {
      await launch({});
      await launch({ image: '/does/not/exist' });
      await launch({ image: '/' });
      await launch({ image: make('text', 'Not a kernel.\n') });
      await launch({ image: make('empty', '') });
      await launch({ image: make('cut-header', whole.subarray(0, 40)) });
      await launch({ image: make('cut', whole.subarray(0, Math.floor(whole.length / 2))) });
      await launch({ image: `${image}.dbg` });
      await launch({ image, memory: 2, initrd: make('initrd', new Uint8Array(2 << 20)) });
      await launch({ image, memory: 1 });
      await launch({ image, memory: '128' });
      await launch({ image, stopOnEntri: true });
      await launch({ image, colour: 'red' });
      await launch({ image, trace: ['everything'] });
      await launch({ image, symbols: '/does/not/exist.dbg' });

      await launch({ image, initrd: '/does/not/exist.cpio' });
      await launch({ image: 7 });
      // Stripped and without its symbols: it boots, and says what will be missing.
      await launch({ image: make('alone', whole), clock: 'skip', trace: [] });
      await session.request('setBreakpoints', { source: { path: mainSource }, breakpoints: [{ line: 30 }] });
      await session.request('setFunctionBreakpoints', { breakpoints: [{ name: 'main' }] });
      await session.request('disconnect');
      await launch({ image, symbols: make('symbols', 'Not symbols.\n'), clock: 'skip', trace: [] });
      await session.until('terminated', 'configurationDone');
    } finally {
      session.replace(folder, '<folder>');
      rmSync(folder, { recursive: true });
    }
  });
});
