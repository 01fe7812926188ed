/** Frames of assembly without rules for unwinding, as its own instructions tell: pushes since the entry, or pops up to the return. */
import { type Target } from './target';

/** A frame's CFA, and where it saved its caller's registers, by DWARF number. */
export interface CodeFrame {
  readonly cfa: bigint;
  readonly savedAt: ReadonlyMap<number, bigint>;
}

/** Bytes of a prologue or an epilogue that are looked at. */
const mostBytes = 64;
/** DWARF numbers of the general registers in the order of their encoding: rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi (System V psABI, figure 3.36). */
const dwarfNumbers: readonly number[] = [0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15];
const endbr64: readonly number[] = [0xf3, 0x0f, 0x1e, 0xfa];
const ret = 0xc3;

/** What the code around an instruction at `pc` that is about to run tells; undefined where it does other things than a prologue or an epilogue. */
export function frameByCode(target: Target, pc: bigint, entry: bigint, rsp: bigint): CodeFrame | undefined {
  return byPrologue(target, pc, entry, rsp) ?? byEpilogue(target, pc, rsp);
}

/** Nothing but pushes lies between the entry and here. */
function byPrologue(target: Target, pc: bigint, entry: bigint, rsp: bigint): CodeFrame | undefined {
  const length = Number(pc - entry);
  if (length < 0 || length > mostBytes) return undefined;
  const code = target.machine.cpu.readMemory(entry, length);
  const pushed: number[] = [];
  for (let at = endbr64.every((byte, index) => code[index] === byte) ? endbr64.length : 0; at < length;) {
    const found = registerOf(code, at, 0x50);
    if (found === undefined) return undefined;
    pushed.push(found.register);
    at += found.length;
  }
  const cfa = rsp + 8n * BigInt(pushed.length + 1);
  return { cfa, savedAt: new Map(pushed.map((register, index) => [register, cfa - 8n * BigInt(index + 2)])) };
}

/** Nothing but pops and additions to the stack pointer lies between here and a return. */
function byEpilogue(target: Target, pc: bigint, rsp: bigint): CodeFrame | undefined {
  const code = target.machine.cpu.readMemory(pc, mostBytes);
  const view = new DataView(code.buffer, code.byteOffset, code.length);
  const savedAt = new Map<number, bigint>();
  let top = rsp;
  for (let at = 0; at < code.length;) {
    if (code[at] === ret) return { cfa: top + 8n, savedAt };
    const popped = registerOf(code, at, 0x58);
    if (popped !== undefined) {
      savedAt.set(popped.register, top);
      top += 8n;
      at += popped.length;
    } else if (code[at] === 0x48 && code[at + 1] === 0x83 && code[at + 2] === 0xc4 && at + 4 <= code.length) {
      top += BigInt(view.getInt8(at + 3));
      at += 4;
    } else if (code[at] === 0x48 && code[at + 1] === 0x81 && code[at + 2] === 0xc4 && at + 7 <= code.length) {
      top += BigInt(view.getInt32(at + 3, true));
      at += 7;
    } else return undefined;
  }
  return undefined;
}

/** The register of a `push` (0x50) or `pop` (0x58) at an offset, and the instruction's length (SDM vol. 2, PUSH, POP). */
function registerOf(code: Uint8Array, at: number, opcode: 0x50 | 0x58): { readonly register: number; readonly length: number } | undefined {
  const extended = code[at] === 0x41;
  const low = (code[at + (extended ? 1 : 0)] ?? 0) - opcode;
  const register = low >= 0 && low < 8 ? dwarfNumbers[low + (extended ? 8 : 0)] : undefined;
  return register === undefined ? undefined : { register, length: extended ? 2 : 1 };
}

/** Whether inline assembly pushed the flags and is about to pop them: the compiler, whose rules tell where a frame's parts are, knows nothing of that. */
export function standsAfterPushedFlags(target: Target, pc: bigint): boolean {
  const code = target.machine.cpu.readMemory(pc - 1n, 3);
  return code[0] === 0x9c && registerOf(code, 1, 0x58) !== undefined;
}
