/** Conditions of the system call filters: which calls, which results, and what must hold, in words such as `openat,-ENOENT` or `%file failed if $rdi == 3`. */
import { type SyscallPath } from '../../trace/ring';
import { errnoByName } from '../../trace/syscalls/errno';
import { syscallByNumber, syscallRows } from '../../trace/syscalls/table';
import { closest } from '../closest';
import { errors } from '../errors';

export interface SyscallCondition {
  /** Is this call meant? `result` is undefined at the entry. */
  accepts(path: SyscallPath, number: number, result: bigint | undefined): boolean;
  /** It speaks of results, which only a return has. */
  readonly needsResult: boolean;
  /** C expression that must hold too. */
  readonly expression: string | undefined;
}

/** Numbers of a word's calls, or undefined where it names none. */
function numbersOf(word: string): ReadonlySet<number> | undefined {
  if (/^\d+$/.test(word)) return new Set([Number(word)]);
  const rows = word.startsWith('%')
    ? syscallRows().filter(({ classes }) => classes.some((each) => each === word.slice(1).toLowerCase()))
    : syscallRows().filter(({ name }) => pattern(word).test(name));
  return rows.length === 0 ? undefined : new Set(rows.map(({ number }) => number));
}

const pattern = (glob: string): RegExp => new RegExp(`^${glob.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`, 'i');

/**
 * Reads words with commas or blanks between. Calls (`openat`, `open*`, `%class`, numbers) are any of; `!` before one takes it out; errors (`-ENOENT`, `failed`)
 * are any of, and hold together with the calls; `binary` and `native` name the path; after `if` comes a C expression. Throws a CodedError for a word that is none
 * of these.
 */
export function parseSyscallCondition(text: string): SyscallCondition {
  const [, list = '', expression] = /^(.*?)(?:(?:^|[\s,])if\s+(.+))?$/s.exec(text.trim()) ?? [];
  const calls = new Set<number>();
  const without = new Set<number>();
  const codes = new Set<number>();
  const paths = new Set<SyscallPath>();
  let named = false;
  let failed = false;
  for (const word of list.split(/[\s,]+/).filter(Boolean)) {
    const error = /^-?(E[A-Z0-9]+)$/i.exec(word);
    const code = error === null ? undefined : errnoByName(error[1]!);
    if (word.toLowerCase() === 'failed') failed = true;
    else if (word.toLowerCase() === 'binary') paths.add('binary');
    else if (word.toLowerCase() === 'native') paths.add('compiled-in');
    else if (code !== undefined) codes.add(code);
    else if (word.startsWith('-')) throw errors.unknownErrno(word);
    else {
      const negated = word.startsWith('!');
      const numbers = numbersOf(negated ? word.slice(1) : word);
      if (numbers === undefined)
        throw errors.unknownSyscall(
          word,
          closest(
            word,
            syscallRows().map(({ name }) => name),
          ),
        );
      if (!negated) named = true;
      for (const number of numbers) (negated ? without : calls).add(number);
    }
  }
  const needsResult = failed || codes.size > 0;
  return {
    needsResult,
    expression,
    accepts: (path, number, result) => {
      if (named && !calls.has(number)) return false;
      if (without.has(number) || (paths.size > 0 && !paths.has(path))) return false;
      if (!needsResult) return true;
      if (result === undefined || result >= 0n || result < -4095n) return false;
      return failed || codes.has(Number(-result));
    },
  };
}

/** Reads vectors and ranges of them, e.g. `32,0x28-0x2f`; nothing means all. Throws a CodedError for anything else. */
export function parseVectors(text: string): (vector: number) => boolean {
  const ranges = text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map((word) => {
      const match = /^(0x[0-9a-f]+|\d+)(?:-(0x[0-9a-f]+|\d+))?$/i.exec(word);
      const low = Number(match?.[1]);
      const high = Number(match?.[2] ?? match?.[1]);
      if (match === null || high > 255 || low > high) throw errors.badVectors(word);
      return { low, high };
    });
  return (vector) => ranges.length === 0 || ranges.some(({ low, high }) => vector >= low && vector <= high);
}

/** A call's name, or its number where it has none. */
export const syscallName = (number: number): string => syscallByNumber(number)?.name ?? `system call ${number}`;
