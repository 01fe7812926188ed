/** Accesses of a block that lie near each other, which one look at the TLB serves: what a function pushes, pops and keeps in its frame, and the fields of a structure. */

import { type Access } from '../isa/gen';
import { Layout } from '../state';
import { type Code, type Late } from '../wasm/code';
import { type Place } from './origins';

/** Bytes below and above the first access of a group within which others join it. */
const below = 112;
const above = 400;

/** A host address: an i32 local, and what is to be added to it. */
export interface Reach {
  readonly index: number;
  readonly offset: number;
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
  /** What the look at the TLB does not know until the last access has come: the first byte, the last, the table, and the way back from the first byte. */
  readonly first: Late;
  readonly last: Late;
  readonly tag: Late;
  readonly addend: Late;
  readonly back: Late;
}

/**
 * All bytes of a group have to lie in one page, and where one of them is written the page has to be a writable one: then they lie where the TLB says, whatever
 * runs in between, as nothing within a block changes it without leaving. Where that does not hold the region is left before the first of the accesses.
 */
export class TlbGroups {
  readonly #groups = new Map<string, Group[]>();
  /** Keys of places of which each access looks by itself. */
  readonly #apart = new Set<string>();

  constructor(private readonly c: Code) {}

  /** The host address of an access, where a group is there that it can join. */
  join(place: Place, access: Access, size: number): Reach | undefined {
    for (const group of this.#groups.get(place.key) ?? []) {
      const from = place.disp - group.disp;
      if (from < -below || from + size > above) continue;
      group.low = Math.min(group.low, from);
      group.high = Math.max(group.high, from + size);
      group.isWritten ||= access !== 'read';
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

  /**
   * Begins a group with an access to the linear address in a local.
   * @param index the i32 local that will hold the host address, to the end of the block
   * @param start an i64 local, and `entry` an i32 one, for the meantime
   * @param leaveIf leaves where what is pushed is not 0
   */
  begin(
    place: Place,
    access: Access,
    size: number,
    { linear, index, start, entry }: { readonly linear: number; readonly index: number; readonly start: number; readonly entry: number },
    leaveIf: (condition: () => void) => void,
  ): Reach {
    const { c } = this;
    c.get(linear);
    const first = c.late('i64');
    c.op('i64.add').set(start);
    const late: { tag?: Late; last?: Late } = {};
    leaveIf(() => {
      c.get(start).i64(8).op('i64.shr_u', 'i32.wrap_i64').i32(0xffff0).op('i32.and').tee(entry);
      late.tag = c.memLate('i64.load');
      c.get(start);
      late.last = c.late('i64');
      c.op('i64.add').i64(-4096).op('i64.and', 'i64.ne');
    });
    c.get(start).op('i32.wrap_i64').get(entry);
    const addend = c.memLate('i32.load');
    c.op('i32.add');
    const back = c.late('i32');
    c.op('i32.add').set(index);
    const group: Group = {
      index,
      disp: place.disp,
      low: 0,
      high: size,
      isWritten: access !== 'read',
      first,
      last: late.last!,
      tag: late.tag!,
      addend,
      back,
    };
    const others = this.#groups.get(place.key);
    if (others === undefined) this.#groups.set(place.key, [group]);
    else others.push(group);
    return { index, offset: below };
  }

  /** The block has ended: its groups are known in full. */
  finish(): void {
    for (const groups of this.#groups.values()) {
      for (const { low, high, isWritten, first, last, tag, addend, back } of groups) {
        const { c } = this;
        const table = isWritten ? Layout.tlbWrite : Layout.tlbRead;
        c.settle(first, low);
        c.settle(last, high - low - 1);
        c.settle(back, -low - below);
        c.settleOffset(tag, table);
        c.settleOffset(addend, table + 8);
      }
    }
    this.#groups.clear();
    this.#apart.clear();
  }
}
