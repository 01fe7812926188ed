/** The little of WebAssembly's binary format (core specification 2.0, chapter 5) that small modules written by hand need. */

export const wasmType = { i32: 0x7f, v128: 0x7b } as const;

/** Unsigned LEB128. */
export const u32 = (value: number): number[] => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...u32(value >>> 7)]);

/** Signed LEB128. */
export const s32 = (value: number): number[] => {
  const low = value & 0x7f;
  const rest = value >> 7;
  return (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0) ? [low] : [low | 0x80, ...s32(rest)];
};

/** A name. */
export const name = (text: string): number[] => [...u32(text.length), ...new TextEncoder().encode(text)];

/** A section of items, by its number: 1 types, 2 imports, 3 functions, 5 memories, 6 globals, 7 exports, 10 code. */
export const section = (id: number, ...items: readonly (readonly number[])[]): number[] => {
  const body = [...u32(items.length), ...items.flat()];
  return [id, ...u32(body.length), ...body];
};

/** An item of the code section: a body with its locals in front. */
export const code = (body: readonly number[]): number[] => [...u32(body.length), ...body];

export const wasmModule = (...sections: readonly (readonly number[])[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()]);

// Instructions.
export const get = (local: number): number[] => [0x20, ...u32(local)];
export const set = (local: number): number[] => [0x21, ...u32(local)];
export const tee = (local: number): number[] => [0x22, ...u32(local)];
export const constant = (value: number): number[] => [0x41, ...s32(value | 0)];
/** A vector instruction, by its opcode. */
export const simd = (opcode: number): number[] => [0xfd, ...u32(opcode)];
/** v128.load from the address on the stack, which may be aligned anyhow. */
export const loadVector = (offset: number): number[] => [...simd(0x00), 0, ...u32(offset)];
