/** `unikernel pool` on the starter pool. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { poolCommand } from '../../../src/cli/pool';

function run(...argv: string[]): { status: number; out: string; err: string } {
  let out = '';
  let err = '';
  const status = poolCommand(argv, { stdout: (text) => void (out += text), stderr: (text) => void (err += text), cwd: __dirname, env: {} });
  return { status, out, err };
}

describe('unikernel pool', () => {
  it('lists the starter pool', () => {
    const { status, out, err } = run('list');
    assert.deepEqual([status, err], [0, '']);
    assert.match(out, /posix-fdio\s+library\s+LIBPOSIX_FDIO\s+Reading and writing/);
    const data = JSON.parse(run('list', '--json').out) as { libraries: { name: string }[] };
    assert.ok(data.libraries.some((library) => library.name === 'libukboot'));
  });

  it('shows, searches, and names providers', () => {
    assert.match(run('show', 'posix-fdio').out, /system calls \(\d+\):\n {2}read\/3/);
    assert.match(run('search', 'console').out, /ukconsole/);
    assert.match(run('syscall', 'write').out, /write\/3\s+posix-fdio/);
    const none = run('syscall', 'ptrace');
    assert.deepEqual([none.status, none.out], [1, '']);
    assert.match(none.err, /ENOSYS/);
    assert.match(run('show', 'uksche').err, /Do you mean uksched/);
  });

  it('says what a configuration enables, and draws it', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'pool-'));
    try {
      writeFileSync(path.join(folder, 'defconfig'), 'CONFIG_LIBPOSIX_FDIO=y\n');
      const options = ['--config', path.join(folder, 'defconfig')];
      assert.match(run('list', ...options).out, /^\* {2}posix-fdio/m);
      assert.match(run('list', ...options).out, /^ {3}posix-mmap/m);
      assert.match(run('syscall', 'write', ...options).out, /in the image/);
      const dot = run('graph', 'posix-fdio', '--depth=1', ...options).out;
      assert.match(dot, /"libposix_fdio" -> "libukconsole" \[style=solid/);
      assert.ok(!dot.includes('posix_mmap'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('refuses wrong command lines and missing pools', () => {
    for (const argv of [[], ['sing'], ['show'], ['list', 'x'], ['list', '--nothing'], ['list', '--root'], ['graph', '--depth', 'x']])
      assert.equal(run(...argv).status, 2, argv.join(' '));
    const missing = run('list', '--root', '/nowhere');
    assert.deepEqual([missing.status, missing.out], [1, '']);
    assert.match(missing.err, /^\/nowhere:1: error: There is no folder/);
    assert.equal(run('list', '--config', '/nowhere/.config').status, 1);
    assert.equal(run('--help').status, 0);
  });
});
