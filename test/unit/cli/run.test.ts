import assert from 'node:assert/strict';
import { type RunIo } from '../../../src/cli/io';
import { runCommand } from '../../../src/cli/run';
import { gdbHelp, parseGdbOptions } from '../../../src/cli/gdb';
import { flags, foreignToGdb, valued } from '../../../src/cli/run-option-table';
import { parseRunOptions, runHelp } from '../../../src/cli/run-options';
import { elfImage, kludgeImage } from '../machine/images';

/** A process without a process: files in a map, output in strings, and sleep that only moves the clock. */
class FakeIo implements RunIo {
  readonly handlers = undefined;
  out = '';
  err = '';
  console = '';
  now = 1;
  closed = 0;
  slept = 0;
  readonly files = new Map<string, Uint8Array>();
  readonly cwd = '/';
  readonly env = {};
  interactive = false;
  typed: ((bytes: Uint8Array) => void) | undefined;
  interrupt: (() => void) | undefined;
  stdout(text: string): void {
    this.out += text;
  }
  stderr(text: string): void {
    this.err += text;
  }
  readFile(path: string): Uint8Array {
    const bytes = this.files.get(path);
    if (bytes === undefined) throw new Error(`${path} does not exist.`);
    return bytes;
  }
  fileKind(path: string): 'file' | undefined {
    return this.files.has(path) ? 'file' : undefined;
  }
  writeFile(path: string, bytes: Uint8Array): void {
    this.files.set(path, bytes);
  }
  archive(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(0));
  }
  writeConsole(bytes: Uint8Array): void {
    this.console += Buffer.from(bytes).toString('latin1');
  }
  openConsole(onInput: (bytes: Uint8Array) => void, onInterrupt: () => void): void {
    this.typed = onInput;
    this.interrupt = onInterrupt;
  }
  close(): void {
    this.closed++;
  }
  elapsed(): number {
    return performance.now() + this.now;
  }
  sleep(milliseconds: number): { readonly done: Promise<void>; wake: () => void } {
    this.slept += milliseconds;
    this.now += milliseconds;
    return { done: Promise.resolve(), wake: () => undefined };
  }
  breathe(): Promise<void> {
    return Promise.resolve();
  }
}

/** 32-bit code for the guest, at 1 MiB + 32. */
async function run(code: readonly number[], argv: readonly string[] = [], io = new FakeIo()): Promise<{ status: number; io: FakeIo }> {
  io.files.set('/k', kludgeImage(Uint8Array.from(code)));
  return { status: await runCommand(['/k', ...argv], io), io };
}

/** mov dx, port; mov ax, value; out dx, ax */
const outw = (port: number, value: number): number[] => [
  0x66,
  0xba,
  port & 255,
  port >> 8,
  0x66,
  0xb8,
  value & 255,
  value >> 8,
  0x66,
  0xef,
];
/** mov dx, 0x3f8; mov al, c; out dx, al */
const print = (text: string): number[] => [...text].flatMap((c) => [0x66, 0xba, 0xf8, 0x03, 0xb0, c.charCodeAt(0), 0xee]);
const haltForGood = [0xfa, 0xf4];
const spin = [0xeb, 0xfe];

describe('unikernel run: arguments', () => {
  it('has one table of options for all commands that boot an image', () => {
    const shared = [...valued, ...flags].filter((name) => !foreignToGdb.includes(name));
    for (const name of [...valued, ...flags]) assert.ok(runHelp.includes(`  --${name}`), name);
    for (const name of shared) assert.ok(gdbHelp.includes(`  --${name}`), name);
    for (const name of foreignToGdb) {
      assert.ok(!gdbHelp.includes(`  --${name} `), name);
      assert.deepEqual(parseGdbOptions(['image', '--port', '1', `--${name}=x`]), { error: `--${name} belongs to 'unikernel run'.` });
    }
    const disks = parseGdbOptions(['image', '--port=1', '--disk', 'a', '--disk', 'b,readonly', '--wait']);
    assert.ok(typeof disks === 'object' && 'run' in disks);
    assert.deepEqual([disks.run.disks, disks.wait], [['a', 'b,readonly'], true]);
  });

  it('are read', () => {
    assert.deepEqual(
      parseRunOptions([
        'img',
        '--memory',
        '64',
        '--append=a b',
        '--trace',
        'syscalls,tls',
        '--max-instructions',
        '1_000',
        '--timeout=1.5',
        '--disk=a.img',
        '--disk',
        'b,readonly',
        '--device',
        'rng',
        '--stats',
      ]),
      {
        image: 'img',
        append: 'a b',
        disks: ['a.img', 'b,readonly'],
        devices: ['rng'],
        memory: 64,
        trace: ['syscalls', 'tls'],
        maxInstructions: 1000n,
        timeout: 1.5,
        stats: true,
        clock: 'auto',
        cpu: 'default',
        jit: true,
        keep: true,
        calibrate: false,
      },
    );
    assert.equal(parseRunOptions(['--help']), 'help');
  });

  it('are refused with a reason', () => {
    for (const argv of [
      [],
      ['a', 'b'],
      ['a', '--what'],
      ['a', '--memory', 'x'],
      ['a', '--memory'],
      ['a', '--trace', 'nothing'],
      ['a', '--clock', 'fast'],
      ['a', '--device', 'floppy'],
      ['a', '--timeout', '0'],
      ['a', '--stats=1'],
    ]) {
      const options = parseRunOptions(argv);
      assert.ok(typeof options === 'object' && 'error' in options, argv.join(' '));
    }
  });
});

describe('unikernel run', () => {
  it('shows the console, and ends with the status that the guest gives', async () => {
    const { status, io } = await run([...print('hi\n'), ...outw(0x501, 21)], ['--stats']);
    assert.equal(io.console, 'hi\n');
    assert.equal(status, 43);
    const stats = JSON.parse(io.err) as Record<string, unknown>;
    assert.equal(stats['exit'], 'exitPort:21');
    assert.ok((stats['instructions'] as number) >= 9);
    assert.equal(io.closed, 1);
  });

  it('ends with 0 on power-off, and tells of a guest that halts for good', async () => {
    assert.equal((await run(outw(0x604, 0x2000))).status, 0);
    const { status, io } = await run(haltForGood);
    assert.equal(status, 0);
    assert.match(io.err, /halted with interrupts off/);
  });

  it('refuses disks that are not there, or are none', async () => {
    const missing = await run(spin, ['--disk', '/d']);
    assert.equal(missing.status, 125);
    assert.match(missing.io.err, /\/d does not exist/);
    const io = new FakeIo();
    io.files.set('/d', new Uint8Array(100));
    const short = await run(spin, ['--disk', '/d'], io);
    assert.equal(short.status, 125);
    assert.match(io.err, /^unikernel run: \/d has 100 bytes; a disk is made of whole sectors of 512/);
  });

  it('ends with 124 on a limit', async () => {
    const instructions = await run(spin, ['--max-instructions', '100000', '--stats']);
    assert.equal(instructions.status, 124);
    assert.equal((JSON.parse(instructions.io.err.split('\n')[1]!) as { instructions: number }).instructions, 100_000);
    const time = await run(spin, ['--timeout', '0.2']);
    assert.equal(time.status, 124);
    assert.match(time.io.err, /0\.2 seconds/);
  });

  it('ends with 125 when the processor shuts down', async () => {
    // ud2 without an IDT.
    const { status, io } = await run([0x0f, 0x0b]);
    assert.equal(status, 125);
    assert.match(io.err, /shut down/);
  });

  it('traces ports', async () => {
    const { io } = await run(outw(0x604, 0x2000), ['--trace', 'ports', '--trace-out', '/t']);
    assert.match(Buffer.from(io.files.get('/t')!).toString(), /write port 0x604 <- 0x2000 \(power\)/);
  });

  for (const [name, image, pattern] of [
    ['is not there', undefined, /\/i does not exist/],
    ['is not ELF', new TextEncoder().encode('#!/bin/sh'), /not an ELF file/],
    ['is truncated', elfImage({ code: new Uint8Array(9000) }).slice(0, 5000), /i is truncated/],
    [
      'wants more memory than given',
      elfImage({ memorySize: 200 << 20 }),
      /i: the image needs 201 MiB of memory, but the machine has 128 MiB/,
    ],
    ['is the symbol file', elfImage({ bootInfo: new Uint8Array(8) }), /symbol file/],
  ] as const) {
    it(`names the image that ${name}`, async () => {
      const io = new FakeIo();
      if (image !== undefined) io.files.set('/i', image);
      assert.equal(await runCommand(['/i'], io), 125);
      assert.match(io.err, pattern);
      assert.doesNotMatch(io.err, /\bat .*:\d+/, 'no stack trace');
    });
  }
});
