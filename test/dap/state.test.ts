/** Golden transcripts of what can be seen and changed in a stopped guest. */
import { type DebugProtocol } from '@vscode/debugprotocol';
import { golden, mainSource, type Session } from './golden';

type Variables = DebugProtocol.VariablesResponse['body'];

const named =
  (...names: readonly string[]) =>
  ({ variables }: Variables): unknown => ({ variables: variables.filter(({ name }) => names.includes(name)) });

/** Opens a row of a group and answers its reference. */
async function open(session: Session, reference: number, name: string, extra: object = {}): Promise<number> {
  const body = await session.request<Variables>('variables', { variablesReference: reference, ...extra }, named(name));
  return body.variables.find((row) => row.name === name)!.variablesReference;
}

describe('debug adapter: state', () => {
  golden('stack', async (session) => {
    await session.launch();
    await session.stopIn('run_as_binary');
    await session.frame(0);
    await session.request('stackTrace', { threadId: 1, startFrame: 1, levels: 2 });
    await session.request('stackTrace', { threadId: 1, startFrame: 99, levels: 2 });
    await session.request('scopes', { frameId: 99 });
    await session.request('threads');
  });

  golden('arguments and locals', async (session) => {
    await session.launch({ cmdline: 'first' });
    const id = await session.stopIn('main');
    const scopes = await session.scopes(id);
    await session.request('variables', { variablesReference: scopes['Arguments'] });
    await session.request('variables', { variablesReference: scopes['Arguments'], format: { hex: true } });
    const argv = await open(session, scopes['Arguments']!, 'argv');
    await session.request('variables', { variablesReference: argv });
    const line = await open(session, scopes['Locals']!, 'line');
    await session.request('variables', { variablesReference: line, filter: 'indexed', start: 78, count: 5 }, (body: Variables) =>
      body.variables.map(({ name, type, evaluateName }) => ({ name, type, evaluateName })),
    );
    await session.request('variables', { variablesReference: line, filter: 'named' });
    await session.until('stopped', 'next');
    await session.request('variables', { variablesReference: scopes['Arguments'] });
  });

  golden('structures', async (session) => {
    await session.launch();
    const id = await session.stopIn('run_as_binary');
    const scopes = await session.scopes(id);
    const globals = Object.entries(scopes).find(([name]) => name.startsWith('Globals'))![1];
    const tls = await open(session, globals, 'app_tls');
    await session.request('variables', { variablesReference: tls });
    await session.request('setVariable', { variablesReference: tls, name: 'greetings', value: '42' });
    await session.request('setVariable', { variablesReference: tls, name: 'greetings', value: 'forty' });
    await session.request('setVariable', { variablesReference: tls, name: 'farewells', value: '1' });
    await session.request('setVariable', { variablesReference: globals, name: 'app_tls', value: '1' });
    await session.request('evaluate', { expression: 'app_tls.greetings', frameId: id, context: 'watch' });
    await session.request('evaluate', { expression: '*app_tls.self', frameId: id, context: 'watch' });
    // The program finds the change, and ends with an error.
    await session.until('stopped', 'continue');
  });

  golden('return value', async (session) => {
    await session.launch();
    await session.stopIn('run_as_binary');
    await session.until('stopped', 'stepOut');
    const id = await session.frame();
    const scopes = await session.scopes(id);
    await session.request('variables', { variablesReference: scopes['Return value'] });
    await session.request('setVariable', { variablesReference: scopes['Return value'], name: 'run_as_binary', value: '1' });
    // It is shown where the call came back, and not after.
    await session.until('stopped', 'next');
    await session.scopes(await session.frame());
  });

  golden('globals by library', async (session) => {
    await session.launch();
    const id = await session.stopIn('main');
    const scopes = await session.scopes(id);
    const libraries = scopes['Globals by library']!;
    const hello = await open(session, libraries, 'hello');
    await session.request('variables', { variablesReference: hello }, named('app_tls'));
    await session.request('setVariable', { variablesReference: libraries, name: 'hello', value: '1' });
    await session.request('setVariable', { variablesReference: hello, name: 'nothing', value: '1' });
    await session.request('variables', { variablesReference: 99999 });
  });

  golden('registers', async (session) => {
    await session.launch();
    const id = await session.stopIn('main');
    const scopes = await session.scopes(id);
    const general = scopes['Registers: General']!;
    const sse = scopes['Registers: SSE']!;
    const set = (variablesReference: number, name: string, value: string): Promise<unknown> =>
      session.request('setVariable', { variablesReference, name, value });
    await session.request('variables', { variablesReference: general }, named('rax', 'rip', 'rflags'));
    for (const value of ['0x1234', '-1', '18446744073709551616', 'many', '']) await set(general, 'rax', value);
    await set(general, 'r99', '1');
    await set(general, 'rflags', '0x246');
    const flags = await open(session, general, 'rflags');
    await session.request('variables', { variablesReference: flags }, named('CF', 'ZF', 'IF', 'IOPL'));
    await set(flags, 'CF', '1');
    await set(flags, 'CF', '2');
    await session.request('evaluate', { expression: '$rflags & 1', frameId: id, context: 'watch' });
    const bits = scopes['Registers: Flags']!;
    await session.request('variables', { variablesReference: bits }, named('CF', 'ZF', 'IF', 'IOPL'));
    await set(bits, 'ZF', '0');
    await set(bits, 'IOPL', '4');
    await session.request('evaluate', { expression: '$rflags & 0x40', frameId: id, context: 'watch' });
    await set(sse, 'xmm3', '0x00000003000000020000000100000000');
    const xmm = await open(session, sse, 'xmm3');
    await session.request('variables', { variablesReference: xmm });
    const lanes = await open(session, xmm, 'i32');
    await session.request('variables', { variablesReference: lanes });
    await set(lanes, '[2]', '-5');
    await set(lanes, '[2]', '0x100000000');
    await set(lanes, '[9]', '1');
    const floats = await open(session, xmm, 'f64');
    await set(floats, '[1]', '2.5');
    await session.request('evaluate', { expression: '$xmm3', frameId: id, context: 'watch' });
    await session.request('setVariable', { variablesReference: scopes['Registers: x87']!, name: 'st0', value: '1.5' });
    await session.request('setVariable', { variablesReference: scopes['Registers: Segments']!, name: 'fs', value: '0x10000' });
  });

  golden('evaluate', async (session) => {
    await session.launch();
    const id = await session.stopIn('main');
    const evaluate = (expression: string, context = 'watch', extra: object = {}): Promise<unknown> =>
      session.request('evaluate', { expression, context, frameId: id, ...extra });
    for (const context of ['watch', 'repl', 'hover', 'clipboard', 'variables']) await evaluate('argc + 1', context);
    for (const expression of [
      'argc,x',
      'sizeof(line)',
      "'A' + 1",
      '(char)66',
      'argc ? 10 : 20',
      '1 / 0',
      '3.0 / 2',
      '&main',
      'main',
      '*main',
      'argv[0][0],[1]',
      'nobody',
      'argc +',
      '(argc',
      'greet("again")',
      'greet(((1)',
      'argc.x',
      '*argc',
      '*(int *)0x7f0000000000',
      '&argc',
      '"text"',
      '$nosuch',
      '(struct nosuch *)0',
      'argc,q',
      '',
      '@',
      '(int)(0.0 / 0.0)',
      '(char[2000000000])line',
      'argc,[2000000000]',
    ])
      await evaluate(expression);
    await evaluate('argc', 'watch', { format: { hex: true } });
    await evaluate('argc', 'watch', { frameId: 77 });
    await session.request('evaluate', { expression: 'argc' });
    await evaluate('argc = 5', 'repl');
    await evaluate('argc', 'repl');
    await evaluate('$rax = 7', 'repl');
    await evaluate('main = 1', 'repl');
  });

  golden('set expression', async (session) => {
    await session.launch();
    const id = await session.stopIn('run_as_binary');
    const set = (expression: string, value: string): Promise<unknown> =>
      session.request('setExpression', { expression, value, frameId: id });
    await set('app_tls.greetings', '0x29');
    await set('app_tls.greetings', 'app_tls.greetings + 1');
    await set('app_tls.greetings', 'many');
    await set('app_tls', '1');
    await set('*(int *)0', '1');
    await set('*(int *)0x7f0000000000', '1');
    await set('$rbx', '16');
    await set('$rbx', '99999999999999999999');
    await set('1 + 1', '3');
  });

  golden('completions', async (session) => {
    await session.launch();
    const id = await session.stopIn('run_as_binary');
    const complete = (text: string): Promise<unknown> =>
      session.request('completions', { text, column: text.length + 1, frameId: id }, ({ targets }: { targets: { label: string }[] }) =>
        targets.length > 12 ? `${targets[0]!.label} and more` : { targets },
      );
    for (const text of ['(struct app', 'sizeof(struct app_t', '(enum', '(struct nobod']) await complete(text);
    for (const text of ['$r1', '$RS', 'app_', 'app_tls.', 'app_tls.self->gr', 'run_as', 'nobody', 'nobody.', '1 + fai', ''])
      await complete(text);
    await session.request('completions', { text: 'app_', column: 99, frameId: id });
    await session.request('completions', { text: '', column: 1, frameId: 55 });
  });

  golden('memory', async (session) => {
    await session.launch();
    const id = await session.stopIn('run_as_binary');
    const { memoryReference } = await session.request<{ memoryReference: string }>('evaluate', {
      expression: 'app_tls.greetings',
      frameId: id,
      context: 'watch',
    });
    const read = (reference: string, count: number, offset?: number): Promise<unknown> =>
      session.request('readMemory', { memoryReference: reference, count, ...(offset === undefined ? {} : { offset }) });
    await read(memoryReference, 8);
    await read(memoryReference, 4, 8 - 8);
    await read(memoryReference, 0);
    await session.request('writeMemory', { memoryReference, data: Buffer.from('02000000', 'hex').toString('base64') });
    await read(memoryReference, 8);
    await session.request('evaluate', { expression: 'app_tls.greetings', frameId: id, context: 'watch' });
    await session.request('writeMemory', { memoryReference, offset: 1, data: 'AQ==' });
    await read(memoryReference, 8);
    await session.request('writeMemory', { memoryReference, data: 'not base64!' });
    await read('0x7f0000000000', 16);
    await session.request('writeMemory', { memoryReference: '0x7f0000000000', data: 'AAAA' });
    await session.request('writeMemory', { memoryReference: '0x7f0000000000', data: 'AAAA', allowPartial: true });
    await read('nowhere', 16);
    await read('0xffffffffffffffff', 16, 1);
  });

  golden('disassembly', async (session) => {
    await session.launch();
    await session.stopIn('main');
    const { stackFrames } = await session.client.ok<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: 1, levels: 1 });
    const memoryReference = stackFrames[0]!.instructionPointerReference!;
    const disassemble = (args: object, view?: (body: never) => unknown): Promise<unknown> =>
      session.request('disassemble', { memoryReference, ...args }, view);
    await disassemble({ instructionCount: 3, resolveSymbols: true });
    await disassemble({ instructionOffset: -2, instructionCount: 3 });
    // What VS Code asks first: the target must be the middle entry.
    await disassemble(
      { instructionOffset: -200, instructionCount: 400, resolveSymbols: true },
      ({ instructions }: { instructions: DebugProtocol.DisassembledInstruction[] }) => ({
        count: instructions.length,
        distinct: new Set(instructions.map(({ address }) => address)).size,
        ascending: instructions.every(({ address }, index) => index === 0 || BigInt(address) > BigInt(instructions[index - 1]!.address)),
        middle: instructions[200]!.address,
      }),
    );
    await disassemble({ instructionOffset: 5, instructionCount: 0 });
    await session.request('disassemble', { memoryReference: '0x7f0000000000', instructionOffset: -2, instructionCount: 4 });
    await session.request(
      'disassemble',
      { memoryReference: '0x0', instructionOffset: -1, instructionCount: 2 },
      (body: { instructions: DebugProtocol.DisassembledInstruction[] }) => body.instructions.map(({ address }) => address),
    );
  });

  golden('modules and sources', async (session) => {
    await session.launch();
    const few = ({ modules, totalModules }: DebugProtocol.ModulesResponse['body'] & { modules: { name: string }[] }): unknown => ({
      modules: modules.filter(({ name }) => name === 'hello'),
      complete: totalModules === modules.length,
    });
    await session.request('modules', {}, few);
    await session.request('modules', { startModule: 0, moduleCount: 1 }, ({ modules }: { modules: unknown[] }) => modules.length);
    await session.request('modules', { startModule: 5000, moduleCount: 1 }, ({ modules }: { modules: unknown[] }) => modules.length);
    await session.request('loadedSources', undefined, ({ sources }: { sources: { path: string }[] }) => ({
      sources: sources.filter(({ path }) => path.includes('/app/hello/')),
    }));
    await session.request('breakpointLocations', { source: { path: mainSource }, line: 1, endLine: 400 });
  });
});
