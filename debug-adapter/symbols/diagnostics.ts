/** Collects what could not be read, bounded so that a hostile file cannot fill memory with complaints. */
import { type Diagnostic } from './api';

const MAX_DIAGNOSTICS = 200;

export class Diagnostics {
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
