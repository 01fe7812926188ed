/** The guest's memory allocators: what each has given out and has left, from the statistics that the image keeps and from the buddy allocator's own books. */
import { type GuestAccess, readPointerVariable } from './access';
import { Layout, Structure } from './structure';

const pageBytes = 4096n;
const mostAllocators = 64;
const mostRegions = 256;

/** Counts of one allocator, as `CONFIG_LIBUKALLOC_IFSTATS` keeps them. Sizes in bytes. */
export interface AllocatorStatistics {
  readonly allocations: bigint;
  readonly frees: bigint;
  readonly live: bigint;
  readonly used: bigint;
  readonly mostUsed: bigint;
  /** Requests that could not be met. */
  readonly failures: bigint;
}

export interface Allocator {
  readonly address: bigint;
  /** After the functions that it consists of, e.g. `bbuddy`. */
  readonly kind: string;
  /** The first one registered: what malloc and the kernel take from. */
  readonly isDefault: boolean;
  /** Bytes in all and left, where the allocator's own books tell. */
  readonly total: bigint | undefined;
  readonly free: bigint | undefined;
  readonly statistics: AllocatorStatistics | undefined;
}

export interface AllocatorList {
  readonly allocators: readonly Allocator[];
  /** The image was built with statistics. */
  readonly counted: boolean;
}

/** Reads the allocators that are registered (lib/ukalloc). */
export function readAllocators(guest: GuestAccess): AllocatorList {
  const layout = Layout.of(guest.kernel, 'uk_alloc');
  if (layout === undefined) return { allocators: [], counted: false };
  const allocators: Allocator[] = [];
  let address = readPointerVariable(guest, '_uk_alloc_head') ?? 0n;
  const seen = new Set<bigint>();
  while (address !== 0n && !seen.has(address) && seen.size < mostAllocators) {
    seen.add(address);
    const structure = new Structure(guest, layout, address);
    const kind = kindOf(guest, structure);
    const books = kind === 'bbuddy' ? buddyBooks(guest, structure) : undefined;
    allocators.push({
      address,
      kind,
      isDefault: allocators.length === 0,
      total: books?.total,
      free: books?.free,
      statistics: statisticsOf(structure),
    });
    address = structure.integer('next') ?? 0n;
  }
  return { allocators, counted: layout.has('_stats') };
}

/** What the names of an allocator's functions have in common. */
function kindOf(guest: GuestAccess, allocator: Structure): string {
  for (const member of ['availmem', 'pavailmem', 'palloc', 'malloc_backend', 'malloc']) {
    const target = allocator.integer(member) ?? 0n;
    const name = target === 0n ? undefined : guest.kernel.symbolAt(target)?.name;
    const found = name === undefined ? undefined : /^(?:uk_)?(?:alloc)?([a-z0-9]+?)_/.exec(name)?.[1];
    // The generic functions of the interface say nothing.
    if (name !== undefined && found !== undefined && !/^(uk_)?(malloc|alloc|free|palloc)/.test(name)) return found;
  }
  return 'allocator';
}

function statisticsOf(allocator: Structure): AllocatorStatistics | undefined {
  const count = (member: string): bigint | undefined => allocator.integer(`_stats.${member}`);
  const allocations = count('tot_nb_allocs');
  if (allocations === undefined) return undefined;
  return {
    allocations,
    frees: count('tot_nb_frees') ?? 0n,
    live: count('cur_nb_allocs') ?? 0n,
    used: count('cur_mem_use') ?? 0n,
    mostUsed: count('max_mem_use') ?? 0n,
    failures: count('nb_enomem') ?? 0n,
  };
}

/** Free pages and regions of the buddy allocator (lib/ukallocbbuddy). */
function buddyBooks(guest: GuestAccess, allocator: Structure): { readonly total: bigint; readonly free: bigint } | undefined {
  const books = Layout.of(guest.kernel, 'uk_bbpalloc');
  const region = Layout.of(guest.kernel, 'uk_bbpalloc_memr');
  const at = allocator.at('priv');
  if (books === undefined || at === undefined) return undefined;
  const structure = new Structure(guest, books, at);
  const free = structure.integer('nr_free_pages');
  if (free === undefined) return undefined;
  let total = 0n;
  let next = structure.integer('memr_head') ?? 0n;
  for (let count = 0; next !== 0n && region !== undefined && count < mostRegions; count++) {
    const each = new Structure(guest, region, next);
    total += each.integer('nr_pages') ?? 0n;
    next = each.integer('next') ?? 0n;
  }
  return { total: total * pageBytes, free: free * pageBytes };
}
