/** Runs line number programs into tables of rows (DWARF 5, sections 6.2.2 and 6.2.5). */
import { type LineHeader, oldFile } from './line-header';
import { Reader } from './reader';
import { type DebugSections } from './sections';

export const ROW = { isStmt: 1, basicBlock: 2, prologueEnd: 4, epilogueBegin: 8, endSequence: 16 } as const;

const LNS = {
  copy: 1,
  advance_pc: 2,
  advance_line: 3,
  set_file: 4,
  set_column: 5,
  negate_stmt: 6,
  set_basic_block: 7,
  const_add_pc: 8,
  fixed_advance_pc: 9,
  set_prologue_end: 10,
  set_epilogue_begin: 11,
  set_isa: 12,
} as const;
const LNE = { end_sequence: 1, set_address: 2, define_file: 3, set_discriminator: 4 } as const;

/** Rows `first` to `last` (the end_sequence row) in order of address; covers [low, high). */
export interface LineSequence {
  readonly first: number;
  readonly last: number;
  readonly low: number;
  readonly high: number;
}

export class LineTable {
  private capacity = 256;
  count = 0;
  /** Internal addresses. */
  addresses = new Float64Array(this.capacity);
  files = new Int32Array(this.capacity);
  lines = new Int32Array(this.capacity);
  columns = new Int32Array(this.capacity);
  discriminators = new Int32Array(this.capacity);
  flags = new Uint8Array(this.capacity);
  /** Sequences of code that the linker kept, by address. */
  sequences: LineSequence[] = [];

  constructor(readonly header: LineHeader) {}

  add(address: number, file: number, line: number, column: number, discriminator: number, flags: number): void {
    if (this.count === this.capacity) this.resize(this.capacity * 2);
    const i = this.count++;
    this.addresses[i] = address;
    this.files[i] = file;
    this.lines[i] = line;
    this.columns[i] = column;
    this.discriminators[i] = discriminator;
    this.flags[i] = flags;
  }

  private resize(capacity: number): void {
    const grow = <T extends Int32Array | Uint8Array | Float64Array>(from: T, to: T): T => {
      to.set(from.subarray(0, this.count));
      return to;
    };
    this.addresses = grow(this.addresses, new Float64Array(capacity));
    this.files = grow(this.files, new Int32Array(capacity));
    this.lines = grow(this.lines, new Int32Array(capacity));
    this.columns = grow(this.columns, new Int32Array(capacity));
    this.discriminators = grow(this.discriminators, new Int32Array(capacity));
    this.flags = grow(this.flags, new Uint8Array(capacity));
    this.capacity = capacity;
  }

  private countCache: Uint8Array | undefined;

  /**
   * By row, 1 where it counts when an address is to be given one line. As in gdb, so that both name the same: rows of line 0 continue the one before,
   * as do rows that repeat the last line with another discriminator, and rows of another file where a statement of this one begins.
   */
  get counts(): Uint8Array {
    if (this.countCache) return this.countCache;
    const counts = new Uint8Array(this.count);
    for (const { first, last } of this.sequences) {
      let counted = -1;
      let discriminated = false;
      let stmtHere = false;
      for (let i = first; i < last; i++) {
        const isStmt = (this.flags[i]! & ROW.isStmt) !== 0;
        const discriminator = this.discriminators[i] !== 0;
        discriminated = discriminator || (discriminated && i > first && this.lines[i] === this.lines[i - 1]);
        if (i > first && this.addresses[i] !== this.addresses[i - 1]) stmtHere = false;
        const otherFile = counted < 0 || this.files[counted] !== this.files[i];
        const ignored = this.lines[i] === 0 || (otherFile && !isStmt && stmtHere);
        if (!ignored && (otherFile || this.lines[counted] !== this.lines[i] || !discriminated)) {
          counts[i] = 1;
          counted = i;
        }
        stmtHere ||= isStmt;
      }
    }
    return (this.countCache = counts);
  }

  /** The sequence covering an address. */
  sequenceAt(address: number): LineSequence | undefined {
    let low = 0;
    let high = this.sequences.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sequences[middle]!.low <= address) low = middle + 1;
      else high = middle;
    }
    const sequence = this.sequences[low - 1];
    return sequence && address < sequence.high ? sequence : undefined;
  }

  /** Index of the row in force at an address: of several rows at one address the last, which alone covers bytes; -1 for none. */
  rowAt(address: number): number {
    const sequence = this.sequenceAt(address);
    if (!sequence) return -1;
    let low = sequence.first;
    let high = sequence.last;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.addresses[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** End of the bytes that a row covers: the next address in its sequence. */
  rowEnd(row: number): number {
    const start = this.addresses[row]!;
    for (let i = row + 1; i < this.count; i++) {
      if (this.addresses[i]! > start) return this.addresses[i]!;
      if (this.flags[i]! & ROW.endSequence) return start;
    }
    return start;
  }
}

/** Runs the program of a header. Each byte of a program makes at most one row, so damage cannot make it long. */
export function runLineProgram(sections: DebugSections, header: LineHeader): LineTable {
  const r = new Reader(sections.get('.debug_line'), header.program, header.end);
  const table = new LineTable(header);
  const { minimumInstructionLength: unitLength, maximumOperations, lineBase, opcodeBase, operandCounts, defaultIsStmt } = header;
  const lineRange = header.lineRange || 1;
  if (header.lineRange === 0) sections.diagnostics.add('dwarf-line', 'The line range of the program is 0.', '.debug_line', header.offset);
  let address = sections.zero;
  let opIndex = 0;
  let file = 1;
  let line = 1;
  let column = 0;
  let discriminator = 0;
  let isStmt = defaultIsStmt;
  let extra = 0;
  let first = 0;
  const advance = (operations: number): void => {
    if (maximumOperations === 1) {
      address += unitLength * operations;
      return;
    }
    address += unitLength * Math.floor((opIndex + operations) / maximumOperations);
    opIndex = (opIndex + operations) % maximumOperations;
  };
  const emit = (flags: number): void => {
    table.add(address, file, line, column, discriminator, flags | extra | (isStmt ? ROW.isStmt : 0));
    discriminator = 0;
    extra = 0;
  };
  while (r.more) {
    const opcode = r.u8();
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      advance(Math.floor(adjusted / lineRange));
      line += lineBase + (adjusted % lineRange);
      emit(0);
      continue;
    }
    switch (opcode) {
      case 0: {
        const length = r.uleb();
        const start = r.pos;
        const kind = length > 0 ? r.u8() : 0;
        if (kind === LNE.end_sequence) {
          emit(ROW.endSequence);
          closeSequence(table, sections, first);
          first = table.count;
          address = sections.zero;
          opIndex = 0;
          file = 1;
          line = 1;
          column = 0;
          isStmt = defaultIsStmt;
        } else if (kind === LNE.set_address) {
          address = sections.address(r, length - 1 === 4 || length - 1 === 8 ? length - 1 : header.addressSize);
          opIndex = 0;
        } else if (kind === LNE.define_file) {
          const defined = oldFile(r, header.directories, sections);
          if (defined) header.files.push(defined);
        } else if (kind === LNE.set_discriminator) discriminator = r.uleb();
        r.pos = start;
        r.skip(length);
        break;
      }
      case LNS.copy:
        emit(0);
        break;
      case LNS.advance_pc:
        advance(r.uleb());
        break;
      case LNS.advance_line:
        line += r.sleb();
        break;
      case LNS.set_file:
        file = r.uleb();
        break;
      case LNS.set_column:
        column = r.uleb();
        break;
      case LNS.negate_stmt:
        isStmt = !isStmt;
        break;
      case LNS.set_basic_block:
        extra |= ROW.basicBlock;
        break;
      case LNS.const_add_pc:
        advance(Math.floor((255 - opcodeBase) / lineRange));
        break;
      case LNS.fixed_advance_pc:
        address += r.u16();
        opIndex = 0;
        break;
      case LNS.set_prologue_end:
        extra |= ROW.prologueEnd;
        break;
      case LNS.set_epilogue_begin:
        extra |= ROW.epilogueBegin;
        break;
      case LNS.set_isa:
        r.uleb();
        break;
      default:
        // The header says how many operands an opcode of a later version has.
        for (let i = 0; i < (operandCounts[opcode] ?? 0); i++) r.skipLeb();
    }
  }
  if (r.failed) sections.diagnostics.add('dwarf-line', 'The line number program is cut off.', '.debug_line', header.offset);
  table.sequences.sort((a, b) => a.low - b.low);
  return table;
}

function closeSequence(table: LineTable, sections: DebugSections, first: number): void {
  const last = table.count - 1;
  const low = table.addresses[first]!;
  const high = table.addresses[last]!;
  // Within a sequence addresses only grow; a program that breaks this cannot be searched, but its rows stay readable.
  for (let i = first; i < last; i++) {
    if (table.addresses[i + 1]! < table.addresses[i]!) {
      sections.diagnostics.add(
        'dwarf-line',
        'The addresses of a line number sequence go backwards; the sequence is not used.',
        '.debug_line',
        table.header.offset,
      );
      return;
    }
  }
  if (high > low && sections.isCode(low)) table.sequences.push({ first, last, low, high });
}
