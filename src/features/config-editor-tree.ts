/** Opens the Kconfig tree that a .config belongs to. */
import { execFileSync } from 'node:child_process';
import { parseDotConfig } from '../kconfig/dotconfig/read';
import { KconfigService } from '../kconfig/service';
import { unikraftEnvironment } from '../kconfig/submenu';
import { readSettings, type Settings } from '../language-server/settings';
import { treeFor, type TreePlan } from '../language-server/trees';
import { coreVersion, dirName, layoutOf, librariesBelow } from '../pool/tree';
import { type Files } from '../shared/files';
import { NodeFiles } from '../shared/files.node';

/** A tree that was opened. */
export interface OpenedTree {
  readonly service: KconfigService;
  readonly plan: TreePlan;
}

export interface TreeSurroundings {
  /** The workspace's folders. */
  readonly folders: readonly string[];
  readonly settings: Settings;
  /** The starter pool's folder. */
  readonly pool: string | undefined;
  /** Whether commands may be run. */
  readonly trusted: boolean;
}

/** A command of a Kconfig file may take this long, in milliseconds. */
const shellPatience = 10_000;

/** Opens the tree of a .config; undefined where none is near. */
export function openTree(path: string, text: string, surroundings: TreeSurroundings): OpenedTree | undefined {
  const files = new NodeFiles();
  const { folders, settings, pool } = surroundings;
  const plan = treeFor(path, { files, folders, settings, pool });
  const found = plan.partial ? planFromConfig(files, path, text, plan) : plan;
  if (!found || files.kind(found.root) !== 'file') return undefined;
  const { root, cwd, dialect, environment } = found;
  const mayRun = surroundings.trusted && settings.shell;
  const shell = (command: string): string => runShell(command, cwd, environment);
  return { plan: found, service: new KconfigService({ files, cwd, root, dialect, environment, ...(mayRun && { shell }) }) };
}

/** The tree that wrote the .config, as the file itself names it. */
function planFromConfig(files: Files, path: string, text: string, near: TreePlan): TreePlan | undefined {
  const values = new Map(parseDotConfig(text, 'CONFIG_').assignments.map(({ name, value }) => [name, value?.replace(/^"|"$/g, '')]));
  const base = values.get('UK_BASE');
  if (base === undefined || !base.startsWith('/') || layoutOf(files, base) === undefined) return near.root === path ? undefined : near;
  const named = values.get('UK_APP');
  const app = named !== undefined && files.kind(named) === 'directory' ? named : dirName(path);
  const beside = `${dirName(base)}/libs`;
  const libs = files.kind(beside) === 'directory' ? librariesBelow(files, beside) : [];
  const { full, codename } = coreVersion(files, base);
  return {
    ...near,
    key: ['unikraft', base, app, ...libs].join('\n'),
    root: `${base}/Config.uk`,
    cwd: app,
    dialect: 'uk-5.2',
    environment: unikraftEnvironment({ base, app, libs, config: path, fullVersion: full, codename }),
    partial: false,
    folders: [app, base, ...libs],
    app,
  };
}

function runShell(command: string, cwd: string, environment: Readonly<Record<string, string | undefined>>): string {
  try {
    return execFileSync('/bin/sh', ['-c', command], {
      cwd,
      env: { ...process.env, ...environment },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: shellPatience,
      maxBuffer: 1 << 24,
    });
  } catch (error) {
    // A command that fails has still said what it said.
    return typeof error === 'object' && error !== null && 'stdout' in error && typeof error.stdout === 'string' ? error.stdout : '';
  }
}

export { readSettings };
