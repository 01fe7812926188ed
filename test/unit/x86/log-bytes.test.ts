/** What is copied of the memory behind a noted call's arguments against what the trace reads of it: random calls, pages and bytes. LOG_CALLS sets the number, SEED repeats a run. */
import assert from 'node:assert/strict';
import { captureArgument, type Followed, followedArgument } from '../../../debug-adapter/trace/capture';
import { EventRing } from '../../../debug-adapter/trace/ring';
import { syscallRows } from '../../../debug-adapter/trace/syscalls/table';
import { type FollowedArgument } from '../../../debug-adapter/x86/api';
import { Log, LogArea, LogCall, LogState } from '../../../debug-adapter/x86/event-log';
import { copyFunction, noteBytesFunction } from '../../../debug-adapter/x86/log-bytes';
import { Layout } from '../../../debug-adapter/x86/state';
import { ModuleBuilder } from '../../../debug-adapter/x86/wasm/module';
import { Random, seedOf } from '../../lockstep/random';

const pageBytes = 4096;
/** Host pages; the last one ends with the memory. */
const hostPages = 16;
/** First linear page of the guest, and how many may be there. */
const firstPage = 0x7fff_1230_0000n;
const linearPages = 12;

const isNoted = (followed: Followed): followed is FollowedArgument => followed.kind !== 'strings';

class Rig {
  readonly memory = new WebAssembly.Memory({ initial: (Layout.ramBase + hostPages * pageBytes) / 65_536 });
  readonly bytes = new Uint8Array(this.memory.buffer);
  readonly view = new DataView(this.memory.buffer);
  /** Linear page to host page. */
  readonly pages = new Map<bigint, number>();
  /** A read was shorter than it was asked to be. */
  isShort = false;
  readonly read = (address: bigint, length: number): Uint8Array => {
    const out: number[] = [];
    for (let i = 0; i < length; i++) {
      const linear = BigInt.asUintN(64, address + BigInt(i));
      const host = this.pages.get(linear & ~0xfffn);
      if (host === undefined) {
        this.isShort = true;
        break;
      }
      out.push(this.bytes[host + Number(linear & 0xfffn)]!);
    }
    return Uint8Array.from(out);
  };
  readonly log = new Log(
    this.memory.buffer,
    () => undefined,
    (linear) => this.pages.get(linear & ~0xfffn),
    this.read,
  );
  readonly noteBytes: (record: number, plan: number) => number;

  constructor() {
    const module = new ModuleBuilder();
    module.importMemory('env', 'memory', 1);
    const copy = module.func(module.type(['i64', 'i32', 'i32', 'i32'], ['i32']), copyFunction());
    module.exportFunction('noteBytes', module.func(module.type(['i32', 'i32'], ['i32']), noteBytesFunction(copy)));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.build()), { env: { memory: this.memory } });
    this.noteBytes = exports['noteBytes'] as Rig['noteBytes'];
    this.log.reset();
  }

  /** Other pages at other places, with other bytes. */
  shuffle(r: Random): void {
    this.pages.clear();
    const hosts = Array.from({ length: hostPages }, (_, i) => Layout.ramBase + i * pageBytes);
    for (let i = 0; i < linearPages; i++) {
      if (r.oneIn(8)) continue;
      const [host] = hosts.splice(r.below(hosts.length), 1);
      this.pages.set(firstPage + BigInt(i * pageBytes), host!);
    }
    const zeros = r.pick([3, 30, 300, 3000]);
    for (let at = Layout.ramBase; at < this.bytes.length; at++) this.bytes[at] = r.oneIn(zeros) ? 0 : 1 + r.below(255);
    // Vectors, which hold too many zeros for long strings.
    const vectors = r.pick([2, 200]);
    for (let at = Layout.ramBase; at < this.bytes.length; at += 16) {
      if (!r.oneIn(vectors)) continue;
      this.view.setBigUint64(at, this.pointer(r), true);
      this.view.setBigUint64(at + 8, r.oneIn(10) ? r.integer() : BigInt(r.below(100)), true);
    }
    this.log.translationsChanged();
    for (let i = 0; i < linearPages; i++) if (!r.oneIn(30)) this.log.readMemory(firstPage + BigInt(i * pageBytes), 1);
  }

  pointer(r: Random): bigint {
    if (r.oneIn(10)) return r.oneIn(2) ? 0n : r.integer();
    const anywhere = BigInt(r.below(linearPages * pageBytes));
    return firstPage + (r.oneIn(3) ? (anywhere | 0xfffn) - BigInt(r.below(40)) : anywhere & (r.oneIn(2) ? ~0xfn : -1n));
  }
}

describe('bytes behind the arguments of noted calls', () => {
  it('are what the trace reads', function () {
    this.timeout(60_000);
    const seed = seedOf('noted bytes');
    const r = new Random(seed);
    const rig = new Rig();
    const { log } = rig;
    const plans = syscallRows().flatMap((row) => {
      const list = row.args.flatMap((_, index) => followedArgument(row, index) ?? []).filter(isNoted);
      return list.length === 0 ? [] : [{ row, list }];
    });
    // Each list both before and after: what differs is only who has a result.
    const lists = new Map(plans.map(({ row, list }) => [row.number, { before: list, after: [], arguments: 6, isMarked: false }]));
    log.noteCalls(undefined, (number) => lists.get(number));
    const ring = new EventRing(8);
    const record = LogArea.start;
    const registers = new Int32Array(2);
    const counts = { same: 0, refused: 0 };
    const calls = Number(process.env['LOG_CALLS'] ?? 20_000);
    for (let i = 0; i < calls; i++) {
      if (i % 100 === 0) rig.shuffle(r);
      const { row, list } = r.pick(plans);
      const args = row.args.map(({ kind }) =>
        /^(int|uint|size)$/.test(kind) ? (r.oneIn(8) ? r.integer() : BigInt(r.below(r.pick([4, 70, 200])))) : rig.pointer(r),
      );
      while (args.length < 6) args.push(r.u64());
      const result = r.oneIn(6) ? BigInt.asIntN(64, r.integer()) : BigInt(r.below(120)) - 10n;
      args.forEach((value, index) => rig.view.setBigUint64(record + LogCall.args + index * 8, value, true));
      rig.view.setBigInt64(record + LogCall.result, result, true);
      const where = `SEED=${seed}, call ${i}: ${row.name}(${args.map((value) => `0x${value.toString(16)}`).join(', ')}) = ${result}`;

      rig.isShort = false;
      const expected = list.map((followed) => captureArgument(followed, args, result, rig.read));
      const isLong = list.some(({ kind }, index) => kind === 'string' && (expected[index]?.bytes.length ?? 0) >= 500);
      const head = log.halves[LogState.bytesHead >> 2]!;
      if (rig.noteBytes(record, log.halves[(LogArea.calls >> 2) + row.number * 2]!) === 0) {
        assert.equal(log.halves[LogState.bytesHead >> 2], head, where);
        counts.refused++;
        if (rig.isShort || isLong || [...rig.pages.keys()].some((page) => !isRemembered(log, page))) continue;
        // For want of room.
        assert.ok(head > LogArea.bytesEnd - 16_384, where);
        log.halves[LogState.bytesHead >> 2] = LogArea.bytes;
        continue;
      }
      counts.same++;
      assert.ok(log.halves[LogState.bytesHead >> 2]! <= LogArea.bytesEnd, where);
      const sequence = ring.beginSyscall('binary', 0, registers, [0, 0, 0, 0, 0, 0], i, 0, 0, 0);
      ring.captureBlock(sequence, 'before', log.halves, head);
      for (const [index, followed] of list.entries()) assert.deepEqual(ring.captured(sequence, followed.index), expected[index], where);
    }
    console.log(`      ${counts.same} copied, ${counts.refused} left to be read at once`);
    assert.ok(counts.same > calls / 3 && counts.refused > calls / 100);
  });
});

function isRemembered(log: Log, page: bigint): boolean {
  const at = (LogArea.pages >> 2) + Number((page >> 12n) & BigInt(LogArea.mostPages - 1)) * 4;
  return (BigInt(log.halves[at + 1]! >>> 0) << 32n) + BigInt(log.halves[at]! >>> 0) === page;
}
