/** Regions that are kept for later runs of the same guest, as the thread that compiles has them: what they were made of, and their functions, for any module. */

import { Telling } from '../event-log';
import { type CpuModel } from '../api';
import { type CompiledRegion, type RegionBody, type RegionCode } from './compile';
import { enteredAt, recordBits } from './in-place';
import { type KeptKey, type RegionOrder } from './order';

/** Code of a guest, and how it was translated. It may be used wherever the same code stands at the same addresses. */
export interface KeptCode {
  readonly key: number;
  readonly mode: number;
  readonly blocks: RegionOrder['blocks'];
  readonly entries: readonly number[];
  readonly open: ReadonlySet<number>;
  readonly unordinary: ReadonlySet<number>;
  readonly alone: ReadonlySet<number>;
  readonly broad: boolean;
  /** It was looked at in vain whether more could be in it. */
  readonly settled: boolean;
  readonly code: RegionCode;
  /** Where the interpreter's records for instructions done in place are expected. */
  readonly records: readonly PlacedRecord[];
}

/** The record of an instruction: the address at which it has to be made. */
export interface PlacedRecord {
  readonly key: number;
  /** Instructions of its block from it on. */
  readonly remaining: number;
  readonly address: number;
}

/** The same before its records have places. */
interface Kept extends Omit<KeptCode, 'records'>, RegionBody {
  readonly model: CpuModel;
}

/** Where they are kept while nothing runs. What is read was written by the same version of this program, or is not read. */
export interface KeptStorage {
  /** What was written under a name; undefined where there is nothing that can be read. */
  read(name: string): unknown;
  write(name: string, content: unknown): void;
}

/** All that is kept of one guest. */
export class KeptGuest {
  readonly #regions = new Map<string, Kept>();
  #changed = false;

  constructor(
    private readonly storage: KeptStorage,
    private readonly name: string,
  ) {
    const content = storage.read(name);
    if (Array.isArray(content)) for (const region of content as readonly Kept[]) this.#regions.set(nameOf(region), region);
  }

  /** Those for a model of processor, in the order in which they were first made. */
  all(model: CpuModel): Kept[] {
    return [...this.#regions.values()].filter((region) => region.model === model);
  }

  /** A region has been compiled; it takes the place of one that was made for the same address before. Those that tell observers are of this run alone. */
  note(
    { key, mode, blocks, entries, open, unordinary, alone, broad }: RegionOrder,
    model: CpuModel,
    { body, hints, records, ...code }: CompiledRegion,
  ): void {
    if (blocks.some(({ observed, returnTold }) => observed !== Telling.none || returnTold !== Telling.none)) return;
    const region = { key, mode, model, blocks, entries, open, unordinary, alone, broad, settled: false, code, body, hints, records };
    this.#regions.set(nameOf(region), region);
    this.#changed = true;
  }

  /** Regions that others have taken the place of. */
  forget(model: CpuModel, superseded: readonly KeptKey[]): void {
    for (const { key, mode } of superseded) if (this.#regions.delete(nameOf({ key, mode, model }))) this.#changed = true;
  }

  /** Regions in which there is no more to be had. */
  settle(model: CpuModel, settled: readonly KeptKey[]): void {
    for (const { key, mode } of settled) {
      const name = nameOf({ key, mode, model });
      const region = this.#regions.get(name);
      if (region === undefined || region.settled) continue;
      this.#regions.set(name, { ...region, settled: true });
      this.#changed = true;
    }
  }

  /** Writes what has changed. */
  save(): void {
    if (!this.#changed) return;
    this.#changed = false;
    this.storage.write(this.name, [...this.#regions.values()]);
  }
}

const nameOf = ({ key, mode, model }: Pick<Kept, 'key' | 'mode' | 'model'>): string => `${model} ${mode} ${key}`;

/** The function of a kept region with the addresses of its records in it. @param place gives out the addresses. */
export function placed(
  { body, hints, records, model: _, ...kept }: Kept,
  place: () => number,
): { readonly kept: KeptCode; readonly body: RegionBody } {
  const copy = records.length === 0 ? body : body.slice();
  const addresses = records.map((use) => {
    const address = place();
    writeAddress(copy, use.at, enteredAt(address));
    return { key: use.key, remaining: use.remaining, address };
  });
  return { kept: { ...kept, blocks: apart(kept.blocks), records: addresses }, body: { body: copy, hints, records } };
}

/** With the bytes of their code in a buffer of their own: what was read from a file lies in that of the whole file, all of which a message would take along. */
function apart(blocks: KeptCode['blocks']): KeptCode['blocks'] {
  const bytes = new Uint8Array(blocks.reduce((sum, { code }) => sum + code.length, 0));
  let end = 0;
  return blocks.map((block) => {
    const start = end;
    end += block.code.length;
    bytes.set(block.code, start);
    return { ...block, code: bytes.subarray(start, end) };
  });
}

/** A signed LEB128 of `recordBits`, which an address has to spare. */
function writeAddress(body: Uint8Array, at: number, address: number): void {
  const bytes = Math.ceil(recordBits / 7);
  for (let i = 0; i < bytes; i++) body[at + i] = ((address >> (7 * i)) & 0x7f) | (i < bytes - 1 ? 0x80 : 0);
}
