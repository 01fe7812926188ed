/** What is kept of translated code between runs: the files, and that a run finds what an earlier one left. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { keptFiles } from '../../../debug-adapter/kept-files.node';
import { keptRegionsOf } from '../../../debug-adapter/kept-place.node';
import { Telling } from '../../../debug-adapter/x86/event-log';
import { type Answer, type Numbered, serviceOf } from '../../../debug-adapter/x86/default-compiler';
import { type Task } from '../../../debug-adapter/x86/jit/compiler-thread';
import { type CompiledRegion } from '../../../debug-adapter/x86/jit/compile';
import { KeptGuest, type KeptStorage, placed } from '../../../debug-adapter/x86/jit/kept';
import { type RegionOrder } from '../../../debug-adapter/x86/jit/order';

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

  /** A region of two blocks at an address. */
  function regionAt(key: number): { order: RegionOrder; compiled: CompiledRegion } {
    const block = (at: number, bytes: number): RegionOrder['blocks'][number] => ({
      key: at,
      code: new Uint8Array(bytes).fill(at & 0xff),
      last: at,
      end: { kind: 'leave', at, resume: undefined },
      observed: Telling.none,
      returnTold: Telling.none,
    });
    const none = new Set<number>();
    const order: RegionOrder = {
      key,
      mode: 1,
      blocks: [block(key, 5), block(key + 5, 9)],
      entries: [key],
      open: none,
      broad: true,
      precision: undefined,
      unordinary: none,
      alone: none,
      records: new Map(),
    };
    const compiled = { body: Uint8Array.of(11), hints: new Uint32Array(0), records: [], entries: [key], sites: [], instructions: 4 };
    return { order, compiled };
  }

  /** What a guest has after its regions at these addresses were written and read again. */
  function keptOf(file: string, keys: readonly number[], change: (guest: KeptGuest) => void = () => undefined): KeptGuest {
    const guest = new KeptGuest(files(), file);
    for (const key of keys) guest.note(regionAt(key).order, 'default', regionAt(key).compiled);
    change(guest);
    guest.save();
    return new KeptGuest(files(), file);
  }

  it('takes no more than its own code along in a message', () => {
    const keys = Array.from({ length: 50 }, (_, i) => 0x1000 + i * 0x100);
    for (const region of keptOf(path.join(folder, 'a.bin'), keys).all('default')) {
      const { kept } = placed(region, () => assert.fail());
      assert.deepEqual(
        kept.blocks.map(({ code }) => [...code]),
        regionAt(kept.key).order.blocks.map(({ code }) => [...code]),
      );
      const buffers = new Set(kept.blocks.map(({ code }) => code.buffer));
      assert.deepEqual(
        [...buffers].map(({ byteLength }) => byteLength),
        [14],
      );
    }
  });

  it('has no more of what others took the place of, and says where more was looked for in vain', () => {
    const guest = keptOf(path.join(folder, 'a.bin'), [0x100, 0x200, 0x300], (before) => {
      before.forget('default', [{ key: 0x200, mode: 1 }]);
      before.settle('default', [
        { key: 0x300, mode: 1 },
        { key: 0x400, mode: 1 },
      ]);
    });
    assert.deepEqual(
      guest.all('default').map(({ key, settled, broad }) => [key, settled, broad]),
      [
        [0x100, false, true],
        [0x300, true, true],
      ],
    );
    // What is made again is looked at again.
    guest.note(regionAt(0x300).order, 'default', regionAt(0x300).compiled);
    assert.ok(guest.all('default').every(({ settled }) => !settled));
    assert.deepEqual(guest.all('min'), []);
  });

  it('is waited for by a process that has nothing else to do', async () => {
    const held: boolean[] = [];
    const posted: Numbered<Task>[] = [];
    let answered: (answer: Answer) => void = () => assert.fail();
    const service = serviceOf(() => ({
      post: (task) => void posted.push(task),
      listen: (answer) => void (answered = answer),
      hold: (on) => void held.push(on),
    }));
    const order = { keptAs: 'a', model: 'default', superseded: [], settled: [] } as const;
    await service.keep!(order);
    assert.deepEqual([held, posted], [[], []], 'no thread, nothing to wait for');
    service.prepare!();
    const both = [service.keep!(order), service.keep!(order)];
    await new Promise(setImmediate);
    assert.deepEqual(held, [true]);
    for (const { id } of posted) {
      assert.deepEqual(held, [true]);
      answered({ id, content: undefined });
      await new Promise(setImmediate);
    }
    await Promise.all(both);
    assert.deepEqual(held, [true, false]);
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
      const env = { ...process.env, XDG_CACHE_HOME: folder, NODE_DEBUG: 'unikernel' };
      const result = execFileSync('sh', ['-c', '"$@" 2>&1; true', 'sh', process.execPath, ...args], { env, encoding: 'utf8' });
      const stats = /\{"instructions".*\}/.exec(result)![0];
      const { jit } = JSON.parse(stats) as { jit: { recalled: number } };
      return { text: result.replace(stats, '').replaceAll('\r', ''), recalled: jit.recalled };
    };
    const [first, second] = [run(), run()];
    assert.equal(first.recalled, 0);
    assert.ok(second.recalled > 50, `${second.recalled} regions`);
    // Both find the bundles' compiled code.
    assert.doesNotMatch(first.text + second.text, /UNIKERNEL \d+:/);
    assert.equal(second.text, first.text);
  });
});
