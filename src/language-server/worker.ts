/** Entry of the language server as a web worker: the editor tells it of files, as there are none to read, and no commands are run. */
import { BrowserMessageReader, BrowserMessageWriter, createConnection } from 'vscode-languageserver/browser';
import { filesNotification, type FilesMessage } from '../shared/language-messages';
import { SnapshotFiles } from '../shared/snapshot-files';
import { startServer } from './server';

/** The worker's scope; the types of the page know only the window. */
declare const self: ConstructorParameters<typeof BrowserMessageReader>[0];

const files = new SnapshotFiles();
const connection = createConnection(new BrowserMessageReader(self), new BrowserMessageWriter(self));
connection.onNotification(filesNotification, (message: FilesMessage) => {
  for (const { path, text } of message.files) files.put(path, text);
  for (const path of message.removed ?? []) files.remove(path);
});
startServer(connection, { files });
