/** Fetching of sources: archives as tar and zip write them, hostile ones, checksums, cancelling, and git. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { runProgram } from '../../../../src/build/process.node';
import { readArchive } from '../../../../src/pool/fetch/archive';
import { fetchSources, type FetchSource, type FetchWatch } from '../../../../src/pool/fetch/fetch.node';

/** One entry of a tar archive, with whatever header is wanted. */
function tarEntry(name: string, data: string, type = '0', link = ''): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write('0000644\0', 100);
  header.write(`${Buffer.byteLength(data).toString(8).padStart(11, '0')}\0`, 124);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(link, 157, 100);
  header.write('ustar\u000000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const body = Buffer.alloc(Math.ceil(Buffer.byteLength(data) / 512) * 512);
  body.write(data);
  return Buffer.concat([header, body]);
}

const end = Buffer.alloc(1024);
const tar = (...entries: readonly Buffer[]): Buffer => Buffer.concat([...entries, end]);
const paths = (bytes: Uint8Array): string[] => readArchive(bytes, 'a').map(({ path: each, kind }) => `${kind} ${each}`);

describe('an archive of sources', () => {
  it('is read as GNU tar writes it, long names and links and all', function () {
    const folder = mkdtempSync(path.join(tmpdir(), 'unikernel-tar-'));
    try {
      const long = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(90)}.c`;
      mkdirSync(path.join(folder, 'lib-x-1.0', path.dirname(long)), { recursive: true });
      writeFileSync(path.join(folder, 'lib-x-1.0', long), 'long');
      writeFileSync(path.join(folder, 'lib-x-1.0/Config.uk'), 'config LIBX\n');
      symlinkSync('Config.uk', path.join(folder, 'lib-x-1.0/link'));
      for (const format of ['gnu', 'pax', 'ustar']) {
        const made = spawnSync('tar', [`--format=${format}`, '-cf', '-', 'lib-x-1.0'], { cwd: folder, maxBuffer: 1 << 24 });
        if (format === 'ustar' && made.status !== 0) continue;
        assert.equal(made.status, 0, String(made.stderr));
        const entries = readArchive(made.stdout, 'x.tar');
        assert.ok(
          entries.some((entry) => entry.path === long && Buffer.from(entry.data).toString() === 'long'),
          format,
        );
        assert.equal(entries.find((entry) => entry.path === 'link')?.target, 'Config.uk');
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('is read as zip', () =>
    assert.deepEqual(paths(zipSync({ 'lib-x/': new Uint8Array(0), 'lib-x/a.c': Buffer.from('x') })), ['file a.c']));

  it('keeps its paths where they have no folder in common', () =>
    assert.deepEqual(paths(tar(tarEntry('a.c', 'x'), tarEntry('b/', '', '5'), tarEntry('b/c.h', ''), tarEntry('b/l', '', '2', '../a.c'))), [
      ...['file a.c', 'directory b', 'file b/c.h', 'symlink b/l'],
    ]));

  for (const [what, bytes, message] of [
    ['a path that leads out', tar(tarEntry('x/../../etc/passwd', 'x')), /the path “x\/\.\.\/\.\.\/etc\/passwd” leads out/],
    ['an absolute path', tar(tarEntry('/etc/passwd', 'x')), /the path “\/etc\/passwd” leads out/],
    ['a path of another system', tar(tarEntry('C:\\x', 'x')), /leads out/],
    [
      'a link that leads out',
      tar(tarEntry('x/a', ''), tarEntry('x/l', '', '2', '../../etc')),
      /the link “l” to “\.\.\/\.\.\/etc” leads out/,
    ],
    ['an absolute link', tar(tarEntry('x/a', ''), tarEntry('x/l', '', '2', '/etc')), /the link “l” to “\/etc” leads out/],
    ['a device', tar(tarEntry('x/null', '', '3')), /neither a file, a folder nor a link/],
    ['a zip that leads out', zipSync({ '../x': Buffer.from('x') }), /the path “\.\.\/x” leads out/],
    ['a cut off tar', tar(tarEntry('x/a', 'y'.repeat(2000))).subarray(0, 900), /is damaged: its entry at byte 0/],
    ['a cut off zip', zipSync({ 'x/a': Buffer.from('x'.repeat(500)) }).subarray(0, 60), /is damaged/],
    ['a text', Buffer.from('<html>Not found</html>'), /neither a tar nor a zip/],
  ] as const)
    it(`is refused for ${what}`, () => assert.throws(() => readArchive(bytes, 'bad.tar'), message));

  it('never escapes, whatever its bytes', () => {
    const seed = Number(process.env['SEED'] ?? Date.now() & 0xffffff);
    let state = seed;
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const good = tar(tarEntry('x/a.c', 'abc'), tarEntry('x/l', '', '2', 'a.c'), tarEntry('x/d/e', 'f'));
    for (let round = 0; round < 2000; round++) {
      const bytes = Buffer.from(good);
      for (let change = 0; change < 1 + random(4); change++) bytes[random(bytes.length)] = random(256);
      let entries: ReturnType<typeof readArchive> = [];
      try {
        entries = readArchive(bytes, 'fuzz');
      } catch (error) {
        assert.equal((error as Error).constructor.name, 'ArchiveError', `seed ${seed}: ${String(error)}`);
      }
      for (const entry of entries) assert.ok(!entry.path.split('/').includes('..') && !entry.path.startsWith('/'), `seed ${seed}`);
    }
  });
});

describe('fetching of sources', function () {
  this.timeout(60_000);
  let scratch = '';
  let server: Server;
  let address = '';
  const archive = gzipSync(
    tar(tarEntry('lib-x-1/', '', '5'), tarEntry('lib-x-1/Makefile.uk', 'x'), tarEntry('lib-x-1/l', '', '2', 'Makefile.uk')),
  );
  const sha256 = createHash('sha256').update(archive).digest('hex');

  before(async () => {
    server = createServer((request, response) => {
      if (request.url === '/x.tar.gz') response.end(archive);
      else if (request.url === '/slow') {
        response.writeHead(200, { 'content-length': '1000000' });
        response.write('x'.repeat(1000));
      } else if (request.url === '/x.tar.xz') response.end(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => (scratch = mkdtempSync(path.join(tmpdir(), 'unikernel-fetch-'))));
  afterEach(() => rmSync(scratch, { recursive: true, force: true }));

  const git = (argv: readonly [string, ...string[]], options: Parameters<typeof runProgram>[1]) => runProgram(argv, options);
  const run = (source: FetchSource, watch?: FetchWatch): Promise<void> =>
    fetchSources(
      source,
      `${scratch}/libs/x`,
      (argv, options) => git(argv, { ...options, env: { ...process.env, GIT_TERMINAL_PROMPT: '0' } }),
      watch,
    );
  const nothingLeft = (): void => assert.deepEqual(existsSync(`${scratch}/libs`) ? readdirSync(`${scratch}/libs`) : [], []);

  it('unpacks an archive whose checksum is right, with progress', async () => {
    const parts: (number | undefined)[] = [];
    await run({ kind: 'archive', url: `${address}/x.tar.gz`, sha256 }, { progress: (_, part) => parts.push(part) });
    assert.equal(readFileSync(`${scratch}/libs/x/Makefile.uk`, 'utf8'), 'x');
    assert.equal(readlinkSync(`${scratch}/libs/x/l`), 'Makefile.uk');
    assert.equal(parts.at(-1), 1);
    await assert.rejects(run({ kind: 'archive', url: `${address}/x.tar.gz` }), /exists already/);
  });

  for (const [what, source, message] of [
    [
      'another checksum',
      { url: '/x.tar.gz', sha256: '0'.repeat(64) },
      /Nothing was unpacked: the SHA-256 is wrong.* is [0-9a-f]{64} and should be 0{64}/,
    ],
    ['an address that is not there', { url: '/none' }, /the server answers 404/],
    ['an archive that is damaged within its packing', { url: '/x.tar.xz' }, /is damaged: |there is no xz here/],
  ] as const)
    it(`leaves nothing behind for ${what}`, async () => {
      await assert.rejects(run({ kind: 'archive', ...source, url: address + source.url }), message);
      nothingLeft();
    });

  for (const [packing, program] of [
    ['xz', 'xz'],
    ['bzip2', 'bzip2'],
  ] as const)
    it(`unpacks archives packed with ${packing}, and says what is missing without ${program}`, async function () {
      const packed = spawnSync(program, ['-c'], { input: gunzipSync(archive) });
      if (packed.error) {
        console.log(`      skipped: there is no ${program} on this machine`);
        return this.skip();
      }
      const file = `${scratch}/x.tar.packed`;
      writeFileSync(file, packed.stdout);
      const url = pathToFileURL(file).href;
      await run({ kind: 'archive', url });
      assert.equal(readFileSync(`${scratch}/libs/x/Makefile.uk`, 'utf8'), 'x');
      rmSync(`${scratch}/libs`, { recursive: true });
      const path = process.env['PATH'];
      process.env['PATH'] = scratch;
      try {
        await assert.rejects(
          run({ kind: 'archive', url }),
          new RegExp(`packed with ${packing}, and there is no ${program} here .*Install ${program}`),
        );
      } finally {
        process.env['PATH'] = path;
      }
      writeFileSync(file, packed.stdout.subarray(0, packed.stdout.length - 30));
      await assert.rejects(run({ kind: 'archive', url }), /is damaged: /);
      rmSync(file);
      nothingLeft();
    });

  it('leaves nothing behind for a server that is not there, and for no address', async () => {
    await assert.rejects(run({ kind: 'archive', url: 'http://127.0.0.1:1/x' }), /could not be fetched/);
    await assert.rejects(run({ kind: 'archive', url: 'javascript:x' }), /no address of an archive/);
    await assert.rejects(run({ kind: 'git', url: '--upload-pack=x' }), /no address of a git repository/);
    await assert.rejects(run({ kind: 'git', url: 'https://h/x', ref: '--x' }), /no name of a branch/);
    nothingLeft();
  });

  it('stops when it is cancelled', async () => {
    const cancel = new AbortController();
    const fetching = run(
      { kind: 'archive', url: `${address}/slow` },
      { signal: cancel.signal, progress: () => setTimeout(() => cancel.abort(), 20) },
    );
    await assert.rejects(fetching, /Fetching was cancelled/);
    nothingLeft();
  });

  it('clones a repository at a tag, and says why it cannot', async function () {
    const repository = `${scratch}/repository`;
    const at = (...args: string[]) =>
      spawnSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd: repository, encoding: 'utf8' });
    mkdirSync(repository);
    if (at('init', '-q').status !== 0) this.skip();
    writeFileSync(`${repository}/Makefile.uk`, 'one');
    at('add', '.');
    at('commit', '-qm', 'one');
    at('tag', 'v1');
    writeFileSync(`${repository}/Makefile.uk`, 'two');
    at('commit', '-qam', 'two');
    const url = pathToFileURL(repository).href;
    await run({ kind: 'git', url, ref: 'v1' });
    assert.equal(readFileSync(`${scratch}/libs/x/Makefile.uk`, 'utf8'), 'one');
    assert.ok(lstatSync(`${scratch}/libs/x/.git`) && statSync(`${scratch}/libs/x`).isDirectory());
    rmSync(`${scratch}/libs/x`, { recursive: true });
    await assert.rejects(run({ kind: 'git', url, ref: 'v9' }), /could not be cloned: Remote branch v9 not found/);
    nothingLeft();
  });
});
