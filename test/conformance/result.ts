/** What a conformance suite came to, and its table. */

/** What a group of tests came to. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

export interface ConformanceResult {
  /** Why nothing ran. */
  readonly missing?: string;
  readonly groups: ReadonlyMap<string, Tally>;
  /** Name and reason of every failure. */
  readonly failures: readonly string[];
  /** Name and reason of every test that did not run. */
  readonly skipped: readonly string[];
}

/** The table, the failures and the reasons of skips with their numbers, as text for a terminal. */
export function printTable(name: string, result: ConformanceResult): string {
  if (result.missing !== undefined) return `${name} skipped: ${result.missing}`;
  const rows = [...result.groups].map(([group, t]) => [group, t.passed, t.failed, t.skipped] as const);
  const sum = (column: 1 | 2 | 3): number => rows.reduce((total, row) => total + row[column], 0);
  const line = (group: string, a: string | number, b: string | number, c: string | number): string =>
    `${group.padEnd(32)}${String(a).padStart(8)}${String(b).padStart(8)}${String(c).padStart(9)}`;
  const reasons = new Map<string, number>();
  for (const skip of result.skipped) {
    const reason = skip.slice(skip.indexOf(': ') + 2);
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return [
    line(name, 'passed', 'failed', 'skipped'),
    ...rows.map((row) => line(...row)),
    line('all', sum(1), sum(2), sum(3)),
    ...[...reasons].sort((a, b) => b[1] - a[1]).map(([reason, count]) => `  skipped ${String(count).padStart(4)}: ${reason}`),
    ...result.failures.map((failure) => `  ${failure}`),
  ].join('\n');
}
