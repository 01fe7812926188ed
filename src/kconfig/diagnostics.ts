/** What the engine tells people, with the very line that the C or Python engine would print for it. */

export type Severity = 'error' | 'warning' | 'information' | 'hint';

/** One message. */
export interface Diagnostic {
  /** A short, stable name of the rule. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** Offsets in the file's text, where the place is known more closely than by line. */
  readonly start?: number;
  readonly end?: number;
  /** What the dialect's own engine prints, line feeds included; unset for messages that are ours alone. */
  readonly printed?: string;
  readonly channel?: 'stdout' | 'stderr';
  /** A name that is probably meant. */
  readonly suggestion?: string;
}

/** Collects messages in order. */
export class DiagnosticSink {
  readonly all: Diagnostic[] = [];

  add(diagnostic: Diagnostic): void {
    this.all.push(diagnostic);
  }

  /** A message printed as `file:line:` + `separator` + text. */
  at(
    file: string,
    line: number,
    code: string,
    severity: Severity,
    prefix: string,
    message: string,
    span?: { start: number; end: number },
  ): void {
    this.all.push({
      code,
      severity,
      message,
      file,
      line,
      ...(span && { start: span.start, end: span.end }),
      printed: `${file}:${line}:${prefix}${message}\n`,
      channel: 'stderr',
    });
  }
}

/** All that an engine would have printed on one channel. */
export function printedText(diagnostics: readonly Diagnostic[], channel: 'stdout' | 'stderr'): string {
  let out = '';
  for (const diagnostic of diagnostics) if (diagnostic.channel === channel && diagnostic.printed) out += diagnostic.printed;
  return out;
}
