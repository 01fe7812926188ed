/** Where the symbols of programs in a RAM disk are found: beside it, by the name that a program tells, and by its build ID. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type AdapterHost } from '../../../debug-adapter/dap/host';
import { findProgramSymbols, mostPrograms } from '../../../debug-adapter/dap/program-symbols';
import { type Supplement, findSupplement } from '../../../debug-adapter/symbols/api';
import { parseElf } from '../../../debug-adapter/symbols/elf';
import { writeCpio } from '../../../src/build/cpio';
import { PROGRAM, Workshop, haveTools } from '../symbols/support';

const id = 'c0ffee0123456789';
const byId = '/debug/.build-id/c0/ffee0123456789.debug';

describe('symbols of programs in a RAM disk', () => {
  const workshop = new Workshop();
  let stripped: Uint8Array;
  let linked: Uint8Array;
  let whole: Uint8Array;

  before(function () {
    if (!haveTools('symbols that lie apart', 'gcc', 'objcopy', 'strip')) return this.skip();
    const path = workshop.compile(workshop.write('a.c', PROGRAM), 'a', '-g', `-Wl,--build-id=0x${id}`);
    whole = readFileSync(path);
    workshop.run('objcopy', '--only-keep-debug', path, 'a.parted');
    workshop.run('strip', '-o', 'a.stripped', path);
    stripped = readFileSync(`${workshop.folder}/a.stripped`);
    workshop.run('objcopy', '--add-gnu-debuglink=a.parted', 'a.stripped', 'a.linked');
    linked = readFileSync(`${workshop.folder}/a.linked`);
  });
  after(() => workshop.dispose());

  /** What is found for a program where there are these files: path in the disk and file, for each. */
  const found = async (program: Uint8Array, files: readonly string[], bare = false): Promise<readonly string[]> => {
    const host: Pick<AdapterHost, 'exists' | 'readFile'> = {
      exists: (path) => Promise.resolve(files.includes(path)),
      readFile: (path) =>
        path.endsWith('unreadable.dbg') ? Promise.reject(new Error('denied')) : Promise.resolve(new TextEncoder().encode(path)),
    };
    const disk = bare ? program : writeCpio([{ path: 'bin/a', kind: 'file', mode: 0o755, data: program }]);
    const { symbols, leftOut } = await findProgramSymbols(host as AdapterHost, disk, {
      folders: ['/disk', '/image'],
      debugFolders: ['/debug'],
    });
    assert.equal(leftOut, 0);
    for (const { name, bytes } of symbols) assert.equal(new TextDecoder().decode(bytes), name);
    return symbols.map(({ path, name }) => `${path}=${name}`);
  };

  it('come from beside the disk first', async () => {
    assert.deepEqual(await found(stripped, ['/disk/a.debug', '/disk/a.dbg', '/image/a.dbg', byId]), ['bin/a=/disk/a.dbg']);
    assert.deepEqual(await found(stripped, ['/image/a.debug', byId]), ['bin/a=/image/a.debug']);
    assert.deepEqual(await found(whole, ['/image/a.debug']), ['bin/a=/image/a.debug']);
  });

  it('come by build ID from folders of debug information, for what has none of its own', async () => {
    assert.deepEqual(await found(stripped, [byId]), [`bin/a=${byId}`]);
    assert.deepEqual(await found(stripped, [byId], true), [`=${byId}`]);
    assert.deepEqual(await found(whole, [byId]), []);
    assert.deepEqual(await found(stripped, ['/debug/.build-id/c0/ffee.debug']), []);
  });

  it('come by the name that the program tells', async () => {
    assert.deepEqual(await found(linked, ['/image/a.parted']), ['bin/a=/image/a.parted']);
    assert.deepEqual(await found(linked, ['/debug/bin/a.parted']), ['bin/a=/debug/bin/a.parted']);
    assert.deepEqual(await found(stripped, ['/image/a.parted', '/debug/bin/a.parted']), []);
  });

  it('are looked for for so many programs, and it is said how many are left out', async () => {
    const host: Pick<AdapterHost, 'exists' | 'readFile'> = {
      exists: (path) => Promise.resolve(path.endsWith('.dbg')),
      readFile: () => Promise.resolve(new Uint8Array(0)),
    };
    const program = stripped.subarray(0, 64);
    const disk = writeCpio(
      Array.from({ length: mostPrograms + 3 }, (_, i) => ({ path: `p${i}`, kind: 'file', mode: 0o755, data: program })),
    );
    const { symbols, leftOut } = await findProgramSymbols(host as AdapterHost, disk, { folders: ['/disk'], debugFolders: [] });
    assert.deepEqual([symbols.length, leftOut], [mostPrograms, 3]);
  });

  describe('that share DWARF with others', () => {
    let small: Uint8Array;
    let shared: Uint8Array;
    const sharedId = (): string => parseElf(shared).supplementId!;

    before(function () {
      if (!haveTools('files that share DWARF', 'dwz')) return this.skip();
      for (const name of ['a', 'b']) workshop.run('objcopy', '--only-keep-debug', 'a', `${name}.small`);
      workshop.run('dwz', '-m', 'common.debug', '-M', '../.dwz/common', 'a.small', 'b.small');
      small = readFileSync(`${workshop.folder}/a.small`);
      shared = readFileSync(`${workshop.folder}/common.debug`);
    });

    /** What is found of the shared file where there are these files. */
    const supplementOf = async (program: Uint8Array, files: ReadonlyMap<string, Uint8Array>): Promise<Supplement | undefined> => {
      const host: Pick<AdapterHost, 'exists' | 'readFile'> = {
        exists: (path) => Promise.resolve(files.has(path)),
        readFile: (path) => Promise.resolve(files.get(path)!),
      };
      const disk = writeCpio([{ path: 'bin/a', kind: 'file', mode: 0o755, data: program }]);
      const { symbols } = await findProgramSymbols(host as AdapterHost, disk, { folders: ['/disk/x'], debugFolders: ['/debug', '/more'] });
      assert.ok(symbols.length <= 1);
      return symbols[0]?.supplement;
    };

    it('come with the shared file: as it is named, beside them, in .dwz of a folder, by its build ID', async () => {
      const id = sharedId();
      const places = ['/disk/.dwz/common', '/disk/x/common', '/debug/.dwz/common', '/more/.dwz/common'];
      for (const place of [...places, `/more/.build-id/${id.slice(0, 2)}/${id.slice(2)}.debug`]) {
        const found = await supplementOf(
          stripped,
          new Map([
            ['/disk/x/a.debug', small],
            [place, shared],
          ]),
        );
        assert.equal(found?.bytes, shared, place);
      }
      const apart = new Map([
        [byId, small],
        ['/debug/.build-id/.dwz/common', shared],
      ]);
      assert.equal((await supplementOf(stripped, apart))?.bytes, shared);
    });

    it('come with what a program in the disk shares that has the rest itself', async () => {
      const found = await supplementOf(small, new Map([['/debug/.dwz/common', shared]]));
      assert.equal(found?.bytes, shared);
    });

    it('are not looked for where reading need not end', () => {
      const patched = Buffer.from(small);
      const at = patched.indexOf('../.dwz/common');
      patched.write('/proc/kmsg\0', at, 'latin1');
      const { value } = findSupplement(patched, ['/disk/x/a'], []).next();
      assert.equal(value, '/disk/x/kmsg');
    });

    it('say where it was looked for, and pass over one of another build', async () => {
      const files = new Map([
        ['/disk/x/a.debug', small],
        ['/disk/.dwz/common', whole],
        ['/debug/.dwz/common', new Uint8Array(5)],
      ]);
      const found = await supplementOf(stripped, files);
      assert.equal(found?.bytes, undefined);
      assert.deepEqual(found?.others, ['/disk/.dwz/common', '/debug/.dwz/common']);
      assert.ok(found?.places.includes('/disk/x/common'));
      files.set('/more/.dwz/common', shared);
      assert.equal((await supplementOf(stripped, files))?.bytes, shared);
      files.delete('/disk/x/a.debug');
      assert.equal(await supplementOf(whole, files), undefined);
    });
  });

  it('are not looked for by a name that leads elsewhere', async () => {
    const hostile = Buffer.from(linked);
    const at = hostile.indexOf('a.parted');
    hostile.write('../p.dbg', at, 'latin1');
    assert.deepEqual(await found(hostile, ['/image/../p.dbg', '/debug/bin/../p.dbg']), []);
  });
});
