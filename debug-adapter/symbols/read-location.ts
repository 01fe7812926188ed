/** Reads the bytes of an object from where its location says it is, and takes locations apart for members. */
import { type EvaluationContext, type Location, type Piece } from './api';
import { dwarfRegisterSize } from './registers';

/** More than a value that lies in no memory has; damaged types claim any size. */
const mostValueBytes = 1 << 20;

/** The object's bytes, little-endian; undefined where any of them cannot be had, or where there is no such size. Never more than `byteSize`. */
export function readLocation(location: Location, byteSize: number, context: EvaluationContext): Uint8Array | undefined {
  if (byteSize < 0 || (location.kind !== 'memory' && byteSize > mostValueBytes)) return undefined;
  switch (location.kind) {
    case 'memory': {
      const bytes = context.readMemory(location.address, byteSize);
      return bytes?.length === byteSize ? bytes : undefined;
    }
    case 'register': {
      const value = context.register(location.register);
      return value === undefined || byteSize > Math.max(64, dwarfRegisterSize(location.register)) ? undefined : toBytes(value, byteSize);
    }
    case 'value': {
      const bytes = new Uint8Array(byteSize);
      bytes.set(location.bytes.subarray(0, byteSize));
      return bytes;
    }
    case 'pieces':
      return readPieces(location.pieces, byteSize, context);
    case 'implicit-pointer':
    case 'optimized-out':
    case 'error':
      return undefined;
  }
}

function readPieces(pieces: readonly Piece[], byteSize: number, context: EvaluationContext): Uint8Array | undefined {
  let value = 0n;
  let position = 0;
  for (const { location, bitSize, bitOffset } of pieces) {
    if (position >= byteSize * 8) break;
    const bytes = readLocation(location, Math.ceil((bitOffset + bitSize) / 8), context);
    if (!bytes) return undefined;
    value |= BigInt.asUintN(bitSize, fromBytes(bytes) >> BigInt(bitOffset)) << BigInt(position);
    position += bitSize;
  }
  return position < byteSize * 8 ? undefined : toBytes(value, byteSize);
}

/** Location of `byteSize` bytes at `byteOffset` inside the object: a member, or an element. */
export function sliceLocation(location: Location, byteOffset: number, byteSize: number): Location {
  switch (location.kind) {
    case 'memory':
      return { kind: 'memory', address: BigInt.asUintN(64, location.address + BigInt(byteOffset)) };
    case 'register':
      if (byteOffset === 0) return location;
      // Go's compiler describes a slice of which only the pointer is left as if all of it lay there.
      if (byteOffset >= dwarfRegisterSize(location.register)) return { kind: 'optimized-out' };
      return { kind: 'pieces', pieces: [{ location, bitSize: byteSize * 8, bitOffset: byteOffset * 8 }] };
    case 'value':
      return { kind: 'value', bytes: location.bytes.subarray(byteOffset, byteOffset + byteSize) };
    case 'pieces': {
      const pieces = slicePieces(location.pieces, byteOffset * 8, byteSize * 8);
      const [only] = pieces;
      // A member that is one whole piece is simply there.
      if (pieces.length === 1 && only!.bitOffset === 0 && only!.location.kind !== 'pieces') return only!.location;
      return pieces.length === 0 || pieces.every((piece) => piece.location.kind === 'optimized-out')
        ? { kind: 'optimized-out' }
        : { kind: 'pieces', pieces };
    }
    case 'implicit-pointer':
    case 'optimized-out':
    case 'error':
      return location;
  }
}

function slicePieces(pieces: readonly Piece[], start: number, size: number): Piece[] {
  const result: Piece[] = [];
  let position = 0;
  for (const piece of pieces) {
    const from = Math.max(start, position);
    const to = Math.min(start + size, position + piece.bitSize);
    if (to > from) {
      const skip = piece.bitOffset + from - position;
      // Whole bytes of memory need no offset, so that they can be written and watched.
      const inMemory = piece.location.kind === 'memory' && skip % 8 === 0;
      result.push({
        location: inMemory ? sliceLocation(piece.location, skip / 8, (to - from) / 8) : piece.location,
        bitSize: to - from,
        bitOffset: inMemory ? 0 : skip,
      });
    }
    position += piece.bitSize;
  }
  return result;
}

function fromBytes(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return value;
}

function toBytes(value: bigint, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0, rest = value; i < size && rest !== 0n; i++, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  return bytes;
}
