// Builds everything in dist/: the extension, the debug adapter and its machine worker, the language server, the command line and the webviews.
// Options: --watch rebuilds on change, --production minifies and leaves source maps out.
import { build, context } from 'esbuild';
import { chmod, copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const watch = process.argv.includes('--watch');
const production = process.argv.includes('--production');
const require = createRequire(import.meta.url);

/** es2022 and not esnext: esnext makes esbuild emit `Uint8Array.fromBase64`, which Node 20 lacks. */
const common = {
  bundle: true,
  target: 'es2022',
  minify: production,
  sourcemap: production ? false : 'linked',
  legalComments: 'none',
  logLevel: 'warning',
  logOverride: { 'empty-import-meta': 'silent' },
  // The compiler's verbatimModuleSyntax keeps `import { type X }` as an import of nothing, which would put every module that a type is taken from into a bundle.
  tsconfigRaw: { compilerOptions: { strict: true, verbatimModuleSyntax: false } },
};

const node = { ...common, platform: 'node', format: 'cjs', mainFields: ['module', 'main'] };

const browser = { ...common, platform: 'browser' };

/** Bundles load each other by `require`: `import()` would have Node scan a whole bundle for its exports first. */
const loadsLater = { supported: { 'dynamic-import': false } };
const command = { ...node, ...loadsLater };

/** What the command line loads when it needs it, and the bundles that these become: a run reads neither the linker nor the Kconfig engine nor the symbol tables. */
const lazyParts = {
  './run': 'cli-run',
  './strace': 'cli-strace',
  './exec': 'cli-exec',
  './gdb': 'cli-gdb',
  './build': 'cli-build',
  './build-run': 'cli-build-run',
  './build-make': 'cli-build-make',
  './size': 'cli-size',
  './new': 'cli-new',
  './config': 'cli-config',
  './pool': 'cli-pool',
  './peripherals': 'cli-peripherals',
  './run-trace': 'cli-trace',
  './archive.node': 'cli-archive',
  '../../debug-adapter/main': 'cli-dap',
  '../../debug-adapter/compiler-thread.node': 'cli-compiler',
  './project': 'cli-build-kraftfile',
  './plan-and-run.node.js': 'cli-build-plan',
  './link/sources': 'cli-link-sources',
};

const separateParts = {
  name: 'separate-parts',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.?\// }, ({ path: name, kind, importer }) =>
      kind === 'dynamic-import' &&
      /\/src\/(?:cli|build)$/.test(path.dirname(importer).replaceAll('\\', '/')) &&
      Object.hasOwn(lazyParts, name)
        ? { path: `./${lazyParts[name]}.js`, external: true }
        : undefined,
    );
  },
};
command.plugins = [separateParts];

/** What libraries made for Node ask for in a worker of a browser: an event emitter that they only inherit from, and files that the worker was given. */
const nodeInBrowser = {
  events: 'export class EventEmitter { emit() {} on() {} }',
  fs: 'export const readFileSync = (name) => globalThis.bundledFiles.get(name);',
  path: 'export const join = (...parts) => parts.at(-1);',
  util: 'export const { TextDecoder, TextEncoder } = globalThis;',
  net: '',
  url: '',
};
const standIns = {
  name: 'stand-ins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(events|fs|path|util|net|url)$/ }, ({ path: name }) => ({ path: name, namespace: 'stand-in' }));
    onLoad({ filter: /.*/, namespace: 'stand-in' }, ({ path: name }) => ({ contents: nodeInBrowser[name] }));
  },
};
const worker = { ...browser, format: 'iife', plugins: [standIns], define: { __dirname: '""' } };

/** Entry point -> output, where the entry exists. */
const entries = [
  { ...node, entryPoints: ['src/extension.ts'], outfile: 'dist/extension.js', external: ['vscode'] },
  { ...node, entryPoints: ['debug-adapter/adapter.ts'], outfile: 'dist/adapter.js' },
  { ...node, entryPoints: ['debug-adapter/worker.ts'], outfile: 'dist/worker.js' },
  {
    ...node,
    ...loadsLater,
    entryPoints: ['debug-adapter/compiler.node.ts'],
    outfile: 'dist/compiler.js',
    external: ['./region-compiler.js'],
  },
  { ...node, entryPoints: ['debug-adapter/region-compiler.ts'], outfile: 'dist/region-compiler.js' },
  { ...node, entryPoints: ['src/features/sizes-worker.ts'], outfile: 'dist/sizes-worker.js' },
  { ...node, entryPoints: ['src/language-server/main.ts'], outfile: 'dist/language-server.js' },
  // For editors in a browser with no machine behind them.
  { ...browser, entryPoints: ['src/browser.ts'], outfile: 'dist/browser.js', format: 'cjs', external: ['vscode'] },
  { ...browser, entryPoints: ['src/language-server/worker.ts'], outfile: 'dist/language-server-worker.js', format: 'iife' },
  { ...worker, entryPoints: ['debug-adapter/adapter.browser.ts'], outfile: 'dist/adapter-browser.js' },
  { ...worker, entryPoints: ['debug-adapter/worker.browser.ts'], outfile: 'dist/worker-browser.js' },
  { ...worker, entryPoints: ['debug-adapter/compiler.browser.ts'], outfile: 'dist/compiler-browser.js' },
  // V8 takes one thread less than there are processors: with more of them the guest waits for those that compile.
  { ...command, entryPoints: ['src/cli/main.ts'], outfile: 'dist/cli.js', banner: { js: '#!/usr/bin/env -S node --v8-pool-size=0' } },
  ...Object.entries(lazyParts).map(([name, out]) => ({
    ...command,
    entryPoints: [`${path.join(/^\.\/(link|project|plan)/.test(name) ? 'src/build' : 'src/cli', name.replace(/\.js$/, ''))}.ts`],
    outfile: `dist/${out}.js`,
  })),
].filter(({ entryPoints: [entry] }) => existsSync(entry));

/** Each folder of src/webviews but lib/ is one front end: index.ts with the styles that it imports, and perhaps a worker.ts. */
for (const folder of existsSync('src/webviews') ? await readdir('src/webviews', { withFileTypes: true }) : []) {
  if (!folder.isDirectory() || folder.name === 'lib') continue;
  for (const [name, suffix] of [
    ['index', ''],
    ['worker', '-worker'],
  ]) {
    const entry = `src/webviews/${folder.name}/${name}.ts`;
    if (!existsSync(entry)) continue;
    entries.push({
      ...common,
      platform: 'browser',
      format: 'iife',
      entryPoints: [entry],
      outfile: `dist/webviews/${folder.name}${suffix}.js`,
      loader: { '.ttf': 'dataurl' },
    });
  }
}

/** Runs an exported function of a TypeScript module at build time. */
async function runTypeScript(entry, name, ...args) {
  const outfile = path.resolve(`dist/.build/${path.basename(entry, '.ts')}.mjs`);
  await build({ ...common, sourcemap: false, platform: 'node', format: 'esm', entryPoints: [entry], outfile, packages: 'external' });
  const module = await import(pathToFileURL(outfile).href);
  return module[name](...args);
}

await mkdir('dist', { recursive: true });

// Node asks the nearest package.json what kind of module a bundle is: a small one spares every start the reading of the large one above. `unikernel --version` reads it too.
const { version } = require('./package.json');
await writeFile('dist/package.json', `${JSON.stringify({ type: 'commonjs', version })}\n`);

// The interpreter's instruction handlers, one WebAssembly module, made once here so that no start has to.
await writeFile('dist/handlers.wasm', await runTypeScript('debug-adapter/x86/build-handlers.ts', 'prebuiltHandlers'));

// iced-x86's Node build reads its WebAssembly from beside the bundle.
await copyFile(path.join(path.dirname(require.resolve('iced-x86')), 'iced_x86_bg.wasm'), 'dist/iced_x86_bg.wasm');

if (watch) {
  const contexts = await Promise.all(entries.map((entry) => context({ ...entry, logLevel: 'info' })));
  await Promise.all(contexts.map((each) => each.watch()));
} else {
  await Promise.all(entries.map((entry) => build(entry)));
  await chmod('dist/cli.js', 0o755);
  // The starter pool's libraries, compiled, for machines without a compiler; a package has them for more configurations.
  await runTypeScript('src/build/prebuilt-make.node.ts', 'makePrebuilt', '.', 'dist/prebuilt', production);
  // The example that the package carries, ready built with its sources.
  await runTypeScript('src/build/example.node.ts', 'buildExample', '.', 'dist/examples/hello', 'dist/prebuilt');
  // The unikernel that `unikernel exec` runs programs on.
  await runTypeScript('src/build/example.node.ts', 'buildLoader', '.', 'dist/elfloader', 'dist/prebuilt');
  // Compiled code beside the bundles whose start counts, from a run of each. What the shell says of a Unikraft tree is not meant for these.
  for (const name of ['UK_ROOT', 'UK_LIBS']) delete process.env[name];
  const cache = (bundles, name, ...lines) =>
    runTypeScript(
      'src/cli/code-cache.node.ts',
      'writeCodeCache',
      bundles.map((b) => path.resolve(`dist/${b}.js`)),
      name,
      lines,
    );
  const example = 'dist/examples/hello/hello_qemu-x86_64';
  await cache(['cli-run', 'cli-trace'], 'runCommand', [example], [example, '--trace', 'syscalls,tls']);
  await runTypeScript(
    'src/cli/code-cache.node.ts',
    'writeCompilerCache',
    path.resolve('dist/region-compiler.js'),
    path.resolve('dist/cli-run.js'),
    example,
  );
  const hello = ['library-pool/app/hello', '--prebuilt', '--output', 'out/code-cache'];
  await rm('out/code-cache', { recursive: true, force: true });
  // Another name has a plan made for it.
  await cache(['cli-build', 'cli-build-run', 'cli-build-plan'], 'buildCommand', hello, [...hello, '--name', 'planned']);
  await rm('out/code-cache', { recursive: true });
  const configure = [
    'olddefconfig',
    '--tree',
    'library-pool/Config.uk',
    '--app',
    'library-pool/app/hello',
    '--config',
    'out/code-cache/.config',
  ];
  await cache(['cli-config'], 'configCommand', configure, configure);
  await rm('out/code-cache', { recursive: true });
  await rm('dist/.build', { recursive: true, force: true });
}
