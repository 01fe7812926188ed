/** From source positions and functions to the addresses where breakpoints belong. */
import { type BreakpointSite, type SourceFile, type SourcePosition } from './api';
import { AT, FORM, TAG } from './constants';
import { type Core } from './core';
import { Die } from './die';
import { type Entities, type FunctionEntity, nameOf } from './entities';
import { entryOf } from './functions';
import { type LineTable, ROW } from './line-program';
import { rangesOf } from './ranges';
import { type Unit } from './unit';

/** How far below the line asked for code is looked for. */
const MAX_SLIDE = 64;

interface Candidate {
  readonly unit: Unit;
  readonly table: LineTable;
  readonly file: SourceFile;
  readonly row: number;
}

export class BreakpointFinder {
  constructor(
    private readonly core: Core,
    private readonly entities: Entities,
  ) {}

  sites(path: string, line: number, column?: number): BreakpointSite[] {
    const rows = this.rowsOf(path, (found) => found >= line && found <= line + MAX_SLIDE);
    const exact = rows.filter(({ table, row }) => table.lines[row] === line);
    let chosen = exact;
    if (exact.length === 0) {
      const usable = rows.filter((candidate) => this.belongsBelow(candidate, line));
      const nearest = Math.min(...usable.map(({ table, row }) => table.lines[row]!));
      chosen = usable.filter(({ table, row }) => table.lines[row] === nearest);
    } else if (column !== undefined && column > 0) {
      chosen = nearestColumn(exact, column);
    }
    return this.onePerInstance(chosen);
  }

  locations(path: string, fromLine: number, toLine: number): SourcePosition[] {
    const seen = new Map<string, SourcePosition>();
    for (const { table, row, file } of this.rowsOf(path, (line) => line >= fromLine && line <= toLine)) {
      const position = { file, line: table.lines[row]!, column: table.columns[row]! };
      seen.set(`${position.line}:${position.column}`, position);
    }
    return [...seen.values()].sort((a, b) => a.line - b.line || a.column - b.column);
  }

  /** A breakpoint on a function: past the prologue of its code, and where its inlined copies begin. */
  functionSites(fn: FunctionEntity): BreakpointSite[] {
    const addresses = new Map<number, { die: Die; unit: Unit }>();
    const entry = fn.entryPoint;
    const { unit } = fn.die;
    if (entry !== undefined) addresses.set(this.prologueEnd(entry), { die: fn.die, unit });
    const chain = fn.die.origins();
    for (const functions of this.core.functionsAround(unit)) {
      for (const die of chain.flatMap(({ offset }) => functions.inlined.get(offset) ?? []).map((index) => new Die(functions.unit, index))) {
        const ranges = rangesOf(die);
        const start = ranges.length > 0 ? entryOf(die, ranges) : undefined;
        if (start !== undefined && this.core.sections.isCode(start)) addresses.set(start, { die, unit: die.unit });
      }
    }
    return [...addresses].sort(([a], [b]) => a - b).map(([address, where]) => this.site(address, where.unit, where.die, fn.name));
  }

  /**
   * First address past a function's prologue. Where a producer marks it, that; where variables have location lists they are right from the entry on,
   * so the entry; else the end of the line that sets up the frame.
   */
  prologueEnd(entry: number): number {
    const unit = this.core.unitMap.find(entry);
    const found = unit && this.core.functions(unit).concrete.find(entry);
    return unit && found ? this.pastPrologue(unit, entry, found.high) : entry;
  }

  /** The same for a function of which the unit and the end are known. */
  pastPrologue(unit: Unit, entry: number, high: number): number {
    const table = this.core.lines(unit);
    if (!table) return entry;
    for (let row = table.rowAt(entry); row >= 0 && row < table.count && table.addresses[row]! < high; row++) {
      if (table.flags[row]! & ROW.endSequence) break;
      if (table.flags[row]! & ROW.prologueEnd && table.addresses[row]! >= entry) return table.addresses[row]!;
    }
    if (usesLocationLists(unit)) return entry;
    const frame = this.frameSetup(entry);
    if (frame === entry) return entry;
    const row = table.rowAt(frame);
    if (row < 0 || table.addresses[row]! === frame) return frame;
    const end = table.rowEnd(row);
    return end < high ? end : frame;
  }

  /** Address after `push %rbp; mov %rsp,%rbp` (with or without endbr64), or the entry. */
  private frameSetup(entry: number): number {
    const code = this.codeAt(entry, 12);
    let i = code[0] === 0xf3 && code[1] === 0x0f && code[2] === 0x1e && code[3] === 0xfa ? 4 : 0;
    if (code[i] === 0x40) i++;
    if (code[i++] !== 0x55) return entry;
    const isMove = code[i] === 0x48 && ((code[i + 1] === 0x89 && code[i + 2] === 0xe5) || (code[i + 1] === 0x8b && code[i + 2] === 0xec));
    return isMove ? entry + i + 3 : entry;
  }

  private codeAt(address: number, length: number): Uint8Array {
    const link = this.core.sections.toLink(address);
    const segment = this.core.elf.segments.find(
      (s) => s.type === 1 && link >= s.virtualAddress && link < s.virtualAddress + BigInt(s.fileSize),
    );
    if (!segment) return new Uint8Array(0);
    const start = Number(link - segment.virtualAddress);
    return this.core.elf.segmentBytes(segment).subarray(start, start + length);
  }

  /** Rows with is_stmt of the files that a path names, that cover code. */
  private rowsOf(path: string, accepts: (line: number) => boolean): Candidate[] {
    const found: Candidate[] = [];
    for (const file of this.core.sources.named(path)) {
      for (const { unit, numbers } of this.core.sources.uses(file)) {
        const table = this.core.lines(unit);
        if (!table) continue;
        const [only] = numbers;
        for (const { first, last } of table.sequences) {
          for (let row = first; row < last; row++) {
            if (table.files[row] !== only && !numbers.includes(table.files[row]!)) continue;
            if (table.flags[row]! & ROW.isStmt && accepts(table.lines[row]!)) found.push({ unit, table, file, row });
          }
        }
      }
    }
    return found;
  }

  /** A line without code slides down within its function, not into one that is declared further below. */
  private belongsBelow({ unit, table, row, file }: Candidate, line: number): boolean {
    const block = this.blockAt(unit, table.addresses[row]!);
    const declaration = block && this.entities.declaration(block);
    return !declaration || declaration.file !== file || declaration.line <= line;
  }

  /** The innermost (inlined) function at an address. */
  private blockAt(unit: Unit, address: number): Die | undefined {
    return this.core
      .functions(unit)
      .nesting(address)
      .findLast((die) => die.tag === TAG.subprogram || die.tag === TAG.inlined_subroutine);
  }

  private onePerInstance(candidates: readonly Candidate[]): BreakpointSite[] {
    const best = new Map<string, { candidate: Candidate; address: number; block: Die | undefined }>();
    for (const candidate of candidates) {
      const address = candidate.table.addresses[candidate.row]!;
      const block = this.blockAt(candidate.unit, address);
      const key = `${block?.offset ?? `row${address}`}`;
      const previous = best.get(key);
      if (!previous || address < previous.address) best.set(key, { candidate, address, block });
    }
    const sites = new Map<number, BreakpointSite>();
    for (const { candidate, address, block } of best.values()) {
      const isEntry = block?.tag === TAG.subprogram && entryOf(block, rangesOf(block)) === address;
      const target = isEntry ? this.prologueEnd(address) : address;
      const { table, row, file } = candidate;
      const functionName = block ? nameOf(block) : '';
      sites.set(target, {
        address: this.entities.address(target),
        file,
        line: table.lines[row]!,
        column: table.columns[row]!,
        functionName,
      });
    }
    return [...sites].sort(([a], [b]) => a - b).map(([, site]) => site);
  }

  private site(address: number, unit: Unit, die: Die, functionName: string): BreakpointSite {
    const table = this.core.lines(unit);
    const row = table?.rowAt(address) ?? -1;
    const file = table && row >= 0 ? this.core.fileOf(unit, table.files[row]!) : undefined;
    if (table && file)
      return { address: this.entities.address(address), file, line: table.lines[row]!, column: table.columns[row]!, functionName };
    const declaration = this.entities.declaration(die);
    const unknown = { file: this.core.sourceFile(unit.path), line: 0, column: 0 };
    return { address: this.entities.address(address), ...(declaration ?? unknown), functionName };
  }
}

function nearestColumn(rows: readonly Candidate[], column: number): Candidate[] {
  const columns = [...new Set(rows.map(({ table, row }) => table.columns[row]!))].sort((a, b) => a - b);
  // The statement at the column, or the next one on the line, or the last.
  const wanted = columns.find((c) => c >= column) ?? columns[columns.length - 1];
  return rows.filter(({ table, row }) => table.columns[row] === wanted);
}

/** Do variables of the unit have location lists? Then it was optimised, and they hold from each function's first instruction. */
function usesLocationLists(unit: Unit): boolean {
  return unit.abbrevTable.all.some((abbrev) => {
    if (abbrev.tag !== TAG.formal_parameter && abbrev.tag !== TAG.variable) return false;
    const form = abbrev.forms[abbrev.names.indexOf(AT.location)];
    return form === FORM.sec_offset || form === FORM.loclistx;
  });
}
