/** What stops on data accesses and at hardware breakpoints: the debugger's watchpoints and the guest's debug registers, and what they have hit. */

import { type CpuExit, type Watchpoint } from './api';
import { type CpuContext } from './context';
import { armedBreakpoints, noteBreakpoints } from './debug-registers';
import { type MemoryAccess, type WatchHit } from './memory-access';
import { State } from './state';

const RFLAGS_RF = 0x1_0000;

type Hits = Extract<CpuExit, { kind: 'watch' }>['hits'];

export class Watches {
  readonly #cpu: CpuContext;
  readonly #access: MemoryAccess;
  #watchpoints: readonly Watchpoint[] = [];
  #armed = false;
  #hits: Hits[number][] = [];
  /** Debug registers (a mask) that struck since they were last noted. */
  debugHits = 0;

  constructor(cpu: CpuContext, access: MemoryAccess) {
    this.#cpu = cpu;
    this.#access = access;
  }

  reset(): void {
    this.#hits = [];
    this.debugHits = 0;
  }

  /** The debugger's list. @returns whether anything is watched */
  set(list: readonly Watchpoint[]): boolean {
    this.#watchpoints = list;
    return this.#apply();
  }

  /** DR7 may have changed. @returns whether anything is watched, or undefined where nothing has changed */
  rearm(): boolean | undefined {
    const armed = (this.#cpu.u32[(State.dr + 56) >> 2]! & 0xff) !== 0;
    if (!armed && !this.#armed) return undefined;
    this.#armed = armed;
    return this.#apply();
  }

  #apply(): boolean {
    const all = [...this.#watchpoints];
    if (this.#armed) {
      for (const { index, address, length, kind } of armedBreakpoints(this.#cpu)) {
        if (kind === 'write' || kind === 'readWrite') all.push({ id: -1 - index, address, length, access: kind });
      }
    }
    this.#access.setWatches(all);
    return all.length > 0;
  }

  /** The instruction at `rip` touched watched ranges. */
  note(hits: readonly WatchHit[], rip: bigint): void {
    for (const hit of hits) {
      if (hit.id < 0) this.debugHits |= 1 << (-1 - hit.id);
      else this.#hits.push({ ...hit, rip });
    }
  }

  /** What the debugger's watchpoints have hit since the last call; undefined for nothing. */
  take(): Hits | undefined {
    if (this.#hits.length === 0) return undefined;
    const hits = this.#hits;
    this.#hits = [];
    return hits;
  }

  /** An enabled instruction breakpoint at RIP that RF does not hide: notes it in DR6. */
  executeBreakpoint(): boolean {
    const cpu = this.#cpu;
    if (!this.#armed || cpu.u32[State.flags >> 2]! & RFLAGS_RF) return false;
    let mask = 0;
    for (const point of armedBreakpoints(cpu)) if (point.kind === 'execute' && point.address === cpu.rip) mask |= 1 << point.index;
    if (mask === 0) return false;
    noteBreakpoints(cpu, mask);
    return true;
  }
}
