/** Answers where things are: hover, definitions, references, rename, symbols, links. */
import {
  DocumentHighlightKind,
  ErrorCodes,
  ResponseError,
  SymbolKind,
  type DocumentHighlight,
  type DocumentLink,
  type DocumentSymbol,
  type Hover,
  type Location,
  type Position,
  type Range,
  type SymbolInformation,
  type TextEdit,
  type WorkspaceEdit,
} from 'vscode-languageserver';
import { outlineDotConfig } from '../kconfig/features/dotconfig';
import { hoverKconfig, symbolMarkdown } from '../kconfig/features/hover';
import { mentionsIn } from '../kconfig/features/mentions';
import { definitionKconfig, definitionsOf, sourceLinks } from '../kconfig/features/navigate';
import { outlineOf, type OutlineEntry } from '../kconfig/features/outline';
import { nodePlace, promptOf, type Place } from '../kconfig/features/view';
import { hover as kraftHover, layersText } from '../kraftfile/hover';
import { documentSymbol, Locator, rangeOf } from './convert';
import { outlineKraftfile, outlineMakefile } from './outlines';
import { bareName, optionIn, placesOf, refusal } from './names';
import { type IsCancelled } from './search';
import { nameOf, uriOfPath } from './uri';
import { type OpenDocument, type Workspace } from './workspace';

const mostWorkspaceSymbols = 300;

/** Scheme of files that exist only inside the engine, which the extension shows. */
export const generatedScheme = 'unikernel-generated';

export class Navigation {
  /** The client can show generated files. */
  showsGenerated = false;

  constructor(private readonly workspace: Workspace) {}

  hover(document: OpenDocument, position: Position): Hover | undefined {
    const { workspace } = this;
    const offset = document.source.offsetAt(position);
    const link = (path: string, line: number): string => `${workspace.uriOf(path)}#L${line}`;
    const markdown = (value: string, range: Range): Hover => ({ contents: { kind: 'markdown', value }, range });
    if (document.language === 'kraftfile') {
      const { kraftfile, context } = workspace.kraftfileFor(document);
      const option = optionIn(workspace, document, offset);
      if (option) {
        const layers = layersText(kraftfile, option.symbol.label, context);
        const all = [symbolMarkdown(option.view, option.symbol, link), ...(layers === '' ? [] : [layers])].join('\n\n---\n\n');
        return markdown(all, rangeOf(document.source, option));
      }
      const found = kraftHover(kraftfile, offset, context);
      if (found) return markdown(found.markdown, rangeOf(document.source, found));
    }
    if (document.language === 'kconfig') {
      const view = workspace.viewFor(document);
      const found = hoverKconfig(view, document.path, workspace.syntaxFor(document, view), offset, link);
      if (found) return markdown(found.markdown, rangeOf(document.source, found));
    }
    const option = optionIn(workspace, document, offset);
    return option && markdown(symbolMarkdown(option.view, option.symbol, link), rangeOf(document.source, option));
  }

  definition(document: OpenDocument, position: Position): Location[] {
    const { workspace } = this;
    const offset = document.source.offsetAt(position);
    const locator = new Locator(workspace);
    if (document.language === 'kconfig') {
      const view = workspace.viewFor(document);
      return locator.locations(definitionKconfig(view, document.path, workspace.syntaxFor(document, view), offset));
    }
    const option = optionIn(workspace, document, offset);
    return option ? locator.locations(definitionsOf(option.view, option.symbol)) : [];
  }

  async references(document: OpenDocument, position: Position, withDeclaration: boolean, isCancelled: IsCancelled): Promise<Location[]> {
    const option = optionIn(this.workspace, document, document.source.offsetAt(position));
    if (!option) return [];
    return new Locator(this.workspace).locations(await placesOf(this.workspace, option, document.path, withDeclaration, isCancelled));
  }

  /** The same option elsewhere in the document. */
  highlights(document: OpenDocument, position: Position): DocumentHighlight[] {
    const option = optionIn(this.workspace, document, document.source.offsetAt(position));
    if (!option) return [];
    const { symbol, view } = option;
    const spans =
      document.language === 'kconfig'
        ? view.service.tree.queries.references(symbol).filter((one) => view.service.tree.model.files.get(one.file)?.path === document.path)
        : mentionsIn(document.text, view.configuration.prefix, symbol.label);
    return spans.map((span) => ({
      range: rangeOf(document.source, span),
      kind: 'role' in span && span.role === 'definition' ? DocumentHighlightKind.Write : DocumentHighlightKind.Read,
    }));
  }

  prepareRename(document: OpenDocument, position: Position): { range: Range; placeholder: string } | undefined {
    const option = optionIn(this.workspace, document, document.source.offsetAt(position));
    if (!option || option.symbol.isConstant) return undefined;
    const text = document.text.slice(option.start, option.end);
    return text.endsWith(option.symbol.label) ? { range: rangeOf(document.source, option), placeholder: text } : undefined;
  }

  async rename(document: OpenDocument, position: Position, newName: string, isCancelled: IsCancelled): Promise<WorkspaceEdit | undefined> {
    const option = optionIn(this.workspace, document, document.source.offsetAt(position));
    if (!option) return undefined;
    const { prefix } = option.view.configuration;
    const name = bareName(newName, prefix);
    const refused = refusal(option, name);
    if (refused !== undefined) throw new ResponseError(ErrorCodes.InvalidRequest, refused);
    const locator = new Locator(this.workspace);
    const changes: Record<string, TextEdit[]> = {};
    for (const place of await placesOf(this.workspace, option, document.path, true, isCancelled)) {
      const source = locator.source(place.path);
      const written = source?.text.slice(place.start, place.end);
      if (!source || written === undefined) continue;
      const newText = written.startsWith(prefix) && written !== option.symbol.label ? prefix + name : name;
      (changes[this.workspace.uriOf(place.path)] ??= []).push({ range: rangeOf(source, place), newText });
    }
    return { changes };
  }

  documentSymbols(document: OpenDocument): DocumentSymbol[] {
    const { workspace } = this;
    let entries: readonly OutlineEntry[] = [];
    switch (document.language) {
      case 'kconfig':
        entries = outlineOf(workspace.syntaxFor(document, workspace.viewFor(document)));
        break;
      case 'dotconfig':
        entries = outlineDotConfig(document.text, workspace.viewFor(document).configuration.prefix).entries;
        break;
      case 'kraftfile':
        entries = outlineKraftfile(workspace.kraftfileFor(document).kraftfile);
        break;
      case 'makefile':
        entries = outlineMakefile(document.text);
        break;
      default:
    }
    return entries.map((entry) => documentSymbol(document.source, entry));
  }

  /** Options of all trees whose name or prompt holds each word of the query, or its letters in order; exact beginnings first. */
  workspaceSymbols(query: string): SymbolInformation[] {
    const { workspace } = this;
    const words = query
      .trim()
      .replace(/^CONFIG_/i, '')
      .toLowerCase()
      .split(/\s+/);
    const found = new Map<string, { readonly rank: number; readonly name: string; readonly prompt: string; readonly place: Place }>();
    for (const project of workspace.allProjects()) {
      const view = project.view(undefined);
      for (const symbol of view.service.tree.model.byName.values()) {
        if (!symbol.isDefined || symbol.isConstant) continue;
        const rank = matchRank(words, symbol.label.toLowerCase(), (promptOf(symbol) ?? '').toLowerCase());
        if (rank === undefined) continue;
        for (const node of symbol.nodes) {
          const place = nodePlace(view, node);
          found.set(`${place.start} ${place.path}`, { rank, name: symbol.label, prompt: promptOf(symbol) ?? nameOf(place.path), place });
        }
      }
    }
    const locator = new Locator(workspace);
    return [...found.values()]
      .sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1))
      .slice(0, mostWorkspaceSymbols)
      .flatMap(({ name, prompt, place }) => {
        const location = locator.location(place);
        return location ? [{ name, kind: SymbolKind.Variable, location, containerName: prompt }] : [];
      });
  }

  /** Links of `source` statements, and in Kraftfiles none. */
  links(document: OpenDocument): DocumentLink[] {
    const { workspace } = this;
    if (document.language !== 'kconfig') return [];
    const view = workspace.viewFor(document);
    return sourceLinks(view, document.path, workspace.syntaxFor(document, view)).flatMap(({ files, ...span }) => {
      const [first] = files;
      if (!first || (first.generated && !this.showsGenerated)) return [];
      const target = first.generated ? uriOfPath(first.path).replace(/^file:/, `${generatedScheme}:`) : workspace.uriOf(first.path);
      const tooltip =
        files.length > 1
          ? `${files.length} files; Go to Definition lists them`
          : first.generated
            ? `${first.path} (generated)`
            : first.path;
      return [{ range: rangeOf(document.source, span), target, tooltip }];
    });
  }

  /** The text of a file that the engine made. */
  generated(path: string): string | undefined {
    for (const project of this.workspace.allProjects()) {
      for (const file of project.service.tree.model.files.values()) if (file.path === path) return file.syntax.source.text;
    }
    return undefined;
  }
}

/** How well a name or prompt fits a query, by the word that fits it least; undefined where one does not fit. */
function matchRank(words: readonly string[], name: string, prompt: string): number | undefined {
  let worst = 0;
  for (const word of words) {
    const rank = wordRank(word, name, prompt);
    if (rank === undefined) return undefined;
    if (rank > worst) worst = rank;
  }
  return worst;
}

function wordRank(wanted: string, name: string, prompt: string): number | undefined {
  if (wanted === '') return 3;
  if (name === wanted) return 0;
  if (name.startsWith(wanted)) return 1;
  if (name.includes(wanted)) return 2;
  if (prompt.includes(wanted)) return 3;
  let at = 0;
  for (const char of name) if (char === wanted[at]) at++;
  return at === wanted.length ? 4 : undefined;
}
