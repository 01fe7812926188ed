import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(__dirname, '../../..');
const cli = path.join(root, 'dist/cli.js');
const image = path.join(root, 'dist/examples/hello/hello_qemu-x86_64');

/** Starts the server on a free port; it is told on standard error. */
async function serve(arguments_: readonly string[] = [image]): Promise<{
  readonly process: ChildProcess;
  readonly port: number;
  readonly ended: Promise<number | null>;
  output: () => string;
}> {
  const child = spawn(process.execPath, [cli, 'gdb', ...arguments_, '--port', '0', '--wait'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const port = await new Promise<number>((resolve, reject) => {
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
      const match = /127\.0\.0\.1:(\d+)/.exec(errors);
      if (match !== null) resolve(Number(match[1]));
    });
    child.on('exit', () => reject(new Error(`The server ended: ${errors}`)));
  });
  return { process: child, port, ended, output: () => output };
}

/** Runs gdb with these commands against the server. Asynchronous, for the server's output has to be read meanwhile. */
async function gdb(port: number, commands: readonly string[], symbols = `${image}.dbg`): Promise<string> {
  const all = ['set pagination off', 'set confirm off', 'set width 0', `target remote 127.0.0.1:${port}`, ...commands];
  const child = spawn('gdb', ['-q', '-nx', '-batch', ...all.flatMap((command) => ['-ex', command]), symbols]);
  const timer = setTimeout(() => child.kill(), 50_000);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  return text;
}

describe('gdb: the real gdb', function () {
  this.timeout(60_000);
  let running: ChildProcess | undefined;

  before(function () {
    const missing = [cli, image, `${image}.dbg`].find((file) => !existsSync(file));
    if (missing !== undefined) console.log(`      skipped: ${path.relative(root, missing)} is not built (npm run build)`);
    const none = spawnSync('gdb', ['--version']).error !== undefined;
    if (none) console.log('      skipped: gdb is not installed');
    if (missing !== undefined || none) this.skip();
  });

  afterEach(() => {
    running?.kill();
    running = undefined;
  });

  it('breaks, shows, watches, steps, finishes, and lets go', async () => {
    const server = await serve();
    running = server.process;
    const text = await gdb(server.port, [
      'p $cr0',
      'break main',
      'continue',
      'bt',
      'info registers rip eflags fs_base',
      'p sizeof($xmm0.v4_int32)',
      'x/2i $pc',
      'info threads',
      'next',
      'step',
      'finish',
      'stepi',
      'info symbol $pc',
      'set var app_tls.greetings = 1000',
      'p app_tls.greetings',
      'rwatch app_tls',
      'delete',
      'call (unsigned long)strlen(argv[0]) == (unsigned long)strlen(argv[0])',
      'detach',
    ]);
    assert.match(text, /\$1 = \[ PE ET \]/, text);
    assert.match(text, /Breakpoint 1.*main \(argc=\d+, argv=/, text);
    assert.match(text, /#0 +main \(/, text);
    assert.match(text, /rip +0x[0-9a-f]+ .*<main/, text);
    assert.match(text, /=> 0x[0-9a-f]+ <main/, text);
    assert.match(text, /Thread 1 "CPU 0" \(running\)/, text);
    assert.match(text, /Value returned is .* = 0/, text);
    assert.match(text, /main.* in section \.text/, text);
    assert.match(text, /= 1000/, text);
    assert.match(text, /detached\]/, text);
    assert.equal(await server.ended, 0, server.output());
    assert.match(server.output(), /Hello from a direct call!/);
  });

  it('lists the threads of a real image, with the stacks of those that do not run', async function () {
    const images = path.join(process.env['UNIKERNEL_SUITES'] ?? '', 'images');
    const loader = path.join(images, 'elfloader');
    const initrd = path.join(images, 'initrd', 'threads.cpio');
    const missing = [loader, `${loader}.dbg`, initrd].find((file) => !existsSync(file));
    if (missing !== undefined) {
      console.log('      skipped: UNIKERNEL_SUITES names no folder with images/elfloader and images/initrd/threads.cpio');
      this.skip();
    }
    const append = 'vfs.fstab=[ "initrd0:/:extract::ramfs=1:" ] -- /threads';
    const server = await serve([loader, '--initrd', initrd, '--append', append, '--memory', '256', '--clock', 'skip']);
    running = server.process;
    const text = await gdb(
      server.port,
      [
        'info threads',
        'hbreak uk_syscall_r_clock_nanosleep',
        'continue',
        'continue',
        'info threads',
        'thread 2',
        'bt',
        'p $rax',
        'set var $rbx = 1',
        'thread 999',
        'kill',
      ],
      `${loader}.dbg`,
    );
    const [before = '', after = ''] = text.split('hit Breakpoint');
    assert.match(before, /\* 1 +Thread 1 "CPU 0" \(running\)/, text);
    assert.match(after, /uk_syscall_r_clock_nanosleep \(/, text);
    assert.match(text, /Thread \d "init" \(blocked\) +ukarch_ctx_switch \(\)/, text);
    assert.match(text, /\* \d +Thread \d "threads" \(running\) +uk_syscall_r_clock_nanosleep/, text);
    assert.match(text, /Thread \d "idle" \(idle\)/, text);
    assert.match(text, /#2 .*uk_semaphore_down.*\n#3 .*uk_boot_shutdown_barrier.*\n#4 .*uk_boot_entry/, text);
    assert.match(text, /= <unavailable>/, text);
    assert.match(text, /Could not write register "rbx"/, text);
    assert.match(text, /Unknown thread 999/, text);
  });

  it('stops at what writes a global', async () => {
    const server = await serve();
    running = server.process;
    const text = await gdb(server.port, ['watch consoles', 'continue', 'bt 1', 'p consoles != 0', 'monitor info', 'kill']);
    assert.match(text, /atchpoint 1: consoles\s+Old value = .*0x0\s+New value = .*0x[1-9a-f]/, text);
    assert.match(text, /virtual time/, text);
    assert.equal(await server.ended, 0);
  });

  it('goes back: by instructions, by lines, to breakpoints, and to the write of a global', async () => {
    const server = await serve();
    running = server.process;
    const text = await gdb(server.port, [
      'break main',
      'continue',
      'set $start = $pc',
      'next',
      'next',
      'reverse-stepi',
      'reverse-continue',
      'p $pc == $start',
      'watch consoles',
      'reverse-continue',
      'p consoles == 0',
      'delete',
      'reverse-continue',
      'kill',
    ]);
    assert.match(text, /\$1 = 1\n/, text);
    assert.match(text, /atchpoint 2: consoles\s+Old value = .*0x[1-9a-f].*\s+New value = .*0x0/, text);
    assert.match(text, /\$2 = 1\n/, text);
    assert.match(text, /No more reverse-execution history/, text);
    assert.equal(await server.ended, 0);
  });
});
