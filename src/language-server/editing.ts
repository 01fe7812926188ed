/** Answers that help writing: completion, signatures, formatting, fixes. */
import {
  CodeActionKind,
  type CodeAction,
  type CodeActionContext,
  type CompletionItem,
  type CompletionList,
  type Diagnostic,
  type Position,
  type Range,
  type SignatureHelp,
  type TextEdit,
} from 'vscode-languageserver';
import { completeKconfig } from '../kconfig/features/complete';
import { completeDotConfig } from '../kconfig/features/dotconfig';
import { fixDotConfig, othersIn, planEdits, refactorDotConfig, removeAllRedundant } from '../kconfig/features/dotconfig-check';
import { fixKconfig, type Fix } from '../kconfig/features/fixes';
import { formatKconfig } from '../kconfig/features/format';
import { symbolMarkdown } from '../kconfig/features/hover';
import { signatureAt } from '../kconfig/features/macros';
import { findSymbol, promptOf, type Edit, type Finding, type Item } from '../kconfig/features/view';
import { triText } from '../kconfig/evaluate';
import { SourceText } from '../kconfig/text/source';
import { complete as completeKraftfile } from '../kraftfile/complete';
import { validate } from '../kraftfile/validate';
import { type Checker } from './checker';
import { completionItem, kraftItem, rangeOf, textEdit } from './convert';
import { optionIn } from './names';
import { type OpenDocument, type Workspace } from './workspace';

/** More options than this are not sent at once. */
const mostItems = 2000;

export class Editing {
  constructor(
    private readonly workspace: Workspace,
    private readonly checker: Checker,
  ) {}

  completion(document: OpenDocument, position: Position): CompletionList {
    const { workspace } = this;
    const { source, text, uri, path, language } = document;
    const offset = source.offsetAt(position);
    if (language === 'kraftfile') {
      const { kraftfile: _, context } = workspace.kraftfileFor(document);
      return { isIncomplete: true, items: completeKraftfile(text, offset, context).map((item, index) => kraftItem(source, item, index)) };
    }
    const view = workspace.viewFor(document);
    let items: Item[];
    let complete = true;
    if (language === 'kconfig') {
      const { cwd } = workspace.projectFor(path).plan;
      items = completeKconfig({ view, syntax: workspace.syntaxFor(document, view), offset, files: workspace.files, cwd });
    } else if (language === 'dotconfig') ({ items, complete } = completeDotConfig(view, text, offset));
    else items = this.mentionItems(document, offset);
    if (items.length > mostItems) {
      const word = /\w*$/.exec(text.slice(Math.max(0, offset - 80), offset))![0].toLowerCase();
      items = items.filter((item) => item.kind !== 'symbol' || item.label.toLowerCase().includes(word)).slice(0, mostItems);
      complete = false;
    }
    return { isIncomplete: !complete, items: items.map((item) => completionItem(source, item, uri)) };
  }

  /** Options by their full names, once the prefix is being typed, in C and makefiles. */
  private mentionItems(document: OpenDocument, offset: number): Item[] {
    const view = this.workspace.viewFor(document);
    const { prefix, values } = view.configuration;
    const word = /\w*$/.exec(document.text.slice(Math.max(0, offset - 200), offset))![0];
    if (!word.startsWith(prefix.slice(0, 3))) return [];
    const start = offset - word.length;
    const end = offset + /^\w*/.exec(document.text.slice(offset, offset + 200))![0].length;
    const items: Item[] = [];
    for (const symbol of view.service.tree.model.byName.values()) {
      if (!symbol.isDefined || symbol.isConstant || symbol.isChoice) continue;
      const value = symbol.isBoolean ? triText(values.tri(symbol)) : values.text(symbol);
      const label = prefix + symbol.label;
      items.push({
        label,
        kind: 'symbol',
        insert: label,
        start,
        end,
        rank: 0,
        detail: `${symbol.type} = ${value}  ${promptOf(symbol) ?? ''}`,
        symbol: symbol.label,
      });
    }
    return items;
  }

  /** The description of an item, which is only made for the one that is looked at. */
  resolve(item: CompletionItem): CompletionItem {
    const data = item.data as { readonly uri?: unknown; readonly symbol?: unknown } | undefined;
    const document = typeof data?.uri === 'string' ? this.workspace.documents.get(data.uri) : undefined;
    if (!document || typeof data?.symbol !== 'string') return item;
    const view = this.workspace.viewFor(document);
    const symbol = findSymbol(view, data.symbol);
    return symbol ? { ...item, documentation: { kind: 'markdown', value: symbolMarkdown(view, symbol) } } : item;
  }

  signature(document: OpenDocument, position: Position): SignatureHelp | undefined {
    if (document.language !== 'kconfig') return undefined;
    const view = this.workspace.viewFor(document);
    const found = signatureAt(view, this.workspace.syntaxFor(document, view), document.source.offsetAt(position));
    if (!found) return undefined;
    const parameters = found.parameters.map(({ start, end }) => ({ label: [start, end] as [number, number] }));
    const documentation = { kind: 'markdown' as const, value: found.about };
    return { signatures: [{ label: found.label, documentation, parameters }], activeSignature: 0, activeParameter: found.active };
  }

  format(document: OpenDocument, range?: Range): TextEdit[] {
    if (document.language !== 'kconfig') return [];
    const view = this.workspace.viewFor(document);
    const lines = range && {
      first: range.start.line,
      last: range.end.character === 0 && range.end.line > range.start.line ? range.end.line - 1 : range.end.line,
    };
    return formatKconfig(this.workspace.syntaxFor(document, view), view.service.tree.dialect, lines).map((edit) =>
      textEdit(document.source, edit),
    );
  }

  actions(document: OpenDocument, range: Range, context: CodeActionContext): CodeAction[] {
    const offset = document.source.offsetAt(range.start);
    const end = document.source.offsetAt(range.end);
    const wants = (kind: string): boolean => !context.only || context.only.some((one) => kind === one || kind.startsWith(`${one}.`));
    const actions: CodeAction[] = [];
    const findings = this.checker.findings(document).filter((one) => one.end >= offset && one.start <= end);
    if (wants(CodeActionKind.QuickFix)) {
      for (const fix of this.fixesFor(document, findings)) actions.push(this.action(document, fix, context.diagnostics));
    }
    if (wants(CodeActionKind.Refactor)) {
      for (const fix of this.refactors(document, offset)) actions.push(this.action(document, fix, []));
      actions.push(...this.setInConfig(document, offset));
    }
    return actions;
  }

  private fixesFor(document: OpenDocument, findings: readonly Finding[]): Fix[] {
    const { workspace } = this;
    switch (document.language) {
      case 'kconfig': {
        const view = workspace.viewFor(document);
        const syntax = workspace.syntaxFor(document, view);
        return findings.flatMap((finding) => fixKconfig(view, document.path, syntax, finding));
      }
      case 'dotconfig': {
        const view = workspace.viewFor(document);
        const fixes = findings.flatMap((finding) => fixDotConfig(view, document.text, finding));
        const all = findings.some((one) => one.code === 'config-redundant')
          ? removeAllRedundant(document.text, this.checker.findings(document))
          : undefined;
        return all ? [...fixes, all] : fixes;
      }
      case 'kraftfile': {
        const { kraftfile, context } = workspace.kraftfileFor(document);
        return validate(kraftfile, context).flatMap((diagnostic): Fix[] => {
          const finding = findings.find((one) => one.start === diagnostic.start && one.code === diagnostic.code);
          return finding && diagnostic.fix
            ? [{ title: diagnostic.fix.title, kind: 'quickfix', preferred: true, finding, edits: diagnostic.fix.edits }]
            : [];
        });
      }
      default:
        return [];
    }
  }

  private refactors(document: OpenDocument, offset: number): Fix[] {
    return document.language === 'dotconfig' ? refactorDotConfig(this.workspace.viewFor(document), document.text, offset) : [];
  }

  /** For an option in any file but a .config: switch it in the project's .config, with what it needs. */
  private setInConfig(document: OpenDocument, offset: number): CodeAction[] {
    if (document.language === 'dotconfig' || document.language === 'kraftfile') return [];
    const option = optionIn(this.workspace, document, offset);
    const project = this.workspace.projectFor(document.path);
    const path = project.configPath(this.workspace.configSetting(document.path));
    const text = path === undefined ? undefined : this.workspace.textOf(path);
    if (!option?.symbol.isBoolean || path === undefined || text === undefined || project.plan.partial) return [];
    const { configuration } = option.view;
    const wanted = configuration.values.tri(option.symbol) === 0 ? 'y' : 'n';
    const [plan] = configuration.how(option.symbol, wanted, { plans: 1 }).plans;
    if (!plan || plan.steps.length === 0) return [];
    const source = new SourceText(text);
    const more = othersIn(plan.steps, option.symbol);
    return [
      {
        title: `${wanted === 'y' ? 'Enable' : 'Disable'} ${option.symbol.label} in ${path.slice(path.lastIndexOf('/') + 1)}${more}`,
        kind: CodeActionKind.Refactor,
        edit: {
          changes: {
            [this.workspace.uriOf(path)]: planEdits(text, plan.steps, configuration.prefix).map((edit) => textEdit(source, edit)),
          },
        },
      },
    ];
  }

  private action(document: OpenDocument, fix: Fix, diagnostics: readonly Diagnostic[]): CodeAction {
    const { finding } = fix;
    const range = finding && rangeOf(document.source, finding);
    const mended = diagnostics.filter(
      (one) =>
        range &&
        one.code === finding.code &&
        one.range.start.line === range.start.line &&
        one.range.start.character === range.start.character,
    );
    return {
      title: fix.title,
      kind: fix.kind === 'quickfix' ? CodeActionKind.QuickFix : CodeActionKind.Refactor,
      ...(fix.preferred && { isPreferred: true }),
      ...(mended.length > 0 && { diagnostics: [...mended] }),
      edit: { changes: { [document.uri]: fix.edits.map((edit: Edit) => textEdit(document.source, edit)) } },
    };
  }
}
