/** How a region notes in the log (log-notes.ts) what it would else call out of WebAssembly for. */

import { LogState, Telling } from '../event-log';
import { noteBase, noteCall, notePass, type Noting, passInside } from '../log-notes';
import { Hooked } from '../state';
import { type Code, type Label } from '../wasm/code';
import { Local, RegionImports } from './region-abi';

/** What emission needs of the region around it. */
interface Region {
  readonly c: Code;
  /** Pushes a general register, i64. */
  reg(register: number, size: 8): void;
  /** A local for a while. */
  temp(type: 'i32' | 'i64'): number;
}

/** @param uncharged instructions that were charged and do not count as retired */
const notingAt = (region: Region, rip: number, uncharged: number): Noting => ({
  c: region.c,
  reg: (register) => {
    region.reg(register, 8);
  },
  rip: (more) => void region.c.i64(rip + more),
  ran: () => {
    const { c } = region;
    c.i32(0).mem('i32.load', LogState.origin).get(Local.budget);
    if (uncharged > 0) c.i32(uncharged).op('i32.add');
    c.op('i32.sub');
  },
  temp: (type) => region.temp(type),
  noteBytes: RegionImports.noteBytes,
});

/** Notes what a hook would be told at `rip`; branches to `noted`, or goes on where it has to be told at once. */
export function noteHook(region: Region, what: number, rip: number, uncharged: number, noted: Label): void {
  const noting = notingAt(region, rip, uncharged);
  if (what === Hooked.syscall) noteCall(noting, noted);
  else noteBase(noting, noted);
}

/** Notes that the address `rip` is passed, or finds that nobody need be told; branches to `noted` then. */
export function noteObserved(region: Region, rip: number, telling: number, noted: Label): void {
  if (telling === Telling.atOnce) return;
  const noting = notingAt(region, rip, 0);
  if (telling === Telling.unlessInside) passInside(noting, noted);
  else notePass(noting, () => void region.c.i32(telling * 4), noted);
}
