/** Starts the language server as a web worker, and tells it of the workspace's files, as it can read none. */
import * as vscode from 'vscode';
import { type BaseLanguageClient } from 'vscode-languageclient';
import { LanguageClient } from 'vscode-languageclient/browser';
import { type Context } from '../context';
import { filesNotification, type FilesMessage } from '../shared/language-messages';
import { type LanguageHost } from './language';
import { startWorker } from './worker.browser';

/** What the server asks for: trees, configurations, project files, and the code that names options. */
const wanted =
  '**/{Config.uk,Makefile.uk,Makefile,Kconfig*,Kraftfile,kraft.yaml,version.mk,.config,defconfig,*_defconfig,*.c,*.h,*.S,*.lds}';
const mostFiles = 20_000;
/** Files are read and sent so many at a time. */
const batch = 100;

export function workerHost(context: Context): LanguageHost {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  // The server knows paths; here they lie in the first folder's file system.
  const uriConverters = {
    code2Protocol: (uri: vscode.Uri): string => uri.with({ scheme: 'file', authority: '' }).toString(),
    protocol2Code: (text: string): vscode.Uri => {
      const { path } = vscode.Uri.parse(text);
      return folder ? folder.with({ path }) : vscode.Uri.parse(text);
    },
  };
  return {
    scheme: folder?.scheme ?? 'file',
    async client(options) {
      const worker = await startWorker(context, 'language-server-worker.js');
      return new LanguageClient('unikernel.kconfig', 'Unikernel Kconfig', worker, { ...options, uriConverters });
    },
    async ready(client) {
      const watcher = context.own(vscode.workspace.createFileSystemWatcher(wanted));
      const changed = (uri: vscode.Uri): void => void send(client, [uri]);
      context.own(watcher.onDidChange(changed));
      context.own(watcher.onDidCreate(changed));
      context.own(watcher.onDidDelete((uri) => void tell(client, { files: [], removed: [uri.path] })));
      const found = await vscode.workspace.findFiles(wanted, undefined, mostFiles);
      for (let from = 0; from < found.length; from += batch) await send(client, found.slice(from, from + batch));
    },
  };
}

async function send(client: BaseLanguageClient, uris: readonly vscode.Uri[]): Promise<void> {
  const decoder = new TextDecoder();
  const read = await Promise.allSettled(
    uris.map(async (uri) => ({ path: uri.path, text: decoder.decode(await vscode.workspace.fs.readFile(uri)) })),
  );
  const files = read.filter((one) => one.status === 'fulfilled').map(({ value }) => value);
  await tell(client, { files });
}

/** Tells of files, and then that they have changed, so that what was computed without them is computed again. */
async function tell(client: BaseLanguageClient, message: FilesMessage): Promise<void> {
  await client.sendNotification(filesNotification, message);
  const paths = [...message.files.map(({ path }) => path), ...(message.removed ?? [])];
  const changes = paths.map((path) => ({ uri: vscode.Uri.file(path).toString(), type: 2 }));
  await client.sendNotification('workspace/didChangeWatchedFiles', { changes });
}
