/** What is in an image, as data: pieces that tile every loaded section exactly, and what is asked of them: groups, trees, differences. */

/** What sizes are summed up by, from the coarsest on. */
export const SIZE_LEVELS = ['library', 'object', 'section', 'symbol'] as const;
export type SizeLevel = (typeof SIZE_LEVELS)[number];

/** Stands where a piece has no symbol: padding, string literals, tables that the linker made. */
export const NO_SYMBOL = '(no symbol)';
/** Stands where no owner is known: strings merged from many objects, and what is between them. */
export const SHARED = '(shared)';
/** Bytes between two pieces that are there for alignment. */
export const PADDING = '(padding)';

/** A loaded section. */
export interface SizeSection {
  readonly name: string;
  /** Bytes in memory. */
  readonly size: number;
  /** As Berkeley's `size` counts: code and read-only data, written data, zeroed memory. */
  readonly kind: 'text' | 'data' | 'bss';
}

/** A run of bytes of one section; the pieces of a section follow one another without gap or overlap. */
export interface SizePiece {
  /** Micro-library, e.g. `libukboot`. */
  readonly library: string;
  /** Object or source file that it comes from. */
  readonly object: string;
  readonly section: string;
  readonly symbol: string;
  /** Bytes from the start of the section. */
  readonly offset: number;
  readonly size: number;
}

/** All that is known of one image. */
export interface SizeReport {
  /** For people: usually the image's path. */
  readonly name: string;
  readonly sections: readonly SizeSection[];
  readonly pieces: readonly SizePiece[];
}

/** Sums as Berkeley's `size` prints them; bytes. */
export interface SizeTotals {
  readonly text: number;
  readonly data: number;
  readonly bss: number;
  readonly total: number;
}

/** A group of pieces. */
export interface SizeRow {
  /** The values of the levels from `library` down to the one asked for, without `section` unless that was asked for. */
  readonly path: readonly string[];
  readonly text: number;
  readonly data: number;
  readonly bss: number;
  readonly size: number;
}

/** A node of the tree that a treemap draws. */
export interface SizeNode {
  readonly name: string;
  readonly size: number;
  /** Largest first; empty for leaves. */
  readonly children: readonly SizeNode[];
}

/** A group in two builds. */
export interface SizeChange {
  readonly path: readonly string[];
  /** Bytes; 0 where the group is absent. */
  readonly before: number;
  readonly after: number;
}

/** Which levels make up the path of a row: a symbol is named by library, object and itself; a section by itself alone. */
const PATHS: Readonly<Record<SizeLevel, readonly SizeLevel[]>> = {
  library: ['library'],
  object: ['library', 'object'],
  section: ['section'],
  symbol: ['library', 'object', 'symbol'],
};

/** Sums over all loaded sections. */
export function sizeTotals(report: SizeReport): SizeTotals {
  const sums = { text: 0, data: 0, bss: 0 };
  for (const s of report.sections) sums[s.kind] += s.size;
  return { ...sums, total: sums.text + sums.data + sums.bss };
}

/** Groups of one level, largest first. */
export function groupSizes(report: SizeReport, level: SizeLevel): SizeRow[] {
  const kinds = new Map(report.sections.map((s) => [s.name, s.kind]));
  const rows = new Map<string, { path: string[]; text: number; data: number; bss: number }>();
  for (const piece of report.pieces) {
    const path = PATHS[level].map((l) => piece[l]);
    const key = path.join('\0');
    let row = rows.get(key);
    if (!row) rows.set(key, (row = { path, text: 0, data: 0, bss: 0 }));
    row[kinds.get(piece.section) ?? 'text'] += piece.size;
  }
  return [...rows.values()]
    .map((r) => ({ ...r, size: r.text + r.data + r.bss }))
    .sort((a, b) => b.size - a.size || compare(a.path, b.path));
}

/** The image as a tree by the levels given, largest first on each. */
export function sizeTree(report: SizeReport, levels: readonly SizeLevel[] = ['library', 'object', 'symbol']): SizeNode {
  const build = (name: string, pieces: readonly SizePiece[], depth: number): SizeNode => {
    const size = pieces.reduce((sum, p) => sum + p.size, 0);
    const level = levels[depth];
    if (level === undefined) return { name, size, children: [] };
    const groups = new Map<string, SizePiece[]>();
    for (const piece of pieces) {
      const list = groups.get(piece[level]);
      if (list) list.push(piece);
      else groups.set(piece[level], [piece]);
    }
    const children = [...groups].map(([key, list]) => build(key, list, depth + 1));
    return { name, size, children: children.sort((a, b) => b.size - a.size || (a.name < b.name ? -1 : 1)) };
  };
  return build(report.name, report.pieces, 0);
}

/** What differs between two builds, the largest change first; groups of equal size are left out. */
export function diffSizes(before: SizeReport, after: SizeReport, level: SizeLevel): SizeChange[] {
  const changes = new Map<string, { path: readonly string[]; before: number; after: number }>();
  const add = (report: SizeReport, side: 'before' | 'after'): void => {
    for (const { path, size } of groupSizes(report, level)) {
      const key = path.join('\0');
      let change = changes.get(key);
      if (!change) changes.set(key, (change = { path, before: 0, after: 0 }));
      change[side] += size;
    }
  };
  add(before, 'before');
  add(after, 'after');
  return [...changes.values()]
    .filter((c) => c.before !== c.after)
    .sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before) || compare(a.path, b.path));
}

function compare(a: readonly string[], b: readonly string[]): number {
  const [x, y] = [a.join('\0'), b.join('\0')];
  return x < y ? -1 : x > y ? 1 : 0;
}
