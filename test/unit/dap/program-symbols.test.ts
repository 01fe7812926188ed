/** Where the symbols of programs in a RAM disk are found: beside it, by the name that a program tells, and by its build ID. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type AdapterHost } from '../../../debug-adapter/dap/host';
import { findProgramSymbols, mostPrograms } from '../../../debug-adapter/dap/program-symbols';
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

  it('are not looked for by a name that leads elsewhere', async () => {
    const hostile = Buffer.from(linked);
    const at = hostile.indexOf('a.parted');
    hostile.write('../p.dbg', at, 'latin1');
    assert.deepEqual(await found(hostile, ['/image/../p.dbg', '/debug/bin/../p.dbg']), []);
  });
});
