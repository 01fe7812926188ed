/** Finds the Kconfig tree that a .config belongs to: the core, the application and the libraries that its project puts together. */
import { parseDotConfig } from '../kconfig/dotconfig/read';
import { type UnikraftTree } from '../kconfig/submenu';
import { type Files } from '../shared/files';
import { baseName, coreVersion, dirName, findTree, layoutOf, librariesBelow } from './tree';

/** The tree of a configuration file, and how it was found. */
export type Project =
  | { readonly kind: 'unikraft'; readonly tree: UnikraftTree }
  /** A tree of plain Kconfig files, e.g. Linux's: its root file and the folder that relative paths start from. */
  | { readonly kind: 'kconfig'; readonly root: string; readonly cwd: string };

/** Folders above the file that are searched for a core. */
const highest = 12;

/**
 * The project of a .config (or of any file in an application), by what stands around it:
 * the application's Makefile, kraft's folders, a core that holds the application, and last what the file itself names.
 * @param path absolute path of the file; it need not exist.
 * @param text the file's text where it is open in an editor.
 * @returns undefined where no tree is near.
 */
export function findProject(files: Files, path: string, text?: string): Project | undefined {
  const app = dirName(path);
  const config = isConfigName(baseName(path)) ? path : `${app}/.config`;
  const content = text ?? files.readText(config) ?? '';
  const made = fromMakefile(files, app);
  if (made) return unikraft(files, { app, config, ...made });
  let folder = app;
  for (let height = 0; height < highest; height++) {
    const found = findTree(files, folder);
    if (found) return unikraft(files, { app, config, base: found.base, libs: [...found.libraries] });
    const pool = `${folder}/library-pool`;
    if (layoutOf(files, pool)) return unikraft(files, { app, config, base: pool });
    if (folder === '/') break;
    folder = dirName(folder);
  }
  const named = fromConfig(files, content);
  if (named) return unikraft(files, { config, ...named, app: named.app ?? app });
  if (files.kind(`${app}/Kconfig`) === 'file') return { kind: 'kconfig', root: `${app}/Kconfig`, cwd: app };
  return undefined;
}

/** Whether a file's name is one that make, menuconfig or kraft give to a configuration. */
export function isConfigName(name: string): boolean {
  return name === '.config' || name.startsWith('.config.');
}

function unikraft(files: Files, tree: UnikraftTree): Project {
  const version = coreVersion(files, tree.base);
  return { kind: 'unikraft', tree: { ...tree, fullVersion: version.full, codename: version.codename } };
}

interface Parts {
  readonly base: string;
  readonly app?: string;
  readonly libs?: readonly string[];
  readonly build?: string;
}

/** The variables of an application's Makefile that calls the core's: `UK_ROOT`, `UK_LIBS`, `LIBS`, `UK_BUILD` by convention. */
function fromMakefile(files: Files, app: string): Parts | undefined {
  const text = files.readText(`${app}/Makefile`);
  if (text === undefined) return undefined;
  const variables = new Map<string, string>([
    ['PWD', app],
    ['CURDIR', app],
  ]);
  const value = (raw: string): string => raw.replace(/\$[({](\w+)[)}]/g, (_, name: string) => variables.get(name) ?? '');
  for (const line of text.replace(/\\\n/g, ' ').split('\n')) {
    const match = /^\s*(?:export\s+)?(\w+)\s*(\?|:{1,2}|\+)?=\s*([^#]*)/.exec(line);
    if (!match) continue;
    const [, name = '', operator, raw = ''] = match;
    const now = value(raw).trim();
    const before = variables.get(name);
    variables.set(name, operator === '+' && before ? `${before} ${now}` : operator === '?' && before !== undefined ? before : now);
  }
  const command = /-C\s*(\S+)/.exec(text)?.[1];
  const base = absolute(app, (command && value(command)) ?? variables.get('UK_ROOT') ?? '');
  if (base === undefined || !layoutOf(files, base)) return undefined;
  const given = /\sL=(\S+)/.exec(text)?.[1];
  const listed = (value(given ?? '$(LIBS)') || '').split(/[:\s]+/).flatMap((path) => absolute(app, path) ?? []);
  const build = absolute(app, variables.get('UK_BUILD') ?? '');
  return { base, libs: listed.filter((path) => files.kind(path) === 'directory'), ...(build !== undefined && { build }) };
}

/** What a .config says about the tree that wrote it. */
function fromConfig(files: Files, text: string): Parts | undefined {
  const values = new Map(parseDotConfig(text, 'CONFIG_').assignments.map(({ name, value }) => [name, value] as const));
  const path = (name: string): string | undefined => absolute('/', values.get(name)?.replace(/^"|"$/g, '') ?? '');
  const base = path('UK_BASE');
  if (base === undefined || !layoutOf(files, base)) return undefined;
  const app = path('UK_APP');
  const beside = `${dirName(base)}/libs`;
  return {
    base,
    ...(app !== undefined && files.kind(app) === 'directory' && { app }),
    libs: files.kind(beside) === 'directory' ? librariesBelow(files, beside) : [],
  };
}

/** A path made absolute and free of `.` and `..`; undefined where there is none. */
function absolute(folder: string, path: string): string | undefined {
  if (path === '') return undefined;
  const out: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${folder}/${path}`).split('/')) {
    if (part === '..') out.pop();
    else if (part !== '' && part !== '.') out.push(part);
  }
  return `/${out.join('/')}`;
}
