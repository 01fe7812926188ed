/**
 * Every instruction form against the processor underneath: random encodings, random states, page boundaries and faults. LOCKSTEP_CASES sets the number,
 * SEED repeats a run, LOCKSTEP_ONLY restricts it to mnemonics or features that match a pattern. Failures become cases of regressions.json, which run first.
 */

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Code, Decoder, DecoderOptions, Formatter, FormatterSyntax } from 'iced-x86';
import { definitions } from '../../debug-adapter/x86/isa/all';
import { Subject, decodeCase } from './compare';
import { drawBytes, drawCase, formsOf, mayRun } from './generate';
import { Area, Image, Oracle, Run, oracleMissing } from './native';
import { Random, seedOf } from './random';

const batchSize = 1024;
const regressionFile = join(import.meta.dirname, 'regressions.json');

/** A kept case: the image compressed, and a line for people. */
interface Regression {
  readonly note: string;
  readonly image: string;
}

function regressions(): Regression[] {
  return existsSync(regressionFile) ? (JSON.parse(readFileSync(regressionFile, 'utf8')) as Regression[]) : [];
}

/** Text of a case's instruction. */
function disassemble(batch: Buffer, at: number): string {
  const code = batch.subarray(at + Image.code, at + Image.code + batch[at + Image.codeLength]!);
  const decoder = new Decoder(64, code, DecoderOptions.None);
  decoder.ip = BigInt(Area.code + batch.readUInt16LE(at + Image.codeOffset));
  const formatter = new Formatter(FormatterSyntax.Intel);
  const instruction = decoder.decode();
  const text = formatter.format(instruction);
  instruction.free();
  formatter.free();
  decoder.free();
  return `${code.toString('hex')}  ${text}`;
}

/** Input of a case on one line: what the instruction may have read. */
function describeInput(batch: Buffer, at: number): string {
  const names = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'];
  const registers = names.map((name, i) => `${name}=${batch.readBigUInt64LE(at + Image.gpr + 8 * i).toString(16)}`).join(' ');
  const decoded = decodeCase(batch, at);
  const vectors = Array.from(
    { length: 16 },
    (_, i) => `xmm${i}=${batch.subarray(at + Image.xmm + 16 * i, at + Image.xmm + 16 * i + 16).toString('hex')}`,
  ).join(' ');
  const unit = decoded?.row.definition.unit;
  const rip = Area.code + batch.readUInt16LE(at + Image.codeOffset);
  const parts = [`rip=${rip.toString(16)} flags=${batch.readBigUInt64LE(at + Image.rflags).toString(16)} ${registers}`];
  if (unit === 'sse') parts.push(`mxcsr=${batch.readUInt32LE(at + Image.mxcsr).toString(16)} ${vectors}`);
  if (unit === 'x87' || unit === 'x87nowait' || unit === 'mmx') {
    const st = Array.from({ length: 8 }, (_, i) =>
      batch.subarray(at + Image.st + 16 * i, at + Image.st + 16 * i + 10).toString('hex'),
    ).join(' ');
    parts.push(
      `fcw=${batch.readUInt16LE(at + Image.fx).toString(16)} fsw=${batch.readUInt16LE(at + Image.fx + 2).toString(16)} tags=${batch[at + Image.fx + 4]!.toString(16)} st=${st}`,
    );
  }
  if (decoded?.hasMemory === true || decoded === undefined)
    parts.push(`window=${batch.subarray(at + Image.window, at + Image.window + 256).toString('hex')}`);
  return parts.join('\n        ');
}

describe('instructions against this CPU', () => {
  let oracle: Oracle | undefined;
  before(function () {
    const missing = oracleMissing();
    if (missing !== undefined) {
      console.log(`      skipped: ${missing}`);
      this.skip();
    }
    oracle = new Oracle();
  });
  after(() => oracle?.close());

  it('holds the cases that failed once', async function () {
    const kept = regressions();
    if (kept.length === 0) return;
    this.timeout(60_000);
    const batch = Buffer.concat(kept.map((entry) => gunzipSync(Buffer.from(entry.image, 'base64'))));
    const subject = new Subject();
    const wrong: string[] = [];
    for (let from = 0; from < batch.length; from += 4096 * Image.size) {
      const part = batch.subarray(from, from + 4096 * Image.size);
      const expected = await oracle!.run(part);
      for (let at = 0; at < part.length; at += Image.size) {
        const differences = subject.check(part, at, expected);
        if (differences.length > 0) wrong.push(`${disassemble(part, at)}: ${differences.join('; ')}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('does as the processor does', async function () {
    const total = Number(process.env['LOCKSTEP_CASES'] ?? 100_000);
    this.timeout(60_000 + total * 10);
    const seed = seedOf('lock-step');
    const only = process.env['LOCKSTEP_ONLY'];
    const forms = formsOf(definitions, only === undefined ? undefined : new RegExp(only));
    const random = new Random(seed);
    const subject = new Subject();
    const limit = Number(process.env['LOCKSTEP_FAILURES'] ?? 20);
    const failures: { text: string; mnemonic: string; note: string; image: Buffer }[] = [];
    const byMnemonic = new Map<string, number>();
    let cases = 0;
    let faults = 0;
    const began = Date.now();
    while (cases < total && byMnemonic.size < limit) {
      const batch = Buffer.alloc(batchSize * Image.size);
      for (let i = 0; i < batchSize; i++) {
        const at = i * Image.size;
        if (only === undefined && random.oneIn(10)) {
          do drawBytes(random, batch, at);
          while (!comparable(batch, at));
        } else {
          do drawCase(random, random.pick(forms), batch, at);
          while (!comparable(batch, at));
        }
      }
      const expected = await oracle!.run(batch);
      for (let i = 0; i < batchSize; i++) {
        const at = i * Image.size;
        const trap = expected.readUInt32LE(at + Image.trap);
        if (trap !== 1 && trap !== 3) faults++;
        const differences = subject.check(batch, at, expected);
        if (differences.length === 0) continue;
        const mnemonic = `${decodeCase(batch, at)?.row.definition.mnemonic ?? '(none)'} ${differences[0]!.split(':')[0]!.replace(/\d+$/, '')}`;
        const count = (byMnemonic.get(mnemonic) ?? 0) + 1;
        byMnemonic.set(mnemonic, count);
        if (count > 2) continue;
        const text = `${disassemble(batch, at)}\n        ${describeInput(batch, at)}\n        ${differences.join('\n        ')}`;
        failures.push({ text, mnemonic, note: disassemble(batch, at), image: Buffer.from(batch.subarray(at, at + Image.size)) });
      }
      cases += batchSize;
    }
    console.log(`      ${cases} cases, ${faults} of them faults, ${forms.length} forms, ${((Date.now() - began) / 1000).toFixed(1)} s`);
    for (const failure of failures.slice(0, 2 * limit)) console.log(`      ${failure.text}`);
    if (failures.length > 0) console.log([...byMnemonic].map(([name, count]) => `      ${name}: ${count}`).join('\n'));
    if (failures.length > 0 && process.env['LOCKSTEP_KEEP'] !== undefined) {
      const kept = [...regressions(), ...failures.map(({ note, image }) => ({ note, image: gzipSync(image).toString('base64') }))];
      writeFileSync(regressionFile, `${JSON.stringify(kept, undefined, 2)}\n`);
    }
    assert.equal(failures.length, 0, `cases that differ, from SEED=${seed}`);
  });
});

/** Arbitrary bytes run only where both sides mean the same instruction, and it is one that may run in the harness. */
function comparable(batch: Buffer, at: number): boolean {
  const code = batch.subarray(at + Image.code, at + Image.code + batch[at + Image.codeLength]!);
  const decoded = decodeCase(batch, at);
  if (decoded !== undefined && !mayRun(decoded.row, code.subarray(0, decoded.length).includes(0x66))) return false;
  if (decoded !== undefined && /^PUSHF/.test(decoded.row.definition.mnemonic)) batch[at + Image.run] = Run.toEnd;
  // What the product does not know must be unknown to everybody, or be cut off by the end of the code.
  if (decoded === undefined || (batch[at + Image.run]! & Run.toEnd) !== 0) {
    const decoder = new Decoder(64, code, DecoderOptions.AMD);
    const instruction = decoder.decode();
    const known = instruction.code !== Code.INVALID;
    const length = instruction.length;
    instruction.free();
    decoder.free();
    if (decoded === undefined) return !known;
    if ((batch[at + Image.run]! & Run.toEnd) === 0) return true;
    // Runs that end at a breakpoint must end at the one behind the code.
    batch[at + Image.codeLength] = length;
    return known;
  }
  return true;
}
