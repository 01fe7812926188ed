/** New projects: what is made builds at once, runs, and says no more than its sources do. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { helloProgram } from '../../../../src/build/templates/hello-program';
import { nameFault, projectNames, TEMPLATES, templateFiles } from '../../../../src/build/templates/templates';
import { buildPool } from '../../../../src/build/pool-build.node';
import { formatProblem } from '../../../../src/build/problems';
import { findToolchain } from '../../../../src/build/toolchain-probe.node';
import { findProgram } from '../../../../src/build/toolchain.node';
import { newCommand } from '../../../../src/cli/new';
import { readKraftfile } from '../../../../src/kraftfile/model';
import { validate } from '../../../../src/kraftfile/validate';

const root = path.resolve(__dirname, '../../../..');

describe('templates', function () {
  this.timeout(300_000);
  let dir = '';
  before(() => (dir = mkdtempSync(path.join(tmpdir(), 'templates-'))));
  after(() => rmSync(dir, { recursive: true, force: true }));

  const run = (...argv: string[]): { status: number; out: string; err: string } => {
    let [out, err] = ['', ''];
    const io = { stdout: (t: string) => void (out += t), stderr: (t: string) => void (err += t), cwd: dir, env: {} };
    return { status: newCommand(argv, io), out, err };
  };

  it('name libraries and options as Unikraft does', () => {
    assert.deepEqual(projectNames('My-App_2', 'app'), { name: 'My-App_2', library: 'appmyapp2', symbol: 'APPMYAPP2' });
    assert.equal(projectNames('appdemo', 'app').library, 'appdemo');
    assert.equal(projectNames('lib-demo', 'lib').library, 'libdemo');
    assert.equal(nameFault('demo-1'), undefined);
    for (const bad of ['', '-x', 'a b', 'a/b', '../x', 'ü', 'x'.repeat(65)]) assert.ok(nameFault(bad), bad);
    assert.throws(() => templateFiles({ template: 'app', name: 'a b', base: 'pool' }), /“a b” cannot be the name/);
  });

  it('write Kraftfiles without a fault', () => {
    for (const { id } of TEMPLATES)
      for (const base of ['pool', 'upstream'] as const)
        for (const file of templateFiles({ template: id, name: 'demo', base })) {
          if (!file.path.endsWith('Kraftfile') || typeof file.data !== 'string') continue;
          const faults = validate(readKraftfile(file.data)).filter((d) => d.severity === 'error');
          assert.deepEqual(faults, [], `${id} ${base}`);
        }
  });

  it('refuse what cannot be made, in words', () => {
    mkdirSync(`${dir}/taken`);
    writeFileSync(`${dir}/taken/file`, '');
    for (const [argv, status, message] of [
      [[], 2, /template is missing: app, binary, library/],
      [['frob', 'x'], 2, /no template frob/],
      [['app'], 2, /folder of the new project is missing/],
      [['app', 'x', 'y'], 2, /Only one project/],
      [['app', 'x', '--name', 'a b'], 2, /cannot be the name/],
      [['app', 'x', '--base', 'z'], 2, /--base is pool or upstream/],
      [['app', 'x', '--program', 'z'], 2, /--program is for the template binary/],
      [['app', 'taken'], 1, /taken is not empty/],
      [['binary', 'x', '--program', 'none'], 1, /cannot be made: .*none/],
    ] as const) {
      const r = run(...argv);
      assert.equal(r.status, status, argv.join(' '));
      assert.match(r.err, message);
    }
    assert.match(run('--help').out, /Usage: unikernel new TEMPLATE DIR/);
  });

  it('hold a Linux program that this system runs', function () {
    if (process.platform !== 'linux' || process.arch !== 'x64') this.skip();
    const file = `${dir}/hello-program`;
    writeFileSync(file, helloProgram());
    chmodSync(file, 0o755);
    assert.equal(execFileSync(file, { encoding: 'utf8' }), 'Hello from a Linux program!\n');
  });

  for (const { id } of TEMPLATES)
    it(`build and run with the starter pool: ${id}`, async function () {
      if (!findToolchain(process.env)) this.skip();
      const made = run(id, `my-${id}`, '--json');
      assert.equal(made.status, 0, made.err);
      const { files } = JSON.parse(made.out) as { files: string[] };
      for (const file of files) assert.ok(existsSync(`${dir}/my-${id}/${file}`), file);
      const app = id === 'library' ? `${dir}/my-${id}/example` : `${dir}/my-${id}`;
      const r = await buildPool({ app, pool: `${root}/library-pool`, env: process.env });
      assert.ok(r.ok, r.problems.map(formatProblem).join('\n'));
      assert.deepEqual(r.problems, []);
      const qemu = findProgram('qemu-system-x86_64', process.env);
      if (!qemu) return;
      const image = r.images.find((i) => i.target === 'qemu-x86_64')!;
      const args = ['-kernel', image.image, '-append', ['--', ...r.command].join(' '), '-display', 'none', '-serial', 'stdio'];
      const { stdout } = spawnSync(
        qemu,
        [...args, ...(image.initrd === undefined ? [] : ['-initrd', image.initrd]), '-monitor', 'none', '-no-reboot'],
        { encoding: 'utf8', timeout: 60_000 },
      );
      const expected = { app: /Hello, world!\r\n/, binary: /Hello from a Linux program!\r\n/, library: /1\r\n2\r\n3\r\n/ }[id];
      assert.match(stdout, expected);
    });

  it('build and boot with an upstream tree: app and library', function () {
    const core = process.env['UK_ROOT'];
    if (core === undefined || !existsSync(`${core}/Makefile.uk`) || process.env['SLOW'] === undefined) {
      console.log('      skipped: needs UK_ROOT, a Unikraft tree, and SLOW=1, as make takes minutes');
      this.skip();
    }
    this.timeout(1_800_000);
    for (const id of ['app', 'library'] as const) {
      const made = run(id, `up-${id}`, '--core', core);
      assert.equal(made.status, 0, made.err);
      const app = id === 'library' ? `${dir}/up-${id}/example` : `${dir}/up-${id}`;
      const make = (...args: string[]): string =>
        execFileSync('make', ['-C', app, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26 });
      // What the command says to do.
      make('defconfig', 'all', '-j2');
      const name = id === 'library' ? 'up-library-example' : 'up-app';
      assert.ok(readFileSync(`${app}/build/${name}_qemu-x86_64`).length > 100_000);
      const boot = [require.resolve('tsx/cli'), `${root}/src/cli/main.ts`, 'run', `${app}/build/${name}_qemu-x86_64`, '--timeout', '300'];
      const said = execFileSync(process.execPath, boot, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
      assert.match(said, id === 'app' ? /Hello, world!/ : /1\r?\n2\r?\n3\r?\n/, 'it boots');
    }
  });
});
