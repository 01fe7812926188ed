/** `Unikernel: Syscalls`: the guest's system calls and TLS switches as they happen, filtered, summed up, exported; a click goes to the code, a double click to the moment. */
import * as vscode from 'vscode';
import { type Context } from '../context';
import { commands, views } from '../manifest';
import { type ToExtension, type ToPage } from '../webviews/syscalls/messages';
import { fillPage } from './config-editor-page';
import { GuestSession, openPlace } from './guest-session';

/** Asks for the rest of a search again after this, milliseconds. */
const partialPause = 30;

export function registerSyscallsView(context: Context): void {
  const view = new SyscallsView(context);
  context.own(vscode.window.registerWebviewViewProvider(views.syscalls, view, { webviewOptions: { retainContextWhenHidden: true } }));
  const tell = (command: Extract<ToPage, { kind: 'command' }>['command']) => async (): Promise<void> => {
    await vscode.commands.executeCommand(`${views.syscalls}.focus`);
    view.post({ kind: 'command', command });
  };
  context.command(commands.filterSyscalls, tell('focusFilter'));
  context.command(commands.clearSyscallFilter, tell('clearFilter'));
  context.command(commands.syscallSummary, tell('toggleSummary'));
  context.command(commands.exportTrace, () => view.export());
}

class SyscallsView implements vscode.WebviewViewProvider {
  readonly #guest: GuestSession;
  #view: vscode.WebviewView | undefined;
  #window = { filter: '', start: Number.MAX_SAFE_INTEGER, count: 60 };
  #summary = false;

  constructor(private readonly context: Context) {
    this.#guest = context.own(new GuestSession(true));
    context.own(this.#guest.onDidChange(() => void this.#refresh()));
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.#view = view;
    fillPage(this.context, view.webview, 'syscalls', 'System Calls');
    view.webview.onDidReceiveMessage((message: ToExtension) => void this.#receive(message));
    view.onDidChangeVisibility(() => this.#guest.show(view.visible));
    view.onDidDispose(() => {
      this.#view = undefined;
      this.#guest.show(false);
    });
    this.#guest.show(view.visible);
  }

  post(message: ToPage): void {
    void this.#view?.webview.postMessage(message);
  }

  async #receive(message: ToExtension): Promise<void> {
    try {
      await this.#handle(message);
    } catch (error) {
      void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
    }
  }

  async #handle(message: ToExtension): Promise<void> {
    switch (message.kind) {
      case 'ready':
        return this.#refresh();
      case 'window':
        this.#window = message;
        return this.#rows();
      case 'summary':
        this.#summary = message.shown;
        this.#window = { ...this.#window, filter: message.filter };
        if (message.shown) await this.#sum();
        return;
      case 'go':
        return this.#go(message.sequence);
      case 'travel': {
        if (!this.#guest.stopped) throw new Error('The guest runs. Pause it first: one travels from where it stands.');
        await this.#guest.session?.customRequest('unikernel/seek', { traceSequence: message.sequence });
        return;
      }
      case 'provider':
        await vscode.commands.executeCommand(commands.whichLibrary, message.name);
        return;
      case 'settings':
        await vscode.commands.executeCommand('workbench.action.openSettings', 'unikernel.debug.trace');
    }
  }

  async #refresh(): Promise<void> {
    await this.#rows();
    if (this.#summary) await this.#sum();
  }

  async #rows(): Promise<void> {
    if (this.#view === undefined) return;
    const { filter, start, count } = this.#window;
    const answer = await this.#guest.ask('unikernel/traceRows', { filter, start, count });
    if (answer === undefined) {
      this.post({ kind: 'empty', text: 'No session is running. Start one to see its system calls here.', settings: false });
      return;
    }
    if (answer.recorded === 0) {
      const text = 'No system call yet. What is recorded is set by "trace" in launch.json, or by the settings.';
      this.post({ kind: 'empty', text, settings: true });
      return;
    }
    this.post({ kind: 'rows', filter, stopped: this.#guest.stopped, ...answer });
    const asked = this.#window;
    if (answer.partial)
      setTimeout(() => {
        if (this.#window === asked) void this.#rows();
      }, partialPause);
  }

  async #sum(): Promise<void> {
    const answer = await this.#guest.ask('unikernel/syscallSummary', { filter: this.#window.filter });
    this.post({ kind: 'summary', rows: answer?.rows ?? [] });
  }

  /** Shows the code that an event came from. */
  async #go(sequence: number): Promise<void> {
    const answer = await this.#guest.ask('unikernel/eventPlace', { sequence });
    const { place, function: name } = answer ?? {};
    const file = place === undefined ? '' : `, ${place.path.slice(place.path.lastIndexOf('/') + 1)}:${place.line}`;
    this.post({ kind: 'place', sequence, text: name === undefined ? 'no longer kept' : `${name}${file}` });
    if (place !== undefined) await openPlace(place);
  }

  async export(): Promise<void> {
    const formats = [
      { label: 'strace text', description: 'as strace -f -tt prints', format: 'strace', extension: 'txt' },
      { label: 'Chrome trace JSON', description: 'for ui.perfetto.dev and chrome://tracing', format: 'chrome', extension: 'json' },
    ] as const;
    const picked = await vscode.window.showQuickPick(formats, { title: 'Export Trace' });
    if (picked === undefined) return;
    const { filter } = this.#window;
    const answer = await this.#guest.ask('unikernel/exportTrace', { format: picked.format, ...(filter === '' ? {} : { filter }) });
    if (answer === undefined) throw new Error('There is no session to export a trace of. Start one first.');
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    const target = await vscode.window.showSaveDialog({
      ...(folder === undefined ? {} : { defaultUri: vscode.Uri.joinPath(folder, `trace.${picked.extension}`) }),
      filters: { [picked.label]: [picked.extension] },
    });
    if (target === undefined) return;
    await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(answer.text));
    await vscode.window.showTextDocument(target);
  }
}
