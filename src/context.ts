/** What every feature is given: the extension's place, its log, its settings, and the list of what to dispose of. */
import * as vscode from 'vscode';
import { type SettingName, type SettingTypes } from './manifest';

export class Context {
  #log: vscode.OutputChannel | undefined;

  constructor(readonly extension: vscode.ExtensionContext) {}

  /** The output channel; made when something is first written, as that costs more than all the rest of an activation. */
  get log(): vscode.OutputChannel {
    this.#log ??= this.own(vscode.window.createOutputChannel('Unikernel Workbench'));
    return this.#log;
  }

  /** Disposes of it when the extension is deactivated. */
  own<T extends vscode.Disposable>(disposable: T): T {
    this.extension.subscriptions.push(disposable);
    return disposable;
  }

  /** Registers a command; what it throws is logged and shown as one message. */
  command(id: string, run: (...args: unknown[]) => unknown): void {
    this.own(
      vscode.commands.registerCommand(id, async (...args: unknown[]) => {
        try {
          return await run(...args);
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error);
          this.log.appendLine(`${id}: ${message}`);
          void vscode.window.showErrorMessage(message);
          return undefined;
        }
      }),
    );
  }

  setting<K extends SettingName>(name: K, scope?: vscode.ConfigurationScope): SettingTypes[K] {
    return vscode.workspace.getConfiguration('unikernel', scope).get(name) as SettingTypes[K];
  }

  /** A file or folder of the installed extension. */
  resource(...path: string[]): vscode.Uri {
    return vscode.Uri.joinPath(this.extension.extensionUri, ...path);
  }
}
