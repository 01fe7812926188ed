/** Remembers all that a build of the pool depended on, by names, sizes and times, so that the next one is over at once where nothing has changed. */

import {
  type BigIntStats,
  closeSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { resolve } from 'node:path';
import { type FileKind, type Files } from '../shared/files';
import { NodeFiles } from '../shared/files.node';
import { type PoolBuildOptions, type PoolBuildResult } from './pool-build.node';
import { type BuildProblem } from './problems';
import { type BuiltImage } from './image-files.node';
import { isKnownToolchain, type ToolchainMemory } from './toolchain.node';

/** What an unchanged build has to say again. */
export interface StampedResult {
  readonly problems: readonly BuildProblem[];
  readonly images: readonly BuiltImage[];
  readonly command: readonly string[];
}

interface Stamp {
  readonly key: string;
  readonly toolchain?: ToolchainMemory;
  /** Path to what stood there. */
  readonly seen: Record<string, string>;
  /** Paths that were resolved, with what they led to. */
  readonly real: Record<string, string>;
  /** Folders that were taken with all below them. */
  readonly trees: Record<string, string>;
  readonly result: StampedResult;
}

/** Clocks of file systems tick in steps; milliseconds. */
export const CLOCK_STEP = 10;

const NOTHING = '-';
const FOLDER = 'd';

function look(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    // Below something that is no folder, or not to be looked at: not there for a build either.
    return undefined;
  }
}

/** What stands at a path. `listed`: whether it counts what a folder holds. */
function signatureOf(path: string, listed: boolean): string {
  return signature(look(path), listed);
}

function signature(stat: BigIntStats | undefined, listed: boolean): string {
  if (!stat) return NOTHING;
  if (stat.isDirectory()) return listed ? `${FOLDER}${stat.mtimeNs}` : FOLDER;
  return `${stat.size} ${stat.mtimeNs} ${stat.ino}`;
}

/** The time of the last change in a signature, in nanoseconds; undefined of what has none. */
function timeIn(signature: string): bigint | undefined {
  if (signature === NOTHING || signature === FOLDER) return undefined;
  return BigInt(signature.startsWith(FOLDER) ? signature.slice(FOLDER.length) : signature.split(' ')[1]!);
}

/** The text of a file that was there a moment ago. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** What a folder holds, all the way down: names, kinds, access, sizes and times. */
function treeSignature(root: string): string {
  const lines: string[] = [];
  const walk = (dir: string): void => {
    for (const name of readdirSync(dir).sort()) {
      const path = `${dir}/${name}`;
      const s = lstatSync(path, { bigint: true });
      lines.push(`${path} ${s.mode} ${s.isDirectory() ? '' : `${s.size} ${s.mtimeNs} ${s.ino}`}`);
      if (s.isDirectory()) walk(path);
    }
  };
  walk(root);
  return lines.join('\n');
}

/** The files on disk as one build sees them: each is looked at once, with a note of it. */
export class SeenFiles implements Files {
  private readonly disk = new NodeFiles();
  private readonly started = Date.now();
  private readonly seen = new Map<string, string>();
  private readonly real = new Map<string, string>();
  private readonly kinds = new Map<string, FileKind | undefined>();
  private readonly texts = new Map<string, string | undefined>();
  private readonly lists = new Map<string, readonly string[]>();
  private scratch = Buffer.allocUnsafe(1 << 16);

  /** Notes a file that is read by other ways. */
  note(path: string, listed = false): void {
    const known = this.seen.get(path);
    if (known !== undefined && !(listed && known === FOLDER)) return;
    const stat = look(path);
    this.seen.set(path, signature(stat, listed));
    this.kinds.set(path, stat?.isDirectory() ? 'directory' : stat?.isFile() ? 'file' : undefined);
  }

  read(path: string): Uint8Array | undefined {
    this.note(path);
    return this.disk.read(path);
  }

  readText(path: string): string | undefined {
    if (this.texts.has(path)) return this.texts.get(path);
    const text = this.kind(path) === 'file' ? textOf(path) : undefined;
    this.texts.set(path, text);
    return text;
  }

  kind(path: string): FileKind | undefined {
    this.note(path);
    return this.kinds.get(path);
  }

  /** Whether a file holds just these bytes. Nothing is kept of it but the note: a plan may depend on hundreds of files. */
  holds(path: string, bytes: Uint8Array): boolean {
    let file: number | undefined;
    try {
      file = openSync(path, 'r');
      const stat = fstatSync(file, { bigint: true });
      if (!stat.isFile()) return false;
      this.seen.set(path, signature(stat, false));
      this.kinds.set(path, 'file');
      if (stat.size !== BigInt(bytes.length)) return false;
      if (this.scratch.length < bytes.length) this.scratch = Buffer.allocUnsafe(2 * bytes.length);
      return (
        readSync(file, this.scratch, 0, bytes.length, 0) === bytes.length &&
        this.scratch.compare(bytes, 0, bytes.length, 0, bytes.length) === 0
      );
    } catch {
      return false;
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }

  list(path: string): readonly string[] {
    let names = this.lists.get(path);
    if (!names) {
      this.note(path, true);
      this.lists.set(path, (names = this.disk.list(path)));
    }
    return names;
  }

  realPath(path: string): string {
    let found = this.real.get(path);
    if (found === undefined) this.real.set(path, (found = this.disk.realPath(path)));
    return found;
  }

  /**
   * Everything noted, with what the build made as it is now; undefined where something changed so shortly before it was looked at that nobody can know what was read.
   * What changed after that has another signature at the next build.
   * `own` says which paths are the build's.
   */
  taken(own: (path: string) => boolean, made: Iterable<string>): Pick<Stamp, 'seen' | 'real'> | undefined {
    const latest = BigInt(this.started - CLOCK_STEP) * 1_000_000n;
    const seen: Record<string, string> = {};
    for (const [path, signature] of this.seen) {
      if (own(path)) continue;
      const time = timeIn(signature);
      if (time !== undefined && time >= latest) return undefined;
      seen[path] = signature;
    }
    for (const path of made) seen[path] = signatureOf(path, false);
    return { seen, real: Object.fromEntries(this.real) };
  }
}

export function stampPath(build: string): string {
  return `${build}/.stamp.json`;
}

/** Where a build goes. */
export function buildFolder({ app, build }: Pick<PoolBuildOptions, 'app' | 'build'>): string {
  return resolve(build ?? `${app}/build`).replaceAll('\\', '/');
}

/** The result of a build in which nothing has changed. */
export function unchangedResult(known: StampedResult): PoolBuildResult {
  return { ...known, ok: true, compiled: 0, linked: false, plan: undefined };
}

/** The program that builds, whichever of its bundles asks. */
function builder(): string {
  // The product's own build runs this as an ES module, and never twice on one folder.
  if (typeof __dirname === 'undefined') return NOTHING;
  const bundle = signatureOf(resolve(__dirname, 'cli-build-run.js'), false);
  return bundle === NOTHING ? signatureOf(__filename, false) : bundle;
}

/** What decides over a build besides files: what was asked for, where programs are searched, and which program builds. */
function keyOf(options: PoolBuildOptions): string {
  const { app, pool, libraries, build, name, targets, linker, prefixMap, prebuilt, prebuiltFolder, rootfs, env } = options;
  const at = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(path));
  return JSON.stringify([
    [at(app), at(pool), libraries?.map(at), at(build), at(prebuiltFolder), at(rootfs)],
    [name, targets, linker ?? 'own', prefixMap, prebuilt ?? 'missing'],
    ['CC', 'PATH', 'UK_ROOT'].map((v) => env[v]),
    builder(),
  ]);
}

/** The result of the last build where it would be the same again; undefined: build. */
export function unchangedBuild(options: PoolBuildOptions, build: string): StampedResult | undefined {
  let stamp: Stamp;
  try {
    stamp = JSON.parse(readFileSync(stampPath(build), 'utf8')) as Stamp;
    if (stamp.key !== keyOf(options)) return undefined;
    for (const [path, was] of Object.entries(stamp.seen))
      if (signatureOf(path, was.startsWith(FOLDER) && was !== FOLDER) !== was) return undefined;
    for (const [path, was] of Object.entries(stamp.real)) if (realpathSync.native(path) !== was) return undefined;
    for (const [path, was] of Object.entries(stamp.trees)) if (treeSignature(path) !== was) return undefined;
  } catch {
    // None yet, cut off, or something is gone.
    return undefined;
  }
  return options.prebuilt === 'always' || isKnownToolchain(options.env, stamp.toolchain) ? stamp.result : undefined;
}

/** What a stamp is made from. */
export interface StampInput {
  readonly options: PoolBuildOptions;
  readonly build: string;
  readonly files: SeenFiles;
  readonly toolchain: ToolchainMemory | undefined;
  /** What the steps wrote. */
  readonly made: Iterable<string>;
  readonly rootfs: string | undefined;
  readonly result: StampedResult;
}

/** Leaves the note for the next build. Without it that only takes longer, so a folder that cannot be written to is no fault here. */
export function stampBuild({ options, build, files, toolchain, made, rootfs, result }: StampInput): void {
  const taken = files.taken((path) => path.startsWith(`${build}/`), made);
  if (!taken) return;
  try {
    const trees = rootfs !== undefined && statSync(rootfs).isDirectory() ? { [rootfs]: treeSignature(rootfs) } : {};
    const stamp: Stamp = { key: keyOf(options), ...(toolchain && { toolchain }), ...taken, trees, result };
    writeFileSync(stampPath(build), JSON.stringify(stamp));
  } catch {
    // The next build looks at everything.
  }
}
