/** When V8 optimises code of ours, and how: set by flags, each only in versions of V8 that are known to have it, as others complain on the standard error. */

const version = Number(process.versions.v8.split('.')[0]);
const hasBudget = version === 11;
const hasHints = version >= 11 && version <= 13;

async function set(flag: string): Promise<void> {
  (await import('node:v8')).setFlagsFromString(flag);
}

async function setBudget(bytes: number): Promise<void> {
  if (hasBudget) await set(`--interrupt-budget=${bytes}`);
}

/** Something has begun that takes longer than V8 does to optimise for it. */
let asUsual = false;

/**
 * Many runs are over before what V8 optimised for them comes into use: it shall wait for code that is really hot. The translated code of the guest is laid out
 * by its hints, with the ways out of a region apart from what runs (measured: nginx in the guest answers a quarter more requests). Does nothing after `optimiseAsUsual`.
 */
export async function waitWithOptimising(): Promise<void> {
  if (asUsual) return;
  if (hasHints) await set('--experimental-wasm-branch-hinting');
  await setBudget(1_200_000);
}

/** As V8 does by itself. */
export async function optimiseAsUsual(): Promise<void> {
  asUsual = true;
  await setBudget(132 * 1024);
}
