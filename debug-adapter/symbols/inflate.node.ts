/** Inflates debug sections by zlib, which Node comes with: several times as fast as JavaScript does, which counts from some megabytes on. */
import { type Inflate, plainInflate } from './compression';

/** Loaded when it is needed, as few starts do. */
const nodeInflate: Inflate = (bytes, size) => {
  const zlib = process.getBuiltinModule('node:zlib');
  const { buffer, byteOffset, length } = zlib.inflateSync(bytes, { maxOutputLength: Math.max(1, size), chunkSize: Math.max(64, size) });
  return new Uint8Array(buffer, byteOffset, length);
};

/** Node has this way to a module since versions 20.16 and 22.3. */
export const fastInflate: Inflate = typeof process.getBuiltinModule === 'function' ? nodeInflate : plainInflate;
