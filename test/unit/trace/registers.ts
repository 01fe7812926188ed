/** Registers as a recorder hands them to the ring: for tests that fill one by hand. */

/** The first registers, in halves; the others are 0. */
export function halvesOf(values: readonly bigint[]): Int32Array {
  const registers = new BigUint64Array(16);
  values.forEach((value, index) => (registers[index] = value));
  return new Int32Array(registers.buffer);
}

/** Places of arguments that are the first registers. */
export const inOrder: readonly number[] = [0, 1, 2, 3, 4, 5];
