/** Writes the WebAssembly function of one region: its blocks laid out by structure.ts, emitted by the same definitions as the interpreter's. */

import { type Insn } from '../decoder';
import { Telling } from '../event-log';
import { ARITHMETIC } from '../isa/definition';
import { changedFlags, killedFlags } from '../shape';
import { type Label } from '../wasm/code';
import { type Region, type RegionBlock, transferOf } from './discover';
import { type FloatUse } from './float';
import { type ExitSite, Local, type MemoryUse, type RecordUse, RegionExit } from './region-abi';
import { RegionGen } from './region-gen';
import { successorsOf } from './root';
import { headsOf, type Part, structure } from './structure';

/** Entries of one region. */
const mostEntries = 48;

/** Copies of a block that is a loop by itself, and instructions of all of them. */
const mostCopies = 4;
const mostCopied = 40;

/** What is to be known of a region's function to run it. */
export interface RegionCode {
  readonly entries: readonly number[];
  readonly sites: readonly ExitSite[];
  readonly instructions: number;
}

/** The function `(entry: i32) -> i32` of a region. */
export interface RegionBody {
  /** Its body, for any module that `assembleRegions` makes. */
  readonly body: Uint8Array;
  /** What is known of its branches: see `Code.hints`. */
  readonly hints: Uint32Array;
  readonly records: readonly RecordUse[];
}

export interface CompiledRegion extends RegionCode, RegionBody {}

/**
 * Compiles a region; undefined where it holds nothing that is worth it.
 * @param recordOf makes the record of an instruction that is done in place, of whose block so many instructions remain; answers 0 where it cannot.
 */
export function compileRegion(
  region: Region,
  mode: number,
  memory: MemoryUse,
  floats: FloatUse | undefined,
  recordOf: (insn: Insn, remaining: number) => number,
): CompiledRegion | undefined {
  if (region.blocks.length === 0 || region.entries.length === 0) return undefined;
  const isWindowed = memory.window !== undefined;
  let layout = new RegionLayout(region, new RegionGen(mode, memory, floats, recordOf, undefined), isWindowed);
  let gen = layout.emit();
  const use = gen.inPlaceUse;
  if (use !== undefined) {
    layout = new RegionLayout(region, new RegionGen(mode, memory, floats, recordOf, use), isWindowed);
    gen = layout.emit();
  }
  gen.c.prepend(gen.prologue());
  return {
    body: gen.c.body().slice(),
    hints: gen.c.hints(),
    records: gen.records,
    entries: layout.entryKeys,
    sites: gen.sites,
    instructions: region.blocks.reduce((sum, block) => sum + block.insns.length, 0),
  };
}

/** Where a branch to a block goes, as long as its label is open. */
interface Place {
  readonly label: Label;
  /** Number to leave in the target local first, where several blocks share the label. */
  readonly select: number | undefined;
}

class RegionLayout {
  readonly #gen: RegionGen;
  readonly #blocks: readonly RegionBlock[];
  readonly #index: ReadonlyMap<number, number>;
  readonly #entries: readonly number[];
  readonly #open: ReadonlySet<number>;
  /** Innermost place last. */
  readonly #places = new Map<number, Place[]>();
  /** Rule of the flags that comes into a block: of all forward edges so far; -1 where they differ. */
  readonly #incoming = new Map<number, number>();
  /** The same of what is known of the registers' widths. */
  readonly #incomingWidths = new Map<number, Uint8Array>();
  /** Blocks at which the region may be entered, first the one it was made for: their places are the entries' numbers. */
  #entered: readonly number[] = [];
  /** Blocks that begin with a look at the budget: heads of loops and entries, so that every cycle has one. */
  readonly #checked = new Set<number>();
  /** Those of them that stand around others: a slice that ends here goes on here, which it cannot further in. */
  readonly #outer = new Set<number>();
  readonly #longest = new Map<number, number>();
  /** Block that is being emitted. */
  #current = -1;

  /** Blocks that are loops by themselves -> how often they are written one after another, for one look at the budget and at addresses that move on. */
  readonly #copies = new Map<number, number>();

  constructor(
    region: Region,
    gen: RegionGen,
    private readonly isWindowed: boolean,
  ) {
    this.#gen = gen;
    this.#blocks = region.blocks;
    this.#open = region.open;
    this.#index = new Map(region.blocks.map((block, index) => [block.key, index]));
    this.#entries = region.entries.map((key) => this.#index.get(key)!);
  }

  emit(): RegionGen {
    const gen = this.#gen;
    const successors = successorsOf(this.#blocks);
    const [first] = this.#entries;
    const parts = structure(successors, [first!]);
    const placed = new Set<number>();
    const heads = new Set<number>();
    collect(parts, placed, heads);
    const outermost = parts.flatMap((part) => (part.kind === 'loop' ? part.heads : []));
    // Entries inside of loops cost at every turn: what comes in there spoils what is known of the registers.
    const others = [...this.#entries.slice(1).filter((node) => placed.has(node)), ...outermost].filter((node) => node !== first);
    this.#entered = [first!, ...new Set(others)].slice(0, mostEntries);
    for (const node of [...heads, ...this.#entered]) this.#checked.add(node);
    for (const part of parts) {
      if (part.kind !== 'loop' || ![...nodesOf(part)].some((node) => this.#checked.has(node) && !part.heads.includes(node))) continue;
      for (const head of part.heads) this.#outer.add(head);
    }
    this.#copyLoops(parts);
    for (const node of this.#checked) this.#measure(node, successors);
    gen.flow = {
      goTo: (key) => this.#goTo(key),
      branchTo: (key, condition, otherwise) => this.#branchTo(key, condition, otherwise),
      indirect: (target) => this.#indirect(target),
    };
    gen.exit = gen.c.block();
    this.#sequence(parts, [first!]);
    gen.forgetAddresses();
    gen.c.end();
    // Small programs have all of their hot code in one module or two; large ones leave the module with nearly each exit (nginx with 97 of 100).
    gen.epilogue();
    return gen;
  }

  /**
   * Emits parts one after another; each but the first has a label that ends where it begins. Control enters by falling in from above, with the
   * number of one of `heads` in the target local where there are several.
   */
  #sequence(parts: readonly Part[], heads: readonly number[], around: ReadonlySet<number> = new Set()): void {
    const { c } = this.#gen;
    const labels: Label[] = [];
    for (let i = parts.length - 1; i >= 1; i--) labels[i] = c.block();
    parts.forEach((part, i) => {
      if (i === 0) return;
      const inner = headsOf(part);
      inner.forEach((node, select) => this.#enter(node, { label: labels[i]!, select: inner.length > 1 ? select : undefined }));
    });
    const begin = c.block();
    this.#resume(parts, labels, begin, around);
    this.#dispatch(parts, labels, heads);
    c.end();
    parts.forEach((part, i) => {
      if (i > 0) {
        c.end();
        for (const node of headsOf(part)) this.#leave(node);
      }
      this.#part(part);
    });
  }

  /** Where the region was entered at a block further in: from the entry's number to the part that holds it. */
  #resume(parts: readonly Part[], labels: readonly Label[], begin: Label, around: ReadonlySet<number>): void {
    const { c } = this.#gen;
    if (this.#entered.length === 1) return;
    const inside = parts.map((part) => nodesOf(part));
    // Who enters at a head of the loop around this has been seen to already.
    const entries = this.#entered
      .map((node, number) => ({ node, number, part: inside.findIndex((nodes) => nodes.has(node)) }))
      .filter(({ node, number, part }) => number > 0 && part >= 0 && !around.has(node));
    if (entries.length === 0) return;
    c.get(Local.entry);
    c.if();
    for (const { node, number, part } of entries) {
      c.get(Local.entry).i32(number).op('i32.eq');
      c.if();
      const heads = headsOf(parts[part]!);
      const head = heads.indexOf(node);
      if (head >= 0) {
        c.i32(0).set(Local.entry);
        if (heads.length > 1) c.i32(head).set(Local.target);
      }
      c.br(part === 0 ? begin : labels[part]!);
      c.end();
    }
    c.end();
  }

  /** From the target local to the parts that hold the heads; nothing to do where the first part is the only head's. */
  #dispatch(parts: readonly Part[], labels: readonly Label[], heads: readonly number[]): void {
    const { c } = this.#gen;
    const partOf = heads.map((head) => parts.findIndex((part) => headsOf(part).includes(head)));
    const firstHeads = headsOf(parts[0]!);
    if (heads.length === 1 || (firstHeads.length === heads.length && firstHeads.every((head, i) => head === heads[i]))) return;
    // Falling through leads to the first part, which may be a loop with several heads of its own.
    const start = c.block();
    const stubs = heads.map(() => c.block());
    const order = [...stubs].reverse();
    c.get(Local.target).brTable(order.slice(0, -1), order.at(-1)!);
    for (const [i, head] of heads.entries()) {
      c.end();
      const place = partOf[i]!;
      const inner = headsOf(parts[place]!);
      if (inner.length > 1) c.i32(inner.indexOf(head)).set(Local.target);
      c.br(place === 0 ? start : labels[place]!);
    }
    c.end();
  }

  #part(part: Part): void {
    if (part.kind === 'block') return this.#block(part.node);
    const { c } = this.#gen;
    const label = c.loop();
    part.heads.forEach((node, select) => {
      this.#enter(node, { label, select: part.heads.length > 1 ? select : undefined });
    });
    this.#sequence(part.body, part.heads, new Set(part.heads));
    for (const node of part.heads) this.#leave(node);
    c.end();
    // Every path inside branches away.
    c.op('unreachable');
  }

  /** Instructions on the longest way from the start of a block to the next look at the budget, or out. */
  #measure(node: number, successors: readonly (readonly number[])[]): void {
    const stack = [node];
    while (stack.length > 0) {
      const at = stack.at(-1)!;
      const next = successors[at]!.filter((to) => !this.#checked.has(to));
      const open = next.filter((to) => !this.#longest.has(to));
      if (open.length > 0) {
        stack.push(...open);
        continue;
      }
      stack.pop();
      this.#longest.set(at, this.#blocks[at]!.count * this.#copiesOf(at) + Math.max(0, ...next.map((to) => this.#longest.get(to)!)));
    }
  }

  /** Decides which loops of one block are written several times. */
  #copyLoops(parts: readonly Part[]): void {
    for (const part of parts) {
      if (part.kind === 'block') continue;
      const [only] = part.body;
      if (part.body.length > 1 || only?.kind !== 'block') {
        this.#copyLoops(part.body);
        continue;
      }
      const { count, observed } = this.#blocks[only.node]!;
      // What goes through the window has proved to be worth more code.
      const copies = Math.min(this.isWindowed ? mostCopies : 1, Math.floor(mostCopied / Math.max(1, count)));
      if (copies > 1 && observed === Telling.none) this.#copies.set(only.node, copies);
    }
  }

  #copiesOf(node: number): number {
    return this.#copies.get(node) ?? 1;
  }

  /** Addresses of the entries, by number. */
  get entryKeys(): readonly number[] {
    return this.#entered.map((node) => this.#blocks[node]!.key);
  }

  #enter(node: number, place: Place): void {
    const places = this.#places.get(node);
    if (places === undefined) this.#places.set(node, [place]);
    else places.push(place);
  }

  #leave(node: number): void {
    this.#places.get(node)!.pop();
  }

  #block(node: number): void {
    const gen = this.#gen;
    const block = this.#blocks[node]!;
    this.#current = node;
    if (this.#checked.has(node)) gen.checkBudget(block.key, this.#longest.get(node)!, this.#outer.has(node));
    if (block.observed !== Telling.none) gen.observe(block.key, block.observed);
    gen.beginBlock(this.#checked.has(node) ? -1 : (this.#incoming.get(node) ?? -1));
    const widths = this.#checked.has(node) ? undefined : this.#incomingWidths.get(node);
    if (widths !== undefined) gen.c.widths.restore(Local.gpr, widths);
    const copies = this.#copiesOf(node);
    for (let copy = 1; copy < copies; copy++) {
      // What is known at the end of one copy holds at the start of the next, which is met from there alone.
      const label = gen.c.block();
      this.#enter(node, { label, select: undefined });
      this.#body(node, block, copy);
      this.#leave(node);
      const after = gen.c.widths.save(Local.gpr, 16);
      gen.c.end();
      gen.c.widths.restore(Local.gpr, after);
    }
    this.#body(node, block, copies);
  }

  /** One copy of a block. */
  #body(node: number, block: RegionBlock, copy: number): void {
    const gen = this.#gen;
    gen.baseDepth = gen.c.depth;
    gen.charge(block.count);
    gen.returnTold = block.returnTold;
    gen.longestAfter = this.#longest.get(node)! - block.count * copy;
    const lives = liveness(block.insns, () => gen.masksFloats());
    block.insns.forEach((insn, i) => gen.run(insn, block.insns.length - i, lives[i]!));
    switch (block.end.kind) {
      case 'jump':
        // A jump that is an instruction has been emitted with it.
        if (block.insns.length === 0 || transferOf(block.insns.at(-1)!) === undefined) this.#goTo(block.end.to);
        break;
      case 'leave':
        gen.leaveBefore(block.end.at, 0);
        break;
      default:
        break;
    }
  }

  #placeOf(key: number): Place | undefined {
    const node = this.#index.get(key);
    return node === undefined ? undefined : this.#places.get(node)?.at(-1);
  }

  #noteFlags(key: number): void {
    const node = this.#index.get(key)!;
    const rule = this.#gen.flagRule;
    const known = this.#incoming.get(node);
    this.#incoming.set(node, known === undefined || known === rule ? rule : -1);
    const widths = this.#gen.c.widths.save(Local.gpr, 16);
    const others = this.#incomingWidths.get(node);
    this.#incomingWidths.set(node, others === undefined ? widths : widths.map((width, i) => Math.max(width, others[i]!)));
  }

  #goTo(key: number): void {
    const place = this.#placeOf(key);
    if (place === undefined) return this.#gen.leaveTo(key, RegionExit.next);
    this.#noteFlags(key);
    const { c } = this.#gen;
    if (place.select !== undefined) c.i32(place.select).set(Local.target);
    c.br(place.label);
  }

  #branchTo(key: number, condition: () => void, otherwise?: number): void {
    const { c } = this.#gen;
    condition();
    const place = this.#placeOf(key);
    // What had hardly run when the region was made was left out of it.
    const odds = this.#open.has(key) ? 'unlikely' : otherwise !== undefined && this.#open.has(otherwise) ? 'likely' : undefined;
    if (place !== undefined && place.select === undefined) {
      this.#noteFlags(key);
      c.brIf(place.label, odds);
      return;
    }
    c.if(undefined, odds);
    this.#goTo(key);
    c.end();
  }

  #indirect(target: number): void {
    const gen = this.#gen;
    const { c } = gen;
    const { end } = this.#blocks[this.#current]!;
    const candidates = end.kind === 'indirect' ? end.candidates : [];
    for (const key of candidates) {
      if (this.#placeOf(key) === undefined) continue;
      this.#branchTo(key, () => c.get(target).i64(key).op('i64.eq'));
    }
    gen.leaveIndirect(target);
  }
}

/** All nodes of the parts, and those that are heads of a loop. */
function collect(parts: readonly Part[], nodes: Set<number>, heads: Set<number>): void {
  for (const part of parts) {
    if (part.kind === 'block') {
      nodes.add(part.node);
      continue;
    }
    for (const head of part.heads) heads.add(head);
    collect(part.body, nodes, heads);
  }
}

function nodesOf(part: Part): ReadonlySet<number> {
  const nodes = new Set<number>();
  collect([part], nodes, new Set());
  return nodes;
}

/**
 * Which instructions' flags may be seen: by a later one, at the block's end, or where the region can be left. `masked` is asked about floating-point
 * arithmetic: whether its exceptions are sure to be masked, so that it cannot fault.
 */
function liveness(insns: readonly Insn[], masked: () => boolean): boolean[] {
  const result = new Array<boolean>(insns.length);
  let live: number = ARITHMETIC;
  for (let i = insns.length - 1; i >= 0; i--) {
    const insn = insns[i]!;
    const { definition } = insn.row;
    const leaves = insn.hasMemory
      ? definition.mnemonic !== 'LEA' && definition.mnemonic !== 'NOP'
      : definition.size64 === 'd64' ||
        definition.endsBlock === true ||
        definition.mayFault === true ||
        definition.unit === 'mmx' ||
        definition.rep !== undefined ||
        definition.emit === undefined ||
        (definition.helper !== undefined && (definition.unit !== 'sse' || !masked()));
    if (leaves) live = ARITHMETIC;
    result[i] = (changedFlags(insn.row) & live) !== 0;
    live = leaves ? ARITHMETIC : (live & ~killedFlags(insn.row)) | insn.row.readFlags;
  }
  return result;
}
