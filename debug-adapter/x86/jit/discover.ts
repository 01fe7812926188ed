/** Finds the code of a region: the instructions reachable from one address by direct jumps, calls and known returns, cut into blocks. */

import { DecodeResult, type Decoder, Insn, Kind } from '../decoder';
import { Telling } from '../event-log';
import { type Row } from '../isa/table';
import { Layout, Mode } from '../state';
import { isDoneInPlace } from './in-place';

/** How a block ends. Addresses are keys: high half (signed) * 2^32 + low half (unsigned). */
export type BlockEnd =
  /** To one address: a jump, or straight on. */
  | { readonly kind: 'jump'; readonly to: number }
  | { readonly kind: 'branch'; readonly to: number; readonly next: number }
  | { readonly kind: 'call'; readonly to: number; readonly next: number }
  /** Through a register, memory or the stack; `candidates` are addresses that it may go to; a call comes back to `next`. */
  | { readonly kind: 'indirect'; readonly candidates: readonly number[]; readonly next: number | undefined }
  /** The interpreter must go on at this address; where it does just one instruction there, regions go on at `resume`. */
  | { readonly kind: 'leave'; readonly at: number; readonly resume: number | undefined };

export interface RegionBlock {
  readonly key: number;
  readonly insns: readonly Insn[];
  readonly end: BlockEnd;
  /** Instructions that the budget is charged for. */
  readonly count: number;
  /** Whether and how somebody is to be told before it runs: a `Telling`. */
  readonly observed: number;
  /** The same of where the system call that ends it comes back to. */
  readonly returnTold: number;
}

export interface Region {
  readonly blocks: readonly RegionBlock[];
  /** Addresses at which the region may be entered: the one asked for, and those after instructions and calls that are done outside of it. */
  readonly entries: readonly number[];
  /** Physical pages that hold its code. */
  readonly pages: ReadonlySet<number>;
  /** Addresses that it leads to and that were left out as they had not run yet. */
  readonly open: ReadonlySet<number>;
}

/** What discovery asks of the processor. */
export interface RegionSource {
  /** Physical address of a code byte, or -1 where it cannot be fetched. */
  physical(low: number, high: number): number;
  /** Is there a probe before which regions have to be left? */
  hasProbe(key: number): boolean;
  /** Is there one that only looks on? It is told from inside of the region, at the beginning of a block, as this `Telling` says. */
  tellingAt(key: number): number;
  /** Did the code at this address run often? What did not is not worth compiling. */
  isWorthIt(key: number): boolean;
  /** Is another region entered at this address of the same function, that this one had better lead to? */
  isElsewhere(key: number): boolean;
  /** Is the function that begins at this address, which is called, in a region that is entered there? */
  isFunctionElsewhere(key: number): boolean;
  /** Is the function that begins at this address, which is called, part of another region? One of its own serves all callers. */
  isShared(key: number): boolean;
  /** Instructions after which no more are taken in. */
  readonly most: number;
  /** Instructions up to which functions are taken in though they are in other regions. */
  readonly mostShared: number;
  available(row: Row): boolean;
}

export const highOf = (key: number): number => Math.floor(key / 0x1_0000_0000);
export const lowOf = (key: number): number => key | 0;
export const keyOf = (low: number, high: number): number => high * 0x1_0000_0000 + (low >>> 0);

/** No path through a region without a look at the budget is longer. */
export const longestPath = 1400;
/** Instructions before the end of a slice from which on it ends in regions at places where they are entered again best; the interpreter does what is left. */
export const slack = 250;
const mostBlocks = 160;
const mostPages = 24;
const mostBlockInstructions = 100;
/** Return sites of one callee that are tried in turn. */
const mostCandidates = 10;
const PAGE = 4096;

/** A straight piece of code, before it is cut at the targets of jumps. */
interface Run {
  readonly key: number;
  readonly insns: Insn[];
  readonly end: BlockEnd;
}

/**
 * Explores from `entry` in 64-bit code of `mode`.
 * @param inner where the region is to be entered besides, if it comes to that address.
 * @param observed addresses that an indirect jump at a key was seen to go to.
 */
export function discover(
  entry: number,
  inner: number | undefined,
  mode: number,
  u8: Uint8Array,
  decoder: Decoder,
  source: RegionSource,
  observed: ReadonlyMap<number, readonly number[]>,
): Region {
  const runs = new Map<number, Run>();
  const pages = new Set<number>();
  const targets = new Set<number>(inner === undefined ? [entry] : [entry, inner]);
  const resumes = new Set<number>();
  const open = new Set<number>();
  /** Callee entry -> addresses that it returns to. */
  const returnSites = new Map<number, Set<number>>();
  /** Block -> entries of the functions that it belongs to. */
  const owners = new Map<number, Set<number>>();
  const terms = { entry, mode, u8, decoder, source, observed };
  let instructions = 0;
  /** Whole functions one after another, with the instructions that they may have: one that is cut off where the room ends would be left and entered again in its middle. */
  const functions: { readonly key: number; readonly owner: number; readonly most: number }[] = [
    { key: entry, owner: -1, most: source.most },
  ];
  const called = new Set<number>();
  const take = (to: number, owner: number): void => {
    if (called.has(to)) return;
    called.add(to);
    if (!source.isWorthIt(to)) return void open.add(to);
    const isShared = to !== entry && (source.isFunctionElsewhere(to) || source.isShared(to));
    functions.push({ key: to, owner, most: isShared ? source.mostShared : source.most });
  };
  for (let item = functions.shift(); item !== undefined; item = functions.shift()) {
    const walk = walkFunction(item.key, runs, pages, Math.min(item.most, source.most - instructions), terms);
    if (walk.isCut && item.key !== entry) continue;
    instructions += walk.instructions;
    for (const [key, run] of walk.runs) runs.set(key, run);
    for (const page of walk.pages) pages.add(page);
    for (const key of walk.resumes) resumes.add(key);
    for (const key of walk.open) open.add(key);
    for (const key of walk.seen) {
      targets.add(key);
      const known = owners.get(key);
      if (known === undefined) owners.set(key, new Set([item.owner]));
      else known.add(item.owner);
    }
    for (const { to, next } of walk.calls) {
      const sites = returnSites.get(to);
      if (sites === undefined) returnSites.set(to, new Set([next]));
      else sites.add(next);
      take(to, to);
    }
    for (const to of walk.indirectCalls) take(to, item.owner);
  }
  const blocks = cut(runs, targets, returnSites, owners, observed, source);
  const present = new Set(blocks.filter((block) => block.insns.length > 0).map((block) => block.key));
  const returns = blocks.flatMap((block) => returnFromOutside(block, present) ?? []);
  const entries = new Set([entry, ...(inner === undefined ? [] : [inner]), ...resumes, ...returns]);
  return { blocks, pages, open, entries: [...entries].filter((key) => present.has(key)) };
}

/** The code of one function, as far as it was not there before. */
interface Walk {
  readonly runs: ReadonlyMap<number, Run>;
  readonly pages: ReadonlySet<number>;
  /** Where all of its blocks begin, those that were there before among them. */
  readonly seen: ReadonlySet<number>;
  readonly resumes: ReadonlySet<number>;
  readonly open: ReadonlySet<number>;
  readonly calls: readonly { readonly to: number; readonly next: number }[];
  readonly indirectCalls: readonly number[];
  readonly instructions: number;
  /** There was no room for all of it. */
  readonly isCut: boolean;
}

/** What the walk through a function goes by. */
interface WalkTerms {
  /** Where the region begins. */
  readonly entry: number;
  readonly mode: number;
  readonly u8: Uint8Array;
  readonly decoder: Decoder;
  readonly source: RegionSource;
  readonly observed: ReadonlyMap<number, readonly number[]>;
}

/** Follows the code of a function from where it begins, but for calls. */
function walkFunction(
  begin: number,
  known: ReadonlyMap<number, Run>,
  knownPages: ReadonlySet<number>,
  room: number,
  { entry, mode, u8, decoder, source, observed }: WalkTerms,
): Walk {
  const runs = new Map<number, Run>();
  const pages = new Set(knownPages);
  const seen = new Set([begin]);
  const resumes = new Set<number>();
  const open = new Set<number>();
  const calls: { to: number; next: number }[] = [];
  const indirectCalls: number[] = [];
  const work = [begin];
  let instructions = 0;
  let isCut = false;
  const push = (key: number): void => {
    if (seen.has(key)) return;
    if (!source.isWorthIt(key)) return void open.add(key);
    if (key !== entry && source.isElsewhere(key)) return;
    seen.add(key);
    work.push(key);
  };
  for (let key = work.shift(); key !== undefined; key = work.shift()) {
    let run = known.get(key);
    if (run === undefined) {
      if (known.size + runs.size >= mostBlocks || instructions >= room) {
        isCut = true;
        continue;
      }
      run = decodeRun(key, mode, u8, decoder, source, pages);
      if (run === undefined) continue;
      runs.set(key, run);
      instructions += run.insns.length;
    }
    const { end } = run;
    switch (end.kind) {
      case 'jump':
        push(end.to);
        break;
      case 'branch':
        push(end.next);
        push(end.to);
        break;
      case 'call':
        calls.push({ to: end.to, next: end.next });
        push(end.next);
        break;
      case 'indirect': {
        const last = run.insns.at(-1)!;
        const isJump = last.row.definition.mnemonic === 'JMP';
        for (const target of observed.get(keyOf(last.ripLow, last.ripHigh)) ?? []) {
          if (isJump) push(target);
          else indirectCalls.push(target);
        }
        // The code after an indirect call is where its callee comes back to.
        if (end.next !== undefined) push(end.next);
        break;
      }
      case 'leave':
        if (end.resume !== undefined) {
          resumes.add(end.resume);
          push(end.resume);
        }
        break;
    }
  }
  return { runs, pages, seen, resumes, open, calls, indirectCalls, instructions, isCut };
}

/** Where a call comes back to whose callee may be outside of the region. */
function returnFromOutside({ end }: RegionBlock, present: ReadonlySet<number>): number | undefined {
  if (end.kind === 'call') return present.has(end.to) ? undefined : end.next;
  return end.kind === 'indirect' ? end.next : undefined;
}

/** True where the region has to be left for it: most helpers that end blocks. */
export function needsInterpreter(insn: Insn, mode: number): boolean {
  const { definition } = insn.row;
  if (definition.privileged === true && (mode & Mode.user) !== 0) return true;
  // What regions take for granted.
  if (definition.mnemonic === 'LDMXCSR') return true;
  if (isDoneInPlace(insn, mode) || endsBlockOnly(insn)) return false;
  return definition.emit === undefined || insn.rep !== 'none' || (definition.endsBlock === true && transferOf(insn) === undefined);
}

/** Does the code go straight on behind it, though in another block, as the interrupt shadow is told by where a block ends? */
const endsBlockOnly = (insn: Insn): boolean => straightOn.has(insn.row.definition.mnemonic);
const straightOn = new Set(['STI', 'POPF', 'WRMSR']);

/** Ways into code that comes back by an indirect transfer. */
const entersKernel = new Set(['SYSCALL', 'INT', 'INT3', 'INT1']);

/** The transfer that an instruction makes, or undefined where it makes none that generated code can follow. */
export function transferOf(insn: Insn): 'jump' | 'branch' | 'call' | 'indirect' | undefined {
  if (insn.row.definition.endsBlock !== true) return undefined;
  const name = insn.row.definition.mnemonic;
  const direct = insn.count > 0 && insn.kinds[0] === Kind.rel;
  if (name === 'JMP') return direct ? 'jump' : 'indirect';
  if (name === 'CALL') return direct ? 'call' : 'indirect';
  if (name === 'RET' || entersKernel.has(name) || (name === 'IRET' && insn.operandSize === 8)) return 'indirect';
  return direct ? 'branch' : undefined;
}

/** Indirect transfers after which the code behind them goes on. */
const comesBack = new Set(['CALL', ...entersKernel]);

/** Bytes of an instruction that goes on in the next page. */
const straddle = new Uint8Array(32);

/** Decodes the instruction at an address of which the physical one is given. */
function decodeAt(at: number, physical: number, mode: number, u8: Uint8Array, decoder: Decoder, source: RegionSource, insn: Insn): boolean {
  const available = (row: Row): boolean => source.available(row);
  const address = Layout.ramBase + physical;
  const here = PAGE - (physical & (PAGE - 1));
  const result = decoder.decode(u8, address, address + here, mode, lowOf(at), highOf(at), available, insn);
  if (result !== DecodeResult.more) return result === DecodeResult.ok;
  const second = source.physical(lowOf(at + here), highOf(at + here));
  if (second < 0) return false;
  straddle.set(u8.subarray(address, address + here));
  straddle.set(u8.subarray(Layout.ramBase + second, Layout.ramBase + second + 16), here);
  return decoder.decode(straddle, 0, here + 16, mode, lowOf(at), highOf(at), available, insn) === DecodeResult.ok;
}

const crossesPage = (insn: Insn): boolean => (insn.ripLow & (PAGE - 1)) + insn.length > PAGE;

/** Halves of the address of the page that an instruction goes on in. */
function secondPage(insn: Insn): [number, number] {
  const at = keyOf(insn.ripLow | (PAGE - 1), insn.ripHigh) + 1;
  return [lowOf(at), highOf(at)];
}

function decodeRun(key: number, mode: number, u8: Uint8Array, decoder: Decoder, source: RegionSource, pages: Set<number>): Run | undefined {
  const insns: Insn[] = [];
  let at = key;
  for (;;) {
    if (insns.length > 0 && source.tellingAt(at) !== Telling.none) return { key, insns, end: { kind: 'jump', to: at } };
    const physical = source.physical(lowOf(at), highOf(at));
    const page = Math.floor(physical / PAGE);
    const stop =
      physical < 0 || insns.length >= mostBlockInstructions || (!pages.has(page) && pages.size >= mostPages) || source.hasProbe(at);
    const insn = new Insn();
    const decoded = !stop && decodeAt(at, physical, mode, u8, decoder, source, insn);
    if (!decoded || needsInterpreter(insn, mode)) {
      const resume = decoded ? at + insn.length : undefined;
      return insns.length === 0 && resume === undefined ? undefined : { key, insns, end: { kind: 'leave', at, resume } };
    }
    pages.add(page);
    if (crossesPage(insn)) pages.add(Math.floor(source.physical(...secondPage(insn)) / PAGE));
    insns.push(insn);
    at += insn.length;
    if (endsBlockOnly(insn)) return { key, insns, end: { kind: 'jump', to: at } };
    const transfer = transferOf(insn);
    if (transfer !== undefined) {
      const target = keyOf(insn.targetLow, insn.targetHigh);
      switch (transfer) {
        case 'jump':
          return { key, insns, end: { kind: 'jump', to: target } };
        case 'branch':
          return { key, insns, end: { kind: 'branch', to: target, next: at } };
        case 'call':
          return { key, insns, end: { kind: 'call', to: target, next: at } };
        case 'indirect':
          return {
            key,
            insns,
            end: { kind: 'indirect', candidates: [], next: comesBack.has(insn.row.definition.mnemonic) ? at : undefined },
          };
      }
    }
  }
}

/** Cuts runs where another one begins in their middle, so that no instruction stands twice, and resolves returns. */
function cut(
  runs: ReadonlyMap<number, Run>,
  targets: ReadonlySet<number>,
  returnSites: ReadonlyMap<number, ReadonlySet<number>>,
  owners: ReadonlyMap<number, ReadonlySet<number>>,
  observed: ReadonlyMap<number, readonly number[]>,
  source: RegionSource,
): RegionBlock[] {
  const blocks = new Map<number, RegionBlock>();
  for (const run of runs.values()) {
    let insns: Insn[] = [];
    let key = run.key;
    let cutShort = false;
    for (const insn of run.insns) {
      const at = keyOf(insn.ripLow, insn.ripHigh);
      if (at !== run.key && targets.has(at) && insns.length > 0) {
        if (!blocks.has(key))
          blocks.set(key, {
            key,
            insns,
            count: insns.length,
            observed: source.tellingAt(key),
            returnTold: Telling.none,
            end: { kind: 'jump', to: at },
          });
        if (runs.has(at)) {
          cutShort = true;
          break;
        }
        insns = [];
        key = at;
      }
      insns.push(insn);
    }
    if (cutShort || blocks.has(key)) continue;
    const end = run.end.kind === 'indirect' ? { ...run.end, candidates: candidatesOf(run, returnSites, owners, observed) } : run.end;
    const told = insns.length === 0 ? Telling.none : source.tellingAt(key);
    const isCall = end.kind === 'indirect' && insns.at(-1)!.row.definition.mnemonic === 'SYSCALL';
    const returnTold = isCall && end.next !== undefined ? source.tellingAt(end.next) : Telling.none;
    blocks.set(key, { key, insns, count: insns.length, observed: told, returnTold, end });
  }
  return [...blocks.values()];
}

function candidatesOf(
  run: Run,
  returnSites: ReadonlyMap<number, ReadonlySet<number>>,
  owners: ReadonlyMap<number, ReadonlySet<number>>,
  observed: ReadonlyMap<number, readonly number[]>,
): number[] {
  const last = run.insns.at(-1)!;
  const seen = observed.get(keyOf(last.ripLow, last.ripHigh)) ?? [];
  if (last.row.definition.mnemonic !== 'RET') return [...seen];
  const sites = [...(owners.get(run.key) ?? [])].flatMap((owner) => [...(returnSites.get(owner) ?? [])]);
  return [...new Set([...seen, ...sites])].slice(0, Math.max(mostCandidates, seen.length));
}
