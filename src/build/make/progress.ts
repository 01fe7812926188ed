/** What Unikraft's make tells of its progress: `  CC      libukboot: boot.o`, one line before each step. */

/** One step of a build. */
export interface MakeStep {
  /** `CC`, `AS`, `LD`, `GEN`, `WGET`, … */
  readonly verb: string;
  /** The library that it is for; undefined for steps of the whole image. */
  readonly library: string | undefined;
  /** The file that is made, or an address. */
  readonly what: string;
}

/** The step that a line announces; undefined for any other line. */
export function readStep(line: string): MakeStep | undefined {
  const match = /^ {2}([A-Z][A-Z0-9_+-]{0,11}) +(?:([A-Za-z_][\w.-]*): )?(\S.*)$/.exec(line);
  return match ? { verb: match[1]!, library: match[2], what: match[3]! } : undefined;
}

/** Steps that make an object from a source file: these are counted. */
const compiling: ReadonlySet<string> = new Set(['CC', 'CXX', 'AS', 'GO', 'RUSTC', 'M4']);

/** Counts the objects of a build, so that it can be said how far it is. */
export class MakeProgress {
  private compiled = 0;

  /**
   * @param total objects that the whole image has; 0 where it is not known.
   * @param present how many of these are there before the build.
   */
  constructor(
    private readonly total: number,
    private readonly present: number,
  ) {}

  /** Objects that this build has begun to make. */
  get count(): number {
    return this.compiled;
  }

  /** Takes a step. Answers the part of the build that is done, 0 to 1; undefined where it cannot be known. */
  take({ verb }: MakeStep): number | undefined {
    if (compiling.has(verb)) this.compiled++;
    // Objects that are there may be made again, so that the count can run over; the last of the way is the linker's.
    const missing = this.total - this.present;
    return missing <= 0 ? undefined : Math.min(this.compiled / missing, 1) * 0.95;
  }
}
