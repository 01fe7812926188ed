/** The exact SSE arithmetic, lane by lane, against the processor underneath: values, NaNs and MXCSR flags in every rounding mode. */

import assert from 'node:assert/strict';
import { add, compare, divide, maximum, minimum, multiply, squareRoot, subtract, type Binary } from '../../debug-adapter/x86/fp/arithmetic';
import { fromInteger, narrow, toInteger, toIntegral, widen } from '../../debug-adapter/x86/fp/convert';
import { SseControl, double, single, type Format } from '../../debug-adapter/x86/fp/format';
import { Image, Oracle, oracleMissing } from './native';
import { Random, seedOf } from './random';

/** One operation: `op xmm0, xmm1` (or to/from a general register), and our function on the low lanes. */
interface Subject {
  readonly name: string;
  readonly code: string;
  readonly source: Format | 'integer';
  readonly target: Format | 'general';
  readonly ours: (c: SseControl, a: bigint, b: bigint) => bigint;
}

const binary = (name: string, opcode: string, op: Binary): readonly Subject[] => [
  { name: `${name}SS`, code: `f30f${opcode}c1`, source: single, target: single, ours: (c, a, b) => op(c, single, a, b) },
  { name: `${name}SD`, code: `f20f${opcode}c1`, source: double, target: double, ours: (c, a, b) => op(c, double, a, b) },
];

const subjects: readonly Subject[] = [
  ...binary('ADD', '58', add),
  ...binary('SUB', '5c', subtract),
  ...binary('MUL', '59', multiply),
  ...binary('DIV', '5e', divide),
  ...binary('MIN', '5d', minimum),
  ...binary('MAX', '5f', maximum),
  ...binary('SQRT', '51', squareRoot),
  ...[0, 1, 2, 3, 4, 5, 6, 7].flatMap((p): Subject[] => [
    { name: `CMPSS ${p}`, code: `f30fc2c10${p}`, source: single, target: single, ours: (c, a, b) => compare(c, single, a, b, p) },
    { name: `CMPSD ${p}`, code: `f20fc2c10${p}`, source: double, target: double, ours: (c, a, b) => compare(c, double, a, b, p) },
  ]),
  ...[0, 1, 2, 3].flatMap((mode): Subject[] => [
    {
      name: `ROUNDSS ${mode}`,
      code: `660f3a0ac10${mode}`,
      source: single,
      target: single,
      ours: (c, _a, b) => toIntegral(c, single, b, mode, false),
    },
    {
      name: `ROUNDSD ${mode}`,
      code: `660f3a0bc10${(mode | 8).toString(16)}`,
      source: double,
      target: double,
      ours: (c, _a, b) => toIntegral(c, double, b, mode, true),
    },
  ]),
  { name: 'CVTSS2SD', code: 'f30f5ac1', source: single, target: double, ours: (c, _a, b) => widen(c, b) },
  { name: 'CVTSD2SS', code: 'f20f5ac1', source: double, target: single, ours: (c, _a, b) => narrow(c, b) },
  {
    name: 'CVTSI2SS',
    code: 'f3480f2ac0',
    source: 'integer',
    target: single,
    ours: (c, _a, b) => fromInteger(c, single, BigInt.asIntN(64, b)),
  },
  {
    name: 'CVTSI2SD',
    code: 'f2480f2ac0',
    source: 'integer',
    target: double,
    ours: (c, _a, b) => fromInteger(c, double, BigInt.asIntN(64, b)),
  },
  {
    name: 'CVTSS2SI r32',
    code: 'f30f2dc1',
    source: single,
    target: 'general',
    ours: (c, _a, b) => toInteger(c, single, b, 32, c.rounding),
  },
  {
    name: 'CVTSS2SI r64',
    code: 'f3480f2dc1',
    source: single,
    target: 'general',
    ours: (c, _a, b) => toInteger(c, single, b, 64, c.rounding),
  },
  {
    name: 'CVTSD2SI r32',
    code: 'f20f2dc1',
    source: double,
    target: 'general',
    ours: (c, _a, b) => toInteger(c, double, b, 32, c.rounding),
  },
  {
    name: 'CVTSD2SI r64',
    code: 'f2480f2dc1',
    source: double,
    target: 'general',
    ours: (c, _a, b) => toInteger(c, double, b, 64, c.rounding),
  },
  { name: 'CVTTSD2SI r32', code: 'f20f2cc1', source: double, target: 'general', ours: (c, _a, b) => toInteger(c, double, b, 32, 3) },
];

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

describe('SSE arithmetic against this CPU', () => {
  it('gives the values and the flags of the processor', async function () {
    const missing = oracleMissing();
    if (missing !== undefined) {
      console.log(`      skipped: ${missing}`);
      this.skip();
    }
    this.timeout(120_000);
    const random = new Random(seedOf('SSE arithmetic'));
    const total = Number(process.env['LOCKSTEP_CASES'] ?? 40_000);
    const oracle = await new Oracle().begin();
    const control = new SseControl();
    const wrong: string[] = [];
    for (let done = 0; done < total && wrong.length < 20;) {
      const batch = Buffer.alloc(2048 * Image.size);
      const chosen: { subject: Subject; a: bigint; b: bigint; mxcsr: number }[] = [];
      for (let i = 0; i < 2048; i++) {
        const at = i * Image.size;
        const subject = random.pick(subjects);
        const code = Buffer.from(subject.code, 'hex');
        const masks = random.oneIn(3) ? random.below(64) : 0x3f;
        const mxcsr = (masks << 7) | (random.below(4) << 13) | (random.oneIn(4) ? 0x40 : 0) | (random.oneIn(4) ? 0x8000 : 0);
        const operand = (f: Format | 'integer' | 'general'): bigint => {
          if (f === 'integer') return random.integer();
          return f === single ? BigInt(random.single()) : random.double();
        };
        const b = operand(subject.source);
        const a = subject.target === 'general' ? 0n : operand(subject.target);
        batch[at + Image.codeLength] = code.length;
        batch.writeUInt16LE(0x100, at + Image.codeOffset);
        code.copy(batch, at + Image.code);
        batch.writeBigUInt64LE(0x202n, at + Image.rflags);
        batch.writeUInt16LE(0x37f, at + Image.fx);
        batch.writeUInt32LE(mxcsr, at + Image.mxcsr);
        batch.writeBigUInt64LE(a, at + Image.xmm);
        batch.writeBigUInt64LE(b, at + Image.xmm + 16);
        if (subject.source === 'integer') batch.writeBigUInt64LE(b, at + Image.gpr);
        chosen.push({ subject, a, b, mxcsr });
      }
      const results = await oracle.run(batch);
      for (const [i, { subject, a, b, mxcsr }] of chosen.entries()) {
        const at = i * Image.size;
        control.load(mxcsr);
        const ours = subject.ours(control, a, b);
        control.finish();
        const unmasked = (control.flags & ~control.masks) !== 0;
        const trap = results.readUInt32LE(at + Image.trap);
        const flags = results.readUInt32LE(at + Image.mxcsr) & 0x3f;
        let theirs = results.readBigUInt64LE(at + (subject.target === 'general' ? Image.gpr : Image.xmm));
        if (subject.target === single) theirs &= 0xffff_ffffn;
        const inMask = `${subject.name} a=${hex(a)} b=${hex(b)} mxcsr=${hex(mxcsr)}`;
        if (flags !== control.flags) wrong.push(`${inMask}: flags ${hex(control.flags)}, processor ${hex(flags)}`);
        else if (unmasked !== (trap === 19)) wrong.push(`${inMask}: ${unmasked ? '' : 'no '}exception, processor trap ${trap}`);
        else if (!unmasked && ours !== theirs) wrong.push(`${inMask}: ${hex(ours)}, processor ${hex(theirs)}`);
      }
      done += 2048;
    }
    oracle.close();
    assert.deepEqual(wrong, []);
  });
});
