/** `unikernel pool`: lists, shows, searches and draws the library pool, and says who provides a system call. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Catalogue, readCatalogue } from '../pool/catalogue';
import { completeConfig, configurePool, type ConfiguredPool, stateOf } from '../pool/configuration';
import { closure, dependencyGraph, toDot } from '../pool/graph';
import { type Library } from '../pool/library';
import { readManifests } from '../pool/manifest';
import { type PoolProblem } from '../pool/problems';
import { searchPool } from '../pool/search';
import { findTree, type PoolTree } from '../pool/tree';
import { NodeFiles } from '../shared/files.node';
import { readCommandLine } from './arguments';
import { type CliIo } from './io';

const help = `Usage: unikernel pool COMMAND [options]

  list               all libraries of the pool
  show NAME          one library: options, sources, headers, system calls, dependencies
  search TEXT        libraries by name, option, description, system call, header or symbol
  graph [NAME]       the dependency graph as DOT; with NAME what is round one library
  syscall NAME       which library provides a system call, and with which option

  --root DIR         a Unikraft core, or a project that holds one (default: the starter pool)
  --libs A:B         folders of further libraries
  --app DIR          an application
  --config FILE      a .config or defconfig: says what is enabled, and draws only that
  --manifest FILE    kraft's index or a manifest: lists what could be fetched, too
  --depth N          how far graph goes from NAME
  --json             data instead of text

Exit status: 0, 1 where nothing was found or the pool cannot be read, 2 for a wrong command line.
`;

const VALUED = ['--root', '--libs', '--app', '--config', '--manifest', '--depth'] as const;

interface Options {
  readonly words: readonly string[];
  readonly value: (option: (typeof VALUED)[number]) => string | undefined;
  readonly json: boolean;
}

/** Options and words, or what is wrong with them. */
function readArguments(argv: readonly string[]): Options | string {
  const line = readCommandLine(argv, { valued: VALUED, flags: ['--json'] });
  if ('fault' in line) return line.fault === 'unknown' ? `unknown option ${line.option}` : `${line.option} needs a value`;
  return { words: line.words, value: line.value, json: line.flags.has('--json') };
}

/** The starter pool beside the program: from dist/ as from src/cli/. */
function starterPool(): string | undefined {
  const candidates = ['../library-pool', '../../library-pool'].map((each) => path.resolve(__dirname, each));
  return candidates.find((each) => existsSync(path.join(each, 'Config.uk')));
}

/** What the commands work on. */
interface Loaded {
  readonly catalogue: Catalogue;
  readonly tree: PoolTree;
  readonly files: NodeFiles;
  readonly config: string | undefined;
  readonly pool: ConfiguredPool | undefined;
  readonly problems: readonly PoolProblem[];
}

function load(options: Options, io: CliIo): Loaded | string {
  const files = new NodeFiles();
  const absolute = (given: string): string => path.resolve(io.cwd, given).replace(/\\/g, '/');
  const [root, libs, app, config, manifest] = (['--root', '--libs', '--app', '--config', '--manifest'] as const).map(options.value);
  const base = root === undefined ? starterPool() : absolute(root);
  if (base === undefined) return 'The starter pool is not beside the program. Say where a pool is: --root DIR.';
  const found = findTree(files, base.replace(/\\/g, '/'));
  const folders = (libs ?? '').split(path.delimiter).filter((each) => each !== '');
  const tree: PoolTree = {
    base: found?.base ?? base,
    libraries: [...(found?.libraries ?? []), ...folders.map(absolute)],
    ...(app !== undefined && { app: absolute(app) }),
  };
  const manifests = manifest === undefined ? undefined : readManifests(absolute(manifest), (address) => files.readText(address));
  const catalogue = readCatalogue({ files, tree, ...(manifests && { manifests: manifests.entries }) });
  const text = config === undefined ? undefined : files.readText(absolute(config));
  if (config !== undefined && text === undefined) return `${config} does not exist, or cannot be read.`;
  const full = text === undefined ? undefined : completeConfig(files, tree, text, catalogue.model).text;
  const pool = full === undefined ? undefined : configurePool(files, tree, full);
  return { catalogue, tree, files, config: full, pool, problems: [...catalogue.problems, ...(manifests?.problems ?? [])] };
}

/** Runs `unikernel pool …` and gives the exit status. */
export function poolCommand(argv: readonly string[], io: CliIo): number {
  if (argv.includes('--help') || argv.includes('-h')) {
    io.stdout(help);
    return 0;
  }
  const options = readArguments(argv);
  if (typeof options === 'string') return usage(io, options);
  const [command, ...rest] = options.words;
  if (command === undefined) return usage(io, 'a command is missing');
  const run = Object.hasOwn(commands, command) ? commands[command]! : undefined;
  if (!run) return usage(io, `unknown command ${command}`);
  if (rest.length < run.words[0] || rest.length > run.words[1])
    return usage(io, rest.length < run.words[0] ? `${command} needs a name` : `${command} takes no ${rest[run.words[1]]!}`);
  const loaded = load(options, io);
  if (typeof loaded === 'string') {
    io.stderr(`unikernel: ${loaded}\n`);
    return 1;
  }
  for (const problem of loaded.problems) io.stderr(`${problem.path}:${problem.line}: ${problem.severity}: ${problem.message}\n`);
  if (loaded.catalogue.libraries.length === 0) return 1;
  return run.run(loaded, rest.join(' '), options, io);
}

function usage(io: CliIo, what: string): number {
  io.stderr(`unikernel pool: ${what}.\n${help}`);
  return 2;
}

interface Command {
  /** Fewest and most words after the command. */
  readonly words: readonly [number, number];
  run(loaded: Loaded, argument: string, options: Options, io: CliIo): number;
}

const commands: Readonly<Record<string, Command>> = {
  list: { words: [0, 0], run: list },
  show: { words: [1, 1], run: show },
  search: { words: [1, Infinity], run: search },
  graph: { words: [0, 1], run: graph },
  syscall: { words: [1, 1], run: syscall },
};

function summary(library: Library, pool: ConfiguredPool | undefined): Readonly<Record<string, unknown>> {
  const { name, title, kind, description, symbol, folder, versions, syscalls } = library;
  return {
    name,
    title,
    kind,
    state: pool || library.state === 'available' ? stateOf(library, pool) : undefined,
    description,
    symbol,
    folder,
    versions,
    syscalls: syscalls.length,
  };
}

function json(io: CliIo, value: unknown): number {
  io.stdout(`${JSON.stringify(value, undefined, 2)}\n`);
  return 0;
}

/** Lines of columns, each as wide as its widest text. */
function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!)))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

const marks = { enabled: '*', disabled: ' ', available: '+' } as const;

function row(library: Library, pool: ConfiguredPool | undefined): string[] {
  const cells = [library.title, library.kind, library.symbol ?? '', library.description];
  return pool || library.state === 'available' ? [marks[stateOf(library, pool)], ...cells] : [' ', ...cells];
}

function list({ catalogue, pool }: Loaded, _: string, options: Options, io: CliIo): number {
  if (options.json)
    return json(io, {
      core: catalogue.core,
      root: catalogue.tree.base,
      libraries: catalogue.libraries.map((each) => summary(each, pool)),
      problems: catalogue.problems,
    });
  io.stdout(table(catalogue.libraries.map((library) => row(library, pool))));
  return 0;
}

function search({ catalogue, pool }: Loaded, text: string, options: Options, io: CliIo): number {
  const matches = searchPool(catalogue, text);
  if (options.json)
    return json(
      io,
      matches.map((match) => ({ ...summary(match.library, pool), field: match.field, text: match.text, score: match.score })),
    );
  if (matches.length === 0) {
    io.stderr(`unikernel: nothing in the pool matches “${text}”.\n`);
    return 1;
  }
  io.stdout(
    table(
      matches.map((match) => [
        ...row(match.library, pool).slice(0, 3),
        match.field === 'name' || match.field === 'description' ? match.library.description : `${match.field} ${match.text}`,
      ]),
    ),
  );
  return 0;
}

function show({ catalogue, pool }: Loaded, name: string, options: Options, io: CliIo): number {
  const library = catalogue.find(name);
  if (!library) return unknown(catalogue, name, io);
  const brings = closure(catalogue, library.name).map((each) => each.title);
  if (options.json) return json(io, { ...library, state: pool ? stateOf(library, pool) : library.state, closure: brings });
  const when = (condition: string): string => (condition === '' ? '' : `  if ${condition}`);
  const lines = [`${library.title}: ${library.description || 'no description'}`];
  const field = (title: string, value: string | undefined): void => void (value && lines.push(`${`${title}:`.padEnd(14)}${value}`));
  const block = (title: string, items: readonly string[]): void =>
    void (items.length > 0 && lines.push(`${title} (${items.length}):`, ...items.map((item) => `  ${item}`)));
  field('name', library.name);
  field('kind', library.kind);
  field('state', pool || library.state === 'available' ? stateOf(library, pool) : undefined);
  field('option', library.symbol && `CONFIG_${library.symbol}`);
  field('depends on', library.dependsOn);
  field('platform', library.platform);
  field('homepage', library.homepage);
  field('license', library.license);
  field('origin', library.origin);
  field('folder', library.folder);
  field('registered', library.place && `${library.place.path}:${library.place.line}`);
  field('channels', library.channels.join(', '));
  block(
    'versions',
    library.versions.map(({ version, core, url }) => `${version}${core ? ` for core ${core}` : ''}${url ? `  ${url}` : ''}`),
  );
  block(
    'system calls',
    library.syscalls.map(
      (call) =>
        `${call.name}/${call.arity}${call.context && ` (with ${call.context === 'e' ? 'execution environment' : 'user context'})`}${when(call.condition)}`,
    ),
  );
  block(
    'selects',
    library.selections.map(
      (each) =>
        `${each.target}${when(each.condition)}${each.weak ? '  (implied)' : ''}${each.by === library.symbol ? '' : `  by ${each.by}`}`,
    ),
  );
  block('brings in', brings);
  block('needed by', [
    ...new Set(library.neededBy.filter((edge) => edge.reason !== 'uses').map((edge) => catalogue.find(edge.from)?.title ?? edge.from)),
  ]);
  block('options', library.options);
  block(
    'headers',
    library.headerFolders.flatMap((folder) => folder.headers),
  );
  block(
    'sources',
    library.sources.map(
      (source) =>
        `${source.file.startsWith(`${library.folder}/`) ? source.file.slice(library.folder.length + 1) : source.file}${source.variant ? ` (${source.variant})` : ''}${when(source.condition)}`,
    ),
  );
  io.stdout(`${lines.join('\n')}\n`);
  return 0;
}

function unknown(catalogue: Catalogue, name: string, io: CliIo): number {
  const near = searchPool(catalogue, name)
    .slice(0, 3)
    .map((match) => match.library.title);
  io.stderr(`unikernel: the pool has no library ${name}.${near.length > 0 ? ` Do you mean ${near.join(' or ')}?` : ''}\n`);
  return 1;
}

function graph({ catalogue, pool, files, tree, config }: Loaded, name: string, options: Options, io: CliIo): number {
  const focus = name === '' ? undefined : catalogue.find(name);
  if (name !== '' && !focus) return unknown(catalogue, name, io);
  if (focus && pool && !pool.enabled.includes(focus.name)) {
    io.stderr(`unikernel: ${focus.title} is not enabled in this configuration.\n`);
    return 1;
  }
  const given = options.value('--depth');
  const depth = given === undefined ? undefined : Number(given);
  if (depth !== undefined && !(Number.isInteger(depth) && depth > 0)) return usage(io, '--depth needs a number above 0');
  const values = config === undefined ? undefined : completeConfig(files, tree, config, catalogue.model).values;
  const data = dependencyGraph(catalogue, {
    ...(pool && { enabled: new Set(pool.enabled) }),
    ...(values && { values }),
    ...(focus && { focus: focus.name }),
    ...(depth !== undefined && { depth }),
  });
  if (options.json) return json(io, data);
  io.stdout(toDot(data, focus?.title ?? 'pool'));
  return 0;
}

function syscall({ catalogue, pool }: Loaded, name: string, options: Options, io: CliIo): number {
  const providers = catalogue.providersOf(name);
  const answers = providers.map(({ library, call }) => ({
    ...call,
    library: library.name,
    title: library.title,
    option: library.symbol,
    enabled: pool && pool.enabled.includes(library.name) && pool.syscalls.has(call.name),
  }));
  if (options.json) {
    json(io, answers);
    return answers.length > 0 ? 0 : 1;
  }
  if (answers.length === 0) {
    io.stderr(`unikernel: no library of this pool provides ${name}: a program that calls it gets ENOSYS.\n`);
    return 1;
  }
  const state = (enabled: boolean | undefined): string => (enabled === undefined ? '' : enabled ? 'in the image' : 'not in the image');
  io.stdout(
    table(
      answers.map((each) => [
        `${each.name}/${each.arity}${each.context}`,
        each.title,
        each.condition === '' ? 'always' : `if ${each.condition}`,
        `${each.path}:${each.line}`,
        state(each.enabled),
      ]),
    ),
  );
  return 0;
}
