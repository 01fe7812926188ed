/** Configuration header, system call tables, problems of compilers, cpio archives. */
import assert from 'node:assert/strict';
import { configurationHeader, readConfiguration } from '../../../src/build/configuration';
import { cpioPathFault, writeCpio } from '../../../src/build/cpio';
import { ldScript, PC_LAYOUT } from '../../../src/build/link/layout';
import { parseProblems } from '../../../src/build/problems';
import { readProvidedSyscalls, readSyscallNumbers, syscallFiles } from '../../../src/build/syscall-tables';

describe('configuration', () => {
  it('reads a .config and writes the header', () => {
    const config = readConfiguration(
      'CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_N=42\nCONFIG_H=0x1F\nCONFIG_S="a \\"b\\" \\\\"\nCONFIG_M=m\nCONFIG_UK_BASE="/home"\nnoise\n',
    );
    assert.equal(config.values.get('S'), 'a "b" \\');
    assert.equal(config.values.has('B'), false);
    const header = configurationHeader(config);
    assert.match(header, /^#define CONFIG_A 1$/m);
    assert.match(header, /^#define CONFIG_N 42$/m);
    assert.match(header, /^#define CONFIG_H 0x1F$/m);
    assert.match(header, /^#define CONFIG_M_MODULE 1$/m);
    assert.match(header, /^#define CONFIG_S "a \\"b\\" \\\\"$/m);
    assert.doesNotMatch(header, /UK_BASE/);
  });
});

describe('system call tables', () => {
  const numbers = readSyscallNumbers('#define __NR_read 0\n#define __NR_write\t1\n#define __NR_arch_prctl 158\n// #define __NR_no 3\n');

  it('reads numbers and what is provided', () => {
    assert.deepEqual(
      [...numbers],
      [
        ['read', 0],
        ['write', 1],
        ['arch_prctl', 158],
      ],
    );
    const { provided, bad } = readProvidedSyscalls(['write-3', 'arch_prctl-2e', 'write-3', 'odd', 'x-9']);
    assert.deepEqual(provided, [
      { name: 'write', arity: 3, execenv: false },
      { name: 'arch_prctl', arity: 2, execenv: true },
    ]);
    assert.deepEqual(bad, ['odd', 'x-9']);
  });

  it('dispatches by number, and to the execution environment where asked', () => {
    const files = syscallFiles(numbers, readProvidedSyscalls(['write-3', 'arch_prctl-2e']).provided);
    const dispatcher = files.get('uk_syscall6_r.c')!;
    assert.match(dispatcher, /case 1:\n\t\treturn uk_syscall_r_write\(a, b, c\);/);
    assert.match(dispatcher, /case 1:\n\t\treturn uk_syscall_r_write\(\(long\)r->rdi, \(long\)r->rsi, \(long\)r->rdx\);/);
    assert.match(dispatcher, /case 158:\n\t\treturn uk_syscall_r_e_arch_prctl\(execenv\);/);
    assert.doesNotMatch(dispatcher, /case 0:/);
    const fixed = files.get('include/uk/bits/syscall_r_static.h')!;
    assert.match(fixed, /#define uk_syscall_r_fn_1 uk_syscall_r_write/);
    assert.match(fixed, /#define uk_syscall_r_fn_0\(\.\.\.\) \(-ENOSYS\)/);
  });
});

describe('problems of compilers', () => {
  const one = (text: string): unknown => parseProblems(text, 'x').map((p) => [p.path, p.line, p.column, p.severity, p.message]);

  it('reads gcc and clang', () => {
    assert.deepEqual(
      one(
        'In file included from a.h:1,\n                 from a.c:2:\na.c:3:7: error: expected ‘;’ before x [-Wx]\n    3 | int x\n      |       ^\na.c:9: warning: w\n',
      ),
      [
        ['a.c', 3, 7, 'error', 'expected ‘;’ before x [-Wx]'],
        ['a.c', 9, 1, 'warning', 'w'],
      ],
    );
    assert.deepEqual(one('a.c:1:10: fatal error: none.h: No such file or directory\ncompilation terminated.'), [
      ['a.c', 1, 10, 'error', 'none.h: No such file or directory'],
    ]);
    assert.deepEqual(one('\u001b[1mC:\\x\\a.c:3:1: \u001b[0mnote: here'), [['C:\\x\\a.c', 3, 1, 'note', 'here']]);
  });

  it('reads as and ld', () => {
    assert.deepEqual(one("a.S: Assembler messages:\na.S:7: Error: no such instruction: `foo'"), [
      ['a.S', 7, 1, 'error', "no such instruction: `foo'"],
    ]);
    assert.deepEqual(one("/usr/bin/ld: a.o: in function `main':\n/src/a.c:5: undefined reference to `gone'"), [
      ['/src/a.c', 5, 1, 'error', "undefined reference to `gone'"],
    ]);
    assert.deepEqual(one('gcc: error: unrecognized command-line option ‘-fx’'), [
      ['', 1, 1, 'error', 'unrecognized command-line option ‘-fx’'],
    ]);
    assert.deepEqual(one('ld: cannot find -lx'), [['', 1, 1, 'error', 'cannot find -lx']]);
  });
});

describe('layout', () => {
  it('makes a script for ld in which every output section has a place', () => {
    const script = ldScript(PC_LAYOUT);
    for (const segment of PC_LAYOUT.segments) for (const s of segment.sections) assert.ok(script.includes(`\t${s.name} :`), s.name);
    assert.match(script, /KEEP \(\*\(SORT_BY_NAME\(\.uk_inittab\*\)\)\)/);
  });
});

interface Unpacked {
  readonly name: string;
  readonly mode: number;
  readonly data: string;
}

/** Reads an archive by the format's own description. */
function unpack(bytes: Uint8Array): Unpacked[] {
  const text = (from: number, to: number): string => new TextDecoder().decode(bytes.subarray(from, to));
  const out: Unpacked[] = [];
  for (let at = 0; ;) {
    assert.equal(text(at, at + 6), '070701');
    const field = (i: number): number => parseInt(text(at + 6 + 8 * i, at + 14 + 8 * i), 16);
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const name = text(at + 110, at + 110 + nameSize - 1);
    assert.equal(bytes[at + 110 + nameSize - 1], 0);
    const data = (at + 110 + nameSize + 3) & ~3;
    if (name === 'TRAILER!!!') return out;
    out.push({ name, mode: mode, data: text(data, data + size) });
    at = (data + size + 3) & ~3;
  }
}

describe('cpio', () => {
  const bytes = (s: string): Uint8Array => new TextEncoder().encode(s);

  it('packs files, links and the folders that they need, folders first', () => {
    const archive = writeCpio([
      { path: 'etc-x', kind: 'file', data: bytes('no') },
      { path: 'etc/motd', kind: 'file', data: bytes('hällo\n'), mode: 0o600 },
      { path: 'bin/sh', kind: 'symlink', data: bytes('../etc/motd') },
      { path: 'empty', kind: 'directory', data: new Uint8Array(0) },
    ]);
    assert.equal(archive.length % 512, 0);
    assert.deepEqual(unpack(archive), [
      { name: 'bin', mode: 0o040755, data: '' },
      { name: 'bin/sh', mode: 0o120777, data: '../etc/motd' },
      { name: 'empty', mode: 0o040755, data: '' },
      { name: 'etc', mode: 0o040755, data: '' },
      { name: 'etc/motd', mode: 0o100600, data: 'hällo\n' },
      { name: 'etc-x', mode: 0o100644, data: 'no' },
    ]);
  });

  it('refuses names that lead elsewhere', () => {
    for (const path of ['', '/etc', 'a/../../b', 'TRAILER!!!', 'a\0b']) {
      assert.ok(cpioPathFault(path), path);
      assert.throws(() => writeCpio([{ path, kind: 'file', data: new Uint8Array(0) }]), /cannot be packed/);
    }
    assert.throws(() => writeCpio([1, 2].map(() => ({ path: 'a', kind: 'file' as const, data: new Uint8Array(0) }))), /twice/);
  });
});
