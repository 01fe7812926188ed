/** Results of the tests that are built into an image (lib/uktest): suites, their cases and assertions, read from the tables that the image keeps them in. */
import { type GuestAccess, readUnsigned } from './access';
import { Layout, Structure } from './structure';

/** Values of `struct uk_assert`'s status (uk/test.h); the last one begins the next case. */
const Status = { notRun: 0n, success: 1n, fail: 2n, marker: 0xffffn } as const;
const mostCases = 4096;
const mostAssertions = 4096;

export type TestState = 'passed' | 'failed' | 'not run';

export interface TestCase {
  readonly name: string;
  readonly description: string | undefined;
  readonly state: TestState;
  /** The source file as it was compiled, and the lines of its assertions that failed. */
  readonly file: string | undefined;
  readonly failedLines: readonly number[];
  readonly assertions: number;
  readonly passed: number;
  /** Address of the test's function. */
  readonly address: bigint;
}

export interface TestSuite {
  readonly name: string;
  readonly state: TestState;
  readonly cases: readonly TestCase[];
}

/** Suites in the order of their names; none where the image has no tests. */
export function readTests(guest: GuestAccess): readonly TestSuite[] {
  const suiteLayout = Layout.of(guest.kernel, 'uk_testsuite');
  const caseLayout = Layout.of(guest.kernel, 'uk_testcase');
  const assertLayout = Layout.of(guest.kernel, 'uk_assert');
  if (suiteLayout === undefined || caseLayout === undefined || assertLayout === undefined) return [];
  const suites: TestSuite[] = [];
  for (const symbol of guest.kernel.searchSymbols(/^testsuite_/, mostCases)) {
    const suite = new Structure(guest, suiteLayout, symbol.address);
    const name = suite.text('name');
    if (symbol.kind === 'function' || name === undefined || symbol.name !== `testsuite_${name}`) continue;
    const end = suite.integer('cases_end') ?? 0n;
    const cases: TestCase[] = [];
    let at = symbol.address + BigInt(suiteLayout.size);
    for (; at < end && cases.length < mostCases; at += BigInt(caseLayout.size)) {
      const test = readCase(guest, new Structure(guest, caseLayout, at), assertLayout);
      if (test !== undefined) cases.push(test);
    }
    suites.push({ name, state: overall(cases), cases });
  }
  return suites.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readCase(guest: GuestAccess, test: Structure, assertion: Layout): TestCase | undefined {
  const name = test.text('name');
  if (name === undefined) return undefined;
  const failedLines: number[] = [];
  let assertions = 0;
  let passed = 0;
  const limit = guest.kernel.symbolsNamed('uk_asserttab_end')[0]?.address ?? 0n;
  const step = BigInt(assertion.size);
  // The first one is the marker of the case itself.
  for (let at = (test.integer('asserts') ?? 0n) + step; at < limit && assertions < mostAssertions; at += step) {
    const each = new Structure(guest, assertion, at);
    const status = each.integer('status');
    if (status === undefined || status === Status.marker) break;
    assertions++;
    if (status === Status.success) passed++;
    else if (status === Status.fail) failedLines.push(Number(each.integer('line') ?? 0n));
  }
  const ran = passed + failedLines.length > 0;
  return {
    name,
    description: test.text('desc'),
    state: failedLines.length > 0 ? 'failed' : ran ? 'passed' : 'not run',
    file: test.text('file'),
    failedLines,
    assertions,
    passed,
    address: readUnsigned(guest, test.at('func') ?? 0n, 8) ?? 0n,
  };
}

function overall(cases: readonly TestCase[]): TestState {
  if (cases.some(({ state }) => state === 'failed')) return 'failed';
  return cases.some(({ state }) => state === 'passed') ? 'passed' : 'not run';
}
