/** Entry of the extension: makes the context and registers the features. */
import type * as vscode from 'vscode';
import { Context } from './context';
import { registerBuild } from './features/build';
import { registerConfigEditor } from './features/config-editor';
import { registerConsole } from './features/console';
import { registerDebug } from './features/debug';
import { registerExample } from './features/example';
import { registerGraphView } from './features/graph-view';
import { registerLanguage } from './features/language';
import { processHost } from './features/language-host.node';
import { registerLibraryPage } from './features/library-page';
import { registerNewProject } from './features/new-project';
import { registerPoolFetch } from './features/pool-fetch';
import { registerPoolIndex } from './features/pool-index';
import { registerPoolView } from './features/pool-view';
import { registerRegistersView } from './features/registers-view';
import { registerSyscallsView } from './features/syscalls-view';
import { registerThreadsView } from './features/threads-view';
import { PoolWorkspace } from './features/pool-workspace';
import { registerSizesView } from './features/sizes-view';
import { registerStatus } from './features/status';
import { registerTasks } from './features/tasks';
import { registerTravel } from './features/travel';

/** What the tests read. */
export interface Exports {
  readonly activationMilliseconds: number;
}

export function activate(extension: vscode.ExtensionContext): Exports {
  const started = performance.now();
  const context = new Context(extension);
  const workspace = new PoolWorkspace(context);
  const builder = registerBuild(context, workspace);
  registerDebug(context, workspace, builder);
  registerConsole(context);
  registerExample(context);
  registerLanguage(context, processHost(context));
  registerThreadsView(context);
  registerSyscallsView(context);
  registerRegistersView(context);
  registerTravel(context);
  registerPoolView(context, workspace, builder);
  const sizes = registerSizesView(context, workspace);
  registerConfigEditor(context, workspace, (file, symbol) => sizes.costOf(file, symbol));
  registerLibraryPage(context, workspace, sizes);
  registerPoolIndex(context, workspace);
  registerPoolFetch(context, workspace);
  registerNewProject(context);
  registerGraphView(context, workspace);
  registerTasks(context, workspace);
  registerStatus(context, workspace, builder);
  return { activationMilliseconds: performance.now() - started };
}
