/** The disassembly view's window: instructions before and after an address, with symbols and source lines. */
import { type LineRow, type NamedSymbol } from '../symbols/api';
import { demangled } from '../symbols/demangle/index';
import { type DisassembledInstruction, type SourceLocation } from './api';
import { type Disassembler, type Instruction, maximumLength } from './disassembler';
import { type QuickFlow, quickFlow } from './quick-flow';
import { type Target } from './target';

/** The code size that the processor is in. */
export function codeBits(target: Target): 16 | 32 | 64 {
  // EFER.LMA and CS.L would say it exactly; a compatibility-mode segment is told by the instruction pointer's width.
  const longMode = (target.register('efer') & 0x400n) !== 0n;
  return longMode ? 64 : (target.register('cr0') & 1n) !== 0n ? 32 : 16;
}

/** What the instruction at `pc` does to the flow of control; undefined where it cannot be decoded. */
export function flowOf(target: Target, disassembler: Disassembler, pc: bigint): QuickFlow | undefined {
  const bytes = target.machine.cpu.readMemory(pc, maximumLength);
  const bits = codeBits(target);
  return (bits === 64 ? quickFlow(bytes) : undefined) ?? disassembler.flow(bytes, bits);
}

/** An instruction with its bytes, before anything was looked up for it. */
type Decoded = Instruction & { readonly bytes: Uint8Array };

/** Exactly `count` instructions, the first of them `offset` away from the one at `address`; places without code are invalid entries. */
export function disassemble(
  target: Target,
  disassembler: Disassembler,
  address: bigint,
  offset: number,
  count: number,
): readonly DisassembledInstruction[] {
  const back = Math.max(0, -offset);
  const before = instructionsBefore(target, disassembler, address, back);
  const after = decode(target, disassembler, address, Math.max(0, offset + count) * maximumLength, offset + count);
  const window: DisassembledInstruction[] = [];
  const annotator = new Annotator(target);
  for (let index = offset; window.length < count; index++) {
    const found = index < 0 ? before[before.length + index] : after[index];
    const ahead = index < 0 ? before[0] : after[after.length - 1];
    if (found !== undefined) window.push(annotator.present(found));
    // Away from what could be decoded, entries stand a byte apart: every address is given once.
    else if (index < 0) window.push(invalid((ahead?.address ?? address) + BigInt(index + before.length)));
    else window.push(invalid((ahead === undefined ? address : ahead.address + BigInt(ahead.length)) + BigInt(index - after.length)));
  }
  return window;
}

/** At most `count` instructions of at most `length` bytes. */
function decode(target: Target, disassembler: Disassembler, address: bigint, length: number, count: number): Decoded[] {
  if (count <= 0) return [];
  const bytes = target.machine.cpu.readMemory(address, length);
  return disassembler
    .decode(bytes, address, codeBits(target), count)
    .map((each) => ({ ...each, bytes: bytes.slice(Number(each.address - address), Number(each.address - address) + each.length) }));
}

/** x86 cannot be decoded backwards: start at a known boundary (a symbol, a line row) and keep what ends at the address. */
function instructionsBefore(target: Target, disassembler: Disassembler, address: bigint, count: number): Decoded[] {
  const chunks: Decoded[][] = [];
  let found = 0;
  let end = address;
  while (found < count) {
    const start = boundaryBefore(target, end, (count - found) * 8);
    if (start === undefined) break;
    const length = Number(end - start);
    const chunk = decode(target, disassembler, start, length, length);
    const last = chunk[chunk.length - 1];
    if (last === undefined || last.address + BigInt(last.length) !== end) break;
    chunks.push(chunk);
    found += chunk.length;
    end = start;
  }
  return chunks.reverse().flat().slice(-count);
}

/** Functions are aligned to a cache line at the most. */
const longestPadding = 64n;

function boundaryBefore(target: Target, address: bigint, bytes: number): bigint | undefined {
  const file = target.symbolsAt(address - 1n);
  // Padding before a function belongs to no symbol.
  let symbol: bigint | undefined;
  for (let back = 1n; back <= longestPadding && symbol === undefined; back++) symbol = file?.symbolAt(address - back)?.address;
  if (symbol !== undefined && symbol < address && address - symbol < 0x4000n) return symbol;
  if (symbol !== undefined && symbol < address) {
    const row = file?.lineAt(address - BigInt(Math.min(bytes, 0x1000)));
    if (row !== undefined && row.low < address && row.low >= symbol) return row.low;
  }
  // No symbols: some start within the last bytes decodes so that an instruction ends at the address; most do.
  const from = address - BigInt(bytes);
  return from > 0n && target.machine.cpu.translate(from) !== undefined && file === undefined ? from : undefined;
}

/** Looks symbols and lines up for instructions in order: neighbours mostly share both. */
class Annotator {
  #symbol: NamedSymbol | undefined;
  #row: LineRow | undefined;
  #location: SourceLocation | undefined;

  constructor(private readonly target: Target) {}

  present({ address, bytes, text, valid }: Decoded): DisassembledInstruction {
    const file = this.target.symbolsAt(address);
    const known = this.#symbol;
    if (known === undefined || address < known.address || address >= known.address + BigInt(known.size))
      this.#symbol = file?.symbolAt(address);
    if (this.#row === undefined || address < this.#row.low || address >= this.#row.high) {
      this.#row = file?.lineAt(address);
      this.#location = this.#row === undefined || this.#row.line === 0 ? undefined : this.target.present(this.#row);
    }
    return {
      address,
      bytes,
      text,
      valid,
      ...(this.#symbol === undefined ? {} : { symbol: spell(this.#symbol, address) }),
      ...(this.#location === undefined ? {} : { location: this.#location }),
    };
  }
}

const spell = ({ name, address: start }: NamedSymbol, address: bigint): string =>
  address === start ? demangled(name) : `${demangled(name)}+0x${(address - start).toString(16)}`;

const invalid = (address: bigint): DisassembledInstruction => ({
  address: BigInt.asUintN(64, address),
  bytes: new Uint8Array(),
  text: '??',
  valid: false,
});
