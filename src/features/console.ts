/** The guest's serial console as a terminal: what it prints, and keys for it to read. */
import * as vscode from 'vscode';
import { type Context } from '../context';
import { debugType } from '../manifest';

export function registerConsole(context: Context): void {
  const consoles = new Map<string, GuestConsole>();
  context.own(
    vscode.debug.registerDebugAdapterTrackerFactory(debugType, {
      createDebugAdapterTracker: (session) => {
        if (context.setting('debug.console', session.workspaceFolder) !== 'terminal') return undefined;
        const guest = new GuestConsole(session);
        consoles.set(session.id, guest);
        return { onDidSendMessage: (message: unknown) => guest.observe(message), onWillStopSession: () => guest.ended() };
      },
    }),
  );
  context.own(
    vscode.debug.onDidTerminateDebugSession((session) => {
      consoles.get(session.id)?.ended();
      consoles.delete(session.id);
    }),
  );
}

interface OutputMessage {
  readonly type?: string;
  readonly event?: string;
  readonly body?: { readonly category?: string; readonly output?: string };
}

/** Terminals of guests, for whoever offers something on their lines. */
const terminals = new WeakSet<vscode.Terminal>();

export const isGuestTerminal = (terminal: vscode.Terminal): boolean => terminals.has(terminal);

class GuestConsole implements vscode.Pseudoterminal {
  readonly #write = new vscode.EventEmitter<string>();
  readonly onDidWrite = this.#write.event;
  /** Output from before the terminal was opened. */
  #held: string | undefined = '';
  #terminal: vscode.Terminal | undefined;
  #over = false;

  constructor(private readonly session: vscode.DebugSession) {}

  /** Sees every message of the adapter; the guest's console is the category stdout. */
  observe(message: unknown): void {
    const { type, event, body } = message as OutputMessage;
    if (type !== 'event' || event !== 'output' || body?.category !== 'stdout' || body.output === undefined) return;
    if (this.#terminal === undefined) {
      this.#terminal = vscode.window.createTerminal({
        name: this.session.name,
        pty: this,
        iconPath: new vscode.ThemeIcon('circuit-board'),
      });
      terminals.add(this.#terminal);
      this.#terminal.show(true);
    }
    this.#emit(body.output);
  }

  ended(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#terminal !== undefined) this.#emit('\r\n\x1b[2m[The guest has ended.]\x1b[0m\r\n');
  }

  open(): void {
    const held = this.#held ?? '';
    this.#held = undefined;
    this.#write.fire(held);
  }

  close(): void {
    this.#terminal = undefined;
    this.#held = '';
  }

  handleInput(data: string): void {
    if (this.#over) return;
    void this.session.customRequest('unikernel/consoleInput', { text: data }).then(undefined, (error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      if (!this.#over) this.#emit(`\r\n\x1b[2m[${why}]\x1b[0m\r\n`);
    });
  }

  #emit(text: string): void {
    // A terminal needs carriage returns; guests write them or not.
    const shown = text.replace(/\r?\n/g, '\r\n');
    if (this.#held === undefined) this.#write.fire(shown);
    else this.#held += shown;
  }
}
