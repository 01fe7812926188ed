/** Runs suites that others wrote on the product's processor and prints what passed: `tsx test/conformance/run.ts [pattern]`. */

import { type CpuExit } from '../../debug-adapter/x86/api';
import { featuresOf } from '../../debug-adapter/x86/cpuid';
import { type Feature } from '../../debug-adapter/x86/isa/definition';
import { State } from '../../debug-adapter/x86/state';
import { BareCpu, Page } from '../lockstep/bare';
import { assemble, fexFolder, readTests, type FexTest } from './fex';

/** What a group of tests came to. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

export interface ConformanceResult {
  /** Why nothing ran. */
  readonly missing?: string;
  readonly groups: ReadonlyMap<string, Tally>;
  /** Name and reason of every failure. */
  readonly failures: readonly string[];
  readonly skipped: readonly string[];
}

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
  CLFLOPT: 'clflushopt',
  FSGSBASE: 'fsgsbase',
};

/** Whether the default model has a feature of the suite's. */
function lacks(feature: string): boolean {
  const ours = featureNames[feature.toUpperCase()];
  return ours === undefined || !featuresOf('default').has(ours);
}

/** Tests that ask for something else than the processor that the product models, with the reason. They count as skipped. */
const otherwise: Readonly<Record<string, string>> = {
  'FEX_bugs/32bit_syscall': "needs Linux's INT 80h",
  'TwoByte/0F_02': 'needs a Linux system call',
  'FEX_bugs/SegmentAddressOverride': 'maps 4 GiB',
  'FEX_bugs/mmx_x87_register_conflating': 'needs XSAVE, which it does not name',
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
  'modrm_oob/DDD': 'needs 3DNow, which it does not name',
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

const rights = Page.writable | Page.user | Page.dirty;

/** A machine for one test, as the suite's own runner lays it out. */
function prepare(test: FexTest, code: Uint8Array): BareCpu {
  const bare = new BareCpu();
  const mapRange = (from: bigint, length: number): void => {
    for (let page = from & ~0xfffn; page < from + BigInt(length); page += 0x1000n) bare.map(page, rights);
  };
  mapRange(scratch, scratchPages * 4096);
  mapRange(sib8 - 0x1000n, 2 * 4096);
  mapRange(stack, 4096);
  mapRange(codeBase, code.length);
  for (const [address, length] of test.regions) mapRange(address, length);
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
  if (bytes[i] === 0x0f && bytes[i + 1] === 0x3a && [0x44, 0xcc, 0xdf].includes(bytes[i + 2]!)) return 'AES, SHA or PCLMUL';
  return undefined;
}

const legacyPrefixes: ReadonlySet<number> = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);

/** What a test came to. */
export type Verdict = { readonly kind: 'passed' } | { readonly kind: 'failed' | 'skipped'; readonly reason: string };

/** Runs one test. It is skipped where it turns out to use an extension that it does not name. */
export function runTest(test: FexTest, code: Uint8Array): Verdict {
  const bare = prepare(test, code);
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

/** Runs FEX-Emu's assembly tests whose names match. Prints nothing; see `printTable`. */
export function runConformance(pattern = /./): ConformanceResult {
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
    const absent = test.features.filter(lacks);
    if (absent.length > 0) {
      skip(`needs ${absent.join(', ')}`);
      continue;
    }
    const reason = otherwise[test.name];
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
    let verdict: Verdict;
    try {
      verdict = runTest(test, code);
    } catch (error) {
      verdict = { kind: 'failed', reason: `thrown: ${(error as Error).message}` };
    }
    if (verdict.kind === 'skipped') {
      skip(verdict.reason);
      continue;
    }
    tally[verdict.kind]++;
    if (verdict.kind === 'failed') failures.push(`${test.name}: ${verdict.reason}`);
  }
  return { groups, failures, skipped };
}

/** The table and the failures, as text for a terminal. */
export function printTable(result: ConformanceResult): string {
  if (result.missing !== undefined) return `conformance skipped: ${result.missing}`;
  const rows = [...result.groups].map(([name, t]) => [name, t.passed, t.failed, t.skipped] as const);
  const sum = (column: 1 | 2 | 3): number => rows.reduce((total, row) => total + row[column], 0);
  const line = (name: string, a: string | number, b: string | number, c: string | number): string =>
    `${name.padEnd(24)}${String(a).padStart(8)}${String(b).padStart(8)}${String(c).padStart(9)}`;
  return [
    line('FEX unittests/ASM', 'passed', 'failed', 'skipped'),
    ...rows.map((row) => line(...row)),
    line('all', sum(1), sum(2), sum(3)),
    ...result.failures.map((failure) => `  ${failure}`),
  ].join('\n');
}

if (process.argv[1]?.endsWith('run.ts')) {
  const result = runConformance(new RegExp(process.argv[2] ?? '.'));
  console.log(printTable(result));
  process.exitCode = result.failures.length > 0 ? 1 : 0;
}
