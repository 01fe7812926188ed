/** Which instructions wrote which part of the console's output, as far as the runs' ends tell, and the text of its lines. */

/** Bytes `from` up to `to` of the output were written between two instruction counts. */
export interface ConsoleMark {
  readonly from: number;
  readonly to: number;
  readonly since: number;
  readonly until: number;
}

/** A line of the output: the offset of its first byte, and its text without control sequences. */
export interface ConsoleLine {
  readonly offset: number;
  readonly text: string;
}

/** Bytes of text that are kept for looking for lines; of older output only the moments are known. */
const mostText = 4 << 20;

interface Piece extends ConsoleMark {
  readonly bytes: Uint8Array | undefined;
}

export class ConsoleMarks {
  readonly #pieces: Piece[] = [];
  #written = 0;
  #since = 0;
  #kept = 0;
  /** Index of the first piece that has its text. */
  #firstKept = 0;

  /** Bytes handed over so far, those of dropped futures among them. */
  get written(): number {
    return this.#written;
  }

  /** These bytes came out, the last of them before instruction `until`. */
  add(bytes: Uint8Array, until: number): void {
    this.#pieces.push({ from: this.#written, to: this.#written + bytes.length, since: this.#since, until, bytes: bytes.slice() });
    this.#written += bytes.length;
    this.#since = until;
    this.#kept += bytes.length;
    while (this.#kept > mostText && this.#firstKept < this.#pieces.length) {
      const piece = this.#pieces[this.#firstKept]!;
      this.#kept -= piece.bytes?.length ?? 0;
      this.#pieces[this.#firstKept++] = { ...piece, bytes: undefined };
    }
  }

  /** The machine goes on from `count` in a new way: what was written later cannot be found any more. */
  dropAfter(count: number): void {
    const dropped = (): void => {
      const piece = this.#pieces.pop();
      this.#kept -= piece?.bytes?.length ?? 0;
    };
    while (this.#pieces.length > 0 && this.#pieces[this.#pieces.length - 1]!.since >= count) dropped();
    const last = this.#pieces[this.#pieces.length - 1];
    if (last !== undefined) this.#pieces[this.#pieces.length - 1] = { ...last, until: Math.min(last.until, count) };
    this.#firstKept = Math.min(this.#firstKept, this.#pieces.length);
    this.#since = count;
  }

  /** Nobody goes back to before `count` any more. */
  dropBefore(count: number): void {
    const found = this.#pieces.findIndex(({ until }) => until > count);
    const gone = this.#pieces.splice(0, found < 0 ? this.#pieces.length : found);
    for (const { bytes } of gone) this.#kept -= bytes?.length ?? 0;
    this.#firstKept = Math.max(0, this.#firstKept - gone.length);
  }

  /** The part that byte `offset` of the output lies in. */
  find(offset: number): ConsoleMark | undefined {
    return this.#pieces.find(({ from, to }) => offset >= from && offset < to);
  }

  /** The newest lines that have `search` in them, in the order of their coming, at most `limit`. */
  lines(search: string, limit: number): readonly ConsoleLine[] {
    const wanted = search.toLowerCase();
    const found: ConsoleLine[] = [];
    const decoder = new TextDecoder();
    let line: number[] = [];
    let start: number | undefined;
    const end = (): void => {
      const text = start === undefined ? '' : plain(decoder.decode(Uint8Array.from(line)));
      if (start !== undefined && text.trim() !== '' && text.toLowerCase().includes(wanted)) found.push({ offset: start, text });
      line = [];
      start = undefined;
    };
    for (const { from, bytes } of this.#pieces.slice(this.#firstKept)) {
      for (const [index, byte] of (bytes ?? []).entries()) {
        if (byte === 0x0a) {
          end();
          continue;
        }
        start ??= from + index;
        line.push(byte);
      }
    }
    end();
    return found.slice(-limit);
  }
}

/** Without carriage returns and escape sequences (ECMA-48, 5.4). */
const plain = (text: string): string => text.replace(/\x1b\[[0-?]*[ -/]*[@-~]|[\0-\x08\x0b-\x1f\x7f]/g, '');

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
