/** Show Dependency Graph: the libraries of the current project and what they need, in a page that follows the configuration. */
import * as vscode from 'vscode';
import { type Context } from '../context';
import { commands } from '../manifest';
import { dependencyGraph } from '../pool/graph';
import { type GraphToExtension, type GraphToPage, type GraphView } from '../shared/graph-view';
import { fillPage, tabIcon } from './config-editor-page';
import { type PoolModel } from './pool-model';
import { libraryOf, needModel } from './pool-view';
import { type PoolWorkspace } from './pool-workspace';

export function registerGraphView(context: Context, workspace: PoolWorkspace): void {
  const view = new DependencyGraphView(context, workspace);
  context.command(commands.showGraph, async (target) => {
    const model = await needModel(workspace);
    // From the palette and the view's title everything is meant; from a library's row, what is round it.
    const library = target === undefined ? undefined : await libraryOf(model, target, 'Library to show');
    view.show(model, library?.name);
  });
}

/** The graph as the page draws it. */
export function graphView(model: PoolModel, isWhole: boolean): GraphView {
  const { catalogue, configured, configuration, project } = model;
  const options = isWhole || !configured ? {} : { enabled: new Set(configured.enabled), values: configuration.values };
  const { nodes, edges } = dependencyGraph(catalogue, options);
  return {
    title: project.name,
    isWhole,
    nodes: nodes.map(({ name, title, kind, description }) => {
      const library = catalogue.find(name);
      const status = library === undefined ? 'missing' : model.statusOf(library);
      return { name, title, kind, description, status, switchable: library?.symbol !== undefined };
    }),
    edges: edges.map(({ from, to, reason, causes }) => ({
      from,
      to,
      reason,
      why: causes.map(
        ({ by, symbol, condition }) =>
          `${by === '' ? 'Makefile.uk' : by} ${reason === 'depends' ? 'depends on' : reason} ${symbol}${condition === '' ? '' : ` if ${condition}`}`,
      ),
    })),
  };
}

class DependencyGraphView {
  #panel: vscode.WebviewPanel | undefined;
  #isWhole = false;
  #focus: string | undefined;
  #isReady = false;

  constructor(
    private readonly context: Context,
    private readonly workspace: PoolWorkspace,
  ) {
    context.own(workspace.onDidChange(() => void this.#send()));
    context.own({
      dispose: () => {
        this.#panel?.dispose();
      },
    });
  }

  show(model: PoolModel, focus: string | undefined): void {
    this.#focus = focus;
    const library = focus === undefined ? undefined : model.catalogue.find(focus);
    // What is not enabled is only to be seen in the whole pool.
    if (library && model.configured?.enabled.includes(library.name) !== true) this.#isWhole = true;
    if (this.#panel) {
      this.#panel.reveal();
      void this.#send();
      return;
    }
    const panel = vscode.window.createWebviewPanel('unikernel.graph', 'Dependency Graph', vscode.ViewColumn.Active, {
      retainContextWhenHidden: true,
    });
    this.#panel = panel;
    panel.iconPath = tabIcon(this.context);
    panel.onDidDispose(() => {
      this.#panel = undefined;
      this.#isReady = false;
    });
    panel.webview.onDidReceiveMessage((message: GraphToExtension) => void this.#take(message));
    fillPage(this.context, panel.webview, 'graph', 'Dependency Graph', 'graph-worker');
  }

  async #send(): Promise<void> {
    if (!this.#isReady || !this.#panel) return;
    const model = await this.workspace.model();
    if (!model) return;
    this.#panel.title = `Graph of ${model.project.name}`;
    this.#post({ type: 'graph', graph: graphView(model, this.#isWhole) });
    if (this.#focus !== undefined) this.#post({ type: 'focus', name: model.catalogue.find(this.#focus)?.name ?? this.#focus });
    this.#focus = undefined;
  }

  #post(message: GraphToPage): void {
    void this.#panel?.webview.postMessage(message);
  }

  async #take(message: GraphToExtension): Promise<void> {
    switch (message.type) {
      case 'ready':
        this.#isReady = true;
        return this.#send();
      case 'scope':
        this.#isWhole = message.isWhole;
        return this.#send();
      case 'show':
        await vscode.commands.executeCommand(commands.poolShowLibrary, message.name);
        return;
      case 'enable':
        await vscode.commands.executeCommand(commands.poolEnable, message.name);
        return;
      case 'disable':
        await vscode.commands.executeCommand(commands.poolDisable, message.name);
        return;
      case 'export':
        return exportPicture(message.svg, (await this.workspace.current())?.folder);
    }
  }
}

async function exportPicture(svg: string, folder: string | undefined): Promise<void> {
  const target = await vscode.window.showSaveDialog({
    title: 'Export Dependency Graph',
    filters: { 'SVG picture': ['svg'] },
    ...(folder !== undefined && { defaultUri: vscode.Uri.file(`${folder}/dependencies.svg`) }),
  });
  if (!target) return;
  await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(svg));
  const open = 'Open';
  if ((await vscode.window.showInformationMessage(`Wrote ${vscode.workspace.asRelativePath(target)}.`, open)) === open)
    await vscode.commands.executeCommand('vscode.open', target);
}
