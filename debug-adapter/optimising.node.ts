/** When V8 optimises code of ours: the flag is known to be in these versions. */

const isKnown = /^1[123]\./.test(process.versions.v8);

async function setBudget(bytes: number): Promise<void> {
  if (isKnown) (await import('node:v8')).setFlagsFromString(`--interrupt-budget=${bytes}`);
}

/** Many runs are over before what V8 optimised for them comes into use: it shall wait for code that is really hot. */
export const waitWithOptimising = (): Promise<void> => setBudget(1_200_000);

/** As V8 does by itself. */
export const optimiseAsUsual = (): Promise<void> => setBudget(132 * 1024);
