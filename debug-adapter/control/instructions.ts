/** The disassembly view's window: instructions before and after an address, with symbols and source lines. */
import { type DisassembledInstruction } from './api';
import { type Disassembler, type Instruction, maximumLength } from './disassembler';
import { type Target } from './target';

/** The code size that the processor is in. */
export function codeBits(target: Target): 16 | 32 | 64 {
  // EFER.LMA and CS.L would say it exactly; a compatibility-mode segment is told by the instruction pointer's width.
  const longMode = (target.register('efer') & 0x400n) !== 0n;
  return longMode ? 64 : (target.register('cr0') & 1n) !== 0n ? 32 : 16;
}

/** Exactly `count` instructions, the first of them `offset` away from the one at `address`. */
export function disassemble(
  target: Target,
  disassembler: Disassembler,
  address: bigint,
  offset: number,
  count: number,
): readonly DisassembledInstruction[] {
  const before = offset < 0 ? instructionsBefore(target, disassembler, address, -offset) : [];
  const wanted = Math.max(0, offset + count);
  const after = wanted > 0 ? forward(target, disassembler, address, wanted) : [];
  // `before` ends just under `address`; pad it to the length asked for.
  const padded = offset < 0 ? [...padding(before[0]?.address ?? address, -offset - before.length), ...before] : [];
  const all = [...padded, ...after];
  const first = offset < 0 ? 0 : offset;
  const window = all.slice(first, first + count);
  const last = window[window.length - 1];
  while (window.length < count)
    window.push(invalid((last === undefined ? address : last.address + BigInt(last.bytes.length)) + BigInt(window.length)));
  return window;
}

function forward(target: Target, disassembler: Disassembler, address: bigint, count: number): DisassembledInstruction[] {
  const bytes = target.machine.cpu.readMemory(address, count * maximumLength);
  return present(target, disassembler.decode(bytes, address, codeBits(target), count), bytes, address);
}

/** x86 cannot be decoded backwards: start at a known boundary (a symbol, a line row) and keep what ends at the address. */
function instructionsBefore(target: Target, disassembler: Disassembler, address: bigint, count: number): DisassembledInstruction[] {
  let result: DisassembledInstruction[] = [];
  let end = address;
  while (result.length < count) {
    const start = boundaryBefore(target, end, (count - result.length) * 8);
    if (start === undefined) break;
    const bytes = target.machine.cpu.readMemory(start, Number(end - start));
    if (BigInt(bytes.length) < end - start) break;
    const chunk = present(target, disassembler.decode(bytes, start, codeBits(target), bytes.length), bytes, start);
    const last = chunk[chunk.length - 1];
    if (last === undefined || last.address + BigInt(last.bytes.length) !== end) break;
    result = [...chunk, ...result];
    end = start;
  }
  return result.slice(Math.max(0, result.length - count));
}

function boundaryBefore(target: Target, address: bigint, bytes: number): bigint | undefined {
  const file = target.symbolsAt(address - 1n);
  const symbol = file?.symbolAt(address - 1n)?.address;
  if (symbol !== undefined && symbol < address && address - symbol < 0x4000n) return symbol;
  if (symbol !== undefined && symbol < address) {
    const row = file?.lineAt(address - BigInt(Math.min(bytes, 0x1000)));
    if (row !== undefined && row.low < address && row.low >= symbol) return row.low;
  }
  // No symbols: some start within the last bytes decodes so that an instruction ends at the address; most do.
  const from = address - BigInt(bytes);
  return from > 0n && target.machine.cpu.translate(from) !== undefined && file === undefined ? from : undefined;
}

function present(target: Target, instructions: readonly Instruction[], bytes: Uint8Array, base: bigint): DisassembledInstruction[] {
  return instructions.map(({ address, length, text, valid }) => {
    const at = Number(address - base);
    const symbol = target.symbolsAt(address)?.symbolAt(address);
    const location = target.location(address);
    return {
      address,
      bytes: bytes.slice(at, at + length),
      text,
      valid,
      ...(symbol === undefined ? {} : { symbol: target.describe(address) }),
      ...(location === undefined ? {} : { location }),
    };
  });
}

const invalid = (address: bigint): DisassembledInstruction => ({
  address: BigInt.asUintN(64, address),
  bytes: new Uint8Array(),
  text: '??',
  valid: false,
});

const padding = (first: bigint, count: number): DisassembledInstruction[] =>
  Array.from({ length: Math.max(0, count) }, (_, index) => invalid(first - BigInt(count - index)));
