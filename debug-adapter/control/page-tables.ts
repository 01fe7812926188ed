/** The guest's page tables, read as the processor would: the entries on the way to an address, and every mapping that there is. */
import { type Target } from './target';

/** One entry on the way to a page. */
export interface TableEntry {
  readonly level: 'PML4E' | 'PDPTE' | 'PDE' | 'PTE';
  /** Physical address of the entry. */
  readonly at: number;
  readonly value: bigint;
  readonly present: boolean;
  /** It maps a page, of so many bytes. */
  readonly page: number | undefined;
}

/** A range of linear addresses mapped to a range of physical ones with the same rights. */
export interface MappedRange {
  readonly linear: bigint;
  readonly physical: bigint;
  /** Bytes. */
  readonly size: bigint;
  readonly writable: boolean;
  readonly user: boolean;
  readonly executable: boolean;
  readonly pageSize: number;
}

const levels = ['PML4E', 'PDPTE', 'PDE', 'PTE'] as const;
/** Address bits below each level's index (SDM vol. 3A, 4.5). */
const shifts = [39n, 30n, 21n, 12n] as const;
const entries = 512;
/** Physical address bits of an entry. */
const frameMask = 0x000f_ffff_ffff_f000n;
const Bit = { present: 1n, writable: 2n, user: 4n, large: 0x80n, noExecute: 1n << 63n } as const;
/** Ranges collected at the most: a damaged table may map anything anywhere. */
const mostRanges = 10_000;

/** Whether the processor translates by four-level tables now; the older formats are passed through in a few instructions at boot. */
export const usesFourLevels = (target: Target): boolean =>
  (target.register('efer') & 0x400n) !== 0n && (target.register('cr0') & (1n << 31n)) !== 0n;

function readEntry(target: Target, at: number): bigint {
  const { ram } = target.machine;
  if (at < 0 || at + 8 > ram.length) return 0n;
  return new DataView(ram.buffer, ram.byteOffset + at, 8).getBigUint64(0, true);
}

/** The entries that lead to a linear address, down to the page or the first that is not present. Empty without four-level tables. */
export function walkTables(target: Target, linear: bigint): readonly TableEntry[] {
  if (!usesFourLevels(target)) return [];
  const walk: TableEntry[] = [];
  let table = Number(target.register('cr3') & frameMask);
  for (const [index, level] of levels.entries()) {
    const at = table + Number((linear >> shifts[index]!) & BigInt(entries - 1)) * 8;
    const value = readEntry(target, at);
    const present = (value & Bit.present) !== 0n;
    const leaf = present && (index === 3 || ((index === 1 || index === 2) && (value & Bit.large) !== 0n));
    walk.push({ level, at, value, present, page: leaf ? Number(1n << shifts[index]) : undefined });
    if (!present || leaf) break;
    table = Number(value & frameMask);
  }
  return walk;
}

/** Everything that is mapped, in order; neighbours with the same rights and consecutive frames are one range. */
export function mappedRanges(target: Target): { readonly ranges: readonly MappedRange[]; readonly complete: boolean } {
  const ranges: MappedRange[] = [];
  let complete = true;
  const add = (range: MappedRange): void => {
    const last = ranges[ranges.length - 1];
    const joins =
      last !== undefined &&
      last.linear + last.size === range.linear &&
      last.physical + last.size === range.physical &&
      last.writable === range.writable &&
      last.user === range.user &&
      last.executable === range.executable &&
      last.pageSize === range.pageSize;
    if (joins) ranges[ranges.length - 1] = { ...last, size: last.size + range.size };
    else ranges.push(range);
  };
  const visit = (table: number, level: number, base: bigint, rights: { writable: boolean; user: boolean; executable: boolean }): void => {
    for (let index = 0; index < entries; index++) {
      if (ranges.length >= mostRanges) {
        complete = false;
        return;
      }
      const value = readEntry(target, table + index * 8);
      if ((value & Bit.present) === 0n) continue;
      const size = 1n << shifts[level]!;
      const linear = base + BigInt(index) * size;
      const own = {
        writable: rights.writable && (value & Bit.writable) !== 0n,
        user: rights.user && (value & Bit.user) !== 0n,
        executable: rights.executable && (value & Bit.noExecute) === 0n,
      };
      const canonical = BigInt.asUintN(64, BigInt.asIntN(48, linear));
      if (level === 3 || ((level === 1 || level === 2) && (value & Bit.large) !== 0n))
        add({ linear: canonical, physical: value & frameMask & ~(size - 1n), size, pageSize: Number(size), ...own });
      else visit(Number(value & frameMask), level + 1, linear, own);
    }
  };
  if (usesFourLevels(target)) visit(Number(target.register('cr3') & frameMask), 0, 0n, { writable: true, user: true, executable: true });
  return { ranges, complete };
}

/** `rw- supervisor 4K`. */
export const describeRights = ({
  writable,
  user,
  executable,
  pageSize,
}: Pick<MappedRange, 'writable' | 'user' | 'executable' | 'pageSize'>): string =>
  `r${writable ? 'w' : '-'}${executable ? 'x' : '-'} ${user ? 'user' : 'supervisor'} ${sizeText(BigInt(pageSize))}`;

/** Bytes in the largest unit that divides them. */
export function sizeText(bytes: bigint): string {
  for (const [unit, name] of [
    [1n << 30n, 'G'],
    [1n << 20n, 'M'],
    [1n << 10n, 'K'],
  ] as const)
    if (bytes >= unit && bytes % unit === 0n) return `${bytes / unit}${name}`;
  return `${bytes}`;
}
