/** Random numbers for these tests, by a seed that can be given again (environment variable SEED). */
export function randomSource(): { readonly seed: number; readonly below: (bound: number) => number } {
  const seed = Number(process.env['SEED'] ?? Date.now() & 0x7fff_ffff);
  let state = seed >>> 0;
  // mulberry32, public domain.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return { seed, below: (bound) => next() % bound };
}
