/** The legacy region of FXSAVE and the XSAVE family (SDM vol. 1, 10.5.1) in generated code: every system call of a program saves and restores one. */

import { State } from './state';
import { Code } from './wasm/code';

/** What is moved: a set of these. */
export const Moved = {
  x87: 1,
  /** XMM0 to XMM15. */ xmm: 2,
  /** FIP and FDP have 64 bits, and no selectors. */ wide: 4,
} as const;

/** Offsets in the region. */
export const LegacyArea = {
  fcw: 0,
  fsw: 2,
  ftw: 4,
  fop: 6,
  fip: 8,
  fdp: 16,
  mxcsr: 24,
  mxcsrMask: 28,
  st: 32,
  xmm: 160,
} as const;

const registers = 8;
const xmmRegisters = 16;
/** Bytes of an x87 register and of a vector register in the state block, and of a slot of the region. */
const x87Size = 16;
const vectorSize = 32;
const slotSize = 16;

/** Sign and exponent of an 80-bit number. */
const upper = 8;
/** Of FOP; of FCW, of which bit 6 always reads as 1; ES and B of FSW; exceptions of both. */
const opcodeBits = 0x7ff;
const controlBits = 0x1f7f;
const controlOne = 0x40;
const summaryBits = 0x8080;
const exceptionBits = 0x3f;

interface Moves {
  readonly c: Code;
  /** Local with the host address of the region. */
  readonly area: number;
  readonly what: number;
}

/** `(area i32, what i32)`: fills a region at a host address, all of which may be written straight away; its other bytes stay. */
export function saveFunction(): Code {
  const c = new Code(['i32', 'i32']);
  const moves = { c, area: 0, what: 1 };
  const tags = c.local('i32');
  beginPart(moves, Moved.x87);
  for (const [from, to] of [
    [State.fcw, LegacyArea.fcw],
    [State.fsw, LegacyArea.fsw],
    [State.fop, LegacyArea.fop],
  ] as const)
    // prettier-ignore
    store16(moves, to, () => load16(c, from));
  // Of the two equal bits of a tag one is left, then the eight move together.
  load16(c, State.ftw).i32(0x5555).op('i32.and').set(tags);
  for (const [shift, mask] of [
    [1, 0x3333],
    [2, 0x0f0f],
    [4, 0xff],
  ] as const)
    // prettier-ignore
    c.get(tags).get(tags).i32(shift).op('i32.shr_u', 'i32.or').i32(mask).op('i32.and').set(tags);
  store16(moves, LegacyArea.ftw, () => c.get(tags).i32(0xff).op('i32.xor'));
  for (const [pointer, selector, to] of pointers) {
    c.get(moves.area);
    c.i32(0).mem('i64.load', pointer);
    c.i32(0).mem('i64.load32_u', pointer);
    load16(c, selector).op('i64.extend_i32_u').i64(32).op('i64.shl', 'i64.or');
    isWide(moves).op('select').mem('i64.store', to);
  }
  eachRegister(moves, (register, slot) => {
    c.get(moves.area).get(register).mem('i64.load', State.x87).mem('i64.store', slot);
    c.get(moves.area)
      .get(register)
      .mem('i64.load16_u', State.x87 + upper)
      .mem('i64.store', slot + upper);
  });
  c.end();
  beginPart(moves, Moved.xmm);
  for (let i = 0; i < xmmRegisters; i++) {
    c.get(moves.area)
      .i32(0)
      .mem('v128.load', State.xmm + i * vectorSize)
      .mem('v128.store', LegacyArea.xmm + i * slotSize);
  }
  c.end();
  return c;
}

/** `(area i32, what i32)`: takes a region over from a host address. MXCSR is not its business: what is wrong with that has to be known before anything changes. */
export function restoreFunction(): Code {
  const c = new Code(['i32', 'i32']);
  const moves = { c, area: 0, what: 1 };
  const [control, status, tags] = [c.local('i32'), c.local('i32'), c.local('i32')];
  beginPart(moves, Moved.x87);
  c.get(moves.area).mem('i32.load16_u', LegacyArea.fcw).i32(controlBits).op('i32.and').i32(controlOne).op('i32.or').set(control);
  c.i32(0).get(control).mem('i32.store16', State.fcw);
  // ES and B follow from the exceptions that are not masked.
  c.get(moves.area)
    .mem('i32.load16_u', LegacyArea.fsw)
    .i32(0xffff & ~summaryBits)
    .op('i32.and')
    .set(status);
  c.i32(0);
  c.get(status).i32(summaryBits).i32(0);
  c.get(status).get(control).i32(-1).op('i32.xor', 'i32.and').i32(exceptionBits).op('i32.and', 'select', 'i32.or').tee(status);
  c.mem('i32.store16', State.fsw);
  c.get(moves.area).mem('i32.load8_u', LegacyArea.ftw).i32(0xff).op('i32.xor').set(tags);
  for (const [shift, mask] of [
    [4, 0x0f0f],
    [2, 0x3333],
    [1, 0x5555],
  ] as const)
    // prettier-ignore
    c.get(tags).get(tags).i32(shift).op('i32.shl', 'i32.or').i32(mask).op('i32.and').set(tags);
  c.i32(0).get(tags).i32(3).op('i32.mul').mem('i32.store16', State.ftw);
  c.i32(0).get(moves.area).mem('i32.load16_u', LegacyArea.fop).i32(opcodeBits).op('i32.and').mem('i32.store16', State.fop);
  for (const [pointer, selector, from] of pointers) {
    c.i32(0);
    c.get(moves.area).mem('i64.load', from);
    c.get(moves.area).mem('i64.load32_u', from);
    isWide(moves).op('select').mem('i64.store', pointer);
    c.i32(0);
    c.i32(0);
    c.get(moves.area).mem('i32.load16_u', from + 4);
    isWide(moves).op('select').mem('i32.store16', selector);
  }
  eachRegister(moves, (register, slot) => {
    c.get(register).get(moves.area).mem('i64.load', slot).mem('i64.store', State.x87);
    c.get(register)
      .get(moves.area)
      .mem('i32.load16_u', slot + upper)
      .mem('i32.store16', State.x87 + upper);
  });
  c.end();
  beginPart(moves, Moved.xmm);
  for (let i = 0; i < xmmRegisters; i++) {
    c.i32(0)
      .get(moves.area)
      .mem('v128.load', LegacyArea.xmm + i * slotSize)
      .mem('v128.store', State.xmm + i * vectorSize);
  }
  c.end();
  return c;
}

/** FIP and FDP: where they are, their selectors, and where they go. */
const pointers = [
  [State.fip, State.fcs, LegacyArea.fip],
  [State.fdp, State.fds, LegacyArea.fdp],
] as const;

/** Opens a block for this part, which is passed over where it is not wanted. */
function beginPart({ c, what }: Moves, part: number): void {
  c.get(what).i32(part).op('i32.and');
  c.if();
}

const isWide = ({ c, what }: Moves): Code => c.get(what).i32(Moved.wide).op('i32.and');

const load16 = (c: Code, at: number): Code => c.i32(0).mem('i32.load16_u', at);

function store16({ c, area }: Moves, to: number, value: () => void): void {
  c.get(area);
  value();
  c.mem('i32.store16', to);
}

/** For ST(0) to ST(7): with the local that has the offset of the register among all, and the offset of its slot. */
function eachRegister({ c }: Moves, move: (register: number, slot: number) => void): void {
  const register = c.local('i32');
  // TOP, in bits 11 to 13, times the size.
  load16(c, State.fsw).i32(7).op('i32.shr_u');
  c.i32((registers - 1) * x87Size)
    .op('i32.and')
    .set(register);
  for (let i = 0; i < registers; i++) {
    move(register, LegacyArea.st + i * slotSize);
    c.get(register)
      .i32(x87Size)
      .op('i32.add')
      .i32((registers - 1) * x87Size)
      .op('i32.and')
      .set(register);
  }
}
