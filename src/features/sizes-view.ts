/** Show Sizes of Image: what the current project's image is made of, alone or against another build. */
import { Worker } from 'node:worker_threads';
import * as vscode from 'vscode';
import { type Context } from '../context';
import { commands } from '../manifest';
import { imagesOf } from '../project/projects';
import { type CostView } from '../shared/config-editor';
import { type SizesToExtension, type SizesToPage } from '../shared/sizes-view';
import { fillPage, tabIcon } from './config-editor-page';
import { findImages } from './images';
import { openPlace } from './pool-view';
import { type PoolWorkspace } from './pool-workspace';
import { optionCost } from './sizes-model';
import { type SizesAnswer, type SizesQuestion } from './sizes-worker';

/** Sizes of images, read in a thread and kept until the image changes. */
export class ImageSizes {
  readonly #known = new Map<string, { readonly stamp: string; readonly answer: Promise<SizesAnswer> }>();

  constructor(
    private readonly context: Context,
    private readonly workspace: PoolWorkspace,
  ) {}

  /** Reads an image, or takes what is known of it. */
  async read(question: SizesQuestion): Promise<SizesAnswer> {
    const key = `${question.image}\0${question.other ?? ''}`;
    const stamp = (await Promise.all([question.image, question.other].map(modified))).join(' ');
    const known = this.#known.get(key);
    if (known?.stamp === stamp) return known.answer;
    const answer = this.#run(question);
    // One image at a time is looked at; more would only fill memory.
    this.#known.clear();
    this.#known.set(key, { stamp, answer });
    return answer;
  }

  #run(question: SizesQuestion): Promise<SizesAnswer> {
    return new Promise((resolve) => {
      const worker = new Worker(this.context.resource('dist', 'sizes-worker.js').fsPath, { workerData: question });
      worker.once('message', (answer: SizesAnswer) => resolve(answer));
      worker.once('error', (error) => resolve({ failure: error.message }));
      worker.once('exit', (code) => resolve({ failure: `The thread that reads sizes ended with ${code}.` }));
    });
  }

  /** Bytes of the current project's libraries in its image, by make's name; empty where nothing was built. */
  async libraries(): Promise<ReadonlyMap<string, number>> {
    const project = await this.workspace.current();
    const [image] = project === undefined ? [] : imagesOf(this.workspace.files, project);
    const answer = image === undefined ? undefined : await this.read({ image: image.path });
    return answer !== undefined && 'libraries' in answer ? answer.libraries : new Map();
  }

  /**
   * What an option of a configuration file adds to the image, as far as it brings libraries in.
   * Undefined where that is not known, or the file is not the current project's.
   */
  async costOf(file: string, symbol: string): Promise<CostView | undefined> {
    const model = await this.workspace.model();
    if (model?.project.configFile !== file) return undefined;
    const cost = optionCost(this.workspace.files, model, await this.libraries(), symbol);
    return cost && { bytes: cost.bytes, libraries: cost.libraries.map(({ library, bytes }) => ({ title: library.title, bytes })) };
  }
}

async function modified(path: string | undefined): Promise<string> {
  if (path === undefined) return '';
  try {
    const { mtime, size } = await vscode.workspace.fs.stat(vscode.Uri.file(path));
    return `${mtime}-${size}`;
  } catch {
    return 'none';
  }
}

export function registerSizesView(context: Context, workspace: PoolWorkspace): ImageSizes {
  const sizes = new ImageSizes(context, workspace);
  const view = new SizesView(context, workspace, sizes);
  context.command(commands.showSizes, (target) => view.show(target instanceof vscode.Uri ? target.fsPath : undefined));
  return sizes;
}

class SizesView {
  #panel: vscode.WebviewPanel | undefined;
  #isReady = false;
  /** Undefined for the current project's. */
  #image: string | undefined;
  #other: string | undefined;

  constructor(
    private readonly context: Context,
    private readonly workspace: PoolWorkspace,
    private readonly sizes: ImageSizes,
  ) {
    context.own(workspace.onDidChange(() => void this.#send()));
    context.own({
      dispose: () => {
        this.#panel?.dispose();
      },
    });
  }

  async show(image: string | undefined): Promise<void> {
    this.#image = image;
    if (this.#panel) {
      this.#panel.reveal();
      return this.#send();
    }
    const panel = vscode.window.createWebviewPanel('unikernel.sizes', 'Sizes', vscode.ViewColumn.Active, { retainContextWhenHidden: true });
    this.#panel = panel;
    panel.iconPath = tabIcon(this.context);
    panel.onDidDispose(() => {
      this.#panel = undefined;
      this.#isReady = false;
    });
    panel.webview.onDidReceiveMessage((message: SizesToExtension) => void this.#take(message));
    fillPage(this.context, panel.webview, 'sizes', 'Sizes of the Image');
  }

  async #path(): Promise<string | undefined> {
    if (this.#image !== undefined) return this.#image;
    const project = await this.workspace.current();
    return project === undefined ? undefined : imagesOf(this.workspace.files, project)[0]?.path;
  }

  async #send(): Promise<void> {
    if (!this.#isReady || !this.#panel) return;
    const image = await this.#path();
    const answer: SizesAnswer =
      image === undefined
        ? { failure: 'There is no image yet. Build the project; then this shows what its image is made of.' }
        : await this.sizes.read({ image, ...(this.#other !== undefined && { other: this.#other }) });
    const relative = (path: string): string => vscode.workspace.asRelativePath(path);
    if (image !== undefined) this.#panel.title = `Sizes of ${image.slice(image.lastIndexOf('/') + 1)}`;
    const message: SizesToPage =
      'failure' in answer
        ? { type: 'failure', message: answer.failure }
        : {
            type: 'report',
            report: {
              ...answer.report,
              image: relative(answer.report.image),
              ...(answer.report.other && { other: { ...answer.report.other, image: relative(answer.report.other.image) } }),
            },
          };
    void this.#panel.webview.postMessage(message);
  }

  async #take(message: SizesToExtension): Promise<void> {
    switch (message.type) {
      case 'ready':
        this.#isReady = true;
        return this.#send();
      case 'compare':
        this.#other = (await this.#pickOther()) ?? this.#other;
        return this.#send();
      case 'stopComparing':
        this.#other = undefined;
        return this.#send();
      case 'build':
        await vscode.commands.executeCommand(commands.buildProject);
        return this.#send();
      case 'show':
        await vscode.commands.executeCommand(commands.poolShowLibrary, message.library);
        return;
      case 'reveal':
        return reveal(message.symbol);
    }
  }

  /** Another build of the workspace, or any image. */
  async #pickOther(): Promise<string | undefined> {
    const own = await this.#path();
    const found = (await Promise.all((vscode.workspace.workspaceFolders ?? []).map(findImages))).flat();
    const browse = { label: '$(folder-opened) Choose a file…', path: undefined };
    const picks = [
      ...found.filter(({ fsPath }) => fsPath !== own).map((uri) => ({ label: vscode.workspace.asRelativePath(uri), path: uri.fsPath })),
      browse,
    ];
    const picked = await vscode.window.showQuickPick(picks, { title: 'Compare With', placeHolder: 'The earlier build' });
    if (!picked || picked.path !== undefined) return picked?.path;
    const [file] = (await vscode.window.showOpenDialog({ title: 'The earlier build', canSelectMany: false })) ?? [];
    return file?.fsPath;
  }
}

/** Opens the definition of a symbol where a language extension knows it. */
async function reveal(symbol: string): Promise<void> {
  const found =
    (await vscode.commands.executeCommand<vscode.SymbolInformation[] | undefined>('vscode.executeWorkspaceSymbolProvider', symbol)) ?? [];
  const exact = found.find(({ name }) => name === symbol || name.startsWith(`${symbol}(`));
  if (exact) await openPlace(exact.location.uri.fsPath, exact.location.range.start.line + 1);
}
