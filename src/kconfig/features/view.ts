/** What the language features are given, and the plain data they answer with: offsets and paths, no editor's types. */
import { type Configuration } from '../configuration';
import { type KSymbol, type MenuNode, type ModelFile } from '../model';
import { type KconfigService } from '../service';
import { type Span } from '../text/source';

export { type Span } from '../text/source';

/** One tree with one configuration. */
export interface KconfigView {
  readonly service: KconfigService;
  readonly configuration: Configuration;
  /** Only a part of the tree is known, so that names which nothing defines are not judged. */
  readonly partial: boolean;
}

/** A place in a file, by its path on disk. */
export interface Place extends Span {
  readonly path: string;
}

/** A change of one text. */
export interface Edit extends Span {
  readonly text: string;
}

/** Gives the address of a line (from 1) of a file, for links in Markdown. */
export type LinkTo = (path: string, line: number) => string;

/** What a completion item stands for. */
export type ItemKind = 'keyword' | 'symbol' | 'value' | 'macro' | 'file' | 'folder' | 'operator';

/** One thing that may be written. */
export interface Item {
  readonly label: string;
  readonly kind: ItemKind;
  /** Put in place of `start`..`end`. */
  readonly insert: string;
  /** `insert` is a snippet with `$1`, `$0`. */
  readonly snippet?: boolean;
  readonly start: number;
  readonly end: number;
  readonly detail?: string;
  /** Markdown. */
  readonly documentation?: string;
  /** Smaller comes first; equal ones by label. */
  readonly rank: number;
  /** What is typed is matched against this where it is not the label. */
  readonly filter?: string;
  /** Name of the symbol whose description may be asked for later. */
  readonly symbol?: string;
  /** Ask for items again after accepting this one. */
  readonly again?: boolean;
}

/** A message about a span of one text. */
export interface Finding extends Span {
  readonly code: string;
  readonly severity: 'error' | 'warning' | 'information' | 'hint';
  readonly message: string;
  /** Shown faded: it has no effect. */
  readonly unnecessary?: boolean;
  readonly suggestion?: string;
  readonly related?: readonly { readonly place: Place; readonly message: string }[];
  /** A symbol and the value that it should have, for plans. */
  readonly wanted?: { readonly symbol: string; readonly value: string };
}

/** The names under which the model read a file on disk. */
export function filesAt(view: KconfigView, path: string): readonly ModelFile[] {
  return view.service.tree.queries.filesAt(path);
}

/** The path on disk of a file by the model's name for it. */
export function pathOf(view: KconfigView, file: string): string {
  return view.service.tree.model.files.get(file)?.path ?? file;
}

/** The defined symbol of a name with or without the prefix of .config. */
export function findSymbol(view: KconfigView, name: string): KSymbol | undefined {
  const { byName } = view.service.tree.model;
  const { prefix } = view.configuration;
  return byName.get(name) ?? (name.startsWith(prefix) ? byName.get(name.slice(prefix.length)) : undefined);
}

/** The prompt of a symbol, the first where there are several. */
export function promptOf(symbol: KSymbol): string | undefined {
  return symbol.prompts[0]?.text;
}

/** Where a menu entry's name, or its title, is written. */
export function nodePlace(view: KconfigView, node: MenuNode): Place {
  const path = pathOf(view, node.file);
  const { statement } = node;
  if (statement && (statement.kind === 'config' || statement.kind === 'menuconfig'))
    return { path, start: statement.name.start, end: statement.name.end };
  return { path, start: statement?.start ?? 0, end: statement?.end ?? 0 };
}

/** The words of a file's line (from 1), without the blanks around them. */
export function lineSpan(text: string, line: number): Span {
  let start = 0;
  for (let at = 1; at < line; at++) {
    const next = text.indexOf('\n', start);
    if (next < 0) break;
    start = next + 1;
  }
  let end = text.indexOf('\n', start);
  if (end < 0) end = text.length;
  while (start < end && /\s/.test(text[start]!)) start++;
  while (end > start && /\s/.test(text[end - 1]!)) end--;
  return { start, end };
}
