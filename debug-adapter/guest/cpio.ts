/** Files of a cpio archive in the "newc" format (cpio(5)), which initial RAM disks are; found by path, contents as views of the archive. */

const magics: readonly string[] = ['070701', '070702'];
const headerBytes = 110;
/** Byte offsets of the eight-digit fields that matter. */
const Field = { mode: 14, fileSize: 54, nameSize: 94 } as const;
const trailer = 'TRAILER!!!';
const fileType = 0xf000n;
const symbolicLink = 0xa000n;
const mostEntries = 200_000;
const mostLinks = 16;

interface Entry {
  readonly isLink: boolean;
  readonly bytes: Uint8Array;
}

/** An archive's index. What is damaged ends it: entries before that are found. */
export class CpioArchive {
  readonly #entries = new Map<string, Entry>();

  constructor(archive: Uint8Array) {
    const decoder = new TextDecoder('utf-8');
    let at = 0;
    for (let count = 0; count < mostEntries && at + headerBytes <= archive.length; count++) {
      const header = decoder.decode(archive.subarray(at, at + headerBytes));
      if (!magics.includes(header.slice(0, 6))) return;
      const nameSize = hexField(header, Field.nameSize);
      const fileSize = hexField(header, Field.fileSize);
      const mode = hexField(header, Field.mode);
      if (nameSize === undefined || fileSize === undefined || mode === undefined || nameSize === 0) return;
      const nameEnd = at + headerBytes + nameSize;
      const start = aligned(nameEnd);
      if (start + fileSize > archive.length) return;
      const name = decoder.decode(archive.subarray(at + headerBytes, nameEnd - 1));
      if (name === trailer) return;
      const isLink = (BigInt(mode) & fileType) === symbolicLink;
      this.#entries.set(normal(name), { isLink, bytes: archive.subarray(start, start + fileSize) });
      at = aligned(start + fileSize);
    }
  }

  /** Paths of everything in it, without a leading slash. */
  get paths(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** Contents of a file by its path from the root; symbolic links are followed, in folders too. Undefined where there is none. */
  read(path: string): Uint8Array | undefined {
    let wanted = normal(path);
    for (let count = 0; count < mostLinks; count++) {
      const resolved = this.#throughLinks(wanted);
      if (resolved === wanted) break;
      wanted = resolved;
    }
    const entry = this.#entries.get(wanted);
    return entry === undefined || entry.isLink ? undefined : entry.bytes;
  }

  /** The path with its first symbolic link replaced by what it names. */
  #throughLinks(path: string): string {
    const parts = path.split('/');
    for (let count = 1; count <= parts.length; count++) {
      const entry = this.#entries.get(parts.slice(0, count).join('/'));
      if (entry?.isLink !== true) continue;
      const target = new TextDecoder().decode(entry.bytes);
      const base = target.startsWith('/') ? [] : parts.slice(0, count - 1);
      return normal([...base, target, ...parts.slice(count)].join('/'));
    }
    return path;
  }
}

const aligned = (offset: number): number => (offset + 3) & ~3;

function hexField(header: string, offset: number): number | undefined {
  const text = header.slice(offset, offset + 8);
  return /^[0-9a-f]{8}$/i.test(text) ? parseInt(text, 16) : undefined;
}

/** Without slashes at its ends, `.` and `..`. */
function normal(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}
