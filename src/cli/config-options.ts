/** The words that `unikernel config` is called with, and its help. */
import { modes } from '../kconfig/conf';
import { dialectNames } from '../kconfig/dialect';
import { type OptionNames, readCommandLine } from './arguments';

export const help = `usage: unikernel config MODE [ARGUMENTS] [OPTIONS]

Modes that write the .config:
  olddefconfig            keep what is set, give everything else its default
  defconfig [FILE]        start from a defconfig (default: $KCONFIG_DEFCONFIG)
  alldefconfig, allyesconfig, allnoconfig, allmodconfig
  syncconfig              as olddefconfig, and write anew what make reads: auto.conf, config.h and their like
  set K=V...              set symbols as a menu would, and refuse what a menu refuses
Modes that only read it:
  savedefconfig [FILE]    write a minimal configuration (default: defconfig in the working directory)
  get K...                print values
  why K                   prove a value: which rule gave it, and what each clause was worth
  how K=V                 what to change so that K becomes V
  lint                    check the Kconfig files themselves
  diff A B                compare two .config files

Options:
  --tree FILE             the first Kconfig file (default: $UK_BASE/Config.uk, ./Config.uk or ./Kconfig)
  --config FILE           the .config (default: $KCONFIG_CONFIG or .config in the working directory)
  --dialect D             ${dialectNames.join(', ')} (default: ${dialectNames[0]})
  --app DIR, --libs A:B, --plats A:B
                          parts of a Unikraft project, where make's environment is not given
  --no-shell              do not run the commands of $(shell,...)
  --json                  answer in JSON
  --help                  this text

Called as "unikernel config --MODE[=FILE] TREE", it stands in for conf in a build by make.
The environment is the one make gives to kconfig. The exit status is 1 where the tree or the request is refused, 2 for wrong usage.
`;

/** How the command was called. */
export interface Options {
  readonly mode: string | undefined;
  readonly words: readonly string[];
  readonly json: boolean;
  readonly help: boolean;
  readonly shell: boolean;
  readonly value: (option: string) => string | undefined;
}

/** A mistake in how the command was called (status 2), or something it needs that is not there (1). */
export class CommandError extends Error {
  constructor(
    message: string,
    readonly status: 1 | 2,
  ) {
    super(message);
  }
}

/** What kconfig's own program is called with: these modes as options, and the first Kconfig file. */
export const confModes: readonly string[] = [...modes, 'syncconfig'];

/** Modes, with the fewest and the most words they take. */
const wordCounts: Readonly<Record<string, readonly [number, number, string]>> = {
  ...Object.fromEntries(confModes.map((mode) => [mode, [0, 0, '']])),
  defconfig: [0, 1, 'one FILE'],
  savedefconfig: [0, 1, 'one FILE'],
  set: [1, Infinity, 'K=V'],
  get: [1, Infinity, 'the name of a symbol'],
  why: [1, 1, 'the name of a symbol'],
  how: [1, 1, 'K=V'],
  lint: [0, 0, ''],
  diff: [2, 2, 'two .config files'],
};

const options: OptionNames = {
  valued: ['--tree', '--config', '--dialect', '--app', '--libs', '--plats'],
  flags: ['--json', '--help', '-h', '--no-shell'],
  // A list of libraries may have none.
  mayBeEmpty: true,
};

/** `--defconfig=FILE` as its words, for the way in which make calls kconfig's program; undefined for what is none. */
function confMode(argument: string): readonly string[] | undefined {
  const [, mode, file] = /^--([a-z]+)(?:=(.*))?$/s.exec(argument) ?? [];
  return mode !== undefined && confModes.includes(mode) ? [mode, ...(file === undefined ? [] : [file])] : undefined;
}

/** Reads the words; throws a CommandError where they make no command. */
export function parseOptions(argv: readonly string[]): Options {
  const line = readCommandLine(
    argv.filter((argument) => !confMode(argument)),
    options,
  );
  if ('fault' in line)
    throw new CommandError(line.fault === 'unknown' ? `unknown option ${line.option}; see --help` : `${line.option} needs a value`, 2);
  const conf = argv.map(confMode).findLast((words) => words !== undefined);
  const words = [...line.words];
  let tree: string | undefined;
  if (conf) {
    const [first, ...others] = words.splice(0, words.length, ...conf);
    if (first === undefined || others.length > 0) throw new CommandError(`--${conf[0]!} is followed by one Kconfig file`, 2);
    tree = first;
  }
  const [mode, ...rest] = words;
  const { flags } = line;
  const help = flags.has('--help') || flags.has('-h');
  if (!help) checkWords(mode, rest);
  const value = (option: string): string | undefined => (option === '--tree' && tree !== undefined ? tree : line.value(option));
  return { mode, words: rest, json: flags.has('--json'), help, shell: !flags.has('--no-shell'), value };
}

function checkWords(mode: string | undefined, words: readonly string[]): void {
  if (mode === undefined) return;
  const counts = Object.hasOwn(wordCounts, mode) ? wordCounts[mode] : undefined;
  if (!counts) throw new CommandError(`unknown mode ${mode}; see --help`, 2);
  const [least, most, what] = counts;
  if (words.length < least) throw new CommandError(`${mode} needs ${what}`, 2);
  if (words.length > most) throw new CommandError(`${mode} takes ${what || 'no more words'}: "${words[most]!}" is one too many`, 2);
}
