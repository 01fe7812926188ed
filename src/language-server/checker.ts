/** Findings of documents: made when something changes, a little later, for what is open or for whole trees. */
import { type Diagnostic } from 'vscode-languageserver';
import { checkKconfig, filesWithDiagnostics } from '../kconfig/features/check';
import { checkDotConfig } from '../kconfig/features/dotconfig-check';
import { type Finding } from '../kconfig/features/view';
import { validate } from '../kraftfile/validate';
import { isInside } from '../pool/tree';
import { SourceText } from '../kconfig/text/source';
import { diagnosticOf, Locator } from './convert';
import { isWholeConfig } from './kinds';
import { type OpenDocument, type Workspace } from './workspace';

/** Milliseconds of rest after a change before anything is computed. */
const rest = 150;

/** Sends a file's diagnostics. */
export type Publish = (uri: string, version: number | undefined, diagnostics: Diagnostic[]) => void;

export class Checker {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly published = new Map<string, string>();

  constructor(
    private readonly workspace: Workspace,
    private readonly publish: Publish,
    private readonly report: (error: unknown) => void,
  ) {}

  /** Something changed. */
  schedule(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.run(), rest);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /** All findings of an open document. */
  findings(document: OpenDocument): Finding[] {
    const { workspace } = this;
    switch (document.language) {
      case 'kconfig':
        return checkKconfig(workspace.viewFor(document), document.path, workspace.projectFor(document.path).diagnostics());
      case 'dotconfig':
        return checkDotConfig(workspace.viewFor(document), document.text, {
          whole: isWholeConfig(document.path, document.text),
          provider: (symbol) => workspace.providerOf(symbol),
        });
      case 'kraftfile': {
        const { kraftfile, context } = workspace.kraftfileFor(document);
        return validate(kraftfile, context).map(({ code, severity, message, start, end }) => ({ code, severity, message, start, end }));
      }
      default:
        return [];
    }
  }

  private run(): void {
    const fresh = new Set<string>();
    const locator = new Locator(this.workspace);
    const send = (uri: string, version: number | undefined, source: SourceText, findings: readonly Finding[]): void => {
      fresh.add(uri);
      const diagnostics = findings.map((finding) => diagnosticOf(source, finding, locator));
      const text = JSON.stringify([version, diagnostics]);
      if (this.published.get(uri) === text) return;
      this.published.set(uri, text);
      this.publish(uri, version, diagnostics);
    };
    for (const document of this.workspace.documents.values()) {
      if (document.language === 'code' || document.language === 'other' || document.language === 'makefile') continue;
      try {
        send(document.uri, document.version, document.source, this.findings(document));
      } catch (error) {
        this.report(error);
      }
    }
    if (this.workspace.settings.diagnostics === 'workspace') this.runWorkspace(fresh, send);
    for (const uri of this.published.keys()) {
      if (fresh.has(uri)) continue;
      this.published.delete(uri);
      this.publish(uri, undefined, []);
    }
  }

  /** Kconfig files that are not open, as far as they lie in the workspace. */
  private runWorkspace(
    fresh: ReadonlySet<string>,
    send: (uri: string, version: undefined, source: SourceText, findings: readonly Finding[]) => void,
  ): void {
    const { workspace } = this;
    for (const project of workspace.allProjects()) {
      if (project.plan.partial) continue;
      const view = project.view(undefined);
      const diagnostics = project.diagnostics();
      for (const path of filesWithDiagnostics(view, diagnostics)) {
        const uri = workspace.uriOf(path);
        const text = fresh.has(uri) || !workspace.folders.some((folder) => isInside(path, folder)) ? undefined : workspace.textOf(path);
        if (text === undefined) continue;
        try {
          send(uri, undefined, new SourceText(text), checkKconfig(view, path, diagnostics));
        } catch (error) {
          this.report(error);
        }
      }
    }
  }
}
