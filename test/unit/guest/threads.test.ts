/** Threads read by names of members, whatever their order; damaged lists give what was readable and a note. */
import assert from 'node:assert/strict';
import { ThreadReader } from '../../../debug-adapter/guest/threads';
import { type StructType, type Type } from '../../../debug-adapter/symbols/api';
import { guestOf, Memory, signed, struct, unsigned } from './memory';

const pointer = unsigned(8);
const head = (): Type =>
  struct('', 16, [
    ['tqh_first', 0, pointer],
    ['tqh_last', 8, pointer],
  ]);

/** A layout of our own: nothing lies where a release of Unikraft has it. */
function layout(shift: number, upstream: boolean): StructType[] {
  const thread = struct('uk_thread', 256 + shift, [
    ['name', shift, pointer],
    ['flags', shift + 8, unsigned(4)],
    ['wakeup_time', shift + 16, signed(8)],
    [
      'ctx',
      shift + 24,
      struct('ukarch_ctx', 16, [
        ['sp', 0, pointer],
        ['ip', 8, pointer],
      ]),
    ],
    [
      'thread_list',
      shift + 40,
      struct('', 16, [
        ['tqe_next', 0, pointer],
        ['tqe_prev', 8, pointer],
      ]),
    ],
    ['tlsp', shift + 56, pointer],
    ['uktlsp', shift + 64, pointer],
    [
      '_mem',
      shift + 72,
      struct('', 16, [
        ['stack', 0, pointer],
        ['uktls', 8, pointer],
      ]),
    ],
    ...(upstream ? [['dtor', shift + 88, pointer] as const] : []),
  ]);
  const scheduler = struct('uk_sched', 64, [
    ['next', 8, pointer],
    ['thread_list', 16, head()],
    ['exited_threads', 32, head()],
  ]);
  return [thread, scheduler];
}

const current = 0x1000n;
const schedulers = 0x1008n;
const scheduler = 0x2000n;
const threads = [0x3000n, 0x4000n, 0x5000n] as const;

function guest(shift: number, upstream: boolean): { memory: Memory; reader: ThreadReader } {
  const memory = new Memory().word(current, threads[1]).word(schedulers, scheduler);
  memory
    .word(scheduler + 8n, 0n)
    .word(scheduler + 16n, threads[0])
    .word(scheduler + 32n, 0n);
  const runnable = upstream ? 8n : 1n;
  threads.forEach((address, index) => {
    const at = address + BigInt(shift);
    memory.text(address + 0x200n, `thread${index}`).word(at, address + 0x200n);
    memory.word(at + 8n, index === 2 ? 0n : runnable, 4).word(at + 16n, index === 2 ? 5_000n : 0n);
    memory
      .word(at + 40n, threads[index + 1] ?? 0n)
      .word(at + 56n, 0x7000n + BigInt(index))
      .word(at + 64n, 0x8000n + BigInt(index));
  });
  const reader = new ThreadReader(
    guestOf(memory, layout(shift, upstream), { __uk_sched_thread_current: current, uk_sched_head: schedulers }),
  );
  return { memory, reader };
}

describe('guest threads', () => {
  for (const [shift, upstream] of [
    [0, true],
    [48, true],
    [16, false],
  ] as const)
    it(`reads the list with members shifted by ${shift}, flags of ${upstream ? 'Unikraft' : 'the starter pool'}`, () => {
      const { threads: list, notes } = guest(shift, upstream).reader.list();
      assert.deepEqual(notes, []);
      assert.deepEqual(
        list.map(({ name, state, tlsp, uktlsp }) => [name, state, tlsp, uktlsp]),
        [
          ['thread1', 'running', 0x7001n, 0x8001n],
          ['thread0', 'runnable', 0x7000n, 0x8000n],
          ['thread2', 'sleeping', 0x7002n, 0x8002n],
        ],
      );
      assert.equal(list[2]?.wakeup, 5000n);
    });

  it('ends a list that bites its tail, with a note', () => {
    const { memory, reader } = guest(0, true);
    memory.word(threads[2] + 40n, threads[0]);
    const { threads: list, notes } = reader.list();
    assert.equal(list.length, 3);
    assert.match(notes.join(), /does not end/);
  });

  it('gives what was readable of a list that leads nowhere, with a note', () => {
    const { memory, reader } = guest(0, true);
    memory.word(threads[0] + 40n, 0xdead_0000_0000n);
    const { threads: list, notes } = reader.list();
    assert.deepEqual(
      list.map(({ name }) => name),
      ['thread1', 'thread0'],
    );
    assert.match(notes.join(), /0xdead00000000 cannot be read/);
  });

  it('ends a ring of schedulers', () => {
    const { memory, reader } = guest(0, true);
    memory.word(scheduler + 8n, scheduler);
    assert.match(reader.list().notes.join(), /schedulers does not end/);
  });

  it('names a thread by its address where its name is no text', () => {
    const { memory, reader } = guest(0, true);
    memory.word(threads[0], 0x10n);
    assert.equal(reader.list().threads[1]?.name, 'thread 0x3000');
  });

  it('is not there without a scheduler’s symbols', () => {
    assert.equal(new ThreadReader(guestOf(new Memory(), layout(0, true), {})).available, false);
    assert.deepEqual(new ThreadReader(guestOf(new Memory(), [], { uk_sched_head: schedulers })).list(), { threads: [], notes: [] });
  });
});
