/** Sizes of an image without an editor: trees of two builds laid over each other, and what an option adds to an image. */
import { configurePool } from '../pool/configuration';
import { type Library } from '../pool/library';
import { groupSizes, sizeTotals, sizeTree, type SizeNode, type SizeReport } from '../build/sizes/model';
import { type SizeItem, type SizesReport } from '../shared/sizes-view';
import { type Files } from '../shared/files';
import { type PoolModel } from './pool-model';

/** What the page shows of an image, alone or against another build. */
export function sizesReport(
  report: SizeReport,
  image: string,
  other?: { readonly report: SizeReport; readonly image: string },
): SizesReport {
  const tree = (levels: Parameters<typeof sizeTree>[1]): SizeItem =>
    other ? overlay(sizeTree(other.report, levels), sizeTree(report, levels)) : sizeTree(report, levels);
  return {
    image,
    totals: sizeTotals(report),
    ...(other && { other: { image: other.image, totals: sizeTotals(other.report) } }),
    byLibrary: tree(['library', 'object', 'symbol']),
    bySection: tree(['section', 'library', 'symbol']),
  };
}

/** Two trees as one: every group of either, with its size in both; the largest of the later build first. */
export function overlay(before: SizeNode | undefined, after: SizeNode | undefined): SizeItem {
  const counterpart = counterparts(before?.children ?? [], after?.children ?? []);
  const children = (after?.children ?? []).map((child) => overlay(counterpart.get(child), child));
  const met = new Set(counterpart.values());
  const gone = (before?.children ?? []).filter((child) => !met.has(child)).map((child) => overlay(child, undefined));
  return {
    name: (after ?? before)?.name ?? '',
    size: after?.size ?? 0,
    before: before?.size ?? 0,
    children: [...children, ...gone].sort((a, b) => b.size - a.size || (b.before ?? 0) - (a.before ?? 0)),
  };
}

/**
 * For each later group the one of the same name, or else of the same source file: an image whose link map is at hand names objects (`traps.c.isr.o`), one
 * alone the sources that its DWARF knows (`plat/pc/traps.c`).
 */
function counterparts(before: readonly SizeNode[], after: readonly SizeNode[]): ReadonlyMap<SizeNode, SizeNode> {
  const found = new Map<SizeNode, SizeNode>();
  const named = new Map(before.map((child) => [child.name, child]));
  for (const child of after) {
    const same = named.get(child.name);
    if (same !== undefined) found.set(child, same);
  }
  const met = new Set(found.values());
  const bySource = new Map(before.filter((child) => !met.has(child)).map((child) => [sourceOf(child.name), child]));
  for (const child of after) {
    const source = sourceOf(child.name);
    const same = found.has(child) || source === undefined ? undefined : bySource.get(source);
    if (same === undefined) continue;
    found.set(child, same);
    bySource.delete(source);
  }
  return found;
}

/** The source's file name in the name of an object or of a source, or undefined for names of neither. */
function sourceOf(name: string): string | undefined {
  return /(?:^|\/)([^/]+?\.(?:c|cc|cpp|cxx|S|s|rs|go))(?:\.[a-z]+)*$/.exec(name)?.[1];
}

/** Bytes of each library in an image, by make's name. */
export function librarySizes(report: SizeReport): ReadonlyMap<string, number> {
  return new Map(groupSizes(report, 'library').map(({ path, size }) => [path[0]!, size]));
}

/** What an option adds to the image. */
export interface OptionCost {
  readonly bytes: number;
  /** The libraries that would leave the image without it, largest first. */
  readonly libraries: readonly { readonly library: Library; readonly bytes: number }[];
}

/**
 * What would leave the image if an option that is on were off: the libraries that it alone brings in, at their size in the last build.
 * Undefined where it is off, brings in no library of its own, or nothing was built: then only two builds can tell.
 */
export function optionCost(files: Files, model: PoolModel, sizes: ReadonlyMap<string, number>, symbol: string): OptionCost | undefined {
  if (model.value(symbol) !== 'y' || !model.configured) return undefined;
  const line = new RegExp(`^CONFIG_${symbol}=.*$`, 'm');
  const text = model.configText.replace(line, `# CONFIG_${symbol} is not set`);
  const without = model.service.openConfiguration(text);
  const off = new Set(configurePool(files, model.project.tree, without.dotConfig()).enabled);
  const gone = model.configured.enabled.filter((name) => !off.has(name));
  const libraries = gone.flatMap((name) => {
    const library = model.catalogue.find(name);
    const bytes = sizes.get(name);
    return library && bytes !== undefined ? [{ library, bytes }] : [];
  });
  if (libraries.length === 0) return undefined;
  libraries.sort((a, b) => b.bytes - a.bytes);
  return { bytes: libraries.reduce((sum, { bytes }) => sum + bytes, 0), libraries };
}
