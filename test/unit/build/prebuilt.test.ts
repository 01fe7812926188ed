/** Images without a compiler: from the objects that come compiled, with debug information that leads to the sources here. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SymbolFile } from '../../../debug-adapter/symbols/api';
import { buildPool, type PoolBuildOptions, type PoolBuildResult } from '../../../src/build/pool-build.node';
import { makePrebuilt } from '../../../src/build/prebuilt-make.node';
import { Prebuilt } from '../../../src/build/prebuilt.node';
import { formatProblem } from '../../../src/build/problems';
import { findToolchain } from '../../../src/build/toolchain-probe.node';
import { findProgram } from '../../../src/build/toolchain.node';

const root = path.resolve(__dirname, '../../..').replaceAll('\\', '/');
const pool = `${root}/library-pool`;

describe('prebuilt libraries', function () {
  this.timeout(300_000);
  let dir = '';
  before(async function () {
    if (!findToolchain(process.env)) {
      console.log('      skipped: there is no C compiler to make them with');
      this.skip();
    }
    dir = mkdtempSync(path.join(tmpdir(), 'prebuilt-')).replaceAll('\\', '/');
    await makePrebuilt(root, `${dir}/prebuilt`, false);
  });
  after(() => dir !== '' && rmSync(dir, { recursive: true, force: true }));

  /** Builds on a machine without any program. */
  const build = (app: string, more: Partial<PoolBuildOptions> = {}): Promise<PoolBuildResult> =>
    buildPool({ app, pool, build: `${dir}/build`, prebuiltFolder: `${dir}/prebuilt`, env: { PATH: dir }, ...more });

  it('make the same image as a compiler does', async () => {
    const app = `${pool}/app/hello`;
    const r = await build(app, { targets: ['qemu-x86_64', 'fc-x86_64'] });
    assert.ok(r.ok, r.problems.map(formatProblem).join('\n'));
    assert.deepEqual([r.compiled, r.images.length], [0, 2]);
    const compiled = await buildPool({ app, pool, build: `${dir}/compiled`, env: process.env, targets: ['qemu-x86_64', 'fc-x86_64'] });
    assert.ok(compiled.ok);
    for (const [i, image] of r.images.entries())
      assert.ok(readFileSync(image.image).equals(readFileSync(compiled.images[i]!.image)), `${image.target} is byte for byte the same`);
  });

  it('lead the debugger to the sources of this pool and build', async () => {
    const r = await build(`${pool}/app/hello`);
    const symbols = SymbolFile.open(readFileSync(r.images[0]!.symbols), { name: 'hello' });
    const sources = symbols.sources().map((s) => s.path);
    assert.ok(sources.includes(`${pool}/lib/ukboot/boot.c`), sources.join('\n'));
    assert.ok(sources.includes(`${dir}/build/libsyscall_shim/uk_syscall6_r.c`));
    assert.ok(!sources.some((s) => s.includes('@')));
    assert.ok(symbols.breakpointSites(`${pool}/app/hello/main.c`, 30).length > 0);
    if (!findProgram('gdb', process.env)) return;
    const script = ['-batch', '-ex', 'info line main', '-ex', 'list main,+1'];
    const said = execFileSync('gdb', [...script, r.images[0]!.symbols], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    assert.match(said, /Line \d+ of "\/.*library-pool\/app\/hello\/main\.c"/);
    assert.match(said, /greet\("Hello from a direct call!/);
  });

  /** All that a build left in its folder but its notes, by path. */
  const made = (folder: string): Map<string, Buffer> =>
    new Map(
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => !path.basename(name).startsWith('.') && statSync(`${folder}/${name}`).isFile())
        .sort()
        .map((name) => [name, readFileSync(`${folder}/${name}`)]),
    );

  it('come with plans that give what a plan made anew gives, byte for byte', async () => {
    for (const name of ['hello', 'elfloader', 'threads'])
      for (const targets of [undefined, ['qemu-x86_64'], ['fc-x86_64']]) {
        const folder = { build: `${dir}/planned`, ...(targets && { targets }) };
        rmSync(folder.build, { recursive: true, force: true });
        const kept = await build(`${pool}/app/${name}`, folder);
        assert.deepEqual([kept.ok, kept.plan, kept.linked], [true, undefined, true], kept.problems.map(formatProblem).join('\n'));
        const files = made(folder.build);
        rmSync(folder.build, { recursive: true });
        const planned = await build(`${pool}/app/${name}`, { ...folder, planned: true });
        assert.ok(planned.ok && planned.plan);
        assert.deepEqual(planned.images, kept.images);
        const again = made(folder.build);
        assert.deepEqual([...again.keys()], [...files.keys()]);
        for (const [file, bytes] of files) assert.ok(bytes.equals(again.get(file)!), `${name} ${targets?.join() ?? ''}: ${file}`);
      }
  });

  it('come with plans for configurations as the editor writes them, and for no others', async () => {
    const copy = `${dir}/configured`;
    cpSync(pool, copy, { recursive: true, filter: (p) => !/\/app\/[^/]+\/build(\/|$)/.test(p) });
    const app = `${copy}/app/hello`;
    const folder = { pool: copy, build: `${dir}/configured-build` };
    await build(app, folder);
    const image = `${folder.build}/hello_qemu-x86_64`;
    const before = readFileSync(image);
    const again = async (): Promise<PoolBuildResult> => {
      rmSync(folder.build, { recursive: true });
      return build(app, folder);
    };
    writeFileSync(`${app}/.config`, `# A comment.\n${readFileSync(`${folder.build}/config`, 'utf8')}`);
    const complete = await again();
    assert.deepEqual([complete.ok, complete.plan], [true, undefined]);
    assert.ok(readFileSync(image).equals(before));
    writeFileSync(`${app}/.config`, 'CONFIG_LIBUKSCHED=y\n');
    const other = await again();
    assert.notEqual(other.plan, undefined, 'made anew');
    rmSync(`${app}/.config`);
    // A default, a folder more: what the plan was made from is not the same any more, whatever comes of it.
    const library = `${copy}/lib/added`;
    mkdirSync(library);
    const listed = await again();
    assert.deepEqual([listed.ok, listed.plan === undefined], [true, false]);
    writeFileSync(`${library}/Config.uk`, 'config LIBADDED\n\tbool\n\tdefault y\n');
    writeFileSync(
      `${library}/Makefile.uk`,
      '$(eval $(call addlib_s,libadded,$(CONFIG_LIBADDED)))\nLIBADDED_SRCS-y += $(LIBADDED_BASE)/added.c\n',
    );
    writeFileSync(`${library}/added.c`, 'int added;\n');
    const imports = readFileSync(`${copy}/lib/Makefile.uk`, 'utf8');
    writeFileSync(`${copy}/lib/Makefile.uk`, `${imports}$(eval $(call import_lib,$(CONFIG_UK_BASE)/lib/added))\n`);
    const more = await again();
    assert.ok(
      more.problems.some((p) => p.path === `${library}/added.c`),
      'it has to be compiled',
    );
    rmSync(library, { recursive: true });
    writeFileSync(`${copy}/lib/Makefile.uk`, imports);
    const back = await again();
    assert.deepEqual([back.ok, back.plan], [true, undefined]);
    assert.ok(readFileSync(image).equals(before));
  });

  it('do without kept plans where these are damaged', async () => {
    const objects = `${dir}/damaged-plans`;
    cpSync(`${dir}/prebuilt`, objects, { recursive: true });
    for (const name of ['plans.json', 'plans.txt', 'texts.txt']) {
      const whole = readFileSync(`${objects}/${name}`);
      writeFileSync(`${objects}/${name}`, whole.subarray(0, whole.length >> 1));
      rmSync(`${dir}/build`, { recursive: true });
      const r = await build(`${pool}/app/hello`, { prebuiltFolder: objects });
      assert.deepEqual([r.ok, r.plan === undefined], [true, false], name);
      writeFileSync(`${objects}/${name}`, whole);
    }
  });

  it('stop where they are cancelled or the disk is full, and are right again', async function () {
    const app = `${pool}/app/hello`;
    const cancel = new AbortController();
    cancel.abort();
    const cancelled = await build(app, { build: `${dir}/cancelled`, signal: cancel.signal });
    assert.match(cancelled.problems.map((p) => p.message).join(), /cancelled/);
    const again = await build(app, { build: `${dir}/cancelled` });
    assert.ok(again.ok && again.linked);
    const disk = `${dir}/disk`;
    mkdirSync(disk);
    const mount = (...options: string[]): boolean => spawnSync('mount', [...options, disk]).status === 0;
    if (process.platform !== 'linux' || !mount('-t', 'tmpfs', '-o', 'size=16k', 'none')) {
      console.log('      skipped: nothing can be mounted here, so there is no small disk to fill');
      this.skip();
    }
    try {
      for (const size of ['16k', '300k', '700k']) {
        mount('-o', `remount,size=${size}`);
        const full = await build(app, { build: `${disk}/build` });
        assert.match(full.problems.map((p) => p.message).join(), /no room left to write in .*build\. Make room/, size);
      }
      mount('-o', 'remount,size=64m');
      const r = await build(app, { build: `${disk}/build` });
      assert.ok(r.ok);
      assert.ok(readFileSync(r.images[0]!.image).equals(readFileSync(again.images[0]!.image)));
    } finally {
      spawnSync('umount', [disk]);
    }
  });

  it('keep the macros of their sources', async function () {
    if (!findProgram('gdb', process.env)) this.skip();
    const r = await build(`${pool}/app/hello`);
    const asked = ['list boot.c:20', 'macro expand ARRAY_SIZE(a)', 'info macro __x86_64__'];
    const script = ['-batch', ...asked.flatMap((command) => ['-ex', command]), r.images[0]!.symbols];
    const said = execFileSync('gdb', script, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    assert.match(said, /expands to: \(sizeof\(a\) \/ sizeof\(\(a\)\[0\]\)\)/);
    assert.match(said, /-D__x86_64__=1/);
  });

  it('do nothing again where nothing has changed', async () => {
    await build(`${pool}/app/hello`);
    const again = await build(`${pool}/app/hello`);
    assert.deepEqual([again.ok, again.compiled, again.linked], [true, 0, false]);
  });

  it('boot', async function () {
    const qemu = findProgram('qemu-system-x86_64', process.env);
    if (!qemu) this.skip();
    const r = await build(`${pool}/app/threads`);
    assert.ok(r.ok, r.problems.map(formatProblem).join('\n'));
    const args = ['-kernel', r.images[0]!.image, '-display', 'none', '-serial', 'stdio', '-monitor', 'none', '-no-reboot'];
    assert.match(spawnSync(qemu, args, { encoding: 'utf8', timeout: 60_000 }).stdout, /Both are done; main counted 0; the clock agrees/);
  });

  it('say which compiler is missing for what is not among them', async () => {
    const app = `${dir}/own`;
    cpSync(`${pool}/app/hello`, app, { recursive: true });
    const own = await build(app, { build: `${dir}/own-build` });
    assert.equal(own.ok, false);
    assert.deepEqual([...new Set(own.problems.map((p) => p.path))].sort(), [`${app}/binary.c`, `${app}/main.c`]);
    assert.match(
      own.problems[0]!.message,
      /main\.c of apphello has to be compiled: .*No C compiler for x86-64 was found; looked for gcc, .*apt install gcc|xcode-select|winget/,
    );
    const always = await build(app, { build: `${dir}/own-build`, prebuilt: 'always', env: process.env });
    assert.match(always.problems[0]!.message, /does not come compiled with these options/);
    const never = await build(`${pool}/app/hello`, { prebuilt: 'never' });
    assert.match(never.problems[0]!.message, /No C compiler/);
  });

  it('do not stand for sources or options that differ', async () => {
    const changed = `${dir}/pool`;
    cpSync(pool, changed, { recursive: true, filter: (p) => !/\/app\/[^/]+\/build(\/|$)/.test(p) });
    const app = `${changed}/app/hello`;
    const same = await build(app, { pool: changed, build: `${dir}/changed` });
    assert.ok(same.ok, 'a copy of the pool is as good');
    writeFileSync(`${changed}/lib/ukboot/cmdline.h`, `${readFileSync(`${changed}/lib/ukboot/cmdline.h`, 'utf8')}\n/* */\n`);
    const header = await build(app, { pool: changed, build: `${dir}/changed` });
    assert.deepEqual(header.problems.map((p) => path.basename(p.path)).sort(), ['boot.c', 'cmdline.c']);
    writeFileSync(`${dir}/own/.config`, 'CONFIG_LIBUKBOOT_MAXNBARGS=7\n');
    const option = await build(`${dir}/own`, { build: `${dir}/option` });
    assert.ok(option.problems.some((p) => p.path === `${pool}/lib/ukboot/boot.c`));
    assert.ok(!option.problems.some((p) => p.path === `${pool}/lib/ukconsole/console.c`), 'no difference to it');
  });

  it('are taken for none where the folder is damaged', () => {
    mkdirSync(`${dir}/damaged`);
    assert.equal(Prebuilt.open(`${dir}/damaged`), undefined);
    writeFileSync(`${dir}/damaged/index.json`, '{"version":1,"units"');
    assert.equal(Prebuilt.open(`${dir}/damaged`), undefined);
  });
});
