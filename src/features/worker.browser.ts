/** Web workers from the extension's package. Its files may lie at another origin, from which no worker may be started: they are read, and started from a blob. */
import * as vscode from 'vscode';
import { type Context } from '../context';

/** A file of dist/. */
export async function packagedFile(context: Context, name: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await vscode.workspace.fs.readFile(context.resource('dist', name)));
}

/** A script of dist/. */
export async function packagedBlob(context: Context, name: string): Promise<Blob> {
  return new Blob([await packagedFile(context, name)], { type: 'text/javascript' });
}

/** Starts a script of dist/. */
export async function startWorker(context: Context, name: string): Promise<Worker> {
  const address = URL.createObjectURL(await packagedBlob(context, name));
  return new Worker(address);
}
