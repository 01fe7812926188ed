/** The framing of the remote protocol (GDB manual, appendix E.1): packets with checksums, escapes and run-length encoding, as bytes. */

const dollar = 0x24;
const hash = 0x23;
const plus = 0x2b;
const minus = 0x2d;
const star = 0x2a;
const brace = 0x7d;
const escapeXor = 0x20;
const interruptByte = 0x03;

/** What the peer's bytes amount to. */
export type FrameEvent =
  /** A packet's contents as they stood between `$` and `#`. */
  | { readonly kind: 'packet'; readonly data: Uint8Array; readonly intact: boolean }
  | { readonly kind: 'ack' }
  | { readonly kind: 'nack' }
  /** Ctrl-C, outside of packets. */
  | { readonly kind: 'interrupt' }
  /** A packet longer than the announced size, thrown away. */
  | { readonly kind: 'oversized' };

/** Splits a stream of bytes into packets. Whatever the bytes are, it never throws, and holds at most one packet. */
export class PacketReader {
  readonly #buffer: Uint8Array;
  #length = 0;
  #sum = 0;
  #state: 'outside' | 'inside' | 'high' | 'low' = 'outside';
  #high = -1;

  /** @param limit most bytes between `$` and `#`. */
  constructor(limit: number) {
    this.#buffer = new Uint8Array(limit);
  }

  push(bytes: Uint8Array): FrameEvent[] {
    const events: FrameEvent[] = [];
    for (const byte of bytes) {
      const event = this.#take(byte);
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  #take(byte: number): FrameEvent | undefined {
    switch (this.#state) {
      case 'outside':
        if (byte === dollar) this.#begin();
        else if (byte === plus) return { kind: 'ack' };
        else if (byte === minus) return { kind: 'nack' };
        else if (byte === interruptByte) return { kind: 'interrupt' };
        // Anything else between packets is noise, and is passed over.
        return undefined;
      case 'inside':
        if (byte === hash) this.#state = 'high';
        // Neither side sends a bare `$` inside a packet: the peer gave up one packet and begins another.
        else if (byte === dollar) this.#begin();
        else {
          if (this.#length < this.#buffer.length) this.#buffer[this.#length] = byte;
          this.#length++;
          this.#sum = (this.#sum + byte) & 0xff;
        }
        return undefined;
      case 'high':
        this.#high = hexDigit(byte);
        this.#state = 'low';
        return undefined;
      case 'low': {
        this.#state = 'outside';
        if (this.#length > this.#buffer.length) return { kind: 'oversized' };
        const low = hexDigit(byte);
        const intact = this.#high >= 0 && low >= 0 && this.#high * 16 + low === this.#sum;
        return { kind: 'packet', data: this.#buffer.slice(0, this.#length), intact };
      }
    }
  }

  #begin(): void {
    this.#state = 'inside';
    this.#length = 0;
    this.#sum = 0;
  }
}

/** A packet around contents that are escaped already. */
export function frame(data: Uint8Array): Uint8Array {
  const packet = new Uint8Array(data.length + 4);
  packet[0] = dollar;
  packet.set(data, 1);
  let sum = 0;
  for (const byte of data) sum = (sum + byte) & 0xff;
  packet.set(asciiBytes(`#${sum.toString(16).padStart(2, '0')}`), data.length + 1);
  return packet;
}

/** Puts `}` before the bytes that mean something to the framing, as binary data needs it. */
export function escapeBinary(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  for (const byte of bytes) {
    if (byte === dollar || byte === hash || byte === brace || byte === star) out.push(brace, byte ^ escapeXor);
    else out.push(byte);
  }
  return Uint8Array.from(out);
}

/** The inverse of `escapeBinary`. A `}` at the very end stands for nothing. */
export function unescapeBinary(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte !== brace) out[length++] = byte;
    else if (i + 1 < bytes.length) out[length++] = bytes[++i]! ^ escapeXor;
  }
  return out.subarray(0, length);
}

/** Added to a run's length for its character; at least 3 repeats make a printable one. */
const runBias = 29;
const leastRepeats = 3;
const mostRepeats = 126 - runBias;

/** Shortens runs: `0* ` stands for `0000`. Counts whose character would be read as framing are made shorter. */
export function runLength(text: string): string {
  let out = '';
  for (let i = 0; i < text.length;) {
    const character = text[i]!;
    let repeats = 0;
    while (repeats < mostRepeats && text[i + repeats + 1] === character) repeats++;
    while (repeats >= leastRepeats && '#$+-'.includes(String.fromCharCode(repeats + runBias))) repeats--;
    if (repeats >= leastRepeats) out += `${character}*${String.fromCharCode(repeats + runBias)}`;
    else out += character.repeat(repeats + 1);
    i += repeats + 1;
  }
  return out;
}

export const asciiBytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);
export const asciiText = (bytes: Uint8Array): string => {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
};

const hexTable = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Two digits a byte, in order. */
export const toHex = (bytes: Uint8Array): string => {
  let text = '';
  for (const byte of bytes) text += hexTable[byte]!;
  return text;
};

/** The bytes that pairs of digits stand for, or undefined where the text is anything else. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/** A number of at most 64 bits as the protocol writes it: hexadecimal digits, the highest first. */
export const parseNumber = (text: string | undefined): bigint | undefined =>
  text !== undefined && /^[0-9a-fA-F]{1,16}$/.test(text) ? BigInt(`0x${text}`) : undefined;

/** The same for lengths and counts: undefined at 2^32 and above. */
export const parseCount = (text: string | undefined): number | undefined => {
  const value = parseNumber(text);
  return value !== undefined && value < 0x1_0000_0000n ? Number(value) : undefined;
};

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  if (byte >= 0x61 && byte <= 0x66) return byte - 0x57;
  if (byte >= 0x41 && byte <= 0x46) return byte - 0x37;
  return -1;
}
