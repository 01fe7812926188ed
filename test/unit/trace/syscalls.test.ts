import assert from 'node:assert/strict';
import { captureArgument, followedArgument } from '../../../debug-adapter/trace/capture';
import { formatCall, formatEvent, formatSyscall } from '../../../debug-adapter/trace/decode';
import { EventKind } from '../../../debug-adapter/trace/records';
import { EventRing, type SyscallEvent } from '../../../debug-adapter/trace/ring';
import { SyscallRecorder, type TracedCpu } from '../../../debug-adapter/trace/syscall-recorder';
import { errnoOf } from '../../../debug-adapter/trace/syscalls/errno';
import { formatFlags, formatSignal, formatSignalSet, hasFlagTable } from '../../../debug-adapter/trace/syscalls/flags';
import { structureBytes } from '../../../debug-adapter/trace/syscalls/structures';
import { syscallByName, syscallByNumber, syscallRows } from '../../../debug-adapter/trace/syscalls/table';
import { quoteBytes } from '../../../debug-adapter/trace/syscalls/text';
import { halvesOf, inOrder } from './registers';

const scalars = ['int', 'uint', 'long', 'hex', 'size', 'off', 'mode', 'pid', 'uid', 'fd', 'dirfd', 'sig', 'dev', 'ptr'];
const followed = ['path', 'str', 'strings', 'bytes', 'iovec', 'pollfd', 'sockaddr'];

describe('the system call table', () => {
  it('has every number once, with names once', () => {
    const rows = syscallRows();
    assert.ok(rows.length >= 370, `${rows.length}`);
    assert.equal(new Set(rows.map((row) => row.name)).size, rows.length);
    for (let number = 0; number <= 334; number++) assert.ok(syscallByNumber(number), `${number}`);
    for (let number = 424; number <= 462; number++) assert.ok(syscallByNumber(number), `${number}`);
  });

  it('knows the numbers that everyone knows', () => {
    for (const [name, number] of [
      ['read', 0],
      ['mmap', 9],
      ['clone', 56],
      ['execve', 59],
      ['exit', 60],
      ['futex', 202],
      ['exit_group', 231],
      ['openat', 257],
      ['getrandom', 318],
      ['statx', 332],
      ['clone3', 435],
    ] as const)
      assert.equal(syscallByName(name)?.number, number);
  });

  it('uses only kinds that exist, and counts that name arguments', () => {
    for (const row of syscallRows()) {
      assert.ok(['int', 'size', 'fd', 'pid', 'ptr', 'hex', 'never'].includes(row.result), row.name);
      assert.ok(row.classes.length > 0 && row.args.length <= 6, row.name);
      for (const argument of row.args) {
        const { kind } = argument;
        const known = /^[fe]\./.test(kind)
          ? hasFlagTable(kind.slice(2))
          : scalars.includes(kind) || followed.includes(kind) || structureBytes(kind) !== undefined;
        assert.ok(known, `${row.name}: ${argument.name}:${kind}`);
        if (argument.count !== undefined)
          assert.ok(
            row.args.some((other) => other.name === argument.count),
            `${row.name}: ${argument.count}`,
          );
      }
    }
  });
});

describe('formatting', () => {
  it('writes flags, signals, errors and strings', () => {
    assert.equal(formatFlags('open', 0x241n), 'O_WRONLY|O_CREAT|O_TRUNC');
    assert.equal(formatFlags('open', 0n), 'O_RDONLY');
    assert.equal(formatFlags('map', 0x22n), 'MAP_PRIVATE|MAP_ANONYMOUS');
    assert.equal(formatFlags('prot', 0n), 'PROT_NONE');
    assert.equal(formatFlags('prot', 0x83n), 'PROT_READ|PROT_WRITE|0x80');
    assert.equal(formatFlags('socktype', 0x80801n), 'SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC');
    assert.equal(formatSignal(11), 'SIGSEGV');
    assert.equal(formatSignal(34), 'SIGRT_2');
    assert.equal(formatSignalSet(0b110n), '[INT QUIT]');
    assert.equal(formatSignalSet(0xffff_ffff_ffff_fffen), '~[HUP]');
    assert.equal(errnoOf(38)?.name, 'ENOSYS');
    assert.equal(quoteBytes(Uint8Array.of(0x61, 0x0a, 0, 0x31, 0x22, 0xff), true), '"a\\n\\0001\\"\\377"...');
  });

  const memory = new Map<bigint, Uint8Array>();
  const read = (address: bigint, length: number): Uint8Array => {
    for (const [base, bytes] of memory)
      if (address >= base && address < base + BigInt(bytes.length)) return bytes.slice(Number(address - base)).subarray(0, length);
    return new Uint8Array(0);
  };
  const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
  const event = (name: string, args: readonly bigint[], result?: bigint): SyscallEvent => {
    const row = syscallByName(name)!;
    const ring = new EventRing(4);
    const sequence = ring.beginSyscall('binary', row.number, halvesOf(args), inOrder, 1, 0, 0, 0);
    row.args.forEach((argument, index) => {
      if (argument.filled && result === undefined) return;
      const followed = followedArgument(row, index);
      const captured = followed && captureArgument(followed, [...args, 0n, 0n, 0n, 0n, 0n, 0n], result, read);
      if (captured !== undefined) ring.capture(sequence, argument.filled ? 'after' : 'before', [{ index, ...captured }]);
    });
    if (result !== undefined) ring.endSyscall(sequence, halvesOf([result]), 2);
    return ring.read(sequence) as SyscallEvent;
  };
  const line = (name: string, args: readonly bigint[], result?: bigint): string =>
    formatSyscall(event(name, args, result)).replace(/ +=/, ' =');

  before(() => {
    memory.set(0x1000n, bytesOf('Hello, World!\n'));
    memory.set(0x2000n, bytesOf('/etc/hosts\0junk'));
    const vector = new DataView(new ArrayBuffer(48));
    [0x1000n, 5n, 0x1005n, 9n, 0n, 0n].forEach((word, index) => vector.setBigUint64(index * 8, word, true));
    memory.set(0x3000n, new Uint8Array(vector.buffer));
    const stat = new DataView(new ArrayBuffer(144));
    stat.setUint32(24, 0o100644, true);
    stat.setBigInt64(48, 1234n, true);
    memory.set(0x4000n, new Uint8Array(stat.buffer));
    memory.set(0x5000n, Uint8Array.of(2, 0, 0, 80, 10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 0, 0));
    memory.set(0x6000n, bytesOf('x'.repeat(200)));
  });

  it('writes calls as strace does', () => {
    assert.equal(line('write', [1n, 0x1000n, 14n], 14n), 'write(1, "Hello, World!\\n", 14) = 14');
    assert.equal(line('open', [0x2000n, 0n, 0o777n], -2n), 'open("/etc/hosts", O_RDONLY) = -1 ENOENT (No such file or directory)');
    assert.equal(
      line('openat', [BigInt.asUintN(64, -100n), 0x2000n, 0x41n, 0o644n], 3n),
      'openat(AT_FDCWD, "/etc/hosts", O_WRONLY|O_CREAT, 0644) = 3',
    );
    assert.equal(
      line('writev', [1n, 0x3000n, 2n], 14n),
      'writev(1, [{iov_base="Hello", iov_len=5}, {iov_base=", World!\\n", iov_len=9}], 2) = 14',
    );
    assert.equal(line('stat', [0x2000n, 0x4000n], 0n), 'stat("/etc/hosts", {st_mode=S_IFREG|0644, st_size=1234, ...}) = 0');
    assert.equal(line('stat', [0x2000n, 0x4000n], -2n), 'stat("/etc/hosts", 0x4000) = -1 ENOENT (No such file or directory)');
    assert.equal(
      line('connect', [3n, 0x5000n, 16n], 0n),
      'connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("10.0.2.15")}, 16) = 0',
    );
    assert.equal(
      line('mmap', [0n, 4096n, 3n, 0x22n, 0xffff_ffffn, 0n], 0x1000_0000_00n),
      'mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x1000000000',
    );
    assert.equal(line('read', [0n, 0x6000n, 200n], 100n), `read(0, "${'x'.repeat(32)}"..., 200) = 100`);
    assert.equal(line('read', [0n, 0x6000n, 200n], 2n), 'read(0, "xx", 200) = 2');
    assert.equal(line('exit_group', [3n]), 'exit_group(3) = ?');
    assert.equal(line('arch_prctl', [0x1002n, 0x400200880n], 0n), 'arch_prctl(ARCH_SET_FS, 0x400200880) = 0');
    assert.equal(formatCall({ ...event('getpid', []), number: 9999 }).startsWith('syscall_9999('), true);
  });

  it('survives pointers to nowhere and counts without bound', () => {
    for (const row of syscallRows()) {
      for (const value of [0xffff_ffff_ffff_ffffn, 0x8000_0000n, 1n]) {
        const args = Array.from({ length: 6 }, () => value);
        assert.ok(line(row.name, args, 1n).length < 1000, row.name);
        assert.ok(line(row.name, args, -22n).includes('EINVAL') || row.result === 'never', row.name);
      }
    }
  });

  it('writes the other events', () => {
    const ring = new EventRing(2);
    ring.add(EventKind.segmentBase, 4, 0x2000n, 0x1000n, 5n, 1, 0x10n);
    ring.add(EventKind.exception, 14, 2n, 0n, 6n, 1, 0x20n);
    assert.equal(formatEvent(ring.read(0)!), 'TLS: FS base 0x1000 -> 0x2000 at 0x10');
    assert.match(formatEvent(ring.read(1)!), /exception 14 .*0x20/);
    ring.add(EventKind.interrupt, 0x20, 0n, 0n, 7n, 1, 0x30n);
    assert.equal(ring.read(0), undefined, 'the oldest is gone');
    assert.equal(ring.tail, 1);
    assert.equal(ring.read(3), undefined);
  });
});

/** A processor of registers and probes only. */
class ScriptCpu implements TracedCpu {
  retiredCount = 0;
  readonly generalRegisters = new BigUint64Array(17);
  readonly hooks: { syscall?: (() => 'stop' | undefined) | undefined } = {};
  readonly registers: Record<string, bigint> = {};
  readonly probes = new Map<bigint, () => 'stop' | undefined>();
  readonly words = new Map<bigint, bigint>();
  readPointer(linear: number): number | undefined {
    const word = this.words.get(BigInt.asUintN(64, BigInt(linear)));
    return word === undefined ? undefined : Number(BigInt.asIntN(64, word));
  }
  readMemory(linear: bigint, length: number): Uint8Array {
    const word = this.words.get(linear);
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, word ?? 0n, true);
    return word === undefined ? new Uint8Array(0) : bytes.subarray(0, length);
  }
  setProbe(address: bigint, probe: (() => 'stop' | undefined) | undefined): void {
    if (probe === undefined) this.probes.delete(address);
    else this.probes.set(address, probe);
  }
  /** Registers as the recorder finds them. */
  set(registers: Record<string, bigint>): void {
    Object.assign(this.registers, registers);
    for (const [name, value] of Object.entries(registers)) {
      const index = [
        'rax',
        'rcx',
        'rdx',
        'rbx',
        'rsp',
        'rbp',
        'rsi',
        'rdi',
        'r8',
        'r9',
        'r10',
        'r11',
        'r12',
        'r13',
        'r14',
        'r15',
        'rip',
      ].indexOf(name);
      if (index >= 0) this.generalRegisters[index] = value;
    }
  }
  /** Execution arrives at an address. */
  reach(rip: bigint, registers: Record<string, bigint>): void {
    this.retiredCount++;
    this.set({ ...registers, rip });
    this.probes.get(rip)?.();
  }
}

describe('the recorder', () => {
  const symbols = {
    searchSymbols: (pattern: RegExp) =>
      [
        { name: 'uk_syscall_r_getpid', kind: 'function', address: 0x1000n },
        { name: 'uk_syscall_r_writev', kind: 'function', address: 0x2000n },
        { name: 'uk_syscall_r_write', kind: 'function', address: 0x3000n },
        { name: 'uk_syscall_r_e_clone', kind: 'function', address: 0x4000n },
      ].filter((symbol) => pattern.test(symbol.name)),
    symbolsNamed: () => [],
  };
  const start = (): { cpu: ScriptCpu; ring: EventRing; recorder: SyscallRecorder; ended: string[] } => {
    const cpu = new ScriptCpu();
    const ring = new EventRing(16);
    const recorder = new SyscallRecorder(cpu, () => 0, ring, symbols);
    const ended: string[] = [];
    recorder.onEvent = (sequence, phase) => {
      const event = ring.read(sequence) as SyscallEvent;
      if (phase === 'end') ended.push(`${event.path} ${formatSyscall(event).replace(/ +=/, ' =')}`);
    };
    return { cpu, ring, recorder, ended };
  };

  it('follows the binary path from the instruction to its return, once', () => {
    const { cpu, ring, ended } = start();
    cpu.set({ rip: 0x50n, rax: 39n, rsp: 0x9000n });
    cpu.hooks.syscall!();
    // The dispatcher calls the handler: not a second event.
    cpu.words.set(0x7ff8n, 0x777n);
    cpu.reach(0x1000n, { rsp: 0x7ff8n });
    // Somebody else passes the return address on another stack.
    cpu.reach(0x52n, { rsp: 0x1234n, rax: 9n });
    cpu.reach(0x52n, { rsp: 0x9000n, rax: 1n });
    assert.deepEqual(ended, ['binary getpid() = 1']);
    assert.equal(ring.head, 1);
  });

  it('follows the compiled-in path, and does not count calls within calls', () => {
    const { cpu, ring, ended } = start();
    cpu.words.set(0x8000n, 0x111n);
    cpu.reach(0x2000n, { rsp: 0x8000n, rdi: 1n, rsi: 0n, rdx: 0n });
    cpu.words.set(0x7f00n, 0x222n);
    cpu.reach(0x3000n, { rsp: 0x7f00n });
    cpu.reach(0x111n, { rsp: 0x8008n, rax: 0n });
    assert.deepEqual(ended, ['compiled-in writev(1, NULL, 0) = 0']);
    assert.equal(ring.head, 1);
    // A call that was left without a return does not hide the next one.
    cpu.reach(0x2000n, { rsp: 0x8000n });
    cpu.words.set(0x8800n, 0x333n);
    cpu.reach(0x1000n, { rsp: 0x8800n });
    cpu.reach(0x333n, { rsp: 0x8808n, rax: 7n });
    assert.equal(ended.at(-1), 'compiled-in getpid() = 7');
  });

  it('takes its hooks and probes away', () => {
    const { cpu, recorder } = start();
    assert.equal(cpu.probes.size, 3, 'the context-aware handler is not probed');
    recorder.close();
    assert.equal(cpu.probes.size, 0);
    assert.equal(cpu.hooks.syscall, undefined);
  });
});
