/** How long the machine runs before its host gets a turn: as many instructions as took some milliseconds the last time. */

/** Instructions, before anything is known of the guest. */
export const firstSlice = 100_000n;
const shortest = 1000n;
const longest = 500_000_000n;
/** Milliseconds that tell nothing of the machine's speed. */
const unclear = 0.5;

/**
 * The next slice, instructions.
 * @param slice the last one, of which so many instructions ran in so many milliseconds.
 * @param goal milliseconds that a slice shall take.
 */
export function nextSlice(slice: bigint, ran: bigint, milliseconds: number, goal: number): bigint {
  const next = milliseconds < unclear ? slice * 2n : BigInt(Math.round((Number(ran) * goal) / milliseconds));
  return next < shortest ? shortest : next > longest ? longest : next;
}
