/** What is kept of translated code between runs: the files, and that a run finds what an earlier one left. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { keptFiles } from '../../../debug-adapter/kept-files.node';
import { keptRegionsOf } from '../../../debug-adapter/kept-place.node';
import { KeptGuest, type KeptStorage } from '../../../debug-adapter/x86/jit/kept';

const root = path.join(__dirname, '../../..');

describe('translated code that is kept', () => {
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'unikernel-kept-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const files = (bundle = __filename): KeptStorage => keptFiles(bundle);

  it('is read as it was written', () => {
    const file = path.join(folder, 'a/b.bin');
    const content = [{ key: 5, code: Uint8Array.of(1, 2, 3), open: new Set([7]) }];
    files().write(file, content);
    assert.deepEqual(files().read(file), content);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(path.dirname(file)), ['b.bin']);
  });

  it('is as if it were not there where it is cut off, changed, or of another version', () => {
    const file = path.join(folder, 'b.bin');
    files().write(file, ['text']);
    const bytes = readFileSync(file);
    for (let length = 0; length < bytes.length; length += 7) {
      writeFileSync(file, bytes.subarray(0, length));
      assert.equal(files().read(file), undefined, `${length} bytes`);
    }
    for (let at = 0; at < bytes.length; at++) {
      const changed = Uint8Array.from(bytes);
      changed[at]! ^= 1;
      writeFileSync(file, changed);
      assert.equal(files().read(file), undefined, `byte ${at}`);
    }
    writeFileSync(file, bytes);
    assert.equal(files(path.join(root, 'package.json')).read(file), undefined);
    assert.equal(files().read(path.join(folder, 'none.bin')), undefined);
  });

  it('goes nowhere where there is no writing', () => {
    writeFileSync(path.join(folder, 'file'), '');
    files().write(path.join(folder, 'file/below.bin'), []);
    assert.deepEqual(readdirSync(folder), ['file']);
    if (process.platform === 'linux') files().write('/proc/none/a/b.bin', []);
    assert.deepEqual(files().read('/proc/none/a/b.bin'), undefined);
  });

  it('stays of the guests that ran last', () => {
    for (let guest = 0; guest < 60; guest++) {
      const file = path.join(folder, `${guest}.bin`);
      files().write(file, [guest]);
      utimesSync(file, guest, guest);
    }
    files().write(path.join(folder, 'last.bin'), []);
    const left = readdirSync(folder);
    assert.ok(left.length <= 41 && left.includes('last.bin') && left.includes('59.bin') && !left.includes('0.bin'), left.join());
  });

  it('is told apart by the files of a guest', () => {
    const names = [['a'], ['b'], ['a', 'b'], ['a', ''], ['']].map((paths) => keptRegionsOf(paths)?.name);
    assert.equal(new Set(names).size, names.length);
    assert.equal(keptRegionsOf(['x'])!.name, keptRegionsOf([path.resolve('x')])!.name);
    assert.equal(keptRegionsOf(['x'])!.isThere, false);
  });

  it('is empty where a file holds something else', () => {
    const guest = new KeptGuest({ read: () => 'strange', write: () => assert.fail() }, 'name');
    assert.deepEqual(guest.all('default'), []);
    guest.save();
  });

  it('is found by the next run of a program', function () {
    const images = path.join(process.env['UNIKERNEL_SUITES'] ?? '/none', 'images');
    const [image, initrd] = [path.join(images, 'elfloader-norand'), path.join(images, 'initrd/sqlite.cpio')];
    const cli = path.join(root, 'dist/cli.js');
    if (![image, initrd, cli].every((file) => existsSync(file))) {
      console.log('      UNIKERNEL_SUITES names no folder with images/elfloader-norand, or there is no dist/cli.js');
      this.skip();
    }
    this.timeout(120_000);
    const append = 'vfs.fstab=[ "initrd0:/:extract::ramfs=1:" ] -- /sqlite3 /x.db ".read /script.sql"';
    const run = (): { text: string; recalled: number } => {
      const args = [
        cli,
        'run',
        image,
        '--initrd',
        initrd,
        '--memory',
        '256',
        '--stats',
        '--max-instructions',
        '440000000',
        '--append',
        append,
      ];
      const env = { ...process.env, XDG_CACHE_HOME: folder };
      const result = execFileSync('sh', ['-c', '"$@" 2>&1; true', 'sh', process.execPath, ...args], { env, encoding: 'utf8' });
      const stats = /\{"instructions".*\}/.exec(result)![0];
      const { jit } = JSON.parse(stats) as { jit: { recalled: number } };
      return { text: result.replace(stats, '').replaceAll('\r', ''), recalled: jit.recalled };
    };
    const [first, second] = [run(), run()];
    assert.equal(first.recalled, 0);
    assert.ok(second.recalled > 50, `${second.recalled} regions`);
    assert.equal(second.text, first.text);
  });
});
