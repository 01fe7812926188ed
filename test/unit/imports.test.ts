/** Holds the direction of imports that the design lays down, by reading every source file. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(__dirname, '../..');

/** Folder -> folders it may import from, besides itself. A trailing `.ts` names a single file. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'debug-adapter/x86': [],
  'debug-adapter/symbols': [],
  'debug-adapter/machine': ['debug-adapter/x86', 'debug-adapter/boot', 'debug-adapter/devices', 'debug-adapter/net'],
  'debug-adapter/devices': ['debug-adapter/machine/api.ts', 'debug-adapter/machine/errors.ts'],
  'debug-adapter/boot': ['debug-adapter/machine/api.ts', 'debug-adapter/machine/errors.ts'],
  'debug-adapter/net': ['debug-adapter/machine/api.ts', 'debug-adapter/machine/errors.ts'],
  'debug-adapter/trace': ['debug-adapter/symbols'],
  'debug-adapter/guest': ['debug-adapter/symbols', 'debug-adapter/trace', 'debug-adapter/machine/api.ts'],
  'debug-adapter/control': [
    'debug-adapter/machine',
    'debug-adapter/symbols',
    'debug-adapter/trace',
    'debug-adapter/guest',
    'debug-adapter/x86/api.ts',
  ],
  'debug-adapter/gdb': [
    'debug-adapter/control',
    'debug-adapter/machine',
    'debug-adapter/symbols',
    'debug-adapter/trace',
    'debug-adapter/guest',
    'debug-adapter/x86/api.ts',
  ],
  'debug-adapter/dap': [
    'debug-adapter/control',
    'debug-adapter/machine',
    'debug-adapter/symbols',
    'debug-adapter/trace',
    'debug-adapter/guest',
  ],
  'src/shared': [],
  'src/kconfig': ['src/shared'],
  'src/kraftfile': ['src/shared', 'src/kconfig'],
  'src/pool': ['src/shared', 'src/kconfig'],
  'src/build': ['src/shared', 'src/kconfig', 'src/kraftfile', 'src/pool', 'debug-adapter/symbols'],
  'src/project': ['src/shared', 'src/kconfig', 'src/kraftfile', 'src/pool', 'src/build', 'src/language-server'],
  'src/language-server': ['src/shared', 'src/kconfig', 'src/kraftfile', 'src/pool'],
};

/** The only machine-side files that src/ may reach, by folder. */
const adapterFromSource: Readonly<Record<string, readonly string[]>> = {
  'src/cli': ['debug-adapter'],
  'src/build/sizes': ['debug-adapter/symbols'],
  'src/build/link': ['debug-adapter/symbols'],
  'src/': [
    'debug-adapter/dap/custom.ts',
    'debug-adapter/dap/browser-messages.ts',
    'debug-adapter/symbols/elf.ts',
    'debug-adapter/trace/syscalls',
  ],
};

function sources(folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return sources(file);
    return entry.name.endsWith('.ts') ? [file] : [];
  });
}

const files = [...sources('src'), ...sources('debug-adapter')];
const known = new Set(files);

interface Import {
  readonly file: string;
  readonly specifier: string;
  /** Repository path of the file imported, for relative imports. */
  readonly target: string | undefined;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  const pattern = /(?:^|\n)\s*(?:import|export)\s(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;
  return [...text.matchAll(pattern)].map((match) => {
    const specifier = (match[1] ?? match[2])!;
    if (!specifier.startsWith('.')) return { file, specifier, target: undefined };
    const joined = path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier));
    const target = [`${joined}.ts`, `${joined}/index.ts`, joined].find((candidate) => known.has(candidate)) ?? joined;
    return { file, specifier, target };
  });
}

const imports = files.flatMap(importsOf);
const within = (file: string, place: string): boolean => file === place || file.startsWith(`${place}/`);
const isEntry = (file: string): boolean =>
  file.endsWith('.node.ts') ||
  within(file, 'src/cli') ||
  within(file, 'src/features') ||
  within(file, 'src/language-server') ||
  ['src/extension.ts', 'debug-adapter/adapter.ts', 'debug-adapter/main.ts', 'debug-adapter/worker.ts'].includes(file);
const show = (list: readonly Import[]): string[] => list.map(({ file, specifier }) => `${file} imports ${specifier}`);

describe('imports', () => {
  it('finds the sources at all', () => assert.ok(files.length > 50 && imports.length > 100));

  it('run in the direction that the design gives', () => {
    const wrong = imports.filter(({ file, target }) => {
      if (target === undefined) return false;
      const folder = Object.keys(allowed).find((each) => within(file, each));
      if (folder === undefined || within(target, folder)) return false;
      return !allowed[folder]!.some((place) => within(target, place));
    });
    assert.deepEqual(show(wrong), []);
  });

  it('never lead from the adapter into the extension', () => {
    assert.deepEqual(
      show(imports.filter(({ file, target }) => within(file, 'debug-adapter') && target !== undefined && within(target, 'src'))),
      [],
    );
  });

  it('lead from the extension into the adapter only where agreed', () => {
    const wrong = imports.filter(({ file, target }) => {
      if (!within(file, 'src') || target === undefined || !within(target, 'debug-adapter')) return false;
      const folder = Object.keys(adapterFromSource).find((each) => within(file, each)) ?? 'src/';
      const places = adapterFromSource[folder]!;
      return !places.some((place) => within(target, place));
    });
    assert.deepEqual(show(wrong), []);
  });

  it('name vscode only in features and the files of the frame', () => {
    const wrong = imports.filter(
      ({ file, specifier }) =>
        specifier === 'vscode' && !within(file, 'src/features') && !['src/extension.ts', 'src/browser.ts', 'src/context.ts'].includes(file),
    );
    assert.deepEqual(show(wrong), []);
  });

  it('name Node only in entry files and *.node.ts', () => {
    assert.deepEqual(show(imports.filter(({ file, specifier }) => specifier.startsWith('node:') && !isEntry(file))), []);
  });

  it('reach *.node.ts only from entry files', () => {
    assert.deepEqual(show(imports.filter(({ file, target }) => target?.endsWith('.node.ts') === true && !isEntry(file))), []);
  });
});
