/** The opcode tables as bytes in the machine's memory, for the predecoder: made once, when the handlers are built. */

import { isFusibleRow, isPortOpcode, purityOf, unitNumber } from '../block-rules';
import { type OpcodeTable, type OperandField, type Row, SizeCode } from '../isa/table';
import { Area, Candidate, Fact, MandatoryPrefix, numberedFeatures, OperandBit, Prefix, RowField, Trait, Way, widthZ } from './area';

const ways: Readonly<Partial<Record<OperandField['method'], number>>> = {
  E: Way.rm,
  R: Way.rm,
  M: Way.rm,
  G: Way.reg,
  Z: Way.opcode,
  fixed: Way.fixed,
  V: Way.xmmReg,
  W: Way.xmmRm,
  U: Way.xmmRm,
  xmm0: Way.xmm0,
  P: Way.mmxReg,
  Q: Way.mmxRm,
  N: Way.mmxRm,
  S: Way.segmentReg,
  sreg: Way.segmentFixed,
  st0: Way.nothing,
  sti: Way.nothing,
  one: Way.one,
  I: Way.immediate,
  J: Way.branch,
  O: Way.offset,
  X: Way.source,
  Y: Way.destination,
};

/** An operand as one number, or undefined where it is left to the other decoder. */
function operandBits(field: OperandField, all: readonly OperandField[]): number | undefined {
  const { method, size } = field;
  let way = ways[method];
  if (way === undefined) return undefined;
  if (method === 'Y' && all.some((other) => other.method === 'X')) way = Way.second;
  if (method === 'I' && field.signed) way = Way.signedByte;
  let width = 0;
  if (method === 'J') width = size === 1 ? 1 : 4;
  else if (method === 'I') width = size === SizeCode.z ? widthZ : size === SizeCode.v ? 0 : size;
  if (width < 0 || width === 3) return undefined;
  return (
    way |
    (size === 1 ? OperandBit.byte : 0) |
    (method === 'R' || method === 'U' || method === 'N' ? OperandBit.registerOnly : 0) |
    (method === 'M' ? OperandBit.memoryOnly : 0) |
    (width << OperandBit.width) |
    (field.register > 0 ? field.register << OperandBit.register : 0)
  );
}

function traitsOf(row: Row): number {
  const { definition: d, encoding: e } = row;
  const consumed = e.prefix === 'F3' || e.prefix === 'F2';
  const when = (condition: boolean | undefined, trait: number): number => (condition === true ? trait : 0);
  return (
    when(row.modrm, Trait.modrm) |
    when(d.size64 === 'f64', Trait.always64) |
    when(d.size64 === 'd64', Trait.default64) |
    when(!consumed && d.rep !== undefined, Trait.repeats) |
    when(d.lock, Trait.lockable) |
    when(d.endsBlock, Trait.endsBlock) |
    when(d.privileged, Trait.privileged) |
    when(isPortOpcode(row, e.opcode), Trait.port) |
    when(d.emit !== undefined, Trait.emits) |
    when(d.staticImmediate, Trait.staticImmediate) |
    when(e.plusCc, Trait.condition) |
    when(e.plusCc === true && d.mnemonic === 'Jcc', Trait.jcc) |
    when(isFusibleRow(row, false), Trait.fusibleRegister) |
    when(isFusibleRow(row, true), Trait.fusibleMemory) |
    when(d.mnemonic === 'CALL', Trait.call) |
    (purityOf(row) << Trait.purity) |
    ((d.unit === undefined ? 0 : unitNumber[d.unit]) << Trait.unit)
  );
}

/** The fields of a row, or undefined where the other decoder has to do it. */
function rowFields(row: Row): readonly number[] | undefined {
  const operands = row.operands.map((field) => operandBits(field, row.operands));
  const feature = numberedFeatures.indexOf(row.definition.feature ?? 'base');
  if (row.ignoresMod || feature < 0 || operands.length > 4) return undefined;
  const known: number[] = [];
  for (const operand of operands) {
    if (operand === undefined) return undefined;
    known.push(operand);
  }
  return [row.index, traitsOf(row), row.changedFlags, row.killedFlags, row.readFlags, feature, operands.length, ...known];
}

/** What a row asks of ModRM, REX and prefixes, as mask and value; what it asks beyond them is its place in the list. */
function conditions(row: Row): readonly [mask: number, value: number] {
  const e = row.encoding;
  let mask = 0;
  let value = 0;
  const ask = (shift: number, bits: number, wanted: number): void => {
    mask |= bits << shift;
    value |= wanted << shift;
  };
  if (e.rm !== undefined) ask(Fact.rm, 7, e.rm);
  if (e.digit !== undefined) ask(Fact.digit, 7, e.digit);
  if (e.mod !== undefined) ask(Fact.register, 1, e.mod === 'reg' ? 1 : 0);
  if (e.rexB !== undefined) ask(Fact.rexB, 1, 0);
  if (e.w !== undefined) ask(Fact.rexW, 1, e.w);
  if (e.prefix !== undefined) ask(Fact.prefix, 3, MandatoryPrefix[e.prefix]);
  return [mask, value];
}

const prefixBytes: readonly (readonly [number, number])[] = [
  [0x66, Prefix.operandSize],
  [0x67, Prefix.addressSize],
  [0xf0, Prefix.lock],
  [0xf2, Prefix.repeat],
  [0xf3, Prefix.repeat],
  [0x26, Prefix.segmentIgnored],
  [0x2e, Prefix.segmentIgnored],
  [0x36, Prefix.segmentIgnored],
  [0x3e, Prefix.segmentIgnored],
  [0x64, Prefix.segment],
  [0x65, Prefix.segment],
  [0x62, Prefix.foreign],
  [0xc4, Prefix.foreign],
  [0xc5, Prefix.foreign],
  ...Array.from({ length: 16 }, (_, i) => [0x40 + i, Prefix.rex] as const),
];

/** Bytes for `Area.prefixes` and on, for 64-bit code. */
export function flattenTable(table: OpcodeTable): Uint8Array {
  const size = Area.shapes - Area.prefixes;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  for (const [byte, prefix] of prefixBytes) bytes[byte] = prefix;
  let free = Area.rows - Area.prefixes;
  const take = (length: number): number => {
    const at = free;
    free += length;
    if (free > size) throw new Error('no room for the opcode tables');
    return at;
  };
  const places = new Map<Row, number>();
  const place = (row: Row): number => {
    const known = places.get(row);
    if (known !== undefined) return known;
    const fields = rowFields(row);
    const at = fields === undefined ? 0 : Area.prefixes + take(RowField.size);
    fields?.forEach((field, i) => view.setInt32(at - Area.prefixes + 4 * i, field, true));
    places.set(row, at);
    return at;
  };
  for (let map = 0; map < 4; map++) {
    table.maps[map]!.forEach((entry, opcode) => {
      if (entry === undefined) return;
      const rows = entry.rows.filter((row) => row.encoding.mode !== 'legacy');
      const at = take((rows.length + 1) * Candidate.size);
      rows.forEach((row, i) => {
        const [mask, value] = conditions(row);
        const candidate = at + i * Candidate.size;
        view.setUint16(candidate + Candidate.mask, mask, true);
        view.setUint16(candidate + Candidate.value, value, true);
        view.setInt32(candidate + Candidate.row, place(row), true);
      });
      view.setInt32(Area.opcodes - Area.prefixes + ((map << 8) | opcode) * 4, Area.prefixes + at + (entry.modrm ? 1 : 0), true);
    });
  }
  return bytes.subarray(0, free);
}
