/** Random cases from the product's own definitions: every form of every instruction, with prefixes, addressing forms and operands that meet memory's edges. */

import { featuresOf } from '../../debug-adapter/x86/cpuid';
import { type Definition, type Encoding } from '../../debug-adapter/x86/isa/definition';
import { Area, Image, Run } from './native';
import { type Random } from './random';

/** What cannot be compared on a host: it leaves the process, differs from one machine to the next by design, or stops the harness. */
const excluded = new Set(
  (
    'SYSCALL SYSENTER SYSEXIT SYSRET INT INT1 INT3 INTO HLT CPUID RDTSC RDTSCP RDPMC RDRAND RDSEED RDPID SGDT SIDT SLDT STR SMSW LMSW LAR LSL VERR VERW ' +
    'IRET IRETD IRETQ RETF CALLF JMPF LES LDS LSS LFS LGS ARPL BOUND XGETBV XSETBV XSAVE XSAVEC XSAVEOPT XSAVES XRSTOR XRSTORS FXSAVE FXRSTOR MONITOR MWAIT ' +
    'XBEGIN XABORT XEND XTEST RCPPS RCPSS RSQRTPS RSQRTSS UD0 UD1 RDSSP RDSSPD RDSSPQ INCSSPD INCSSPQ FNSAVE FSAVE FNSTENV FSTENV PAUSE CLAC STAC ' +
    // Transcendental results: the last digit and C1 are the processor's own.
    'FSIN FCOS FSINCOS FPTAN FPATAN F2XM1 FYL2X FYL2XP1'
  ).split(' '),
);

/** Operands whose meaning is the host's own affair: segment registers and far pointers. */
const foreign = new Set(['Sw', 'ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'Ap', 'Mp']);

const isExcluded = ({ definition, encoding }: Form): boolean =>
  excluded.has(definition.mnemonic) || encoding.operands.some((o) => foreign.has(o));

/**
 * Whether a decoded instruction may run on the host inside the harness, and means the same on every processor: a 66 prefix on a near branch cuts RIP
 * on some and is ignored on others (SDM vol. 2A, JMP; AMD APM vol. 3, 1.2.4), and so it is left out.
 */
export const mayRun = (form: Form, operand66: boolean): boolean => !isExcluded(form) && !(operand66 && form.definition.size64 === 'f64');

/** One row to draw from. */
export interface Form {
  readonly definition: Definition;
  readonly encoding: Encoding;
}

/** All forms that 64-bit code has and the host can answer for. `only` restricts them by a pattern on the mnemonic or by feature. */
export function formsOf(definitions: readonly Definition[], only?: RegExp): readonly Form[] {
  const features = featuresOf('default');
  return definitions
    .filter((d) => d.feature === undefined || features.has(d.feature))
    .filter((d) => only === undefined || only.test(d.mnemonic) || only.test(d.feature ?? 'base'))
    .flatMap((definition) => definition.encodings.map((encoding) => ({ definition, encoding })))
    .filter((form) => form.encoding.mode !== 'legacy' && !isExcluded(form));
}

/** A memory target: near the page boundary inside the window, aligned or not; now and then where the pages end, or nowhere. */
function target(r: Random): bigint {
  const window = Area.data + Area.window;
  switch (r.below(24)) {
    case 0:
      return BigInt(Area.data + Area.dataWritable - r.below(20));
    case 1:
      return BigInt(Area.data + Area.dataSize - r.below(20));
    case 2:
      return r.oneIn(2)
        ? BigInt(Area.data - r.below(20))
        : r.pick([0n, 0x7fff_ffff_fff8n, 0x8000_0000_0000n, 0xffff_7fff_ffff_fff8n, 0xffff_8000_0000_0000n, r.u64()]);
    case 3:
    case 4:
      return BigInt(Area.data + 0x1000 - r.below(20));
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
      return BigInt(window + r.below(Area.windowSize - 64));
    default:
      return BigInt(window + 16 * r.below(Area.windowSize / 16 - 4));
  }
}

/** The state of one case while it is drawn. */
class Draft {
  readonly gpr: bigint[] = [];
  readonly code: number[] = [];
  /** Where a RIP-relative displacement waits for the instruction's length, and what it shall reach. */
  relative: { readonly at: number; readonly target: bigint } | undefined;
  /** It runs to the breakpoint behind it, which must be mapped. */
  toEnd = false;

  constructor(readonly r: Random) {
    for (let i = 0; i < 16; i++) this.gpr.push(r.integer());
    this.gpr[4] = target(r);
    if (r.oneIn(2)) this.gpr[5] = target(r);
  }

  int(value: bigint | number, size: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (let i = 0; i < size; i++) {
      this.code.push(Number(rest & 0xffn));
      rest >>= 8n;
    }
  }
}

const usesModrm = /^[EGMRSCDVWUPQN][a-z]/;

/** Appends ModRM, SIB and displacement of a memory operand, and sets registers so that it reaches `where`. */
function memoryForm(d: Draft, reg: number, rex: number, address32: boolean, where: bigint): void {
  const { r } = d;
  const base = r.below(8);
  const index = r.below(8);
  const mod = r.below(3);
  const full = base | ((rex & 1) << 3);
  const signed = mod === 1 ? BigInt(r.below(256) - 128) : mod === 2 ? BigInt(r.u32() | 0) : 0n;
  const place = (register: number, value: bigint): void => {
    d.gpr[register] = address32 ? BigInt.asUintN(32, value) | (r.u64() & 0xffff_ffff_0000_0000n) : BigInt.asUintN(64, value);
  };
  const displacement = (value: bigint): void => d.int(value, mod === 1 ? 1 : mod === 2 ? 4 : 0);
  if (base !== 4 && !(mod === 0 && base === 5)) {
    d.code.push((mod << 6) | (reg << 3) | base);
    displacement(signed);
    place(full, where - signed);
    return;
  }
  if (base === 5) {
    d.code.push((reg << 3) | 5);
    d.relative = { at: d.code.length, target: where };
    d.int(0, 4);
    return;
  }
  const sibBase = r.below(8);
  const scale = r.below(4);
  const fullBase = sibBase | ((rex & 1) << 3);
  const fullIndex = index | ((rex & 2) << 2);
  d.code.push((mod << 6) | (reg << 3) | 4, (scale << 6) | (index << 3) | sibBase);
  const noBase = mod === 0 && sibBase === 5;
  const noIndex = fullIndex === 4;
  const factor = 1n << BigInt(scale);
  if (noBase) {
    const offset = noIndex ? where : BigInt(r.u32() | 0);
    d.int(offset, 4);
    // The index reaches what the displacement leaves, to the factor's precision.
    if (!noIndex) place(fullIndex, (where - BigInt.asIntN(32, offset)) / factor);
    return;
  }
  displacement(signed);
  if (noIndex) {
    place(fullBase, where - signed);
  } else if (fullBase === fullIndex) {
    place(fullBase, (where - signed) / (factor + 1n));
  } else {
    if (r.oneIn(2)) d.gpr[fullIndex] = BigInt(r.below(256));
    const value = BigInt.asUintN(64, d.gpr[fullIndex]!);
    place(fullBase, where - signed - value * factor);
  }
}

/** Bytes of an immediate or branch operand for an operand size, or 0 for other operands. */
function immediateSize(spec: string, operandSize: number, map: number, opcode: number): number {
  switch (spec) {
    case 'Ib':
    case 'Ibs':
    case 'Jb':
      return 1;
    case 'Iw':
      return 2;
    case 'Id':
      return 4;
    case 'Iz':
      return Math.min(operandSize, 4);
    case 'Iv':
      return map === 0 && (opcode & 0xf8) === 0xb8 ? operandSize : Math.min(operandSize, 4);
    case 'Jz':
    case 'Jv':
      return 4;
    default:
      return 0;
  }
}

const staticImmediates = new WeakMap<Random, readonly number[]>();

/** Immediates that generated code knows: a few for each run, because every new one makes a handler. */
function immediatesOf(r: Random): readonly number[] {
  let list = staticImmediates.get(r);
  if (list === undefined) {
    list = [0, 1, 2, 3, 4, 5, 6, 7, 15, 0xff, ...Array.from({ length: 8 }, () => r.below(256))];
    staticImmediates.set(r, list);
  }
  return list;
}

/** Port instructions that repeat no times are checked by some processors and not by others. */
const leastRepetitions = (port: boolean): number => (port ? 1 : 0);

/** Draws one case of a form into `out` at `at`; everything else of the state is random too. */
export function drawCase(r: Random, form: Form, out: Buffer, at: number): void {
  const { definition, encoding } = form;
  const d = new Draft(r);
  const where = target(r);
  // Prefixes in a random order of kinds; REX comes last.
  let operand66 = encoding.prefix === '66';
  if (encoding.prefix === undefined && definition.size64 !== 'f64' && r.oneIn(4)) operand66 = true;
  const address32 = r.oneIn(12);
  const hasModrm =
    encoding.modrm ?? (encoding.digit !== undefined || encoding.mod !== undefined || encoding.operands.some((o) => usesModrm.test(o)));
  const memory =
    hasModrm &&
    encoding.mod !== 'reg' &&
    !encoding.operands.some((o) => /^[RUN][a-z]*$/.test(o)) &&
    (encoding.mod === 'mem' || r.below(5) < 3 || encoding.operands.some((o) => o.startsWith('M')));
  if (encoding.vex !== undefined) {
    drawVex(d, form, memory, where);
  } else {
    const prefixes: number[] = [];
    if (operand66) prefixes.push(0x66);
    if (encoding.prefix === 'F3') prefixes.push(0xf3);
    if (encoding.prefix === 'F2') prefixes.push(0xf2);
    if (address32) prefixes.push(0x67);
    if (r.oneIn(16)) prefixes.push(r.pick([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65]));
    if (definition.lock === true && memory && r.oneIn(3)) prefixes.push(0xf0);
    else if (r.oneIn(200)) prefixes.push(0xf0);
    if (definition.rep !== undefined && r.oneIn(2)) prefixes.push(r.pick([0xf2, 0xf3]));
    for (let i = prefixes.length - 1; i > 0; i--) {
      const k = r.below(i + 1);
      [prefixes[i], prefixes[k]] = [prefixes[k]!, prefixes[i]!];
    }
    d.code.push(...prefixes);
    let rex = r.oneIn(2) ? 0x40 | r.below(16) : 0;
    if (encoding.w === 1) rex |= 0x48;
    if (encoding.w === 0) rex &= ~8;
    if (rex !== 0) d.code.push(rex);
    if (encoding.map > 0) d.code.push(0x0f);
    if (encoding.map === 2) d.code.push(0x38);
    if (encoding.map === 3) d.code.push(0x3a);
    const low = encoding.plusR === true ? r.below(8) : encoding.plusCc === true ? r.below(16) : 0;
    d.code.push(encoding.opcode + low);
    if (hasModrm) {
      const reg = encoding.digit ?? r.below(8);
      if (memory) memoryForm(d, reg, rex, address32, where);
      else d.code.push(0xc0 | (reg << 3) | (encoding.rm ?? r.below(8)));
    }
    const w = (rex & 8) !== 0 && rex !== 0;
    const operandSize = w ? 8 : operand66 ? 2 : definition.size64 === undefined ? 4 : 8;
    for (const spec of encoding.operands) {
      if (/^O/.test(spec)) d.int(where, address32 ? 4 : 8);
      const size = immediateSize(spec, operandSize, encoding.map, encoding.opcode);
      if (size > 0 && definition.staticImmediate === true) d.int(r.pick(immediatesOf(r)), size);
      else if (size > 0) d.int(size === 1 && r.oneIn(2) ? BigInt(r.below(70)) : r.integer(), size);
    }
  }
  // Registers with a meaning of their own.
  const string = encoding.operands.some((o) => /^[XY]/.test(o));
  if (string || /^MASKMOV/.test(definition.mnemonic)) {
    d.gpr[6] = target(r);
    d.gpr[7] = target(r);
  }
  const least = leastRepetitions(/^(INS|OUTS)/.test(definition.mnemonic));
  if (definition.rep !== undefined) d.gpr[1] = BigInt(least + (r.oneIn(8) ? r.below(300) : r.below(12)));
  if (encoding.operands.includes('CL') && r.oneIn(2)) d.gpr[1] = BigInt(r.below(70));
  d.toEnd = definition.rep !== undefined || definition.mnemonic.startsWith('PUSHF');
  if (d.relative !== undefined) patchRelative(d);
  finish(r, d, out, at);
}

/** A VEX form: general-purpose BMI instructions. */
function drawVex(d: Draft, { encoding }: Form, memory: boolean, where: bigint): void {
  const { r } = d;
  const rex = r.below(16);
  const w = encoding.w ?? r.below(2);
  const pp = encoding.prefix === '66' ? 1 : encoding.prefix === 'F3' ? 2 : encoding.prefix === 'F2' ? 3 : 0;
  const l = encoding.vex === 1 ? 1 : 0;
  const usesV = encoding.operands.some((o) => /^[BH]/.test(o));
  const v = usesV ? r.below(16) : 15;
  d.code.push(0xc4, ((~(rex & 7) << 5) & 0xe0) | encoding.map, (w << 7) | (v << 3) | (l << 2) | pp, encoding.opcode);
  const reg = encoding.digit ?? r.below(8);
  if (memory) memoryForm(d, reg, rex, false, where);
  else d.code.push(0xc0 | (reg << 3) | r.below(8));
  if (encoding.operands.includes('Ib')) d.int(r.below(256), 1);
}

function patchRelative(d: Draft): void {
  const { at, target: where } = d.relative!;
  const value = BigInt.asUintN(32, where - BigInt(Area.code) - BigInt(codeOffsetFor(d)) - BigInt(d.code.length));
  for (let i = 0; i < 4; i++) d.code[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
}

const offsets = new WeakMap<Draft, number>();

/** Usually in the middle of the first page; sometimes across the boundary, sometimes into the unmapped end. */
function codeOffsetFor(d: Draft): number {
  const known = offsets.get(d);
  if (known !== undefined) return known;
  const { r } = d;
  const length = d.code.length;
  let offset = 0x100 + 16 * r.below(64);
  if (r.oneIn(12)) offset = 0x1000 - r.below(length + 1);
  else if (!d.toEnd && r.oneIn(40)) offset = Area.codeSize - 1 - r.below(length);
  offsets.set(d, offset);
  return offset;
}

/** Writes what was drawn, with random flags, vectors, MXCSR and window. */
function finish(r: Random, d: Draft, out: Buffer, at: number): void {
  const offset = codeOffsetFor(d);
  const code = d.code.slice(0, Math.min(15, Area.codeSize - offset));
  out.fill(0, at, at + Image.size);
  out[at + Image.codeLength] = code.length;
  out[at + Image.run] = d.toEnd ? Run.toEnd : 0;
  out.writeUInt16LE(offset, at + Image.codeOffset);
  out.set(code, at + Image.code);
  // CF PF AF ZF SF OF and DF.
  out.writeBigUInt64LE(BigInt((r.u32() & 0xcd5) | 0x202), at + Image.rflags);
  for (let i = 0; i < 16; i++) out.writeBigUInt64LE(BigInt.asUintN(64, d.gpr[i]!), at + Image.gpr + 8 * i);
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  for (let i = 0; i < 16; i++) r.vector(view, at + Image.xmm + 16 * i);
  for (let i = 0; i < 16; i++) r.vector(view, at + Image.window + 16 * i);
  const control = r.oneIn(4) ? 0x40 | (r.oneIn(2) ? 0x3f : r.below(64)) | (r.pick([0, 2, 3]) << 8) | (r.below(4) << 10) : 0x37f;
  let status = r.oneIn(2) ? (r.below(8) << 11) | (r.u32() & 0x4700) : 0;
  if (r.oneIn(12)) status |= r.below(64);
  // Error summary and busy say that one of the exceptions is not masked.
  if ((status & ~control & 0x3f) !== 0) status |= 0x8080;
  out.writeUInt16LE(control, at + Image.fx);
  out.writeUInt16LE(status, at + Image.fx + 2);
  out[at + Image.fx + 4] = r.oneIn(2) ? r.below(256) : 0;
  for (let i = 0; i < 8; i++) drawExtended(r, view, at + Image.st + 16 * i);
  let mxcsr = 0x1f80;
  if (r.oneIn(2)) mxcsr |= 0x20;
  if (r.oneIn(3)) mxcsr = (r.u32() & 0x603f) | 0x1f80 | (r.oneIn(3) ? 0x8000 : 0) | (r.oneIn(3) ? 0x40 : 0);
  if (r.oneIn(10)) mxcsr = r.u32() & 0xffff;
  out.writeUInt32LE(mxcsr, at + Image.mxcsr);
  out.writeBigUInt64LE(BigInt(Area.data + (r.oneIn(2) ? 0 : r.below(64))), at + Image.fsBase);
  out.writeBigUInt64LE(r.oneIn(2) ? 0n : BigInt(r.below(64)), at + Image.gsBase);
}

/** Ten bytes of an x87 register: widened doubles mostly, edges, anything. */
export function drawExtended(r: Random, view: DataView, at: number): void {
  const exponent = r.pick([0, 0, 1, 0x3fff, 0x3ffe, 0x4000, 0x3fff + r.below(64), 0x3fff - r.below(64), 0x7ffe, 0x7fff, r.below(0x8000)]);
  const significand = r.pick([
    0n,
    1n << 63n,
    0xc000_0000_0000_0000n,
    (1n << 63n) | 1n,
    0xffff_ffff_ffff_ffffn,
    r.u64() | (1n << 63n),
    r.u64(),
    (r.u64() & 0xffff_f800_0000_0000n) | (1n << 63n),
  ]);
  view.setBigUint64(at, significand, true);
  view.setUint16(at + 8, exponent | (r.oneIn(2) ? 0x8000 : 0), true);
}

/** A case of arbitrary bytes. */
export function drawBytes(r: Random, out: Buffer, at: number): void {
  const d = new Draft(r);
  const length = 1 + r.below(15);
  const escape = r.pick([
    [],
    [],
    [0x0f],
    [0x66, 0x0f],
    [0xf3, 0x0f],
    [0xf2, 0x0f],
    [0x48],
    [0x0f, 0x38],
    [0x66, 0x0f, 0x3a],
    [0xf0],
    [0x66],
  ]);
  d.code.push(...escape);
  for (let i = 0; i < length; i++) d.code.push(r.below(256));
  for (let i = 0; i < 16; i++) if (r.oneIn(2)) d.gpr[i] = target(r);
  while (d.code.length < 15) d.code.push(r.below(256));
  const repeated = repeatedLength(d.code);
  if (repeated > 0) {
    // Under the trap flag the processor stops after each round of a repeated string instruction: let it run to the end, keep that near, and nothing after it.
    d.code.length = repeated;
    d.toEnd = true;
    const port = (d.code[repeated - 1]! & 0xfc) === 0x6c;
    d.gpr[1] = BigInt(leastRepetitions(port) + r.below(12));
  }
  finish(r, d, out, at);
}

/** Length of a string instruction under a REP prefix that the bytes begin with, or 0. */
function repeatedLength(code: readonly number[]): number {
  let at = 0;
  let prefixed = false;
  for (; isPrefix(code[at]!); at++) prefixed ||= code[at] === 0xf2 || code[at] === 0xf3;
  const opcode = code[at]!;
  const string = (opcode >= 0xa4 && opcode <= 0xa7) || (opcode >= 0xaa && opcode <= 0xaf) || (opcode >= 0x6c && opcode <= 0x6f);
  return prefixed && string ? at + 1 : 0;
}

const isPrefix = (byte: number): boolean =>
  [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3].includes(byte) || (byte & 0xf0) === 0x40;
