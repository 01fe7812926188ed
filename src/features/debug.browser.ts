/** F5 in an editor with no machine behind it: the adapter in a web worker, which is given the workspace's files, and an image that lies in the folder. */
import * as vscode from 'vscode';
import { type AdapterStart, type FileAnswer, type FromAdapter, type ToAdapter } from '../../debug-adapter/dap/browser-messages';
import { type Context } from '../context';
import { debugType } from '../manifest';
import { configurationFor, pickImage, registerConfigurations } from './configurations';
import { findImages } from './images';
import { fileAt } from './places';
import { packagedBlob, packagedFile, startWorker } from './worker.browser';

/** What disassembles in the machine's worker. */
const disassembler = 'iced_x86_bg.wasm';

export function registerDebug(context: Context): void {
  context.own(
    vscode.debug.registerDebugAdapterDescriptorFactory(debugType, {
      createDebugAdapterDescriptor: async ({ configuration }) => {
        if (configuration.request === 'attach' && configuration['port'] !== undefined)
          throw new Error('An editor in the browser cannot attach to a port: open the folder in a desktop or remote VS Code.');
        return new vscode.DebugAdapterInlineImplementation(await WorkerAdapter.start(context));
      },
    }),
  );
  registerConfigurations(context, async (folder) => {
    const ready = folder === undefined ? [] : await findImages(folder);
    const image = ready.length === 1 ? ready[0] : await pickImage();
    return image && configurationFor(image, folder);
  });
}

/** Passes the protocol on to the adapter's worker, which knows files by path alone, and answers what it asks of the workspace. */
class WorkerAdapter implements vscode.DebugAdapter {
  readonly #sent = new vscode.EventEmitter<vscode.DebugProtocolMessage>();
  readonly onDidSendMessage = this.#sent.event;

  private constructor(private readonly worker: Worker) {
    worker.onmessage = ({ data }: MessageEvent<FromAdapter>) => {
      if (data.kind === 'protocol') this.#sent.fire(withSources(data.message, uriOf) as vscode.DebugProtocolMessage);
      else void answer(data.kind, data.id, data.path).then((reply) => this.#post(reply));
    };
  }

  static async start(context: Context): Promise<WorkerAdapter> {
    const [worker, machine, compiler, handlers, iced] = await Promise.all([
      startWorker(context, 'adapter-browser.js'),
      packagedBlob(context, 'worker-browser.js'),
      packagedBlob(context, 'compiler-browser.js'),
      packagedFile(context, 'handlers.wasm'),
      packagedFile(context, disassembler),
    ]);
    const adapter = new WorkerAdapter(worker);
    const start: AdapterStart = { machine, compiler, handlers, files: new Map([[disassembler, iced]]) };
    adapter.#post({ kind: 'start', start });
    return adapter;
  }

  handleMessage(message: vscode.DebugProtocolMessage): void {
    this.#post({ kind: 'protocol', message: withSources(message, pathOf) });
  }

  dispose(): void {
    this.worker.terminate();
    this.#sent.dispose();
  }

  #post(message: ToAdapter): void {
    this.worker.postMessage(message);
  }
}

async function answer(kind: 'read' | 'stat', id: number, path: string): Promise<FileAnswer> {
  const file = fileAt(path);
  try {
    if (kind === 'read') return { kind: 'file', id, exists: true, bytes: new Uint8Array(await vscode.workspace.fs.readFile(file)) };
    await vscode.workspace.fs.stat(file);
    return { kind: 'file', id, exists: true };
  } catch (error) {
    return { kind: 'file', id, exists: false, error: error instanceof Error ? error.message : String(error) };
  }
}

const uriOf = (path: string): string => (path.startsWith('/') ? fileAt(path).toString() : path);
const pathOf = (text: string): string => (/^[a-z][a-z0-9+.-]+:/i.test(text) ? vscode.Uri.parse(text).path : text);

/** A copy of a message in which the paths of all sources are written another way. */
function withSources(value: unknown, rewrite: (path: string) => string, isSource = false): unknown {
  if (Array.isArray(value)) return value.map((each) => withSources(each, rewrite, isSource));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]: [string, unknown]) => [
      name,
      isSource && name === 'path' && typeof each === 'string'
        ? rewrite(each)
        : withSources(each, rewrite, name === 'source' || name === 'sources'),
    ]),
  );
}
