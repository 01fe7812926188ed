/** Which library provides a system call, and what is said of one that is not there. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { providerText } from '../../../debug-adapter/control/catch/provided';
import { syscallProviders } from '../../../debug-adapter/trace/syscalls/providers';
import { syscallRows } from '../../../debug-adapter/trace/syscalls/table';

describe('providers of system calls', () => {
  it('are named with their options', () => {
    assert.deepEqual(syscallProviders('futex'), [{ library: 'posix-futex', option: 'LIBPOSIX_FUTEX' }]);
    assert.deepEqual(
      syscallProviders('mmap').map(({ library }) => library),
      ['posix-mmap', 'ukmmap'],
    );
    assert.equal(providerText('futex', false), 'lib/posix-futex (CONFIG_LIBPOSIX_FUTEX=y) would provide it: enable that and build again.');
    assert.match(providerText('mmap', false), / or .*one of them/);
    assert.equal(providerText('io_uring_setup', false), 'No library of Unikraft provides io_uring_setup.');
    assert.match(providerText('prctl', true), /has a handler/);
  });

  it('are those of a tree of Unikraft', function () {
    const root = process.env['UK_ROOT'];
    const makefiles =
      root === undefined
        ? []
        : readdirSync(path.join(root, 'lib'))
            .map((name) => path.join(root, 'lib', name, 'Makefile.uk'))
            .filter(existsSync);
    if (makefiles.length === 0) {
      console.log('      skipped: UK_ROOT names no tree of Unikraft');
      this.skip();
    }
    const missing: string[] = [];
    for (const makefile of makefiles) {
      const text = readFileSync(makefile, 'utf8').replace(/\\\n/g, ' ');
      for (const [, option = '', words = ''] of text.matchAll(/^UK_PROVIDED_SYSCALLS-\$\(CONFIG_(\w+)\)\s*\+=(.*)$/gm)) {
        for (const word of words.trim().split(/\s+/)) {
          const [name = ''] = word.split('-');
          if (!syscallProviders(name).some((provider) => provider.option === option)) missing.push(`${option} ${name}`);
        }
      }
    }
    assert.deepEqual(missing, []);
    assert.ok(syscallRows().filter(({ name }) => syscallProviders(name).length > 0).length > 150);
  });
});
