/** Answers on how a document looks: folding, colours, values between the lines. */
import {
  FoldingRangeKind,
  InlayHintKind,
  type CodeLens,
  type FoldingRange,
  type InlayHint,
  type Range,
  type SemanticTokens,
} from 'vscode-languageserver';
import { hintsDotConfig, outlineDotConfig, tokensDotConfig } from '../kconfig/features/dotconfig';
import { symbolMarkdown } from '../kconfig/features/hover';
import { foldsOf } from '../kconfig/features/outline';
import { encodeTokens, tokensKconfig } from '../kconfig/features/tokens';
import { hintsKconfig, lensesKconfig, type ValueHint } from '../kconfig/features/values';
import { findSymbol } from '../kconfig/features/view';
import { rangeOf } from './convert';
import { placesOf } from './names';
import { foldsMakefile } from './outlines';
import { type IsCancelled } from './search';
import { type OpenDocument, type Workspace } from './workspace';

interface LensData {
  readonly uri: string;
  readonly symbol: string;
}

export class Presentation {
  /** The client knows the commands that lenses run. */
  hasCommands = false;

  constructor(private readonly workspace: Workspace) {}

  folding(document: OpenDocument): FoldingRange[] {
    const { workspace } = this;
    const folds =
      document.language === 'kconfig'
        ? foldsOf(workspace.syntaxFor(document, workspace.viewFor(document)))
        : document.language === 'dotconfig'
          ? outlineDotConfig(document.text, workspace.viewFor(document).configuration.prefix).folds
          : document.language === 'makefile'
            ? foldsMakefile(document.text)
            : [];
    return folds.map(({ startLine, endLine, comment }) => ({ startLine, endLine, ...(comment && { kind: FoldingRangeKind.Comment }) }));
  }

  tokens(document: OpenDocument): SemanticTokens {
    const { workspace } = this;
    const view = workspace.viewFor(document);
    const tokens =
      document.language === 'kconfig'
        ? tokensKconfig(view, document.path, workspace.syntaxFor(document, view))
        : document.language === 'dotconfig'
          ? tokensDotConfig(view, document.text)
          : [];
    return { data: encodeTokens(tokens, (offset) => document.source.positionAt(offset)) };
  }

  hints(document: OpenDocument, range: Range): InlayHint[] {
    const { workspace } = this;
    if (!workspace.settings.inlayHints) return [];
    const [from, to] = [document.source.offsetAt(range.start), document.source.offsetAt(range.end)];
    const view = workspace.viewFor(document);
    const hints: readonly ValueHint[] =
      document.language === 'kconfig'
        ? hintsKconfig(view, document.path, workspace.syntaxFor(document, view), from, to)
        : document.language === 'dotconfig'
          ? hintsDotConfig(view, document.text, from, to)
          : [];
    return hints.map(({ at, label, symbol }) => ({
      position: document.source.positionAt(at),
      label,
      kind: InlayHintKind.Type,
      paddingLeft: true,
      ...(symbol !== undefined && { data: { uri: document.uri, symbol } }),
    }));
  }

  /** The proof behind a hint. */
  resolveHint(hint: InlayHint): InlayHint {
    const data = hint.data as LensData | undefined;
    const document = data && this.workspace.documents.get(data.uri);
    if (!document) return hint;
    const view = this.workspace.viewFor(document);
    const symbol = findSymbol(view, data.symbol);
    return symbol ? { ...hint, tooltip: { kind: 'markdown', value: symbolMarkdown(view, symbol) } } : hint;
  }

  lenses(document: OpenDocument): CodeLens[] {
    const { workspace } = this;
    if (!workspace.settings.codeLens || document.language !== 'kconfig') return [];
    const view = workspace.viewFor(document);
    return lensesKconfig(view, document.path, workspace.syntaxFor(document, view)).map(({ title, kind, symbol, ...span }) => {
      const range = rangeOf(document.source, span);
      if (kind === 'references') return { range, data: { uri: document.uri, symbol } };
      const command = this.hasCommands ? 'unikernel.kconfig.explain' : '';
      return { range, command: { title, command, ...(command !== '' && { arguments: [document.uri, range.start] }) } };
    });
  }

  /** The number of uses in all languages, counted when the lens is seen. */
  async resolveLens(lens: CodeLens, isCancelled: IsCancelled): Promise<CodeLens> {
    const data = lens.data as LensData | undefined;
    const document = data && this.workspace.documents.get(data.uri);
    const view = document && this.workspace.viewFor(document);
    const symbol = view && findSymbol(view, data.symbol);
    if (!symbol) return lens;
    const places = await placesOf(this.workspace, { symbol, view, start: 0, end: 0 }, document.path, false, isCancelled);
    const command = this.hasCommands ? 'unikernel.kconfig.references' : '';
    const title = places.length === 1 ? '1 use' : `${places.length} uses`;
    return { range: lens.range, command: { title, command, ...(command !== '' && { arguments: [document.uri, lens.range.start] }) } };
  }
}
