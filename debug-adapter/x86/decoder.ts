/** Decodes one instruction from bytes by the opcode tables (SDM vol. 2A, chapter 2), into numbers that fill a record; nothing here touches guest state. */

import { type Operand, type DecodedInsn } from './context';
import { SizeCode, type OpcodeTable, type Row } from './isa/table';
import { Mode, Seg } from './state';

/** What decoding can end with instead of an instruction. */
export const DecodeResult = {
  ok: 0,
  /** #UD */ undefined: 1,
  /** #GP(0): longer than 15 bytes. */ tooLong: 2,
  /** More bytes are needed than there are. */ more: 3,
  /** A real processor of this class has it; this one does not. */ unsupported: 4,
} as const;

const PAGE_LIMIT = 15;

/** Kind of a decoded operand, as numbers. */
export const Kind = { reg: 0, mem: 1, imm: 2, rel: 3, far: 4, sreg: 5, creg: 6, dreg: 7, xmm: 8, mmx: 9, st: 10 } as const;

/** One decoded instruction in a reusable object: the decoder overwrites it. Addresses are split in signed 32-bit halves. */
export class Insn {
  row!: Row;
  ripLow = 0;
  ripHigh = 0;
  length = 0;
  opcode = 0;
  modrm = -1;
  operandSize: 2 | 4 | 8 = 4;
  addressSize: 2 | 4 | 8 = 8;
  rexW = false;
  lock = false;
  rep: 'none' | 'rep' | 'repne' = 'none';
  memBase = -1;
  memIndex = -1;
  memScale = 0;
  dispLow = 0;
  dispHigh = 0;
  segment: number = Seg.DS;
  segmentOverride = -1;
  immLow = 0;
  immHigh = 0;
  /** Second immediate (ENTER, far pointers). */
  imm2 = 0;
  targetLow = 0;
  targetHigh = 0;
  readonly kinds: number[] = [0, 0, 0, 0];
  readonly sizes: number[] = [0, 0, 0, 0];
  /** Register numbers; 16..19 stand for AH CH DH BH. */
  readonly registers: number[] = [0, 0, 0, 0];
  count = 0;
  hasMemory = false;

  get mnemonic(): string {
    return this.row.definition.mnemonic;
  }
}

/** Decodes with one opcode table. The result's `insn` is reused by the next call unless the caller gives its own. */
export class Decoder {
  readonly #table: OpcodeTable;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;

  constructor(table: OpcodeTable) {
    this.#table = table;
  }

  /**
   * Decodes the bytes [start, end) as the instruction at RIP (ripHigh:ripLow). `available` tells which CPUID features exist.
   * Answers a `DecodeResult`; on 'ok' the instruction is in `insn`.
   */
  decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    mode: number,
    ripLow: number,
    ripHigh: number,
    available: (row: Row) => boolean,
    insn: Insn,
  ): number {
    const limit = Math.min(end, start + PAGE_LIMIT);
    const truncated = end < start + PAGE_LIMIT;
    this.#bytes = bytes;
    this.#at = start;
    this.#end = limit;
    const long = (mode & Mode.long) !== 0;
    const code32 = (mode & Mode.code32) !== 0;
    insn.ripLow = ripLow;
    insn.ripHigh = ripHigh;
    let operand66 = false;
    let address67 = false;
    let repPrefix = 0;
    let rex = 0;
    let segment = -1;
    insn.lock = false;
    let opcode: number;
    for (;;) {
      if (this.#at >= limit) return truncated ? DecodeResult.more : DecodeResult.tooLong;
      opcode = bytes[this.#at++]!;
      if (long && (opcode & 0xf0) === 0x40) {
        rex = opcode;
        continue;
      }
      let prefix = true;
      switch (opcode) {
        case 0x66:
          operand66 = true;
          break;
        case 0x67:
          address67 = true;
          break;
        case 0xf0:
          insn.lock = true;
          break;
        case 0xf2:
        case 0xf3:
          repPrefix = opcode;
          break;
        case 0x26:
          if (!long) segment = Seg.ES;
          break;
        case 0x2e:
          if (!long) segment = Seg.CS;
          break;
        case 0x36:
          if (!long) segment = Seg.SS;
          break;
        case 0x3e:
          if (!long) segment = Seg.DS;
          break;
        case 0x64:
          segment = Seg.FS;
          break;
        case 0x65:
          segment = Seg.GS;
          break;
        default:
          prefix = false;
      }
      if (!prefix) break;
      // A REX prefix counts only straight before the opcode (SDM vol. 2A, 2.2.1).
      rex = 0;
    }
    const more = truncated ? DecodeResult.more : DecodeResult.tooLong;
    let map = 0;
    let vexV = 0;
    let vexL = -1;
    if (opcode === 0x0f) {
      if (this.#at >= limit) return more;
      opcode = bytes[this.#at++]!;
      map = 1;
      if (opcode === 0x38 || opcode === 0x3a) {
        map = opcode === 0x38 ? 2 : 3;
        if (this.#at >= limit) return more;
        opcode = bytes[this.#at++]!;
      }
    } else if (opcode === 0xc4 || opcode === 0xc5 || opcode === 0x62) {
      if (this.#at >= limit) return more;
      if (long || (bytes[this.#at]! & 0xc0) === 0xc0) {
        if (opcode === 0x62) return DecodeResult.unsupported;
        if (rex !== 0 || operand66 || repPrefix !== 0 || insn.lock) return DecodeResult.undefined;
        let second = bytes[this.#at++]!;
        rex = 0x40 | ((~second >> 5) & 4);
        map = 4;
        if (opcode === 0xc4) {
          rex |= (~second >> 5) & 3;
          map = (second & 31) + 3;
          if (map < 4 || map > 6) return DecodeResult.undefined;
          if (this.#at >= limit) return more;
          second = bytes[this.#at++]!;
          if (second & 0x80) rex |= 8;
        }
        if (!long) rex &= ~7;
        vexV = (~second >> 3) & 15;
        if (!long) vexV &= 7;
        vexL = (second >> 2) & 1;
        const pp = second & 3;
        if (pp === 1) operand66 = true;
        else if (pp === 2) repPrefix = 0xf3;
        else if (pp === 3) repPrefix = 0xf2;
        if (this.#at >= limit) return more;
        opcode = bytes[this.#at++]!;
      }
    }
    const rexW = (rex & 8) !== 0;
    insn.rexW = rexW;
    insn.opcode = opcode;
    insn.segmentOverride = segment;
    const candidates = this.#table.maps[map]![opcode];
    if (!candidates) return map >= 4 || isKnownElsewhere(map, opcode) ? DecodeResult.unsupported : DecodeResult.undefined;
    let modrm = this.#at < limit ? bytes[this.#at]! : -1;
    if (candidates.modrm && modrm < 0) return more;
    // Choose the row: mandatory prefix, then ModRM restrictions, then mode and feature.
    let wanted: string | undefined;
    if (candidates.prefixed) {
      wanted = 'none';
      if (repPrefix !== 0) wanted = repPrefix === 0xf3 ? 'F3' : 'F2';
      else if (operand66) wanted = '66';
    }
    let found: Row | undefined;
    let lacking = false;
    const rows = candidates.rows;
    for (let i = 0; i < rows.length; i++) {
      const candidate = rows[i]!;
      const e = candidate.encoding;
      if (e.prefix !== undefined && e.prefix !== wanted) continue;
      if (e.digit !== undefined && e.digit !== ((modrm >> 3) & 7)) continue;
      if (e.mod !== undefined && (e.mod === 'reg') !== modrm >= 0xc0) continue;
      if (e.rm !== undefined && e.rm !== (modrm & 7)) continue;
      if (e.rexB !== undefined && rex & 1) continue;
      if (e.w !== undefined && (e.w === 1) !== rexW) continue;
      if (e.mode !== undefined && (e.mode === '64') !== long) continue;
      if (e.vex !== undefined && e.vex !== 'ig' && e.vex !== vexL) continue;
      if (candidate.definition.feature !== undefined && !available(candidate)) {
        lacking = true;
        continue;
      }
      found = candidate;
      break;
    }
    if (!found) {
      if (lacking) return DecodeResult.undefined;
      return map >= 4 || isKnownElsewhere(map, opcode) ? DecodeResult.unsupported : DecodeResult.undefined;
    }
    const consumed = found.encoding.prefix === 'F3' || found.encoding.prefix === 'F2';
    const row: Row = found;
    const definition = row.definition;
    insn.row = row;
    insn.rep = consumed || repPrefix === 0 || definition.rep === undefined ? 'none' : repPrefix === 0xf3 ? 'rep' : 'repne';
    let operandSize: 2 | 4 | 8 = operand66 ? (code32 || long ? 2 : 4) : code32 || long ? 4 : 2;
    if (long) {
      if (rexW || definition.size64 === 'f64') operandSize = 8;
      else if (definition.size64 === 'd64') operandSize = operand66 ? 2 : 8;
    }
    insn.operandSize = operandSize;
    insn.addressSize = long ? (address67 ? 4 : 8) : address67 !== code32 ? 4 : 2;
    insn.modrm = -1;
    insn.hasMemory = false;
    insn.memBase = -1;
    insn.memIndex = -1;
    insn.memScale = 0;
    insn.dispLow = 0;
    insn.dispHigh = 0;
    insn.segment = segment >= 0 ? segment : Seg.DS;
    let ripRelative = false;
    if (row.modrm) {
      this.#at++;
      if (row.ignoresMod) modrm |= 0xc0;
      insn.modrm = modrm;
      if (modrm < 0xc0) {
        insn.hasMemory = true;
        const ok = insn.addressSize === 2 ? this.#address16(insn, modrm, segment) : this.#address(insn, modrm, rex, segment, long);
        if (!ok) return more;
        ripRelative = long && (modrm & 0xc7) === 5;
      }
    }
    // Operands in order; immediates are read as they come.
    const reg = (modrm >> 3) & 7;
    const rm = modrm & 7;
    insn.immLow = 0;
    insn.immHigh = 0;
    insn.imm2 = 0;
    insn.targetLow = 0;
    insn.targetHigh = 0;
    let immediates = 0;
    const fields = row.operands;
    insn.count = fields.length;
    for (let i = 0; i < fields.length; i++) {
      const f = fields[i]!;
      let size = f.size;
      if (size < 0)
        size =
          size === SizeCode.v
            ? operandSize
            : size === SizeCode.z
              ? Math.min(operandSize, 4)
              : size === SizeCode.y
                ? rexW
                  ? 8
                  : 4
                : size === SizeCode.p
                  ? operandSize + 2
                  : long
                    ? 8
                    : 4;
      let kind: number = Kind.reg;
      let register = 0;
      switch (f.method) {
        case 'E':
        case 'R':
        case 'M':
          if (modrm >= 0xc0) {
            if (f.method === 'M') return DecodeResult.undefined;
            register = gpr(rm | ((rex & 1) << 3), size, rex);
          } else {
            if (f.method === 'R') return DecodeResult.undefined;
            kind = Kind.mem;
            if (f.memSize !== f.size) size = f.memSize < 0 ? operandSize : f.memSize;
          }
          break;
        case 'G':
          register = gpr(reg | ((rex & 4) << 1), size, rex);
          break;
        case 'Z':
          register = gpr((opcode & 7) | ((rex & 1) << 3), size, rex);
          break;
        case 'B':
          register = vexV;
          break;
        case 'fixed':
          register = f.register;
          break;
        case 'V':
          kind = Kind.xmm;
          register = reg | ((rex & 4) << 1);
          break;
        case 'H':
          kind = Kind.xmm;
          register = vexV;
          break;
        case 'W':
        case 'U':
          if (modrm >= 0xc0) {
            kind = Kind.xmm;
            register = rm | ((rex & 1) << 3);
            if (size === 0) size = 16;
          } else {
            if (f.method === 'U') return DecodeResult.undefined;
            kind = Kind.mem;
            if (f.memSize !== f.size) size = f.memSize;
          }
          break;
        case 'xmm0':
          kind = Kind.xmm;
          break;
        case 'P':
          kind = Kind.mmx;
          register = reg;
          break;
        case 'Q':
        case 'N':
          if (modrm >= 0xc0) {
            kind = Kind.mmx;
            register = rm;
          } else {
            if (f.method === 'N') return DecodeResult.undefined;
            kind = Kind.mem;
            if (f.memSize !== f.size) size = f.memSize;
          }
          break;
        case 'S':
          kind = Kind.sreg;
          register = reg;
          if (reg > 5) return DecodeResult.undefined;
          break;
        case 'sreg':
          kind = Kind.sreg;
          register = f.register;
          break;
        case 'C':
          kind = Kind.creg;
          register = reg | ((rex & 4) << 1);
          // A register that does not exist is #UD before any privilege check.
          if (![0, 2, 3, 4, 8].includes(register)) return DecodeResult.undefined;
          break;
        case 'D':
          kind = Kind.dreg;
          register = reg | ((rex & 4) << 1);
          if (register > 7) return DecodeResult.undefined;
          break;
        case 'st0':
          kind = Kind.st;
          break;
        case 'sti':
          kind = Kind.st;
          register = rm;
          break;
        case 'one':
          kind = Kind.imm;
          insn.immLow = 1;
          break;
        case 'I': {
          kind = Kind.imm;
          let value: number;
          if (f.signed) {
            if (this.#at + 1 > limit) return more;
            value = (bytes[this.#at]! << 24) >> 24;
            this.#at++;
          } else if (size === 8) {
            if (this.#at + 8 > limit) return more;
            value = this.#int32(this.#at);
            insn.immHigh = this.#int32(this.#at + 4);
            this.#at += 8;
          } else {
            if (this.#at + size > limit) return more;
            value =
              size === 1
                ? (bytes[this.#at]! << 24) >> 24
                : size === 2
                  ? ((bytes[this.#at]! | (bytes[this.#at + 1]! << 8)) << 16) >> 16
                  : this.#int32(this.#at);
            this.#at += size;
            if (f.size === SizeCode.z && operandSize === 8) size = 8;
          }
          if (immediates++ === 1) {
            insn.imm2 = value;
          } else {
            insn.immLow = value;
            if (f.signed || size !== 8 || f.size === SizeCode.z) insn.immHigh = value >> 31;
          }
          break;
        }
        case 'J': {
          kind = Kind.rel;
          const width = f.size === 1 ? 1 : long ? 4 : Math.min(operandSize, 4);
          if (this.#at + width > limit) return more;
          insn.immLow =
            width === 1
              ? (bytes[this.#at]! << 24) >> 24
              : width === 2
                ? ((bytes[this.#at]! | (bytes[this.#at + 1]! << 8)) << 16) >> 16
                : this.#int32(this.#at);
          insn.immHigh = insn.immLow >> 31;
          size = operandSize;
          this.#at += width;
          break;
        }
        case 'A': {
          kind = Kind.far;
          const width = Math.min(operandSize, 4);
          if (this.#at + width + 2 > limit) return more;
          insn.immLow = width === 2 ? bytes[this.#at]! | (bytes[this.#at + 1]! << 8) : this.#int32(this.#at);
          insn.immHigh = 0;
          insn.imm2 = bytes[this.#at + width]! | (bytes[this.#at + width + 1]! << 8);
          this.#at += width + 2;
          break;
        }
        case 'O': {
          kind = Kind.mem;
          insn.hasMemory = true;
          const width = insn.addressSize;
          if (this.#at + width > limit) return more;
          insn.dispLow = width === 2 ? bytes[this.#at]! | (bytes[this.#at + 1]! << 8) : this.#int32(this.#at);
          insn.dispHigh = width === 8 ? this.#int32(this.#at + 4) : 0;
          this.#at += width;
          break;
        }
        case 'X':
          kind = Kind.mem;
          insn.hasMemory = true;
          insn.memBase = 6;
          insn.segment = segment >= 0 ? segment : Seg.DS;
          break;
        case 'Y':
          kind = Kind.mem;
          insn.hasMemory = true;
          if (!fields.some((other) => other.method === 'X')) {
            insn.memBase = 7;
            insn.segment = Seg.ES;
          }
          break;
      }
      insn.kinds[i] = kind;
      insn.sizes[i] = size;
      insn.registers[i] = register;
    }
    insn.length = this.#at - start;
    if (insn.lock && !(definition.lock && fields.length > 0 && insn.kinds[0] === Kind.mem)) return DecodeResult.undefined;
    // XCHG's memory operand may be the second one.
    const nextLow = (ripLow + insn.length) | 0;
    const nextHigh = (ripHigh + (ripLow >>> 0 > nextLow >>> 0 ? 1 : 0)) | 0;
    if (ripRelative) {
      const low = (nextLow + insn.dispLow) | 0;
      const carry = (nextLow >>> 0) + (insn.dispLow >>> 0) > 0xffffffff ? 1 : 0;
      insn.dispHigh = (nextHigh + insn.dispHigh + carry) | 0;
      insn.dispLow = low;
    }
    for (let i = 0; i < fields.length; i++) {
      if (insn.kinds[i] !== Kind.rel) continue;
      const low = (nextLow + insn.immLow) | 0;
      const carry = (nextLow >>> 0) + (insn.immLow >>> 0) > 0xffffffff ? 1 : 0;
      insn.targetHigh = long ? (nextHigh + insn.immHigh + carry) | 0 : 0;
      insn.targetLow = !long && operandSize === 2 ? low & 0xffff : low;
    }
    return DecodeResult.ok;
  }

  #int32(at: number): number {
    const b = this.#bytes;
    return b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24);
  }

  /** 32 and 64-bit addressing (SDM vol. 2A, tables 2-2, 2-3). False: bytes are missing. */
  #address(insn: Insn, modrm: number, rex: number, segment: number, long: boolean): boolean {
    const mod = modrm >> 6;
    const rm = modrm & 7;
    let dispSize = mod === 1 ? 1 : mod === 2 ? 4 : 0;
    if (rm === 4) {
      if (this.#at >= this.#end) return false;
      const sib = this.#bytes[this.#at++]!;
      const index = ((sib >> 3) & 7) | ((rex & 2) << 2);
      if (index !== 4) {
        insn.memIndex = index;
        insn.memScale = sib >> 6;
      }
      if ((sib & 7) === 5 && mod === 0) dispSize = 4;
      else insn.memBase = (sib & 7) | ((rex & 1) << 3);
      if (segment < 0 && !long && (insn.memBase === 4 || insn.memBase === 5)) insn.segment = Seg.SS;
      if (segment < 0 && long && (insn.memBase === 4 || insn.memBase === 5)) insn.segment = Seg.SS;
    } else if (rm === 5 && mod === 0) {
      dispSize = 4;
    } else {
      insn.memBase = rm | ((rex & 1) << 3);
      if (segment < 0 && insn.memBase === 5) insn.segment = Seg.SS;
    }
    if (this.#at + dispSize > this.#end) return false;
    if (dispSize === 1) insn.dispLow = (this.#bytes[this.#at]! << 24) >> 24;
    else if (dispSize === 4) insn.dispLow = this.#int32(this.#at);
    insn.dispHigh = insn.dispLow >> 31;
    this.#at += dispSize;
    return true;
  }

  /** 16-bit addressing (SDM vol. 2A, table 2-1). */
  #address16(insn: Insn, modrm: number, segment: number): boolean {
    const mod = modrm >> 6;
    const rm = modrm & 7;
    let dispSize = mod;
    if (mod === 0 && rm === 6) {
      dispSize = 2;
    } else {
      insn.memBase = [3, 3, 5, 5, 6, 7, 5, 3][rm]!;
      insn.memIndex = [6, 7, 6, 7, -1, -1, -1, -1][rm]!;
      if (segment < 0 && insn.memBase === 5) insn.segment = Seg.SS;
    }
    if (this.#at + dispSize > this.#end) return false;
    if (dispSize === 1) insn.dispLow = (this.#bytes[this.#at]! << 24) >> 24;
    else if (dispSize === 2) insn.dispLow = ((this.#bytes[this.#at]! | (this.#bytes[this.#at + 1]! << 8)) << 16) >> 16;
    insn.dispHigh = insn.dispLow >> 31;
    this.#at += dispSize;
    return true;
  }
}

/** Byte registers 4..7 without a REX prefix are AH CH DH BH: numbered 16..19. */
function gpr(number: number, size: number, rex: number): number {
  return size === 1 && rex === 0 && number >= 4 && number < 8 ? number + 12 : number;
}

/**
 * Opcodes outside VEX and EVEX that processors of the x86-64-v3 class define and the tables lack, AES, SHA and PCLMULQDQ: meeting one is told to
 * the user instead of raised as #UD (SDM vol. 2D, appendix A).
 */
function isKnownElsewhere(map: number, opcode: number): boolean {
  if (map === 2) return (opcode >= 0xc8 && opcode <= 0xcd) || (opcode >= 0xdb && opcode <= 0xdf);
  if (map === 3) return opcode === 0x44 || opcode === 0xcc || opcode === 0xdf;
  return false;
}

/** The instruction as helpers see it. */
export function describe(insn: Insn): DecodedInsn {
  const join = (high: number, low: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  const rip = join(insn.ripHigh, insn.ripLow);
  const operands: Operand[] = [];
  for (let i = 0; i < insn.count; i++) {
    const size = insn.sizes[i]!;
    const register = insn.registers[i]!;
    switch (insn.kinds[i]) {
      case Kind.reg:
        operands.push(
          register >= 16 ? { kind: 'reg', register: register - 16, size, high: true } : { kind: 'reg', register, size, high: false },
        );
        break;
      case Kind.mem:
        operands.push({ kind: 'mem', size });
        break;
      case Kind.imm: {
        const second = operands.some((operand) => operand.kind === 'imm');
        const value = second ? BigInt(insn.imm2) : join(insn.immHigh, insn.immLow);
        operands.push({ kind: 'imm', value: BigInt.asUintN(size * 8, value), size });
        break;
      }
      case Kind.rel:
        operands.push({ kind: 'rel', target: join(insn.targetHigh, insn.targetLow), size });
        break;
      case Kind.far:
        operands.push({ kind: 'far', selector: insn.imm2, offset: join(0, insn.immLow), size });
        break;
      case Kind.sreg:
        operands.push({ kind: 'sreg', register, size });
        break;
      case Kind.creg:
        operands.push({ kind: 'creg', register, size });
        break;
      case Kind.dreg:
        operands.push({ kind: 'dreg', register, size });
        break;
      case Kind.xmm:
        operands.push({ kind: 'xmm', register, size });
        break;
      case Kind.mmx:
        operands.push({ kind: 'mmx', register, size });
        break;
      default:
        operands.push({ kind: 'st', register, size });
        break;
    }
  }
  return {
    mnemonic: insn.mnemonic,
    rip,
    next: BigInt.asUintN(64, rip + BigInt(insn.length)),
    length: insn.length,
    opcode: insn.opcode,
    map: insn.row.encoding.map,
    modrm: insn.modrm,
    operandSize: insn.operandSize,
    addressSize: insn.addressSize,
    rexW: insn.rexW,
    lock: insn.lock,
    rep: insn.rep,
    operands,
    memory: insn.hasMemory
      ? {
          base: insn.memBase,
          index: insn.memIndex,
          scale: 1 << insn.memScale,
          disp: join(insn.dispHigh, insn.dispLow),
          segment: insn.segment,
        }
      : undefined,
    segmentOverride: insn.segmentOverride >= 0 ? insn.segmentOverride : undefined,
  };
}
