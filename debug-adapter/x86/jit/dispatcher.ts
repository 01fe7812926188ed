/** The one module that calls regions: looks the next one up by RIP and goes on until a region leaves for something else. */

import { Scratch } from '../interp-gen';
import { State } from '../state';
import { Code } from '../wasm/code';
import { ModuleBuilder } from '../wasm/module';

/** The cache from RIP to region: 16-byte entries: i64 RIP xor mode tag, i32 table index, i32 entry number. */
export const RegionCache = { address: 0x50_0000, entries: 0x1_0000 } as const;

/** i32 in the state block: table index of the region that ran last. */
export const currentRegion = Scratch.modeTag + 0x68;

/** What `dispatch` answers beside a region's status: no region begins at RIP. */
export const dispatchMiss = -1;

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
  c.i32(dispatchMiss).op('return');
  c.end();
  c.i32(0)
    .get(slot)
    .mem('i32.load', RegionCache.address + 8)
    .mem('i32.store', currentRegion);
  c.get(slot).mem('i32.load', RegionCache.address + 12);
  c.get(slot).mem('i32.load', RegionCache.address + 8);
  c.callIndirect(regionType).tee(status).op('i32.eqz').brIf(again);
  c.end();
  c.get(status);
  module.exportFunction('dispatch', module.func(module.type([], ['i32']), c));
  return module.build();
}
