/** Between the features' plain data and the protocol's types. */
import {
  CompletionItemKind,
  DiagnosticSeverity,
  DiagnosticTag,
  InsertTextFormat,
  SymbolKind,
  type CompletionItem,
  type Diagnostic,
  type DocumentSymbol,
  type Location,
  type Range,
  type TextEdit,
} from 'vscode-languageserver';
import { type OutlineEntry, type OutlineKind } from '../kconfig/features/outline';
import { type Edit, type Finding, type Item, type ItemKind, type Place, type Span } from '../kconfig/features/view';
import { type CompletionItem as KraftItem, type CompletionKind } from '../kraftfile/complete';
import { SourceText } from '../kconfig/text/source';
import { type Workspace } from './workspace';

export function rangeOf(source: SourceText, { start, end }: Span): Range {
  return { start: source.positionAt(start), end: source.positionAt(end) };
}

export function textEdit(source: SourceText, edit: Edit): TextEdit {
  return { range: rangeOf(source, edit), newText: edit.text };
}

/** Turns places into locations, reading each file once. */
export class Locator {
  private readonly sources = new Map<string, SourceText | undefined>();

  constructor(private readonly workspace: Workspace) {}

  source(path: string): SourceText | undefined {
    if (!this.sources.has(path)) {
      const text = this.workspace.textOf(path);
      this.sources.set(path, text === undefined ? undefined : new SourceText(text));
    }
    return this.sources.get(path);
  }

  location(place: Place): Location | undefined {
    const source = this.source(place.path);
    return source && { uri: this.workspace.uriOf(place.path), range: rangeOf(source, place) };
  }

  locations(places: readonly Place[]): Location[] {
    return places.flatMap((place) => this.location(place) ?? []);
  }
}

const itemKinds: Readonly<Record<ItemKind, CompletionItemKind>> = {
  keyword: CompletionItemKind.Keyword,
  symbol: CompletionItemKind.Variable,
  value: CompletionItemKind.Value,
  macro: CompletionItemKind.Function,
  file: CompletionItemKind.File,
  folder: CompletionItemKind.Folder,
  operator: CompletionItemKind.Operator,
};

export function completionItem(source: SourceText, item: Item, uri: string): CompletionItem {
  return {
    label: item.label,
    kind: itemKinds[item.kind],
    textEdit: { range: rangeOf(source, item), newText: item.insert },
    sortText: `${String(item.rank).padStart(4, '0')}${item.label}`,
    ...(item.snippet && { insertTextFormat: InsertTextFormat.Snippet }),
    ...(item.detail !== undefined && { detail: item.detail }),
    ...(item.documentation !== undefined && { documentation: { kind: 'markdown' as const, value: item.documentation } }),
    ...(item.filter !== undefined && { filterText: item.filter }),
    ...(item.symbol !== undefined && { data: { uri, symbol: item.symbol } }),
    ...(item.again && { command: { title: '', command: 'editor.action.triggerSuggest' } }),
  };
}

const kraftKinds: Readonly<Record<CompletionKind, CompletionItemKind>> = {
  key: CompletionItemKind.Property,
  value: CompletionItemKind.Value,
  library: CompletionItemKind.Module,
  version: CompletionItemKind.Constant,
  option: CompletionItemKind.Variable,
};

export function kraftItem(source: SourceText, item: KraftItem, index: number): CompletionItem {
  return {
    label: item.label,
    kind: kraftKinds[item.kind],
    textEdit: { range: rangeOf(source, item), newText: item.insert },
    sortText: String(index).padStart(5, '0'),
    ...(item.detail !== undefined && { detail: item.detail }),
    ...(item.documentation !== undefined && { documentation: { kind: 'markdown' as const, value: item.documentation } }),
  };
}

const severities: Readonly<Record<Finding['severity'], DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
  hint: DiagnosticSeverity.Hint,
};

export function diagnosticOf(source: SourceText, finding: Finding, locator: Locator): Diagnostic {
  const related = (finding.related ?? []).flatMap(({ place, message }) => {
    const location = locator.location(place);
    return location ? [{ location, message }] : [];
  });
  return {
    range: rangeOf(source, finding),
    severity: severities[finding.severity],
    code: finding.code,
    source: 'unikernel',
    message: finding.message,
    ...(finding.unnecessary && { tags: [DiagnosticTag.Unnecessary] }),
    ...(related.length > 0 && { relatedInformation: related }),
  };
}

const outlineKinds: Readonly<Record<OutlineKind, SymbolKind>> = {
  menu: SymbolKind.Namespace,
  choice: SymbolKind.Enum,
  if: SymbolKind.Object,
  comment: SymbolKind.String,
  bool: SymbolKind.Boolean,
  number: SymbolKind.Number,
  string: SymbolKind.String,
  option: SymbolKind.Variable,
  heading: SymbolKind.Namespace,
  assignment: SymbolKind.Variable,
};

export function documentSymbol(source: SourceText, entry: OutlineEntry): DocumentSymbol {
  const range = rangeOf(source, entry);
  return {
    name: entry.name,
    detail: entry.detail,
    kind: outlineKinds[entry.kind],
    range,
    selectionRange: rangeOf(source, { start: entry.nameStart, end: Math.min(entry.nameEnd, entry.end) }),
    children: entry.children.map((child) => documentSymbol(source, child)),
  };
}
