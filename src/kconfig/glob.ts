/** Wildcards in the path of a `source`, matched as glob(7) does in the C locale. */
import { type Files } from '../shared/files';

/** True where a path holds a wildcard. */
export function hasWildcard(path: string): boolean {
  return /[*?[\\]/.test(path);
}

/** Joins a path to a directory unless it is absolute. */
export function joinPath(directory: string, path: string): string {
  if (path.startsWith('/')) return path;
  return directory.endsWith('/') ? directory + path : `${directory}/${path}`;
}

/**
 * The existing paths that a pattern matches, sorted by code unit, written as the pattern is (relative ones stay relative to `cwd`).
 * A pattern without wildcards gives itself where it exists, and else nothing.
 */
export function glob(files: Files, cwd: string, pattern: string): string[] {
  if (pattern === '') return [];
  if (!hasWildcard(pattern)) return files.kind(joinPath(cwd, pattern)) ? [pattern] : [];
  const pieces = pattern.split('/');
  let found = [''];
  for (const [index, piece] of pieces.entries()) {
    const last = index === pieces.length - 1;
    const next: string[] = [];
    for (const base of found) {
      const prefix = index === 0 ? '' : `${base}/`;
      if (!hasWildcard(piece)) {
        const path = prefix + piece;
        if (piece === '' || (last ? files.kind(joinPath(cwd, path)) : true)) next.push(path);
        continue;
      }
      const matcher = segmentMatcher(piece);
      for (const name of files.list(joinPath(cwd, prefix === '' ? '.' : prefix))) {
        if (name.startsWith('.') && !piece.startsWith('.')) continue;
        if (!matcher(name)) continue;
        const path = prefix + name;
        if (last || files.kind(joinPath(cwd, path)) === 'directory') next.push(path);
      }
    }
    found = next;
  }
  return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

type Matcher = (name: string) => boolean;

/** Matches one path segment; written without regular expressions, which could take exponential time. */
function segmentMatcher(pattern: string): Matcher {
  const pieces = compile(pattern);
  return (name) => {
    let at = 0;
    let piece = 0;
    let star = -1;
    let starAt = 0;
    while (at < name.length) {
      const current = pieces[piece];
      if (current === '*') {
        star = piece++;
        starAt = at;
      } else if (current?.(name[at]!)) {
        piece++;
        at++;
      } else if (star >= 0) {
        piece = star + 1;
        at = ++starAt;
      } else return false;
    }
    while (pieces[piece] === '*') piece++;
    return piece === pieces.length;
  };
}

function compile(pattern: string): ('*' | Matcher)[] {
  const pieces: ('*' | Matcher)[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]!;
    if (char === '*') pieces.push('*');
    else if (char === '?') pieces.push(() => true);
    else if (char === '\\' && at + 1 < pattern.length) pieces.push(literal(pattern[++at]!));
    else if (char === '[') {
      const end = pattern.indexOf(']', at + (pattern[at + 1] === '!' || pattern[at + 1] === '^' ? 3 : 2));
      if (end < 0) pieces.push(literal('['));
      else {
        pieces.push(charClass(pattern.slice(at + 1, end)));
        at = end;
      }
    } else pieces.push(literal(char));
  }
  return pieces;
}

function literal(char: string): Matcher {
  return (name) => name === char;
}

function charClass(body: string): Matcher {
  const negated = body.startsWith('!') || body.startsWith('^');
  const set = negated ? body.slice(1) : body;
  return (char) => {
    let found = false;
    for (let at = 0; at < set.length; at++) {
      if (set[at + 1] === '-' && at + 2 < set.length) {
        if (char >= set[at]! && char <= set[at + 2]!) found = true;
        at += 2;
      } else if (set[at] === char) found = true;
    }
    return found !== negated;
  };
}
