/** Goes from a name to its definitions and uses, and from `source` to the files it reads. */
import { type FileSyntax } from '../ast';
import { type KSymbol, type ModelFile } from '../model';
import { macroCallAt, macrosOf } from './macros';
import { filesAt, nodePlace, pathOf, type KconfigView, type Place } from './view';

/** The symbol whose name stands at an offset of a Kconfig file. */
export function symbolAt(
  view: KconfigView,
  path: string,
  offset: number,
): { readonly symbol: KSymbol; readonly start: number; readonly end: number } | undefined {
  for (const file of filesAt(view, path)) {
    const reference = view.service.tree.queries.referenceAt(file.name, offset);
    // What a macro stands for is not written here.
    if (reference && !file.syntax.source.text.slice(reference.start, reference.end).includes('$(')) return reference;
  }
  return undefined;
}

/** The places that define a symbol; each once. */
export function definitionsOf(view: KconfigView, symbol: KSymbol): Place[] {
  return unique(symbol.nodes.map((node) => nodePlace(view, node)));
}

/** Definitions for an offset of a Kconfig file: of a symbol, a macro, or the files of a `source`. */
export function definitionKconfig(view: KconfigView, path: string, syntax: FileSyntax, offset: number): Place[] {
  const symbol = symbolAt(view, path, offset)?.symbol;
  if (symbol) return definitionsOf(view, symbol);
  const macro = macroCallAt(syntax, offset + 1) ?? macroCallAt(syntax, offset);
  if (macro && offset >= macro.span.start && offset <= macro.span.end) {
    const places = macrosOf(view.service.tree.model).filter((one) => one.name === macro.name);
    if (places.length > 0) return unique(places.map(({ path: file, start, end }) => ({ path: file, start, end })));
  }
  const source = syntax.statements.find((one) => one.kind === 'source' && offset >= one.start && offset <= one.end);
  if (!source) return [];
  return unique(
    includedBy(view, path, source.start)
      .flatMap((file) => onDisk(view, file))
      .map((file) => ({ path: file.path, start: 0, end: 0 })),
  );
}

/** The files that the `source` at an offset reads. */
export function includedBy(view: KconfigView, path: string, start: number): ModelFile[] {
  const { model } = view.service.tree;
  const names = new Set(filesAt(view, path).map((file) => file.name));
  const found = model.inclusions.filter((one) => names.has(one.file) && one.statement.start === start).flatMap((one) => one.found);
  return [...new Set(found)].flatMap((name) => model.files.get(name) ?? []);
}

/** A file, or where it is generated and stands nowhere, the files that it reads. */
function onDisk(view: KconfigView, file: ModelFile): ModelFile[] {
  if (!file.generated) return [file];
  const { model } = view.service.tree;
  return model.inclusions
    .filter((one) => one.file === file.name)
    .flatMap((one) => one.found.flatMap((name) => model.files.get(name) ?? []));
}

/** Every place in the tree's Kconfig files where the symbol's name is written in full. */
export function referencesOf(view: KconfigView, symbol: KSymbol, withDefinitions: boolean): Place[] {
  const { model, queries } = view.service.tree;
  const places: Place[] = [];
  for (const { file, start, end, role } of queries.references(symbol)) {
    if (role === 'definition' && !withDefinitions) continue;
    const known = model.files.get(file);
    // A name that a macro made is nowhere written.
    if (!known || known.generated || known.syntax.source.text.slice(start, end) !== symbol.label) continue;
    places.push({ path: known.path, start, end });
  }
  return unique(places);
}

/** A link of a `source` statement. */
export interface SourceLink {
  readonly start: number;
  readonly end: number;
  readonly files: readonly { readonly path: string; readonly generated: boolean }[];
}

/** The `source` statements of a file with what they read. */
export function sourceLinks(view: KconfigView, path: string, syntax: FileSyntax): SourceLink[] {
  const links: SourceLink[] = [];
  for (const statement of syntax.statements) {
    if (statement.kind !== 'source') continue;
    const { start, end, kind } = statement.path;
    const inner = kind === 'quoted' ? 1 : 0;
    const files = includedBy(view, path, statement.start).map((file) => ({ path: file.path, generated: file.generated }));
    if (files.length > 0) links.push({ start: start + inner, end: end - inner, files });
  }
  return links;
}

/** Why a symbol cannot get a name, or undefined where it can. */
export function refuseName(view: KconfigView, symbol: KSymbol, name: string, keywords: ReadonlyMap<string, string>): string | undefined {
  if (!/^[A-Za-z0-9_]+$/.test(name)) return `“${name}” is no name for an option: letters, digits and underscores are allowed.`;
  if (/^\d+$/.test(name) || /^[ynm]$/.test(name)) return `“${name}” is a value, not a name.`;
  if (keywords.has(name)) return `“${name}” is a word of the language.`;
  const other = view.service.tree.model.byName.get(name);
  if (other && other !== symbol && other.isDefined) {
    const node = other.nodes[0]!;
    return `There is an option ${name} already: ${pathOf(view, node.file)}:${node.line}.`;
  }
  return undefined;
}

function unique(places: readonly Place[]): Place[] {
  const seen = new Set<string>();
  return places.filter(({ path, start }) => {
    const key = `${start} ${path}`;
    return !seen.has(key) && seen.add(key);
  });
}
