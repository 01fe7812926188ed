/** `unikernel strace`: boots an image as `run` does, and writes its system calls as strace(1) writes a program's. */
import { type SyscallEvent } from '../../debug-adapter/trace/ring';
import { syscallByNumber } from '../../debug-adapter/trace/syscalls/table';
import { type StraceOptions } from '../../debug-adapter/trace/export/strace';
import { type RunIo } from './io';
import { parseRunOptions } from './run-options';

/** What `strace` adds to a run. */
export interface StraceRun {
  readonly lines: Partial<StraceOptions>;
  /** `-c`: counts instead of lines; `-C`: both. */
  readonly counts: 'none' | 'only' | 'also';
  /** Calls that Unikraft's own code makes of the shim, beside those of a loaded program. */
  readonly native: 'auto' | 'yes';
  readonly accepts: (event: SyscallEvent) => boolean;
  /** Whether a call is wanted is known only once it is over. */
  readonly late: boolean;
}

export const straceHelp = `Usage: unikernel strace [options] IMAGE [options of run]

Boots a unikernel image and writes its system calls as strace does, on standard error.

  -f              begin each line with the thread's number
  -t, -tt, -ttt   time of day, with microseconds, as Unix time (guest time: it begins at 0)
  -r              time since the line before
  -T              time that each call took
  -y              paths behind descriptors
  -c, -C          counts of calls, errors and times instead of lines, or after them
  -z, -Z          only calls that succeeded, only calls that failed
  -e EXPR         trace=NAME,%CLASS,/REGEX/ (! first: all others), status=successful|failed
  -o FILE         write to FILE
  --native        also the calls that the kernel's own code makes, where a program is loaded
  --help          show this text

Everything else is as for 'unikernel run': --initrd, --append, --memory, --net, --timeout, ...
`;

const failure = { usage: 2 } as const;

/** Runs by the command line; resolves to the exit status of the run. */
export async function straceCommand(argv: readonly string[], io: RunIo): Promise<number> {
  const parsed = parseStrace(argv);
  if (parsed === 'help') {
    io.stdout(straceHelp);
    return 0;
  }
  const options = 'error' in parsed ? parsed : parseRunOptions(parsed.rest);
  if (options === 'help') {
    io.stdout(straceHelp);
    return 0;
  }
  if ('error' in options || 'error' in parsed) {
    io.stderr(`unikernel strace: ${'error' in options ? options.error : ''}\nTry 'unikernel strace --help'.\n`);
    return failure.usage;
  }
  return (await import('./run')).runWith(
    { ...options, trace: ['syscalls'], ...(parsed.output === undefined ? {} : { traceOut: parsed.output }) },
    io,
    parsed.strace,
  );
}

interface Parsed {
  readonly strace: StraceRun;
  readonly output: string | undefined;
  /** For run. */
  readonly rest: readonly string[];
}

/** Reads strace's own options up to `--`; a message for people where they are wrong. */
export function parseStrace(argv: readonly string[]): Parsed | 'help' | { readonly error: string } {
  const lines: { -readonly [K in keyof StraceOptions]?: StraceOptions[K] } = { threads: false, times: 'none' };
  let counts: StraceRun['counts'] = 'none';
  let native: StraceRun['native'] = 'auto';
  let output: string | undefined;
  const tests: ((event: SyscallEvent) => boolean)[] = [];
  let late = false;
  const rest: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]!;
    const value = (): string | undefined => argv[++i];
    if (argument === '--help' || argument === '-h') return 'help';
    else if (argument === '--native') native = 'yes';
    else if (argument === '-o' || argument === '-e') {
      const text = value();
      if (text === undefined) return { error: `${argument} needs a value.` };
      if (argument === '-o') output = text;
      else {
        const test = parseExpression(text);
        if (typeof test === 'string') return { error: test };
        tests.push(test);
        late ||= text.startsWith('status');
      }
    } else if (/^-[ftrTycCzZ]+$/.test(argument)) {
      const set = [...argument.slice(1)];
      const ts = set.filter((letter) => letter === 't').length;
      if (ts > 0) lines.times = ts === 1 ? 'seconds' : ts === 2 ? 'micro' : 'unix';
      if (set.includes('r')) lines.times = 'relative';
      if (set.includes('f')) lines.threads = true;
      if (set.includes('T')) lines.durations = true;
      if (set.includes('y')) lines.paths = true;
      if (set.includes('c')) counts = 'only';
      if (set.includes('C')) counts = 'also';
      late ||= set.includes('z') || set.includes('Z');
      if (set.includes('z')) tests.push((event) => !failed(event));
      if (set.includes('Z')) tests.push(failed);
    } else if (argument.startsWith('-') && !argument.startsWith('--')) return { error: `Unknown option ${argument}.` };
    else rest.push(argument, ...(takesValue(argument) ? [value() ?? ''] : []));
  }
  return { strace: { lines, counts, native, accepts: (event) => tests.every((test) => test(event)), late }, output, rest };
}

/** Options of run whose value is an argument of its own: it may look like one of ours. */
const takesValue = (argument: string): boolean =>
  argument.startsWith('--') && !argument.includes('=') && !['--stats', '--calibrate', '--help'].includes(argument);

const failed = ({ result }: SyscallEvent): boolean => result !== undefined && result < 0n && result >= -4095n;

/** `trace=…`, `status=…`, or names alone; a string is what is wrong. */
function parseExpression(text: string): ((event: SyscallEvent) => boolean) | string {
  const [, qualifier = 'trace', list = ''] = /^(?:(\w+)=)?(.*)$/.exec(text) ?? [];
  const not = list.startsWith('!');
  const words = list
    .slice(not ? 1 : 0)
    .split(',')
    .filter(Boolean);
  if (qualifier === 'status') {
    if (words.length !== 1 || (words[0] !== 'successful' && words[0] !== 'failed'))
      return `-e status= takes successful or failed, not ${list}.`;
    const wanted = (words[0] === 'failed') !== not;
    return (event) => failed(event) === wanted;
  }
  if (qualifier !== 'trace' && qualifier !== 't') return `-e knows trace= and status=, but not ${qualifier}=.`;
  const tests = words.map((word): ((name: string, classes: readonly string[]) => boolean) => {
    if (word === 'all') return () => true;
    if (word.startsWith('%')) return (_name, classes) => classes.includes(word.slice(1));
    const pattern = /^\/(.*?)\/?$/.exec(word)?.[1];
    if (pattern === undefined) return (name) => name === word;
    const expression = new RegExp(pattern);
    return (name) => expression.test(name);
  });
  return ({ number }) => {
    const row = syscallByNumber(number);
    return tests.some((test) => test(row?.name ?? `syscall_${number}`, row?.classes ?? [])) !== not;
  };
}
