/** The driver of upstream's make without a tree: its command line, its output, the commands it leaves, and a stand-in for make. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeArguments, unusablePath, type MakeProject } from '../../../../src/build/make/command';
import { compileCommand, compileCommandsText } from '../../../../src/build/make/compile-commands';
import { makeBuild, type MakeBuildOptions, type MakeBuildResult } from '../../../../src/build/make/make-build.node';
import { MakeProgress, readStep } from '../../../../src/build/make/progress';
import { parseMakeOutput } from '../../../../src/build/make/problems';
import { shellWords } from '../../../../src/build/make/shell-words';

const project: MakeProject = { base: '/uk', app: '/w/app', build: '/w/app/build', config: '/w/app/.config', libraries: ['/l/a', '/l/b'] };
const short = (output: string): string[] =>
  parseMakeOutput(output).map((p) => `${p.source} ${p.severity} ${p.path}:${p.line}:${p.column} ${p.message}`);

/** A process that ended may still wait for its parent to notice. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !existsSync(`/proc/${pid}/stat`) || !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

describe('the command line of make', () => {
  it('holds every path as a variable', () => {
    assert.deepEqual(makeArguments(project, ['all'], { jobs: 4 }), [
      ...['-j4', '-C', '/uk', 'A=/w/app', 'O=/w/app/build', 'C=/w/app/.config', 'L=/l/a:/l/b', 'all'],
    ]);
    const more = { ...project, libraries: [], platforms: ['/p'], excluded: ['/uk/lib/x'], name: 'hello' };
    assert.deepEqual(makeArguments(more, ['defconfig'], { defconfig: '/d', verbose: true }).slice(5), [
      ...['P=/p', 'E=/uk/lib/x', 'N=hello', 'V=1', 'UK_DEFCONFIG=/d', 'defconfig'],
    ]);
  });

  it('refuses paths that make would split', () => {
    assert.equal(unusablePath(project), undefined);
    for (const app of ['/my work/app', '/w/a:b', '/w/$HOME', '/w/a#b'])
      assert.match(unusablePath({ ...project, app }) ?? '', new RegExp(`^make cannot build in ${app.replace(/[$]/g, '\\$&')}:`));
  });
});

describe('the output of make', () => {
  it('announces steps', () => {
    assert.deepEqual(readStep('  CC      libukboot: boot.o'), { verb: 'CC', library: 'libukboot', what: 'boot.o' });
    assert.deepEqual(readStep('  OBJCOPY libukboot.o'), { verb: 'OBJCOPY', library: undefined, what: 'libukboot.o' });
    assert.deepEqual(readStep('  WGET    libmusl: https://www.musl-libc.org/releases/musl-1.2.3.tar.gz'), {
      ...{ verb: 'WGET', library: 'libmusl', what: 'https://www.musl-libc.org/releases/musl-1.2.3.tar.gz' },
    });
    for (const other of ["make: Entering directory '/uk'", '    9 | int f(void) { return y; }', '', '  in lower case'])
      assert.equal(readStep(other), undefined, other);
  });

  it('tells how far a build is', () => {
    const cc = readStep('  CC      a: b.o')!;
    const fresh = new MakeProgress(4, 2);
    assert.deepEqual([fresh.take(readStep('  GEN     x')!), fresh.take(cc), fresh.take(cc), fresh.take(cc)], [0, 0.475, 0.95, 0.95]);
    assert.equal(fresh.count, 3);
    assert.equal(new MakeProgress(0, 0).take(cc), undefined);
  });

  // Lines of gcc 12, binutils 2.40, make 4.3 and Unikraft 0.17, paths shortened.
  for (const [what, output, expected] of [
    [
      'a compile error',
      "/w/hello.c: In function 'f':\n/w/hello.c:9:22: error: 'y' undeclared (first use in this function)\n    9 | int f(void) { return y; }\n      |                      ^\n" +
        'make[1]: *** [/uk/support/build/Makefile.build:27: /w/build/appchello/hello.o] Error 1\nmake: *** [Makefile:1174: sub-make] Error 2\n',
      ["gcc error /w/hello.c:9:22 'y' undeclared (first use in this function)"],
    ],
    [
      'an unresolved symbol',
      '/usr/bin/ld: warning: /w/build/libukconsole_ns16550.o: requires executable stack (because the .note.GNU-stack section is executable)\n' +
        "/usr/bin/ld: /w/build/appchello.o: in function `main':\n/w/hello.c:5: undefined reference to `nosuch_fn'\ncollect2: error: ld returned 1 exit status\n" +
        'make[1]: *** [/uk/plat/kvm/Linker.uk:54: /w/build/c-hello_qemu-x86_64.dbg] Error 1\n',
      ["gcc error /w/hello.c:5:1 undefined reference to `nosuch_fn'"],
    ],
    [
      'a symbol defined twice',
      "/usr/bin/ld: /w/build/libukboot.o: in function `uk_boot_entry':\n" +
        "/uk/lib/ukboot/boot.c:242: multiple definition of `uk_boot_entry'; /w/build/appchello.o:/w/hello.c:11: first defined here\n",
      [
        "gcc error /uk/lib/ukboot/boot.c:242:1 multiple definition of `uk_boot_entry'; /w/build/appchello.o:/w/hello.c:11: first defined here",
      ],
    ],
    [
      'a Makefile.uk that make cannot read',
      '  LN      Makefile\n/w/Makefile.uk:4: *** missing separator.  Stop.\nmake: *** [Makefile:1174: sub-make] Error 2\n',
      ['make error /w/Makefile.uk:4:1 missing separator.'],
    ],
    [
      'a source that is not there',
      "make[1]: *** No rule to make target '/w/none.c', needed by '/w/build/appchello/none.o'.  Stop.\nmake[1]: *** Waiting for unfinished jobs....\n",
      ['build error /w/none.c:1:1 There is no file /w/none.c, from which none.o is made. A Makefile.uk names it.'],
    ],
    [
      'a Config.uk that Kconfig cannot read',
      '/w/Config.uk:4: syntax error\n/w/Config.uk:3: invalid statement\nmake[1]: *** [/w/build/Makefile:1052: olddefconfig] Error 1\n',
      ['kconfig error /w/Config.uk:4:1 syntax error', 'kconfig error /w/Config.uk:3:1 invalid statement'],
    ],
    [
      'a value that an option refuses',
      "/w/.config:302:warning: symbol value 'zz' invalid for LIBUKALLOC\n",
      ["kconfig warning /w/.config:302:1 symbol value 'zz' invalid for LIBUKALLOC"],
    ],
    [
      'a library that is not there',
      "make: Entering directory '/uk'\nMakefile:192: *** Cannot find library: /nonexistent/lib.  Stop.\n",
      ['make error Makefile:192:1 Cannot find library: /nonexistent/lib.'],
    ],
    [
      'a program that is not there',
      '/bin/bash: line 1: which: command not found\n/bin/bash: line 1: flex: command not found\nmake[1]: *** [Makefile:9: x] Error 127\n',
      ["build error :1:1 flex is not installed, and Unikraft's build needs it. On Debian and Ubuntu: sudo apt install flex."],
    ],
    [
      'a full disk',
      'fatal error: error writing to /w/build/x.s: No space left on device\nmake[1]: *** [/uk/a:1: x] Error 1\n',
      ['make error :1:1 The disk is full: fatal error: error writing to /w/build/x.s: No space left on device. Make room and build again.'],
    ],
    [
      'an archive with another checksum',
      '  SHA256  liblwip: lwip.zip\n/w/build/liblwip/lwip.zip: SHA256 checksum validation failed\nmake[1]: *** [/l/lwip/Makefile.uk:60: /w/build/liblwip/.chksum] Error 1\n',
      [
        'build error /w/build/liblwip/lwip.zip:1:1 The archive /w/build/liblwip/lwip.zip has another SHA256 than the library says: it is damaged, or not the one that is meant.',
      ],
    ],
    [
      'nothing but that a recipe failed',
      'make[1]: *** [/l/musl/Makefile.uk:70: /w/build/libmusl/.origin] Error 2\nmake: *** [Makefile:1174: sub-make] Error 2\n',
      ['make error /l/musl/Makefile.uk:70:1 /w/build/libmusl/.origin could not be made (Error 2).'],
    ],
    ['a build that went well', '  CC      a: b.o\n  LD      x.dbg\n', []],
    ['a step within a line of ld, as parallel recipes write', '/usr/bin/ld:   LD      libukintctlr.ld.o\n', []],
  ] as const)
    it(`tells of ${what}`, () => assert.deepEqual(short(output), expected));
});

describe('compile_commands.json', () => {
  it('splits commands as a shell does', () => {
    assert.deepEqual(shellWords(`""gcc -DA="x y" -DB=\\"q\\" 'one two' a\\ b "a\\"b\\c" ''`), [
      ...['gcc', '-DA=x y', '-DB="q"', 'one two', 'a b', 'a"b\\c', ''],
    ]);
  });

  it('takes what compiles, without the dependency files, sorted', () => {
    const command = '""gcc -O2 -D__LIBNAME__=libx -c /l/b.c -o /o/b.o -Wp,-MD,/o/.b.o.d';
    const entry = compileCommand(command, '/uk');
    assert.deepEqual(entry, {
      ...{
        directory: '/uk',
        file: '/l/b.c',
        arguments: ['gcc', '-O2', '-D__LIBNAME__=libx', '-c', '/l/b.c', '-o', '/o/b.o'],
        output: '/o/b.o',
      },
    });
    assert.equal(compileCommand('""gcc -nostdlib -Wl,-r /o/a.o -o /o/libx.ld.o', '/uk'), undefined);
    assert.equal(compileCommand('objcopy -w a.o b.o', '/uk'), undefined);
    const first = { ...entry, file: '/l/a.c' };
    assert.deepEqual(JSON.parse(compileCommandsText([entry, first])), [first, entry]);
  });
});

describe('a build by make', function () {
  this.timeout(60_000);
  let scratch = '';
  before(function () {
    if (process.platform === 'win32') this.skip();
  });
  beforeEach(() => {
    scratch = mkdtempSync(path.join(tmpdir(), 'unikernel-make-'));
    for (const [name, text] of [
      ['uk/Makefile', ''],
      ['uk/Config.uk', ''],
      ['app/Makefile.uk', ''],
    ] as const) {
      mkdirSync(path.dirname(path.join(scratch, name)), { recursive: true });
      writeFileSync(path.join(scratch, name), text);
    }
  });
  afterEach(() => rmSync(scratch, { recursive: true, force: true }));

  const own = (): MakeProject => {
    const app = `${scratch}/app`;
    return { base: `${scratch}/uk`, app, build: `${app}/build`, config: `${app}/.config`, libraries: [] };
  };

  /** Runs with a shell script in make's place, and beside it empty programs that are looked for. */
  const run = (script: string, options: Partial<MakeBuildOptions> = {}): Promise<MakeBuildResult> => {
    const bin = `${scratch}/bin`;
    mkdirSync(bin, { recursive: true });
    for (const name of ['make', 'gcc', 'flex', 'bison', 'python3']) {
      writeFileSync(`${bin}/${name}`, `#!/bin/sh\nO=${scratch}/app/build\nC=${scratch}/app/.config\n${name === 'make' ? script : ''}\n`);
      chmodSync(`${bin}/${name}`, 0o755);
    }
    return makeBuild({ project: own(), action: 'build', jobs: 2, env: { PATH: `${bin}:/usr/bin:/bin` }, ...options });
  };

  const seed = (text: string): NonNullable<MakeBuildOptions['seed']> => ({ path: '/d', text, lineOf: (name) => (name === 'B' ? 2 : 1) });

  it('configures from the seed, and tells of options that make dropped', async () => {
    const script = 'case "$*" in *defconfig*) printf "CONFIG_A=y\\n# CONFIG_C is not set\\n" > $C;; esac';
    const result = await run(script, { seed: seed('CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=y\n# CONFIG_D is not set\n') });
    assert.equal(result.ok, true);
    assert.deepEqual(
      result.problems.map(({ path: file, line, severity, message }) => [file, line, severity, message.slice(0, 30)]),
      [
        ['/d', 2, 'warning', 'CONFIG_B=y has no effect: no o'],
        ['/d', 1, 'warning', 'CONFIG_C=y has no effect: it i'],
      ],
    );
  });

  it('writes compile_commands.json and finds the images', async () => {
    const script =
      'touch $C; mkdir -p $O/libx; case "$*" in *all) touch $O/app_qemu-x86_64 $O/app_qemu-x86_64.dbg $O/libx/a.o; echo "  CC      libx: a.o"; ' +
      'echo \'""gcc -c /s/a.c -o \'$O/libx/a.o > $O/libx/a.o.cmd;; esac';
    const result = await run(script, { progress: () => undefined });
    assert.deepEqual(
      result.images.map(({ target, image }) => [target, path.basename(image)]),
      [['qemu-x86_64', 'app_qemu-x86_64']],
    );
    assert.equal(result.compiled, 1);
    assert.match(readFileSync(`${scratch}/app/build/compile_commands.json`, 'utf8'), /"file":"\/s\/a\.c"/);
  });

  it('ends everything that it started when it is cancelled, and takes back what was half made', async () => {
    const cancel = new AbortController();
    const script =
      'touch $C; case "$*" in *all) mkdir -p $O/libx $O/liby/origin; touch $O/libx/a.o $O/liby/y.tgz $O/liby/.origin; (sleep 600 & echo $! > $O/pid; wait) & ' +
      'echo "  WGET    liby: https://h/y.tgz"; echo "  CC      libx: a.o"; wait;; esac';
    const build = run(script, {
      signal: cancel.signal,
      progress: ({ verb }) => {
        if (verb === 'CC') setTimeout(() => cancel.abort(), 300);
      },
    });
    const result = await build;
    assert.equal(result.cancelled, true);
    assert.deepEqual(
      result.problems.map(({ message }) => message),
      ['The build was cancelled.'],
    );
    const pid = Number(readFileSync(`${scratch}/app/build/pid`, 'utf8'));
    assert.equal(isRunning(pid), false, 'the grandchild is gone');
    assert.equal(existsSync(`${scratch}/app/build/libx/a.o`), false);
    assert.equal(existsSync(`${scratch}/app/build/liby/y.tgz`), false);
    assert.equal((await run('touch $C')).ok, true, 'and the next build is right');
  });

  it('sets a damaged archive aside, so that the next build fetches it again', async () => {
    const script =
      'touch $C; case "$*" in *all) mkdir -p $O/liby/origin; touch $O/liby/y.tgz; echo "  UNTAR   liby: y.tgz"; echo "gzip: stdin: not in gzip format"; ' +
      'echo "make[1]: *** [/l/Makefile.uk:70: $O/liby/.origin] Error 2" >&2; exit 2;; esac';
    const result = await run(script);
    assert.equal(result.ok, false);
    assert.match(result.problems.map(({ message }) => message).join('\n'), /could not be made[\s\S]*y\.tgz is damaged; it was set aside/);
    assert.deepEqual(
      ['y.tgz', 'y.tgz.damaged', 'origin'].map((name) => existsSync(`${scratch}/app/build/liby/${name}`)),
      [false, true, false],
    );
  });

  it('tells of an archive that could not be fetched, and of nothing that follows from it', async () => {
    const script =
      'touch $C; case "$*" in *all) mkdir -p $O/liby; echo "  WGET    liby: https://h/y.zip"; echo "  SHA256  liby: y.zip"; ' +
      'echo "/bin/bash: line 1: $O/liby/y.zip: No such file or directory"; echo "$O/liby/y.zip: SHA256 checksum validation failed"; ' +
      'echo "make[1]: *** [/l/Makefile.uk:61: $O/liby/.chksum] Error 1"; exit 2;; esac';
    assert.deepEqual(
      (await run(script)).problems.map(({ message }) => message.replace(scratch, '')),
      ['https://h/y.zip could not be fetched. Is there a network? A copy put at /app/build/liby/y.zip is used as it is.'],
    );
  });

  it('says what is missing before it runs anything', async () => {
    const said = async (change: Partial<MakeProject>, env?: NodeJS.ProcessEnv): Promise<string> =>
      (await run('exit 9', { project: { ...own(), ...change }, ...(env && { env }) })).problems[0]!.message;
    assert.match(await said({ base: '/nowhere' }), /^There is no Unikraft core in \/nowhere/);
    assert.match(await said({ libraries: ['/nowhere/musl'] }), /^The folder \/nowhere\/musl does not exist/);
    assert.match(
      await said({}, { PATH: '' }),
      /^make, gcc, python3, flex and bison are not installed.*apt install make gcc python3 flex bison\.$/,
    );
  });
});
