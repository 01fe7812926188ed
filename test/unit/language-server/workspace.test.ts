/** The features over a whole project in memory: every language, unsaved texts, trust, generated files, hostile input. */
import assert from 'node:assert/strict';
import { type TextEdit } from 'vscode-languageserver-types';
import { Checker } from '../../../src/language-server/checker';
import { Editing } from '../../../src/language-server/editing';
import { Navigation } from '../../../src/language-server/navigation';
import { Presentation } from '../../../src/language-server/presentation';
import { defaultSettings, readSettings, readStartOptions } from '../../../src/language-server/settings';
import { uriOfPath } from '../../../src/language-server/uri';
import { Workspace, type OpenDocument } from '../../../src/language-server/workspace';
import { marked } from '../kconfig/features/cursor';
import { MemoryFiles } from '../kconfig/memory-files';

const submenu = (out: string, rest: string): string =>
  `source "$(shell,$(UK_BASE)/support/build/config-submenu.sh -q -o '$(KCONFIG_DIR)/${out}' ${rest})"\n`;

const project: Readonly<Record<string, string>> = {
  '/w/.unikraft/unikraft/Config.uk': `mainmenu "Test"\n${submenu('libs.uk', "-r '$(KCONFIG_LIB_BASE)' -c '$(KCONFIG_ELIB_DIRS)'")}${submenu('app.uk', "-l '$(KCONFIG_EAPP_DIR)'")}config STAMP\n\tstring\n\tdefault "$(shell,date)"\n`,
  '/w/.unikraft/unikraft/version.mk': 'UK_VERSION = 0\n',
  '/w/.unikraft/unikraft/lib/net/Config.uk': 'config LIBNET\n\tbool "net"\n',
  '/w/.unikraft/unikraft/lib/net/net.c': '#ifdef CONFIG_LIBNET\n#endif\n',
  '/w/.unikraft/libs/lwip/Config.uk': 'config LIBLWIP\n\tbool "lwip"\n\tdepends on LIBNET\n',
  '/w/.unikraft/libs/musl/Config.uk': 'config LIBMUSL\n\tbool "musl"\n',
  '/w/Kraftfile':
    'spec: v0.6\nunikraft:\n  version: stable\n  kconfig:\n    CONFIG_LIBNET: y\nlibraries:\n  lwip: stable\ntargets:\n  - qemu/x86_64\n',
  '/w/Config.uk': 'config APP\n\tbool "app"\n\tselect LIBNET\n',
  '/w/Makefile.uk': '$(eval $(call addlib,appx))\n\nifeq ($(CONFIG_LIBNET),y)\nAPPX_SRCS-y += \\\n\tnet.c\nendif\n',
  '/w/.config': 'CONFIG_APP=y\nCONFIG_LIBNET=y\n# CONFIG_LIBLWIP is not set\n',
};

class Session {
  readonly files = new MemoryFiles(project);
  readonly commands: string[] = [];
  readonly workspace = new Workspace({
    files: this.files,
    shell: (command) => {
      this.commands.push(command);
      return 'now\n';
    },
  });
  readonly failures: unknown[] = [];
  readonly sent = new Map<string, readonly { readonly code?: unknown }[]>();
  readonly checker = new Checker(
    this.workspace,
    (uri, _, diagnostics) => this.sent.set(uri, diagnostics),
    (error) => this.failures.push(error),
  );
  readonly navigation = new Navigation(this.workspace);
  readonly editing = new Editing(this.workspace, this.checker);
  readonly presentation = new Presentation(this.workspace);

  constructor() {
    this.workspace.folders = ['/w'];
  }

  open(path: string, text = project[path] ?? '', version = 1): OpenDocument {
    return this.workspace.setDocument(uriOfPath(path), '', text, version);
  }

  /** Opens a text and gives the position of its mark. */
  at(path: string, source: string): { document: OpenDocument; position: { line: number; character: number } } {
    const { text, offset } = marked(source);
    const document = this.open(path, text);
    return { document, position: document.source.positionAt(offset) };
  }

  complete(path: string, source: string): string[] {
    const { document, position } = this.at(path, source);
    return this.editing.completion(document, position).items.map(({ label }) => label);
  }
}

const never = (): boolean => false;

describe('a project in the server', () => {
  it('completes options in C and makefiles once the prefix is typed', () => {
    const session = new Session();
    assert.ok(session.complete('/w/main.c', '#if CONFIG_LIB$0\n').includes('CONFIG_LIBNET'));
    assert.deepEqual(session.complete('/w/main.c', 'int a$0;\n'), []);
    assert.ok(session.complete('/w/Makefile.uk', 'APPX_SRCS-$(CONFIG_$0)\n').includes('CONFIG_LIBLWIP'));
  });

  it('completes Kraftfiles by their place', () => {
    const session = new Session();
    assert.ok(session.complete('/w/Kraftfile', 'spec: v0.6\nunikraft:\n  kconfig:\n    CONFIG_LIB$0\n').includes('CONFIG_LIBNET'));
    assert.ok(session.complete('/w/Kraftfile', 'spec: v0.6\ntargets:\n  - $0\n').includes('qemu/x86_64'));
    assert.ok(session.complete('/w/Kraftfile', 'spec: v0.6\nlibraries:\n  $0\n').includes('musl'));
  });

  it('describes an item only when it is looked at', () => {
    const session = new Session();
    const { document, position } = session.at('/w/Config.uk', 'config APP\n\tbool "app"\n\tselect LIBN$0\n');
    const item = session.editing.completion(document, position).items.find(({ label }) => label === 'LIBNET');
    assert.equal(item?.documentation, undefined);
    assert.match(JSON.stringify(session.editing.resolve(item!).documentation), /net\/Config\.uk/);
  });

  it('sees unsaved text of every file at once', () => {
    const session = new Session();
    session.open('/w/.unikraft/unikraft/lib/net/Config.uk', 'config LIBNET\n\tbool "net"\nconfig LIBNEW\n\tint "new"\n\tdefault 3\n');
    assert.ok(session.complete('/w/.config', 'CONFIG_LIBNEW=$0\n').includes('3'));
    session.workspace.closeDocument(uriOfPath('/w/.unikraft/unikraft/lib/net/Config.uk'));
    assert.deepEqual(session.complete('/w/.config', 'CONFIG_LIBNEW=$0\n'), []);
  });

  it('shows values of the .config as it is being edited', () => {
    const session = new Session();
    const document = session.open('/w/Config.uk');
    const value = (): string | undefined =>
      session.presentation.hints(document, { start: { line: 0, character: 0 }, end: { line: 9, character: 0 } })[0]?.label as string;
    assert.equal(value(), '= y');
    session.open('/w/.config', '# CONFIG_APP is not set\n');
    assert.equal(value(), '= n');
  });

  it('finds uses in all languages, with those of open documents as they are now', async () => {
    const session = new Session();
    const { document, position } = session.at('/w/Config.uk', 'config APP\n\tbool "app"\n\tselect LIB$0NET\n');
    const find = async (): Promise<string[]> => {
      const places = await session.navigation.references(document, position, false, never);
      return places.map(({ uri, range }) => `${uri.slice('file:///w/'.length)}:${range.start.line + 1}`).sort();
    };
    assert.deepEqual(await find(), [
      '.config:2',
      '.unikraft/libs/lwip/Config.uk:3',
      '.unikraft/unikraft/lib/net/net.c:1',
      'Config.uk:3',
      'Kraftfile:5',
      'Makefile.uk:3',
    ]);
    session.open('/w/Makefile.uk', '# CONFIG_LIBNET\n# CONFIG_LIBNET\n');
    session.files.write('/w/new.c', 'CONFIG_LIBNET\n');
    session.workspace.filesChanged(['/w/new.c']);
    assert.deepEqual(
      (await find()).filter((place) => /Makefile|new\.c/.test(place)),
      ['Makefile.uk:1', 'Makefile.uk:2', 'new.c:1'],
    );
    const lenses = session.presentation.lenses(session.open('/w/.unikraft/unikraft/lib/net/Config.uk'));
    assert.equal((await session.presentation.resolveLens(lenses[1]!, never)).command?.title, '8 uses');
  });

  it('explains the options of a Kraftfile as everywhere, and which layer counts', () => {
    const session = new Session();
    const text =
      'spec: v0.6\nunikraft:\n  kconfig:\n    CONFIG_LIB$0NET: y\ntargets:\n  - plat: qemu\n    arch: x86_64\n    kconfig:\n      LIBNET: n\n';
    const { document, position } = session.at('/w/Kraftfile', text);
    const value = JSON.stringify(session.navigation.hover(document, position));
    assert.match(value, /Defined at \[/);
    assert.match(value, /`n` \(counts\)/);
  });

  it('renames from a Kraftfile or C, with the prefix typed or not', async () => {
    const session = new Session();
    for (const [path, source, name] of [
      ['/w/main.c', '#if CONFIG_LIB$0NET\n', 'CONFIG_LIBFOO'],
      ['/w/Kraftfile', 'spec: v0.6\nunikraft:\n  kconfig:\n    CONFIG_LIB$0NET: y\n', 'LIBFOO'],
    ] as const) {
      const { document, position } = session.at(path, source);
      assert.equal(session.navigation.prepareRename(document, position)?.placeholder, 'CONFIG_LIBNET');
      const { changes } = (await session.navigation.rename(document, position, name, never))!;
      const texts = new Set(Object.values(changes!).flatMap((edits: TextEdit[]) => edits.map(({ newText }) => newText)));
      assert.deepEqual([...texts].sort(), ['CONFIG_LIBFOO', 'LIBFOO']);
    }
  });

  it('outlines and folds every language', () => {
    const session = new Session();
    const names = (path: string): string[] => session.navigation.documentSymbols(session.open(path)).map(({ name }) => name);
    assert.deepEqual(names('/w/Config.uk'), ['APP']);
    assert.deepEqual(names('/w/Kraftfile'), ['spec', 'unikraft', 'libraries', 'targets']);
    assert.deepEqual(names('/w/Makefile.uk'), ['appx', 'APPX_SRCS-y']);
    assert.deepEqual(names('/w/.config'), ['APP', 'LIBNET', 'LIBLWIP']);
    assert.deepEqual(
      session.presentation.folding(session.open('/w/Makefile.uk')).map(({ startLine, endLine }) => [startLine, endLine]),
      [
        [3, 4],
        [2, 5],
      ],
    );
  });

  it('finds options by name and prompt', () => {
    const session = new Session();
    session.workspace.viewFor(session.open('/w/Config.uk'));
    const find = (query: string): string[] => session.navigation.workspaceSymbols(query).map(({ name }) => name);
    assert.deepEqual(find('CONFIG_LIBNET'), ['LIBNET']);
    assert.equal(find('lib')[0], 'LIBLWIP');
    assert.deepEqual(find('lbnt'), ['LIBNET']);
    assert.deepEqual(find('zzz'), []);
    assert.deepEqual(find('lib net'), ['LIBNET']);
    assert.deepEqual(find('lib zzz'), []);
  });

  it('links to generated files where the client shows them', () => {
    const session = new Session();
    const document = session.open('/w/.unikraft/unikraft/Config.uk');
    assert.deepEqual(session.navigation.links(document), []);
    session.navigation.showsGenerated = true;
    const [link] = session.navigation.links(document);
    assert.equal(link?.target, 'unikernel-generated:///w/build/kconfig/libs.uk');
    assert.match(session.navigation.generated('/w/build/kconfig/libs.uk') ?? '', /source "\/w\/\.unikraft\/libs\/lwip\/Config\.uk"/);
    assert.equal(session.navigation.generated('/etc/passwd'), undefined);
  });

  it('runs commands only when the workspace is trusted and the setting is on', () => {
    const session = new Session();
    const look = (): void => void session.workspace.viewFor(session.open('/w/Config.uk')).service.tree.model;
    look();
    session.workspace.settings = { ...defaultSettings, shell: true };
    session.workspace.reset();
    look();
    session.workspace.settings = defaultSettings;
    session.workspace.trusted = true;
    session.workspace.reset();
    look();
    assert.deepEqual(session.commands, []);
    session.workspace.settings = { ...defaultSettings, shell: true };
    session.workspace.reset();
    look();
    look();
    assert.deepEqual(session.commands, ['date']);
  });

  it('sets an option in the .config from where it is used', () => {
    const session = new Session();
    const { document, position } = session.at('/w/main.c', '#ifdef CONFIG_LIBL$0WIP\n');
    const [action] = session.editing.actions(document, { start: position, end: position }, { diagnostics: [] });
    assert.equal(action?.title, 'Enable LIBLWIP in .config');
    assert.deepEqual(
      action.edit?.changes?.['file:///w/.config']?.map(({ newText }) => newText),
      ['CONFIG_LIBLWIP=y'],
    );
  });

  it('checks after a rest, once for many changes, and takes findings back when a file is closed', async () => {
    const session = new Session();
    let count = 0;
    const checker = new Checker(
      session.workspace,
      () => count++,
      (error) => assert.fail(String(error)),
    );
    for (let version = 1; version < 20; version++) {
      session.open('/w/Config.uk', `config A\n\tbool "a"\n\tselect GONE${version}\n`, version);
      checker.schedule();
    }
    assert.equal(count, 0);
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.equal(count, 1);
    session.workspace.closeDocument(uriOfPath('/w/Config.uk'));
    checker.schedule();
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.equal(count, 2);
  });

  it('checks every file of the workspace where that is wanted', async () => {
    const session = new Session();
    session.files.write('/w/.unikraft/libs/lwip/Config.uk', 'config LIBLWIP\n\tbool "lwip"\n\tselect NOWHERE\n');
    session.workspace.settings = { ...defaultSettings, diagnostics: 'workspace' };
    session.open('/w/Config.uk');
    session.checker.schedule();
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.deepEqual(
      session.sent.get('file:///w/.unikraft/libs/lwip/Config.uk')?.map(({ code }) => code),
      ['undefined-symbol'],
    );
    assert.deepEqual(session.failures, []);
  });

  it('tells which library has an option that the tree lacks', () => {
    const session = new Session();
    const document = session.open('/w/Config.uk', 'config APP\n\tbool "app"\n\tselect LIBMUSL\n');
    assert.deepEqual(
      session.checker.findings(document).map(({ code, message }) => [code, /musl/.test(message)]),
      [['symbol-of-absent-library', true]],
    );
  });

  it('gives a lone file what one file can give', () => {
    const session = new Session();
    const { document, position } = session.at(
      '/other/Config.uk',
      'config A\n\tbool "a"\n\tdepends on ELSEWHERE\nconfig B\n\tbool "b"\n\tselect A$0\n',
    );
    assert.deepEqual(session.checker.findings(document), []);
    assert.match(JSON.stringify(session.navigation.hover(document, position)), /CONFIG_A/);
    assert.equal(session.navigation.definition(document, position).length, 1);
    const config = session.open('/lone/some.config', 'CONFIG_X=y\nrubbish\n');
    assert.deepEqual(
      session.checker.findings(config).map(({ code }) => code),
      ['config-unexpected'],
    );
  });

  it('takes any settings', () => {
    assert.deepEqual(readSettings(undefined), defaultSettings);
    assert.deepEqual(readSettings({ root: 7, libraries: ['a', 1], dialect: 'x', shell: 'yes' }), { ...defaultSettings, libraries: ['a'] });
    assert.equal(readStartOptions(null).trusted, false);
  });

  it('survives damaged texts in every language', async function () {
    this.timeout(60_000);
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`      seed ${seed}`);
    let state = seed;
    const next = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return (state >> 8) % below;
    };
    const session = new Session();
    const paths = ['/w/Config.uk', '/w/.config', '/w/Kraftfile', '/w/Makefile.uk', '/w/.unikraft/unikraft/Config.uk'];
    const bits = [
      '"',
      '$(',
      ')',
      '\n',
      '\t',
      '\\',
      '#',
      'if ',
      'menu ',
      'endmenu\n',
      'help\n',
      '=',
      'CONFIG_',
      '\0',
      '\u{1f600}',
      '- ',
      ': ',
      '[',
      '{',
      '\r\n',
      'source "/w/Config.uk"\n',
      'config APP\n',
      '&&',
      'y',
    ];
    for (let round = 0; round < 150; round++) {
      const path = paths[next(paths.length)]!;
      let text = project[path]!;
      for (let count = next(6) + 1; count > 0; count--) {
        const at = next(text.length + 1);
        text = text.slice(0, at) + bits[next(bits.length)]! + text.slice(at + next(12));
      }
      const document = session.open(path, text, round);
      const about = `seed ${seed}, ${path}: ${JSON.stringify(text)}`;
      try {
        const end = document.source.positionAt(text.length);
        const range = { start: { line: 0, character: 0 }, end };
        const position = document.source.positionAt(next(text.length + 1));
        session.checker.findings(document);
        session.navigation.hover(document, position);
        session.navigation.definition(document, position);
        session.navigation.documentSymbols(document);
        session.navigation.links(document);
        session.navigation.prepareRename(document, position);
        await session.navigation.references(document, position, true, never);
        session.editing.completion(document, position);
        session.editing.signature(document, position);
        session.editing.format(document);
        session.editing.actions(document, range, { diagnostics: [] });
        session.presentation.folding(document);
        session.presentation.tokens(document);
        session.presentation.hints(document, range);
        session.presentation.lenses(document);
      } catch (error) {
        assert.fail(`${about}\n${error instanceof Error ? error.stack : String(error)}`);
      }
    }
  });
});
