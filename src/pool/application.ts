/** Reads an application's own Makefile, the wrapper that calls the core's, for the folders that it hands to `make`. */
import { type Files } from '../shared/files';
import { MakeReader } from './makefile';
import { splitWords } from './makefile-functions';
import { withoutRecipes } from './make-tree';

/** The variables of make's command line that an application's Makefile gives. All paths are absolute. */
export interface ApplicationMakefile {
  /** The core, `-C`; it need not be there. */
  readonly root?: string;
  /** `A=` where it is another folder than the Makefile's. */
  readonly app?: string;
  /** `L=`, in order; undefined where the Makefile does not say. */
  readonly libraries?: readonly string[];
  /** `P=` */
  readonly platforms?: readonly string[];
  /** `E=` */
  readonly excluded?: readonly string[];
  /** `O=` */
  readonly build?: string;
  /** `C=` */
  readonly config?: string;
  /** `N=` */
  readonly name?: string;
}

/** Makefiles that people write by hand are small. */
const largest = 1 << 18;

/** What the Makefile in a folder hands to the core's; undefined where there is none that calls it. */
export function readApplicationMakefile(files: Files, folder: string): ApplicationMakefile | undefined {
  const path = `${folder}/Makefile`;
  const text = files.kind(path) === 'file' ? files.readText(path) : undefined;
  if (text === undefined || text.length > largest || !/\bUK_(?:ROOT|BASE|APP)\b|\$[({]MAKE[)}]\s+-C/.test(text)) return undefined;
  const view: Files = {
    read: (name) => files.read(name),
    readText: (name) => (name === path ? withoutRecipes(text) : undefined),
    kind: (name) => files.kind(name),
    list: (name) => files.list(name),
    realPath: (name) => files.realPath(name),
  };
  const variables = new Map([
    ['PWD', folder],
    ['CURDIR', folder],
    ['MAKE', 'make'],
  ]);
  const reader = new MakeReader({ files: view, makefiles: [], variables });
  reader.readFile(path, false);
  // `$(shell pwd)` is the one command that such a Makefile asks a shell for.
  const expand = (source: string): string => reader.expand(source.replace(/\$[({]shell\s+pwd[^)}]*[)}]/g, folder));
  for (const line of text.replace(/\\\r?\n/g, ' ').split(/\r?\n/)) {
    if (!line.startsWith('\t') || !/\s-C\s/.test(line)) continue;
    const words = splitWords(expand(line).trim());
    const at = words.indexOf('-C');
    if (/make$/.test(words[0]?.replace(/^[@+-]+/, '') ?? '') && at > 0 && words.some((word) => word.startsWith('A=')))
      return fromWords(words, words[at + 1], folder);
  }
  // No such call: what the usual names hold.
  const make = reader.result();
  const root = make.value('UK_ROOT') || make.value('UK_BASE');
  const libraries = (make.value('UK_LIBS_LIST') || make.value('LIBS')).split(':').filter((each) => each !== '');
  if (root === '') return undefined;
  return { root: absolute(root, folder), ...(libraries.length > 0 && { libraries: libraries.map((each) => absolute(each, folder)) }) };
}

function fromWords(words: readonly string[], root: string | undefined, folder: string): ApplicationMakefile {
  const value = (name: string): string | undefined => words.findLast((word) => word.startsWith(`${name}=`))?.slice(2);
  const path = (name: string): string | undefined => (value(name) ? absolute(value(name)!, folder) : undefined);
  const paths = (name: string): readonly string[] | undefined =>
    value(name)
      ?.split(':')
      .filter((each) => each !== '')
      .map((each) => absolute(each, folder));
  const app = path('A');
  const [libraries, platforms, excluded, build, config] = [paths('L'), paths('P'), paths('E'), path('O'), path('C')];
  const name = value('N');
  return {
    ...(root !== undefined && { root: absolute(root, folder) }),
    ...(app !== undefined && app !== folder && { app }),
    ...(libraries && { libraries }),
    ...(platforms && platforms.length > 0 && { platforms }),
    ...(excluded && excluded.length > 0 && { excluded }),
    ...(build !== undefined && { build }),
    ...(config !== undefined && { config }),
    ...(name !== undefined && name !== '' && { name }),
  };
}

/** A path from a folder, with `.` and `..` taken away. */
function absolute(path: string, folder: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${folder}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
