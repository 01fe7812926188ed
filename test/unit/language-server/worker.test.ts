/** The language server as a web worker: bundled for the browser, run where there is neither Node nor a file system. */
import assert from 'node:assert/strict';
import vm from 'node:vm';
import { build } from 'esbuild';
import { filesNotification } from '../../../src/shared/language-messages';
import { SnapshotFiles } from '../../../src/shared/snapshot-files';

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
  readonly params?: unknown;
}

/** What a dedicated worker's global scope offers to the server, and the page's side of it. */
class WorkerScope {
  private readonly answers = new Map<number, (message: Message) => void>();
  private readonly notified: ((message: Message) => void)[] = [];
  private next = 1;
  private onmessage: ((event: { readonly data: unknown }) => void) | undefined;

  constructor(script: string) {
    const scope: Record<string, unknown> = {
      postMessage: (message: Message) => this.receive(structuredClone(message)),
      addEventListener: (type: string, listener: (event: { readonly data: unknown }) => void) => {
        if (type === 'message') this.onmessage = listener;
      },
      ...{ setTimeout, clearTimeout, setInterval, clearInterval, queueMicrotask, performance, console, TextEncoder, TextDecoder, URL },
    };
    scope['self'] = scope;
    Object.defineProperty(scope, 'onmessage', { set: (listener: WorkerScope['onmessage']) => (this.onmessage = listener) });
    vm.runInNewContext(script, scope, { filename: 'language-server-worker.js' });
  }

  private receive(message: Message): void {
    if (message.id !== undefined && message.method === undefined) this.answers.get(message.id)?.(message);
    else if (message.id !== undefined) this.post({ id: message.id, result: null });
    else for (const listener of this.notified) listener(message);
  }

  private post(message: Message): void {
    this.onmessage?.({ data: { jsonrpc: '2.0', ...message } });
  }

  notify(method: string, params: unknown): void {
    this.post({ method, params });
  }

  request(method: string, params: unknown): Promise<unknown> {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.answers.set(id, ({ result, error }) => (error ? reject(new Error(error.message)) : resolve(result)));
      this.post({ id, method, params });
    });
  }

  /** The next notification for which `fits` holds. */
  notification(fits: (message: Message) => boolean): Promise<Message> {
    return new Promise((resolve) => {
      this.notified.push((message) => {
        if (fits(message)) resolve(message);
      });
    });
  }
}

const root = 'file:///w/app';
const options = 'menu "Application"\nconfig APP_FAST\n\tbool "Fast"\n\tdepends on LIBFAST\nendmenu\nsource "lib.uk"\n';
const library = 'config LIBFAST\n\tbool "The fast library"\n\tdefault y\n\thelp\n\t  Makes it fast.\n';

describe('the language server in a web worker', function () {
  this.timeout(60_000);
  let script = '';

  before(async () => {
    const { outputFiles } = await build({
      entryPoints: ['src/language-server/worker.ts'],
      bundle: true,
      write: false,
      platform: 'browser',
      format: 'iife',
      target: 'es2022',
      logLevel: 'silent',
    });
    script = outputFiles[0]!.text;
  });

  it('is bundled without anything of Node', () => {
    assert.doesNotMatch(script, /require\("(?:node:)?(?:fs|path|child_process|net|os|util|crypto|stream)"\)/);
    assert.doesNotMatch(script, /from"node:/);
  });

  it('answers about files that it was told of', async () => {
    const worker = new WorkerScope(script);
    const capabilities = { workspace: {}, textDocument: {} };
    await worker.request('initialize', { processId: null, rootUri: root, capabilities, workspaceFolders: [{ uri: root, name: 'app' }] });
    worker.notify('initialized', {});
    const files = [
      { path: '/w/app/Config.uk', text: options },
      { path: '/w/app/lib.uk', text: library },
    ];
    worker.notify(filesNotification, { files });
    const uri = `${root}/Config.uk`;
    const published = worker.notification(({ method }) => method === 'textDocument/publishDiagnostics');
    worker.notify('textDocument/didOpen', { textDocument: { uri, languageId: 'kconfig', version: 1, text: `${options}\tnonsense\n` } });
    assert.match(JSON.stringify((await published).params), /nonsense|syntax/);
    const position = { line: 3, character: 15 };
    const hover = await worker.request('textDocument/hover', { textDocument: { uri }, position });
    assert.match(JSON.stringify(hover), /The fast library/);
    const definition = await worker.request('textDocument/definition', { textDocument: { uri }, position });
    assert.match(JSON.stringify(definition), /lib\.uk/);
    const completion = await worker.request('textDocument/completion', { textDocument: { uri }, position });
    assert.match(JSON.stringify(completion), /LIBFAST/);
    await worker.request('shutdown', undefined);
  });
});

describe('files that were told of', () => {
  it('come with their folders and go with them', () => {
    const files = new SnapshotFiles();
    files.put('/w/a/b.c', 'x');
    files.put('/w/c', 'y');
    assert.deepEqual(
      [files.kind('/w'), files.kind('/w/a'), files.kind('/w/a/b.c'), files.kind('/x')],
      ['directory', 'directory', 'file', undefined],
    );
    assert.deepEqual([files.list('/w'), files.list('/'), files.readText('/w/c')], [['a', 'c'], ['w'], 'y']);
    files.remove('/w/a/b.c');
    assert.deepEqual([files.kind('/w/a'), files.list('/w')], [undefined, ['c']]);
  });
});
