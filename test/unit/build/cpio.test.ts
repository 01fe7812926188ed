/** Random folders packed by us, as GNU cpio and libarchive unpack and list them, and as these pack them. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeCpio } from '../../../src/build/cpio';
import { packFolder, readTree } from '../../../src/build/cpio.node';
import { findProgram } from '../../../src/build/toolchain.node';
import { random } from './link/host';

const NAMES = [
  'a',
  'b',
  'a-b',
  'a.b',
  'name with blanks',
  'ümlaut',
  '日本',
  '-dash',
  '.hidden',
  'x'.repeat(200),
  "it's",
  'TRAILER!!',
  '#',
  '~',
  'z',
];

/** Makes random files, folders and links below a folder. */
function grow(dir: string, below: (n: number) => number, depth: number): void {
  for (const name of NAMES) {
    if (below(3) !== 0) continue;
    const full = `${dir}/${name}`;
    const kind = below(depth > 0 ? 4 : 3);
    if (kind === 3) {
      mkdirSync(full);
      grow(full, below, depth - 1);
      chmodSync(full, 0o700 | below(0o100));
    } else if (kind === 2) symlinkSync(['a', '../b', '/etc/passwd', 'no such', 'ü'][below(5)]!, full);
    else {
      writeFileSync(full, Buffer.alloc([0, 1, 2, 3, 4, 5, 511, 512, 513, 70_000][below(10)]!, below(256)));
      chmodSync(full, 0o400 | below(0o400));
    }
  }
}

/** Everything below a folder: kind, access, content or target. */
function describeTree(dir: string, prefix = ''): string[] {
  return readdirSync(dir)
    .sort()
    .flatMap((name) => {
      const full = `${dir}/${name}`;
      const stat = lstatSync(full);
      const mode = (stat.mode & 0o7777).toString(8);
      if (stat.isSymbolicLink()) return [`${prefix}${name} -> ${readlinkSync(full)}`];
      if (stat.isDirectory()) return [`${prefix}${name}/ ${mode}`, ...describeTree(full, `${prefix}${name}/`)];
      return [`${prefix}${name} ${mode} ${readFileSync(full).toString('base64')}`];
    });
}

describe('root file systems', function () {
  this.timeout(120_000);
  const unpackers: readonly (readonly [string, ...string[]])[] = [
    ['cpio', '-idm', '--quiet', '--no-absolute-filenames'],
    ['bsdcpio', '-idm', '--quiet'],
  ];
  const there = unpackers.filter(([program]) => findProgram(program, process.env) !== undefined);
  let scratch = '';
  before(function () {
    if (process.platform !== 'win32' && there.length > 0) return;
    console.log('      skipped: there is neither GNU cpio nor bsdcpio on this machine');
    this.skip();
  });
  beforeEach(() => (scratch = mkdtempSync(path.join(tmpdir(), 'cpio-test-'))));
  afterEach(() => {
    spawnSync('chmod', ['-R', 'u+rwx', scratch]);
    rmSync(scratch, { recursive: true, force: true });
  });

  it('carry times where these are wanted, and are equal for equal folders where not', () => {
    writeFileSync(`${scratch}/f`, 'x');
    utimesSync(`${scratch}/f`, 1_000_000_000, 1_234_567_890.5);
    const plain = packFolder(scratch);
    const mtime = (bytes: Uint8Array): number => parseInt(Buffer.from(bytes).toString('latin1', 46, 54), 16);
    assert.deepEqual([mtime(plain), mtime(writeCpio(readTree(scratch, true)))], [0, 1_234_567_890]);
    utimesSync(`${scratch}/f`, 5, 5);
    assert.deepEqual(packFolder(scratch), plain);
  });

  it('come out as they went in', () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
    console.log(`      seed ${seed}, by ${there.map(([program]) => program).join(' and ')}`);
    const below = random(seed);
    for (let round = 0; round < Number(process.env['ROUNDS'] ?? 6); round++) {
      const from = `${scratch}/from${round}`;
      mkdirSync(from);
      grow(from, below, 3);
      const archive = packFolder(from);
      for (const [program, ...args] of there) {
        const to = `${scratch}/${program}${round}`;
        mkdirSync(to);
        execFileSync(program, args, { cwd: to, input: archive, stdio: ['pipe', 'ignore', 'inherit'] });
        assert.deepEqual(describeTree(to), describeTree(from), `seed ${seed}, round ${round}, ${program}`);
        const list = (bytes: Uint8Array): string[] =>
          execFileSync(program, ['-t', '--quiet'], { input: bytes, encoding: 'utf8', stdio: ['pipe', 'pipe', 'inherit'] })
            .split('\n')
            .filter((line) => line !== '' && line !== '.')
            .map((line) => line.replace(/^\.\//, ''))
            .sort();
        const names = execFileSync('find', ['.', '-mindepth', '1'], { cwd: from, encoding: 'utf8' });
        const theirs = execFileSync(program, ['-o', '-H', 'newc', '--quiet'], {
          cwd: from,
          input: names,
          stdio: ['pipe', 'pipe', 'inherit'],
        });
        assert.deepEqual(list(archive), list(theirs), `seed ${seed}, round ${round}: names by ${program}`);
      }
    }
  });
});
