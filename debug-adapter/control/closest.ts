/** Suggestions for mistyped names. */

/** The name within two edits of a wrong one, or undefined. */
export function closest(name: string, names: readonly string[]): string | undefined {
  const ranked = names.map((each) => [editDistance(name.toLowerCase(), each.toLowerCase()), each] as const).sort(([a], [b]) => a - b);
  const [best] = ranked;
  return best !== undefined && best[0] <= 2 ? best[1] : undefined;
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
