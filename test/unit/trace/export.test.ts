/** Filters, summaries and exporters on a ring filled by hand. */
import assert from 'node:assert/strict';
import { toChrome } from '../../../debug-adapter/trace/export/chrome';
import { timeOfDay, toStrace } from '../../../debug-adapter/trace/export/strace';
import { parseFilter } from '../../../debug-adapter/trace/filter';
import { EventKind } from '../../../debug-adapter/trace/records';
import { EventRing, type TraceEvent } from '../../../debug-adapter/trace/ring';
import { summarize } from '../../../debug-adapter/trace/summary';
import { syscallByName } from '../../../debug-adapter/trace/syscalls/table';
import { halvesOf, inOrder } from './registers';

const threadOf = (address: bigint): { id: number; name: string } => ({ id: Number(address), name: address === 2n ? 'worker' : 'main' });

function sample(): TraceEvent[] {
  const ring = new EventRing(64);
  const call = (name: string, args: readonly bigint[], thread: bigint, time: number, result?: bigint, took = 1000): void => {
    const sequence = ring.beginSyscall(
      'binary',
      syscallByName(name)!.number,
      halvesOf(args),
      inOrder,
      time,
      time,
      0x1000,
      Number(thread),
      0x2000,
    );
    if (result !== undefined) ring.endSyscall(sequence, halvesOf([result]), time + took, time + took);
  };
  call('write', [1n, 0n, 5n], 1n, 1_000, 5n);
  call('openat', [0xffff_ff9cn, 0n, 0n], 1n, 3_000, -2n, 3000);
  ring.add(EventKind.segmentBase, 4, 0x8000n, 0x7000n, 200n, 7_000, 0x1100n, 1n);
  ring.add(EventKind.interrupt, 0x20, 0n, 0n, 210n, 8_000, 0x1200n);
  call('write', [1n, 0n, 5n], 2n, 9_000, 5n);
  call('exit_group', [0n], 2n, 12_000);
  return Array.from({ length: ring.head }, (_, sequence) => ring.read(sequence)!);
}

describe('trace filters', () => {
  const cases: readonly (readonly [string, readonly number[]])[] = [
    ['', [0, 1, 2, 3, 4, 5]],
    ['write', [0, 4]],
    ['w*', [0, 4]],
    ['%file', [1]],
    ['-ENOENT', [1]],
    ['failed', [1]],
    ['!failed syscalls', [0, 4, 5]],
    ['tls,irq', [2, 3]],
    ['write thread:worker', [4]],
    ['binary !write', [1, 5]],
    ['native', []],
    ['no.such(call', []],
  ];
  for (const [filter, expected] of cases)
    it(`"${filter}"`, () => {
      const accepts = parseFilter(filter);
      assert.deepEqual(
        sample().flatMap((event, index) => (accepts(event, threadOf(event.thread).name) ? [index] : [])),
        expected,
      );
    });
});

describe('trace exporters', () => {
  it('count like strace -c', () => {
    const rows = summarize(sample());
    assert.deepEqual(
      rows.map(({ name, calls, errors, nanoseconds }) => [name, calls, errors, nanoseconds]),
      [
        ['openat', 1, 1, 3000],
        ['write', 2, 0, 2000],
        ['exit_group', 1, 0, 0],
      ],
    );
    assert.equal(rows[0]?.share, 0.6);
  });

  it('print like strace -f -tt', () => {
    const lines = toStrace(sample(), threadOf, { start: 3_600_000_000_000 }).trimEnd().split('\n');
    assert.deepEqual(lines, [
      '1     01:00:00.000001 write(1, NULL, 5) = 5',
      '1     01:00:00.000003 openat(AT_FDCWD, NULL, O_RDONLY) = -1 ENOENT (No such file or directory)',
      '2     01:00:00.000009 write(1, NULL, 5) = 5',
      '2     01:00:00.000012 exit_group(0)     = ?',
      '2     01:00:00.000012 +++ exited with 0 +++',
    ]);
    assert.equal(timeOfDay(86_400_000_000_000 - 1000), '23:59:59.999999');
  });

  it('leave a call unfinished where another thread’s comes between, as strace does', () => {
    const ring = new EventRing(16);
    const call = (name: string, args: readonly bigint[], thread: bigint, start: bigint): number =>
      ring.beginSyscall(
        'binary',
        syscallByName(name)!.number,
        halvesOf(args),
        inOrder,
        Number(start),
        Number(start) * 1000,
        0x1000,
        Number(thread),
        0x2000,
      );
    const read = call('read', [3n, 0x5000n, 10n], 1n, 10n);
    const pid = call('getpid', [], 2n, 20n);
    ring.endSyscall(pid, halvesOf([7n]), 25, 25_000);
    ring.endSyscall(read, halvesOf([4n]), 40, 40_000);
    call('pause', [], 2n, 50n);
    const events = [0, 1, 2].map((sequence) => ring.read(sequence)!);
    assert.deepEqual(toStrace(events, threadOf, { times: 'none', durations: true }).trimEnd().split('\n'), [
      '1     read(3,  <unfinished ...>',
      '2     getpid()                          = 7 <0.000005>',
      '1     <... read resumed>0x5000, 10)     = 4 <0.000030>',
      '2     pause( <unfinished ...>',
    ]);
  });

  it('make a document that trace viewers read', () => {
    const { traceEvents } = JSON.parse(toChrome(sample(), threadOf, 'image')) as {
      traceEvents: { ph: string; name: string; tid: number; ts?: number; dur?: number; args: Record<string, unknown> }[];
    };
    const begins = traceEvents.filter(({ ph }) => ph === 'B');
    assert.deepEqual(
      begins.filter(({ tid }) => tid < 10).map(({ name, tid, ts }) => [name, tid, ts]),
      [
        ['write', 1, 1],
        ['openat', 1, 3],
        ['write', 2, 9],
        ['exit_group', 2, 12],
      ],
    );
    // Every lane's slices nest: each end closes the slice begun last, and never before it began.
    for (const tid of new Set(begins.map((each) => each.tid))) {
      const open: number[] = [];
      for (const { ph, ts } of traceEvents.filter((each) => each.tid === tid && (each.ph === 'B' || each.ph === 'E'))) {
        if (ph === 'B') open.push(ts!);
        else assert.ok(open.pop()! <= ts!);
      }
      assert.equal(open.length, 0);
    }
    const instants = begins.filter(({ tid }) => tid > 10);
    assert.equal(new Set(instants.map(({ tid }) => tid)).size, 2);
    for (const { tid } of instants)
      assert.ok(traceEvents.some((each) => each.ph === 'M' && each.name === 'thread_name' && each.tid === tid));
    assert.equal(traceEvents.find(({ name }) => name === 'process_name')?.args['name'], 'image');
  });
});
