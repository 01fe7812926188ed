/** Where the parts of a pool lie: the core, the libraries beside it, and how to find them below a folder. */
import { type Files } from '../shared/files';
import { type PoolProblem, problems } from './problems';

/** A core with the external libraries that are used with it. All paths are absolute. */
export interface PoolTree {
  /** The core: the folder with lib/, plat/ and arch/ (UK_BASE). */
  readonly base: string;
  /** External libraries, in the order of make's L=. */
  readonly libraries: readonly string[];
  /** External platforms (P=). */
  readonly platforms?: readonly string[];
  /** Libraries that are left out (E=). */
  readonly excluded?: readonly string[];
  /** Libraries that lie with those of the project, and that it does not take. */
  readonly beside?: readonly string[];
  /** The application; a catalogue needs none. */
  readonly app?: string;
  /** Folder that objects would go to; only names in values come from it. */
  readonly build?: string;
}

/** Version and code name of a core. */
export interface CoreVersion {
  /** e.g. `0.17.0`. */
  readonly full: string;
  readonly codename: string;
}

/** Whose layout a core has: upstream's, or the starter pool's (one Makefile.uk that imports everything). */
export type TreeLayout = 'upstream' | 'starter';

/** The last component of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The path without its last component. */
export function dirName(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0)) || '/';
}

/** The folder beside the project's libraries that a path lies in, if it does. */
export function besideFolder({ beside = [] }: PoolTree, path: string): string | undefined {
  return beside.find((folder) => isInside(path, folder));
}

/** Whether `path` is `folder` or lies below it. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

/** The layout of a core; undefined where the folder is none. */
export function layoutOf(files: Files, base: string): TreeLayout | undefined {
  if (files.kind(`${base}/Config.uk`) !== 'file' || files.kind(`${base}/lib`) !== 'directory') return undefined;
  return files.kind(`${base}/arch/Makefile.uk`) === 'file' ? 'starter' : 'upstream';
}

/** Reads version.mk. An empty text where there is none. */
export function coreVersion(files: Files, base: string): CoreVersion {
  const text = files.readText(`${base}/version.mk`) ?? '';
  const field = (name: string): string => new RegExp(`^[ \\t]*${name}[ \\t]*[:?]?=[ \\t]*(\\S*)`, 'm').exec(text)?.[1] ?? '';
  // Upstream writes the last part without its dot, and make puts it there.
  const parts = [field('UK_VERSION'), field('UK_SUBVERSION'), field('UK_EXTRAVERSION').replace(/^\./, '')];
  return { full: parts.filter((part) => part !== '').join('.'), codename: field('UK_CODENAME') };
}

/** Folders with a Makefile.uk or a Config.uk directly below a folder. */
export function librariesBelow(files: Files, folder: string): string[] {
  return files
    .list(folder)
    .filter((name) => !name.startsWith('.'))
    .map((name) => `${folder}/${name}`)
    .filter((path) => files.kind(`${path}/Makefile.uk`) === 'file' || files.kind(`${path}/Config.uk`) === 'file');
}

/** Places of a core and its libraries that kraft, catalog-core and plain make projects use, relative to the project. */
const arrangements: readonly { readonly core: string; readonly libraries: string }[] = [
  { core: '.unikraft/unikraft', libraries: '.unikraft/libs' },
  { core: 'workdir/unikraft', libraries: 'workdir/libs' },
  { core: 'repos/unikraft', libraries: 'repos/libs' },
  { core: 'unikraft', libraries: 'libs' },
];

/** The pool that a project brings: the first arrangement of which the core is there; the folder itself where it is a core. */
export function findTree(files: Files, folder: string): PoolTree | undefined {
  if (layoutOf(files, folder)) return { base: folder, libraries: [] };
  for (const { core, libraries } of arrangements) {
    const base = `${folder}/${core}`;
    if (layoutOf(files, base)) return { base, libraries: librariesBelow(files, `${folder}/${libraries}`) };
  }
  return undefined;
}

/** What is wrong with a tree before anything in it is read. */
export function checkTree(files: Files, tree: PoolTree): PoolProblem[] {
  const found: PoolProblem[] = [];
  if (files.kind(tree.base) !== 'directory') found.push(problems.missingTree(tree.base));
  else if (!layoutOf(files, tree.base)) found.push(problems.notATree(tree.base));
  const folders: readonly (readonly [string, string])[] = [
    ...tree.libraries.map((path) => ['library', path] as const),
    ...(tree.platforms ?? []).map((path) => ['platform', path] as const),
    ...(tree.app === undefined ? [] : [['application', tree.app] as const]),
  ];
  for (const [what, path] of folders) {
    if (files.kind(path) !== 'directory') found.push(problems.missingFolder(what, path));
    else if (files.kind(`${path}/Makefile.uk`) !== 'file') found.push(problems.noMakefile(what, path));
  }
  return found;
}
