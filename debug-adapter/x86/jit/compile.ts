/** Writes the WebAssembly module of one region: its blocks laid out by structure.ts, emitted by the same definitions as the interpreter's. */

import { type Insn } from '../decoder';
import { namedHelpers } from '../interp-gen';
import { ARITHMETIC } from '../isa/definition';
import { changedFlags, killedFlags } from '../shape';
import { type Label } from '../wasm/code';
import { ModuleBuilder } from '../wasm/module';
import { type Region, type RegionBlock } from './discover';
import { type ExitSite, RegionExit, RegionGen, RegionLocal, type WindowMapping } from './region-gen';
import { headsOf, type Part, structure } from './structure';

/** Names of the runtime functions in the order of `RegionImports`. */
export const runtimeNames: readonly string[] = [...Array.from({ length: 8 }, (_, i) => `condition${i}`), 'arithmetic', ...namedHelpers];

export interface CompiledRegion {
  /** Exports `region(entry: i32) -> i32`. */
  readonly binary: Uint8Array<ArrayBuffer>;
  readonly entries: readonly number[];
  readonly sites: readonly ExitSite[];
  readonly instructions: number;
}

/** Compiles a region; undefined where it holds nothing that is worth it. */
export function compileRegion(region: Region, mode: number, window: WindowMapping | undefined): CompiledRegion | undefined {
  if (region.blocks.length === 0 || region.entries.length === 0) return undefined;
  const layout = new RegionLayout(region, mode, window);
  const gen = layout.emit();
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', 1);
  for (const [i, name] of runtimeNames.entries()) {
    if (i < 8) module.importFunction('runtime', name, [], ['i32']);
    else if (name === 'arithmetic') module.importFunction('runtime', name, [], ['i64']);
    else module.importFunction('runtime', name, ['i64', 'i64'], ['i64']);
  }
  gen.c.prepend(gen.prologue());
  module.exportFunction('region', module.func(module.type(['i32'], ['i32']), gen.c));
  return {
    binary: module.build(),
    entries: region.entries,
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
  /** Innermost place last. */
  readonly #places = new Map<number, Place[]>();
  /** Rule of the flags that comes into a block: of all forward edges so far; -1 where they differ. */
  readonly #incoming = new Map<number, number>();
  readonly #loopHeads = new Set<number>();
  /** Block that is being emitted. */
  #current = -1;

  constructor(region: Region, mode: number, window: WindowMapping | undefined) {
    this.#gen = new RegionGen(mode, window);
    this.#blocks = region.blocks;
    this.#index = new Map(region.blocks.map((block, index) => [block.key, index]));
    this.#entries = region.entries.map((key) => this.#index.get(key)!);
  }

  emit(): RegionGen {
    const gen = this.#gen;
    const successors = this.#blocks.map((block) => this.#successors(block));
    const parts = structure(successors, this.#entries);
    for (const entry of this.#entries) this.#loopHeads.add(entry);
    gen.flow = {
      goTo: (key) => this.#goTo(key),
      branchTo: (key, condition) => this.#branchTo(key, condition),
      indirect: (target) => this.#indirect(target),
    };
    gen.exit = gen.c.block();
    gen.c.get(RegionLocal.entry).set(RegionLocal.target);
    this.#sequence(parts, this.#entries);
    gen.c.end();
    gen.epilogue();
    return gen;
  }

  #successors(block: RegionBlock): number[] {
    const { end } = block;
    const keys =
      end.kind === 'jump'
        ? [end.to]
        : end.kind === 'branch'
          ? [end.to, end.next]
          : end.kind === 'call'
            ? [end.to]
            : end.kind === 'indirect'
              ? end.candidates
              : [];
    return [...new Set(keys.flatMap((key) => this.#index.get(key) ?? []))];
  }

  /**
   * Emits parts one after another; each but the first has a label that ends where it begins. Control enters by falling in from above, with the
   * number of one of `heads` in the target local where there are several.
   */
  #sequence(parts: readonly Part[], heads: readonly number[]): void {
    const { c } = this.#gen;
    const labels: Label[] = [];
    for (let i = parts.length - 1; i >= 1; i--) labels[i] = c.block();
    parts.forEach((part, i) => {
      if (i === 0) return;
      const inner = headsOf(part);
      inner.forEach((node, select) => this.#enter(node, { label: labels[i]!, select: inner.length > 1 ? select : undefined }));
    });
    this.#dispatch(parts, labels, heads);
    parts.forEach((part, i) => {
      if (i > 0) {
        c.end();
        for (const node of headsOf(part)) this.#leave(node);
      }
      this.#part(part);
    });
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
    c.get(RegionLocal.target).brTable(order.slice(0, -1), order.at(-1)!);
    for (const [i, head] of heads.entries()) {
      c.end();
      const place = partOf[i]!;
      const inner = headsOf(parts[place]!);
      if (inner.length > 1) c.i32(inner.indexOf(head)).set(RegionLocal.target);
      c.br(place === 0 ? start : labels[place]!);
    }
    c.end();
  }

  #part(part: Part): void {
    if (part.kind === 'block') return this.#block(part.node);
    const { c } = this.#gen;
    const label = c.loop();
    part.heads.forEach((node, select) => {
      this.#loopHeads.add(node);
      this.#enter(node, { label, select: part.heads.length > 1 ? select : undefined });
    });
    this.#sequence(part.body, part.heads);
    for (const node of part.heads) this.#leave(node);
    c.end();
    // Every path inside branches away.
    c.op('unreachable');
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
    gen.baseDepth = gen.c.depth;
    gen.charge(block.key, block.count);
    gen.beginBlock(this.#loopHeads.has(node) ? -1 : (this.#incoming.get(node) ?? -1));
    const lives = liveness(block.insns);
    block.insns.forEach((insn, i) => gen.run(insn, block.insns.length - i, lives[i]!));
    switch (block.end.kind) {
      case 'jump':
        if (block.insns.length === 0 || block.insns.at(-1)!.row.definition.endsBlock !== true) this.#goTo(block.end.to);
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
  }

  #goTo(key: number): void {
    const place = this.#placeOf(key);
    if (place === undefined) return this.#gen.leaveTo(key, RegionExit.next);
    this.#noteFlags(key);
    const { c } = this.#gen;
    if (place.select !== undefined) c.i32(place.select).set(RegionLocal.target);
    c.br(place.label);
  }

  #branchTo(key: number, condition: () => void): void {
    const { c } = this.#gen;
    condition();
    const place = this.#placeOf(key);
    if (place !== undefined && place.select === undefined) {
      this.#noteFlags(key);
      c.brIf(place.label);
      return;
    }
    c.if();
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
      this.#branchTo(key, () => c.get(target).i64(addressOf(key)).op('i64.eq'));
    }
    gen.leaveIndirect(target);
  }
}

const addressOf = (key: number): bigint => (BigInt(Math.floor(key / 0x1_0000_0000)) << 32n) | BigInt((key | 0) >>> 0);

/** Which instructions' flags may be seen: by a later one, at the block's end, or where the region can be left. */
function liveness(insns: readonly Insn[]): boolean[] {
  const result = new Array<boolean>(insns.length);
  let live: number = ARITHMETIC;
  for (let i = insns.length - 1; i >= 0; i--) {
    const insn = insns[i]!;
    const { definition } = insn.row;
    const leaves = insn.hasMemory
      ? definition.mnemonic !== 'LEA' && definition.mnemonic !== 'NOP'
      : definition.size64 === 'd64' || definition.endsBlock === true || definition.mayFault === true || definition.rep !== undefined;
    if (leaves) live = ARITHMETIC;
    result[i] = (changedFlags(insn.row) & live) !== 0;
    live = leaves ? ARITHMETIC : (live & ~killedFlags(insn.row)) | ((definition.flags?.reads ?? 0) & ARITHMETIC);
  }
  return result;
}
