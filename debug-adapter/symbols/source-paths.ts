/** Maps source paths as the build recorded them to where the sources are now, and back. */
import { normalizePath } from './paths';

/** A path beginning with `from` continues at `to`; both are whole path components. */
export interface SourcePathRule {
  readonly from: string;
  readonly to: string;
}

export class SourcePathMap {
  private readonly rules: readonly SourcePathRule[];

  /** Earlier rules win. */
  constructor(rules: readonly SourcePathRule[]) {
    this.rules = rules.map(({ from, to }) => ({ from: trim(from), to: trim(to) }));
  }

  /** Where a recorded path is found here; the path itself when no rule fits. */
  toLocal(recorded: string): string {
    const path = normalizePath(recorded);
    for (const { from, to } of this.rules) {
      const answer = replacePrefix(path, from, to);
      if (answer !== undefined) return answer;
    }
    return path;
  }

  /** What the build may have called a local path: rules' answers in order, then the path itself. */
  toRecorded(local: string): string[] {
    const path = normalizePath(local);
    const answers = this.rules.map((rule) => replacePrefix(path, rule.to, rule.from)).filter((answer) => answer !== undefined);
    return [...new Set([...answers, path])];
  }
}

function trim(prefix: string): string {
  const path = normalizePath(prefix);
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function replacePrefix(path: string, from: string, to: string): string | undefined {
  if (path === from) return to;
  const prefix = from.endsWith('/') ? from : `${from}/`;
  if (from === '' || !path.startsWith(prefix)) return undefined;
  return normalizePath(`${to}/${path.slice(prefix.length)}`);
}
