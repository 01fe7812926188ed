/** Predecoded blocks: builds records from guest code, finds them by RIP, links and drops them. */

import { fault, lacking, Vector } from './context';
import { type Decoder, DecodeResult, Insn, Kind } from './decoder';
import { isFusibleRow, isPortOpcode, MAX_INSTRUCTIONS, OwnRecord, Purity, purityOf, unitNumber } from './block-rules';
import { type HandlerSet } from './handlers';
import { HotBlocks } from './hot-blocks';
import { LinkJournal, RIP_CACHE_ENTRIES, Scratch, Special } from './interp-abi';
import { ARITHMETIC } from './isa/definition';
import { type Row } from './isa/table';
import { Area, Built } from './predecode/area';
import { Rec, registerOffset } from './shape';
import { Layout, Mode, Seg, SegField, State } from './state';

/** A predecoded run of instructions that starts at one RIP and ends with a transfer, a page or a limit. */
export class Block {
  readonly key: number;
  next: Block | undefined = undefined;
  dead = false;

  /**
   * @param header address of the header record.
   * @param physical physical address of the first byte.
   * @param length bytes from there on.
   * @param physical2 physical address of the page that the last instruction crosses into, or -1.
   */
  constructor(
    readonly mode: number,
    readonly ripLow: number,
    readonly ripHigh: number,
    readonly header: number,
    readonly count: number,
    readonly physical: number,
    readonly length: number,
    readonly physical2: number,
  ) {
    this.key = ripHigh * 0x1_0000_0000 + (ripLow >>> 0);
  }
}

/** What the builder asks of the processor. */
export interface CodeSource {
  /** Physical address of a linear one (halves) for execution; throws GuestFault. */
  fetchPhysical(low: number, high: number): number;
  /** Guards a physical page against silent writes. */
  protectCode(page: number): void;
  /** Blocks end before a probe; one that only looks on is told by the block that begins there. */
  probeAt(low: number, high: number): 'stops' | 'observes' | undefined;
  /** Whether a probe is at one of `length` bytes from an address on. */
  probedWithin(low: number, high: number, length: number): boolean;
  /** A direct call leads to this address. */
  callSeen(low: number, high: number): void;
  /** A block begins at this address that was not there before. */
  met(key: number): void;
}

/** Of a block's instructions together. */
const mostBytes = MAX_INSTRUCTIONS * 15;
/** Instructions that no budget suffices for: of headers that lead nowhere. */
const neverEnough = 0x7fffffff;
/** Records reserved for the stub and for blocks that run once. */
const SCRATCH_RECORDS = 2 * MAX_INSTRUCTIONS + 8;
/** Where the records of blocks that stay begin: their chain slots may be made to lead to others. */
export const firstStaying = Layout.records + SCRATCH_RECORDS * Rec.size;
const PAGE = 4096;
/** Addresses of blocks that are gone of which is remembered how often they ran. */
const mostRemembered = 100_000;

/** Records of one instruction that stands alone: a header, the instruction, and the way on. */
export const SINGLE_RECORDS = 3;

/** IN and OUT by their opcodes: E4..E7 and EC..EF. */
export function isPortAccess(insn: Insn): boolean {
  return isPortOpcode(insn.row, insn.opcode);
}

export class BlockCache {
  readonly #u8: Uint8Array;
  readonly #i32: Int32Array;
  readonly #decoder: Decoder;
  readonly #handlers: HandlerSet;
  readonly #source: CodeSource;
  readonly #available: (row: Row) => boolean;
  /** Mode -> low half of RIP -> blocks. */
  readonly #maps = new Map<number, Map<number, Block>>();
  readonly #pages = new Map<number, Block[]>();
  /** Key of a block that is gone -> times that it ran. */
  readonly #ran = new Map<number, number>();
  readonly #insns: Insn[] = Array.from({ length: MAX_INSTRUCTIONS + 1 }, () => new Insn());
  readonly #straddle = new Uint8Array(32);
  readonly #ripJournal: number[] = [];
  /** Chain slots that lead somewhere and that the journal has no room for. */
  readonly #furtherLinks: number[] = [];
  readonly #purity: Uint8Array;
  readonly #stub = Layout.records;
  readonly #first = firstStaying;
  #free = firstStaying;
  readonly #hot: HotBlocks;
  /** From here on the bytes that the predecoder may look at could end with the memory. */
  readonly #lastCode: number;
  /** Blocks are built by generated code where that can; what comes out is the same. */
  generates = true;
  /** Fusing hides the boundary between two instructions: off while something must be seen after each. */
  fuse = true;
  blocksBuilt = 0;
  /** Counts the times that all records were given up. */
  generation = 0;

  constructor(
    buffer: ArrayBufferLike,
    decoder: Decoder,
    handlers: HandlerSet,
    source: CodeSource,
    available: (row: Row) => boolean,
    rowCount: number,
  ) {
    this.#u8 = new Uint8Array(buffer);
    this.#i32 = new Int32Array(buffer);
    this.#hot = new HotBlocks(this.#i32);
    this.#decoder = decoder;
    this.#handlers = handlers;
    this.#source = source;
    this.#available = available;
    this.#purity = new Uint8Array(rowCount);
    this.#lastCode = buffer.byteLength - Layout.ramBase - PAGE;
    this.#i32[(this.#stub + Rec.remaining) >> 2] = neverEnough;
  }

  /** True for chain slots that may be linked: those of blocks that stay. */
  linkable(slot: number): boolean {
    return slot >= this.#first;
  }

  /** Where the records of blocks that stay begin, and where the next ones go. */
  get firstRecord(): number {
    return this.#first;
  }
  get nextRecord(): number {
    return this.#free;
  }

  /** Finds or builds the block at RIP. Throws GuestFault where the first instruction cannot be fetched or decoded. */
  lookup(mode: number, ripLow: number, ripHigh: number, csBase: number): Block {
    const long = (mode & Mode.long) !== 0;
    const linearLow = long ? ripLow : (ripLow + csBase) | 0;
    const linearHigh = long ? ripHigh : 0;
    const physical = this.#source.fetchPhysical(linearLow, linearHigh);
    let map = this.#maps.get(mode);
    if (!map) {
      map = new Map<number, Block>();
      this.#maps.set(mode, map);
    }
    for (let block = map.get(ripLow); block; block = block.next) {
      if (block.physical !== physical || block.ripHigh !== ripHigh) continue;
      if (block.physical2 >= 0 && this.#secondPage(linearLow, linearHigh) !== block.physical2) continue;
      return block;
    }
    if (this.#free + (MAX_INSTRUCTIONS + 3) * 2 * Rec.size > Layout.recordsEnd) this.flush();
    const block = this.#build(mode, ripLow, ripHigh, linearLow, linearHigh, physical, MAX_INSTRUCTIONS, this.#free);
    this.#name(block);
    // A flush on the way dropped the map.
    map = this.#maps.get(mode) ?? new Map<number, Block>();
    this.#maps.set(mode, map);
    block.next = map.get(ripLow);
    map.set(ripLow, block);
    this.#remember(block, physical);
    if (block.physical2 >= 0) this.#remember(block, block.physical2);
    this.blocksBuilt++;
    this.#source.met(block.key);
    return block;
  }

  /** Writes to the header whose it is. */
  #name({ header, mode, ripLow, ripHigh }: Block): void {
    this.#i32[(header + Rec.rip) >> 2] = ripLow;
    this.#i32[(header + Rec.rip + 4) >> 2] = ripHigh;
    this.#i32[(header + Rec.mode) >> 2] = mode;
  }

  #remember(block: Block, physical: number): void {
    const page = Math.floor(physical / PAGE);
    const list = this.#pages.get(page);
    if (list) {
      list.push(block);
      return;
    }
    this.#pages.set(page, [block]);
    this.#source.protectCode(page);
  }

  #secondPage(linearLow: number, linearHigh: number): number {
    const low = ((linearLow | (PAGE - 1)) + 1) | 0;
    return this.#source.fetchPhysical(low, low === 0 ? linearHigh + 1 : linearHigh);
  }

  /** A block of at most `most` instructions that is run once. */
  once(mode: number, ripLow: number, ripHigh: number, csBase: number, most: number): Block {
    const long = (mode & Mode.long) !== 0;
    const linearLow = long ? ripLow : (ripLow + csBase) | 0;
    const linearHigh = long ? ripHigh : 0;
    const physical = this.#source.fetchPhysical(linearLow, linearHigh);
    const block = this.#build(
      mode,
      ripLow,
      ripHigh,
      linearLow,
      linearHigh,
      physical,
      Math.min(most, MAX_INSTRUCTIONS),
      this.#stub + Rec.size,
    );
    return block;
  }

  /**
   * Writes the records of the one instruction at RIP for a region that has it done in place, from `at` on; they take up to `SINGLE_RECORDS`.
   * @param remaining instructions of the region's block from this one on.
   * @returns the record to enter. Throws GuestFault where the instruction cannot be fetched.
   */
  single(mode: number, ripLow: number, ripHigh: number, remaining: number, at: number): number {
    const { header } = this.#build(mode, ripLow, ripHigh, ripLow, ripHigh, this.#source.fetchPhysical(ripLow, ripHigh), 1, at);
    const record = header + Rec.size;
    this.#i32[(record + Rec.remaining) >> 2] = remaining;
    this.#i32[(record + Rec.size + Rec.remaining) >> 2] = remaining - 1;
    return record;
  }

  #purityOf(row: Row): number {
    let purity: number = this.#purity[row.index]!;
    if (purity !== Purity.unknown) return purity;
    purity = purityOf(row);
    this.#purity[row.index] = purity;
    return purity;
  }

  #build(
    mode: number,
    ripLow: number,
    ripHigh: number,
    linearLow: number,
    linearHigh: number,
    physical: number,
    most: number,
    at: number,
  ): Block {
    if (this.generates && mode & Mode.long && physical < this.#lastCode) {
      const block = this.#predecode(mode, ripLow, ripHigh, physical, most, at);
      if (block !== undefined) return block;
    }
    const insns = this.#insns;
    const i32 = this.#i32;
    let low = ripLow;
    let high = ripHigh;
    let address = Layout.ramBase + physical;
    const pageEnd = address - (physical & (PAGE - 1)) + PAGE;
    let count = 0;
    let physical2 = -1;
    let length = 0;
    let ended = false;
    while (count < most) {
      const insn = insns[count]!;
      let result = this.#decoder.decode(this.#u8, address, pageEnd, mode, low, high, this.#available, insn);
      if (result === DecodeResult.more) {
        if (count > 0) break;
        // The instruction goes on in the next page: fetch that, and keep the block to this one instruction.
        const second = this.#secondPage(linearLow, linearHigh);
        const here = pageEnd - address;
        this.#straddle.set(this.#u8.subarray(address, pageEnd));
        this.#straddle.set(this.#u8.subarray(Layout.ramBase + second, Layout.ramBase + second + 16), here);
        result = this.#decoder.decode(this.#straddle, 0, here + 16, mode, low, high, this.#available, insn);
        physical2 = second;
        most = 1;
      }
      if (result !== DecodeResult.ok) {
        if (count > 0) break;
        if (result === DecodeResult.undefined) fault(Vector.UD);
        if (result === DecodeResult.tooLong) fault(Vector.GP, 0);
        lacking('This instruction exists on x86-64 processors, but not in this emulator.');
      }
      count++;
      length += insn.length;
      address += insn.length;
      const nextLow = (low + insn.length) | 0;
      if (nextLow >>> 0 < low >>> 0) high = (high + 1) | 0;
      low = nextLow;
      if (insn.row.definition.endsBlock && !(isPortAccess(insn) && !(mode & Mode.user))) {
        ended = true;
        break;
      }
      if (address >= pageEnd || this.#source.probeAt(low, high) !== undefined) break;
    }
    const end = insns[count - 1]!;
    if (ended && end.row.definition.mnemonic === 'CALL' && end.kinds[0] === Kind.rel) this.#source.callSeen(end.targetLow, end.targetHigh);
    // Which flags somebody still reads, from the end backwards. Whatever may fault or stop shows all of them.
    const lives = liveScratch;
    let live = ARITHMETIC;
    for (let i = count - 1; i >= 0; i--) {
      const insn = insns[i]!;
      const row = insn.row;
      const purity = this.#purityOf(row);
      const impure = purity === Purity.impure || (purity === Purity.register && insn.hasMemory);
      if (impure) live = ARITHMETIC;
      lives[i] = (row.changedFlags & live) !== 0 ? 1 : 0;
      live = impure ? ARITHMETIC : (live & ~row.killedFlags) | row.readFlags;
    }
    // Records, from the first on.
    const header = at;
    i32[(header + Rec.handler) >> 2] = Special.leave;
    i32[(header + Rec.remaining) >> 2] = count;
    i32[(header + Rec.runs) >> 2] = 0;
    let record = header + Rec.size;
    // Inside of a region, that one tells.
    if (at >= Layout.records && this.#source.probeAt(ripLow, ripHigh) === 'observes')
      record = this.#observeRecord(record, insns[0]!, count);
    let flagIn = -1;
    for (let i = 0; i < count; i++) {
      const insn = insns[i]!;
      const definition = insn.row.definition;
      const remaining = count - i;
      if (definition.privileged && mode & Mode.user) {
        record = this.#raiseRecord(record, insn, remaining, Vector.GP, 0);
        continue;
      }
      if (definition.unit !== undefined && definition.unit !== 'x87nowait' && mode & Mode.fpuTrap) {
        this.#plain(record, insn, remaining);
        i32[(record + Rec.handler) >> 2] = Special.helper;
        i32[(record + Rec.helper) >> 2] = OwnRecord.check;
        i32[(record + Rec.imm2) >> 2] = unitNumber[definition.unit];
        record += Rec.size;
      }
      if (isPortAccess(insn) && !(mode & Mode.user)) {
        record = this.#portRecord(record, insn, remaining);
        continue;
      }
      const next = i + 1 < count ? insns[i + 1] : undefined;
      if (next?.row.encoding.plusCc && next.row.definition.mnemonic === 'Jcc' && this.fuse && isFusibleRow(insn.row, insn.hasMemory)) {
        const first = this.#handlers.find(insn, mode, true, -1);
        const fused = this.#handlers.findFused(first, next.opcode & 15);
        if (fused >= 0) {
          this.#write(record, insn, remaining);
          this.#branchFields(record, next);
          i32[(record + Rec.handler) >> 2] = fused >> 7;
          record += Rec.size;
          i++;
          continue;
        }
      }
      const found = this.#handlers.find(insn, mode, lives[i] === 1, insn.row.encoding.plusCc ? flagIn : -1);
      const out = (found & 127) - 2;
      if (out !== -2) flagIn = out;
      this.#write(record, insn, remaining);
      if (definition.endsBlock) this.#branchFields(record, insn);
      i32[(record + Rec.handler) >> 2] = Math.floor(found / 128);
      record += Rec.size;
    }
    if (!ended) {
      const last = insns[count - 1]!;
      this.#plain(record, last, 0);
      this.#setRip(record, low, high);
      this.#i32[(record + Rec.next) >> 2] = low;
      this.#i32[(record + Rec.next + 4) >> 2] = high;
      i32[(record + Rec.chainNext) >> 2] = this.#stub;
      i32[(record + Rec.handler) >> 2] = Special.goto;
      record += Rec.size;
    }
    if (at === this.#free) this.#free = record;
    return new Block(mode, ripLow, ripHigh, header, count, physical, length, physical2);
  }

  /** The same by generated code; undefined where it leaves the block to the code above. */
  #predecode(mode: number, ripLow: number, ripHigh: number, physical: number, most: number, at: number): Block | undefined {
    const i32 = this.#i32;
    const built = this.#handlers.predecode(Layout.ramBase + physical, ripLow, ripHigh, at, most, mode, this.fuse ? 1 : 0);
    const length = (built >> Built.length) & 0xfff;
    if (built === 0 || this.#source.probedWithin(ripLow, ripHigh, length)) return undefined;
    if (built & Built.calls) this.#source.callSeen(i32[Area.target >> 2]!, i32[(Area.target + 4) >> 2]!);
    if (at === this.#free) this.#free = i32[Area.end >> 2]!;
    return new Block(mode, ripLow, ripHigh, at, built & 0xff, physical, length, -1);
  }

  #setRip(record: number, low: number, high: number): void {
    this.#i32[(record + Rec.rip) >> 2] = low;
    this.#i32[(record + Rec.rip + 4) >> 2] = high;
  }

  /** The fields that every record has. */
  #plain(record: number, insn: Insn, remaining: number): void {
    const i32 = this.#i32;
    i32[(record + Rec.remaining) >> 2] = remaining;
    this.#setRip(record, insn.ripLow, insn.ripHigh);
    const nextLow = (insn.ripLow + insn.length) | 0;
    i32[(record + Rec.next) >> 2] = nextLow;
    i32[(record + Rec.next + 4) >> 2] = nextLow >>> 0 < insn.ripLow >>> 0 ? insn.ripHigh + 1 : insn.ripHigh;
    i32[(record + Rec.helper) >> 2] = 0;
  }

  #raiseRecord(record: number, insn: Insn, remaining: number, vector: number, errorCode: number): number {
    this.#plain(record, insn, remaining);
    const i32 = this.#i32;
    i32[(record + Rec.handler) >> 2] = Special.raise;
    i32[(record + Rec.imm2) >> 2] = vector;
    i32[(record + Rec.imm) >> 2] = errorCode;
    return record + Rec.size;
  }

  /** IN and OUT at CPL 0: port (-1: DX), size and direction are all that their helper needs, and the block goes on. */
  #portRecord(record: number, insn: Insn, remaining: number): number {
    this.#plain(record, insn, remaining);
    const i32 = this.#i32;
    const port = insn.opcode & 8 ? -1 : insn.immLow & 0xff;
    i32[(record + Rec.handler) >> 2] = Special.helper;
    i32[(record + Rec.helper) >> 2] = insn.opcode & 2 ? OwnRecord.out : OwnRecord.in;
    i32[(record + Rec.imm) >> 2] = port;
    i32[(record + Rec.imm2) >> 2] = insn.opcode & 1 ? Math.min(insn.operandSize, 4) : 1;
    return record + Rec.size;
  }

  #observeRecord(record: number, insn: Insn, remaining: number): number {
    this.#plain(record, insn, remaining);
    this.#i32[(record + Rec.handler) >> 2] = Special.helper;
    this.#i32[(record + Rec.helper) >> 2] = OwnRecord.observe;
    return record + Rec.size;
  }

  #branchFields(record: number, insn: Insn): void {
    const i32 = this.#i32;
    i32[(record + Rec.target) >> 2] = insn.targetLow;
    i32[(record + Rec.target + 4) >> 2] = insn.targetHigh;
    i32[(record + Rec.chain) >> 2] = this.#stub;
    i32[(record + Rec.chainNext) >> 2] = this.#stub;
    const nextLow = (insn.ripLow + insn.length) | 0;
    i32[(record + Rec.next) >> 2] = nextLow;
    i32[(record + Rec.next + 4) >> 2] = nextLow >>> 0 < insn.ripLow >>> 0 ? insn.ripHigh + 1 : insn.ripHigh;
  }

  #write(record: number, insn: Insn, remaining: number): void {
    const i32 = this.#i32;
    this.#plain(record, insn, remaining);
    let slot = record + Rec.slot;
    for (let i = 0; i < insn.count; i++) {
      const kind = insn.kinds[i]!;
      if (kind !== Kind.reg && kind !== Kind.xmm && kind !== Kind.mmx && kind !== Kind.sreg) continue;
      i32[slot >> 2] = registerOffset(kind, insn.registers[i]!);
      slot += 4;
    }
    i32[(record + Rec.imm) >> 2] = insn.immLow;
    i32[(record + Rec.imm + 4) >> 2] = insn.immHigh;
    i32[(record + Rec.imm2) >> 2] = insn.imm2;
    if (insn.hasMemory) {
      i32[(record + Rec.base) >> 2] = insn.memBase >= 0 ? State.gpr + insn.memBase * 8 : State.zero;
      i32[(record + Rec.index) >> 2] = insn.memIndex >= 0 ? State.gpr + insn.memIndex * 8 : State.zero;
      i32[(record + Rec.scale) >> 2] = insn.memScale;
      i32[(record + Rec.disp) >> 2] = insn.dispLow;
      i32[(record + Rec.disp + 4) >> 2] = insn.dispHigh;
      // In 64-bit code only FS and GS have a base.
      i32[(record + Rec.segment) >> 2] = State.seg + insn.segment * SegField.size;
    } else {
      i32[(record + Rec.segment) >> 2] = State.seg + Seg.SS * SegField.size;
    }
  }

  // Links and the RIP cache.

  /** Makes a chain slot lead to the block of a RIP (halves), if the cache has it. @returns whether it has */
  linkCached(slot: number, low: number, high: number): boolean {
    const i32 = this.#i32;
    const at = (Layout.ripCache >> 2) + cacheEntry(low);
    if (i32[at] !== (low ^ i32[Scratch.modeTag >> 2]!) || i32[at + 1] !== (high ^ i32[(Scratch.modeTag + 4) >> 2]!)) return false;
    if (this.linkable(slot)) this.#link(slot, i32[at + 2]!);
    return true;
  }

  /** Makes a chain slot lead to a block, until translations change. */
  link(slot: number, block: Block): void {
    this.#link(slot, block.header);
  }

  #link(slot: number, header: number): void {
    const i32 = this.#i32;
    if (i32[slot >> 2] === header) return;
    i32[slot >> 2] = header;
    const count = i32[LinkJournal.count >> 2]!;
    if (count < LinkJournal.entries) {
      i32[(LinkJournal.address >> 2) + count] = slot;
      i32[LinkJournal.count >> 2] = count + 1;
    } else this.#furtherLinks.push(slot);
  }

  cacheRip(block: Block): void {
    const at = (Layout.ripCache >> 2) + cacheEntry(block.ripLow);
    const i32 = this.#i32;
    i32[at] = block.ripLow ^ i32[Scratch.modeTag >> 2]!;
    i32[at + 1] = block.ripHigh ^ i32[(Scratch.modeTag + 4) >> 2]!;
    i32[at + 2] = block.header;
    this.#ripJournal.push(at);
  }

  /** After translations of code changed: no block may be reached without a new look at its page. */
  unlinkAll(): void {
    const i32 = this.#i32;
    for (const at of this.#ripJournal) {
      i32[at] = -1;
      i32[at + 1] = -1;
    }
    this.#ripJournal.length = 0;
    const first = LinkJournal.address >> 2;
    for (let at = first; at < first + i32[LinkJournal.count >> 2]!; at++) i32[i32[at]! >> 2] = this.#stub;
    i32[LinkJournal.count >> 2] = 0;
    for (const slot of this.#furtherLinks) i32[slot >> 2] = this.#stub;
    this.#furtherLinks.length = 0;
  }

  /** Drops every block. Not while generated code runs. */
  flush(): void {
    this.unlinkAll();
    this.#maps.clear();
    this.#pages.clear();
    this.#free = this.#first;
    this.#hot.forget();
    this.generation++;
  }

  /** A block is about to be entered. */
  countRun(block: Block): void {
    this.#i32[(block.header + Rec.runs) >> 2]! += 1;
  }

  /** Addresses of blocks of a mode that have run often, and again as often since they were last here. */
  hot(mode: number): number[] {
    const i32 = this.#i32;
    return this.#hot.take().flatMap((header) => {
      const at = header >> 2;
      if (i32[at + (Rec.mode >> 2)] !== mode || i32[at + (Rec.remaining >> 2)] === neverEnough) return [];
      return i32[at + (Rec.rip >> 2) + 1]! * 0x1_0000_0000 + (i32[at + (Rec.rip >> 2)]! >>> 0);
    });
  }

  /** Times that blocks ran which begin at this address. Now and then that is forgotten. */
  runsOf(mode: number, key: number): number {
    let runs = this.#ran.get(key) ?? 0;
    for (let block = this.#maps.get(mode)?.get(key | 0); block; block = block.next)
      if (block.key === key) runs += this.#i32[(block.header + Rec.runs) >> 2]! >>> 0;
    return runs;
  }

  hasCode(page: number): boolean {
    return this.#pages.has(page);
  }

  /** Physical pages of which there is code. */
  codePages(): Iterable<number> {
    return this.#pages.keys();
  }

  /** Drops blocks with bytes in [physical, physical + length). Answers whether one of them has the record `running` in it. */
  invalidate(physical: number, length: number, running: number): boolean {
    let hit = false;
    const lastPage = Math.floor((physical + length - 1) / PAGE);
    for (let page = Math.floor(physical / PAGE); page <= lastPage; page++) {
      const list = this.#pages.get(page);
      if (!list) continue;
      const keep: Block[] = [];
      for (const block of list) {
        if (block.dead) continue;
        if (!overlaps(block, physical, length)) {
          keep.push(block);
          continue;
        }
        this.#drop(block);
        if (running >= block.header && running < block.header + (2 * block.count + 3) * Rec.size) hit = true;
      }
      if (keep.length === 0) this.#pages.delete(page);
      else this.#pages.set(page, keep);
    }
    // A block that runs once is not listed anywhere: let it stop too.
    return hit || (running !== 0 && running < this.#first);
  }

  #drop(block: Block): void {
    block.dead = true;
    if (this.#ran.size > mostRemembered) this.#ran.clear();
    this.#ran.set(block.key, (this.#ran.get(block.key) ?? 0) + (this.#i32[(block.header + Rec.runs) >> 2]! >>> 0));
    // Whoever is led here asks where to go instead.
    this.#i32[(block.header + Rec.remaining) >> 2] = neverEnough;
    const at = (Layout.ripCache >> 2) + cacheEntry(block.ripLow);
    if (this.#i32[at + 2] === block.header) {
      this.#i32[at] = -1;
      this.#i32[at + 1] = -1;
    }
    const map = this.#maps.get(block.mode);
    if (!map) return;
    let other = map.get(block.ripLow);
    if (other === block) {
      if (block.next) map.set(block.ripLow, block.next);
      else map.delete(block.ripLow);
      return;
    }
    while (other?.next && other.next !== block) other = other.next;
    if (other) other.next = block.next;
  }

  /** Drops the block that starts at RIP, so that whoever goes there asks. */
  dropStart(mode: number, key: number): void {
    const map = this.#maps.get(mode);
    for (let block = map?.get(key | 0); block; block = block.next) if (block.key === key) this.#drop(block);
  }

  /** Drops the blocks that hold an instruction starting at RIP, or start there. */
  dropAt(ripLow: number, ripHigh: number): void {
    const key = ripHigh * 0x1_0000_0000 + (ripLow >>> 0);
    const found: Block[] = [];
    // Looked for by where they may begin: there are far more blocks than such places.
    for (const map of this.#maps.values()) {
      for (let start = key; start > key - mostBytes; start--) {
        for (let block = map.get(start | 0); block; block = block.next)
          if (block.key === start && key < start + block.length) found.push(block);
      }
    }
    for (const block of found) this.#drop(block);
  }
}

const liveScratch = new Uint8Array(MAX_INSTRUCTIONS + 1);

function overlaps(block: Block, physical: number, length: number): boolean {
  const end = physical + length;
  if (block.physical2 < 0) return block.physical < end && block.physical + block.length > physical;
  const pageEnd = Math.floor(block.physical / PAGE) * PAGE + PAGE;
  if (block.physical < end && pageEnd > physical) return true;
  return block.physical2 < end && block.physical2 + block.length - (pageEnd - block.physical) > physical;
}

/** Where in the RIP cache, in words, the low half of a RIP has its entry. */
const cacheEntry = (low: number): number => ((low ^ (low >>> 15)) & (RIP_CACHE_ENTRIES - 1)) * 4;
