/** Linux programs on the loader of the starter pool, beside the same programs on this system: same output, same exit status. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildPool } from '../../../src/build/pool-build.node';
import { formatProblem } from '../../../src/build/problems';
import { helloProgram } from '../../../src/build/templates/hello-program';
import { findToolchain } from '../../../src/build/toolchain-probe.node';
import { findProgram } from '../../../src/build/toolchain.node';
import { execCommand } from '../../../src/cli/exec';
import { type RunIo } from '../../../src/cli/io';

const root = path.resolve(__dirname, '../../..');
const fixtures = `${root}/test/fixtures/exec`;

/** A process whose input is a text, on real files. */
class TestIo implements RunIo {
  readonly handlers = undefined;
  out: Uint8Array[] = [];
  err = '';
  readonly env = {};
  readonly interactive = false;
  private fed = false;
  constructor(
    readonly cwd: string,
    private readonly input: Uint8Array,
  ) {}
  stdout = (text: string): void => void this.out.push(Buffer.from(text));
  stderr = (text: string): void => void (this.err += text);
  readFile = (file: string): Uint8Array => readFileSync(file);
  fileKind = (file: string): 'file' | 'directory' | undefined => {
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat?.isFile() ? 'file' : stat && 'directory';
  };
  writeFile = (file: string, bytes: Uint8Array): void => writeFileSync(file, bytes);
  archive = (): Promise<Uint8Array> => Promise.reject(new Error('not used'));
  writeConsole = (bytes: Uint8Array): void => void this.out.push(Uint8Array.from(bytes));
  openConsole(onInput: (bytes: Uint8Array) => void, _onInterrupt: () => void, onEnd?: () => void): void {
    if (this.fed) return;
    this.fed = true;
    // In pieces, as a pipe delivers them.
    for (let at = 0; at < this.input.length; at += 700) onInput(this.input.subarray(at, at + 700));
    onEnd?.();
  }
  close = (): void => undefined;
  elapsed = (): number => performance.now();
  sleep = (milliseconds: number): { done: Promise<void>; wake: () => void } => ({
    done: new Promise((resolve) => setTimeout(resolve, milliseconds)),
    wake: () => undefined,
  });
  breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
}

describe('unikernel exec', function () {
  this.timeout(300_000);
  let dir = '';
  let loader = '';
  const built = new Map<string, string>();

  before(async function () {
    if (process.platform !== 'linux' || process.arch !== 'x64' || !findToolchain(process.env)) {
      console.log('      skipped: needs Linux on x86-64 and a C compiler');
      this.skip();
    }
    dir = mkdtempSync(path.join(tmpdir(), 'exec-'));
    const r = await buildPool({ app: `${root}/library-pool/app/elfloader`, build: `${dir}/build`, env: process.env });
    assert.ok(r.ok, r.problems.map(formatProblem).join('\n'));
    assert.deepEqual(r.problems, [], 'the loader compiles without warnings');
    loader = r.images[0]!.image;
  });
  after(() => dir !== '' && rmSync(dir, { recursive: true, force: true }));

  /** A program of test/fixtures/exec, compiled. */
  function compiled(source: string, compiler = 'gcc', ...args: string[]): string {
    const key = `${source}-${compiler}${args.join('')}`;
    let out = built.get(key);
    if (out === undefined) {
      out = `${dir}/${key.replace(/[^\w-]/g, '')}`;
      execFileSync(compiler, ['-O2', '-g', '-o', out, `${fixtures}/${source}.c`, ...args, '-lm'], { stdio: ['ignore', 'ignore', 'pipe'] });
      built.set(key, out);
    }
    return out;
  }

  interface Result {
    readonly status: number;
    readonly out: Buffer;
    readonly err: string;
  }

  async function exec(argv: readonly string[], input: string | Uint8Array = '', cwd = dir): Promise<Result> {
    const io = new TestIo(cwd, typeof input === 'string' ? Buffer.from(input) : input);
    const status = await execCommand(['--loader', loader, '--timeout', '120', ...argv], io);
    return { status, out: Buffer.concat(io.out), err: io.err };
  }

  /** The same on this system, in an empty folder. */
  function native(program: string, args: readonly string[], input: string | Uint8Array = '', env: Record<string, string> = {}): Result {
    const cwd = mkdtempSync(path.join(dir, 'native-'));
    const r = spawnSync(program, args, { cwd, input, env, timeout: 120_000 });
    const signal: Record<string, number> = { SIGABRT: 6, SIGFPE: 8, SIGSEGV: 11 };
    return { status: r.status ?? 128 + (signal[r.signal ?? ''] ?? 0), out: r.stdout, err: r.stderr.toString() };
  }

  async function same(program: string, args: readonly string[], input: string | Uint8Array = ''): Promise<Result> {
    const here = native(program, args, input, { FOO: 'a b' });
    const there = await exec(['--cwd', '/tmp', '--env', 'FOO=a b', program, ...args], input);
    const [wanted, got] = [here, there].map((r) => r.out.toString('latin1').split('\n')) as [string[], string[]];
    const line = wanted.findIndex((text, i) => text !== got[i]);
    const around = (text: string[]): string => text.slice(Math.max(0, line - 5), line + 1).join('\n');
    if (line >= 0) assert.equal(around(got), around(wanted), `${path.basename(program)} ${args.join(' ')}: line ${line + 1}`);
    assert.equal(got.length, wanted.length);
    assert.equal(there.status, here.status, `${args.join(' ')}: ${there.err}`);
    return there;
  }

  it('runs memory, descriptors, numbers, arguments and jumps as Linux does', async () => {
    const program = compiled('system', 'gcc', '-static');
    for (const args of [
      ['memory'],
      ['descriptors'],
      ['numbers'],
      ['jump'],
      ['arguments', '', 'a b', '"', "it's", '--', '"\'"', '\\', 'ä\n\t'],
    ])
      await same(program, args);
    for (const status of ['1', '42', '85', '255']) await same(program, ['jump', status]);
  });

  it('runs static-PIE programs, and those with another C library', async function () {
    await same(compiled('system', 'gcc', '-static-pie'), ['memory']);
    if (!findProgram('musl-gcc', process.env)) return console.log('      without musl-gcc');
    const musl = compiled('system', 'musl-gcc', '-static');
    for (const part of ['memory', 'descriptors', 'numbers']) await same(musl, [part]);
  });

  it('gives input and output byte for byte', async () => {
    const program = compiled('system', 'gcc', '-static');
    await same(program, ['output']);
    const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 7919 + (i >> 8)) & 255);
    assert.match((await same(program, ['input'], bytes)).out.toString(), /^20000 bytes/);
    await same(program, ['input'], 'no line end');
    await same(program, ['input'], '');
  });

  it('ends with the status that a shell tells of signals', async () => {
    const program = compiled('system', 'gcc', '-static');
    assert.equal((await same(program, ['abort'])).status, 134);
    const crash = await exec([program, 'crash']);
    assert.equal(crash.status, 139);
    assert.match(crash.out.toString(), /page fault[^]*cr2 0000000000000008/);
    assert.equal((await exec([program, 'divide'])).status, 136);
  });

  it('calls handlers for the signals that a program sends to itself', async () => {
    const program = compiled('signals', 'gcc', '-static', '-pthread');
    await same(program, []);
    for (const [signal, status] of [
      [10, 138],
      [15, 143],
    ] as const)
      assert.equal((await exec([program, String(signal)])).status, status);
    if (findProgram('musl-gcc', process.env)) await same(compiled('signals', 'musl-gcc', '-static'), []);
  });

  it('runs children: memory, descriptors, signals and groups of their own', async () => {
    await same(compiled('children', 'gcc', '-static', '-w'), []);
    // At fixed addresses, parent and child lie in the same place; position-independent ones do not.
    await same(compiled('children', 'gcc', '-static-pie', '-w'), []);
    if (findProgram('musl-gcc', process.env)) await same(compiled('children', 'musl-gcc', '-static', '-w'), []);
  });

  it('answers in corners of files and credentials as Linux does', async () => {
    await same(compiled('edges', 'gcc', '-static', '-w'), []);
  });

  it('waits for descriptors by epoll, and by calls with masks of signals', async () => {
    await same(compiled('epoll', 'gcc', '-static', '-w'), []);
  });

  it('has counters, timers, and pipes whose ends tell of their own direction', async () => {
    await same(compiled('descriptors', 'gcc', '-static', '-w'), []);
  });

  it('passes descriptors through sockets', async () => {
    await same(compiled('rights', 'gcc', '-static', '-w'), []);
  });

  it('gives programs their faults as signals, and EFAULT for bad pointers', async () => {
    const program = compiled('faults', 'gcc', '-static', '-w');
    await same(program, []);
    for (const way of ['plain', 'blocked', 'ignored', 'stack']) {
      assert.equal(native(program, [way]).status, 139);
      const r = await exec([program, way]);
      assert.deepEqual([way, r.status], [way, 139]);
      assert.match(r.out.toString(), /page fault/);
    }
  });

  it('is not brought down by frames that lead nowhere, or by damaged programs', async () => {
    const hostile = await exec([compiled('hostile', 'gcc', '-static', '-w')]);
    assert.match(hostile.out.toString(), /8 ended/, hostile.err);
    assert.equal(hostile.status, 3);
    const seed = Number(process.env['SEED'] ?? Date.now() % 1e9);
    const rounds = Number(process.env['ROUNDS'] ?? 60);
    console.log(`      seed ${seed} (SEED=${seed} repeats it; ROUNDS sets how many, now ${rounds})`);
    const top = `${dir}/fuzz`;
    mkdirSync(top);
    writeFileSync(`${top}/small`, helloProgram(), { mode: 0o755 });
    writeFileSync(`${top}/fuzz`, readFileSync(compiled('elf-fuzz', 'gcc', '-static', '-w')), { mode: 0o755 });
    const r = await exec(['--root', top, '--cwd', '/tmp', '/fuzz', '/small', String(seed), String(rounds)]);
    assert.match(r.out.toString(), new RegExp(`${rounds} in all`), r.err);
    assert.equal(r.status, 0);
  });

  it('runs threads', async () => {
    const programs = [compiled('threads', 'gcc', '-static', '-pthread'), compiled('threads', 'gcc', '-static-pie', '-pthread')];
    if (findProgram('musl-gcc', process.env)) programs.push(compiled('threads', 'musl-gcc', '-static'));
    for (const program of programs) {
      const [here, there] = [native(program, []), await exec([program])];
      assert.equal(there.out.toString(), here.out.toString(), there.err);
      assert.deepEqual([there.status, here.status], [7, 7]);
    }
  });

  it('replaces a program by another, by execve', async () => {
    const program = compiled('system', 'gcc', '-static');
    const r = await exec([program, 'exec', `/${path.basename(program)}`]);
    assert.equal(r.out.toString(), '[arguments]\n[from exec]\nnew unset\n');
    assert.match((await exec([program, 'exec', '/none'])).out.toString(), /No such file/);
  });

  it('keeps files as Linux does, for random operations', async () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1e9);
    const rounds = Number(process.env['ROUNDS'] ?? 3);
    console.log(`      seed ${seed} (SEED=${seed} repeats it; ROUNDS sets how many, now ${rounds})`);
    const program = compiled('files', 'gcc', '-static');
    for (let round = 0; round < rounds; round++) await same(program, [String(seed + round), '600']);
  });

  it('runs what others made: busybox', async function () {
    const busybox = findProgram('busybox', process.env);
    if (!busybox || !execFileSync('file', ['-L', busybox], { encoding: 'utf8' }).includes('statically linked')) {
      console.log('      skipped: there is no static busybox');
      this.skip();
    }
    await same(busybox, ['sort', '-r'], 'b\na\nc\n');
    await same(busybox, ['md5sum'], 'text');
    await same(busybox, ['sh', '-c', 'x=3; while [ $x -gt 0 ]; do echo $x; x=$((x-1)); done; exit 9']);
    await same(busybox, ['sh', '-c', 'echo one > f; read a < f; echo $a *; [ -f f ] && echo yes; cd /; echo $FOO $PWD']);
    await same(busybox, ['awk', 'BEGIN { for (i = 0; i < 5; i++) print i, i * 7 % 5, "x" i }']);
    await same(busybox, ['sed', 's/a\\(.\\)/\\1a/g'], 'abacad\n');
    await same(busybox, ['false']);
  });

  it('runs dynamic programs whose linker and libraries are below the root', async function () {
    const program = compiled('system');
    const libraries = [...execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/(\/\S+) \(/g)].map((m) => m[1]!);
    const top = `${dir}/dynamic`;
    for (const file of libraries) {
      mkdirSync(path.dirname(top + file), { recursive: true });
      writeFileSync(top + file, readFileSync(file), { mode: 0o755 });
    }
    writeFileSync(`${top}/system`, readFileSync(program), { mode: 0o755 });
    symlinkSync('system', `${top}/link`);
    for (const name of ['/system', `${top}/system`, '/link']) {
      const r = await exec(['--root', top, '--env', 'FOO=x', name, 'arguments', 'y']);
      assert.equal(r.out.toString(), '[arguments]\n[y]\nx unset\n', r.err);
    }
    const without = await exec(['--root', path.dirname(program), program, 'memory']);
    assert.equal(without.status, 127);
    assert.match(without.out.toString(), /dynamic linker \/lib64\/ld-linux-x86-64\.so\.2 is not in the file system/);
  });

  it('says what is wrong', async () => {
    writeFileSync(`${dir}/text`, 'this is no program');
    writeFileSync(`${dir}/small`, helloProgram());
    assert.equal((await exec(['small'])).out.toString(), 'Hello from a Linux program!\n');
    for (const [argv, status, message] of [
      [[], 2, /No program is given/],
      [['--frob', 'x'], 2, /Unknown option --frob/],
      [['--env', 'x', 'small'], 2, /--env takes NAME=VALUE/],
      [['--initrd', 'x', 'small'], 2, /Unknown option --initrd/],
      [['none'], 125, /There is no program none/],
      [['--root', 'none', 'small'], 125, /--root: .*none is no folder/],
      [['small', 'x'.repeat(5000)], 125, /take \d+ bytes; the loader has room for 4095/],
      [['--cwd', '/nowhere', 'text'], 126, /text is no x86-64 ELF executable/],
    ] as const) {
      const r = await exec(argv);
      assert.equal(r.status, status, argv.join(' ').slice(0, 80));
      assert.match(r.err + r.out.toString(), message);
    }
    const help = await exec(['--help']);
    assert.match(help.out.toString(), /Usage: unikernel exec/);
    assert.ok(existsSync(loader));
  });
});
