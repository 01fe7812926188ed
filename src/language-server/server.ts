/** The language server: takes a connection and a host, and answers requests. Nothing it is sent makes it fail. */
import {
  CodeActionKind,
  CodeActionRequest,
  CodeLensRequest,
  CompletionRequest,
  DefinitionRequest,
  DidChangeConfigurationNotification,
  DidChangeWatchedFilesNotification,
  DocumentFormattingRequest,
  DocumentHighlightRequest,
  DocumentLinkRequest,
  DocumentRangeFormattingRequest,
  DocumentSymbolRequest,
  FoldingRangeRequest,
  HoverRequest,
  InlayHintRequest,
  LSPErrorCodes,
  ReferencesRequest,
  RenameRequest,
  ResponseError,
  SemanticTokensRegistrationType,
  SignatureHelpRequest,
  TextDocumentSyncKind,
  type CancellationToken,
  type ClientCapabilities,
  type Connection,
  type InitializeParams,
  type InitializeResult,
  type ServerCapabilities,
} from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { tokenModifiers, tokenTypes } from '../kconfig/features/tokens';
import { Checker } from './checker';
import { Editing } from './editing';
import { Navigation } from './navigation';
import { Presentation } from './presentation';
import { allFiles, configurationFiles, kconfigFiles, makefiles, watchedFiles, withMakefiles, withKraftfiles } from './selectors';
import { readSettings, readStartOptions } from './settings';
import { pathOfUri } from './uri';
import { Workspace, type Host, type OpenDocument } from './workspace';

const legend = { tokenTypes: [...tokenTypes], tokenModifiers: [...tokenModifiers] };
const triggerCharacters = ['$', '(', '"', '/', '=', '_', ' ', ':'];

/** Serves a connection until it ends. */
export function startServer(connection: Connection, host: Host): void {
  new LanguageServer(connection, host).start();
}

class LanguageServer {
  private readonly workspace: Workspace;
  private readonly checker: Checker;
  private readonly navigation: Navigation;
  private readonly editing: Editing;
  private readonly presentation: Presentation;
  private readonly documents = new Map<string, TextDocument>();
  private client: ClientCapabilities = {};

  constructor(
    private readonly connection: Connection,
    host: Host,
  ) {
    this.workspace = new Workspace(host);
    const publish = (
      uri: string,
      version: number | undefined,
      diagnostics: Parameters<Connection['sendDiagnostics']>[0]['diagnostics'],
    ): void => void connection.sendDiagnostics({ uri, diagnostics, ...(version !== undefined && { version }) });
    this.checker = new Checker(this.workspace, publish, (error) => this.log(error));
    this.navigation = new Navigation(this.workspace);
    this.editing = new Editing(this.workspace, this.checker);
    this.presentation = new Presentation(this.workspace);
  }

  start(): void {
    const { connection } = this;
    connection.onInitialize((params) => this.initialize(params));
    connection.onInitialized(() => void this.initialized().catch((error: unknown) => this.log(error)));
    connection.onShutdown(() => this.checker.stop());
    this.synchronize();
    this.answer();
    connection.listen();
  }

  private log(error: unknown): void {
    this.connection.console.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }

  // Start

  private initialize(params: InitializeParams): InitializeResult {
    const options = readStartOptions(params.initializationOptions);
    const { workspace } = this;
    this.client = params.capabilities;
    workspace.trusted = options.trusted;
    workspace.pool = options.pool;
    workspace.settings = options.settings;
    this.navigation.showsGenerated = options.extension;
    this.presentation.hasCommands = options.extension;
    const roots = params.workspaceFolders?.map((folder) => folder.uri) ?? [];
    const { rootUri } = params;
    workspace.folders = (roots.length > 0 ? roots : rootUri ? [rootUri] : []).map((uri) => workspace.files.realPath(pathOfUri(uri)));
    return { capabilities: this.capabilities(), serverInfo: { name: 'unikernel-workbench' } };
  }

  /** Clients that take registrations later get those, so that each feature is offered for its own files only. */
  private get registersLater(): boolean {
    return this.client.textDocument?.hover?.dynamicRegistration === true;
  }

  private capabilities(): ServerCapabilities {
    const common: ServerCapabilities = {
      textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
      workspaceSymbolProvider: true,
      workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
    };
    if (this.registersLater) return common;
    return {
      ...common,
      completionProvider: { triggerCharacters, resolveProvider: true },
      hoverProvider: true,
      definitionProvider: true,
      referencesProvider: true,
      documentHighlightProvider: true,
      renameProvider: { prepareProvider: true },
      documentSymbolProvider: true,
      foldingRangeProvider: true,
      semanticTokensProvider: { legend, full: true },
      documentLinkProvider: {},
      documentFormattingProvider: true,
      documentRangeFormattingProvider: true,
      signatureHelpProvider: { triggerCharacters: [','] },
      codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix, CodeActionKind.Refactor] },
      codeLensProvider: { resolveProvider: true },
      inlayHintProvider: { resolveProvider: true },
    };
  }

  private async initialized(): Promise<void> {
    const { client } = this.connection;
    if (this.registersLater) {
      await Promise.all([
        client.register(CompletionRequest.type, { documentSelector: allFiles, triggerCharacters, resolveProvider: true }),
        client.register(HoverRequest.type, { documentSelector: allFiles }),
        client.register(DefinitionRequest.type, { documentSelector: allFiles }),
        client.register(ReferencesRequest.type, { documentSelector: allFiles }),
        client.register(DocumentHighlightRequest.type, { documentSelector: withKraftfiles }),
        client.register(RenameRequest.type, { documentSelector: allFiles, prepareProvider: true }),
        client.register(DocumentSymbolRequest.type, { documentSelector: withMakefiles }),
        client.register(FoldingRangeRequest.type, { documentSelector: [...configurationFiles, ...makefiles] }),
        client.register(SemanticTokensRegistrationType.type, { documentSelector: configurationFiles, legend, full: true }),
        client.register(DocumentLinkRequest.type, { documentSelector: kconfigFiles }),
        client.register(DocumentFormattingRequest.type, { documentSelector: kconfigFiles }),
        client.register(DocumentRangeFormattingRequest.type, { documentSelector: kconfigFiles }),
        client.register(SignatureHelpRequest.type, { documentSelector: kconfigFiles, triggerCharacters: [','] }),
        client.register(CodeActionRequest.type, {
          documentSelector: allFiles,
          codeActionKinds: [CodeActionKind.QuickFix, CodeActionKind.Refactor],
        }),
        client.register(CodeLensRequest.type, { documentSelector: kconfigFiles, resolveProvider: true }),
        client.register(InlayHintRequest.type, { documentSelector: configurationFiles, resolveProvider: true }),
      ]);
    }
    if (this.client.workspace?.didChangeWatchedFiles?.dynamicRegistration) {
      await client.register(DidChangeWatchedFilesNotification.type, { watchers: watchedFiles.map((globPattern) => ({ globPattern })) });
    }
    if (this.client.workspace?.didChangeConfiguration?.dynamicRegistration) {
      await client.register(DidChangeConfigurationNotification.type, { section: 'unikernel.kconfig' });
    }
    if (this.client.workspace?.workspaceFolders) {
      this.connection.workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
        const gone = new Set(removed.map((folder) => pathOfUri(folder.uri)));
        const { workspace } = this;
        workspace.folders = [
          ...workspace.folders.filter((folder) => !gone.has(folder)),
          ...added.map((folder) => workspace.files.realPath(pathOfUri(folder.uri))),
        ];
        this.changed();
      });
    }
    await this.pullSettings();
  }

  private async pullSettings(): Promise<void> {
    if (!this.client.workspace?.configuration) return;
    const value: unknown = await this.connection.workspace.getConfiguration('unikernel.kconfig');
    const settings = readSettings(value);
    if (JSON.stringify(settings) === JSON.stringify(this.workspace.settings)) return;
    this.workspace.settings = settings;
    this.changed();
  }

  /** Everything is to be looked at anew. */
  private changed(): void {
    this.workspace.reset();
    this.refresh();
    this.checker.schedule();
  }

  /** What the editor shows between and over the lines depends on other files, too. */
  private refresh(): void {
    const { languages } = this.connection;
    const shows = this.client.workspace;
    if (shows?.semanticTokens?.refreshSupport) void languages.semanticTokens.refresh();
    if (shows?.inlayHint?.refreshSupport) languages.inlayHint.refresh().catch(() => undefined);
    if (shows?.codeLens?.refreshSupport) this.connection.sendRequest('workspace/codeLens/refresh').catch(() => undefined);
  }

  // Documents

  private synchronize(): void {
    const { connection, workspace } = this;
    connection.onDidOpenTextDocument(({ textDocument: { uri, languageId, version, text } }) => {
      this.documents.set(uri, TextDocument.create(uri, languageId, version, text));
      workspace.setDocument(uri, languageId, text, version);
      this.checker.schedule();
    });
    connection.onDidChangeTextDocument(({ textDocument: { uri, version }, contentChanges }) => {
      const document = this.documents.get(uri);
      if (!document) return;
      const updated = TextDocument.update(document, contentChanges, version);
      const { language } = workspace.setDocument(uri, updated.languageId, updated.getText(), version);
      if (language !== 'code' && language !== 'makefile') this.checker.schedule();
    });
    connection.onDidCloseTextDocument(({ textDocument: { uri } }) => {
      this.documents.delete(uri);
      workspace.closeDocument(uri);
      this.checker.schedule();
    });
    connection.onDidChangeWatchedFiles(({ changes }) => {
      workspace.filesChanged(changes.map(({ uri }) => workspace.files.realPath(pathOfUri(uri))));
      this.refresh();
      this.checker.schedule();
    });
    connection.onDidChangeConfiguration(() => void this.pullSettings().catch((error: unknown) => this.log(error)));
    connection.onNotification('unikernel/trusted', () => {
      workspace.trusted = true;
      this.changed();
    });
  }

  // Requests

  private answer(): void {
    const { connection, navigation, editing, presentation } = this;
    connection.onHover((params, token) => this.ask(params, token, (document) => navigation.hover(document, params.position) ?? null, null));
    connection.onDefinition((params, token) => this.ask(params, token, (document) => navigation.definition(document, params.position), []));
    connection.onReferences((params, token) =>
      this.ask(
        params,
        token,
        (document, isCancelled) => navigation.references(document, params.position, params.context.includeDeclaration, isCancelled),
        [],
      ),
    );
    connection.onDocumentHighlight((params, token) =>
      this.ask(params, token, (document) => navigation.highlights(document, params.position), []),
    );
    connection.onPrepareRename((params, token) =>
      this.ask(params, token, (document) => navigation.prepareRename(document, params.position) ?? null, null),
    );
    connection.onRenameRequest((params, token) =>
      this.ask(
        params,
        token,
        async (document, isCancelled) => (await navigation.rename(document, params.position, params.newName, isCancelled)) ?? null,
        null,
      ),
    );
    connection.onDocumentSymbol((params, token) => this.ask(params, token, (document) => navigation.documentSymbols(document), []));
    connection.onWorkspaceSymbol((params, token) => this.guard(token, () => navigation.workspaceSymbols(params.query), []));
    connection.onDocumentLinks((params, token) => this.ask(params, token, (document) => navigation.links(document), []));
    connection.onCompletion((params, token) =>
      this.ask(params, token, (document) => editing.completion(document, params.position), { isIncomplete: false, items: [] }),
    );
    connection.onCompletionResolve((item, token) => this.guard(token, () => editing.resolve(item), item));
    connection.onSignatureHelp((params, token) =>
      this.ask(params, token, (document) => editing.signature(document, params.position) ?? null, null),
    );
    connection.onDocumentFormatting((params, token) => this.ask(params, token, (document) => editing.format(document), []));
    connection.onDocumentRangeFormatting((params, token) =>
      this.ask(params, token, (document) => editing.format(document, params.range), []),
    );
    connection.onCodeAction((params, token) =>
      this.ask(params, token, (document) => editing.actions(document, params.range, params.context), []),
    );
    connection.onFoldingRanges((params, token) => this.ask(params, token, (document) => presentation.folding(document), []));
    connection.onCodeLens((params, token) => this.ask(params, token, (document) => presentation.lenses(document), []));
    connection.onCodeLensResolve((lens, token) => this.guard(token, (isCancelled) => presentation.resolveLens(lens, isCancelled), lens));
    connection.languages.semanticTokens.on((params, token) =>
      this.ask(params, token, (document) => presentation.tokens(document), { data: [] }),
    );
    connection.languages.inlayHint.on((params, token) =>
      this.ask(params, token, (document) => presentation.hints(document, params.range), []),
    );
    connection.languages.inlayHint.resolve((hint, token) => this.guard(token, () => presentation.resolveHint(hint), hint));
    connection.onRequest('unikernel/generatedFile', (path: unknown, token: CancellationToken) =>
      this.guard(token, () => (typeof path === 'string' ? (navigation.generated(path) ?? null) : null), null),
    );
  }

  private ask<T>(
    { textDocument }: { readonly textDocument: { readonly uri: string } },
    token: CancellationToken,
    run: (document: OpenDocument, isCancelled: () => boolean) => T | Promise<T>,
    otherwise: T,
  ): Promise<T | ResponseError> {
    return this.guard(
      token,
      (isCancelled) => {
        const document = this.workspace.documents.get(textDocument.uri);
        return document ? run(document, isCancelled) : otherwise;
      },
      otherwise,
    );
  }

  /** Runs a request unless it was taken back while it waited; what goes wrong in it is logged, and answered with nothing. */
  private async guard<T>(
    token: CancellationToken,
    run: (isCancelled: () => boolean) => T | Promise<T>,
    otherwise: T,
  ): Promise<T | ResponseError> {
    // Lets the messages that have arrived meanwhile in, cancellations among them.
    await new Promise((resolve) => setTimeout(resolve, 0));
    const cancelled = new ResponseError(LSPErrorCodes.RequestCancelled, 'The request was taken back.');
    if (token.isCancellationRequested) return cancelled;
    try {
      const result = await run(() => token.isCancellationRequested);
      return token.isCancellationRequested ? cancelled : result;
    } catch (error) {
      if (error instanceof ResponseError) return error as ResponseError;
      this.log(error);
      return otherwise;
    }
  }
}
