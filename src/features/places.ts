/** Files by the paths that launch configurations and debug information name them with. */
import * as vscode from 'vscode';

/** The file of a path: this machine's, or one in the file system of the first folder where the editor has no machine behind it. */
export function fileAt(path: string): vscode.Uri {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  return folder === undefined || folder.scheme === 'file' ? vscode.Uri.file(path) : folder.with({ path });
}
