/** Entry of the extension in a browser without a machine behind it: the languages of Kconfig, with their server in a web worker. */
import type * as vscode from 'vscode';
import { Context } from './context';
import { registerLanguage } from './features/language';
import { workerHost } from './features/language-host.browser';

export function activate(extension: vscode.ExtensionContext): void {
  const context = new Context(extension);
  registerLanguage(context, workerHost(context));
}
