/** The library catalogue: everything that a tree, and what manifests tell of, holds, in one model. */
import { buildModel } from '../kconfig/build';
import { dialectOf } from '../kconfig/dialect';
import { type Model } from '../kconfig/model';
import { unikraftEnvironment } from '../kconfig/submenu';
import { type Files } from '../shared/files';
import { gatherFacts, type MakeFacts } from './facts';
import { type ConfigFacts, Ownership } from './kconfig-facts';
import { type DependencyEdge, type Library, type LibraryKind, type LibraryVersion } from './library';
import { type LibraryFacts, readLibraryUk } from './library-uk';
import { type MakeProblem } from './makefile';
import { type ConfigValues, readEverything } from './make-tree';
import { archivesOf, type ManifestEntry } from './manifest';
import { type PoolProblem, problems } from './problems';
import { indexSyscalls, syscallNames, type SyscallProvider } from './syscalls';
import { baseName, besideFolder, checkTree, coreVersion, type CoreVersion, dirName, isInside, layoutOf, type PoolTree } from './tree';

/** What a catalogue is made from. */
export interface CatalogueInput {
  readonly files: Files;
  readonly tree: PoolTree;
  /** The options of the tree without what lies beside it, where they were read already. */
  readonly model?: Model;
  /** Libraries that manifests tell of. */
  readonly manifests?: readonly ManifestEntry[];
  /** Decides the architecture of which the code is listed; default x86_64. */
  readonly values?: ConfigValues;
}

/** The options of a tree, read as `make` reads them. */
export function readModel(files: Files, tree: PoolTree): Model {
  const version = coreVersion(files, tree.base);
  const environment = unikraftEnvironment({
    base: tree.base,
    app: tree.app ?? tree.base,
    libs: tree.libraries,
    plats: tree.platforms ?? [],
    excluded: tree.excluded ?? [],
    build: tree.build ?? '/build',
    fullVersion: version.full,
    codename: version.codename,
  });
  return buildModel({ files, cwd: tree.base, root: `${tree.base}/Config.uk`, dialect: dialectOf('uk-5.2'), environment });
}

/** Makes the catalogue; whatever is wrong is among its problems. */
export function readCatalogue(input: CatalogueInput): Catalogue {
  const { files, tree } = input;
  const { beside = [] } = tree;
  const found = checkTree(files, tree);
  if (!layoutOf(files, tree.base))
    return new Catalogue(tree, { full: '', codename: '' }, undefined, manifestOnly(input.manifests ?? [], new Set()), found);
  const whole = beside.length === 0 ? tree : { ...tree, libraries: [...tree.libraries, ...beside] };
  // The project's own options know nothing of what lies beside it.
  const model = (beside.length === 0 ? input.model : undefined) ?? readModel(files, whole);
  const make = readEverything(files, whole, model.byName.keys(), input.values);
  const { facts, problems: faults } = gatherFacts(files, make);
  found.push(
    ...make.problems.filter(concernsReading).map(({ path, line, message }) => problems.unreadable(path, line, message)),
    ...faults,
  );
  const owners = facts.map(({ registration, symbol, uses }) => ({ name: registration.name, folder: registration.base, symbol, uses }));
  const config = new Ownership(model, owners, (path) => files.realPath(path)).facts();
  const versions = coreVersion(files, tree.base);
  const local = facts.map((each) => makeLibrary(input, each, config.get(each.registration.name)!));
  for (const each of facts) found.push(...checkLibrary(files, model, each, tree));
  found.push(...notImported(files, tree, make.result.inputs));
  const titles = new Set(local.map((library) => library.title));
  const libraries = withNeededBy([...local, ...manifestOnly(input.manifests ?? [], titles)]);
  return new Catalogue(tree, versions, model, libraries, found);
}

/** With all branches taken, `$(error …)` of a branch is nothing that is wrong. */
function concernsReading({ message }: MakeProblem): boolean {
  return !message.startsWith('The makefile ');
}

/** All libraries of a pool, and questions to them. */
export class Catalogue {
  /** Providers by the system call's name. */
  readonly syscalls: ReadonlyMap<string, readonly SyscallProvider[]>;
  private readonly byName = new Map<string, Library>();

  constructor(
    readonly tree: PoolTree,
    readonly core: CoreVersion,
    /** The options that it was made with, those of the libraries beside the project's among them; undefined where there is no tree. */
    readonly model: Model | undefined,
    readonly libraries: readonly Library[],
    readonly problems: readonly PoolProblem[],
  ) {
    this.syscalls = indexSyscalls(libraries);
    for (const library of libraries) if (!this.byName.has(library.name)) this.byName.set(library.name, library);
    for (const library of libraries) if (!this.byName.has(library.title)) this.byName.set(library.title, library);
  }

  /** By the name that make, Kraftfiles or Config.uk use: `liblwip`, `lwip`, `lib-lwip`, `CONFIG_LIBLWIP`. */
  find(name: string): Library | undefined {
    const direct = this.byName.get(name) ?? this.byName.get(name.replace(/^lib-/, ''));
    if (direct) return direct;
    const symbol = name.replace(/^CONFIG_/, '');
    return (
      this.libraries.find((library) => library.symbol === symbol) ?? this.libraries.find((library) => library.options.includes(symbol))
    );
  }

  /** Who provides a system call, by any of the names it goes by. */
  providersOf(syscall: string): readonly SyscallProvider[] {
    for (const name of syscallNames(syscall)) {
      const providers = this.syscalls.get(name);
      if (providers) return providers;
    }
    return [];
  }
}

function makeLibrary(input: CatalogueInput, make: MakeFacts, config: ConfigFacts): Library {
  const { files, tree } = input;
  const { registration, symbol } = make;
  const folder = registration.base;
  const uk = readUk(files, folder);
  const kind = kindOf(tree, folder, registration.kind === 'platform-library');
  const title = titleOf(tree, registration.name, folder, kind);
  const manifest = input.manifests?.find((entry) => entry.title === title && entry.kind === manifestKind(kind));
  const exportsText = files.readText(`${folder}/exportsyms.uk`);
  const versions: LibraryVersion[] = [...(uk?.versions ?? [])];
  for (const version of [...(make.version ? [make.version] : []), ...(manifest?.versions ?? [])]) {
    const known = versions.findIndex((each) => each.version === version.version);
    if (known < 0) versions.push(version);
    else versions[known] = { ...version, ...versions[known] };
  }
  return {
    name: registration.name,
    title,
    kind,
    state: besideFolder(tree, folder) === undefined ? 'local' : 'beside',
    description: uk?.description || describe(config.prompt, title) || manifest?.description || firstSentence(config.help),
    origin: isInside(folder, tree.base) ? 'core' : (manifest?.origin ?? folder),
    ...(uk?.homepage && { homepage: uk.homepage }),
    ...(uk?.license && { license: uk.license }),
    folder,
    place: { path: registration.path, line: registration.line },
    ...(registration.platform !== undefined && { platform: registration.platform }),
    ...(symbol !== undefined && { symbol }),
    options: config.options,
    dependsOn: config.dependsOn,
    selections: config.selections,
    sources: make.sources,
    headerFolders: make.headerFolders,
    ...(exportsText !== undefined && {
      exports: exportsText
        .split('\n')
        .map((line) => line.replace(/#.*/, '').trim())
        .filter((line) => line !== ''),
    }),
    syscalls: make.syscalls,
    versions,
    channels: manifest?.channels ?? [],
    archives: manifest ? archivesOf(manifest) : [],
    needs: config.edges,
    neededBy: [],
  };
}

function readUk(files: Files, folder: string): LibraryFacts | undefined {
  const text = files.readText(`${folder}/Library.uk`);
  return text === undefined ? undefined : readLibraryUk(text);
}

function kindOf(tree: PoolTree, folder: string, platform: boolean): LibraryKind {
  if (tree.app !== undefined && folder === tree.app) return 'application';
  if (isInside(folder, `${tree.base}/drivers`)) return 'driver';
  if (isInside(folder, `${tree.base}/arch`)) return 'architecture';
  if (platform || isInside(folder, `${tree.base}/plat`) || (tree.platforms ?? []).includes(folder)) return 'platform';
  return 'library';
}

function manifestKind(kind: LibraryKind): ManifestEntry['kind'] {
  switch (kind) {
    case 'application':
      return 'app';
    case 'platform':
      return 'plat';
    case 'architecture':
      return 'arch';
    default:
      return 'lib';
  }
}

/** The folder's name for a library that has a folder to itself, else its own without `lib`. */
function titleOf(tree: PoolTree, name: string, folder: string, kind: LibraryKind): string {
  const own = name.replace(/^lib(?=[a-z0-9])/, '');
  const place = baseName(folder).replace(/^(lib|app|plat)-/, '');
  const flat = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  if (kind === 'application') return place;
  if (flat(place) === flat(own) || flat(place) === flat(name)) return place;
  return isInside(folder, tree.base) ? own.replace(/_/g, '-') : own;
}

/** A prompt without the name that it often begins with. */
function describe(prompt: string, title: string): string {
  const match = /^\s*([\w .+-]+?)\s*(?::|--?|–)\s+(.*)$/.exec(prompt);
  const flat = (text: string): string =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9]/g, '')
      .replace(/^lib/, '');
  return match && flat(match[1]!) === flat(title) ? match[2]! : prompt;
}

function firstSentence(help: string): string {
  return /^[^.]*\.?/.exec(help.replace(/\s+/g, ' ').trim())![0];
}

function checkLibrary(files: Files, model: Model, { registration, symbol }: MakeFacts, tree: PoolTree): PoolProblem[] {
  const { name, path, line, base } = registration;
  const defined = symbol !== undefined && model.byName.get(symbol)?.isDefined === true;
  const hasConfig = files.kind(`${base}/Config.uk`) === 'file';
  if (!hasConfig && !defined && base !== tree.app && !isInside(base, `${tree.base}/arch`)) return [problems.noConfig(name, path, line)];
  return symbol !== undefined && !defined ? [problems.noSymbol(name, symbol, path, line)] : [];
}

/** Folders of the core that hold a Makefile.uk which nothing reads. */
function notImported(files: Files, tree: PoolTree, inputs: readonly string[]): PoolProblem[] {
  const read = new Set(inputs);
  return ['lib', 'drivers', 'plat'].flatMap((part) => {
    const by = `${tree.base}/${part}/Makefile.uk`;
    return files
      .list(dirName(by))
      .map((name) => `${dirName(by)}/${name}`)
      .filter((folder) => files.kind(`${folder}/Makefile.uk`) === 'file' && !read.has(`${folder}/Makefile.uk`))
      .filter((folder) => !(tree.excluded ?? []).includes(folder))
      .map((folder) => problems.notImported(folder, by));
  });
}

/** Turns the needs round. */
function withNeededBy(libraries: readonly Library[]): Library[] {
  const reverse = new Map<string, DependencyEdge[]>();
  for (const edge of libraries.flatMap((library) => library.needs)) {
    const edges = reverse.get(edge.to);
    if (edges) edges.push(edge);
    else reverse.set(edge.to, [edge]);
  }
  return libraries.map((library) => ({ ...library, neededBy: reverse.get(library.name) ?? [] }));
}

/** Libraries that only manifests know. */
function manifestOnly(manifests: readonly ManifestEntry[], local: ReadonlySet<string>): Library[] {
  return manifests
    .filter((entry) => !local.has(entry.title) && entry.kind !== 'core')
    .map((entry) => ({
      name: entry.kind === 'lib' ? `lib${entry.title.replace(/^lib/, '')}` : entry.title,
      title: entry.title,
      kind: entry.kind === 'app' ? 'application' : entry.kind === 'plat' ? 'platform' : entry.kind === 'arch' ? 'architecture' : 'library',
      state: 'available' as const,
      description: entry.description,
      origin: entry.origin ?? '',
      folder: '',
      options: [],
      dependsOn: '',
      selections: [],
      sources: [],
      headerFolders: [],
      syscalls: [],
      versions: entry.versions,
      channels: entry.channels,
      archives: archivesOf(entry),
      needs: [],
      neededBy: [],
    }));
}
