/** Problems of a build with their places, read from the output of gcc, clang, as and ld. */

export type Severity = 'error' | 'warning' | 'note';

/** A fault at a place in a file. */
export interface BuildProblem {
  readonly path: string;
  /** 1-based; 1 where the place is the whole file. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  readonly severity: Severity;
  readonly message: string;
  /** Who says so: `gcc`, `ld`, `link`, `plan`, `make`. */
  readonly source: string;
}

/** As compilers write it: `path:line:column: severity: message`. */
export function formatProblem(p: BuildProblem): string {
  return `${p.path}:${p.line}:${p.column}: ${p.severity}: ${p.message}`;
}

const COMPILER = /^((?:[A-Za-z]:)?[^:\n]+?):(\d+):(?:(\d+):)?\s+(fatal error|error|warning|note|remark):\s+(.*)$/;
const ASSEMBLER = /^((?:[A-Za-z]:)?[^:\n]+?):(\d+):\s+(Error|Warning|Info|Fatal error):\s+(.*)$/;
const DRIVER = /^(?:\S*?(?:gcc|clang|cc|as|cc1)(?:-[\d.]+)?(?:\.exe)?):\s+(fatal error|error|warning):\s+(.*)$/;
/** `ld: file.o: in function `f':` says where the lines after it belong. */
const LD_FUNCTION = /^(?:\S*ld(?:\.\w+)?: )?(\S+): in function [`'](.+?)':$/;
const LD_PLACE = /^(?:\S*ld(?:\.\w+)?: )?((?:[A-Za-z]:)?[^:\s]+):(\d+|\([^)]*\)):\s+(.*)$/;
const LD_FAULT = /^(?:\S*ld(?:\.\w+)?): (?:(error|warning): )?(.*)$/;

/** Reads everything that a compiler or linker wrote; lines of context are left out. `source` is who wrote it. */
export function parseProblems(output: string, source: string): BuildProblem[] {
  const found: BuildProblem[] = [];
  // Colours, should a compiler think that it writes to a terminal.

  for (const line of output.replace(/\x1b\[[0-9;]*[mK]/g, '').split(/\r?\n/)) {
    const compiler = COMPILER.exec(line);
    if (compiler) {
      found.push({
        path: compiler[1]!,
        line: Number(compiler[2]),
        column: Number(compiler[3] ?? 1),
        severity: severityOf(compiler[4]!),
        message: compiler[5]!,
        source,
      });
      continue;
    }
    const assembler = ASSEMBLER.exec(line);
    if (assembler) {
      found.push({
        path: assembler[1]!,
        line: Number(assembler[2]),
        column: 1,
        severity: severityOf(assembler[3]!),
        message: assembler[4]!,
        source,
      });
      continue;
    }
    const driver = DRIVER.exec(line);
    if (driver) {
      found.push({ path: '', line: 1, column: 1, severity: severityOf(driver[1]!), message: driver[2]!, source });
      continue;
    }
    if (LD_FUNCTION.test(line)) continue;
    const place = LD_PLACE.exec(line);
    if (place && /undefined reference|multiple definition|relocation|defined in discarded|overflows/.test(place[3]!)) {
      const at = Number(place[2]);
      found.push({
        path: place[1]!,
        line: Number.isNaN(at) ? 1 : at,
        column: 1,
        severity: severityOf(place[3]!),
        message: place[3]!,
        source,
      });
      continue;
    }
    const fault = LD_FAULT.exec(line);
    if (fault && !/^NOTE:/.test(fault[2]!))
      found.push({ path: '', line: 1, column: 1, severity: fault[1] === 'warning' ? 'warning' : 'error', message: fault[2]!, source });
  }
  return found;
}

function severityOf(word: string): Severity {
  const w = word.toLowerCase();
  if (w.startsWith('warning')) return 'warning';
  if (w === 'note' || w === 'remark' || w === 'info') return 'note';
  return 'error';
}
