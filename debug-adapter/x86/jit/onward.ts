/** How generated code finds the region at RIP, and the function of each module of regions by which one goes on in another of the same module: several times as fast as by the dispatcher, which has to change modules. */

import { Scratch } from '../interp-abi';
import { State } from '../state';
import { Code } from '../wasm/code';
import { type MemoryOp } from '../wasm/opcodes';
import { RegionExit } from './region-abi';

/** The cache from RIP to region: 16-byte entries: i64 RIP xor mode tag, i32 table index, i32 entry number. */
export const RegionCache = { address: 0x50_0000, entries: 0x1_0000 } as const;

/** i32 in the state block: table index of the region that ran last. */
export const currentRegion = Scratch.modeTag + 0x68;

/** i32 in the state block: indirect jumps until the next one is counted. */
export const skippedJumps = Scratch.modeTag + 0x6c;

const hash = (low: number, entries: number): number => ((low ^ (low >>> 15)) & (entries - 1)) * 16;

/** Offset of the cache's entry for an address of which this is the low half. */
export const cacheIndex = (low: number): number => hash(low, RegionCache.entries);

/** Number of the flag that lets interrupts in. */
const interruptBit = 9;
const RFLAGS_RF = 0x1_0000;

/** Locals of a lookup: the low half of RIP, the offset of its entry, and RIP with the mode tag. */
export interface Found {
  readonly low: number;
  readonly slot: number;
  readonly tag: number;
}

/**
 * Pushes an i32 that is not 0 where something has to be looked at before the next instruction: what the loop in TypeScript looks at between blocks.
 * @param flags an i64 local for the meantime.
 */
export function mustLook(c: Code, flags: number): void {
  const load = (op: MemoryOp, offset: number): Code => c.i32(0).mem(op, offset);
  // The interrupt line is 0 or 1.
  load('i64.load', State.flags).tee(flags).i64(interruptBit).op('i64.shr_u');
  load('i64.load32_u', Scratch.line).op('i64.and');
  c.get(flags).i64(RFLAGS_RF).op('i64.and', 'i64.or');
  // Whether it is halted stands beside the shadow.
  load('i64.load', State.shadow).op('i64.or');
  load('i64.load32_u', Scratch.attention).op('i64.or').i64(0).op('i64.ne');
}

/** Makes RIP the address to be found. */
export function takeRip(c: Code, { low, tag }: Found): void {
  c.i32(0).mem('i32.load', State.rip).set(low);
  c.i32(0).mem('i64.load', State.rip).i32(0).mem('i64.load', Scratch.modeTag).op('i64.xor').set(tag);
}

/** Leaves the offset of RIP's entry in `slot`, and whether it is RIP's on the stack. */
export function lookUp(c: Code, { low, slot, tag }: Found, entries: number, address: number): void {
  c.get(low).get(low).i32(15).op('i32.shr_u', 'i32.xor');
  c.i32(entries - 1)
    .op('i32.and')
    .i32(4)
    .op('i32.shl')
    .tee(slot);
  c.mem('i64.load', address).get(tag).op('i64.eq');
}

/**
 * `(status: i32) -> i32`, what regions end in: goes on in the region at RIP where that is one of the module's, or answers the status for the dispatcher.
 * @param first table index of the module's first region, which has `count` of them, in this order in the module's own table.
 * @param regionType number of the type `(i32) -> i32`.
 */
export function onward(first: number, count: number, regionType: number): Code {
  const c = new Code(['i32']);
  const status = 0;
  const low = c.local('i32');
  const slot = c.local('i32');
  const tag = c.local('i64');
  const index = c.local('i32');
  const found = { low, slot, tag };
  const stay = c.block();
  c.get(status);
  c.if();
  c.get(status).i32(RegionExit.indirect).op('i32.ne').brIf(stay);
  // The dispatcher counts some of the jumps.
  c.i32(0).mem('i32.load', skippedJumps).tee(slot).op('i32.eqz').brIf(stay, 'unlikely');
  c.i32(0).get(slot).i32(1).op('i32.sub').mem('i32.store', skippedJumps);
  c.i32(RegionExit.next).set(status);
  c.end();
  mustLook(c, tag);
  c.brIf(stay, 'unlikely');
  takeRip(c, found);
  lookUp(c, found, RegionCache.entries, RegionCache.address);
  c.op('i32.eqz').brIf(stay, 'unlikely');
  c.get(slot)
    .mem('i32.load', RegionCache.address + 8)
    .tee(index)
    .i32(first)
    .op('i32.sub')
    .tee(low)
    .i32(count)
    .op('i32.ge_u')
    .brIf(stay);
  c.i32(0).get(index).mem('i32.store', currentRegion);
  c.get(slot).mem('i32.load', RegionCache.address + 12);
  c.get(low).returnCallIndirect(regionType);
  c.end();
  c.get(status);
  return c;
}
