/** Turns the definitions' encoding rows into opcode tables that the decoder can search quickly. */

import { ARITHMETIC, type Definition, type Encoding } from './definition';

/** How an operand is encoded. */
export type Method =
  | 'E' | 'G' | 'M' | 'R' | 'Z' | 'B' | 'S' | 'C' | 'D' | 'V' | 'W' | 'U' | 'H' | 'P' | 'Q' | 'N' | 'I' | 'J' | 'A' | 'O' | 'X' | 'Y'
  | 'fixed' | 'one' | 'sreg' | 'st0' | 'sti' | 'xmm0'; // prettier-ignore

/** Size codes that depend on the instruction's prefixes are negative. */
export const SizeCode = { v: -1, z: -2, y: -3, p: -4, ptr: -5 } as const;

/** One operand of a row, parsed. `memSize` differs from `size` where a memory operand is narrower than a register. */
export interface OperandField {
  readonly method: Method;
  readonly size: number;
  readonly memSize: number;
  /** Fixed register or segment number. */
  readonly register: number;
  /** Ibs: sign-extended byte immediate. */
  readonly signed: boolean;
}

export interface Row {
  readonly index: number;
  readonly definition: Definition;
  readonly encoding: Encoding;
  readonly operands: readonly OperandField[];
  readonly modrm: boolean;
  /** ModRM.mod is ignored: both operands are registers (MOV to and from control and debug registers). */
  readonly ignoresMod: boolean;
  /** Arithmetic flags that an instruction may change, surely replaces whatever its operands, and reads. */
  readonly changedFlags: number;
  readonly killedFlags: number;
  readonly readFlags: number;
}

const fixedRegisters: Readonly<Record<string, OperandField>> = Object.fromEntries(
  (
    [
      ['AL', 0, 1],
      ['CL', 1, 1],
      ['AX', 0, 2],
      ['DX', 2, 2],
      ['eAX', 0, SizeCode.z],
      ['rAX', 0, SizeCode.v],
      ['rDX', 2, SizeCode.v],
    ] as const
  ).map(([name, register, size]) => [name, { method: 'fixed', size, memSize: size, register, signed: false } satisfies OperandField]),
);
const segments: Readonly<Record<string, number>> = { ES: 0, CS: 1, SS: 2, DS: 3, FS: 4, GS: 5 };

const sizes: Readonly<Record<string, number>> = {
  b: 1,
  w: 2,
  d: 4,
  q: 8,
  t: 10,
  dq: 16,
  ps: 16,
  pd: 16,
  x: 16,
  ss: 4,
  sd: 8,
  v: SizeCode.v,
  z: SizeCode.z,
  y: SizeCode.y,
  p: SizeCode.p,
  '': 0,
};

function field(method: Method, size: number, more: Partial<OperandField> = {}): OperandField {
  return { method, size, memSize: size, register: -1, signed: false, ...more };
}

const parsed = new Map<string, OperandField>();

/** Parses the operand notation of definition.ts, each text once. Throws on a misspelt one: definitions are ours. */
function operandField(spec: string): OperandField {
  let known = parsed.get(spec);
  if (known === undefined) parsed.set(spec, (known = parseOperand(spec)));
  return known;
}

function parseOperand(spec: string): OperandField {
  const fixed = fixedRegisters[spec];
  if (fixed) return fixed;
  const segment = segments[spec];
  if (segment !== undefined) return field('sreg', 2, { register: segment });
  if (spec === '1') return field('one', 1);
  if (spec === 'ST0') return field('st0', 10);
  if (spec === 'STi') return field('sti', 10);
  if (spec === 'XMM0') return field('xmm0', 16, { register: 0 });
  if (spec === 'Ibs') return field('I', SizeCode.v, { signed: true });
  const mixed = /^([RUN])([a-z]+)_M([a-z]+)$/.exec(spec);
  if (mixed) {
    const method = ({ R: 'E', U: 'W', N: 'Q' } as const)[mixed[1] as 'R' | 'U' | 'N'];
    return field(method, sizes[mixed[2]!]!, { memSize: sizes[mixed[3]!]! });
  }
  const match = /^([A-Z])([a-z]*)$/.exec(spec);
  const size = match ? sizes[match[2]!] : undefined;
  if (!match || size === undefined || !'EGMRZBSCDVWUHPQNIJAOXY'.includes(match[1]!)) throw new Error(`operand notation: ${spec}`);
  const method = match[1] as Method;
  if (method === 'C' || method === 'D') return field(method, SizeCode.ptr);
  if (method === 'V' || method === 'H') return field(method, size === 0 ? 16 : size);
  return field(method, size);
}

const usesModrm: ReadonlySet<Method> = new Set<Method>(['E', 'G', 'M', 'R', 'S', 'C', 'D', 'V', 'W', 'U', 'P', 'Q', 'N', 'sti']);

/** The rows of one opcode in the order in which they are tried. */
export interface OpcodeRows {
  readonly rows: readonly Row[];
  /** A prefix chooses among them. */
  readonly prefixed: boolean;
  readonly modrm: boolean;
}

export interface OpcodeTable {
  readonly rows: readonly Row[];
  /** [map][opcode]; maps 4..6 are the VEX maps 1..3. */
  readonly maps: readonly (readonly (OpcodeRows | undefined)[])[];
}

/** Rows with more conditions are tried first. */
function specificity(encoding: Encoding): number {
  return (
    (encoding.prefix !== undefined && encoding.prefix !== 'none' ? 16 : 0) +
    (encoding.rm !== undefined ? 8 : 0) +
    (encoding.rexB !== undefined ? 1 : 0) +
    (encoding.digit !== undefined ? 4 : 0) +
    (encoding.mod !== undefined ? 2 : 0) +
    (encoding.w !== undefined ? 1 : 0)
  );
}

function opcodeRows(rows: Row[]): OpcodeRows {
  if (rows.length > 1) rows.sort((x, y) => specificity(y.encoding) - specificity(x.encoding) || x.index - y.index);
  let prefixed = false;
  let modrm = false;
  for (const row of rows) {
    if (row.encoding.prefix !== undefined) prefixed = true;
    if (row.modrm) modrm = true;
  }
  return { rows, prefixed, modrm };
}

export function buildTable(definitions: readonly Definition[]): OpcodeTable {
  const rows: Row[] = [];
  const maps: (Row[] | undefined)[][] = Array.from({ length: 7 }, () => new Array<Row[] | undefined>(256).fill(undefined));
  for (const definition of definitions) {
    for (const encoding of definition.encodings) {
      const operands: OperandField[] = [];
      let modrm = encoding.modrm ?? (encoding.digit !== undefined || encoding.mod !== undefined);
      let ignoresMod = false;
      for (const spec of encoding.operands) {
        const operand = operandField(spec);
        operands.push(operand);
        if (encoding.modrm === undefined && usesModrm.has(operand.method)) modrm = true;
        if (operand.method === 'C' || operand.method === 'D') ignoresMod = true;
      }
      const f = definition.flags;
      const changedFlags = f ? ((f.writes ?? 0) | (f.undefined ?? 0) | (f.cleared ?? 0) | (f.set ?? 0)) & ARITHMETIC : 0;
      const row: Row = {
        index: rows.length,
        definition,
        encoding,
        operands,
        modrm,
        ignoresMod,
        changedFlags,
        killedFlags: definition.conditionalFlags === true ? 0 : changedFlags,
        readFlags: ((f?.reads ?? 0) | (f?.keeps ?? 0)) & ARITHMETIC,
      };
      rows.push(row);
      const map = maps[encoding.vex === undefined ? encoding.map : encoding.map + 3]!;
      const span = encoding.plusR ? 8 : encoding.plusCc ? 16 : 1;
      for (let i = 0; i < span; i++) (map[encoding.opcode + i] ??= []).push(row);
    }
  }
  const sorted = maps.map((map) => map.map((list) => list && opcodeRows(list)));
  return { rows, maps: sorted };
}
