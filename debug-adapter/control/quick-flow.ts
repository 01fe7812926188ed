/** What instructions of 64-bit code do to the flow of control, by their opcodes alone: for those that look at thousands, or cannot wait until a whole disassembler is warm. */
import { type FlowInfo } from './disassembler';

/** The kind of an instruction; of calls and system calls also the length, in bytes (0 for others). */
export type QuickFlow = Pick<FlowInfo, 'kind' | 'length'>;

/** Legacy prefixes (SDM vol. 2A, 2.1.1). */
const prefixes: ReadonlySet<number> = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);
const operandSize = 0x66;

const other: QuickFlow = { kind: 'other', length: 0 };
const jump: QuickFlow = { kind: 'jump', length: 0 };
const back: QuickFlow = { kind: 'return', length: 0 };

/** @returns undefined where it takes more to tell, or where the bytes do not suffice */
export function quickFlow(bytes: Uint8Array): QuickFlow | undefined {
  let at = 0;
  let isSized = false;
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (!prefixes.has(byte) && (byte & 0xf0) !== 0x40) break;
    isSized ||= byte === operandSize;
  }
  const opcode = bytes[at];
  if (opcode === undefined) return undefined;
  if ((opcode & 0xf0) === 0x70 || (opcode >= 0xe0 && opcode <= 0xe3)) return jump;
  switch (opcode) {
    case 0x0f:
      return twoBytes(bytes[at + 1], at + 2);
    case 0xc2:
    case 0xc3:
    case 0xca:
    case 0xcb:
    case 0xcf:
      return back;
    case 0xcc:
    case 0xf1:
      return { kind: 'call', length: at + 1 };
    case 0xcd:
      return { kind: 'call', length: at + 2 };
    case 0xe8:
      // Processors do not agree on what that prefix means here.
      return isSized ? undefined : { kind: 'call', length: at + 5 };
    case 0xe9:
    case 0xeb:
      return jump;
    case 0xff:
      return group5(bytes, at + 1);
    case 0x9a:
    case 0xce:
    case 0xea:
      return undefined;
    default:
      return other;
  }
}

function twoBytes(opcode: number | undefined, length: number): QuickFlow | undefined {
  if (opcode === undefined) return undefined;
  if ((opcode & 0xf0) === 0x80) return jump;
  switch (opcode) {
    case 0x05:
    case 0x34:
      return { kind: 'syscall', length };
    case 0x07:
    case 0x35:
      return back;
    case 0x01:
    case 0xaa:
      return undefined;
    default:
      return other;
  }
}

/** INC, DEC, CALL, JMP and PUSH of a register or of memory (SDM vol. 2D, table A-6). */
function group5(bytes: Uint8Array, at: number): QuickFlow | undefined {
  const modrm = bytes[at];
  if (modrm === undefined) return undefined;
  const operation = (modrm >> 3) & 7;
  const isRegister = modrm >= 0xc0;
  if (operation === 7 || (isRegister && (operation === 3 || operation === 5))) return undefined;
  if (operation === 4 || operation === 5) return jump;
  if (operation !== 2 && operation !== 3) return other;
  const length = at + 1 + operandBytes(modrm, bytes[at + 1]);
  return { kind: 'call', length };
}

/** Bytes of SIB and displacement behind a ModRM byte (SDM vol. 2A, table 2-2). */
function operandBytes(modrm: number, sib: number | undefined): number {
  const mode = modrm >> 6;
  if (mode === 3) return 0;
  const hasSib = (modrm & 7) === 4;
  const isWide = mode === 2 || (mode === 0 && ((modrm & 7) === 5 || (hasSib && ((sib ?? 0) & 7) === 5)));
  return (hasSib ? 1 : 0) + (mode === 1 ? 1 : isWide ? 4 : 0);
}
