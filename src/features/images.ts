/** Finds bootable images in a folder, where upstream's make, kraft and our own builder put them. */
import * as vscode from 'vscode';

/** `NAME_qemu-x86_64` and its like; the symbol file `.dbg` and other by-products stand beside it. */
const pattern = '**/*_{qemu,fc,kvm,firecracker}-x86_64';
const excluded = '**/{node_modules,.git}/**';
const mostImages = 50;

/** Image files of a folder, newest first. */
export async function findImages(folder: vscode.WorkspaceFolder): Promise<readonly vscode.Uri[]> {
  const found = await vscode.workspace.findFiles(new vscode.RelativePattern(folder, pattern), excluded, mostImages);
  const dated = await Promise.all(found.map(async (uri) => ({ uri, time: (await vscode.workspace.fs.stat(uri)).mtime })));
  return dated.sort((a, b) => b.time - a.time).map(({ uri }) => uri);
}
