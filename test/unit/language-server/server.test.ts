/** The server as a process of its own, over its standard streams, on a small project on disk. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CancellationTokenSource } from 'vscode-jsonrpc/node';
import { type CompletionList, type Hover, type Location, type WorkspaceEdit } from 'vscode-languageserver-types';
import { marked } from '../kconfig/features/cursor';
import { startServerProcess, type ServerProcess } from './protocol';

const files: Readonly<Record<string, string>> = {
  '.unikraft/unikraft/Config.uk':
    "mainmenu \"Test\"\nsource \"$(shell,$(UK_BASE)/support/build/config-submenu.sh -q -o '$(KCONFIG_DIR)/libs.uk' -r '$(KCONFIG_LIB_BASE)')\"\nsource \"$(shell,$(UK_BASE)/support/build/config-submenu.sh -q -o '$(KCONFIG_DIR)/app.uk' -l '$(KCONFIG_EAPP_DIR)')\"\n",
  '.unikraft/unikraft/version.mk': 'UK_VERSION = 0\n',
  '.unikraft/unikraft/lib/uknet/Config.uk': 'config LIBUKNET\n\tbool "net: network"\n\thelp\n\t  Devices.\n',
  '.unikraft/unikraft/lib/uknet/Makefile.uk': '$(eval $(call addlib_s,libuknet,$(CONFIG_LIBUKNET)))\n',
  '.unikraft/unikraft/lib/uknet/net.c': '#if CONFIG_LIBUKNET\n#endif /* CONFIG_LIBUKNET_X */\n',
  '.unikraft/unikraft/lib/uknet/link.lds.S': 'ASSERT(CONFIG_LIBUKNET, "x")\n',
  Kraftfile: 'spec: v0.6\nunikraft:\n  version: stable\n  kconfig:\n    CONFIG_LIBUKNET: y\ntargets:\n  - qemu/x86_64\n',
  'Config.uk': 'config APP\n\tbool "app"\n\tselect LIBUKNET\n',
  'Makefile.uk': '$(eval $(call addlib,appx))\nAPPX_SRCS-$(CONFIG_LIBUKNET) += x.c\n',
  defconfig: 'CONFIG_LIBUKNET=y\n',
  '.config': 'CONFIG_APP=y\nCONFIG_LIBUKNET=y\n',
};

describe('the language server as a process', function () {
  this.timeout(60_000);
  let root: string;
  let server: ServerProcess;
  const uri = (name: string): string => `file://${root}/${name}`;
  const ask = <T>(method: string, name: string, position: { line: number; character: number }, more: object = {}): Promise<T> =>
    server.connection.sendRequest<T>(`textDocument/${method}`, { textDocument: { uri: uri(name) }, position, ...more });
  const openDocument = (name: string, text: string): Promise<void> =>
    server.connection.sendNotification('textDocument/didOpen', { textDocument: { uri: uri(name), languageId: 'x', version: 1, text } });

  before(async () => {
    root = realpathSync(mkdtempSync(path.join(tmpdir(), 'kconfig-server-')));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      writeFileSync(path.join(root, name), text);
    }
    server = startServerProcess();
    const { capabilities } = await server.connection.sendRequest<{ capabilities: Record<string, unknown> }>('initialize', {
      processId: process.pid,
      rootUri: null,
      workspaceFolders: [{ uri: `file://${root}`, name: 'w' }],
      capabilities: {},
    });
    assert.ok(capabilities['hoverProvider'] && capabilities['renameProvider'] && capabilities['inlayHintProvider']);
    await server.connection.sendNotification('initialized', {});
  });

  after(async () => {
    const status = await server.stop();
    rmSync(root, { recursive: true, force: true });
    assert.equal(status, 0);
    assert.deepEqual(server.log, []);
  });

  it('hovers over an option with its value and reason', async () => {
    await openDocument('Config.uk', files['Config.uk']!);
    const hover = await ask<Hover>('hover', 'Config.uk', { line: 2, character: 10 });
    const { value } = hover.contents as { value: string };
    assert.match(value, /CONFIG_LIBUKNET.*net: network/);
    assert.match(value, /now `y`: selected by APP/);
    assert.match(value, /Devices\./);
  });

  it('completes on text that was never saved', async () => {
    const { text, offset } = marked('config APP\n\tbool "app"\n\tselect LIB$0\n');
    await server.connection.sendNotification('textDocument/didChange', {
      textDocument: { uri: uri('Config.uk'), version: 2 },
      contentChanges: [{ text }],
    });
    const before = text.slice(0, offset).split('\n');
    const { items } = await ask<CompletionList>('completion', 'Config.uk', { line: before.length - 1, character: before.at(-1)!.length });
    const item = items.find(({ label }) => label === 'LIBUKNET');
    assert.deepEqual(item?.textEdit && 'range' in item.textEdit && item.textEdit.range, {
      start: { line: 2, character: 8 },
      end: { line: 2, character: 11 },
    });
    await server.connection.sendNotification('textDocument/didChange', {
      textDocument: { uri: uri('Config.uk'), version: 3 },
      contentChanges: [{ text: files['Config.uk']! }],
    });
  });

  it('publishes what is wrong, and takes it back', async () => {
    await server.connection.sendNotification('textDocument/didChange', {
      textDocument: { uri: uri('Config.uk'), version: 4 },
      contentChanges: [{ range: { start: { line: 2, character: 8 }, end: { line: 2, character: 16 } }, text: 'LIBUKNTE' }],
    });
    const found = await server.diagnosticsOf(uri('Config.uk'), ({ version }) => version === 4);
    assert.deepEqual(
      found.diagnostics.map(({ code, range }) => [code, range]),
      [['undefined-symbol', { start: { line: 2, character: 8 }, end: { line: 2, character: 16 } }]],
    );
    const actions = await server.connection.sendRequest<{ title: string; edit: WorkspaceEdit }[]>('textDocument/codeAction', {
      textDocument: { uri: uri('Config.uk') },
      range: found.diagnostics[0]!.range,
      context: { diagnostics: found.diagnostics },
    });
    assert.ok(actions.some(({ title }) => title === 'Change to LIBUKNET'));
    await server.connection.sendNotification('textDocument/didChange', {
      textDocument: { uri: uri('Config.uk'), version: 5 },
      contentChanges: [{ text: files['Config.uk']! }],
    });
    await server.diagnosticsOf(uri('Config.uk'), ({ version, diagnostics }) => version === 5 && diagnostics.length === 0);
  });

  it('goes from C to the definition', async () => {
    const name = '.unikraft/unikraft/lib/uknet/net.c';
    await openDocument(name, files[name]!);
    const places = await ask<Location[]>('definition', name, { line: 0, character: 8 });
    assert.deepEqual(places, [
      { uri: uri('.unikraft/unikraft/lib/uknet/Config.uk'), range: { start: { line: 0, character: 7 }, end: { line: 0, character: 15 } } },
    ]);
    assert.deepEqual(await ask<Location[]>('definition', name, { line: 0, character: 1 }), []);
  });

  it('renames in every language at once', async () => {
    const edit = await ask<WorkspaceEdit>('rename', 'Config.uk', { line: 2, character: 10 }, { newName: 'LIBNETWORK' });
    const renamed = Object.entries(edit.changes ?? {})
      .map(([file, edits]) => `${file.slice(`file://${root}/`.length)}: ${edits.map(({ newText }) => newText).join(' ')}`)
      .sort();
    assert.deepEqual(renamed, [
      '.config: CONFIG_LIBNETWORK',
      '.unikraft/unikraft/lib/uknet/Config.uk: LIBNETWORK',
      '.unikraft/unikraft/lib/uknet/Makefile.uk: CONFIG_LIBNETWORK',
      '.unikraft/unikraft/lib/uknet/link.lds.S: CONFIG_LIBNETWORK',
      '.unikraft/unikraft/lib/uknet/net.c: CONFIG_LIBNETWORK',
      'Config.uk: LIBNETWORK',
      'Kraftfile: CONFIG_LIBNETWORK',
      'Makefile.uk: CONFIG_LIBNETWORK',
      'defconfig: CONFIG_LIBNETWORK',
    ]);
    await assert.rejects(ask('rename', 'Config.uk', { line: 2, character: 10 }, { newName: 'APP' }), /There is an option APP already/);
  });

  it('answers requests that are taken back, and unknown documents', async () => {
    const source = new CancellationTokenSource();
    const taken = server.connection.sendRequest(
      'textDocument/references',
      { textDocument: { uri: uri('Config.uk') }, position: { line: 2, character: 10 }, context: { includeDeclaration: true } },
      source.token,
    );
    source.cancel();
    // A server may be done before it hears that nobody wants the answer any more.
    const outcome: unknown = await taken.catch((error: unknown) => error);
    if (!Array.isArray(outcome)) assert.equal((outcome as { readonly code?: number }).code, -32800, String(outcome));
    assert.equal(await ask('hover', 'nowhere.uk', { line: 0, character: 0 }), null);
    assert.equal(await ask('hover', 'Config.uk', { line: 9999, character: 9999 }), null);
  });

  it('speaks of Kraftfiles and configurations', async () => {
    await openDocument('Kraftfile', files['Kraftfile']!);
    const hover = await ask<Hover>('hover', 'Kraftfile', { line: 4, character: 12 });
    assert.match((hover.contents as { value: string }).value, /LIBUKNET/);
    await openDocument('defconfig', 'CONFIG_LIBUKNTE=y\n');
    const { diagnostics } = await server.diagnosticsOf(uri('defconfig'));
    assert.deepEqual(
      diagnostics.map(({ code }) => code),
      ['config-unknown-symbol'],
    );
  });
});
