/** Which instructions wrote which part of the console's output, as far as the runs' ends tell. */

/** Bytes `from` up to `to` of the output were written between two instruction counts. */
export interface ConsoleMark {
  readonly from: number;
  readonly to: number;
  readonly since: number;
  readonly until: number;
}

export class ConsoleMarks {
  readonly #marks: ConsoleMark[] = [];
  #written = 0;
  #since = 0;

  /** Bytes handed over so far, those of dropped futures among them. */
  get written(): number {
    return this.#written;
  }

  /** `length` bytes came out, the last of them before instruction `until`. */
  add(length: number, until: number): void {
    this.#marks.push({ from: this.#written, to: this.#written + length, since: this.#since, until });
    this.#written += length;
    this.#since = until;
  }

  /** The machine goes on from `count` in a new way: what was written later cannot be found any more. */
  dropAfter(count: number): void {
    while (this.#marks.length > 0 && this.#marks[this.#marks.length - 1]!.since >= count) this.#marks.pop();
    const last = this.#marks.pop();
    if (last !== undefined) this.#marks.push({ ...last, until: Math.min(last.until, count) });
    this.#since = count;
  }

  /** The part that byte `offset` of the output lies in. */
  find(offset: number): ConsoleMark | undefined {
    return this.#marks.find(({ from, to }) => offset >= from && offset < to);
  }
}

/** The device through which a guest writes its console, as far as finding a byte needs it. */
interface ConsoleDevice {
  readonly ports?: readonly (readonly [first: number, last: number])[];
  portWrite?(port: number, size: number, value: number): void;
  save(): unknown;
}

const divisorLatch = 0x80;
const loopback = 0x10;

/** Calls back before each byte that the 16550 sends, until the returned function is called (PC16550D data sheet, 8.0). */
export function watchConsole(device: ConsoleDevice, onByte: () => void): () => void {
  const base = device.ports?.[0]?.[0];
  const write = device.portWrite?.bind(device);
  device.portWrite = (port, size, value) => {
    const { lcr, mcr } = device.save() as { readonly lcr: number; readonly mcr: number };
    if (port === base && (lcr & divisorLatch) === 0 && (mcr & loopback) === 0) onByte();
    write?.(port, size, value);
  };
  // The method proper is the prototype's.
  return () => Reflect.deleteProperty(device, 'portWrite');
}
