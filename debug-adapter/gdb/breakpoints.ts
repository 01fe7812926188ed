/** The breakpoints and watchpoints that the client has inserted: probes and watched ranges of the processor. */
import { type StopReason } from '../machine/api';
import { type ProbeRegistration } from '../machine/probes';
import { type Target } from '../control/target';

/** The digit of a `Z` packet (GDB manual, appendix E.2). */
export type PointKind = 'software' | 'hardware' | 'write' | 'read' | 'access';
export const pointKinds: readonly PointKind[] = ['software', 'hardware', 'write', 'read', 'access'];

type WatchKind = Exclude<PointKind, 'software' | 'hardware'>;
const accessOf = { write: 'write', read: 'read', access: 'readWrite' } as const;

interface Watch {
  readonly id: number;
  readonly kind: WatchKind;
  readonly address: bigint;
  readonly length: number;
}

/** What a watched range's hit is told as. */
export interface WatchHit {
  readonly kind: WatchKind;
  /** An address inside the range that the client asked for. */
  readonly address: bigint;
}

/** More ranges than a person or a debugger sets; each costs time at every access near it. */
const mostWatches = 1024;
const mostBreakpoints = 65536;
const longestWatch = 1 << 24;

/**
 * The client takes its breakpoints out at every stop and puts them back before it goes on; translated code is dropped where a probe comes or goes.
 * So probes stay until the guest is about to run, and only what really changed is changed then.
 */
export class BreakpointTable {
  readonly #wanted = new Map<bigint, Set<'software' | 'hardware'>>();
  readonly #probes = new Map<bigint, ProbeRegistration>();
  readonly #watches: Watch[] = [];
  #watchesChanged = false;
  #nextWatch = 1;

  constructor(private readonly target: Target) {}

  /** False where it cannot be had. Inserting twice is the same as once. */
  insert(kind: PointKind, address: bigint, length: number): boolean {
    if (kind === 'software' || kind === 'hardware') {
      const kinds = this.#wanted.get(address);
      if (kinds !== undefined) kinds.add(kind);
      else if (this.#wanted.size >= mostBreakpoints) return false;
      else this.#wanted.set(address, new Set([kind]));
      return true;
    }
    if (length < 1 || length > longestWatch || address + BigInt(length) > 1n << 64n) return false;
    if (this.#find(kind, address, length) >= 0) return true;
    if (this.#watches.length >= mostWatches) return false;
    this.#watches.push({ id: this.#nextWatch++, kind, address, length });
    this.#watchesChanged = true;
    return true;
  }

  /** Removing what is not there is no error. */
  remove(kind: PointKind, address: bigint, length: number): void {
    if (kind === 'software' || kind === 'hardware') {
      const kinds = this.#wanted.get(address);
      if (kinds?.delete(kind) === true && kinds.size === 0) this.#wanted.delete(address);
      return;
    }
    const index = this.#find(kind, address, length);
    if (index < 0) return;
    this.#watches.splice(index, 1);
    this.#watchesChanged = true;
  }

  clear(): void {
    this.#wanted.clear();
    this.#watchesChanged ||= this.#watches.length > 0;
    this.#watches.length = 0;
    this.apply();
  }

  /** Gives the processor what changed; to be called before it runs. */
  apply(): void {
    for (const [address, probe] of this.#probes) {
      if (this.#wanted.has(address)) continue;
      probe.remove();
      this.#probes.delete(address);
    }
    for (const address of this.#wanted.keys()) {
      if (!this.#probes.has(address))
        this.#probes.set(
          address,
          this.target.probes.add(address, () => 'stop'),
        );
    }
    if (!this.#watchesChanged) return;
    this.#watchesChanged = false;
    this.target.machine.cpu.setWatchpoints(
      this.#watches.map(({ id, kind, address, length }) => ({ id, address, length, access: accessOf[kind] })),
    );
  }

  /** The kind of breakpoint at an address, or undefined for none. */
  at(address: bigint): 'software' | 'hardware' | undefined {
    const kinds = this.#wanted.get(address);
    return kinds === undefined ? undefined : kinds.has('software') ? 'software' : 'hardware';
  }

  /** The watched range that a stop of the processor is about. */
  hit(reason: Extract<StopReason, { kind: 'watch' }>): WatchHit | undefined {
    for (const { id, address } of reason.hits) {
      const watch = this.#watches.find((each) => each.id === id);
      // An access may begin before the range; the client looks for the range by the address told.
      if (watch !== undefined) return { kind: watch.kind, address: address > watch.address ? address : watch.address };
    }
    return undefined;
  }

  #find(kind: WatchKind, address: bigint, length: number): number {
    return this.#watches.findIndex((watch) => watch.kind === kind && watch.address === address && watch.length === length);
  }
}
