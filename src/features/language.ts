/** The editor's side of the language server: starts it when a file of its kinds is opened, and shows what only the editor can. */
import * as vscode from 'vscode';
import { type BaseLanguageClient, type LanguageClientOptions, type TextDocumentFilter } from 'vscode-languageclient';
import { type Context } from '../context';

/** How the server is started on this host. */
export interface LanguageHost {
  /** The scheme of the workspace's files. */
  readonly scheme: string;
  /** Makes a client of a server that is starting; `ready` is called when it runs. */
  readonly client: (options: LanguageClientOptions) => Promise<BaseLanguageClient>;
  readonly ready?: (client: BaseLanguageClient) => Promise<void>;
}

/** Commands that the server's lenses run; they need arguments, so the palette does not list them. */
const explainCommand = 'unikernel.kconfig.explain';
const referencesCommand = 'unikernel.kconfig.references';
const generatedScheme = 'unikernel-generated';

const languages = ['kconfig', 'dotconfig', 'makefile-uk', 'kraftfile'];
/** Files that name options: they start no server, and are told to one that runs. */
const codeFiles: readonly TextDocumentFilter[] = [
  { language: 'c' },
  { language: 'cpp' },
  { language: 'makefile' },
  { pattern: '**/*.{S,s,asm,lds,ld,uk,mk,dts}' },
];

export function registerLanguage(context: Context, host: LanguageHost): void {
  const server = new Server(context, host);
  context.own({ dispose: () => void server.stop() });
  const look = (document: vscode.TextDocument): void => {
    if (languages.includes(document.languageId)) void server.start();
  };
  context.own(vscode.workspace.onDidOpenTextDocument(look));
  vscode.workspace.textDocuments.forEach(look);
  context.own(
    vscode.commands.registerCommand(explainCommand, async (uri: string, position: { line: number; character: number }) => {
      await reveal(uri, position);
      await vscode.commands.executeCommand('editor.action.showHover');
    }),
  );
  context.own(
    vscode.commands.registerCommand(referencesCommand, async (uri: string, position: { line: number; character: number }) => {
      const target = vscode.Uri.parse(uri);
      const at = new vscode.Position(position.line, position.character);
      const places = await vscode.commands.executeCommand<vscode.Location[]>('vscode.executeReferenceProvider', target, at);
      await vscode.commands.executeCommand('editor.action.showReferences', target, at, places);
    }),
  );
  context.own(
    vscode.workspace.registerTextDocumentContentProvider(generatedScheme, {
      provideTextDocumentContent: (uri) => server.generated(uri.path),
    }),
  );
  context.own(vscode.workspace.onDidGrantWorkspaceTrust(() => server.trusted()));
}

/** Settings as plain data: the editor hands out objects that cannot be sent to a worker. */
function plain(settings: unknown): unknown {
  return settings === undefined ? undefined : (JSON.parse(JSON.stringify(settings)) as unknown);
}

async function reveal(uri: string, { line, character }: { line: number; character: number }): Promise<void> {
  const position = new vscode.Position(line, character);
  await vscode.window.showTextDocument(vscode.Uri.parse(uri), { selection: new vscode.Range(position, position) });
}

class Server {
  #client: BaseLanguageClient | undefined;
  #started: Promise<void> | undefined;

  constructor(
    private readonly context: Context,
    private readonly host: LanguageHost,
  ) {}

  /** Starts the server once; a failure is logged, and the editor goes on without it. */
  start(): Promise<void> {
    this.#started ??= this.#start().catch((error: unknown) => {
      this.context.log.appendLine(`language server: ${error instanceof Error ? error.message : String(error)}`);
    });
    return this.#started;
  }

  async #start(): Promise<void> {
    const { context, host } = this;
    const { scheme } = host;
    const clientOptions: LanguageClientOptions = {
      documentSelector: [
        ...languages.flatMap((language) => [
          { scheme, language },
          { scheme: 'untitled', language },
        ]),
        ...codeFiles.map((filter) => ({ ...filter, scheme })),
      ],
      initializationOptions: {
        trusted: vscode.workspace.isTrusted,
        pool: context.resource('library-pool').path,
        extension: true,
        settings: plain(vscode.workspace.getConfiguration('unikernel').get('kconfig')),
      },
      markdown: { supportHtml: false },
    };
    const client = await host.client(clientOptions);
    await client.start();
    await host.ready?.(client);
    this.#client = client;
  }

  /** The text of a file that the engine made and no disk has. */
  async generated(path: string): Promise<string> {
    await this.start();
    return (await this.#client?.sendRequest<string | null>('unikernel/generatedFile', path)) ?? '';
  }

  trusted(): void {
    void this.#client?.sendNotification('unikernel/trusted');
  }

  async stop(): Promise<void> {
    await this.#client?.stop();
  }
}
