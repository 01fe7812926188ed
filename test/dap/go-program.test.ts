/** A Go program on Unikraft's ELF loader: its functions by their names, steps, and its values as what they hold. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type DebugProtocol } from '@vscode/debugprotocol';
import { packFolder } from '../../src/build/cpio.node';
import { buildGo, goSource, haveGo } from '../unit/symbols/go-program';
import { TestClient } from './client';

const suites = process.env['UNIKERNEL_SUITES'];
const loader = suites === undefined ? undefined : path.join(suites, 'images', 'elfloader');
const lines = readFileSync(goSource, 'utf8').split('\n');
const lineOf = (text: string): number => lines.findIndex((line) => line.includes(text)) + 1;

describe('a Go program on the ELF loader', function () {
  this.timeout(300_000);
  let folder: string | undefined;
  let client: TestClient;

  before(function () {
    if (loader === undefined || !existsSync(loader) || !haveGo('a Go program under the debugger')) {
      if (loader === undefined || !existsSync(loader)) console.log('    SKIPPED: UNIKERNEL_SUITES names no folder with images/elfloader');
      return this.skip();
    }
    folder = mkdtempSync(path.join(tmpdir(), 'go-'));
    mkdirSync(path.join(folder, 'root'));
    buildGo(path.join(folder, 'root/program'), '-gcflags=all=-N -l');
    writeFileSync(path.join(folder, 'root.cpio'), packFolder(path.join(folder, 'root')));
  });
  after(() => folder !== undefined && rmSync(folder, { recursive: true, force: true }));

  beforeEach(async () => {
    client = new TestClient();
    client.patience = 60_000;
    const line = 'vfs.fstab=[ "initrd0:/:extract::ramfs=1:" ] -- /program';
    await client.launch({ image: loader, cmdline: line, memory: 256, trace: [], initrd: path.join(folder!, 'root.cpio') });
  });
  afterEach(() => client.close());

  type Row = DebugProtocol.Variable;
  const children = async (variablesReference: number, page = {}): Promise<Row[]> =>
    (await client.ok<DebugProtocol.VariablesResponse['body']>('variables', { variablesReference, ...page })).variables;
  const frames = (): Promise<DebugProtocol.StackFrame[]> => client.stack();

  /** Rows of the frame's first scopes by name. */
  async function variables(frame: number): Promise<ReadonlyMap<string, Row>> {
    const { id } = (await frames())[frame]!;
    const { scopes } = await client.ok<DebugProtocol.ScopesResponse['body']>('scopes', { frameId: id });
    const rows = new Map<string, Row>();
    for (const scope of scopes.filter(({ name }) => name === 'Arguments' || name === 'Locals'))
      for (const row of await children(scope.variablesReference)) rows.set(row.name, row);
    return rows;
  }

  const stopAt = async (...names: string[]): Promise<void> => {
    await client.ok('setFunctionBreakpoints', { breakpoints: names.map((name) => ({ name })) });
  };
  const shown = async (row: Row | undefined): Promise<string[]> =>
    (await children(row!.variablesReference)).map(({ name, value }) => `${name} ${value}`.trim());

  it('shows what strings, slices, maps, interfaces, channels and errors hold', async () => {
    await stopAt('program:main.show');
    await client.untilStopped('configurationDone', undefined);
    assert.equal((await frames())[0]!.name, 'main.show');
    const first = await variables(0);
    const text = (name: string): string | undefined => first.get(name)?.value;
    assert.equal(text('text'), '"first"');
    assert.equal(text('numbers'), '[8] {3, 1, 4, 1, …}');
    assert.equal(text('shape'), 'main.Square {side = 2}');
    assert.equal(text('any'), 'int 42');
    assert.equal(text('queue'), '[2 of 4] {7, 8}');
    assert.equal(text('err'), 'nil');
    assert.match(text('table')!, /^\[3\] \{(?=.*"one": 1)(?=.*"two": 2)(?=.*"three": 3)/);
    const rows = await shown(first.get('table'));
    assert.deepEqual(rows.slice(0, 3).sort(), ['["one"] 1', '["three"] 3', '["two"] 2']);
    assert.equal(rows[3], '<as it is kept>');
    const page = await children(first.get('table')!.variablesReference, { filter: 'indexed', start: 1, count: 1 });
    assert.equal(`${page[0]!.name} ${page[0]!.value}`, rows[1]);
    assert.deepEqual(await shown(first.get('queue')), ['[0] 7', '[1] 8', '<as it is kept>']);
    const { id } = (await frames())[0]!;
    assert.equal(await client.evaluate('numbers[5]', id), '9');
    await client.untilStopped('continue');
    const second = await variables(0);
    assert.equal(second.get('numbers')?.value, '[3] {4, 1, 5}');
    assert.match(second.get('shape')!.value, /^\*main\.Circle 0x[0-9a-f]+$/);
    assert.equal(second.get('any')?.value, 'string "text"');
    assert.match(second.get('err')!.value, /^\*errors\.errorString 0x/);
  });

  it('shows each entry of a map once while it grows', async () => {
    await stopAt('main.grown');
    await client.untilStopped('configurationDone', undefined);
    for (let last = 0; last < 60; last++) {
      const { table } = Object.fromEntries(await variables(0));
      const rows = (await shown(table)).slice(0, -1);
      const expected = Array.from({ length: last + 1 }, (_, key) => `[${key}] "${'x'.repeat(key % 3)}"`);
      assert.deepEqual([...rows].sort(), expected.sort());
      if (last < 59) await client.untilStopped('continue');
    }
  });

  it('stops at methods, closures and any instance of a generic function, and shows what the heap keeps of a frame', async () => {
    await stopAt('main.(*Tree).Insert', 'main.counter.func1', 'main.(*Stack[...]).Push');
    await client.untilStopped('configurationDone', undefined);
    assert.equal((await frames())[0]!.name, 'main.counter.func1');
    await client.untilStopped('next');
    await client.untilStopped('next');
    assert.equal((await variables(0)).get('n')?.value, '1');
    assert.equal(await client.evaluate('n + 1', (await frames())[0]!.id), '2');
    for (const name of ['main.counter.func1', 'main.(*Tree).Insert']) {
      await client.untilStopped('continue');
      assert.equal((await frames())[0]!.name, name);
    }
    const caller = await variables(1);
    assert.match(caller.get('next')!.value, /^0x[0-9a-f]+ <main\.counter\.func1>$/);
    await stopAt('main.(*Stack[...]).Push');
    await client.untilStopped('continue');
    // Compilers before Go 1.20 number shapes.
    assert.match((await frames())[0]!.name, /^main\.\(\*Stack\[go\.shape\.string(_0)?\]\)\.Push$/);
    const order = (await variables(1)).get('order');
    assert.match(order!.value, /^\[9\] \{"the", "fox", "the", "dog", …\}$/);
  });

  it('stops at lines and steps over what other goroutines do meanwhile', async () => {
    const sent = lineOf('in <- n');
    await client.ok('setBreakpoints', { source: { path: goSource }, breakpoints: [{ line: sent }] });
    await client.untilStopped('configurationDone', undefined);
    await client.ok('setBreakpoints', { source: { path: goSource }, breakpoints: [] });
    for (let i = 0; i < 6; i++) {
      assert.equal((await frames())[0]!.line, i % 2 === 0 ? sent : sent - 1);
      await client.untilStopped('next');
    }
    const main = (await frames())[0]!;
    assert.equal(main.name, 'main.main');
    assert.equal(await client.evaluate('n', main.id), '3');
  });
});
