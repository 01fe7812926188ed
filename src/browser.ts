/** Entry of the extension in a browser without a machine behind it: the languages of Kconfig and the debugger, each with its server in a web worker. */
import * as vscode from 'vscode';
import { Context } from './context';
import { registerConsole } from './features/console';
import { registerDebug } from './features/debug.browser';
import { registerLanguage } from './features/language';
import { workerHost } from './features/language-host.browser';
import { registerRegistersView } from './features/registers-view';
import { registerSyscallsView } from './features/syscalls-view';
import { registerThreadsView } from './features/threads-view';
import { registerTravel } from './features/travel';
import { inBrowser } from './manifest';

export function activate(extension: vscode.ExtensionContext): void {
  const context = new Context(extension);
  // What needs a machine with its files and programs is not offered.
  void vscode.commands.executeCommand('setContext', inBrowser, true);
  registerLanguage(context, workerHost(context));
  registerDebug(context);
  registerConsole(context);
  registerThreadsView(context);
  registerSyscallsView(context);
  registerRegistersView(context);
  registerTravel(context);
}
