/** Finds the tree that a file belongs to: core, application and libraries of Unikraft, a Kconfig tree, or the file by itself. */
import { unikraftEnvironment } from '../kconfig/submenu';
import { type DialectName } from '../kconfig/dialect';
import { readKraftfile } from '../kraftfile/model';
import { kraftfileNames } from '../kraftfile/schema';
import { readApplicationMakefile } from '../pool/application';
import { coreVersion, findTree, isInside, layoutOf, type PoolTree } from '../pool/tree';
import { type Files } from '../shared/files';
import { languageOf } from './kinds';
import { type Settings } from './settings';
import { folderOf, nameOf, resolvePath } from './uri';

/** How to read a tree. Two files with equal keys share it. */
export interface TreePlan {
  readonly key: string;
  /** The first Kconfig file. */
  readonly root: string;
  readonly cwd: string;
  readonly dialect: DialectName;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Only one file is known, so what it names may be defined elsewhere. */
  readonly partial: boolean;
  /** Folders whose other files may name options. */
  readonly folders: readonly string[];
  /** Folders within them that hold only what was made. */
  readonly built: readonly string[];
  /** Where a .config is looked for. */
  readonly app: string | undefined;
}

export interface TreeContext {
  readonly files: Files;
  readonly settings: Settings;
  /** The workspace's folders. */
  readonly folders: readonly string[];
  /** The starter pool's folder. */
  readonly pool?: string | undefined;
}

const deepestFolder = 40;
/** How many folders above an application its wrapper may stand. */
const highestWrapper = 4;

/** The folders above a path, nearest first. */
function foldersAbove(path: string): string[] {
  const found: string[] = [];
  for (let folder = folderOf(path); found.length < deepestFolder; folder = folderOf(folder)) {
    found.push(folder);
    if (folder === '/') break;
  }
  return found;
}

/** The plan for a file. */
export function treeFor(path: string, context: TreeContext): TreePlan {
  const unikraft = unikraftTree(path, context);
  if (unikraft) return unikraftPlan(unikraft, context);
  return kconfigTree(path, context) ?? singleFile(path, context);
}

function unikraftTree(path: string, context: TreeContext): PoolTree | undefined {
  const { files } = context;
  let library: string | undefined;
  let core: string | undefined;
  const above = foldersAbove(path);
  const around = above.find((folder) => layoutOf(files, folder) !== undefined);
  for (const folder of above) {
    if (core === undefined && folder === around) core = folder;
    else if (core === undefined && library === undefined && isLibrary(files, folder)) library = folder;
    // The core's own drivers, platforms and architectures are laid out as an application that registers nothing.
    const isApp = around !== undefined && isInside(folder, around) ? isNamedApplication(files, folder) : isApplication(files, folder);
    if (!isApp || folder === core) continue;
    const tree = applicationTree(wrapperOf(folder, files) ?? folder, context);
    if (core !== undefined && tree?.base !== core) continue;
    if (!tree) break;
    return withLibrary(tree, core === undefined && library !== folder ? library : undefined);
  }
  if (core !== undefined) {
    const user = applicationOf(core, context);
    return user ?? { base: core, libraries: [...new Set([...configured(context), ...openLibraries(core, context)])], app: core };
  }
  if (library === undefined) return undefined;
  for (const folder of context.folders) {
    const tree = isApplication(files, folder) ? applicationTree(folder, context) : undefined;
    if (tree?.libraries.some((one) => files.realPath(one) === files.realPath(library))) return tree;
  }
  const open = context.folders.find((folder) => layoutOf(files, folder) !== undefined);
  const base = configuredRoot(library, context) ?? open ?? nearbyCore(library, files);
  if (base === undefined) return undefined;
  return { base, libraries: [...new Set([...configured(context), ...openLibraries(base, context), library])], app: base };
}

/** The workspace's folders that are libraries of their own beside a core: whoever has both open means them together. */
function openLibraries(core: string, { files, folders }: TreeContext): string[] {
  if (!folders.includes(core)) return [];
  return folders.filter((folder) => !isInside(folder, core) && isLibrary(files, folder) && !isApplication(files, folder));
}

/** An application of the workspace that uses a core. */
function applicationOf(core: string, context: TreeContext): PoolTree | undefined {
  for (const folder of context.folders) {
    if (folder === core || !isApplication(context.files, folder)) continue;
    const tree = applicationTree(folder, context);
    if (tree && context.files.realPath(tree.base) === context.files.realPath(core)) return tree;
  }
  return undefined;
}

/** The folder whose Makefile hands an application to the core: catalog-core keeps one around `workdir/apps/NAME`, with libraries of its own choice. */
function wrapperOf(folder: string, files: Files): string | undefined {
  return foldersAbove(folder)
    .slice(0, highestWrapper)
    .find((above) => readApplicationMakefile(files, above)?.app === folder);
}

function isLibrary(files: Files, folder: string): boolean {
  return files.kind(`${folder}/Config.uk`) === 'file' || files.kind(`${folder}/Makefile.uk`) === 'file';
}

/** Whether a folder says of itself that it is an application: it has a Kraftfile, a Makefile that calls the core's, or registers itself as one. */
function isNamedApplication(files: Files, folder: string): boolean {
  if (kraftfileNames.some((name) => files.kind(`${folder}/${name}`) === 'file')) return true;
  if (/\bUK_(?:ROOT|BASE)\b/.test(small(files, `${folder}/Makefile`)) && files.kind(`${folder}/version.mk`) !== 'file') return true;
  return /\baddlib(?:_s)?,\s*app/.test(small(files, `${folder}/Makefile.uk`));
}

/** Whether a folder is an application; one may also register nothing, and only bring options along. */
export function isApplication(files: Files, folder: string): boolean {
  if (isNamedApplication(files, folder)) return true;
  const [makefile, config] = ['Makefile.uk', 'Config.uk'].map((name) => files.kind(`${folder}/${name}`) === 'file');
  return makefile === true && config === true && !/\baddlib/.test(small(files, `${folder}/Makefile.uk`));
}

/** A file's text where it is of a size that people write. */
function small(files: Files, path: string): string {
  return files.kind(path) === 'file' ? (files.readText(path) ?? '').slice(0, 1 << 18) : '';
}

function applicationTree(folder: string, context: TreeContext): PoolTree | undefined {
  const { files, pool } = context;
  const make = readApplicationMakefile(files, folder);
  const own = findTree(files, folder);
  const candidates = [
    configuredRoot(folder, context),
    make?.root,
    own?.base === folder ? undefined : own?.base,
    nearbyCore(folder, files),
    pool !== undefined && files.kind(`${folder}/Makefile.uk`) === 'file' && files.kind(`${folder}/Makefile`) === undefined
      ? pool
      : undefined,
  ];
  const base = candidates.find((one) => one !== undefined && layoutOf(files, one) !== undefined);
  if (base === undefined) return undefined;
  const nearby = [...(own?.libraries ?? []), ...librariesBesideCore(base, folder, files)];
  // A Makefile that names the core that is there means the libraries it names, even where these are none; of one for another layout those that are there.
  const named = base === make?.root ? make.libraries : make?.libraries?.filter((one) => files.kind(one) === 'directory');
  const libraries = named !== undefined && (named.length > 0 || base === make?.root) ? named : wantedLibraries(folder, nearby, files);
  const app = make?.app !== undefined && files.kind(make.app) === 'directory' ? make.app : folder;
  const open = wantedLibraries(folder, openLibraries(base, context), files);
  const unique = [...new Set([...configured(context, folder), ...libraries, ...open])].filter(
    (one) => files.kind(one) === 'directory' && one !== app,
  );
  return {
    base,
    libraries: unique,
    app,
    ...(make?.platforms && { platforms: make.platforms }),
    ...(make?.excluded && { excluded: make.excluded }),
    ...(make?.build !== undefined && { build: make.build }),
  };
}

/** Of the libraries that are there, those that a Kraftfile asks for, where it asks for any. */
function wantedLibraries(app: string, nearby: readonly string[], files: Files): readonly string[] {
  const kraftfile = kraftfileNames.map((name) => `${app}/${name}`).find((path) => files.kind(path) === 'file');
  const text = kraftfile === undefined ? undefined : files.readText(kraftfile);
  const wanted = text === undefined ? [] : readKraftfile(text).libraries.map(({ name }) => name.value);
  if (wanted.length === 0) return nearby;
  return nearby.filter((path) => wanted.some((name) => nameOf(path) === name || nameOf(path) === `lib-${name}`));
}

function withLibrary(tree: PoolTree, library: string | undefined): PoolTree {
  if (library === undefined || tree.libraries.includes(library) || isInside(library, tree.base)) return tree;
  return { ...tree, libraries: [...tree.libraries, library] };
}

function configuredRoot(from: string, { settings, files, folders }: TreeContext): string | undefined {
  if (settings.root === '') return undefined;
  const base = folders.find((folder) => isInside(from, folder)) ?? folders[0] ?? '/';
  const root = resolvePath(base, settings.root);
  return layoutOf(files, root) ? root : undefined;
}

function configured({ settings, folders, files }: TreeContext, from = ''): string[] {
  const base = folders.find((folder) => isInside(from, folder)) ?? folders[0] ?? '/';
  return settings.libraries.map((one) => resolvePath(base, one)).filter((one) => files.kind(one) === 'directory');
}

/** A core above a folder, or beside one of the folders above it. */
function nearbyCore(from: string, files: Files): string | undefined {
  for (const folder of foldersAbove(`${from}/x`)) {
    const tree = findTree(files, folder);
    if (tree) return tree.base;
  }
  return undefined;
}

function librariesBesideCore(base: string, app: string, files: Files): readonly string[] {
  if (isInside(base, app)) return [];
  for (const folder of foldersAbove(`${app}/x`)) {
    const tree = findTree(files, folder);
    if (tree) return tree.base === base ? tree.libraries : [];
  }
  return [];
}

function unikraftPlan(tree: PoolTree, { files, settings, folders }: TreeContext): TreePlan {
  const { base, libraries, app = base, platforms = [], excluded = [] } = tree;
  const version = coreVersion(files, base);
  const outside = folders.length > 0 && !folders.some((folder) => isInside(app, folder)) && app === base;
  const build = tree.build ?? `${app}/build`;
  const environment = unikraftEnvironment({
    base,
    app,
    libs: libraries,
    plats: platforms,
    excluded,
    build,
    fullVersion: version.full,
    codename: version.codename,
  });
  return {
    key: ['unikraft', base, app, ...libraries, ...platforms, ...excluded].join('\n'),
    root: `${base}/Config.uk`,
    cwd: app,
    dialect: settings.dialect === 'auto' ? 'uk-5.2' : settings.dialect,
    environment,
    partial: false,
    folders: [...new Set([app, base, ...libraries])].filter((one, _, all) => !all.some((other) => other !== one && isInside(one, other))),
    built: [build, `${app}/build`, `${app}/.unikraft/build`, `${app}/workdir/build`],
    app: outside ? undefined : app,
  };
}

/** A tree of Linux's form: the topmost folder above with a Kconfig file. */
function kconfigTree(path: string, { files, settings }: TreeContext): TreePlan | undefined {
  const language = languageOf(path);
  if (nameOf(path) === 'Config.uk' || language === 'kraftfile') return undefined;
  const folder = foldersAbove(path).findLast((one) => files.kind(`${one}/Kconfig`) === 'file');
  if (folder === undefined) return undefined;
  const environment = {
    CONFIG_: 'CONFIG_',
    srctree: folder,
    SRCARCH: 'x86',
    ARCH: 'x86',
    KERNELVERSION: linuxVersion(files, folder) ?? '',
  };
  return {
    key: ['kconfig', folder].join('\n'),
    root: `${folder}/Kconfig`,
    cwd: folder,
    dialect: settings.dialect === 'auto' ? guessedDialect(files, folder) : settings.dialect,
    environment,
    partial: false,
    folders: [folder],
    built: [],
    app: folder,
  };
}

function linuxVersion(files: Files, folder: string): string | undefined {
  const text = small(files, `${folder}/Makefile`).slice(0, 500);
  const field = (name: string): string | undefined => new RegExp(`^${name} = (\\d+)`, 'm').exec(text)?.[1];
  const [major, minor] = [field('VERSION'), field('PATCHLEVEL')];
  return major === undefined || minor === undefined ? undefined : `${major}.${minor}.${field('SUBLEVEL') ?? '0'}`;
}

function guessedDialect(files: Files, folder: string): DialectName {
  if (files.kind(`${folder}/Kconfig.zephyr`) === 'file') return 'kconfiglib';
  const version = linuxVersion(files, folder)?.split('.').map(Number);
  if (!version) return 'linux-6.1';
  return version[0]! > 6 || (version[0] === 6 && version[1]! >= 10) ? 'linux-6.12' : 'linux-6.1';
}

/** A file by itself; for anything but a Kconfig file, the one beside it where there is one. */
export function singleFile(path: string, { files, settings }: TreeContext): TreePlan {
  const folder = folderOf(path);
  const beside = [`${folder}/Config.uk`, `${folder}/Kconfig`].find((one) => files.kind(one) === 'file');
  const root = languageOf(path) === 'kconfig' || beside === undefined ? path : beside;
  const isKconfig = languageOf(root) === 'kconfig';
  const dialect = settings.dialect !== 'auto' ? settings.dialect : nameOf(root).startsWith('Kconfig') ? 'linux-6.1' : 'uk-5.2';
  return {
    key: ['single', root].join('\n'),
    // A .config alone has no tree: none of its names is known.
    root: isKconfig ? root : `${folder}/Config.uk`,
    cwd: folder,
    dialect,
    environment: { CONFIG_: 'CONFIG_' },
    partial: true,
    folders: [folder],
    built: [],
    app: folder,
  };
}
