/** Our trace of the binary path against what Unikraft itself prints with CONFIG_LIBSYSCALL_SHIM_STRACE, call by call, and against the host's strace. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createMachine } from '../../../debug-adapter/machine/pc';
import { SymbolFile } from '../../../debug-adapter/symbols/api';
import { formatSyscall } from '../../../debug-adapter/trace/decode';
import { EventRing, type SyscallEvent } from '../../../debug-adapter/trace/ring';
import { SyscallRecorder } from '../../../debug-adapter/trace/syscall-recorder';
import { syscallByName, syscallByNumber } from '../../../debug-adapter/trace/syscalls/table';

const suites = process.env['UNIKERNEL_SUITES'] ?? '';
const images = path.join(suites, 'images');
const limit = BigInt(process.env['INSTRUCTIONS'] ?? 60_000_000);

interface Traced {
  readonly console: string;
  readonly calls: readonly SyscallEvent[];
}

function trace(image: string, initrd: string, command: string): Traced {
  const read = (file: string): Uint8Array => new Uint8Array(readFileSync(path.join(images, file)));
  const { machine } = createMachine({
    image: read(image),
    imageName: image,
    commandLine: `vfs.fstab=[ "initrd0:/:extract::ramfs=1:" ] -- ${command}`,
    initrd: read(`initrd/${initrd}`),
    memory: 128 << 20,
    cpuModel: 'default',
  });
  const ring = new EventRing();
  const { cpu, clock } = machine;
  const recorder = new SyscallRecorder(cpu, () => clock.now(), ring, SymbolFile.open(read(`${image}.dbg`), { name: image }));
  let text = '';
  machine.onConsoleOutput = (bytes) => (text += Buffer.from(bytes).toString('latin1'));
  for (;;) {
    const reason = machine.run(limit);
    if (reason.kind !== 'idle' || reason.until === undefined) break;
    machine.skipIdle();
    if (clock.now() > 60e9) break;
  }
  recorder.close();
  const calls: SyscallEvent[] = [];
  for (let sequence = ring.tail; sequence < ring.head; sequence++) {
    const event = ring.read(sequence);
    if (event?.kind === 'syscall' && event.path === 'binary') calls.push(event);
  }
  return { console: text, calls };
}

interface Printed {
  readonly name: string;
  readonly args: string;
  readonly result: string;
}

/** Lines of the console that are calls; what a program printed may stand before one. */
function printedCalls(text: string): Printed[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const match = /([a-z_][a-z0-9_]*)\((.*)\) = ((?:[a-z]+:)?(?:0x[0-9a-f]+|-?\d+|OK|NULL|[A-Z][^()]*\(-\d+\)).*)$/.exec(line);
    return match === null || syscallByName(match[1]!) === undefined ? [] : [{ name: match[1]!, args: match[2]!, result: match[3]! }];
  });
}

/** The number that a printed result stands for. */
function valueOf(result: string): bigint {
  const error = /\((-\d+)\)\s*$/.exec(result)?.[1];
  if (error !== undefined) return BigInt(error);
  if (result === 'OK' || result === 'NULL') return 0n;
  return BigInt(result.replace(/^[a-z]+:/, '').trim());
}

const nameOf = (event: SyscallEvent): string => syscallByNumber(event.number)?.name ?? String(event.number);

describe('the binary path’s trace', function () {
  this.timeout(300_000);
  for (const [label, initrd, command] of [
    ['hello', 'hello.cpio', '/hello a b'],
    ['C++', 'linux.cpio', '/helloworld-cpp'],
    ['Rust', 'linux.cpio', '/helloworld-rust'],
    ['sqlite', 'sqlite.cpio', '/sqlite3 /x.db "create table t(a); insert into t values(1),(2); select sum(a) from t;"'],
  ] as const)
    it(`of ${label} is Unikraft’s own, call by call`, function () {
      if (suites === '' || !existsSync(path.join(images, 'elfloader-strace.dbg')) || !existsSync(path.join(images, 'initrd', initrd))) {
        console.log('    skipped: UNIKERNEL_SUITES names no folder with images/elfloader-strace');
        this.skip();
      }
      const { console: text, calls } = trace('elfloader-strace', initrd, command);
      const printed = printedCalls(text);
      const own = calls.filter(({ result }) => result !== undefined);
      assert.ok(printed.length > 10, `${printed.length} lines:\n${text.slice(-2000)}`);
      // The last one may have returned without being printed yet.
      const count = Math.min(printed.length, own.length);
      assert.ok(Math.abs(printed.length - own.length) <= 1, `${printed.length} printed, ${own.length} recorded`);
      for (let index = 0; index < count; index++) {
        const [theirs, ours] = [printed[index]!, own[index]!];
        const about = `call ${index}: ${theirs.name}(${theirs.args}) = ${theirs.result} against ${formatSyscall(ours)}`;
        assert.equal(nameOf(ours), theirs.name, about);
        // Results of 32 bits are printed as such.
        const [mine, other] = [ours.result!, valueOf(theirs.result)];
        assert.ok(mine === other || BigInt.asUintN(32, mine) === BigInt.asUintN(32, other), about);
        const strings = [...theirs.args.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, content]) => content!);
        for (const content of strings)
          if (/^[\x20-\x7e]*$/.test(content) && !content.includes('\\'))
            assert.ok(formatSyscall(ours).includes(content.slice(0, 24)), about);
      }
      console.log(`      ${count} calls`);
    });

  it('of a static program has the host’s names, arguments and results', function () {
    const program = path.join(suites, 'programs', 'hello');
    if (suites === '' || !existsSync(program) || !existsSync('/usr/bin/strace') || !existsSync('/usr/bin/script')) {
      console.log('    skipped: needs UNIKERNEL_SUITES with programs/hello, strace and script');
      this.skip();
    }
    const folder = mkdtempSync(path.join(tmpdir(), 'strace-'));
    let host: string[];
    try {
      // A terminal, as the guest’s console is one to the program.
      execFileSync('script', ['-qec', `strace -o ${folder}/out ${program}`, '/dev/null'], { cwd: folder, stdio: 'ignore' });
      host = readFileSync(`${folder}/out`, 'utf8').split('\n');
    } catch {
      host = existsSync(`${folder}/out`) ? readFileSync(`${folder}/out`, 'utf8').split('\n') : [];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    const theirs = host.filter((line) => /^[a-z_0-9]+\(/.test(line) && !line.startsWith('execve'));
    const { calls } = trace('elfloader', 'hello.cpio', '/hello');
    // The C library knows a terminal of Linux by its device number, and asks where it has none.
    const ours = calls.map((event) => formatSyscall(event)).filter((line) => !line.startsWith('ioctl(1, TCGETS'));
    const names = (lines: readonly string[]): string[] => lines.map((line) => line.slice(0, line.indexOf('(')));
    assert.deepEqual(names(ours), names(theirs));
    /** Addresses, process numbers and sizes of files are each system's own. */
    const neutral = (line: string): string =>
      line
        .replace(/ {2,}=/, ' =')
        .replace(/0x[0-9a-f]{5,}/g, 'ADDRESS')
        .replace(/\bpid \d+/g, 'pid N')
        .replace(/"(\\x[0-9a-f]{2})+"/, 'RANDOM');
    /** Where the two systems are not alike: no such call in Unikraft, no /proc, other sizes of buffers, terminals and limits. */
    const differing = [
      'set_robust_list',
      'rseq',
      'readlink',
      'set_tid_address',
      'getpid',
      'prlimit64',
      'newfstatat',
      'ioctl',
      'read',
      'write',
      'brk',
      'mprotect',
    ];
    const different: string[] = [];
    ours.forEach((line, index) => {
      const [mine, other] = [neutral(line), neutral(theirs[index]!)];
      if (mine === other) return;
      const name = line.slice(0, line.indexOf('('));
      assert.ok(differing.includes(name), `${mine}\n  against\n${other}`);
      different.push(`${mine}  |  ${other}`);
    });
    console.log(
      `      ${ours.length - different.length} of ${ours.length} lines are the same; the others:\n        ${different.join('\n        ')}`,
    );
  });
});
