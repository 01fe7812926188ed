/** Starts the language server as a process of its own. */
import { type ServerOptions } from 'vscode-languageclient/node';
import { type Context } from '../context';
import { type LanguageHost } from './language';

export function processHost(context: Context): LanguageHost {
  return {
    scheme: 'file',
    async client(options) {
      // The client is the larger part of the extension's code, and many sessions never need it.
      const { LanguageClient, TransportKind } = await import('vscode-languageclient/node');
      const module = context.resource('dist', 'language-server.js').fsPath;
      const run = { module, transport: TransportKind.ipc };
      const serverOptions: ServerOptions = { run, debug: { ...run, options: { execArgv: ['--nolazy', '--inspect=6019'] } } };
      return new LanguageClient('unikernel.kconfig', 'Unikernel Kconfig', serverOptions, options);
    },
  };
}
