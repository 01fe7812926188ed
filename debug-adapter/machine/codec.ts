/** A compact byte form of plain structured data: what devices save, in snapshots and hashes. Map keys are written in sorted order, so equal data gives equal bytes. */
import { machineErrors } from './errors';

const Tag = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  integer: 4,
  number: 5,
  bigint: 6,
  string: 7,
  bytes: 8,
  array: 9,
  object: 10,
} as const;

/** A growing byte buffer. */
export class ByteWriter {
  private bytes = new Uint8Array(1024);
  private view = new DataView(this.bytes.buffer);
  length = 0;

  private room(count: number): number {
    const at = this.length;
    if (at + count > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.bytes.length * 2, at + count));
      grown.set(this.bytes.subarray(0, at));
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    this.length += count;
    return at;
  }

  u8(value: number): void {
    const at = this.room(1);
    this.bytes[at] = value;
  }

  u32(value: number): void {
    const at = this.room(4);
    this.view.setUint32(at, value, true);
  }

  f64(value: number): void {
    const at = this.room(8);
    this.view.setFloat64(at, value, true);
  }

  raw(bytes: Uint8Array): void {
    const at = this.room(bytes.length);
    this.bytes.set(bytes, at);
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

/** Reads what a ByteWriter wrote; throws MachineError at the end of the bytes. */
export class ByteReader {
  private readonly view: DataView;
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  private take(count: number): number {
    const at = this.at;
    if (count > this.bytes.length - at) throw machineErrors.snapshot('it is cut short');
    this.at += count;
    return at;
  }

  u8(): number {
    return this.view.getUint8(this.take(1));
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  f64(): number {
    return this.view.getFloat64(this.take(8), true);
  }

  /** A view, not a copy. */
  raw(length: number): Uint8Array {
    const at = this.take(length);
    return this.bytes.subarray(at, at + length);
  }

  get remaining(): number {
    return this.bytes.length - this.at;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Names of members in their bytes: the same few again and again. */
const names = new Map<string, Uint8Array>();
const mostNames = 1000;

function encodedName(name: string): Uint8Array {
  const known = names.get(name);
  if (known !== undefined) return known;
  const made = encoder.encode(name);
  if (names.size < mostNames) names.set(name, made);
  return made;
}

function writeBlock(out: ByteWriter, tag: number, bytes: Uint8Array): void {
  out.u8(tag);
  out.u32(bytes.length);
  out.raw(bytes);
}

/** Writes undefined, null, booleans, numbers, bigints, strings, Uint8Arrays, arrays and plain objects of these. */
export function encode(out: ByteWriter, value: unknown): void {
  if (value === undefined) out.u8(Tag.undefined);
  else if (value === null) out.u8(Tag.null);
  else if (typeof value === 'boolean') out.u8(value ? Tag.true : Tag.false);
  else if (typeof value === 'number') {
    if (Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff && !Object.is(value, -0)) {
      out.u8(Tag.integer);
      out.u32(value);
    } else {
      out.u8(Tag.number);
      out.f64(value);
    }
  } else if (typeof value === 'bigint') writeBlock(out, Tag.bigint, encoder.encode(value.toString(16)));
  else if (typeof value === 'string') writeBlock(out, Tag.string, encoder.encode(value));
  else if (value instanceof Uint8Array) writeBlock(out, Tag.bytes, value);
  else if (Array.isArray(value)) {
    out.u8(Tag.array);
    out.u32(value.length);
    for (const element of value) encode(out, element);
  } else if (typeof value === 'object') {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    out.u8(Tag.object);
    out.u32(entries.length);
    for (const [key, member] of entries) {
      const name = encodedName(key);
      out.u32(name.length);
      out.raw(name);
      encode(out, member);
    }
  } else throw new TypeError(`A ${typeof value} cannot be saved.`);
}

/** Reads one value. Throws MachineError for bytes that `encode` did not write. */
export function decode(input: ByteReader, depth = 0): unknown {
  if (depth > 64) throw machineErrors.snapshot('its data is nested too deeply');
  const tag = input.u8();
  switch (tag) {
    case Tag.undefined:
      return undefined;
    case Tag.null:
      return null;
    case Tag.false:
      return false;
    case Tag.true:
      return true;
    case Tag.integer:
      return input.u32();
    case Tag.number:
      return input.f64();
    case Tag.bigint: {
      const text = decoder.decode(input.raw(input.u32()));
      return text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`);
    }
    case Tag.string:
      return decoder.decode(input.raw(input.u32()));
    case Tag.bytes:
      return input.raw(input.u32()).slice();
    case Tag.array: {
      const length = input.u32();
      // Each element takes a byte at least.
      if (length > input.remaining) throw machineErrors.snapshot('it is cut short');
      return Array.from({ length }, () => decode(input, depth + 1));
    }
    case Tag.object: {
      const result: Record<string, unknown> = {};
      for (let left = input.u32(); left > 0; left--) {
        const name = decoder.decode(input.raw(input.u32()));
        result[name] = decode(input, depth + 1);
      }
      return result;
    }
    default:
      throw machineErrors.snapshot(`it holds an unknown kind of value (${tag})`);
  }
}
