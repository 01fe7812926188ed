/** Functions that left by a tail call: they are gone from the stack, but call sites tell which they must have been (DWARF 5, section 3.4.1). */
import { type CallSite, type SymbolFile } from '../symbols/api';
import { calleesOf } from './entry-values';
import { type Target } from './target';
import { type PhysicalFrame } from './unwind';

/** Ways from the caller to the callee, and functions on them, that are looked for. */
const mostWays = 32;
const mostSteps = 2000;
const longestWay = 16;

/**
 * The tail calls between a frame and its caller, each as the address after it, the innermost first; none where the caller called the frame's function itself or could not have.
 * Where several ways lead here, only what they have in common at either end is told.
 */
export function tailCallsTo(target: Target, frame: PhysicalFrame): readonly bigint[] {
  const { caller, symbols } = frame;
  if (caller === undefined || caller.exact || symbols === undefined || caller.symbols !== symbols) return [];
  const entry = symbols.functionAt(frame.lookup)?.entry;
  const site = entry === undefined ? undefined : symbols.callSiteAt(caller.pc);
  if (entry === undefined || site === undefined) return [];
  const callees = calleesOf(target, site, caller);
  if (callees.length !== 1 || callees[0] === entry) return [];
  const ways = new Ways(symbols, entry).from(callees[0]!);
  return ways === undefined || ways.length === 0 ? [] : inCommon(ways).reverse();
}

class Ways {
  #steps = 0;
  readonly #found: CallSite[][] = [];
  readonly #onWay = new Set<bigint>();

  constructor(
    private readonly symbols: SymbolFile,
    private readonly end: bigint,
  ) {}

  /** All ways, or undefined where they are too many or a call on them leads nobody knows where. */
  from(start: bigint): readonly (readonly CallSite[])[] | undefined {
    return this.#follow(start, []) ? this.#found : undefined;
  }

  #follow(from: bigint, way: readonly CallSite[]): boolean {
    if (from === this.end) {
      this.#found.push([...way]);
      return this.#found.length <= mostWays;
    }
    // A loop of tail calls leads nowhere new.
    if (this.#onWay.has(from)) return true;
    if (way.length >= longestWay || ++this.#steps > mostSteps) return false;
    this.#onWay.add(from);
    for (const site of this.symbols.callSites(from)) {
      if (!site.tailCall) continue;
      if (site.calleeEntries.length === 0) return false;
      for (const callee of site.calleeEntries) if (!this.#follow(callee, [...way, site])) return false;
    }
    this.#onWay.delete(from);
    return true;
  }
}

/** What all ways begin with and what all end with, from the caller inwards. */
function inCommon(ways: readonly (readonly CallSite[])[]): bigint[] {
  const [first] = ways;
  const same = (at: (way: readonly CallSite[]) => CallSite | undefined): boolean =>
    ways.every((way) => at(way)?.returnAddress === at(first!)?.returnAddress);
  const shortest = Math.min(...ways.map((way) => way.length));
  let start = 0;
  while (start < shortest && same((way) => way[start])) start++;
  let end = 0;
  while (end < shortest - start && same((way) => way[way.length - 1 - end])) end++;
  return [...first!.slice(0, start), ...first!.slice(first!.length - end)].map(({ returnAddress }) => returnAddress);
}
