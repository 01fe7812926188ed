/** One open configuration editor: carries messages between its page and its model, and edits to and from the text document. */
import * as vscode from 'vscode';
import { type Context } from '../context';
import { type MenuNode } from '../kconfig/model';
import { type KconfigService } from '../kconfig/service';
import { type CostView, type ToExtension, type ToPage } from '../shared/config-editor';
import { NodeFiles } from '../shared/files.node';
import { ConfigEditorModel, ownName, type Outcome } from './config-editor-model';
import { openTree, readSettings } from './config-editor-tree';

/** Plans are looked for after the selection has rested this long, in milliseconds. */
const rest = 120;

interface Pending {
  readonly node: MenuNode;
  readonly generation: number;
  readonly value: string;
}

/** Tells what an option of a configuration file adds to its project's image; undefined where that is not known. */
export type CostOf = (file: string, symbol: string) => Promise<CostView | undefined>;

export class ConfigEditorSession implements vscode.Disposable {
  private readonly disposables: vscode.Disposable[] = [];
  private model: ConfigEditorModel | undefined;
  private window = { start: 0, end: 60 };
  private ready = false;
  /** The text that our own edit leaves behind: no reason to read it again. */
  private expected: string | undefined;
  private edits: Promise<boolean> = Promise.resolve(true);
  private pending: Pending | undefined;
  private planning: NodeJS.Timeout | undefined;
  private watched = '';

  constructor(
    private readonly context: Context,
    readonly document: vscode.TextDocument,
    readonly panel: vscode.WebviewPanel,
    private readonly costOf: CostOf,
  ) {
    this.disposables.push(
      panel.webview.onDidReceiveMessage((message: ToExtension) => void this.guarded(() => this.receive(message))),
      vscode.workspace.onDidChangeTextDocument((event) => this.textChanged(event.document)),
      vscode.workspace.onDidSaveTextDocument((saved) => this.textSaved(saved)),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.reopen()),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('unikernel.kconfig', document.uri)) this.reopen();
      }),
    );
  }

  dispose(): void {
    clearTimeout(this.planning);
    for (const disposable of this.disposables) disposable.dispose();
  }

  get service(): KconfigService | undefined {
    return this.model?.service;
  }

  /** The minimal configuration. */
  defconfig(): string | undefined {
    return this.model?.configuration.defconfig();
  }

  compare(name: string, text: string): void {
    this.model?.compare(name, text);
    this.show(false);
  }

  focusSearch(): void {
    this.post({ type: 'focusSearch' });
  }

  // The document

  private get text(): string {
    return this.document.getText().replace(/\r\n/g, '\n');
  }

  private open(): void {
    const { uri } = this.document;
    const opened = openTree(uri.fsPath, this.text, {
      folders: (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath),
      settings: readSettings(vscode.workspace.getConfiguration('unikernel', uri).get('kconfig')),
      pool: this.context.resource('library-pool').fsPath,
      trusted: vscode.workspace.isTrusted,
    });
    if (!opened) {
      this.post({
        type: 'failed',
        text: 'No Kconfig tree was found for this file. Put it beside an application (a Kraftfile, or a Makefile.uk and Config.uk), or name the core in the setting unikernel.kconfig.root.',
      });
      return;
    }
    const base = vscode.workspace.getWorkspaceFolder(uri)?.uri.fsPath ?? opened.plan.cwd;
    this.model = new ConfigEditorModel(opened.service, this.text, this.savedText(), base);
    this.watch(opened.plan.folders);
  }

  private reopen(): void {
    if (!this.ready) return;
    this.model = undefined;
    this.open();
    this.show(true);
  }

  /** What stands on disk; unlike the document it has no unsaved changes. */
  private savedText(): string {
    return this.document.isDirty ? (this.savedOnDisk() ?? this.text) : this.text;
  }

  private savedOnDisk(): string | undefined {
    return new NodeFiles().readText(this.document.uri.fsPath)?.replace(/\r\n/g, '\n');
  }

  private textChanged(changed: vscode.TextDocument): void {
    const { model } = this;
    if (!model) return;
    if (changed === this.document) {
      const { text } = this;
      if (text === this.expected) return;
      this.expected = undefined;
      model.load(text);
      this.show(false);
    } else if (model.service.tree.queries.filesAt(changed.uri.fsPath).length > 0) {
      model.service.tree.setDocument(changed.uri.fsPath, changed.getText());
      model.treeChanged();
      this.show(false);
    }
  }

  private textSaved(saved: vscode.TextDocument): void {
    if (saved !== this.document || !this.model) return;
    this.model.saved(this.text);
    this.show(false);
  }

  private watch(folders: readonly string[]): void {
    const key = folders.join('\n');
    if (key === this.watched) return;
    this.watched = key;
    for (const folder of folders) {
      const watcher = vscode.workspace.createFileSystemWatcher(
        new vscode.RelativePattern(vscode.Uri.file(folder), '**/{Config.uk,Kconfig*}'),
      );
      const changed = (uri: vscode.Uri): void => this.fileChanged(uri.fsPath);
      this.disposables.push(watcher, watcher.onDidChange(changed), watcher.onDidCreate(changed), watcher.onDidDelete(changed));
    }
  }

  private fileChanged(path: string): void {
    const { model } = this;
    if (!model) return;
    const open = vscode.workspace.textDocuments.find((each) => each.uri.fsPath === path && each.isDirty);
    model.service.tree.setDocument(path, open?.getText());
    model.service.tree.filesChanged();
    model.treeChanged();
    this.show(false);
  }

  /** Brings the document to the configuration's text by the smallest replacement, and shows what came of it; false where the document stays as it is. */
  private write(): Promise<boolean> {
    this.edits = this.edits.then(async () => {
      const { model, document } = this;
      if (!model) return false;
      const wanted = model.write();
      const before = this.text;
      if (wanted === before) {
        this.show(false);
        return true;
      }
      this.expected = wanted;
      const taken = await this.replace(before, wanted);
      // The editor takes changes of a read-only file, and never marks it as changed.
      const lost = taken && !document.isDirty && this.savedOnDisk() !== wanted;
      if (!taken || lost) {
        this.expected = undefined;
        if (lost) await this.replace(this.text, before);
        model.load(this.text);
        const text = lost ? 'The file is read-only: it keeps its text.' : 'The file could not be changed.';
        this.post({ type: 'notice', severity: 'warning', text, changes: [] });
      }
      this.show(false);
      return taken && !lost;
    });
    return this.edits;
  }

  private replace(before: string, wanted: string): Thenable<boolean> {
    const { start, end, text } = difference(before, wanted);
    const edit = new vscode.WorkspaceEdit();
    // Offsets are those of the text with plain line feeds, so positions are counted in lines.
    edit.replace(this.document.uri, new vscode.Range(positionAt(before, start), positionAt(before, end)), text);
    return vscode.workspace.applyEdit(edit);
  }

  // The page

  private post(message: ToPage): void {
    void this.panel.webview.postMessage(message);
  }

  private async guarded(run: () => void | Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.context.log.appendLine(`configuration editor: ${text}`);
      this.post({ type: 'notice', severity: 'warning', text, changes: [] });
    }
  }

  /** Sends the state, the rows in sight and the details. */
  private show(scroll: boolean): void {
    const { model } = this;
    if (!model || !this.ready) return;
    const state = model.state();
    const { start, end } = this.inSight(scroll ? state.selectedIndex : -1);
    this.post({ type: 'state', state, start, rows: model.rows(start, end), scroll });
    this.showDetails();
  }

  /** The rows to send: those in sight, moved to where the page will scroll to. */
  private inSight(index: number): { readonly start: number; readonly end: number } {
    const { start, end } = this.window;
    if (index < 0 || (index >= start && index < end)) return { start, end };
    const half = Math.ceil((end - start) / 2);
    return { start: Math.max(0, index - half), end: index + half };
  }

  private async showCost(name: string): Promise<void> {
    const cost = await this.costOf(this.document.uri.fsPath, name);
    if (cost) this.post({ type: 'cost', name, cost });
  }

  private showDetails(): void {
    const { model } = this;
    const details = model?.details();
    this.post({ type: 'details', details });
    clearTimeout(this.planning);
    const name = details?.row.name;
    if (name !== undefined && details?.row.value === 'y') void this.guarded(() => this.showCost(name));
    if (!model || name === undefined || !details || details.unreachable.length === 0) return;
    this.planning = setTimeout(() => {
      void this.guarded(() => {
        for (const wanted of details.unreachable) {
          const plans = model.plans(name, wanted);
          if (plans) this.post({ type: 'plans', plans });
        }
      });
    }, rest);
  }

  private async receive(message: ToExtension): Promise<void> {
    if (message.type === 'ready') {
      this.ready = true;
      if (!this.model) this.open();
      this.model?.setShowAll(message.showAll);
      this.model?.search(message.query);
      this.show(true);
      setTimeout(() => this.model?.values.prepare(), 0);
      return;
    }
    if (message.type === 'openText') return void (await vscode.commands.executeCommand('vscode.openWith', this.document.uri, 'default'));
    const { model } = this;
    if (!model) return;
    switch (message.type) {
      case 'view':
        this.window = { start: message.start, end: message.end };
        this.post({ type: 'rows', revision: model.rowsRevision, start: message.start, rows: model.rows(message.start, message.end) });
        return;
      case 'fold': {
        const node = model.node(message.node, message.generation);
        if (node) model.fold(node, message.open);
        return this.show(false);
      }
      case 'foldAll':
        model.foldAll(message.open);
        return this.show(true);
      case 'showAll':
        model.setShowAll(message.on);
        return this.show(true);
      case 'search':
        model.search(message.query);
        return this.show(true);
      case 'select': {
        const node = model.node(message.node, message.generation);
        if (!node) return;
        model.select(node);
        if (model.indexOf(node) >= 0) return this.showDetails();
        model.revealNode(node);
        return this.show(true);
      }
      case 'reveal':
        if (model.reveal(message.name)) this.show(true);
        return;
      case 'set':
        return this.set(message.node, message.generation, message.value);
      case 'reset': {
        const node = model.node(message.node, message.generation);
        return node ? this.done(model.reset(node)) : undefined;
      }
      case 'confirm': {
        const { pending } = this;
        this.pending = undefined;
        if (!message.apply || !pending) return;
        return this.done(model.set(pending.node, pending.value));
      }
      case 'plan': {
        const plans = model.plans(message.name, message.wanted);
        if (plans) this.post({ type: 'plans', plans });
        return;
      }
      case 'applyPlan':
        return this.done(model.applyPlan(message.name, message.wanted, message.index));
      case 'open':
        return this.openPlace(message.path, message.line);
      case 'update':
        return void (await this.write());
      case 'compare':
        return void (await vscode.commands.executeCommand('unikernel.config.compare', this.document.uri));
      case 'shellSetting':
        return void (await vscode.commands.executeCommand('workbench.action.openSettings', 'unikernel.kconfig.shell'));
      case 'endComparison':
        model.compare(undefined);
        return this.show(false);
      case 'saveDefconfig':
        return void (await vscode.commands.executeCommand('unikernel.config.saveDefconfig', this.document.uri));
    }
  }

  private async set(id: number, generation: number, value: string): Promise<void> {
    const { model } = this;
    const node = model?.node(id, generation);
    if (!model || !node) return;
    model.select(node);
    if (this.context.setting('config.confirmSideEffects', this.document)) {
      const effect = model.effect(node, value);
      if (effect && effect.count > 0) {
        this.pending = { node, generation, value };
        this.post({ type: 'review', title: node.prompt?.text ?? '', name: node.symbol?.label ?? '', effect });
        return;
      }
    }
    return this.done(model.set(node, value));
  }

  private async done(outcome: Outcome): Promise<void> {
    const { accepted, text, changes } = outcome;
    if (!accepted) this.show(false);
    // What stood in the way is said already.
    else if (!(await this.write())) return;
    if (!accepted || changes.length > 0 || text !== '') {
      this.post({ type: 'notice', severity: accepted ? 'information' : 'warning', text, changes: changes.slice(0, 200) });
    }
  }

  private async openPlace(path: string, line: number): Promise<void> {
    // Only the configuration and what the tree has read is opened, whatever the page asks for.
    const isOwn = path === ownName;
    if (!isOwn && this.model?.service.tree.queries.filesAt(path).length === 0) return;
    const at = new vscode.Position(Math.max(0, line - 1), 0);
    const document = isOwn ? this.document : await vscode.workspace.openTextDocument(vscode.Uri.file(path));
    await vscode.window.showTextDocument(document, { selection: new vscode.Range(at, at), viewColumn: vscode.ViewColumn.Beside });
  }
}

/** The smallest stretch that differs, widened to whole lines. */
export function difference(before: string, after: string): { readonly start: number; readonly end: number; readonly text: string } {
  let start = 0;
  const shortest = Math.min(before.length, after.length);
  while (start < shortest && before.charCodeAt(start) === after.charCodeAt(start)) start++;
  start = before.lastIndexOf('\n', start - 1) + 1;
  let tail = 0;
  while (tail < shortest - start && before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)) tail++;
  return { start, end: before.length - tail, text: after.slice(start, after.length - tail) };
}

function positionAt(text: string, offset: number): vscode.Position {
  let line = 0;
  let lineStart = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) {
    line++;
    lineStart = at + 1;
  }
  return new vscode.Position(line, offset - lineStart);
}
