/** Golden transcripts of the protocol's rarer requests: jumps, frames begun again, single threads, watched registers, modes, locations, sources, cancelling, attaching. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TestClient } from './client';
import { golden, image, lineOf, mainSource, type Session } from './golden';

interface Targets {
  readonly targets: readonly { readonly id: number; readonly label: string }[];
}

const evaluate = (session: Session, expression: string, frameId?: number): Promise<{ result: string }> =>
  session.request('evaluate', { expression, context: 'watch', ...(frameId === undefined ? {} : { frameId }) });

describe('debug adapter: rarer requests', () => {
  golden('going to another line', async (session) => {
    await session.launch({ stopAtEnd: 'never' });
    await session.stopIn('main');
    const line = lineOf(mainSource, 'return 0;');
    const { targets } = await session.request<Targets>('gotoTargets', { source: { path: mainSource }, line });
    await session.request('gotoTargets', { source: { path: '/nowhere.c' }, line: 3 });
    await session.request('goto', { threadId: 7, targetId: targets[0]!.id });
    await session.request('goto', { threadId: 1, targetId: 999 });
    await session.until('stopped', 'goto', { threadId: 1, targetId: targets[0]!.id });
    await session.frame();
    // Found before the guest was moved.
    await session.request('goto', { threadId: 1, targetId: targets[0]!.id });
    await session.until('terminated', 'continue');
  });

  golden('stepping into one of several calls', async (session) => {
    await session.launch();
    await session.request('setBreakpoints', {
      source: { path: mainSource },
      breakpoints: [{ line: lineOf(mainSource, 'snprintf(line, sizeof(line), "argv[%d]') }],
    });
    await session.until('stopped', 'configurationDone');
    const frameId = await session.frame();
    const { targets } = await session.request<Targets>('stepInTargets', { frameId });
    await session.request('stepInTargets', { frameId: 2 });
    await session.request('stepIn', { threadId: 1, targetId: 999 });
    await session.until('stopped', 'stepIn', { threadId: 1, targetId: targets[targets.length - 1]!.id });
    await session.frame(2);
  });

  golden('beginning a frame again', async (session) => {
    await session.launch();
    await session.stopIn('run_as_binary');
    await session.request('setFunctionBreakpoints', { breakpoints: [] });
    await session.until('stopped', 'stepIn');
    const frameId = await session.frame(2);
    // The innermost frame is of a function that was inlined.
    await session.request('restartFrame', { frameId });
    await session.until('stopped', 'restartFrame', { frameId: frameId + 1 });
    await session.frame(2);
    await session.request('restartFrame', { frameId: 900 });
    await session.until('terminated', 'continue');
  });

  golden('threads alone', async (session) => {
    await session.launch();
    await session.stopIn('main');
    await session.request('terminateThreads', { threadIds: [1] });
    await session.request('continue', { threadId: 9, singleThread: true });
    await session.until('stopped', 'next', { threadId: 1, singleThread: true });
    await session.until('terminated', 'continue', { threadId: 1, singleThread: true });
  });

  golden('registers watched', async (session) => {
    await session.launch();
    const id = await session.stopIn('main');
    await session.request('setFunctionBreakpoints', { breakpoints: [] });
    const scopes = await session.scopes(id);
    const segments = await session.request<{ dataId: string }>('dataBreakpointInfo', {
      name: 'fs_base',
      variablesReference: scopes['Registers: Segments'],
    });
    await session.request('dataBreakpointInfo', { name: '$r15', frameId: id });
    await session.request('setDataBreakpoints', {
      breakpoints: [{ dataId: segments.dataId, accessType: 'write' }, { dataId: '$nothing' }, { dataId: '$rax', accessType: 'read' }],
    });
    await session.until('stopped', 'continue');
    await session.frame();
    await session.request('setDataBreakpoints', { breakpoints: [{ dataId: '$rax', condition: '$rax == 34' }] });
    await session.until('stopped', 'continue');
    await evaluate(session, '$rax');
    await session.request('setDataBreakpoints', { breakpoints: [] });
    await session.until('terminated', 'continue');
  });

  golden('breakpoint modes', async (session) => {
    await session.launch({ cmdline: 'a b' });
    const id = await session.stopIn('main');
    await session.request('setFunctionBreakpoints', { breakpoints: [] });
    const line = lineOf(mainSource, 'snprintf(line, sizeof(line), "argv[%d]');
    const once = { source: { path: mainSource }, breakpoints: [{ line, mode: 'once' }] };
    await session.request('setBreakpoints', once);
    await session.request('setBreakpoints', { ...once, breakpoints: [{ line, mode: 'never' }] });
    // Asked for again with nothing changed, a breakpoint keeps its number.
    await session.request('setBreakpoints', once);
    await session.request('setBreakpoints', once);
    const info = await session.request<{ dataId: string }>('dataBreakpointInfo', { name: 'greetings', frameId: id });
    await session.request('setDataBreakpoints', { breakpoints: [{ dataId: info.dataId, accessType: 'write', mode: 'change' }] });
    await session.until('stopped', 'continue');
    await session.request('setDataBreakpoints', { breakpoints: [] });
    await session.until('stopped', 'continue');
    await session.until('terminated', 'continue');
  });

  golden('locations and sources', async (session) => {
    await session.launch();
    const id = await session.stopIn('main');
    const { valueLocationReference } = await session.request<{ valueLocationReference: number }>('evaluate', {
      expression: 'main',
      context: 'watch',
      frameId: id,
    });
    await session.request('locations', { locationReference: valueLocationReference });
    await session.request('locations', { locationReference: 12345 });
    const scopes = await session.scopes(id);
    const { variables } = await session.request<{ variables: { declarationLocationReference: number }[] }>('variables', {
      variablesReference: scopes['Arguments'],
    });
    await session.request('locations', { locationReference: variables[0]!.declarationLocationReference });
    await session.request('source', { source: { path: mainSource }, sourceReference: 0 }, ({ content }: { content: string }) => ({
      content: `${content.slice(0, 40)}…`,
    }));
    await session.request('source', { source: { path: '/etc/passwd' }, sourceReference: 0 });
    await session.request('source', { sourceReference: 5 });
  });

  golden('frames with parameters', async (session) => {
    await session.launch();
    await session.stopIn('main');
    await session.request('stackTrace', {
      threadId: 1,
      levels: 1,
      format: { parameters: true, parameterTypes: true, parameterNames: true, line: true, module: true },
    });
    await session.request('stackTrace', {
      threadId: 1,
      levels: 1,
      format: { parameters: true, parameterNames: true, parameterValues: true },
    });
    await session.request('stackTrace', { threadId: 1, levels: 1, format: { hex: true, parameters: true, parameterValues: true } });
  });

  golden('commands of the console', async (session) => {
    await session.launch({ trace: ['syscalls'] });
    const id = await session.stopIn('run_as_binary');
    const say = (expression: string): Promise<unknown> => session.request('evaluate', { expression, context: 'repl', frameId: id });
    await say('help');
    await say('checkpoint here');
    await say('checkpoint');
    await say('trace write');
    await say('trace nothing_like_it');
    await say('info threads');
    await say('info pt main');
    await say('info pt 0x7f0000000000');
    await say('info');
    await say('info pt nobody');
    await say('seek somewhere');
    await say('argc');
    await session.until('stopped', 'next');
    await session.until('stopped', 'evaluate', { expression: 'seek here', context: 'repl', frameId: 1 });
    await session.frame();
  });

  golden('cancelling', async (session) => {
    await session.launch();
    await session.request('cancel', { requestId: 999_999 });
    await session.request('cancel', { progressId: 'none' });
  });

  golden('events of edits', async (session) => {
    await session.request('initialize', { adapterID: 'unikernel', supportsInvalidatedEvent: true, supportsMemoryEvent: true }, () => '…');
    await session.request('launch', { image, clock: 'skip', trace: [] });
    await session.client.event('initialized', 0);
    const id = await session.stopIn('main');
    await session.request('setExpression', { expression: 'argc', value: '1', frameId: id });
    const { memoryReference } = await session.request<{ memoryReference: string }>('evaluate', {
      expression: 'greetings',
      context: 'watch',
      frameId: id,
    });
    await session.request('writeMemory', { memoryReference, data: 'BwAAAA==' });
    await evaluate(session, 'greetings', id);
  });

  golden('attaching to a saved session', async (session) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'golden-'));
    const file = path.join(folder, 'session');
    session.replace(folder, '<folder>');
    try {
      const first = new TestClient();
      await first.launch({ image, trace: [] });
      await first.ok('setFunctionBreakpoints', { breakpoints: [{ name: 'run_as_binary' }] });
      await first.untilStopped('configurationDone', undefined);
      const { data } = await first.ok<{ data: string }>('unikernel/saveSession');
      await first.close();
      writeFileSync(file, Buffer.from(data, 'base64'));
      await session.request('initialize', { adapterID: 'unikernel' }, () => '…');
      await session.request('attach', {});
      await session.request('attach', { image, session: path.join(folder, 'nothing') });
      await session.request('attach', { image, session: file, clock: 'skip', trace: [] });
      await session.client.event('initialized', 0);
      await session.until('stopped', 'configurationDone');
      await session.frame();
      await session.until('stopped', 'stepBack');
      await session.until('terminated', 'continue');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
