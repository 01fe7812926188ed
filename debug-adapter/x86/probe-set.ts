/** The processor's probes by address, with an answer for the many addresses that have none that costs one look into a small table. */
import { type Probe } from './api';
import { Telling } from './event-log';

/** Places of the table that says where no probe is; a power of two. */
const places = 4096;
const placeOf = (low: number): number => (low ^ (low >>> 12)) & (places - 1);

/** Orders addresses; exact for canonical ones, and no code runs at others. */
const keyOf = (low: number, high: number): number => high * 0x1_0000_0000 + (low >>> 0);

interface Entry {
  readonly low: number;
  readonly high: number;
  readonly probe: Probe;
  readonly observes: boolean;
  readonly telling: number;
}

/** Addresses are given as their halves, as signed 32-bit integers. */
export class ProbeSet {
  /** How many probes fall into a place. */
  readonly #counts = new Uint16Array(places);
  readonly #byLow = new Map<number, Map<number, Entry>>();
  /** All addresses in order; undefined since the last change. */
  #sorted: Float64Array | undefined;
  /** The one of each place that was told last. */
  readonly #told = new Array<Entry | undefined>(places).fill(undefined);

  /** Whether a probe is at one of `length` bytes from an address on. */
  within(low: number, high: number, length: number): boolean {
    if (this.#byLow.size === 0) return false;
    const keys = (this.#sorted ??= this.#sort());
    const from = keyOf(low, high);
    // The first one that is not before the address.
    let first = 0;
    for (let end = keys.length; first < end;) {
      const middle = (first + end) >> 1;
      if (keys[middle]! < from) first = middle + 1;
      else end = middle;
    }
    return first < keys.length && keys[first]! < from + length;
  }

  #sort(): Float64Array {
    const keys: number[] = [];
    for (const [low, byHigh] of this.#byLow) for (const high of byHigh.keys()) keys.push(keyOf(low, high));
    return Float64Array.from(keys).sort();
  }

  has(low: number, high: number): boolean {
    return this.kindAt(low, high) !== undefined;
  }

  /** The probe to ask before the instruction at an address; one that only looks on is told by the code made of it. */
  get(low: number, high: number): Probe | undefined {
    const entry = this.#counts[placeOf(low)] === 0 ? undefined : this.#byLow.get(low)?.get(high);
    return entry?.observes === false ? entry.probe : undefined;
  }

  /** Tells the probe that only looks on at an address, if there is one. */
  tell(low: number, high: number): void {
    const place = placeOf(low);
    let entry = this.#told[place];
    if (entry?.low !== low || entry.high !== high) this.#told[place] = entry = this.#byLow.get(low)?.get(high);
    if (entry?.observes === true) entry.probe();
  }

  /** Whether the probe of an address may stop, or only looks on; undefined where there is none. */
  kindAt(low: number, high: number): 'stops' | 'observes' | undefined {
    const entry = this.#counts[placeOf(low)] === 0 ? undefined : this.#byLow.get(low)?.get(high);
    return entry && (entry.observes ? 'observes' : 'stops');
  }

  /** How translated code tells of an address: a `Telling`. */
  tellingAt(low: number, high: number): number {
    const entry = this.#counts[placeOf(low)] === 0 ? undefined : this.#byLow.get(low)?.get(high);
    return entry?.observes === true ? entry.telling : Telling.none;
  }

  /** Sets the probe of an address, or takes it away. */
  set(low: number, high: number, probe: Probe | undefined, observes: boolean, telling: number): void {
    const known = this.has(low, high);
    this.#sorted = undefined;
    this.#told[placeOf(low)] = undefined;
    let byHigh = this.#byLow.get(low);
    if (probe === undefined) {
      byHigh?.delete(high);
      if (byHigh?.size === 0) this.#byLow.delete(low);
      if (known) this.#counts[placeOf(low)]!--;
      return;
    }
    if (byHigh === undefined) this.#byLow.set(low, (byHigh = new Map<number, Entry>()));
    byHigh.set(high, { low, high, probe, observes, telling });
    if (!known) this.#counts[placeOf(low)]!++;
  }
}
