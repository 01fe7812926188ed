/** Finds the code that a region is made of: where it had better begin, what belongs to it, and what is left to other regions. */

import { type Row } from '../isa/table';
import { type CodeMap } from './code-map';
import { discover, type Region, type RegionSource } from './discover';
import { FunctionStarts } from './function-starts';
import { type Heat } from './heat';
import { type JitHost } from './host';
import { type IndirectTargets } from './indirect-targets';
import { type WindowMapping } from './region-abi';
import { type Installed, type RegionStore } from './region-store';
import { bestRoot } from './root';

/** A region of fewer instructions that leads to the interpreter costs more to enter than it saves. */
const leastInstructions = 6;
/** Instructions of a region, and of one that is made for the window. Larger ones take V8's optimising compiler far longer in proportion. */
const mostInstructions = 250;
const mostWindowed = 300;
/** Instructions of functions that regions which are entered often have in them: to leave for such a one and come back costs about as much as it does. */
const smallFunction = 30;

/** What is to be compiled. */
export interface Wanted {
  readonly key: number;
  readonly mode: number;
  readonly windowed: boolean;
  /** There is one, which was found wanting. */
  readonly again: boolean;
  /** The interpreter went on from there for long without meeting a region. */
  readonly stuck?: boolean;
  /** Instructions of the one that there is, where only one of more is worth it. */
  readonly more?: number;
  /** It is entered so often that what it leads to had better be in it, even if that is in others. */
  readonly broad?: boolean;
}

/** Code that has been found for it. */
export interface Discovered {
  readonly wanted: Wanted;
  readonly region: Region;
  readonly window: WindowMapping | undefined;
}

/** What the finder asks of the translating tier. */
export interface FinderHost {
  /** Did code at this address run often enough to be part of a region? */
  isWorthIt(key: number): boolean;
  /** Does a region that can be entered now begin or go on at this address? */
  has(key: number): boolean;
  /** Is one on its way from another thread that begins here? */
  isOrdered(key: number): boolean;
  /** The window that a region of this entry may reach memory through. */
  windowFor(key: number): WindowMapping | undefined;
  drop(region: Installed): void;
  /** The search failed on the guest's code. */
  failed(): void;
}

export class RegionFinder {
  readonly #starts = new FunctionStarts();
  /** Entries of regions that are being compiled together. */
  readonly #making = new Set<number>();
  readonly #source: RegionSource;
  readonly #wideSource: RegionSource;
  readonly #broadSource: RegionSource;

  constructor(
    private readonly cpu: JitHost,
    private readonly map: CodeMap,
    private readonly store: RegionStore,
    private readonly heat: Heat,
    private readonly indirect: IndirectTargets,
    private readonly host: FinderHost,
  ) {
    this.#source = {
      physical: (low, high) => map.physical(low, high),
      hasProbe: (key) => cpu.probeAt(key) === 'stops',
      tellingAt: (key) => cpu.tellingAt(key),
      isWorthIt: (key) => host.isWorthIt(key),
      isElsewhere: (key) => this.#isElsewhere(key),
      isFunctionElsewhere: (key) => this.#isElsewhere(key),
      isShared: (key) => store.holds(key),
      most: mostInstructions,
      mostShared: 0,
      available: (row: Row) => cpu.available(row),
    };
    this.#wideSource = {
      ...this.#source,
      isElsewhere: () => false,
      isFunctionElsewhere: () => false,
      isShared: () => false,
      most: mostWindowed,
    };
    // Pieces of a function that were hot before the rest of it was become part of the whole.
    this.#broadSource = {
      ...this.#source,
      isElsewhere: (key) => this.#starts.has(key) && this.#isElsewhere(key),
      mostShared: smallFunction,
    };
  }

  #isElsewhere(key: number): boolean {
    return this.host.has(key) || this.#making.has(key) || this.host.isOrdered(key);
  }

  /** A direct call leads to this address. */
  callSeen(key: number): void {
    this.#starts.note(key);
  }

  /** The start of the function that an address most likely lies in, or the address itself. */
  startOf(key: number): number {
    return this.#starts.of(key) ?? key;
  }

  /**
   * Finds the code of regions one after another, so that what is in one is left out of those behind it.
   * @param isOpen asked when the turn of one comes: is it still wanted?
   */
  *all(list: readonly Wanted[], isOpen: (wanted: Wanted) => boolean): Generator<Discovered> {
    for (const wanted of list) {
      if (!isOpen(wanted)) continue;
      this.#making.add(wanted.key);
      const found = this.#find(wanted);
      if (found === undefined) continue;
      for (const entry of found.region.entries) this.#making.add(entry);
      yield found;
    }
    this.#making.clear();
  }

  /** Undefined where there is no code that is worth it. */
  #find(wanted: Wanted, mayMove = true): Discovered | undefined {
    const { key, windowed, broad } = wanted;
    const { cpu, store, heat, host } = this;
    const window = windowed ? host.windowFor(key) : undefined;
    try {
      const start = this.startOf(key);
      if (!windowed && start !== key && (this.#isFree(start, false) || (broad === true && this.#isReplaceable(start)))) {
        const whole = this.#explore(wanted, start);
        if (whole.entries.includes(key)) {
          this.#making.add(start);
          return { wanted: { ...wanted, key: start }, region: whole, window };
        }
      }
      const region = this.#explore(wanted, key);
      // One that is entered often is so at its own beginning: begun elsewhere, it would leave that to the interpreter.
      const root = mayMove && broad !== true ? bestRoot(region, (at) => cpu.runsOf(wanted.mode, at)) : key;
      if (root !== key && this.#isFree(root, windowed)) {
        heat.cool(key);
        const old = store.entered(key);
        if (old?.entry === key) host.drop(old);
        this.#making.add(root);
        return this.#find({ ...wanted, key: root }, false);
      }
      if (region.entries.length > 0 && (cpu.eager || isWorthEntering(region))) return { wanted, region, window };
    } catch {
      // Whatever the guest's code does to the search, the interpreter can run it.
      host.failed();
    }
    heat.giveUp(key, this.map.pageOf(key));
    return undefined;
  }

  #explore({ key, mode, windowed, broad }: Wanted, entry: number): Region {
    const source = windowed ? this.#wideSource : broad === true ? this.#broadSource : this.#source;
    return discover(entry, entry === key ? undefined : key, mode, this.cpu.u8, this.cpu.decoder, source, this.indirect.known);
  }

  /** Is there a region that begins at this address, and can make way for a larger one? */
  #isReplaceable(start: number): boolean {
    const there = this.store.entered(start);
    return there?.entry === start && there.window === undefined && !this.#making.has(start) && !this.host.isOrdered(start);
  }

  /** May a region be made that begins at this address in place of another one? */
  #isFree(root: number, windowed: boolean): boolean {
    const there = this.store.entered(root);
    return !this.#making.has(root) && (there?.entry !== root || (windowed && there.window === undefined));
  }
}

const isWorthEntering = ({ blocks }: Region): boolean =>
  blocks.reduce((sum, { count }) => sum + count, 0) >= leastInstructions || !blocks.some(({ end }) => end.kind === 'leave');

/** Is there as much code as was asked for? */
export function isLarger({ wanted: { key, more }, region: { blocks, entries } }: Discovered): boolean {
  return more === undefined || entries[0] !== key || blocks.reduce((sum, { insns }) => sum + insns.length, 0) > more;
}
