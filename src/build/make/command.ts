/** The command line with which Unikraft's own make is run: every path absolute, everything a variable of the command line. */

/** What make is told of a project. All paths are absolute. */
export interface MakeProject {
  /** The core's folder. */
  readonly base: string;
  /** `A=` */
  readonly app: string;
  /** `O=` */
  readonly build: string;
  /** `C=` */
  readonly config: string;
  /** `L=`, in order. */
  readonly libraries: readonly string[];
  /** `P=` */
  readonly platforms?: readonly string[];
  /** `E=` */
  readonly excluded?: readonly string[];
  /** `N=` */
  readonly name?: string;
}

/** How make is run. */
export interface MakeRun {
  /** Recipes at a time; default: make's own, one. */
  readonly jobs?: number;
  /** A file to start the configuration from, for the goal `defconfig`. */
  readonly defconfig?: string;
  /** Shows every command (`V=1`). */
  readonly verbose?: boolean;
}

/** The arguments of make; these variables count only on the command line, not in the environment. */
export function makeArguments(project: MakeProject, goals: readonly string[], run: MakeRun = {}): string[] {
  const { base, app, build, config, libraries, platforms = [], excluded = [], name } = project;
  const list = (variable: string, paths: readonly string[]): string[] => (paths.length === 0 ? [] : [`${variable}=${paths.join(':')}`]);
  return [
    ...(run.jobs === undefined ? [] : [`-j${run.jobs}`]),
    ...['-C', base, `A=${app}`, `O=${build}`, `C=${config}`],
    ...list('L', libraries),
    ...list('P', platforms),
    ...list('E', excluded),
    ...(name === undefined ? [] : [`N=${name}`]),
    ...(run.verbose ? ['V=1'] : []),
    ...(run.defconfig === undefined ? [] : [`UK_DEFCONFIG=${run.defconfig}`]),
    ...goals,
  ];
}

/** What is wrong with a path for make: blanks separate words and colons separate folders there. Undefined where all is well. */
export function unusablePath(project: MakeProject): string | undefined {
  const { base, app, build, config, libraries, platforms = [], excluded = [] } = project;
  const bad = [base, app, build, config, ...libraries, ...platforms, ...excluded].find((path) => /[\s:#$%'"\\;&|<>*?()]/.test(path));
  return bad === undefined
    ? undefined
    : `make cannot build in ${bad}: its paths may hold neither blanks nor any of : # $ % ' " ; & | < > * ? ( ). Move or rename the folder.`;
}
