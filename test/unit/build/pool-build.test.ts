/** The whole build of a pool application: images, what is done again after a change, and what is said when it fails. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readExecutable } from '../../../src/build/link/elf';
import { buildPool, type PoolBuildOptions, type PoolBuildResult } from '../../../src/build/pool-build.node';
import { formatProblem } from '../../../src/build/problems';
import { executableSymbol } from '../../../src/build/symbols';
import { findToolchain } from '../../../src/build/toolchain-probe.node';
import { findProgram } from '../../../src/build/toolchain.node';
import { buildCommand } from '../../../src/cli/build';

const root = path.resolve(__dirname, '../../..').replaceAll('\\', '/');

describe('pool build', function () {
  this.timeout(120_000);
  let dir = '';
  let app = '';
  const build = (more: Partial<PoolBuildOptions> = {}): Promise<PoolBuildResult> =>
    buildPool({ app, pool: `${root}/library-pool`, env: process.env, jobs: 2, ...more });
  const good = async (more: Partial<PoolBuildOptions> = {}): Promise<PoolBuildResult> => {
    const r = await build(more);
    assert.ok(r.ok, r.problems.map(formatProblem).join('\n'));
    return r;
  };

  before(function () {
    if (!findToolchain(process.env)) {
      console.log('      skipped: there is no C compiler for x86-64 on this machine');
      this.skip();
    }
    dir = mkdtempSync(path.join(tmpdir(), 'pool-build-')).replaceAll('\\', '/');
    app = `${dir}/hello`;
    cpSync(`${root}/library-pool/app/hello`, app, { recursive: true, filter: (p) => !p.endsWith('/build') });
  });
  after(() => dir !== '' && rmSync(dir, { recursive: true, force: true }));

  it('makes images for both boot protocols', async () => {
    const r = await good({ targets: ['qemu-x86_64', 'fc-x86_64'] });
    assert.deepEqual(
      r.images.map((i) => [path.basename(i.image), path.basename(i.symbols)]),
      [
        ['hello_qemu-x86_64', 'hello_qemu-x86_64.dbg'],
        ['hello_fc-x86_64', 'hello_fc-x86_64.dbg'],
      ],
    );
    assert.deepEqual(r.problems, [], 'the pool compiles without warnings');

    const multiboot = readFileSync(r.images[0]!.image);
    assert.deepEqual(
      [multiboot.readUInt32LE(0), multiboot[4], multiboot.readUInt16LE(18)],
      [0x464c457f, 1, 3],
      'an ELF-32 file for the 386',
    );
    assert.deepEqual([multiboot.readUInt32LE(52), multiboot.readUInt32LE(56)], [0x1badb002, 3]);
    assert.equal((multiboot.readUInt32LE(52) + multiboot.readUInt32LE(56) + multiboot.readUInt32LE(60)) >>> 0, 0);
    const symbols = readFileSync(r.images[0]!.symbols);
    const exe = readExecutable(symbols, 'symbols');
    assert.equal(multiboot.readUInt32LE(24), executableSymbol(symbols, exe, '_multiboot_entry'));
    assert.equal(exe.entry, executableSymbol(symbols, exe, '_multiboot_entry'));
    const inner = multiboot.subarray(multiboot.indexOf(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2]), 64));
    const loads = exe.programs.filter((p) => p.type === 1 && p.memsz > 0);
    assert.equal(multiboot.readUInt16LE(44), loads.length);
    loads.forEach((p, i) => {
      const at = 64 + 32 * i;
      const offset = multiboot.readUInt32LE(at + 4);
      assert.deepEqual(multiboot.subarray(offset, offset + p.filesz), symbols.subarray(p.offset, p.offset + p.filesz), `segment ${i}`);
    });
    assert.equal(
      readExecutable(inner, 'inner').sections.some((s) => s.name.startsWith('.debug')),
      false,
    );

    const fc = readFileSync(r.images[1]!.image);
    assert.equal(readExecutable(fc, 'fc').entry, executableSymbol(symbols, exe, '_lxboot_entry'));
    for (const name of [
      '_ukplat_syscall',
      'ukplat_syscall_handler',
      'ukarch_ectx_store',
      'ukarch_sysctx_load',
      'uk_syscall_r_write',
      'uk_syscall6_r_e',
      'main',
      'lcpus',
    ])
      assert.ok(executableSymbol(symbols, exe, name), `${name} is there for probes`);
  });

  it('boots in QEMU and says hello both ways', async function () {
    const qemu = findProgram('qemu-system-x86_64', process.env);
    if (!qemu) {
      console.log('      skipped: there is no qemu-system-x86_64 on this machine');
      this.skip();
    }
    const r = await good();
    const args = [
      '-kernel',
      r.images[0]!.image,
      '-append',
      'one "two three"',
      '-display',
      'none',
      '-serial',
      'stdio',
      '-monitor',
      'none',
      '-no-reboot',
    ];
    const { stdout } = spawnSync(qemu, [...args, '-device', 'isa-debug-exit,iobase=0x501,iosize=2'], { encoding: 'utf8', timeout: 60_000 });
    assert.match(
      stdout,
      /Hello from a direct call!\r\nHello from a SYSCALL instruction!\r\nargv\[0\] = .*\r\nargv\[1\] = one\r\nargv\[2\] = two three\r\nProcess 1 said hello 4 times\r\n/,
    );
  });

  it('does nothing when nothing has changed, not even for touched files', async () => {
    await good();
    utimesSync(`${app}/main.c`, new Date(), new Date());
    const start = performance.now();
    const r = await good();
    assert.deepEqual([r.compiled, r.linked], [0, false]);
    console.log(`      ${(performance.now() - start).toFixed(0)} ms`);
  });

  it('compiles what includes a changed header, and nothing else', async () => {
    await good();
    appendFileSync(`${app}/binary.h`, '#define HELLO_CHANGED 1\n');
    const r = await good();
    assert.deepEqual([r.compiled, r.linked], [2, true]);
  });

  it('follows the configuration', async () => {
    writeFileSync(`${app}/.config`, 'CONFIG_APPHELLO_BINARY=n\n# CONFIG_APPHELLO_BINARY is not set\n');
    const r = await good();
    const symbols = readFileSync(r.images[0]!.symbols);
    assert.equal(executableSymbol(symbols, readExecutable(symbols, 's'), '_ukplat_syscall'), undefined);
    assert.ok(!r.plan!.steps.some((s) => s.kind === 'compile' && s.source.endsWith('/binary.c')));
    rmSync(`${app}/.config`);
    const again = await good();
    assert.ok(again.plan!.steps.some((s) => s.kind === 'compile' && s.source.endsWith('/binary.c')));
  });

  it('builds the same with dropped sections, without optimisation and with GNU ld', async () => {
    writeFileSync(`${app}/defconfig`, 'CONFIG_OPTIMIZE_DEADELIM=y\nCONFIG_OPTIMIZE_NONE=y\n');
    const own = await good({ build: `${dir}/dead` });
    const symbols = readFileSync(own.images[0]!.symbols);
    assert.equal(executableSymbol(symbols, readExecutable(symbols, 's'), 'strchr'), undefined, 'nothing uses strchr');
    if (findProgram('ld', process.env)) await good({ build: `${dir}/dead-ld`, linker: 'ld' });
    rmSync(`${app}/defconfig`);
  });

  it('puts a compile error at its line, and is right again afterwards', async () => {
    const text = readFileSync(`${app}/main.c`, 'utf8');
    writeFileSync(`${app}/main.c`, `${text}\nint broken(void) { return nowhere; }\n`);
    const r = await build();
    const line = text.split('\n').length + 1;
    assert.equal(r.ok, false);
    assert.ok(
      r.problems.some(
        (p) => p.path === `${app}/main.c` && p.line === line && p.column === 27 && p.severity === 'error' && p.message.includes('nowhere'),
      ),
      JSON.stringify(r.problems),
    );
    writeFileSync(`${app}/main.c`, text);
    await good();
  });

  it('names an unresolved symbol, a missing source and a wrong target', async () => {
    const main = readFileSync(`${app}/main.c`, 'utf8');
    writeFileSync(`${app}/main.c`, main.replace('int main(', 'extern int gone(void);\nint main(').replace('int i;', 'int i = gone();'));
    let r = await build();
    assert.match(r.problems.map((p) => p.message).join(), /Nothing defines gone, which .*main\.c\.o: section \.text.*, in main refers to/);
    const line =
      readFileSync(`${app}/main.c`, 'utf8')
        .split('\n')
        .findIndex((text) => text.includes('int i = gone();')) + 1;
    assert.deepEqual([r.problems[0]!.path, r.problems[0]!.line], [`${app}/main.c`, line], 'at its source line');
    writeFileSync(`${app}/main.c`, main);

    const makefile = readFileSync(`${app}/Makefile.uk`, 'utf8');
    writeFileSync(`${app}/Makefile.uk`, `${makefile}APPHELLO_SRCS-y += $(APPHELLO_BASE)/none.c\n`);
    r = await build();
    assert.match(r.problems.map((p) => p.message).join(), /apphello has the source .*none\.c, which does not exist/);
    writeFileSync(`${app}/Makefile.uk`, makefile);

    r = await build({ targets: ['xen-x86_64'] });
    assert.match(r.problems.map((p) => p.message).join(), /no target xen-x86_64/);
    await good();
  });

  it('names a library folder that is not there or holds none, and a core that is not there', async () => {
    mkdirSync(`${dir}/no-library`);
    for (const [library, fault] of [
      [`${dir}/nowhere`, /The library folder .*nowhere does not exist/],
      [`${dir}/no-library`, /The library folder .*no-library has no Makefile\.uk/],
    ] as const) {
      const r = await build({ libraries: [library] });
      assert.deepEqual([r.ok, r.problems.map((p) => p.path)], [false, [library]]);
      assert.match(r.problems[0]!.message, fault);
    }
    const other = `${dir}/for-a-core`;
    mkdirSync(other);
    writeFileSync(`${other}/Kraftfile`, 'spec: v0.6\nunikraft: stable\n');
    const r = await build({ app: other, build: `${other}/build` });
    assert.equal(r.problems[0]!.path, `${other}/Kraftfile`);
    assert.match(r.problems[0]!.message, /no Unikraft core to build .*\.unikraft\/unikraft.*UK_ROOT/);
    await good();
  });

  it('says which compiler is missing and how to get one', async () => {
    const r = await build({ build: `${dir}/none`, env: { PATH: dir } });
    assert.equal(r.ok, false);
    assert.match(r.problems[0]!.message, /No C compiler for x86-64 was found; looked for gcc, clang.*CC\.$/);
    const cc = await build({ build: `${dir}/none`, env: { PATH: dir, CC: 'mycc' } });
    assert.match(cc.problems[0]!.message, /looked for mycc/);
  });

  it('stops when cancelled, and the next build is right', async () => {
    const controller = new AbortController();
    const running = build({ build: `${dir}/cancelled`, signal: controller.signal, progress: () => controller.abort() });
    const r = await running;
    assert.equal(r.ok, false);
    assert.match(r.problems.map((p) => p.message).join(), /cancelled/);
    assert.equal((await good({ build: `${dir}/cancelled` })).images.length, 1);
  });

  it('does not take what was broken off for finished, when the sources are again as they were', async () => {
    const file = `${app}/main.c`;
    const main = readFileSync(file, 'utf8');
    const real = findProgram('gcc', process.env) ?? findProgram('clang', process.env)!;
    const cc = `${dir}/broken-cc`;
    // Once there is a mark, it starts the object and then takes for ever.
    const script = [
      `if [ -e ${dir}/mark ]; then case "$*" in *${file}*)`,
      'while [ "$1" != -o ]; do shift; done; printf garbage > "$2"; touch started; exec sleep 100;; esac; fi',
      `exec ${real} "$@"`,
    ];
    writeFileSync(cc, `#!/bin/sh\n${script.join('\n')}\n`, { mode: 0o755 });
    const options = { env: { ...process.env, CC: cc }, build: `${dir}/broken` };
    const before = readFileSync((await good(options)).images[0]!.image);
    writeFileSync(file, `${main}\n/* changed */\n`);
    writeFileSync(`${dir}/mark`, '');
    const controller = new AbortController();
    const timer = setInterval(() => existsSync(`${dir}/broken/started`) && controller.abort(), 20);
    const stopped = await build({ ...options, signal: controller.signal });
    clearInterval(timer);
    assert.match(stopped.problems.map((p) => p.message).join(), /cancelled/);
    rmSync(`${dir}/mark`);
    writeFileSync(file, main);
    assert.deepEqual(readFileSync((await good(options)).images[0]!.image), before);
  });

  it('says that the disk is full, and is right once there is room', async function () {
    const disk = `${dir}/disk`;
    mkdirSync(disk);
    const mount = (...options: string[]): boolean => spawnSync('mount', [...options, disk]).status === 0;
    if (process.platform !== 'linux' || !mount('-t', 'tmpfs', '-o', 'size=512k', 'none')) {
      console.log('      skipped: nothing can be mounted here, so there is no small disk to fill');
      this.skip();
    }
    try {
      const options = { build: `${disk}/build` };
      const seen = new Set<string>();
      // From too small for the objects to nearly enough for all.
      for (const size of ['512k', '2600k', '3m']) {
        mount('-o', `remount,size=${size}`);
        const r = await build(options);
        if (r.ok) continue;
        const errors = r.problems.filter((p) => p.severity === 'error').map((p) => p.message);
        assert.match(errors.join('\n'), /No space left on device|There is no room left to write in .*build\. Make room/, size);
        for (const e of errors) seen.add(e.startsWith('There is no room') ? 'builder' : 'compiler');
      }
      assert.deepEqual([...seen].sort(), ['builder', 'compiler'], 'both were stopped');
      mount('-o', 'remount,size=64m');
      const expected = await good({ build: `${dir}/roomy`, prefixMap: [[`${dir}/roomy`, 'B']] });
      const r = await good({ ...options, prefixMap: [[`${disk}/build`, 'B']] });
      assert.deepEqual(readFileSync(r.images[0]!.image), readFileSync(expected.images[0]!.image));
      const again = await good(options);
      assert.ok(again.compiled > 0 && again.images.length === 1);
    } finally {
      spawnSync('umount', [disk]);
    }
  });

  it('reads a record that was cut off as none', async () => {
    await good();
    for (const record of ['.state.json', '.stamp.json']) writeFileSync(`${app}/build/${record}`, '{"version":3,"files":{');
    assert.ok((await good()).compiled > 0);
  });

  it('is over at once where nothing has changed, and notices whatever has', async () => {
    const settled = async (): Promise<void> => {
      // A change shortly before a build is not trusted to be the last one.
      await new Promise((resolve) => setTimeout(resolve, 30));
      await good();
      const r = await good();
      assert.deepEqual([r.plan, r.compiled, r.linked, r.images.length], [undefined, 0, false, 1]);
    };
    await settled();
    const main = readFileSync(`${app}/main.c`, 'utf8');
    writeFileSync(`${app}/main.c`, main.replace('Hello', 'Hallo'));
    assert.equal((await good()).compiled, 1, 'a source with the same size');
    await settled();
    rmSync(`${app}/build/hello_qemu-x86_64`);
    assert.deepEqual(existsSync((await good()).images[0]!.image), true, 'an image that was removed');
    await settled();
    writeFileSync(`${app}/defconfig`, '# CONFIG_LIBUKBOOT_BANNER is not set\n');
    assert.ok((await good()).compiled > 0, 'a file that was not there');
    await settled();
    rmSync(`${app}/defconfig`);
    assert.ok((await good()).compiled > 0, 'a file that is gone');
    await settled();
    const other = findProgram('clang', process.env) ?? findProgram('x86_64-linux-gnu-gcc', process.env);
    if (other !== undefined) assert.ok((await good({ env: { ...process.env, CC: other } })).compiled > 0, 'another compiler');
    writeFileSync(`${app}/main.c`, main);
    await good();
  });

  it('compiles again what was changed while it was being compiled', async () => {
    const file = `${app}/main.c`;
    const main = readFileSync(file, 'utf8');
    const cc = `${dir}/slow-cc`;
    const real = findProgram('gcc', process.env) ?? findProgram('clang', process.env)!;
    writeFileSync(cc, `#!/bin/sh\n${real} "$@"; status=$?\ncase "$*" in *${file}*) echo '/* later */' >> ${file};; esac\nexit $status\n`, {
      mode: 0o755,
    });
    const env = { ...process.env, CC: cc };
    await good({ env, build: `${dir}/raced` });
    const again = await good({ env, build: `${dir}/raced` });
    assert.equal(again.compiled, 1);
    writeFileSync(file, main);
  });

  it('answers on the command line', async () => {
    const run = async (...argv: string[]): Promise<{ status: number; out: string; err: string }> => {
      let out = '';
      let err = '';
      const status = await buildCommand(argv, {
        stdout: (t) => void (out += t),
        stderr: (t) => void (err += t),
        cwd: dir,
        env: process.env,
      });
      return { status, out, err };
    };
    const pool = ['--pool', `${root}/library-pool`];
    const json = await run('hello', '--json', ...pool);
    assert.equal(json.status, 0, json.err);
    const result = JSON.parse(json.out) as { ok: boolean; images: { image: string }[] };
    assert.equal(result.images[0]!.image, `${app}/build/hello_qemu-x86_64`);
    assert.match((await run('hello', ...pool)).out, /hello_qemu-x86_64\n$/);
    assert.match((await run('--help')).out, /Usage: unikernel build/);
    mkdirSync(`${dir}/empty`);
    for (const [argv, status, message] of [
      [['nowhere'], 1, /There is no folder .*nowhere/],
      [['empty', ...pool], 1, /not a pool application: it has no Makefile\.uk/],
      [['hello', '--pool', `${dir}/empty`], 1, /not a library pool/],
      [['--target'], 2, /--target needs a value/],
      [['--target', 'x'], 2, /no target x/],
      [['--frob'], 2, /no option --frob/],
      [['a', 'b'], 2, /Only one folder/],
      [['--jobs', '0'], 2, /--jobs is a number/],
    ] as const) {
      const r = await run(...argv);
      assert.equal(r.status, status, argv.join(' '));
      assert.match(r.err, message);
    }
  });
});
