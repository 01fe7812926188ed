/** Golden transcripts of breakpoints of every kind. */
import { binarySource, golden, lineOf, mainSource, sourcePath } from './golden';

describe('debug adapter: breakpoints', () => {
  golden('source breakpoints', async (session) => {
    await session.launch();
    const call = lineOf(mainSource, 'greet("Hello from a direct call!');
    const set = (...breakpoints: readonly object[]): Promise<unknown> =>
      session.request('setBreakpoints', { source: { path: mainSource }, breakpoints });
    await set({ line: call }, { line: call - 1 }, { line: 3 }, { line: 9000 });
    await session.request('setBreakpoints', { source: { path: sourcePath('elsewhere.c') }, breakpoints: [{ line: 3 }] });
    await session.request('setBreakpoints', { source: {}, breakpoints: [{ line: 3 }] });
    await session.request('breakpointLocations', { source: { path: mainSource }, line: call - 1, endLine: call });
    await session.until('stopped', 'configurationDone');
    await session.frame();
    // Replaced: none of the old ones stops any more.
    await set();
    await session.until('terminated', 'continue');
  });

  golden('conditions', async (session) => {
    await session.launch({ cmdline: 'a b c d' });
    const line = lineOf(mainSource, 'snprintf(line, sizeof(line), "argv[%d]');
    const set = (...breakpoints: readonly object[]): Promise<unknown> =>
      session.request('setBreakpoints', { source: { path: mainSource }, breakpoints });
    await set({ line, condition: 'i == 2' });
    await session.until('stopped', 'configurationDone');
    await session.request('evaluate', { expression: 'i', context: 'watch', frameId: 1 });
    await set({ line, hitCondition: '2' });
    await session.until('stopped', 'continue');
    await session.request('evaluate', { expression: 'i', context: 'watch', frameId: 1 });
    await set({ line, hitCondition: 'often' });
    await set({ line: lineOf(mainSource, 'return 0;'), condition: 'nobody > 1' });
    await session.until('stopped', 'continue');
  });

  golden('log points', async (session) => {
    await session.launch({ cmdline: 'a b' });
    const line = lineOf(mainSource, 'snprintf(line, sizeof(line), "argv[%d]');
    await session.request('setBreakpoints', {
      source: { path: mainSource },
      breakpoints: [{ line, logMessage: 'argument {i} of {argc}: {argv[i][0],c} \\{{nobody}\\}' }],
    });
    await session.until('terminated', 'configurationDone');
  });

  golden('function breakpoints', async (session) => {
    await session.launch();
    await session.request('setFunctionBreakpoints', {
      breakpoints: [
        { name: 'main' },
        { name: '/^run_as_/' },
        { name: 'libposix-process:uk_syscall_r_getpid' },
        { name: 'hello:main' },
        { name: 'nosuchlibrary:main' },
        { name: 'nobody' },
        { name: '/(/' },
        { name: '' },
      ],
    });
    await session.until('stopped', 'configurationDone');
    await session.frame();
    await session.until('stopped', 'continue');
    await session.frame();
  });

  golden('instruction breakpoints', async (session) => {
    await session.launch();
    const id = await session.stopIn('main');
    await session.request('setFunctionBreakpoints', { breakpoints: [] });
    const { stackFrames } = await session.request<{ stackFrames: { instructionPointerReference: string }[] }>('stackTrace', {
      threadId: 1,
      levels: 1,
    });
    const here = stackFrames[0]!.instructionPointerReference;
    const { result } = await session.request<{ result: string }>('evaluate', {
      expression: '&run_as_binary',
      frameId: id,
      context: 'watch',
    });
    const there = /0x[0-9a-f]+/.exec(result)![0];
    await session.request('setInstructionBreakpoints', {
      breakpoints: [{ instructionReference: here }, { instructionReference: there, condition: '$rip != 0' }],
    });
    await session.until('stopped', 'continue');
    await session.frame();
    await session.request('setInstructionBreakpoints', { breakpoints: [{ instructionReference: 'main' }] });
    await session.request('setInstructionBreakpoints', { breakpoints: [{ instructionReference: '0xdead0000beef' }] });
    await session.until('terminated', 'continue');
  });

  golden('data breakpoints', async (session) => {
    await session.launch();
    const id = await session.stopIn('run_as_binary');
    await session.request('setFunctionBreakpoints', { breakpoints: [] });
    const info = await session.request<{ dataId: string }>('dataBreakpointInfo', { name: 'app_tls.greetings', frameId: id });
    await session.request('dataBreakpointInfo', { name: '$rax', frameId: id });
    await session.request('dataBreakpointInfo', { name: 'nobody', frameId: id });
    await session.request('dataBreakpointInfo', { name: 'nowhere', asAddress: true, bytes: 4 });
    const scopes = await session.scopes(id);
    const globals = Object.entries(scopes).find(([name]) => name.startsWith('Globals'))![1];
    await session.request('dataBreakpointInfo', { name: 'app_tls', variablesReference: globals });
    await session.request('dataBreakpointInfo', { name: 'nobody', variablesReference: globals });
    await session.request('setDataBreakpoints', { breakpoints: [{ dataId: info.dataId, accessType: 'read' }] });
    await session.until('stopped', 'continue');
    await session.frame();
    const address = info.dataId.split(':')[0]!;
    await session.request('dataBreakpointInfo', { name: address, asAddress: true, bytes: 16 });
    await session.request('setDataBreakpoints', {
      breakpoints: [{ dataId: `${address}:8`, accessType: 'readWrite', hitCondition: '= 1' }],
    });
    await session.until('stopped', 'continue');
    await session.request('setDataBreakpoints', { breakpoints: [] });
    await session.until('terminated', 'continue');
  });

  golden('written data', async (session) => {
    await session.launch();
    const id = await session.stopIn('main');
    await session.request('setFunctionBreakpoints', { breakpoints: [] });
    const info = await session.request<{ dataId: string }>('dataBreakpointInfo', { name: 'greetings', frameId: id });
    await session.request('setDataBreakpoints', { breakpoints: [{ dataId: info.dataId, accessType: 'write' }] });
    await session.until('stopped', 'continue');
    await session.frame();
    await session.request('setDataBreakpoints', { breakpoints: [{ dataId: info.dataId, condition: 'greetings > 2' }] });
    await session.until('stopped', 'continue');
    await session.request('evaluate', { expression: 'greetings', context: 'watch', frameId: 1 });
  });

  golden('exceptions', async (session) => {
    await session.launch({ stopAtEnd: 'never' });
    await session.request('setExceptionBreakpoints', { filters: ['pf', 'ud', 'sleep'], filterOptions: [{ filterId: 'gp' }] });
    await session.request('exceptionInfo', { threadId: 1 });
    const id = await session.stopIn('main');
    await session.request('setExpression', { expression: '$rip', value: '0x7f0000000000', frameId: id });
    await session.until('stopped', 'continue');
    await session.request('exceptionInfo', { threadId: 1 });
    await session.frame();
    // Let through, the guest's own handler gets it.
    await session.until('terminated', 'continue');
  });

  golden('system call in the application', async (session) => {
    await session.launch();
    await session.request('setBreakpoints', {
      source: { path: binarySource },
      breakpoints: [{ line: lineOf(binarySource, 'if (app_greetings() != 41)') }],
    });
    await session.until('stopped', 'configurationDone');
    await session.frame(3);
  });
});
