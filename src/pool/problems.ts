/** Everything that the catalogue says to people about what is wrong with a pool. */

/** A fault of a pool; reading always goes on. */
export interface PoolProblem {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly path: string;
  /** 1-based. */
  readonly line: number;
}

function make(code: string, severity: PoolProblem['severity'], path: string, line: number, message: string): PoolProblem {
  return { code, severity, message, path, line };
}

/** One function for each fault. */
export const problems = {
  missingTree: (path: string) =>
    make(
      'pool-missing-tree',
      'error',
      path,
      1,
      `There is no folder ${path}. Give the folder of a Unikraft core: the one with lib, plat and arch.`,
    ),
  notATree: (path: string) =>
    make(
      'pool-not-a-tree',
      'error',
      path,
      1,
      `${path} is no Unikraft core: it needs the file Config.uk and the folder lib. Give the core's own folder.`,
    ),
  noCore: (path: string) =>
    make(
      'pool-no-core',
      'error',
      path,
      1,
      'There is no Unikraft core for this application. Put one into .unikraft/unikraft or workdir/unikraft in its folder (kraft and catalog-core do), or name it in the setting unikernel.kconfig.root.',
    ),
  missingFolder: (what: string, path: string) =>
    make('pool-missing-folder', 'error', path, 1, `The ${what} ${path} does not exist. Fetch it, or take it out of the list.`),
  noMakefile: (what: string, path: string) =>
    make('pool-no-makefile', 'error', path, 1, `The ${what} ${path} has no Makefile.uk, so that nothing of it is built.`),
  unreadable: (path: string, line: number, what: string) =>
    make('pool-makefile', 'warning', path, line, `${what} The rest of the file was read.`),
  noConfig: (name: string, path: string, line: number) =>
    make('pool-no-config', 'warning', path, line, `${name} has no Config.uk beside this file: it has no options, and no menu shows it.`),
  noSymbol: (name: string, symbol: string, path: string, line: number) =>
    make(
      'pool-no-symbol',
      'warning',
      path,
      line,
      `${name} is switched by CONFIG_${symbol}, which no Config.uk defines: it can never be enabled.`,
    ),
  duplicate: (name: string, path: string, line: number, other: string) =>
    make(
      'pool-duplicate',
      'error',
      path,
      line,
      `${name} is registered here and at ${other}. Two libraries of one name cannot be told apart: rename or remove one.`,
    ),
  notImported: (folder: string, by: string) =>
    make('pool-not-imported', 'warning', `${folder}/Makefile.uk`, 1, `This Makefile.uk is never read: ${by} does not import ${folder}.`),
  badSyscall: (word: string, path: string, line: number) =>
    make(
      'pool-syscall',
      'warning',
      path,
      line,
      `“${word}” is no system call: it should be its name, “-” and its number of arguments, such as write-3.`,
    ),
  badManifest: (path: string, line: number, what: string) => make('pool-manifest', 'error', path, line, what),
} as const;
