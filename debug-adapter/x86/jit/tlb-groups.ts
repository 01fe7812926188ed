/** Accesses of a block that lie near each other, which one look at the TLB serves: what a function pushes, pops and keeps in its frame, and the fields of a structure. */

import { type Access } from '../isa/gen';
import { Layout } from '../state';
import { type Code, type Late } from '../wasm/code';
import { type Place } from './origins';
import { type ExitReason } from './region-abi';
import { type LateExit } from './region-frame';

/** Bytes below and above the first access of a group within which others join it. */
const below = 112;
const above = 400;

/** A host address: an i32 local, and what is to be added to it. */
export interface Reach {
  readonly index: number;
  readonly offset: number;
}

/** Locals that a look at the TLB works with. */
interface Locals {
  /** i64: the linear address of the first access. */
  readonly linear: number;
  /** i32, for the host address, to the end of the block. */
  readonly index: number;
  /** i64 and i32, for the meantime. */
  readonly start: number;
  readonly entry: number;
}

/** What a group asks of the region. */
export interface GroupHost {
  readonly c: Code;
  /** Leaves where what is pushed is not 0. */
  leaveLate(condition: () => void): LateExit;
  settleExit(exit: LateExit, why?: ExitReason): void;
}

interface Group {
  /** The local that holds the host address of the first access, less `below`. */
  readonly index: number;
  /** Displacement of the first access. */
  readonly disp: number;
  /** The first byte of all, and the one behind the last, from the first access on. */
  low: number;
  high: number;
  isWritten: boolean;
  accesses: number;
  /** What the look at the TLB does not know until the last access has come: the first byte, the last, the table, and the way back from the first byte. */
  readonly first: Late;
  readonly last: Late;
  readonly tag: Late;
  readonly addend: Late;
  readonly back: Late;
  readonly exit: LateExit;
}

/** Bits of the distances within a group, with their sign. */
const distanceBits = 14;

/**
 * All bytes of a group have to lie in one page, and where one of them is written the page has to be a writable one: then they lie where the TLB says, whatever
 * runs in between, as nothing within a block changes it without leaving. Where that does not hold the region is left before the first of the accesses.
 */
export class TlbGroups {
  readonly #groups = new Map<string, Group[]>();
  /** Keys of places of which each access looks by itself. */
  readonly #apart = new Set<string>();

  constructor(private readonly host: GroupHost) {}

  /** The host address of an access, where a group is there that it can join. */
  join(place: Place, access: Access, size: number): Reach | undefined {
    for (const group of this.#groups.get(place.key) ?? []) {
      const from = place.disp - group.disp;
      if (from < -below || from + size > above) continue;
      group.low = Math.min(group.low, from);
      group.high = Math.max(group.high, from + size);
      group.isWritten ||= access !== 'read';
      group.accesses++;
      return { index: group.index, offset: below + from };
    }
    return undefined;
  }

  /** May accesses to places with this key be looked at together? */
  mayJoin(key: string): boolean {
    return !this.#apart.has(key);
  }

  /** Accesses to places with this key were seen to lie in several pages. */
  keepApart(key: string): void {
    this.#apart.add(key);
  }

  /** Begins a group with an access. */
  begin(place: Place, access: Access, size: number, { linear, index, start, entry }: Locals): Reach {
    const { c } = this.host;
    c.get(linear);
    const first = c.late('i64', distanceBits);
    c.op('i64.add').set(start);
    let tag!: Late;
    let last!: Late;
    const exit = this.host.leaveLate(() => {
      c.get(start).i64(8).op('i64.shr_u', 'i32.wrap_i64').i32(0xffff0).op('i32.and').tee(entry);
      tag = c.memLate('i64.load');
      c.get(start);
      last = c.late('i64', distanceBits);
      c.op('i64.add').i64(-4096).op('i64.and', 'i64.ne');
    });
    c.get(start).op('i32.wrap_i64').get(entry);
    const addend = c.memLate('i32.load');
    c.op('i32.add');
    const back = c.late('i32', distanceBits);
    c.op('i32.add').set(index);
    const isWritten = access !== 'read';
    const group: Group = { index, disp: place.disp, low: 0, high: size, isWritten, accesses: 1, first, last, tag, addend, back, exit };
    const others = this.#groups.get(place.key);
    if (others === undefined) this.#groups.set(place.key, [group]);
    else others.push(group);
    return { index, offset: below };
  }

  /** The block has ended: its groups are known in full. */
  finish(): void {
    for (const groups of this.#groups.values()) for (const group of groups) this.#settle(group);
    this.#groups.clear();
    this.#apart.clear();
  }

  #settle({ low, high, isWritten, accesses, first, last, tag, addend, back, exit }: Group): void {
    const { host } = this;
    const { c } = host;
    const table = isWritten ? Layout.tlbWrite : Layout.tlbRead;
    c.settle(first, low);
    c.settle(last, high - low - 1);
    c.settle(back, -low - below);
    c.settle(tag, table);
    c.settle(addend, table + 8);
    // One access by itself leaves for a page that the TLB does not know, which is soon over.
    host.settleExit(exit, accesses > 1 ? 'reach' : undefined);
  }
}
