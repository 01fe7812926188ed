/** Reads the words and options of a command line, the same way for the sub-commands that take them in any order. */

/** Options that a sub-command knows, with their dashes. */
export interface OptionNames {
  /** Those that take a value: `--name VALUE` or `--name=VALUE`. */
  readonly valued: readonly string[];
  readonly flags: readonly string[];
  /** Whether a value may be empty. */
  readonly mayBeEmpty?: boolean;
}

/** What a command line says. */
export interface CommandWords {
  readonly words: readonly string[];
  readonly flags: ReadonlySet<string>;
  /** All values given for an option, in order. */
  all(option: string): readonly string[];
  /** The last value given for an option. */
  value(option: string): string | undefined;
}

/** What is wrong with a command line; sub-commands have their own words for it. */
export interface OptionFault {
  readonly fault: 'unknown' | 'no value';
  readonly option: string;
}

/** Reads a command line. `-h` and `--help` are for the caller to look for first. */
export function readCommandLine(argv: readonly string[], names: OptionNames): CommandWords | OptionFault {
  const words: string[] = [];
  const flags = new Set<string>();
  const values = new Map<string, string[]>();
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]!;
    const equals = argument.startsWith('--') ? argument.indexOf('=') : -1;
    const option = equals < 0 ? argument : argument.slice(0, equals);
    if (names.valued.includes(option)) {
      const value = equals < 0 ? argv[++i] : argument.slice(equals + 1);
      if (value === undefined || (value === '' && names.mayBeEmpty !== true)) return { fault: 'no value', option };
      values.set(option, [...(values.get(option) ?? []), value]);
    } else if (names.flags.includes(argument)) flags.add(argument);
    else if (argument.startsWith('-')) return { fault: 'unknown', option };
    else words.push(argument);
  }
  return { words, flags, all: (option) => values.get(option) ?? [], value: (option) => values.get(option)?.at(-1) };
}

/** A fault as a sentence. */
export function faultSentence({ fault, option }: OptionFault): string {
  return fault === 'unknown' ? `There is no option ${option}.` : `${option} needs a value.`;
}
