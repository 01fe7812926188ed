/** Tells V8 that a run will be short. */
import { setFlagsFromString } from 'node:v8';

/** V8's own budget is 67,584 bytes of bytecode. */
const budget = 500_000;
/** V8 doubles its new space at a time, and copies all that lives whenever it is full; nearly all of a tree lives. */
const growth = 32;

/**
 * Lets functions run longer before V8 compiles them for speed. Reading a tree takes some 50 ms in which each function runs a few thousand times:
 * by default V8 spends more on compiling these than the whole reading costs (measured: 250 ms of CPU in place of 450 on a Unikraft tree). And gives new
 * objects room at once, rather than collecting garbage that is none.
 */
export function compileLate(): void {
  // Later versions of V8 do not have it, and would complain on the standard error.
  if (process.versions.v8.startsWith('11.')) setFlagsFromString(`--interrupt-budget=${budget}`);
  setFlagsFromString(`--semi-space-growth-factor=${growth}`);
}
