/** Source paths: normalising, mapping with prefixes, and the micro-library that a path belongs to. */
import assert from 'node:assert/strict';
import { SourcePathMap } from '../../../debug-adapter/symbols/api';
import { libraryOf } from '../../../debug-adapter/symbols/library';
import { joinPath, normalizePath } from '../../../debug-adapter/symbols/paths';

describe('symbols: source paths', () => {
  it('normalises as the file system would', () => {
    assert.equal(normalizePath('/a/./b//c/../d.c'), '/a/b/d.c');
    assert.equal(normalizePath('/../a'), '/a');
    assert.equal(normalizePath('../a/../b.c'), '../b.c');
    assert.equal(normalizePath('C:\\src\\.\\a.c'), 'C:/src/a.c');
    assert.equal(joinPath('/build', 'lib/../x.c'), '/build/x.c');
    assert.equal(joinPath('/build', '/abs/x.c'), '/abs/x.c');
    assert.equal(joinPath('', 'x.c'), 'x.c');
  });

  it('maps whole components, first rule first', () => {
    const map = new SourcePathMap([
      { from: '/build/uk', to: '/home/me/unikraft' },
      { from: '/build', to: '/home/me/build/' },
    ]);
    assert.equal(map.toLocal('/build/uk/lib/a.c'), '/home/me/unikraft/lib/a.c');
    assert.equal(map.toLocal('/build/ukx/a.c'), '/home/me/build/ukx/a.c');
    assert.equal(map.toLocal('/other/./a.c'), '/other/a.c');
    assert.deepEqual(map.toRecorded('/home/me/unikraft/lib/a.c'), ['/build/uk/lib/a.c', '/home/me/unikraft/lib/a.c']);
    assert.deepEqual(new SourcePathMap([{ from: '/', to: '/sysroot' }]).toRecorded('/sysroot/usr/a.c'), ['/usr/a.c', '/sysroot/usr/a.c']);
  });

  it('finds the micro-library', () => {
    const cases: [string, string][] = [
      ['/src/unikraft/lib/uksched/sched.c', 'libuksched'],
      ['/src/libs/musl/exit.c', 'libmusl'],
      ['/src/lib-lwip/init.c', 'liblwip'],
      ['/app/build/libmusl/origin/musl-1.2.3/src/stdio/printf.c', 'libmusl'],
      ['/src/unikraft/plat/kvm/x86/setup.c', 'libkvmplat'],
      ['/src/unikraft/drivers/virtio/bus/bus.c', 'libvirtiobus'],
      ['/src/app-helloworld/main.c', 'apphelloworld'],
      ['/home/me/demo/main.c', 'demo'],
    ];
    for (const [path, library] of cases) assert.equal(libraryOf(path, '/app/build'), library, path);
  });
});
