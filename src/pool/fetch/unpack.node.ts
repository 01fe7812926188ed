/** Takes the packing off an archive: gzip here, xz and bzip2 by the programs that the host has for them. */
import { spawn } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import { ArchiveError } from './archive';

/** The most that an archive may unpack to, in bytes. */
const largestContent = 2 ** 31 - 1;

interface Packing {
  readonly name: string;
  /** What packed bytes begin with. */
  readonly magic: readonly number[];
  readonly program: string;
}

const packings: readonly Packing[] = [
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], program: 'xz' },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68], program: 'bzip2' },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd], program: 'zstd' },
];

/** libarchive's tar reads every packing and can write the archive anew; it is the `tar` of macOS and Windows. */
const libarchive = ['bsdtar', ...(process.platform === 'darwin' || process.platform === 'win32' ? ['tar'] : [])];

/** The archive itself. @throws ArchiveError where it is damaged, or where nothing here can unpack it. */
export async function unpacked(bytes: Uint8Array, name: string, signal?: AbortSignal): Promise<Uint8Array> {
  const begins = (magic: readonly number[]): boolean => magic.every((byte, at) => bytes[at] === byte);
  if (begins([0x1f, 0x8b])) {
    try {
      return gunzipSync(bytes, { maxOutputLength: largestContent });
    } catch (error) {
      throw new ArchiveError(`${name} is damaged: ${error instanceof Error ? error.message : String(error)}.`);
    }
  }
  const packing = packings.find(({ magic }) => begins(magic));
  if (!packing) return bytes;
  const commands = [[packing.program, '-dc'], ...libarchive.map((tar) => [tar, '-cf', '-', '@-'])] as [string, ...string[]][];
  for (const command of commands) {
    const out = await filtered(command, bytes, signal);
    if (out === 'no program') continue;
    if (typeof out === 'string') throw new ArchiveError(`${name} is damaged: ${out}.`);
    return out;
  }
  const others = packing.program === 'xz' ? ' (Debian and Ubuntu: xz-utils)' : '';
  throw new ArchiveError(
    `${name} is packed with ${packing.name}, and there is no ${packing.program} here to unpack it. Install ${packing.program}${others}, or give an archive in .tar.gz or .zip, or the git repository.`,
  );
}

/** What a program makes of bytes; a sentence where it fails. */
function filtered(
  [program, ...args]: readonly [string, ...string[]],
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | string> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C' },
      ...(signal && { signal }),
    });
    const parts: Buffer[] = [];
    let size = 0;
    let said = '';
    child.stdout.on('data', (part: Buffer) => {
      parts.push(part);
      size += part.length;
      if (size > largestContent) child.kill();
    });
    child.stderr.on('data', (part: Buffer) => void (said += part.toString()));
    // A program that ends early does not read all.
    child.stdin.on('error', () => undefined);
    child.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ENOENT' ? 'no program' : error.message));
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(parts));
      else resolve(size > largestContent ? 'it unpacks to more than 2 GiB' : said.trim().replace(/\.$/, '') || `${program} gives it up`);
    });
    child.stdin.end(bytes);
  });
}
