/** Little-endian cursor over bytes: past the end every read gives 0 and sets `failed`, so that parsers need to check once. */

const decoder = new TextDecoder('utf-8');
/** A name longer than this is damage or malice. */
const MAX_STRING = 1 << 16;
const SHARED_EMPTY = new Uint8Array(0);

/** The NUL-terminated UTF-8 string at an offset; empty outside the bytes. */
export function stringAt(bytes: Uint8Array, offset: number): string {
  if (!(offset >= 0 && offset < bytes.length)) return '';
  const limit = Math.min(bytes.length, offset + MAX_STRING);
  let ascii = true;
  let end = offset;
  for (; end < limit; end++) {
    const byte = bytes[end]!;
    if (byte === 0) break;
    if (byte >= 0x80) ascii = false;
  }
  // Most names are short and ASCII, where concatenation beats the decoder's call.
  if (ascii && end - offset < 48) {
    let text = '';
    for (let i = offset; i < end; i++) text += String.fromCharCode(bytes[i]!);
    return text;
  }
  return decoder.decode(bytes.subarray(offset, end));
}

export class Reader {
  pos: number;
  readonly end: number;
  failed = false;

  /** `end` is clamped to the bytes. */
  constructor(
    readonly bytes: Uint8Array,
    start = 0,
    end = bytes.length,
  ) {
    this.end = Math.max(0, Math.min(end, bytes.length));
    this.pos = start;
    if (!(start >= 0 && start <= this.end)) this.fail();
  }

  /** True while there is something left and nothing went wrong. */
  get more(): boolean {
    return this.pos < this.end && !this.failed;
  }

  private fail(): void {
    this.failed = true;
    this.pos = this.end;
  }

  private need(count: number): boolean {
    if (this.pos + count <= this.end) return true;
    this.fail();
    return false;
  }

  u8(): number {
    if (this.pos < this.end) return this.bytes[this.pos++]!;
    this.fail();
    return 0;
  }

  i8(): number {
    return (this.u8() << 24) >> 24;
  }

  u16(): number {
    if (!this.need(2)) return 0;
    const { bytes, pos } = this;
    this.pos = pos + 2;
    return bytes[pos]! | (bytes[pos + 1]! << 8);
  }

  u24(): number {
    if (!this.need(3)) return 0;
    const { bytes, pos } = this;
    this.pos = pos + 3;
    return bytes[pos]! | (bytes[pos + 1]! << 8) | (bytes[pos + 2]! << 16);
  }

  u32(): number {
    if (!this.need(4)) return 0;
    const { bytes, pos } = this;
    this.pos = pos + 4;
    return (bytes[pos]! | (bytes[pos + 1]! << 8) | (bytes[pos + 2]! << 16) | (bytes[pos + 3]! << 24)) >>> 0;
  }

  i32(): number {
    return this.u32() | 0;
  }

  /** Exact up to 2^53. */
  u64(): number {
    const low = this.u32();
    return this.u32() * 0x1_0000_0000 + low;
  }

  u64Big(): bigint {
    const low = this.u32();
    return (BigInt(this.u32()) << 32n) | BigInt(low);
  }

  /** Unsigned integer of 1, 2, 3, 4 or 8 bytes, exact up to 2^53. */
  unsigned(size: number): number {
    switch (size) {
      case 1:
        return this.u8();
      case 2:
        return this.u16();
      case 3:
        return this.u24();
      case 4:
        return this.u32();
      case 8:
        return this.u64();
      default:
        this.fail();
        return 0;
    }
  }

  /** Unsigned integer of 1 to 16 bytes. */
  unsignedBig(size: number): bigint {
    const data = this.take(size);
    let value = 0n;
    for (let i = data.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(data[i]!);
    return value;
  }

  /** DWARF offset: 4 bytes, or 8 in 64-bit DWARF. */
  offset(is64: boolean): number {
    return is64 ? this.u64() : this.u32();
  }

  /** Unsigned LEB128, exact up to 2^53 (DWARF 5, section 7.6). */
  uleb(): number {
    const first = this.u8();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    let scale = 128;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80 || this.failed) return Number.isFinite(value) ? value : 0;
    }
  }

  /** Signed LEB128, exact within ±2^53. */
  sleb(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80 || this.failed) {
        if (byte & 0x40) value -= scale;
        return Number.isFinite(value) ? value : 0;
      }
    }
  }

  /** Unsigned LEB128 of any value, cut to 64 bits. */
  ulebBig(): bigint {
    let value = 0n;
    let shift = 0n;
    for (;;) {
      const byte = this.u8();
      if (shift < 70n) value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80 || this.failed) return BigInt.asUintN(64, value);
    }
  }

  /** Signed LEB128 of any value, cut to 64 bits. */
  slebBig(): bigint {
    let value = 0n;
    let shift = 0n;
    for (;;) {
      const byte = this.u8();
      if (shift < 70n) value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80 || this.failed) {
        if (byte & 0x40 && shift < 70n) value -= 1n << shift;
        return BigInt.asIntN(64, value);
      }
    }
  }

  skipLeb(): void {
    while (this.u8() >= 0x80);
  }

  skip(count: number): void {
    if (count >= 0 && this.need(count)) this.pos += count;
    else this.fail();
  }

  /** A view of the next bytes; empty when there are not so many. */
  take(count: number): Uint8Array {
    if (!(count >= 0) || !this.need(count)) {
      this.fail();
      return SHARED_EMPTY;
    }
    const view = this.bytes.subarray(this.pos, this.pos + count);
    this.pos += count;
    return view;
  }

  /** A NUL-terminated string in place. */
  cstring(): string {
    const start = this.pos;
    this.skipString();
    return this.failed ? '' : stringAt(this.bytes, start);
  }

  skipString(): void {
    const zero = this.bytes.indexOf(0, this.pos);
    if (zero < 0 || zero >= this.end) this.fail();
    else this.pos = zero + 1;
  }
}
