/** The registers with which a thread that does not run will go on, found by following the few instructions at its resume address. */
import { type GuestAccess, readUnsigned } from './access';

/** x86 register numbers to DWARF numbers (System V psABI, figure 3.36). */
const dwarfNumbers = [0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15] as const;
const RSP = 7;
const RBP = 6;
const RETURN_ADDRESS = 16;
/** A resume path is a dozen pops; new threads pass through two or three helpers of such instructions. */
const mostInstructions = 64;
const mostReturns = 4;

/**
 * Registers by DWARF number with the pc under 16. `ip` and `sp` are what the thread's context holds. The path is the context switch's second half
 * (pop, pop, … ret), or for a thread that has not run yet the helpers that load its arguments; at the context switch's own `ret` it ends, so that the
 * switch is the innermost frame. Registers that nothing restores are absent.
 */
export function savedRegisters(guest: Pick<GuestAccess, 'readMemory' | 'kernel'>, ip: bigint, sp: bigint): Map<number, bigint> {
  const registers = new Map<number, bigint>();
  let pc = ip;
  let stack = sp;
  let returns = 0;
  const switching = guest.kernel.symbolAt(ip)?.name === 'ukarch_ctx_switch';
  for (let count = 0; count < mostInstructions; count++) {
    const code = guest.readMemory(pc, 4);
    const step = decode(code);
    if (step === undefined) break;
    if (step.kind === 'return') {
      const target = readUnsigned(guest, stack, 8);
      if (switching || target === undefined || ++returns > mostReturns) break;
      stack += 8n;
      pc = target;
      continue;
    }
    if (step.kind === 'pop') {
      const value = readUnsigned(guest, stack, 8);
      if (value === undefined) break;
      registers.set(dwarfNumbers[step.register]!, value);
      stack += 8n;
    } else if (step.kind === 'clear') registers.set(dwarfNumbers[step.register]!, 0n);
    pc += BigInt(step.length);
  }
  registers.set(RSP, BigInt.asUintN(64, stack));
  registers.set(RETURN_ADDRESS, BigInt.asUintN(64, pc));
  // A new thread begins its chain of frames.
  if (!switching && !registers.has(RBP)) registers.set(RBP, 0n);
  return registers;
}

type Step =
  | { readonly kind: 'pop' | 'clear'; readonly register: number; readonly length: number }
  | { readonly kind: 'skip'; readonly length: number }
  | { readonly kind: 'return' };

/** pop r64 (58+r), xor r,r (31 /r), ret (C3), endbr64 and nop; anything else ends the path (SDM vol. 2). */
function decode(code: Uint8Array): Step | undefined {
  const [first, second, third, fourth] = code;
  if (first === undefined) return undefined;
  if (first === 0xc3) return { kind: 'return' };
  if (first === 0x90) return { kind: 'skip', length: 1 };
  if (first === 0xf3 && second === 0x0f && third === 0x1e && fourth === 0xfa) return { kind: 'skip', length: 4 };
  if (first >= 0x58 && first <= 0x5f) return { kind: 'pop', register: first - 0x58, length: 1 };
  if (first === 0x41 && second !== undefined && second >= 0x58 && second <= 0x5f)
    return { kind: 'pop', register: second - 0x58 + 8, length: 2 };
  const rex = first >= 0x40 && first <= 0x4f ? first : undefined;
  const [opcode, modrm] = rex === undefined ? [first, second] : [second, third];
  if ((opcode !== 0x31 && opcode !== 0x33) || modrm === undefined || modrm < 0xc0) return undefined;
  const rm = (modrm & 7) | (((rex ?? 0) & 1) << 3);
  const reg = ((modrm >> 3) & 7) | (((rex ?? 0) & 4) << 1);
  return rm === reg ? { kind: 'clear', register: rm, length: rex === undefined ? 2 : 3 } : undefined;
}
