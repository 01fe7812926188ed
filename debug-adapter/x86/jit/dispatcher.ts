/** The one module that calls regions: looks the next one up by RIP and goes on until a region leaves for something else. */

import { Scratch } from '../interp-gen';
import { State } from '../state';
import { Code } from '../wasm/code';
import { ModuleBuilder } from '../wasm/module';
import { RegionExit, RegionState } from './region-abi';

/** The cache from RIP to region: 16-byte entries: i64 RIP xor mode tag, i32 table index, i32 entry number. */
export const RegionCache = { address: 0x50_0000, entries: 0x1_0000 } as const;

/** Counts of (indirect jump, place it went to): 16-byte entries: i32 low half of the jump's address, i32 low half of the target, i32 count. */
export const IndirectCounts = { address: 0x60_0000, entries: 0x1000 } as const;

/** Times that an indirect jump must have gone to one place before that becomes part of the region. */
export const hotTarget = 48;

/** i32 in the state block: table index of the region that ran last. */
export const currentRegion = Scratch.modeTag + 0x68;

/** What `dispatch` answers beside a region's status: no region begins at RIP, at once or after some ran. */
export const dispatchMiss = -1;
export const dispatchEnd = -2;

export const cacheIndex = (low: number): number => ((low ^ (low >>> 15)) & (RegionCache.entries - 1)) * 16;

/** Exports `dispatch() -> i32`; imports the memory and the table of regions. */
export function buildDispatcher(): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', 1);
  module.importTable('env', 'regions');
  const regionType = module.type(['i32'], ['i32']);
  const c = new Code([]);
  const low = c.local('i32');
  const slot = c.local('i32');
  const status = c.local('i32');
  const miss = c.local('i32');
  c.i32(dispatchMiss).set(miss);
  const again = c.loop();
  c.i32(0)
    .mem('i32.load', State.rip)
    .tee(low)
    .get(low)
    .i32(15)
    .op('i32.shr_u', 'i32.xor')
    .i32(RegionCache.entries - 1)
    .op('i32.and')
    .i32(4)
    .op('i32.shl')
    .tee(slot);
  c.mem('i64.load', RegionCache.address);
  c.i32(0).mem('i64.load', State.rip).i32(0).mem('i64.load', Scratch.modeTag).op('i64.xor', 'i64.ne');
  c.if();
  c.get(miss).op('return');
  c.end();
  c.i32(dispatchEnd).set(miss);
  c.i32(0)
    .get(slot)
    .mem('i32.load', RegionCache.address + 8)
    .mem('i32.store', currentRegion);
  c.get(slot).mem('i32.load', RegionCache.address + 12);
  c.get(slot).mem('i32.load', RegionCache.address + 8);
  c.callIndirect(regionType).tee(status).op('i32.eqz').brIf(again);
  c.get(status).i32(RegionExit.indirect).op('i32.eq');
  c.if();
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
  c.get(low).i32(hotTarget).op('i32.ne').brIf(again);
  c.end();
  c.end();
  c.get(status);
  module.exportFunction('dispatch', module.func(module.type([], ['i32']), c));
  return module.build();
}
