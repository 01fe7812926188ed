/** Fetches a library's sources by archive or by git into a folder that is there whole or not at all. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sizeText } from '../../shared/size-text';
import { ArchiveError, type ArchiveEntry, readArchive } from './archive';
import { unpacked } from './unpack.node';

/** What to fetch. */
export interface FetchSource {
  readonly kind: 'archive' | 'git';
  /** http, https or file; for git also ssh and `git@host:path`. */
  readonly url: string;
  /** Of the archive, in hexadecimal. */
  readonly sha256?: string;
  /** For git: a branch or tag. */
  readonly ref?: string;
}

/** How it is watched and stopped. */
export interface FetchWatch {
  readonly signal?: AbortSignal;
  /** `part` is 0 to 1 where the whole is known. */
  readonly progress?: (what: string, part: number | undefined) => void;
}

/** How `git` is run; the build's runner of programs fits. */
export type RunGit = (
  argv: readonly [string, ...string[]],
  options: { readonly directory: string; readonly signal?: AbortSignal; readonly output: (text: string) => void },
) => Promise<{ readonly code: number; readonly cancelled: boolean; readonly fault?: string }>;

/** Fetching that failed or was stopped, with a reason for people. */
export class FetchError extends Error {}

const largestDownload = 1 << 29;

/**
 * Fetches sources into a folder that is not there yet.
 * @throws FetchError, or ArchiveError for what is in the archive; then nothing is left behind.
 */
export async function fetchSources(source: FetchSource, folder: string, runGit: RunGit, watch: FetchWatch = {}): Promise<void> {
  if (await exists(folder)) throw new FetchError(`${folder} exists already. Remove or rename it to fetch anew.`);
  const partial = `${folder}.fetching-${process.pid}`;
  await mkdir(dirname(folder), { recursive: true });
  await rm(partial, { recursive: true, force: true });
  try {
    if (source.kind === 'git') await clone(source, partial, runGit, watch);
    else await writeEntries(await archiveEntries(source, watch), partial, watch);
    stopped(watch);
    await rename(partial, folder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw plain(error, source.url, watch);
  }
}

function stopped({ signal }: FetchWatch): void {
  if (signal?.aborted) throw new FetchError('Fetching was cancelled.');
}

function plain(error: unknown, url: string, { signal }: FetchWatch): Error {
  if (signal?.aborted) return new FetchError('Fetching was cancelled.');
  if (error instanceof FetchError || error instanceof ArchiveError) return error;
  const { message, cause, code } = error as Error & { readonly cause?: unknown; readonly code?: string };
  if (code === 'ENOSPC') return new FetchError('The disk is full. Make room and fetch again.');
  const reason = cause instanceof Error ? cause.message : message;
  return new FetchError(`${url} could not be fetched: ${reason}.`);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function archiveEntries(source: FetchSource, watch: FetchWatch): Promise<ArchiveEntry[]> {
  const packed = await download(source.url, watch);
  const sum = createHash('sha256').update(packed).digest('hex');
  if (source.sha256 !== undefined && sum !== source.sha256.toLowerCase())
    throw new FetchError(
      `Nothing was unpacked: the SHA-256 is wrong, so that the archive is damaged, or not what is meant. It is ${sum} and should be ${source.sha256}, of ${source.url}.`,
    );
  return readArchive(await unpacked(packed, source.url, watch.signal), source.url);
}

/** The bytes at an address. @throws FetchError */
export async function download(url: string, watch: FetchWatch): Promise<Uint8Array> {
  const scheme = /^([a-z]+):/i.exec(url)?.[1]?.toLowerCase();
  if (scheme === 'file') return collect(createReadStream(fileURLToPath(url)), undefined, url, watch);
  if (scheme !== 'http' && scheme !== 'https') throw new FetchError(`${url} is no address of an archive: it should begin with https://.`);
  const response = await fetch(url, { ...(watch.signal && { signal: watch.signal }), redirect: 'follow' });
  if (!response.ok || !response.body)
    throw new FetchError(`${url} could not be fetched: the server answers ${response.status} ${response.statusText}.`);
  const length = Number(response.headers.get('content-length') ?? NaN);
  return collect(response.body as unknown as AsyncIterable<Uint8Array>, Number.isFinite(length) ? length : undefined, url, watch);
}

async function collect(stream: AsyncIterable<Uint8Array>, length: number | undefined, url: string, watch: FetchWatch): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of stream) {
    stopped(watch);
    parts.push(part);
    size += part.length;
    if (size > largestDownload)
      throw new FetchError(`${url} is larger than ${largestDownload >> 20} MiB, more than any library's sources.`);
    const whole = length === undefined ? '' : ` of ${sizeText(length)}`;
    watch.progress?.(`${sizeText(size)}${whole}`, length === undefined ? undefined : Math.min(size / length, 1));
  }
  return Buffer.concat(parts);
}

async function writeEntries(entries: readonly ArchiveEntry[], folder: string, watch: FetchWatch): Promise<void> {
  await mkdir(folder, { recursive: true });
  const made = new Set<string>();
  for (const { path, kind, data, mode } of entries) {
    stopped(watch);
    const full = `${folder}/${path}`;
    const above = kind === 'directory' ? full : dirname(full);
    if (!made.has(above)) await mkdir(above, { recursive: true });
    made.add(above);
    // Links are made at the end: nothing may be written through one.
    if (kind !== 'file') continue;
    await writeFile(full, data, { flag: 'w' });
    if ((mode & 0o111) !== 0) await chmod(full, 0o755);
  }
  for (const { path, kind, target } of entries) if (kind === 'symlink') await symlink(target!, `${folder}/${path}`);
}

async function clone({ url, ref }: FetchSource, folder: string, runGit: RunGit, watch: FetchWatch): Promise<void> {
  if (!/^(https?|ssh|git|file):\/\/|^[\w.-]+@[\w.-]+:|^\//.test(url)) throw new FetchError(`${url} is no address of a git repository.`);
  if (ref !== undefined && !/^[\w][\w./+-]*$/.test(ref)) throw new FetchError(`“${ref}” is no name of a branch or tag.`);
  let said = '';
  const output = (text: string): void => {
    said += text;
    const phase = /(?:^|\r|\n)(?:remote: )?([A-Z][a-z]+ objects|Resolving deltas): +(\d+)%[^\r\n]*$/.exec(text.trimEnd());
    if (phase) watch.progress?.(phase[1]!, Number(phase[2]) / 100);
  };
  const branch = ref === undefined ? [] : ['--branch', ref];
  const argv = ['git', '-c', 'credential.interactive=false', 'clone', '--depth', '1', '--progress', ...branch, '--', url, folder] as const;
  const end = await runGit([argv[0], ...argv.slice(1)], {
    directory: dirname(folder),
    ...(watch.signal && { signal: watch.signal }),
    output,
  });
  if (end.cancelled) throw new FetchError('Fetching was cancelled.');
  if (end.fault !== undefined) throw new FetchError(`git is not installed: ${end.fault}`);
  if (end.code !== 0) {
    const reason = /^(?:fatal|error): (.*)$/m.exec(said)?.[1] ?? said.trim().split('\n').at(-1) ?? '';
    throw new FetchError(`${url} could not be cloned: ${reason}.`);
  }
}
