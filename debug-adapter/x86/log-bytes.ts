/** The WebAssembly functions that copy what the arguments of a noted system call point to (see event-log.ts), for regions to call. */

import { Bytes, LogArea, LogCall, LogState, PlanEntry, PlanKind } from './event-log';
import { Code, type Label } from './wasm/code';

const chunkBytes = 16;

/** Pushes an i32 with a bit set for each zero byte of a v128 local. */
const zeros = (c: Code, chunk: number): Code => c.get(chunk).v128([0n, 0n]).op('i8x16.eq', 'i8x16.bitmask');

/** Pushes the offset of a linear address' entry in the table of remembered pages, and leaves it in a local. */
const pageOf = (c: Code, linear: number, page: number): Code =>
  c
    .get(linear)
    .i64(8)
    .op('i64.shr_u', 'i32.wrap_i64')
    .i32((LogArea.mostPages - 1) << 4)
    .op('i32.and')
    .tee(page);

/** Pushes whether the page of a linear address is another one than that of its entry. */
const isOther = (c: Code, linear: number, page: number): Code =>
  pageOf(c, linear, page).mem('i64.load', LogArea.pages).get(linear).i64(-4096).op('i64.and', 'i64.ne');

/** Pushes the host's address of a linear one, by the entry of its page. */
const hostOf = (c: Code, linear: number, page: number): Code =>
  c
    .get(linear)
    .op('i32.wrap_i64')
    .get(page)
    .mem('i32.load', LogArea.pages + 8)
    .op('i32.add');

/**
 * (address i64, most i32, stop i32, to i32) -> i32: copies up to `most` bytes of the guest's memory to a place of the host's, with `stop` up to the first zero, which does not count; answers how many, or -1
 * where a page is not remembered. Some bytes beyond may be written, too.
 */
export function copyFunction(): Code {
  const c = new Code(['i64', 'i32', 'i32', 'i32']);
  const [address, most, stop, to] = [0, 1, 2, 3];
  const [done, page, host, left] = [c.local('i32'), c.local('i32'), c.local('i32'), c.local('i32')];
  const [linear, chunk, byte] = [c.local('i64'), c.local('v128'), c.local('i32')];
  const found = c.block();
  const all = c.block();
  const pages = c.loop();
  c.get(done).get(most).op('i32.ge_s').brIf(all);
  c.get(address).get(done).op('i64.extend_i32_u', 'i64.add').set(linear);
  isOther(c, linear, page);
  c.if();
  c.i32(-1).op('return');
  c.end();
  hostOf(c, linear, page).set(host);
  c.i32(4096).get(linear).op('i32.wrap_i64').i32(4095).op('i32.and', 'i32.sub').set(left);
  const steps = c.loop();
  const wide = c.block();
  const next = c.block();
  c.get(left).i32(chunkBytes).op('i32.ge_u').brIf(next);
  // A chunk would go beyond the page, and perhaps the memory.
  c.get(to).get(done).op('i32.add').get(host).mem('i32.load8_u').tee(byte).mem('i32.store8');
  c.get(stop).get(byte).op('i32.eqz', 'i32.and').brIf(found);
  const advance = (bytes: number): void => {
    c.get(done).i32(bytes).op('i32.add').set(done);
    c.get(host).i32(bytes).op('i32.add').set(host);
    c.get(left).i32(bytes).op('i32.sub').set(left);
  };
  advance(1);
  c.br(wide);
  c.end();
  c.get(to).get(done).op('i32.add').get(host).mem('v128.load').tee(chunk).mem('v128.store');
  c.get(stop);
  c.if();
  zeros(c, chunk).tee(byte);
  c.if();
  c.get(done).get(byte).op('i32.ctz', 'i32.add').set(done);
  c.br(found);
  c.end();
  c.end();
  advance(chunkBytes);
  c.end();
  c.get(done).get(most).op('i32.ge_s').brIf(all);
  c.get(left).brIf(steps);
  c.end();
  c.br(pages);
  c.end();
  c.end();
  c.get(most).op('return');
  c.end();
  c.get(done).get(most).get(done).get(most).op('i32.lt_s', 'select');
  return c;
}

/**
 * (record i32, plan i32) -> i32: copies what the plan says of the record's call; 0 where there is no room, a page is not remembered, or a string is too long: then nothing has been copied.
 * @param copy index of `copyFunction`.
 */
export function noteBytesFunction(copy: number): Code {
  const c = new Code(['i32', 'i32']);
  const [record, plan] = [0, 1];
  const [start, at, entry, kind, size, more] = [
    c.local('i32'),
    c.local('i32'),
    c.local('i32'),
    c.local('i32'),
    c.local('i32'),
    c.local('i32'),
  ];
  const [address, length] = [c.local('i64'), c.local('i64')];
  const vector = { count: c.local('i32'), left: c.local('i64'), present: c.local('i64'), piece: c.local('i32') };

  /** Pushes a word of the record by its place, which the entry tells. */
  const word = (field: number): Code => c.get(record).get(entry).mem('i32.load8_u', field).op('i32.add').mem('i64.load');
  const giveUp = (): void => {
    c.if();
    c.i32(0).op('return');
    c.end();
  };
  /** Copies from the address to the host's place that is pushed; gives up or leaves the number of bytes in `size`. */
  const copied = (from: number, most: () => void, stop: () => void, to: () => void): void => {
    c.get(from);
    most();
    stop();
    to();
    c.call(copy).tee(size).i32(0).op('i32.lt_s');
    giveUp();
  };
  /** Pushes the lesser one of a signed local and what is pushed. */
  const least = (local: number, other: () => void): void => {
    for (let i = 0; i < 2; i++) {
      c.get(local);
      other();
    }
    c.op('i64.lt_s', 'select');
  };
  const result = (): void => void c.get(record).mem('i64.load', LogCall.result);
  const [page, host, low, high] = [c.local('i32'), c.local('i32'), c.local('v128'), c.local('v128')];
  /** Most arguments are short, and in one page: copies two chunks, also left in locals; branches to `otherwise` where they are not. */
  const copyChunks = (otherwise: Label): void => {
    isOther(c, address, page).brIf(otherwise, 'unlikely');
    hostOf(c, address, page).tee(host).i32(4095).op('i32.and');
    c.i32(4096 - 2 * chunkBytes)
      .op('i32.gt_u')
      .brIf(otherwise, 'unlikely');
    c.get(at).get(host).mem('v128.load').tee(low).mem('v128.store', Bytes.argument);
    c.get(at)
      .get(host)
      .mem('v128.load', chunkBytes)
      .tee(high)
      .mem('v128.store', Bytes.argument + chunkBytes);
  };

  c.i32(0).mem('i32.load', LogState.bytesHead).tee(start);
  c.get(plan).mem('i32.load').op('i32.add').i32(LogArea.bytesEnd).op('i32.gt_u');
  giveUp();
  c.get(start).i32(Bytes.header).op('i32.add').set(at);
  c.get(plan).i32(Bytes.header).op('i32.add').set(entry);
  const done = c.block();
  const entries = c.loop();
  c.get(entry).mem('i32.load8_u', PlanEntry.kind).tee(kind).op('i32.eqz').brIf(done);
  const next = c.block();
  word(PlanEntry.argument).tee(address).op('i64.eqz').brIf(next);

  // How much there is.
  c.get(entry).mem('i64.load32_s', PlanEntry.scale).set(length);
  c.get(kind).i32(PlanKind.vector).op('i32.ne').get(entry).mem('i32.load8_u', PlanEntry.count).op('i32.eqz', 'i32.eqz', 'i32.and');
  c.if();
  word(PlanEntry.count).i64(0x7fff_ffff).op('i64.and').get(length).op('i64.mul').set(length);
  c.get(entry).mem('i32.load8_u', PlanEntry.byResult);
  c.if();
  least(length, result);
  c.set(length);
  c.end();
  c.end();

  c.i32(0).set(more);
  const keep = c.block();
  c.get(kind).i32(PlanKind.vector).op('i32.eq');
  c.if();
  noteVector();
  c.br(keep);
  c.end();
  c.get(kind).i32(PlanKind.string).op('i32.eq');
  c.if();
  const long = c.block();
  copyChunks(long);
  zeros(c, high).i32(chunkBytes).op('i32.shl');
  zeros(c, low).op('i32.or').tee(size).op('i32.eqz').brIf(long, 'unlikely');
  c.get(size).op('i32.ctz').set(size).br(keep);
  c.end();
  copied(
    address,
    () => c.get(entry).mem('i32.load', PlanEntry.most),
    () => c.i32(1),
    () => c.get(at).i32(Bytes.argument).op('i32.add'),
  );
  c.get(size).get(entry).mem('i32.load', PlanEntry.most).op('i32.ge_s');
  giveUp();
  c.br(keep);
  c.end();
  c.get(length).get(entry).mem('i64.load32_s', PlanEntry.most).op('i64.gt_s').set(more);
  least(length, () => c.get(entry).mem('i64.load32_s', PlanEntry.most));
  c.tee(length).i64(0).get(length).i64(0).op('i64.gt_s', 'select').set(length);
  const many = c.block();
  c.get(length)
    .op('i32.wrap_i64')
    .tee(size)
    .i32(2 * chunkBytes)
    .op('i32.gt_u')
    .brIf(many, 'unlikely');
  copyChunks(many);
  c.br(keep);
  c.end();
  copied(
    address,
    () => c.get(length).op('i32.wrap_i64'),
    () => c.i32(0),
    () => c.get(at).i32(Bytes.argument).op('i32.add'),
  );
  c.end();

  c.get(at).get(entry).mem('i32.load8_u', PlanEntry.argument).get(more).i32(8).op('i32.shl', 'i32.or');
  c.get(size).i32(16).op('i32.shl', 'i32.or').mem('i32.store');
  c.get(at)
    .get(size)
    .i32(Bytes.argument + 3)
    .op('i32.add')
    .i32(-4)
    .op('i32.and', 'i32.add')
    .set(at);
  c.end();
  c.get(entry).i32(PlanEntry.size).op('i32.add').set(entry);
  c.br(entries);
  c.end();
  c.end();
  c.get(start).get(at).get(start).op('i32.sub').mem('i32.store');
  c.i32(0).get(at).mem('i32.store', LogState.bytesHead);
  c.i32(1);
  return c;

  /** Copies an I/O vector's elements and what they point to; leaves the number of bytes in `size`. */
  function noteVector(): void {
    const { count, left, present, piece } = vector;
    word(PlanEntry.count).op('i32.wrap_i64').i32(0x7fff_ffff).op('i32.and').set(count);
    c.get(count).get(entry).mem('i32.load', PlanEntry.most).get(count).get(entry).mem('i32.load', PlanEntry.most);
    c.op('i32.lt_u', 'select').set(count);
    c.i64(-1).set(left);
    c.get(entry).mem('i32.load8_u', PlanEntry.byResult);
    c.if();
    result();
    c.i64(0);
    result();
    c.i64(0).op('i64.gt_s', 'select').set(left);
    c.end();
    c.get(at).i32(Bytes.argument).op('i32.add').set(piece);
    const end = c.block();
    const elements = c.loop();
    c.get(count).op('i32.eqz').brIf(end);
    copied(
      address,
      () => c.i32(16),
      () => c.i32(0),
      () => c.i32(LogArea.scratch),
    );
    const base = length;
    c.i32(0)
      .mem('i64.load', LogArea.scratch + 8)
      .set(present);
    c.get(piece).get(present).mem('i64.store32');
    // The kernel fills one after the other, as far as the result goes.
    c.get(present).get(left).get(present).get(left).op('i64.lt_u', 'select').set(present);
    c.get(left).i64(-1).op('i64.ne');
    c.if();
    c.get(left).get(present).op('i64.sub').set(left);
    c.end();
    c.i32(0).mem('i64.load', LogArea.scratch).set(base);
    copied(
      base,
      () => {
        const scale = (): void => void c.get(entry).mem('i64.load32_u', PlanEntry.scale);
        c.get(present);
        scale();
        c.get(present);
        scale();
        c.op('i64.lt_u', 'select', 'i32.wrap_i64');
      },
      () => c.i32(0),
      () => c.get(piece).i32(Bytes.piece).op('i32.add'),
    );
    c.get(piece).get(size).mem('i32.store8', 4);
    c.get(piece).get(size).op('i32.add').i32(Bytes.piece).op('i32.add').set(piece);
    c.get(address).i64(16).op('i64.add').set(address);
    c.get(count).i32(1).op('i32.sub').set(count);
    c.br(elements);
    c.end();
    c.end();
    c.get(piece).get(at).i32(Bytes.argument).op('i32.add', 'i32.sub').set(size);
  }
}
