/** Source files by path, and the units whose line tables name them. */
import { type SourceFile } from './api';
import { type Core } from './core';
import { type LineHeader } from './line-header';
import { normalizePath } from './paths';
import { type Unit } from './unit';

/** A line table that has rows of a file, under these numbers. */
export interface FileUse {
  readonly unit: Unit;
  readonly numbers: readonly number[];
}

/** A file, and who names it under which number: two lists side by side, as a thousand units name a thousand headers. */
interface Entry {
  readonly file: SourceFile;
  readonly units: Unit[];
  readonly numbers: number[];
}

export class SourceIndex {
  private readonly byPath = new Map<string, Entry>();
  private readonly byBaseName = new Map<string, SourceFile[]>();
  readonly files: readonly SourceFile[];

  constructor(core: Core) {
    const seen = new Set<LineHeader>();
    for (const unit of core.dwarf.units) {
      // What several files share has a table without rows, of the sources of all of them.
      if (!unit.isOwn) continue;
      const header = core.lineHeader(unit);
      // Units may share a table (type units do).
      if (!header || seen.has(header)) continue;
      seen.add(header);
      const { files } = header;
      for (let number = 0; number < files.length; number++) {
        const recorded = files[number];
        if (recorded === undefined || recorded.path === '') continue;
        let entry = this.byPath.get(recorded.path);
        if (!entry) {
          entry = { file: core.sourceFile(recorded.path, recorded.md5), units: [], numbers: [] };
          this.byPath.set(recorded.path, entry);
        }
        entry.units.push(unit);
        entry.numbers.push(number);
      }
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
    const uses = new Map<Unit, number[]>();
    entry?.units.forEach((unit, at) => {
      const numbers = uses.get(unit);
      const number = entry.numbers[at]!;
      if (numbers) numbers.push(number);
      else uses.set(unit, [number]);
    });
    return [...uses].map(([unit, numbers]) => ({ unit, numbers }));
  }
}
