/** Finds the projects of a workspace: applications with their core, libraries, configuration and images, and cores by themselves. */
import { TARGETS } from '../build/pool-targets';
import { type MakeProject } from '../build/make/command';
import { readKraftfile } from '../kraftfile/model';
import { kraftfileNames } from '../kraftfile/schema';
import { defaultSettings } from '../language-server/settings';
import { isApplication, treeFor, type TreePlan } from '../language-server/trees';
import { readApplicationMakefile } from '../pool/application';
import { type PoolProblem, problems } from '../pool/problems';
import { baseName, dirName, findTree, isInside, layoutOf, type PoolTree } from '../pool/tree';
import { type Files } from '../shared/files';
import { targetsOf, type BuildTarget } from './targets';

/** An application, or a core that is looked at without one. */
export interface Project {
  readonly name: string;
  /** The application's folder; the core's where there is none. */
  readonly folder: string;
  readonly isApplication: boolean;
  readonly tree: PoolTree;
  readonly plan: TreePlan;
  /** Who builds it: our builder, or upstream's make; undefined for a core alone. */
  readonly builder: 'pool' | 'make' | undefined;
  /** What it can be built for; none for a core alone. */
  readonly targets: readonly BuildTarget[];
  /** The one that is worked on; undefined for a core alone. */
  readonly target: BuildTarget | undefined;
  /** Where the target's .config stands or will stand. */
  readonly configFile: string;
  /** Where its build goes (`O=`). */
  readonly build: string;
  /** The image's name, where a Makefile or Kraftfile gives one (`N=`). */
  readonly imageName?: string;
  readonly kraftfile?: string;
}

/** The project with another target to work on; the project itself where it has no such target. */
export function withTarget(project: Project, name: string | undefined): Project {
  const target = project.targets.find((each) => each.name === name);
  return target === undefined || target === project.target ? project : { ...project, target, configFile: target.configFile };
}

/** What projects are looked for in. All paths are absolute. */
export interface ProjectSearch {
  readonly files: Files;
  /** The workspace's folders. */
  readonly folders: readonly string[];
  /** Folders that may be applications. */
  readonly candidates: readonly string[];
  /** The setting that names a core, or a project that holds one; empty to look for it. */
  readonly root: string;
  /** The starter pool that comes with the product. */
  readonly starterPool: string | undefined;
}

/** All projects, applications by path, then cores. */
export function findProjects(search: ProjectSearch): Project[] {
  const { files, folders } = search;
  const found = new Map<string, Project>();
  for (const folder of [...new Set(search.candidates)].sort()) {
    if (!belongsToApplication(files, folder)) continue;
    const project = projectOf(folder, search, true);
    if (project) found.set(folder, project);
  }
  const used = new Set([...found.values()].map(({ tree }) => files.realPath(tree.base)));
  const roots = [
    ...folders.flatMap((folder) => [folder, `${folder}/library-pool`]),
    ...(search.root === '' ? [] : [absolute(search.root, folders[0] ?? '/')]),
  ];
  for (const root of roots) {
    if (!layoutOf(files, root) || used.has(files.realPath(root))) continue;
    used.add(files.realPath(root));
    const project = projectOf(root, search, false);
    if (project) found.set(root, project);
  }
  if (found.size === 0 && search.starterPool !== undefined) {
    const project = projectOf(search.starterPool, search, false);
    if (project) found.set(project.folder, project);
  }
  return [...found.values()];
}

/** What keeps a search from finding what it was for: the setting names no core, or the first application has none; undefined where one has. */
export function missingCore(
  { files, folders, candidates, root, starterPool }: ProjectSearch,
  found: readonly Project[],
): PoolProblem | undefined {
  // The starter pool stands in where there is no core, also for what asks for Unikraft's.
  const standsIn = ({ tree, kraftfile }: Project): boolean =>
    tree.base === starterPool && kraftfile !== undefined && readKraftfile(files.readText(kraftfile) ?? '').unikraft !== undefined;
  if (found.some((project) => project.isApplication && !standsIn(project))) return undefined;
  if (root !== '') {
    const named = absolute(root, folders[0] ?? '/');
    if (files.kind(named) !== 'directory') return problems.missingTree(named);
    if (!layoutOf(files, coreAt(files, named))) return problems.notATree(named);
  }
  for (const folder of [...new Set(candidates)].sort()) {
    if (!belongsToApplication(files, folder)) continue;
    const file = [...kraftfileNames, 'Makefile', 'Makefile.uk'].find((name) => files.kind(`${folder}/${name}`) === 'file');
    if (file !== undefined) return problems.noCore(`${folder}/${file}`);
  }
  return undefined;
}

/** Whether a folder is an application; a core's own parts are none, except what lies in its folder of applications. */
function belongsToApplication(files: Files, folder: string): boolean {
  if (layoutOf(files, folder) || !isApplication(files, folder)) return false;
  for (let above = dirName(folder); above !== '/'; above = dirName(above))
    if (layoutOf(files, above)) return isInside(folder, `${above}/app`) || isInside(folder, `${above}/apps`);
  return true;
}

function projectOf(folder: string, { files, folders, root, starterPool }: ProjectSearch, application: boolean): Project | undefined {
  const settings = { ...defaultSettings, root: root === '' ? '' : coreAt(files, absolute(root, folders[0] ?? '/')) };
  const around = folders.find((each) => isInside(folder, each));
  const plan = treeFor(`${folder}/.config`, { files, folders: around === undefined ? [folder] : folders, settings, pool: starterPool });
  const { UK_BASE: base, UK_APP: app = folder } = plan.environment;
  if (plan.partial || base === undefined) return undefined;
  const layout = layoutOf(files, base);
  if (layout === undefined) return undefined;
  const list = (name: string): string[] => (plan.environment[name] ?? '').split(':').filter((each) => each !== '');
  const [platforms, excluded] = [list('KCONFIG_EPLAT_DIRS'), list('KCONFIG_EXCLUDEDIRS')];
  const kraftfile = kraftfileNames.map((name) => `${folder}/${name}`).find((path) => files.kind(path) === 'file');
  const registers = application && files.kind(`${app}/Makefile.uk`) === 'file';
  const libraries = list('KCONFIG_ELIB_DIRS');
  const beside = kraftfile === undefined ? [] : besideLibraries(files, folder, libraries);
  const builder = application ? (layout === 'starter' ? 'pool' : 'make') : undefined;
  const make = builder === 'make' ? readApplicationMakefile(files, folder) : undefined;
  const kraftName = kraftfile === undefined || make ? undefined : readKraftfile(files.readText(kraftfile) ?? '').name?.value;
  const imageName = make?.name ?? kraftName;
  const plainConfig = make?.config ?? `${app}/.config`;
  const targets =
    builder === 'make'
      ? targetsOf({ files, folder, configFile: plainConfig, kraftfile })
      : builder === 'pool'
        ? starterTargets(folder)
        : [];
  const [target] = targets;
  return {
    name: baseName(folder),
    folder,
    isApplication: application,
    tree: {
      base,
      libraries,
      ...(beside.length > 0 && { beside }),
      ...(platforms.length > 0 && { platforms }),
      ...(excluded.length > 0 && { excluded }),
      ...(registers && { app }),
    },
    plan,
    builder,
    targets,
    target,
    configFile: target?.configFile ?? plainConfig,
    build: make?.build ?? (isInside(base, `${folder}/.unikraft`) ? `${folder}/.unikraft/build` : `${folder}/build`),
    ...(imageName !== undefined && { imageName }),
    ...(kraftfile !== undefined && { kraftfile }),
  };
}

/** Libraries in the project's folder of libraries that its Kraftfile does not ask for. */
function besideLibraries(files: Files, folder: string, taken: readonly string[]): string[] {
  const real = new Set(taken.map((each) => files.realPath(each)));
  return (findTree(files, folder)?.libraries ?? []).filter((each) => !real.has(files.realPath(each)));
}

/** Our builder takes all of its targets from one configuration. */
function starterTargets(folder: string): BuildTarget[] {
  return Object.keys(TARGETS).map((name) => {
    const [platform, architecture] = name.split('-') as [string, string];
    return { name, platform, architecture, configFile: `${folder}/.config` };
  });
}

/** The core that a folder is or holds; the folder itself where it is neither. */
function coreAt(files: Files, folder: string): string {
  const inside = ['', '/.unikraft/unikraft', '/workdir/unikraft', '/repos/unikraft', '/unikraft', '/library-pool'];
  return inside.map((part) => folder + part).find((path) => layoutOf(files, path)) ?? folder;
}

function absolute(path: string, folder: string): string {
  const full = path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path) ? path : `${folder}/${path}`;
  return full.replace(/\/\.(?=\/|$)/g, '').replace(/\/+$/, '') || '/';
}

/** Folders of a project that a build may have written to, its own first. */
export function buildFolders({ folder, build }: Project): readonly string[] {
  return [...new Set([build, ...['build', 'workdir/build', '.unikraft/build'].map((name) => `${folder}/${name}`), folder])];
}

/** Names of images as make and our builder give them; kraft names configurations alike, with a dot before. */
const imageName = /^([^.].*)_((?:qemu|fc|kvm|firecracker|xen)-x86_64)$/;

/** A bootable image of a project. */
export interface Image {
  readonly path: string;
  /** `qemu-x86_64`. */
  readonly target: string;
  /** The configuration that the build used, where it left it behind. */
  readonly config: string | undefined;
}

/** The images of the first build folder that holds any, the current target's first. */
export function imagesOf(files: Files, project: Project): readonly Image[] {
  for (const folder of buildFolders(project)) {
    const images = files.list(folder).flatMap((name) => {
      const target = imageName.exec(name)?.[2];
      const config = files.kind(`${folder}/config`) === 'file' ? `${folder}/config` : undefined;
      return target === undefined || files.kind(`${folder}/${name}`) !== 'file' ? [] : [{ path: `${folder}/${name}`, target, config }];
    });
    if (images.length > 0) return images.sort((a, b) => Number(isFor(b, project)) - Number(isFor(a, project)));
  }
  return [];
}

function isFor(image: Image, { target }: Project): boolean {
  return target !== undefined && image.target === `${target.platform ?? ''}-${target.architecture ?? ''}`;
}

/** What upstream's make is told of a project. */
export function makeProject(project: Project): MakeProject {
  const { tree, plan, folder, configFile: config, build, imageName } = project;
  return { ...tree, app: plan.environment['UK_APP'] ?? folder, config, build, ...(imageName !== undefined && { name: imageName }) };
}
