/** A dynamic Linux program with a library of its own, run by Unikraft's ELF loader: symbols, breakpoints, stacks and thread-local variables of all of it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type DebugProtocol } from '@vscode/debugprotocol';
import { packFolder } from '../../src/build/cpio.node';
import { TestClient } from './client';

const suites = process.env['UNIKERNEL_SUITES'];
const loader = suites === undefined ? undefined : path.join(suites, 'images', 'elfloader');
const libraries = '/lib/x86_64-linux-gnu';
const linker = '/lib64/ld-linux-x86-64.so.2';

const librarySource = `#include <unistd.h>
__thread int library_calls = 40;
__thread char library_name[] = "shared";
int note(int value) {
  library_calls += value;
  write(1, "noted\\n", 6);
  return library_calls;
}
`;
const programSource = `#include <stdio.h>
int note(int value);
__thread int program_calls = 7;
static int twice(int value) {
  program_calls++;
  return note(value) + note(value);
}
int main(void) {
  printf("%d\\n", twice(1) + program_calls);
  return 0;
}
`;

describe('a dynamic Linux program on the ELF loader', function () {
  this.timeout(300_000);
  let folder: string | undefined;
  let client: TestClient;

  before(function () {
    if (loader === undefined || !existsSync(loader) || !existsSync(linker)) {
      console.log(
        '    SKIPPED: dynamic programs: UNIKERNEL_SUITES names no folder with images/elfloader, or this host has no glibc to run them with',
      );
      return this.skip();
    }
    folder = mkdtempSync(path.join(tmpdir(), 'dynamic-'));
    const root = path.join(folder, 'root');
    for (const each of [libraries, '/lib64']) mkdirSync(path.join(root, each), { recursive: true });
    writeFileSync(path.join(folder, 'note.c'), librarySource);
    writeFileSync(path.join(folder, 'program.c'), programSource);
    const build = (...options: string[]): void => void execFileSync('gcc', options, { cwd: folder });
    build('-g', '-O1', '-fPIC', '-shared', '-Wl,--build-id=0xab01', '-o', `root${libraries}/libnote.so`, 'note.c');
    build('-g', '-O1', '-fno-inline', '-Wl,--build-id=0xab02', '-o', 'root/program', 'program.c', `-Lroot${libraries}`, '-lnote');
    copyFileSync(linker, path.join(root, linker));
    copyFileSync(`${libraries}/libc.so.6`, path.join(root, libraries, 'libc.so.6'));
    writeFileSync(path.join(folder, 'root.cpio'), packFolder(root));
    const debugFolder = path.join(folder, 'debug', '.build-id', 'ab');
    mkdirSync(debugFolder, { recursive: true });
    const part = (file: string, id: string): void => {
      execFileSync('objcopy', ['--only-keep-debug', path.join(root, file), path.join(debugFolder, `${id}.debug`)]);
      execFileSync('strip', [path.join(root, file)]);
    };
    part(`${libraries}/libnote.so`, '01');
    part('program', '02');
    writeFileSync(path.join(folder, 'parted.cpio'), packFolder(root));
  });
  after(() => folder !== undefined && rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => {
    client = new TestClient();
    // The loader copies the libraries and the linker binds them: some ten million instructions.
    client.patience = 120_000;
  });
  afterEach(() => client.close());

  const launch = (disk: string): Promise<unknown> =>
    client.launch({
      image: loader,
      initrd: path.join(folder!, disk),
      debugFileDirectories: [path.join(folder!, 'debug')],
      cmdline: 'vfs.fstab=[ "initrd0:/:extract::ramfs=1:" ] -- /program',
      memory: 256,
      trace: [],
    });
  const stack = async (threadId: number): Promise<readonly DebugProtocol.StackFrame[]> =>
    (await client.ok<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId })).stackFrames;

  it('stops in the program, in its library, and sees from the kernel through the system call back to main', () => look('root.cpio'));

  it('does so where both are stripped, and their debug information is found by their build IDs', () => look('parted.cpio'));

  async function look(disk: string): Promise<void> {
    await launch(disk);
    await client.ok('setBreakpoints', { source: { path: path.join(folder!, 'program.c') }, breakpoints: [{ line: 6 }] });
    await client.ok('setFunctionBreakpoints', { breakpoints: [{ name: 'note' }] });
    const first = await client.untilStopped('configurationDone', undefined);
    let frames = await stack(first.threadId!);
    assert.deepEqual(
      frames.slice(0, 2).map(({ name, line }) => `${name}:${line}`),
      ['twice:6', 'main:9'],
    );
    assert.equal(await client.evaluate('program_calls', frames[0]!.id), '8');

    const second = await client.untilStopped('continue', { threadId: first.threadId });
    frames = await stack(second.threadId!);
    assert.deepEqual(
      frames.slice(0, 3).map(({ name }) => name),
      ['note', 'twice', 'main'],
    );
    assert.ok(frames[0]!.source?.path?.endsWith('/note.c'));
    // Each file has its own block of the thread's variables.
    assert.equal(await client.evaluate('library_calls', frames[0]!.id), '40');
    assert.match(await client.evaluate('library_name', frames[0]!.id), /"shared"/);
    assert.equal(await client.evaluate('program_calls', frames[1]!.id), '8');

    await client.ok('setFunctionBreakpoints', { breakpoints: [{ name: 'uk_syscall_r_write' }] });
    const third = await client.untilStopped('continue', { threadId: second.threadId });
    frames = await stack(third.threadId!);
    const names = frames.map(({ name }) => name);
    const boundary = names.indexOf('system call: write');
    assert.ok(boundary > 1, names.join(' < '));
    assert.equal(frames[boundary]!.presentationHint, 'label');
    assert.ok(
      names.slice(0, boundary).some((name) => name.includes('uk_syscall_r_write')),
      names.join(' < '),
    );
    assert.deepEqual(names.slice(names.indexOf('note'), names.indexOf('note') + 3), ['note', 'twice', 'main'], names.join(' < '));
    assert.ok(names.indexOf('note') > boundary, names.join(' < '));
    // In the kernel, its own thread-local block is active; the program's are found all the same.
    const inLibrary = frames[names.indexOf('note')]!;
    assert.equal(await client.evaluate('library_calls', inLibrary.id), '41');
    assert.equal(await client.evaluate('program_calls', frames[names.indexOf('twice')]!.id), '8');
    assert.equal(await client.evaluate('value', frames[names.indexOf('twice')]!.id), '1');
  }
});
