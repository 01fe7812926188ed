/** When V8 optimises code of ours: the flag is known to be in these versions. */

const isKnown = /^1[123]\./.test(process.versions.v8);

async function setBudget(bytes: number): Promise<void> {
  if (isKnown) (await import('node:v8')).setFlagsFromString(`--interrupt-budget=${bytes}`);
}

/** Something has begun that takes longer than V8 does to optimise for it. */
let asUsual = false;

/** Many runs are over before what V8 optimised for them comes into use: it shall wait for code that is really hot. Does nothing after `optimiseAsUsual`. */
export async function waitWithOptimising(): Promise<void> {
  if (!asUsual) await setBudget(1_200_000);
}

/** As V8 does by itself. */
export async function optimiseAsUsual(): Promise<void> {
  asUsual = true;
  await setBudget(132 * 1024);
}
