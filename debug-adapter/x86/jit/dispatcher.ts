/**
 * The loop in WebAssembly around regions and the interpreter: looks the next code up by RIP and goes on, from one tier to the other, until something has to be looked
 * at in TypeScript.
 */

import { firstStaying } from '../blocks';
import { countRun } from '../hot-blocks';
import { Exit, LinkJournal, RIP_CACHE_ENTRIES, Scratch } from '../interp-abi';
import { Rec } from '../shape';
import { Layout, State } from '../state';
import { Code, type Label } from '../wasm/code';
import { ModuleBuilder } from '../wasm/module';
import { currentRegion, type Found, lookUp, mustLook, RegionCache, skippedJumps, takeRip } from './onward';
import { RegionExit, RegionState } from './region-abi';

/** Counts of (indirect jump, place it went to): 16-byte entries: i32 low half of the jump's address, i32 low half of the target, i32 count. */
export const IndirectCounts = { address: 0x60_0000, entries: 0x1000 } as const;

/** Counts of the places that regions were left for and at which none begins: 8-byte entries: i32 low half of RIP, i32 count. */
export const MissCounts = { address: 0x61_0000, entries: 0x1000 } as const;

/** Times that the dispatcher entered each region: i32 by its place in the table. */
export const EntryCounts = { address: 0x7a_0000, entries: 0x8000 } as const;

/**
 * Of the indirect jumps out of regions one in some eight is counted: each time up to 15 are left out, by a generator of random numbers, as code that goes round
 * would always show the same of its jumps.
 */
const jumpsBetweenBits = 4;
/** The same once so many have been counted since a region was made: they have told what they had to tell. */
const jumpsBetweenBitsLater = 7;
const manyJumps = 50_000;
/** Times that an indirect jump must have been counted to go to one place before that becomes part of the region. */
export const hotTarget = 8;
/** A power of two: it is told again whenever it has been counted so often since. */
const toldAgain = 64;

/** Times that regions were left for one place before that is told. */
const hotMisses = 1000;
/** A power of two: it is told again whenever it was left for so often since. */
const missesAgain = 0x1000;

/** i32 in the state block: the random number that the last such count came from. */
const randomJumps = Scratch.modeTag + 0x70;

/** i32 in the state block: indirect jumps that were counted since a region was made. */
export const countedJumps = Scratch.modeTag + 0x74;

/** What `dispatch` answers beside a region's status. */
export const Dispatched = {
  /** Nothing ran: neither a region nor a block of the interpreter is known at RIP, or the budget does not suffice for the block. */ miss: -1,
  /** The same, at the RIP that what ran has led to. */ end: -6,
  /** The interpreter has to do the next instruction. */ interpret: -2,
  /** The interpreter has left; what with is in the state block. */ interpreted: -3,
  /** Something has to be looked at before the next instruction: an interrupt, a shadow, changed translations. */ look: -4,
  /** Regions were often left for RIP, at which none begins. */ hotMiss: -5,
  /** The region at RIP, which has not run again yet, was often entered. */ hotRegion: -7,
} as const;

/**
 * Exports `dispatch(interpret: i32) -> i32`, where 1 asks that the interpreter does the first instruction; imports the memory, the table of regions, and the interpreter's `enter`.
 * @param manyEntries times that a region is entered before that is told, once.
 */
export function buildDispatcher(manyEntries: number): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', 1);
  module.importTable('env', 'regions');
  const enter = module.importFunction('env', 'enter', ['i32'], []);
  const regionType = module.type(['i32'], ['i32']);
  const c = new Code(['i32']);
  const interpret = 0;
  const low = c.local('i32');
  const slot = c.local('i32');
  const status = c.local('i32');
  /** The region that ran last in this call led here. */
  const fromRegion = c.local('i32');
  const ran = c.local('i32');
  const tag = c.local('i64');
  const budget = c.local('i64');
  const found = { low, slot, tag };
  const load = (offset: number): Code => c.i32(0).mem('i32.load', offset);
  const again = c.loop();
  mustLook(c, tag);
  c.if(undefined, 'unlikely');
  c.i32(Dispatched.look).op('return');
  c.end();
  takeRip(c, found);
  const interpreter = c.block();
  c.get(interpret).brIf(interpreter);
  lookUp(c, found, RegionCache.entries, RegionCache.address);
  c.op('i32.eqz').brIf(interpreter);
  c.i32(1).tee(fromRegion).set(ran);
  c.i32(0)
    .get(slot)
    .mem('i32.load', RegionCache.address + 8)
    .tee(status)
    .mem('i32.store', currentRegion);
  // Which of them are entered over and over again.
  c.get(status).i32(2).op('i32.shl').tee(low);
  c.get(low).mem('i32.load', EntryCounts.address).i32(1).op('i32.add').tee(low).mem('i32.store', EntryCounts.address);
  c.get(low).i32(manyEntries).op('i32.eq');
  c.if(undefined, 'unlikely');
  c.i32(Dispatched.hotRegion).op('return');
  c.end();
  c.get(slot).mem('i32.load', RegionCache.address + 12);
  c.get(slot).mem('i32.load', RegionCache.address + 8);
  c.callIndirect(regionType).tee(status).op('i32.eqz').brIf(again);
  c.get(status).i32(RegionExit.leave).op('i32.ge_s');
  c.if();
  // Before an instruction that the interpreter has to do.
  c.i32(0).i32(0).mem('i64.load', State.budget).get(status).i32(RegionExit.leave).op('i32.sub', 'i64.extend_i32_s', 'i64.add');
  c.mem('i64.store', State.budget);
  c.i32(1).set(interpret);
  c.i32(0).set(fromRegion);
  c.br(again);
  c.end();
  c.get(status).i32(RegionExit.indirect).op('i32.eq');
  c.if();
  // Some of the jumps are enough to know them all by.
  load(skippedJumps).tee(slot).op('i32.eqz');
  c.if();
  c.i32(0);
  load(randomJumps).i32(1664525).op('i32.mul').i32(1013904223).op('i32.add').tee(slot).mem('i32.store', randomJumps);
  c.i32(0).get(slot);
  c.i32(0).i32(0).mem('i32.load', countedJumps).i32(1).op('i32.add').tee(slot).mem('i32.store', countedJumps);
  c.i32(32 - jumpsBetweenBitsLater).i32(32 - jumpsBetweenBits);
  c.get(slot).i32(manyJumps).op('i32.gt_u', 'select', 'i32.shr_u').mem('i32.store', skippedJumps);
  c.else();
  c.i32(0).get(slot).i32(1).op('i32.sub').mem('i32.store', skippedJumps).br(again);
  c.end();
  countIndirect(c, low, slot);
  c.get(low)
    .i32(toldAgain - 1)
    .op('i32.and')
    .i32(hotTarget)
    .op('i32.ne')
    .brIf(again);
  c.end();
  c.get(status).op('return');
  c.end();
  // No region: a block of the interpreter.
  c.get(fromRegion);
  c.if();
  c.i32(0).set(fromRegion);
  countMiss(c, low, slot);
  c.if();
  c.i32(Dispatched.hotMiss).op('return');
  c.end();
  c.end();
  const unknown = c.block();
  lookUp(c, found, RIP_CACHE_ENTRIES, Layout.ripCache);
  c.op('i32.eqz').brIf(unknown);
  c.i32(0).mem('i64.load', State.budget);
  c.get(slot)
    .mem('i32.load', Layout.ripCache + 8)
    .tee(slot)
    .mem('i64.load32_u', Rec.remaining);
  c.op('i64.sub').tee(budget).i64(0).op('i64.lt_s').brIf(unknown);
  c.i32(0).get(budget).mem('i64.store', State.budget);
  c.i32(0).set(interpret);
  c.i32(1).set(ran);
  countRun(c, slot, low);
  c.get(slot).i32(Rec.size).op('i32.add').call(enter);
  const left = c.block();
  load(Scratch.attention).brIf(left);
  load(State.exit).tee(status).i32(Exit.helper).op('i32.eq').brIf(again);
  // A chain slot is to be filled, unless a region begins there.
  c.get(status).i32(Exit.lookup).op('i32.ne').brIf(left);
  load(State.exitRecord).op('i32.eqz').brIf(again);
  takeRip(c, found);
  lookUp(c, found, RegionCache.entries, RegionCache.address);
  c.brIf(again);
  lookUp(c, found, RIP_CACHE_ENTRIES, Layout.ripCache);
  c.op('i32.eqz').brIf(left);
  link(c, found, status, left);
  c.br(again);
  c.end();
  c.i32(Dispatched.interpreted).op('return');
  c.end();
  c.i32(Dispatched.interpret);
  c.i32(Dispatched.end).i32(Dispatched.miss).get(ran).op('select');
  c.get(interpret).op('select', 'return');
  c.end();
  c.op('unreachable');
  module.exportFunction('dispatch', module.func(module.type(['i32'], ['i32']), c));
  return module.build();
}

/** Makes the chain slot that the interpreter left at lead to the block that has been found; goes to `left` where there is no room to note that. */
function link(c: Code, { low: chain, slot }: Found, header: number, left: Label): void {
  c.get(slot)
    .mem('i32.load', Layout.ripCache + 8)
    .set(header);
  c.i32(0).mem('i32.load', State.exitRecord).tee(chain).i32(firstStaying).op('i32.ge_u');
  c.get(chain).mem('i32.load').get(header).op('i32.ne', 'i32.and');
  c.if();
  c.i32(0).mem('i32.load', LinkJournal.count).tee(slot).i32(LinkJournal.entries).op('i32.ge_u').brIf(left);
  c.i32(0).get(slot).i32(1).op('i32.add').mem('i32.store', LinkJournal.count);
  c.get(slot).i32(2).op('i32.shl').get(chain).mem('i32.store', LinkJournal.address);
  c.get(chain).get(header).mem('i32.store');
  c.end();
}

/** Counts the indirect jump that left its region for RIP; leaves the count in `low`. */
function countIndirect(c: Code, low: number, slot: number): void {
  c.i32(0).mem('i32.load', RegionState.indirectSite).set(low);
  c.get(low).i32(7).op('i32.mul').i32(0).mem('i32.load', State.rip).op('i32.add').tee(slot).get(slot).i32(11).op('i32.shr_u', 'i32.xor');
  c.i32(IndirectCounts.entries - 1)
    .op('i32.and')
    .i32(4)
    .op('i32.shl')
    .set(slot);
  c.get(slot).mem('i32.load', IndirectCounts.address).get(low).op('i32.ne');
  c.get(slot)
    .mem('i32.load', IndirectCounts.address + 4)
    .i32(0)
    .mem('i32.load', State.rip)
    .op('i32.ne', 'i32.or');
  c.if();
  c.get(slot).get(low).mem('i32.store', IndirectCounts.address);
  c.get(slot)
    .i32(0)
    .mem('i32.load', State.rip)
    .mem('i32.store', IndirectCounts.address + 4);
  c.get(slot)
    .i32(0)
    .mem('i32.store', IndirectCounts.address + 8);
  c.end();
  c.get(slot);
  c.get(slot)
    .mem('i32.load', IndirectCounts.address + 8)
    .i32(1)
    .op('i32.add')
    .tee(low)
    .mem('i32.store', IndirectCounts.address + 8);
}

/** Counts that a region was left for RIP (its low half in `low`); leaves on the stack whether that is often. */
function countMiss(c: Code, low: number, slot: number): void {
  c.get(low).get(low).i32(12).op('i32.shr_u', 'i32.xor');
  c.i32(MissCounts.entries - 1)
    .op('i32.and')
    .i32(3)
    .op('i32.shl')
    .tee(slot);
  c.mem('i32.load', MissCounts.address).get(low).op('i32.ne');
  c.if();
  c.get(slot).get(low).mem('i32.store', MissCounts.address);
  c.get(slot)
    .i32(0)
    .mem('i32.store', MissCounts.address + 4);
  c.end();
  c.get(slot);
  c.get(slot)
    .mem('i32.load', MissCounts.address + 4)
    .i32(1)
    .op('i32.add')
    .tee(slot)
    .mem('i32.store', MissCounts.address + 4);
  c.get(slot)
    .i32(missesAgain - 1)
    .op('i32.and')
    .i32(hotMisses)
    .op('i32.eq');
}
