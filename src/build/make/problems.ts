/** Problems in the output of a build by make: of gcc, as and ld, of make itself, of Kconfig, and of the programs that fetch and unpack. */
import { parseProblems, type BuildProblem, type Severity } from '../problems';

const kconfigLine =
  /^((?:[^\s:][^:]*)?(?:Config\.uk|Kconfig[^:/\s]*|\.config[^:/\s]*|[^:/\s]*defconfig[^:/\s]*)):(\d+): ?(?:(error|warning): ?)?(\S.*)$/;
const makeStop = /^((?:[A-Za-z]:)?[^\s:][^:]*):(\d+): \*\*\* (.*?)(?:\.?  Stop\.)?$/;
const noRule = /^make(?:\[\d+\])?: \*\*\* No rule to make target '([^']+)'(?:, needed by '([^']+)')?/;
const failedRecipe = /^make(?:\[\d+\])?: \*\*\* \[(?:([^\s:]+):(\d+): )?([^\]]+)\] (Error \d+|[A-Z][\w ]+)/;
const plainStop = /^make(?:\[\d+\])?: \*\*\* (.*?)(?:\.?  Stop\.)?$/;
const noCommand =
  /^(?:\/\S*sh|sh|bash|make(?:\[\d+\])?): (?:line )?(?:\d+: )?([\w.+-]+): (?:command not found|not found|No such file or directory)$/;
const checksum = /^(\S+): (\w+) checksum validation failed$/;
const noSpace = /No space left on device|Disk quota exceeded|File size limit exceeded/;
const noUse = /implies executable stack|requires executable stack|^NOTE: /;

/** Programs of the host that Unikraft's build runs, and the packages of Debian and Ubuntu that bring them. */
const packages: Readonly<Record<string, string>> = {
  make: 'make',
  gcc: 'gcc',
  'g++': 'g++',
  flex: 'flex',
  bison: 'bison',
  gawk: 'gawk',
  python3: 'python3',
  wget: 'wget',
  unzip: 'unzip',
  patch: 'patch',
  m4: 'm4',
  objcopy: 'binutils',
  ld: 'binutils',
  git: 'git',
  tar: 'tar',
  xz: 'xz-utils',
};

/** How to say that programs are missing. */
export function missingPrograms(names: readonly string[]): string {
  const known = [...new Set(names.map((name) => packages[name] ?? name))].join(' ');
  const are = names.length === 1 ? `${names[0]!} is` : `${names.slice(0, -1).join(', ')} and ${names.at(-1)!} are`;
  return `${are} not installed, and Unikraft's build needs ${names.length === 1 ? 'it' : 'them'}. On Debian and Ubuntu: sudo apt install ${known}.`;
}

function problem(message: string, source: string, path = '', line = 1, severity: Severity = 'error'): BuildProblem {
  return { path, line, column: 1, severity, message, source };
}

/**
 * Everything that is wrong, in the order of the output, each fault once. Where make says that something failed and nothing says why,
 * that is the problem.
 */
export function parseMakeOutput(output: string): BuildProblem[] {
  const found: BuildProblem[] = [];
  const failed: BuildProblem[] = [];
  const compilerText: string[] = [];
  const flush = (): void => {
    if (compilerText.length === 0) return;
    // With -j, a step's line may fall into one that ld has begun.
    const said = parseProblems(compilerText.join('\n'), 'gcc').filter(
      ({ message }) => !noUse.test(message) && !/^ {2}[A-Z]+ /.test(message),
    );
    found.push(...said);
    compilerText.length = 0;
  };
  const own = (each: BuildProblem): void => {
    flush();
    found.push(each);
  };
  for (const line of output.split(/\r?\n/)) {
    const stop = makeStop.exec(line);
    const kconfig = stop ? null : kconfigLine.exec(line);
    const rule = noRule.exec(line);
    const recipe = failedRecipe.exec(line);
    const command = noCommand.exec(line);
    const sum = checksum.exec(line);
    if (noSpace.test(line)) own(problem(`The disk is full: ${line.trim()}. Make room and build again.`, 'make'));
    if (stop) own(problem(`${stop[3]!}.`.replace(/\.+$/, '.'), 'make', stop[1], Number(stop[2])));
    else if (kconfig) own(kconfigProblem(kconfig));
    else if (rule) own(missingFile(rule[1]!, rule[2]));
    else if (sum)
      own(
        problem(
          `The archive ${sum[1]!} has another ${sum[2]!} than the library says: it is damaged, or not the one that is meant.`,
          'build',
          sum[1],
        ),
      );
    else if (recipe) failed.push(recipeProblem(recipe));
    else if (plainStop.test(line)) failed.push(problem(`make stopped: ${plainStop.exec(line)![1]!}.`, 'make'));
    else if (command && !/^(which|date|hostname|whoami)$/.test(command[1]!)) own(problem(missingPrograms([command[1]!]), 'build'));
    else compilerText.push(line);
  }
  flush();
  const distinct = [...new Map(found.map((each) => [JSON.stringify(each), each])).values()];
  if (distinct.some(({ severity }) => severity === 'error') || failed.length === 0) return distinct;
  // The first recipe is the cause; those after it stopped because of it.
  return [...distinct, failed[0]!];
}

function kconfigProblem(match: RegExpExecArray): BuildProblem {
  const [, path, line, severity, message] = match as unknown as [string, string, string, string | undefined, string];
  // A .config holds values, and a wrong one is only left out.
  const usual = /(^|\/)\.config|defconfig/.test(path) ? 'warning' : 'error';
  return problem(message, 'kconfig', path, Number(line), (severity as Severity | undefined) ?? usual);
}

function missingFile(file: string, neededBy: string | undefined): BuildProblem {
  const by = neededBy === undefined ? '' : `, from which ${neededBy.slice(neededBy.lastIndexOf('/') + 1)} is made`;
  return problem(`There is no file ${file}${by}. A Makefile.uk names it.`, 'build', file);
}

function recipeProblem(match: RegExpExecArray): BuildProblem {
  const [, path, line, target, how] = match as unknown as [string, string | undefined, string | undefined, string, string];
  return problem(`${target} could not be made (${how}).`, 'make', path ?? '', Number(line ?? 1));
}
