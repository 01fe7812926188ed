/** Collects what could not be read, bounded so that a hostile file cannot fill memory with complaints. */
import { type Diagnostic } from './api';

const MAX_DIAGNOSTICS = 200;

/** Where complaints go. */
export interface DiagnosticSink {
  add(code: string, message: string, section?: string, offset?: number): void;
}

export class Diagnostics implements DiagnosticSink {
  private readonly list: Diagnostic[] = [];
  private readonly seen = new Set<string>();

  get all(): readonly Diagnostic[] {
    return this.list;
  }

  /** Each (code, section, offset) is reported once. */
  add(code: string, message: string, section?: string, offset?: number): void {
    if (this.list.length >= MAX_DIAGNOSTICS) return;
    const key = `${code}:${section ?? ''}:${offset ?? ''}`;
    if (this.seen.has(key)) return;
    this.seen.add(key);
    this.list.push({ code, message, ...(section !== undefined && { section }), ...(offset !== undefined && { offset }) });
  }
}

/** Complaints about a file that another one shares with others, among those about that one. */
export function ofSupplement(sink: DiagnosticSink): DiagnosticSink {
  return {
    add: (code, message, section, offset) =>
      sink.add(code, `In the supplementary file: ${message}`, section === undefined ? undefined : `${section} (supplementary)`, offset),
  };
}
