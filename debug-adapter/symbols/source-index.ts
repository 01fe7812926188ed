/** Source files by path, and the units whose line tables name them. */
import { type SourceFile } from './api';
import { type Core } from './core';
import { normalizePath } from './paths';
import { type Unit } from './unit';

/** A line table that has rows of a file, under these numbers. */
export interface FileUse {
  readonly unit: Unit;
  readonly numbers: readonly number[];
}

export class SourceIndex {
  private readonly byPath = new Map<string, { file: SourceFile; uses: Map<Unit, number[]> }>();
  private readonly byBaseName = new Map<string, SourceFile[]>();
  readonly files: readonly SourceFile[];

  constructor(core: Core) {
    const seen = new Set<number>();
    for (const unit of core.dwarf.units) {
      const header = core.lineHeader(unit);
      // Units may share a table (type units do).
      if (!header || seen.has(header.offset)) continue;
      seen.add(header.offset);
      header.files.forEach((recorded, number) => {
        if (!recorded || recorded.path === '') return;
        let entry = this.byPath.get(recorded.path);
        if (!entry) {
          entry = { file: core.sourceFile(recorded.path, recorded.md5), uses: new Map() };
          this.byPath.set(recorded.path, entry);
        }
        const numbers = entry.uses.get(unit);
        if (numbers) numbers.push(number);
        else entry.uses.set(unit, [number]);
      });
    }
    this.files = [...this.byPath.values()].map(({ file }) => file).sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
    for (const file of this.files) {
      const base = file.path.slice(file.path.lastIndexOf('/') + 1);
      const list = this.byBaseName.get(base);
      if (list) list.push(file);
      else this.byBaseName.set(base, [file]);
    }
  }

  /** Files of exactly this path; else those whose path ends with it as whole components. */
  named(path: string): readonly SourceFile[] {
    const wanted = normalizePath(path);
    const exact = this.byPath.get(wanted);
    if (exact) return [exact.file];
    const base = wanted.slice(wanted.lastIndexOf('/') + 1);
    const suffix = wanted.startsWith('/') ? wanted : `/${wanted}`;
    return (this.byBaseName.get(base) ?? []).filter((file) => `/${file.path}`.endsWith(suffix));
  }

  uses(file: SourceFile): FileUse[] {
    const entry = this.byPath.get(file.path);
    return entry ? [...entry.uses].map(([unit, numbers]) => ({ unit, numbers })) : [];
  }
}
