/** `Unikernel: Open Example`: a ready-built image with its sources, for a first F5 on a machine without a compiler. */
import * as vscode from 'vscode';
import { type Context } from '../context';
import { commands } from '../manifest';

export function registerExample(context: Context): void {
  context.command(commands.openExample, async (target) => {
    const folder = target instanceof vscode.Uri ? target : await copyExample(context);
    await vscode.commands.executeCommand('vscode.openFolder', folder, { forceNewWindow: vscode.workspace.workspaceFolders !== undefined });
  });
}

/** Copies the example out of the extension, so that the user may edit it; a copy made before is kept as it is. */
async function copyExample(context: Context): Promise<vscode.Uri> {
  const target = vscode.Uri.joinPath(context.extension.globalStorageUri, 'examples', 'hello');
  try {
    await vscode.workspace.fs.stat(target);
  } catch {
    await vscode.workspace.fs.createDirectory(vscode.Uri.joinPath(target, '..'));
    await vscode.workspace.fs.copy(context.resource('dist', 'examples', 'hello'), target);
  }
  return target;
}
