/** The session that the guest views show: the active one of our type, with a pulse when it stops and now and then while it runs. */
import * as vscode from 'vscode';
import { type CustomRequests } from '../../debug-adapter/dap/custom';
import { type Context } from '../context';
import { debugType } from '../manifest';
import { fileAt } from './places';

/** While the guest runs, views look at it no more often than this. */
const runningInterval = 1000;
/** Events that come together are one change. */
const settle = 50;

interface ProtocolMessage {
  readonly type?: string;
  readonly event?: string;
}

/** One for each view, so that a hidden view asks for nothing. */
export class GuestSession implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<void>();
  /** The guest stopped, went on, or may have changed; or another session is shown. */
  readonly onDidChange = this.#changed.event;
  readonly #subscriptions: vscode.Disposable[] = [];
  readonly #stopped = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #visible = false;

  /** @param live whether to look while the guest runs. */
  constructor(private readonly live: boolean) {
    this.#subscriptions.push(
      vscode.debug.registerDebugAdapterTrackerFactory(debugType, {
        createDebugAdapterTracker: (session) => ({
          onDidSendMessage: (message: unknown) => this.#observe(session, message as ProtocolMessage),
        }),
      }),
      vscode.debug.onDidChangeActiveDebugSession(() => this.#soon(settle)),
      vscode.debug.onDidChangeActiveStackItem(() => this.#soon(settle)),
      vscode.debug.onDidTerminateDebugSession((session) => {
        this.#stopped.delete(session.id);
        this.#soon(settle);
      }),
    );
  }

  get session(): vscode.DebugSession | undefined {
    const session = vscode.debug.activeDebugSession;
    return session?.type === debugType ? session : undefined;
  }

  get stopped(): boolean {
    return this.session !== undefined && this.#stopped.has(this.session.id);
  }

  /** Frame chosen in the call stack. */
  get frame(): number | undefined {
    const item = vscode.debug.activeStackItem;
    return item instanceof vscode.DebugStackFrame && item.session.id === this.session?.id ? item.frameId : undefined;
  }

  /** A view comes into sight, or goes. */
  show(visible: boolean): void {
    this.#visible = visible;
    if (visible) this.#soon(0);
  }

  /** Sends one of our own requests; undefined where there is no session, or it cannot answer now. */
  async ask<K extends keyof CustomRequests>(command: K, args?: CustomRequests[K][0]): Promise<CustomRequests[K][1] | undefined> {
    return this.request<CustomRequests[K][1]>(command, args);
  }

  /** Sends any request; undefined where there is no session, or it cannot answer now. */
  async request<T>(command: string, args?: unknown): Promise<T | undefined> {
    try {
      return (await this.session?.customRequest(command, args)) as T | undefined;
    } catch {
      // The guest went on, or the session ended, in the meantime: the next pulse shows it.
      return undefined;
    }
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#changed.dispose();
    for (const each of this.#subscriptions) each.dispose();
  }

  #observe(session: vscode.DebugSession, { type, event }: ProtocolMessage): void {
    if (type !== 'event') return;
    if (event === 'stopped') this.#stopped.add(session.id);
    else if (event === 'continued') this.#stopped.delete(session.id);
    else if (event !== 'invalidated' && event !== 'memory') return;
    this.#soon(settle);
  }

  #soon(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (!this.#visible) return;
      this.#changed.fire();
      if (this.live && this.session !== undefined && !this.stopped) this.#soon(runningInterval);
    }, milliseconds);
  }
}

/** A tree view with its own look at the session. */
export function guestView<T>(
  context: Context,
  id: string,
  live: boolean,
  make: (guest: GuestSession) => vscode.TreeDataProvider<T>,
): { readonly guest: GuestSession; readonly view: vscode.TreeView<T> } {
  const guest = context.own(new GuestSession(live));
  const view = context.own(vscode.window.createTreeView(id, { treeDataProvider: make(guest), showCollapseAll: false }));
  context.own(view.onDidChangeVisibility(({ visible }) => guest.show(visible)));
  guest.show(view.visible);
  return { guest, view };
}

/** Opens a source file at a place, without taking it for a change of the stack. */
export async function openPlace(place: { readonly path: string; readonly line: number; readonly column: number }): Promise<void> {
  const at = new vscode.Position(place.line - 1, Math.max(place.column - 1, 0));
  await vscode.window.showTextDocument(fileAt(place.path), { selection: new vscode.Range(at, at), preserveFocus: true });
}

/** `1.25 ms` of nanoseconds. */
export function duration(nanoseconds: number): string {
  if (nanoseconds < 1000) return `${Math.round(nanoseconds)} ns`;
  if (nanoseconds < 1e6) return `${(nanoseconds / 1e3).toPrecision(3)} µs`;
  if (nanoseconds < 1e9) return `${(nanoseconds / 1e6).toPrecision(3)} ms`;
  return `${(nanoseconds / 1e9).toPrecision(4)} s`;
}
