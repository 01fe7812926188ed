/** Runs FEX-Emu's unittests/ASM on the product's processor, each test by the interpreter and by translated code. */

import { type CpuExit } from '../../debug-adapter/x86/api';
import { featuresOf } from '../../debug-adapter/x86/cpuid';
import { type Feature } from '../../debug-adapter/x86/isa/definition';
import { State } from '../../debug-adapter/x86/state';
import { BareCpu, Page } from '../lockstep/bare';
import { type ConformanceResult, type Tally } from './result';
import { assemble, fexFolder, readTests, type FexTest } from './fex';

/** Our names of the suite's features. What is not here, the processor leaves out. */
const featureNames: Readonly<Record<string, Feature>> = {
  SSSE3: 'ssse3',
  'SSE4.1': 'sse4_1',
  'SSE4.2': 'sse4_2',
  BMI1: 'bmi1',
  BMI2: 'bmi2',
  MOVBE: 'movbe',
  ADX: 'adx',
  XSAVE: 'xsave',
  RAND: 'rdrand',
  CLWB: 'clwb',
  PCLMUL: 'pclmul',
  RDPID: 'rdpid',
  CLFLOPT: 'clflushopt',
  FSGSBASE: 'fsgsbase',
};

/** The model with all that the processor has. */
const model = 'xsave';

/** Why the product is without a feature of the suite's. */
const absences: Readonly<Record<string, string>> = {
  AVX: 'AVX',
  AFP: 'a feature of Arm hosts',
  AES: 'AES',
  AES256: 'AVX and AES',
  SHA: 'SHA',
  '3DNOW': '3DNow',
  EMMI: "an extension of Cyrix's",
  SSE4A: 'SSE4A, which only AMD has',
  CLZERO: 'CLZERO, which only AMD has',
};

/** What a test needs that the processor lacks, in words, or undefined. */
function lacking(test: FexTest): string | undefined {
  const absent = test.features.map((feature) => feature.toUpperCase()).filter((feature) => feature !== 'LINUX');
  const reasons = absent.flatMap((feature) => {
    const ours = featureNames[feature];
    return ours !== undefined && featuresOf(model).has(ours) ? [] : [absences[feature] ?? `${feature}: unknown`];
  });
  return reasons.length === 0 ? undefined : `needs ${reasons.join(', ')}`;
}

/** Tests that ask for something else than the processor that the product models, with the reason. They count as skipped. */
const otherwise: Readonly<Record<string, string>> = {
  'FEX_bugs/32bit_syscall': "needs Linux's INT 80h",
  'TwoByte/0F_02': 'needs a Linux system call',
  'Primary/Primary_8C': 'loads selectors that no 64-bit system has',
  'Primary/Primary_8C_2': 'loads selectors that no 64-bit system has',
  'Primary/Primary_E8': 'takes 66 before a near call as AMD processors do',
  'Primary/Primary_E9': 'takes 66 before a near jump as AMD processors do',
  'PrimaryGroup/5_FF_05': 'takes REX.W before a far jump as AMD processors do',
  'PrimaryGroup/5_FF_05_03_o64': 'takes REX.W before a far call as AMD processors do',
  'PrimaryGroup/5_FF_05_03_o64_imm': 'takes REX.W before a far call as AMD processors do',
  'Secondary/07_XX_00': 'expects what Linux answers for SGDT under UMIP',
  'Secondary/07_XX_04': 'keeps the upper half of a register in SMSW r32, which the manual leaves open',
  'X87/FXAM_Simple': "expects the suite's own emulator's answer, and says so",
  'X87/X87MMXInteraction': "expects the suite's own emulator's answer: it is among its known failures on a real processor",
  'X87/D9_F2': "the last digit of FPTAN is the processor's own",
  'X87/D9_F9': 'gives FYL2XP1 an operand outside of its range, where the result is undefined',
  'modrm_oob/DDD': 'uses 3DNow without saying so',
};

const registerNumbers: Readonly<Record<string, number>> = Object.fromEntries(
  ['RAX', 'RCX', 'RDX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI', 'R8', 'R9', 'R10', 'R11', 'R12', 'R13', 'R14', 'R15'].map((name, i) => [
    name,
    i,
  ]),
);

const codeBase = 0x1_0000n;
const stack = 0xc000_0000n;
const scratch = 0xe000_0000n;
const scratchPages = 10;
const sib8 = 0xe800_0000n;
const hlt = 0xf4;
const budget = 50_000_000;
const mostMapped = 16 << 20;

export type Tier = 'interpreted' | 'translated';
const tiers: readonly Tier[] = ['interpreted', 'translated'];

const rights = Page.writable | Page.user | Page.dirty;

/** A machine for one test, as the suite's own runner lays it out. */
function prepare(test: FexTest, code: Uint8Array, tier: Tier): BareCpu {
  const bare = new BareCpu({ model, jit: tier === 'translated' ? 'eager' : false });
  const mapRange = (from: bigint, length: number): void => {
    for (let page = from & ~0xfffn; page < from + BigInt(length); page += 0x1000n) bare.map(page, rights);
  };
  mapRange(scratch, scratchPages * 4096);
  mapRange(sib8 - 0x1000n, 2 * 4096);
  mapRange(stack, 4096);
  mapRange(codeBase, code.length);
  for (const [address, length] of test.regions) {
    // Of a region larger than the memory here only the ends are used.
    if (length > mostMapped) {
      mapRange(address, 0x1_0000);
      mapRange(address + BigInt(length - 0x1_0000), 0x1_0000);
    } else mapRange(address, length);
  }
  bare.reset();
  bare.cpu.writeMemory(codeBase, code);
  for (const [address, bytes] of test.data) bare.cpu.writeMemory(address, bytes);
  bare.cpu.setRegister('rip', codeBase);
  bare.cpu.setRegister('rflags', 0x202n);
  bare.view.setUint16(State.fcw, 0x37f, true);
  bare.view.setUint16(State.fsw, 0, true);
  bare.view.setUint16(State.ftw, 0xffff, true);
  bare.view.setUint32(State.mxcsr, 0x1f80, true);
  return bare;
}

/** The 64-bit parts of a register of the final state, or undefined where the suite has a name that is not one of ours. */
function parts(bare: BareCpu, name: string): readonly bigint[] | undefined {
  const number = registerNumbers[name];
  if (number !== undefined) return [bare.view.getBigUint64(State.gpr + 8 * number, true)];
  const xmm = /^XMM(\d+)$/.exec(name);
  if (xmm) {
    const at = State.xmm + 32 * Number(xmm[1]);
    return [bare.view.getBigUint64(at, true), bare.view.getBigUint64(at + 8, true)];
  }
  const mm = /^MM([0-7])$/.exec(name);
  if (mm) {
    const at = State.x87 + 16 * Number(mm[1]);
    return [bare.view.getBigUint64(at, true), BigInt(bare.view.getUint16(at + 8, true))];
  }
  return undefined;
}

/** The extension that the bytes of an instruction belong to, where it is one that this processor leaves out. */
function extensionOf(bytes: Uint8Array): string | undefined {
  let i = 0;
  while (i < bytes.length && (legacyPrefixes.has(bytes[i]!) || (bytes[i]! & 0xf0) === 0x40)) i++;
  if (bytes[i] === 0xc4 || bytes[i] === 0xc5 || bytes[i] === 0x62) return 'AVX';
  if (bytes[i] === 0x0f && bytes[i + 1] === 0x38 && bytes[i + 2]! >= 0xc8 && bytes[i + 2]! <= 0xdf) return 'AES or SHA';
  if (bytes[i] === 0x0f && bytes[i + 1] === 0x3a && [0xcc, 0xdf].includes(bytes[i + 2]!)) return 'AES or SHA';
  if (bytes[i] === 0x0f && bytes[i + 1] === 0x01 && bytes[i + 2] === 0xfc) return "AMD's CLZERO";
  return undefined;
}

const legacyPrefixes: ReadonlySet<number> = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);

/** What a test came to. */
export type Verdict = { readonly kind: 'passed' } | { readonly kind: 'failed' | 'skipped'; readonly reason: string };

/** Runs one test. It is skipped where it turns out to use an extension that it does not name. */
export function runTest(test: FexTest, code: Uint8Array, tier: Tier): Verdict {
  const bare = prepare(test, code, tier);
  const exit = bare.run(budget);
  if (exit.kind === 'unsupported') {
    const extension = extensionOf(exit.bytes);
    return extension === undefined
      ? { kind: 'failed', reason: exit.reason }
      : { kind: 'skipped', reason: `uses ${extension} without saying so` };
  }
  const reason = judge(test, bare, exit);
  return reason === undefined ? { kind: 'passed' } : { kind: 'failed', reason };
}

/** What is wrong with the final state, or undefined. */
function judge(test: FexTest, bare: BareCpu, exit: CpuExit): string | undefined {
  const rip = bare.cpu.getRegister('rip')!;
  const at = bare.cpu.readMemory(rip, 1)[0];
  if (exit.kind !== 'hook' || at !== hlt) {
    const fault = bare.fault === undefined ? '' : ` (exception ${bare.fault.vector}, code ${bare.fault.errorCode})`;
    return exit.kind === 'budget' ? 'runs without end' : `stopped by ${exit.kind}${fault} at 0x${rip.toString(16)}`;
  }
  const wrong: string[] = [];
  for (const [name, expected] of test.registers) {
    const got = parts(bare, name);
    if (got === undefined) continue;
    for (let i = 0; i < Math.min(got.length, expected.length); i++) {
      if (got[i] !== expected[i]) wrong.push(`${name}[${i}] is 0x${got[i]!.toString(16)}, not 0x${expected[i]!.toString(16)}`);
    }
  }
  return wrong.length === 0 ? undefined : wrong.slice(0, 3).join(', ');
}

const group = (test: FexTest): string => (test.name.includes('/') ? test.name.slice(0, test.name.indexOf('/')) : '(top)');

/** What both tiers came to: the first that did not pass, if any. */
function verdictOf(test: FexTest, code: Uint8Array): Verdict {
  for (const tier of tiers) {
    let verdict: Verdict;
    try {
      verdict = runTest(test, code, tier);
    } catch (error) {
      verdict = { kind: 'failed', reason: `thrown: ${(error as Error).message}` };
    }
    if (verdict.kind === 'failed') return { kind: 'failed', reason: `${tier}: ${verdict.reason}` };
    if (verdict.kind === 'skipped') return verdict;
  }
  return { kind: 'passed' };
}

/** Runs FEX-Emu's assembly tests whose names match. */
export function runFex(pattern = /./): ConformanceResult {
  const found = fexFolder();
  const groups = new Map<string, Tally>();
  const failures: string[] = [];
  const skipped: string[] = [];
  if ('missing' in found) return { missing: found.missing, groups, failures, skipped };
  const { tests, unreadable } = readTests(found.folder);
  skipped.push(...unreadable);
  for (const test of tests.filter((t) => pattern.test(t.name))) {
    const tally = groups.get(group(test)) ?? { passed: 0, failed: 0, skipped: 0 };
    groups.set(group(test), tally);
    const skip = (reason: string): void => {
      tally.skipped++;
      skipped.push(`${test.name}: ${reason}`);
    };
    const reason = lacking(test) ?? otherwise[test.name];
    if (reason !== undefined) {
      skip(reason);
      continue;
    }
    let code: Uint8Array;
    try {
      code = assemble(found.folder, test);
    } catch (error) {
      skip(`nasm: ${String((error as { stderr?: Buffer }).stderr ?? error).split('\n')[0]}`);
      continue;
    }
    const verdict = verdictOf(test, code);
    if (verdict.kind === 'skipped') {
      skip(verdict.reason);
      continue;
    }
    tally[verdict.kind]++;
    if (verdict.kind === 'failed') failures.push(`${test.name}: ${verdict.reason}`);
  }
  return { groups, failures, skipped };
}
