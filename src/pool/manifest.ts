/** Reads kraft's manifest index and manifests: YAML that tells of libraries, their channels, versions and archives. */
import { LineCounter, parseDocument } from 'yaml';
import { type LibraryArchive, type LibraryVersion } from './library';
import { type PoolProblem, problems } from './problems';

/** The types of kraft's manifests. */
export const manifestKinds = ['core', 'arch', 'plat', 'lib', 'app'] as const;
export type ManifestKind = (typeof manifestKinds)[number];

/** A stream of versions, such as `stable`. */
export interface ManifestChannel {
  readonly name: string;
  readonly isDefault: boolean;
  readonly latest: string;
  readonly resource: string;
  readonly sha256?: string;
}

/** What the manifests say of one component. */
export interface ManifestEntry {
  readonly title: string;
  readonly kind: ManifestKind;
  readonly description: string;
  readonly origin?: string;
  readonly provider?: string;
  /** Channel names, the default first. */
  readonly channels: readonly string[];
  readonly channelDetails: readonly ManifestChannel[];
  readonly versions: readonly LibraryVersion[];
  /** A further manifest that holds the rest, as it is written: relative to the index. */
  readonly more?: string;
}

/** The archives that a manifest offers: its channels, the default first, then its versions. */
export function archivesOf({ channelDetails, versions }: ManifestEntry): LibraryArchive[] {
  const channels = [...channelDetails].sort((a, b) => Number(b.isDefault) - Number(a.isDefault));
  return [
    ...channels
      .filter(({ resource }) => resource !== '')
      .map(({ name, resource, sha256 }) => ({ label: name, url: resource, ...(sha256 !== undefined && { sha256 }) })),
    ...versions.flatMap(({ version, url, sha256, core }) =>
      url === undefined ? [] : [{ label: version, url, ...(sha256 !== undefined && { sha256 }), ...(core !== undefined && { core }) }],
    ),
  ];
}

/** What was read. */
export interface ManifestResult {
  readonly entries: readonly ManifestEntry[];
  readonly problems: readonly PoolProblem[];
}

/** Where a manifest's text is got from; undefined where it is not there. */
export type ManifestReader = (address: string) => string | undefined;

const deepest = 4;
const most = 10_000;

/** Reads an index, or a single manifest, with all those that it refers to and `read` can give. */
export function readManifests(address: string, read: ManifestReader): ManifestResult {
  const entries: ManifestEntry[] = [];
  const faults: PoolProblem[] = [];
  const seen = new Set<string>();
  const follow = (from: string, depth: number): void => {
    if (seen.has(from)) return;
    seen.add(from);
    const text = read(from);
    if (text === undefined) {
      faults.push(problems.badManifest(from, 1, `The manifest ${from} is not there. Update the index, or give another address.`));
      return;
    }
    const result = parseManifest(text, from);
    faults.push(...result.problems);
    for (const entry of result.entries) {
      if (entries.length >= most) return;
      if (entry.more === undefined || depth >= deepest || entry.versions.length > 0) add(entries, entry);
      else follow(relativeTo(from, entry.more), depth + 1);
    }
  };
  follow(address, 0);
  return { entries, problems: faults };
}

/** Two entries of one component are one: the first one's words, both one's versions. */
function add(entries: ManifestEntry[], entry: ManifestEntry): void {
  const at = entries.findIndex((each) => each.title === entry.title && each.kind === entry.kind);
  if (at < 0) {
    entries.push(entry);
    return;
  }
  const old = entries[at]!;
  const versions = [...old.versions, ...entry.versions.filter((each) => !old.versions.some((known) => known.version === each.version))];
  entries[at] = { ...entry, ...old, versions, channels: [...new Set([...old.channels, ...entry.channels])] };
}

/** An address beside another one, with `..` taken away. */
export function relativeTo(from: string, path: string): string {
  if (/^[a-z]+:\/\//i.test(path)) return path;
  const origin = /^([a-z]+:\/\/[^/]*)?(.*)$/is.exec(from)!;
  const [, host = '', rest] = origin as unknown as [string, string | undefined, string];
  const parts = path.startsWith('/') ? [] : rest.split('/').slice(0, -1);
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  const joined = parts.join('/');
  return host + (rest.startsWith('/') || path.startsWith('/') ? `/${joined.replace(/^\/+/, '')}` : joined);
}

/** Reads one text: an index with `manifests`, or one manifest. */
export function parseManifest(text: string, path: string): ManifestResult {
  const lines = new LineCounter();
  const faults: PoolProblem[] = [];
  let value: unknown;
  try {
    // All texts: a version 1.10 is no number.
    const document = parseDocument(text, { lineCounter: lines, logLevel: 'silent', schema: 'failsafe' });
    for (const error of document.errors.slice(0, 20)) {
      faults.push(
        problems.badManifest(
          path,
          lines.linePos(error.pos[0]).line,
          `This is not YAML: ${error.message.split('\n')[0]!.replace(/ at line \d+.*$/, '')}.`,
        ),
      );
    }
    // Aliases that multiply would be a bomb; kraft writes none.
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return {
      entries: [],
      problems: [
        ...faults,
        problems.badManifest(path, 1, `The manifest cannot be read: ${error instanceof Error ? error.message : String(error)}.`),
      ],
    };
  }
  if (!isRecord(value))
    return { entries: [], problems: [...faults, problems.badManifest(path, 1, `${path} is no manifest: it has no fields.`)] };
  const list = Array.isArray(value['manifests']) ? (value['manifests'] as unknown[]) : [value];
  const entries: ManifestEntry[] = [];
  for (const [index, raw] of list.slice(0, most).entries()) {
    const entry = isRecord(raw) ? entryOf(raw) : undefined;
    if (typeof entry === 'object') entries.push(entry);
    else faults.push(problems.badManifest(path, 1, `Manifest ${index + 1} of ${path} ${entry ?? 'has no fields'}; it was left out.`));
  }
  return { entries, problems: faults };
}

type Record_ = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Record_ {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' && value !== 'null' && value !== '~' ? value : '';
}

/** An entry, or what is wrong with it. */
function entryOf(raw: Record_): ManifestEntry | string {
  const title = text(raw['name']).replace(/^lib-/, '');
  if (title === '') return 'has no name';
  const kind = manifestKinds.find((each) => each === raw['type']);
  if (kind === undefined) return `(${title}) has the type “${text(raw['type'])}”, which is none of ${manifestKinds.join(', ')}`;
  const channels = records(raw['channels']).map((each): ManifestChannel => {
    return {
      name: text(each['name']),
      isDefault: each['default'] === 'true',
      latest: text(each['latest']),
      resource: text(each['resource']),
      ...sum(each),
    };
  });
  const versions = records(raw['versions'])
    .filter((each) => text(each['version']) !== '')
    .map((each): LibraryVersion => {
      const url = text(each['resource']);
      const core = text(each['unikraft']);
      return { version: text(each['version']), from: 'manifest', ...(url !== '' && { url }), ...(core !== '' && { core }), ...sum(each) };
    });
  const origin = text(raw['origin']);
  const more = text(raw['manifest']);
  const provider = text(raw['provider']);
  return {
    title,
    kind,
    description: text(raw['description']),
    ...(origin !== '' && { origin }),
    ...(provider !== '' && { provider }),
    ...(more !== '' && { more }),
    channels: [...channels].sort((a, b) => Number(b.isDefault) - Number(a.isDefault)).map((channel) => channel.name),
    channelDetails: channels,
    versions,
  };
}

function records(value: unknown): Record_[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function sum(raw: Record_): { sha256?: string } {
  const digest = text(raw['sha256']).toLowerCase();
  return /^[0-9a-f]{64}$/.test(digest) ? { sha256: digest } : {};
}

/** Where kraft keeps its index, in the order it looks: its own variable, the data folder, the home folder. */
export function kraftIndexPaths(env: Readonly<Record<string, string | undefined>>): string[] {
  const set = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  const paths = set('KRAFTKIT_PATHS_MANIFESTS');
  const data = set('XDG_DATA_HOME') ?? (set('HOME') === undefined ? undefined : `${env['HOME']!}/.local/share`);
  const local = set('LOCALAPPDATA')?.replace(/\\/g, '/');
  return [
    ...(paths === undefined ? [] : [`${paths}/index.yaml`]),
    ...(data === undefined ? [] : [`${data}/kraftkit/manifests/index.yaml`]),
    ...(local === undefined ? [] : [`${local}/kraftkit/manifests/index.yaml`]),
  ];
}
