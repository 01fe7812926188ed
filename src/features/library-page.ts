/** Show Library: the details page, one panel that follows links and stays up to date; it runs no scripts, its links are commands. */
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { type Context } from '../context';
import { commands } from '../manifest';
import { escapeHtml, libraryHtml, libraryStyle, type PageLinks } from './library-html';
import { libraryOf, needModel, openPlace } from './pool-view';
import { type PoolWorkspace } from './pool-workspace';
import { type ImageSizes } from './sizes-view';

/** Opens a file of the page; it needs arguments, so the palette does not list it. */
const openCommand = 'unikernel.library.open';
const largestReadme = 1 << 19;

function commandLink(command: string, ...args: readonly (string | number)[]): string {
  return `command:${command}?${encodeURIComponent(JSON.stringify(args))}`;
}

const links: PageLinks = {
  show: (library) => commandLink(commands.poolShowLibrary, library),
  open: (path, line) => commandLink(openCommand, path, line),
  enable: (library) => commandLink(commands.poolEnable, library),
  disable: (library) => commandLink(commands.poolDisable, library),
  addToKraftfile: (library) => commandLink(commands.poolAddToKraftfile, library),
  removeFromKraftfile: (library) => commandLink(commands.poolRemoveFromKraftfile, library),
  fetch: (library) => commandLink(commands.poolFetch, library),
  graph: (library) => commandLink(commands.showGraph, library),
  sizes: () => commandLink(commands.showSizes),
};

export function registerLibraryPage(context: Context, workspace: PoolWorkspace, sizes: ImageSizes): void {
  const page = new LibraryPage(context, workspace, sizes);
  context.command(commands.poolShowLibrary, async (target) => {
    const library = await libraryOf(await needModel(workspace), target, 'Library to show');
    if (library) await page.show(library.name);
  });
  context.own(
    vscode.commands.registerCommand(openCommand, async (path: unknown, line: unknown) => {
      if (typeof path === 'string') await openPlace(path, typeof line === 'number' ? line : 1);
    }),
  );
}

class LibraryPage {
  #panel: vscode.WebviewPanel | undefined;
  #name = '';

  constructor(
    private readonly context: Context,
    private readonly workspace: PoolWorkspace,
    private readonly sizes: ImageSizes,
  ) {
    context.own(workspace.onDidChange(() => void this.#render()));
    context.own({
      dispose: () => {
        this.#panel?.dispose();
      },
    });
  }

  async show(name: string): Promise<void> {
    this.#name = name;
    if (this.#panel === undefined) {
      const enableCommandUris = [
        commands.poolShowLibrary,
        commands.poolEnable,
        commands.poolDisable,
        commands.poolAddToKraftfile,
        commands.poolRemoveFromKraftfile,
        commands.poolFetch,
        commands.showGraph,
        commands.showSizes,
        openCommand,
      ];
      this.#panel = vscode.window.createWebviewPanel('unikernel.library', name, vscode.ViewColumn.Active, {
        enableCommandUris,
        enableFindWidget: true,
        localResourceRoots: [],
      });
      this.#panel.onDidDispose(() => {
        this.#panel = undefined;
      });
    } else this.#panel.reveal();
    await this.#render();
  }

  async #render(): Promise<void> {
    if (this.#panel === undefined) return;
    const model = await this.workspace.model();
    const library = model?.catalogue.find(this.#name);
    const readme = library === undefined ? undefined : await this.#readme(library.folder);
    const bytes = library === undefined ? undefined : (await this.sizes.libraries()).get(library.name);
    // It may have been closed meanwhile.
    const panel = this.#panel as vscode.WebviewPanel | undefined;
    if (panel === undefined) return;
    panel.title = library?.title ?? this.#name;
    const body =
      model && library
        ? libraryHtml(model, library, links, readme, bytes)
        : `<p class="none">The pool has no library ${escapeHtml(this.#name)} any more.</p>`;
    const nonce = randomBytes(16).toString('base64');
    panel.webview.html = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src https:; style-src 'nonce-${nonce}'">
<meta name="viewport" content="width=device-width, initial-scale=1.0">
<style nonce="${nonce}">${libraryStyle}</style>
<title>${escapeHtml(this.#name)}</title>
</head>
<body>${body}</body>
</html>`;
  }

  /** The README as the editor's own Markdown renders it; as plain text where that is switched off. */
  async #readme(folder: string): Promise<string | undefined> {
    const { files } = this.workspace;
    const name = files.list(folder).find((each) => /^readme(\.md)?$/i.test(each));
    const text = name === undefined ? undefined : files.readText(`${folder}/${name}`)?.slice(0, largestReadme);
    if (text === undefined) return undefined;
    try {
      return await vscode.commands.executeCommand<string>('markdown.api.render', text);
    } catch (error) {
      this.context.log.appendLine(`README of ${folder}: ${String(error)}`);
      return `<pre>${escapeHtml(text)}</pre>`;
    }
  }
}
