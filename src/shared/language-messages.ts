/** What the editor tells a language server that runs in a web worker, where there are no files to read. */

/** The notification's method. */
export const filesNotification = 'unikernel/files';

/** Files that came, changed or went; paths are absolute. */
export interface FilesMessage {
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly removed?: readonly string[];
}
