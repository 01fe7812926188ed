/** The four Kconfig engines whose answers this one gives, and every point on which they differ. */

/** The name of a dialect as users write it. */
export type DialectName = 'uk-5.2' | 'linux-6.1' | 'linux-6.12' | 'kconfiglib';

/** One engine's rules; each field is a difference that was measured. */
export interface Dialect {
  readonly name: DialectName;
  /** `conf` of the C implementations, or the Python library. */
  readonly engine: 'c' | 'kconfiglib';
  /** `---help---` opens a help text. */
  readonly dashedHelp: boolean;
  /** `option modules`, `option defconfig_list`, `option allnoconfig_y` are understood. */
  readonly optionStatement: boolean;
  /** `modules` is a statement of its own. */
  readonly modulesStatement: boolean;
  /** Choices may be named, optional and tristate. */
  readonly richChoices: boolean;
  /** `source` may stand inside a choice. */
  readonly sourceInChoice: boolean;
  /** Prompts and paths of `source` must be quoted. */
  readonly quotesRequired: boolean;
  /** `source` takes wildcards, and finds nothing without a word. */
  readonly globSource: boolean;
  /** Paths are also looked for below `$srctree`. */
  readonly srctree: boolean;
  /** What a syntax error adds to the line of the statement it is found in. */
  readonly syntaxErrorLine: 0 | 1;
  /** A file whose last line is not ended: a warning, a syntax error, or nothing. */
  readonly unendedLine: 'warning' | 'error' | 'allowed';
  /** Bytes of a command's answer that are kept. */
  readonly shellLimit: number;
  /** `imply` acts only where the implied symbol's dependencies hold. */
  readonly implyNeedsDependencies: boolean;
  /** A symbol implied y cannot be m. */
  readonly implyForcesYes: boolean;
  /** A number without a value is 0 or 0x0. */
  readonly zeroForEmptyNumber: boolean;
  /** What happens to a number in .config that its range forbids. */
  readonly outOfRange: 'drop' | 'clamp' | 'ignore';
  /** Clamped numbers are printed anew, or keep the text of the bound. */
  readonly clampedText: 'printed' | 'copied';
  /** A visible menu without entries gets its `# end of` line too. */
  readonly endOfEmptyMenu: boolean;
  /** Strings in auto.conf are quoted and escaped. */
  readonly quotedAutoConf: boolean;
  /** The head of config.h has an empty comment line above and below its text. */
  readonly spacedHeader: boolean;
  /** Size of the symbol hash table, whose order auto.conf and config.h follow; 0 is the order of definition. */
  readonly hashBuckets: number;
  /** The member of a choice is picked by the newest assignment, and `n` for the default moves it. */
  readonly choiceByPriority: boolean;
  /** Which type wins when a symbol is given two. */
  readonly typeConflict: 'first' | 'last';
  /** `# CONFIG_X is not set` for a number is an error. */
  readonly unsetNumberWarned: boolean;
  /** Numbers are whatever Python's int() reads. */
  readonly looseNumbers: boolean;
  /** All values are computed (and warned about) once more for auto.conf. */
  readonly recomputesForAutoConf: boolean;
  /** `X != n` for a tristate X is printed as `X` where it is a condition of what is none. */
  readonly shortensTests: boolean;
  /** y, m and n have a type of their own, and so messages give their value beside them. */
  readonly typedConstants: boolean;
  /** The document named by the message about dependency loops. */
  readonly loopDocument: string;
}

const uk52: Dialect = {
  name: 'uk-5.2',
  engine: 'c',
  dashedHelp: true,
  optionStatement: true,
  modulesStatement: false,
  richChoices: true,
  sourceInChoice: true,
  quotesRequired: false,
  globSource: true,
  srctree: false,
  syntaxErrorLine: 1,
  unendedLine: 'warning',
  shellLimit: 255,
  implyNeedsDependencies: true,
  implyForcesYes: true,
  zeroForEmptyNumber: false,
  outOfRange: 'drop',
  clampedText: 'printed',
  endOfEmptyMenu: false,
  quotedAutoConf: true,
  spacedHeader: true,
  hashBuckets: 9973,
  choiceByPriority: false,
  typeConflict: 'first',
  unsetNumberWarned: false,
  looseNumbers: false,
  recomputesForAutoConf: true,
  shortensTests: true,
  typedConstants: false,
  loopDocument: 'Documentation/kbuild/kconfig-language.txt',
};

const linux61: Dialect = {
  ...uk52,
  name: 'linux-6.1',
  dashedHelp: false,
  optionStatement: false,
  modulesStatement: true,
  sourceInChoice: false,
  quotesRequired: true,
  globSource: false,
  srctree: true,
  shellLimit: 4095,
  implyNeedsDependencies: false,
  implyForcesYes: false,
  clampedText: 'copied',
  endOfEmptyMenu: true,
  quotedAutoConf: false,
  spacedHeader: false,
  unsetNumberWarned: true,
  recomputesForAutoConf: false,
  shortensTests: false,
  typedConstants: true,
  loopDocument: 'Documentation/kbuild/kconfig-language.rst',
};

const linux612: Dialect = {
  ...linux61,
  name: 'linux-6.12',
  richChoices: false,
  syntaxErrorLine: 0,
  unendedLine: 'error',
  zeroForEmptyNumber: true,
  outOfRange: 'clamp',
  hashBuckets: 1 << 14,
  choiceByPriority: true,
};

const kconfiglib: Dialect = {
  ...uk52,
  name: 'kconfiglib',
  engine: 'kconfiglib',
  srctree: true,
  syntaxErrorLine: 0,
  unendedLine: 'allowed',
  shellLimit: Number.POSITIVE_INFINITY,
  outOfRange: 'ignore',
  hashBuckets: 0,
  typeConflict: 'last',
  looseNumbers: true,
  recomputesForAutoConf: false,
};

const dialects: Readonly<Record<DialectName, Dialect>> = {
  'uk-5.2': uk52,
  'linux-6.1': linux61,
  'linux-6.12': linux612,
  kconfiglib,
};

/** All dialects' names, the default first. */
export const dialectNames = Object.keys(dialects) as readonly DialectName[];

/** The rules of a dialect. */
export function dialectOf(name: DialectName): Dialect {
  return dialects[name];
}

/** True where `name` names a dialect. */
export function isDialectName(name: string): name is DialectName {
  return Object.hasOwn(dialects, name);
}
