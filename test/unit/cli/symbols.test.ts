/** The command line opens files with symbols with what they share with others. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSymbolFile } from '../../../src/cli/symbols';
import { haveTools, PROGRAM, Workshop } from '../symbols/support';

describe('symbols for commands', () => {
  const workshop = new Workshop();
  after(() => workshop.dispose());

  it('come with the file that they name', function () {
    if (!haveTools('files that share DWARF', 'gcc', 'dwz')) return this.skip();
    workshop.compile(workshop.write('a.c', PROGRAM), 'a', '-g');
    workshop.run('cp', 'a', 'b');
    workshop.run('dwz', '-m', 'common.debug', 'a', 'b');
    const isShared = (path: string): boolean => path === join(workshop.folder, 'common.debug');
    const open = (there: boolean): ReturnType<typeof openSymbolFile> =>
      openSymbolFile(
        { readFile: (path) => readFileSync(path), fileKind: (path) => (isShared(path) && there ? 'file' : undefined) },
        join(workshop.folder, 'a'),
      );
    const names = (there: boolean): readonly string[] =>
      open(there)
        .typesNamed('struct point')
        .flatMap((type) => type.name ?? []);
    assert.deepEqual([names(true), open(true).diagnostics()], [['point'], []]);
    assert.deepEqual(names(false), []);
    assert.match(open(false).diagnostics()[0]!.message, new RegExp(`looked for: ${join(workshop.folder, 'common.debug')}`));
  });
});
