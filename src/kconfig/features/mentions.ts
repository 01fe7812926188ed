/** Finds options by their full names (`CONFIG_X`) in any other text: C, makefiles, linker scripts, .config, Kraftfiles. */
import { type Span } from './view';

/** One place where an option is named. */
export interface Mention extends Span {
  /** Without the prefix. */
  readonly name: string;
}

/** All mentions in a text, in order; those with `only` as their name where it is given. */
export function mentionsIn(text: string, prefix: string, only?: string): Mention[] {
  const found: Mention[] = [];
  const wanted = prefix + (only ?? '');
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    if (at > 0 && isNameCode(text.charCodeAt(at - 1))) continue;
    const start = at + prefix.length;
    let end = start;
    while (end < text.length && isNameCode(text.charCodeAt(end))) end++;
    if (end === start || (only !== undefined && end - start !== only.length)) continue;
    found.push({ start: at, end, name: text.slice(start, end) });
  }
  return found;
}

/** The option named at an offset. */
export function mentionAt(text: string, offset: number, prefix: string): Mention | undefined {
  let start = Math.min(offset, text.length);
  while (start > 0 && isNameCode(text.charCodeAt(start - 1))) start--;
  let end = start;
  while (end < text.length && isNameCode(text.charCodeAt(end))) end++;
  const word = text.slice(start, end);
  return word.startsWith(prefix) && word.length > prefix.length ? { start, end, name: word.slice(prefix.length) } : undefined;
}

function isNameCode(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95;
}
