/** Gathers, from a reading of a tree with all branches taken, what each library is made of and under which conditions. */
import { type Files } from '../shared/files';
import { ConditionStack, conjunction, suffixCondition, symbolsOf } from './conditions';
import { type HeaderFolder, type LibrarySource, type LibraryVersion, type ProvidedSyscall } from './library';
import { type MakeAssignment, type MakeLibrary, upperName } from './makefile';
import { splitWords } from './makefile-functions';
import { conditionMarker, elseMarker, endMarker, type MakeTree } from './make-tree';
import { type PoolProblem, problems } from './problems';
import { readSyscall } from './syscalls';
import { isInside } from './tree';

/** What Makefile.uk says about one library. */
export interface MakeFacts {
  readonly registration: MakeLibrary;
  /** The option that switches it; undefined for one that is always built. */
  readonly symbol: string | undefined;
  readonly sources: LibrarySource[];
  readonly headerFolders: HeaderFolder[];
  readonly syscalls: ProvidedSyscall[];
  /** Options that its conditions name, with the first place. */
  readonly uses: Map<string, string>;
  readonly version: LibraryVersion | undefined;
}

/** The facts of all libraries of a tree, platforms' own entries left out. */
export function gatherFacts(files: Files, make: MakeTree): { facts: MakeFacts[]; problems: PoolProblem[] } {
  return new Gatherer(files, make).run();
}

const mostHeaders = 2000;

/** What switches a line on: `-y`, `-$(CONFIG_X)`. A library's own name may have a dash, too. */
const suffix = /-(?:[yn]?|\$[({].*)$/;

class Gatherer {
  private readonly facts: MakeFacts[] = [];
  private readonly byPrefix: { readonly prefix: string; readonly facts: MakeFacts }[] = [];
  private readonly found: PoolProblem[] = [];
  private readonly lines = new Map<string, readonly string[]>();

  constructor(
    private readonly files: Files,
    private readonly make: MakeTree,
  ) {}

  run(): { facts: MakeFacts[]; problems: PoolProblem[] } {
    const { libraries, assignments } = this.make.result;
    const platforms = new Map(libraries.filter((each) => each.kind === 'platform').map((each) => [each.name, each]));
    const places = new Map<string, MakeLibrary>();
    for (const registration of libraries) {
      if (registration.kind === 'platform') continue;
      const { name, path, line } = registration;
      const other = places.get(name);
      // A library may be registered twice in one file, once for each branch of a condition.
      if (other && other.path !== path) this.found.push(problems.duplicate(name, path, line, `${other.path}:${other.line}`));
      if (other) continue;
      places.set(name, registration);
      const platform = registration.platform === undefined ? undefined : platforms.get(registration.platform);
      const symbol = this.switchOf(registration) ?? (platform && this.switchOf(platform));
      const facts: MakeFacts = {
        registration,
        symbol,
        sources: [],
        headerFolders: [],
        syscalls: [],
        uses: new Map(),
        version: this.versionOf(name),
      };
      this.facts.push(facts);
      this.byPrefix.push({ prefix: `${upperName(name)}_`, facts });
    }
    // The longest name first: LIBUKBOOT_MAIN_SRCS is not LIBUKBOOT's.
    this.byPrefix.sort((a, b) => b.prefix.length - a.prefix.length);
    const stacks = new Map<string, ConditionStack>();
    for (const assignment of assignments) {
      let stack = stacks.get(assignment.path);
      if (!stack) stacks.set(assignment.path, (stack = new ConditionStack()));
      const { name, rawValue, path, line } = assignment;
      const stray = (word: string): void => void this.found.push(problems.unreadable(path, line, `${word} without a condition.`));
      if (name === conditionMarker) stack.begin(rawValue, line);
      else if (name === elseMarker) {
        if (!stack.otherwise(rawValue)) stray('else');
      } else if (name === endMarker) {
        if (!stack.end()) stray('endif');
      } else this.assignment(assignment, conjunction([stack.current, suffixCondition(assignment.name)]));
    }
    for (const [path, stack] of stacks)
      for (const line of stack.left) this.found.push(problems.unreadable(path, line, 'This condition has no endif.'));
    return { facts: this.facts, problems: this.found };
  }

  private assignment(assignment: MakeAssignment, condition: string): void {
    const { name, path, line } = assignment;
    const variable = name.replace(suffix, '');
    if (condition === 'n') return;
    if (variable === 'UK_PROVIDED_SYSCALLS') {
      const owner = this.ownerOf(path, condition);
      for (const word of this.words(assignment)) {
        const call = readSyscall(word);
        if (!call) this.found.push(problems.badSyscall(word, path, line));
        else if (owner) owner.syscalls.push({ ...call, condition, path, line });
      }
      if (owner) this.use(owner, condition);
      return;
    }
    if (variable === 'CINCLUDES' || variable === 'CXXINCLUDES' || variable === 'ASINCLUDES') {
      const owner = this.ownerOf(path, condition);
      if (!owner) return;
      for (const word of this.words(assignment))
        if (word.startsWith('-I')) this.headerFolder(owner, word.slice(2).replace(/\/+$/, ''), condition);
      return;
    }
    const owner = this.byPrefix.find(({ prefix }) => variable.startsWith(prefix));
    if (!owner) return;
    this.use(owner.facts, condition);
    if (variable !== `${owner.prefix}SRCS`) return;
    for (const word of this.words(assignment)) {
      const bar = word.indexOf('|');
      const file = bar < 0 ? word : word.slice(0, bar);
      owner.facts.sources.push({ file, condition, path, line, ...(bar >= 0 && { variant: word.slice(bar + 1) }) });
    }
  }

  private words(assignment: MakeAssignment): string[] {
    return splitWords(this.make.expand(assignment.rawValue));
  }

  private use(facts: MakeFacts, condition: string): void {
    for (const symbol of symbolsOf(condition)) if (!facts.uses.has(symbol)) facts.uses.set(symbol, condition);
  }

  /** Whose line it is, of a variable that all libraries share: the one that the condition switches, else the first of the folder. */
  private ownerOf(path: string, condition: string): MakeFacts | undefined {
    const near = this.facts.filter(({ registration }) => registration.base !== '' && isInside(path, registration.base));
    const depth = Math.max(...near.map(({ registration }) => registration.base.length));
    const folder = near.filter(({ registration }) => registration.base.length === depth);
    return folder.find(({ symbol }) => symbol !== undefined && symbolsOf(condition).includes(symbol)) ?? folder[0];
  }

  private headerFolder(owner: MakeFacts, folder: string, condition: string): void {
    if (folder === '' || owner.headerFolders.some((each) => each.folder === folder)) return;
    const headers: string[] = [];
    const walk = (below: string): void => {
      for (const name of this.files.list(below === '' ? folder : `${folder}/${below}`)) {
        if (headers.length >= mostHeaders || name.startsWith('.')) continue;
        const relative = below === '' ? name : `${below}/${name}`;
        if (/\.(h|hh|hpp|inc)$/.test(name)) headers.push(relative);
        else if (!name.includes('.') && relative.split('/').length < 12 && this.files.kind(`${folder}/${relative}`) === 'directory')
          walk(relative);
      }
    };
    walk('');
    owner.headerFolders.push({ folder, condition, headers });
  }

  /** The option in the third argument of the registration's line. */
  private switchOf({ path, line, name }: MakeLibrary): string | undefined {
    let lines = this.lines.get(path);
    if (!lines) this.lines.set(path, (lines = (this.files.readText(path) ?? '').split('\n')));
    let text = '';
    for (let at = line - 1; at < lines.length && at < line + 8; at++) {
      text += lines[at]!.replace(/\\\r?$/, ' ');
      if (!/\\\r?$/.test(lines[at]!)) break;
    }
    const call = new RegExp(`add(?:plat)?(?:lib|plat)?(?:_tree)?_s\\s*,(?:[^,()]*,)?\\s*${name.replace(/[^\w]/g, '\\$&')}\\s*,(.*)$`).exec(
      text,
    );
    return call ? /\$[({]CONFIG_(\w+)[)}]/.exec(call[1]!)?.[1] : undefined;
  }

  private versionOf(name: string): LibraryVersion | undefined {
    const prefix = upperName(name);
    const { result } = this.make;
    const version = result.value(`${prefix}_VERSION`);
    if (version === '' || version.includes('$')) return undefined;
    const url = result.value(`${prefix}_URL`);
    const sha256 = result.value(`${prefix}_ORIGIN_SHA256`);
    return {
      version,
      from: 'Makefile.uk',
      ...(url !== '' && { url }),
      ...(/^[0-9a-f]{64}$/i.test(sha256) && { sha256: sha256.toLowerCase() }),
    };
  }
}
