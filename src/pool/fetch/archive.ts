/** Reads archives of sources: tar (ustar, pax, GNU) and zip, as entries whose paths are known to stay within the folder they are unpacked into. */
import { unzipSync } from 'fflate';

/** An archive that is not taken, with a reason for people. */
export class ArchiveError extends Error {}

/** Something to be written; paths are relative, `/`-separated, and go nowhere else. */
export interface ArchiveEntry {
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink';
  readonly data: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
  /** Of a link: where it leads, relative to its own folder. */
  readonly target?: string;
}

const block = 512;
const text = new TextDecoder();

/**
 * What an archive holds, without the one folder that archives of repositories put everything into.
 * @throws ArchiveError for a form that is not known, a damaged archive, and for paths and links that leave the folder.
 */
export function readArchive(bytes: Uint8Array, name: string): ArchiveEntry[] {
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b;
  if (!isZip && !isTar(bytes)) throw new ArchiveError(`${name} is neither a tar nor a zip archive.`);
  const entries = withoutTopFolder(isZip ? readZip(bytes, name) : readTar(bytes, name));
  for (const { path, target } of entries) if (target !== undefined) checkLink(path, target, name);
  return entries;
}

/** @throws ArchiveError where a link leads out of the folder. */
function checkLink(path: string, target: string, name: string): void {
  let depth = path.split('/').length - 1;
  for (const part of target.split('/')) {
    if (part === '..') depth--;
    else if (part !== '' && part !== '.') depth++;
    if (depth < 0) break;
  }
  if (depth < 0 || target === '' || target.startsWith('/') || /[\\\0]/.test(target))
    throw new ArchiveError(`Nothing was unpacked: the link “${path}” to “${target}” leads out of the folder of ${name}.`);
}

/** Whether bytes begin with a tar header whose checksum is right. */
export function isTar(bytes: Uint8Array): boolean {
  return bytes.length >= block && checksumFits(bytes.subarray(0, block));
}

/** POSIX ustar: the sum of all bytes of the header, those of the sum itself taken as blanks. */
function checksumFits(header: Uint8Array): boolean {
  let sum = 0;
  header.forEach((byte, at) => (sum += at >= 148 && at < 156 ? 0x20 : byte));
  return octal(header, 148, 8) === sum;
}

function octal(bytes: Uint8Array, at: number, length: number): number {
  const field = field_(bytes, at, length).trim();
  return /^[0-7]+$/.test(field) ? parseInt(field, 8) : field === '' ? 0 : NaN;
}

/** A text that ends with the field or a zero. */
function field_(bytes: Uint8Array, at: number, length: number): string {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return text.decode(end < 0 ? field : field.subarray(0, end));
}

function readTar(bytes: Uint8Array, name: string): ArchiveEntry[] {
  const entries: ArchiveEntry[] = [];
  let pax: ReadonlyMap<string, string> = new Map();
  let longName: string | undefined;
  let longLink: string | undefined;
  for (let at = 0; at + block <= bytes.length;) {
    const header = bytes.subarray(at, at + block);
    // Two empty blocks end an archive; some writers leave one.
    if (header.every((byte) => byte === 0)) break;
    const size = Number(pax.get('size') ?? octal(header, 124, 12));
    const start = at + block;
    if (!checksumFits(header) || !Number.isSafeInteger(size) || size < 0 || start + size > bytes.length)
      throw new ArchiveError(`${name} is damaged: its entry at byte ${at} is no entry, or is cut off.`);
    const data = bytes.subarray(start, start + size);
    at = start + Math.ceil(size / block) * block;
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === 'x') {
      pax = paxRecords(data);
      continue;
    }
    if (type === 'L' || type === 'K') {
      const value = field_(data, 0, data.length);
      if (type === 'L') longName = value;
      else longLink = value;
      continue;
    }
    const isUstar = field_(header, 257, 5) === 'ustar';
    const prefix = isUstar ? field_(header, 345, 155) : '';
    const short = field_(header, 0, 100);
    const path = pax.get('path') ?? longName ?? (prefix === '' ? short : `${prefix}/${short}`);
    const link = pax.get('linkpath') ?? longLink ?? field_(header, 157, 100);
    const mode = octal(header, 100, 8) & 0o777;
    pax = new Map();
    longName = longLink = undefined;
    if (type === '0' || type === '\0' || type === '7') entries.push({ path: safePath(path, name), kind: 'file', data, mode });
    else if (type === '5') entries.push({ path: safePath(path, name), kind: 'directory', data: new Uint8Array(0), mode });
    else if (type === '2')
      entries.push({ path: safePath(path, name), kind: 'symlink', data: new Uint8Array(0), mode: 0o777, target: link });
    else if (type === '1') entries.push(hardLink(entries, safePath(path, name), safePath(link, name), mode, name));
    else if (type !== 'g')
      throw new ArchiveError(`${name} holds ${path}, which is neither a file, a folder nor a link; sources have no such things.`);
  }
  return entries;
}

/** `27 path=some/long/name\n` and so on; the number counts the whole record's bytes. */
function paxRecords(data: Uint8Array): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < data.length;) {
    const blank = data.indexOf(0x20, at);
    const length = blank < 0 ? NaN : Number(text.decode(data.subarray(at, blank)));
    if (!Number.isSafeInteger(length) || length <= blank - at || at + length > data.length) break;
    const record = text.decode(data.subarray(blank + 1, at + length - 1));
    const equals = record.indexOf('=');
    if (equals > 0) records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

function readZip(bytes: Uint8Array, name: string): ArchiveEntry[] {
  let found: Readonly<Record<string, Uint8Array>>;
  try {
    found = unzipSync(bytes);
  } catch (error) {
    throw new ArchiveError(`${name} is damaged: ${error instanceof Error ? error.message : String(error)}.`);
  }
  return Object.entries(found).map(([path, data]): ArchiveEntry => {
    const isFolder = path.endsWith('/');
    return { path: safePath(path, name), kind: isFolder ? 'directory' : 'file', data, mode: isFolder ? 0o755 : 0o644 };
  });
}

/** The path without `.` and doubled slashes. @throws ArchiveError where it leaves its folder or is none on some system. */
function safePath(path: string, name: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path) || /[\\\0]/.test(path) || parts.includes('..'))
    throw new ArchiveError(`Nothing was unpacked: the path “${path}” leads out of the folder of ${name}.`);
  return parts.join('/');
}

/** A second name of a file that came before: written as a copy. */
function hardLink(entries: readonly ArchiveEntry[], path: string, of: string, mode: number, name: string): ArchiveEntry {
  const original = entries.find((entry) => entry.path === of && entry.kind === 'file');
  if (!original) throw new ArchiveError(`${name} is damaged: its entry ${path} is another name of ${of}, which it does not hold.`);
  return { path, kind: 'file', data: original.data, mode };
}

/** The entries without the one folder that all of them lie in. */
function withoutTopFolder(entries: readonly ArchiveEntry[]): ArchiveEntry[] {
  const tops = new Set(entries.map(({ path }) => path.split('/')[0]!));
  const isFolder = entries.every(({ path, kind }) => path.includes('/') || kind === 'directory');
  if (tops.size !== 1 || !isFolder) return [...entries];
  return entries.map((entry) => ({ ...entry, path: entry.path.split('/').slice(1).join('/') })).filter(({ path }) => path !== '');
}
