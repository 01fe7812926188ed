/** CPU models: which features exist, and what CPUID answers for them (SDM vol. 2A, CPUID). */

import { type CpuModel } from './api';
import { type CpuContext, type HelperTable } from './context';
import { Cr4, readCr4 } from './control-bits';
import { type Feature } from './isa/definition';
import { physicalAddressBits } from './mmu';
import { State } from './state';

/** What x86-64 began with, and what images of Unikraft ask for beyond it: random numbers, 1 GiB pages (a CPUID bit without an instruction). */
const minimal: readonly Feature[] = [
  'base',
  'fpu',
  'tsc',
  'msr',
  'cx8',
  'sep',
  'cmov',
  'clfsh',
  'mmx',
  'fxsr',
  'sse',
  'sse2',
  'sse3',
  'cx16',
  'lahf64',
  'syscall',
  'rdrand',
  'rdseed',
];

/** x86-64-v2, with the integer part of v3. */
const usual: readonly Feature[] = [
  ...minimal,
  'ssse3',
  'sse4_1',
  'sse4_2',
  'popcnt',
  'pclmul',
  'movbe',
  'lzcnt',
  'bmi1',
  'bmi2',
  'adx',
  'rdtscp',
  'rdpid',
  'fsgsbase',
  'invpcid',
  'smap',
  'clflushopt',
  'clwb',
  'prefetchw',
];

const sets: Readonly<Record<CpuModel, ReadonlySet<Feature>>> = {
  min: new Set(minimal),
  default: new Set(usual),
  xsave: new Set([...usual, 'xsave', 'xsaveopt']),
};

/** The features of a model: the decoder and CPUID both go by this set. */
export function featuresOf(model: CpuModel): ReadonlySet<Feature> {
  return sets[model];
}

/** Where a feature is told: leaf, register, bit. */
type Place = readonly ['1c' | '1d' | '7b' | '7c' | 'ext_c' | 'ext_d', number];

const places: Readonly<Partial<Record<Feature, Place>>> = {
  sse3: ['1c', 0],
  pclmul: ['1c', 1],
  ssse3: ['1c', 9],
  fma: ['1c', 12],
  cx16: ['1c', 13],
  sse4_1: ['1c', 19],
  sse4_2: ['1c', 20],
  movbe: ['1c', 22],
  popcnt: ['1c', 23],
  aes: ['1c', 25],
  xsave: ['1c', 26],
  avx: ['1c', 28],
  f16c: ['1c', 29],
  rdrand: ['1c', 30],
  fpu: ['1d', 0],
  tsc: ['1d', 4],
  msr: ['1d', 5],
  cx8: ['1d', 8],
  sep: ['1d', 11],
  cmov: ['1d', 15],
  clfsh: ['1d', 19],
  mmx: ['1d', 23],
  fxsr: ['1d', 24],
  sse: ['1d', 25],
  sse2: ['1d', 26],
  fsgsbase: ['7b', 0],
  bmi1: ['7b', 3],
  avx2: ['7b', 5],
  bmi2: ['7b', 8],
  invpcid: ['7b', 10],
  rdseed: ['7b', 18],
  adx: ['7b', 19],
  smap: ['7b', 20],
  clflushopt: ['7b', 23],
  clwb: ['7b', 24],
  sha: ['7b', 29],
  rdpid: ['7c', 22],
  lahf64: ['ext_c', 0],
  lzcnt: ['ext_c', 5],
  prefetchw: ['ext_c', 8],
  syscall: ['ext_d', 11],
  rdtscp: ['ext_d', 27],
};

function bits(model: CpuModel, where: Place[0]): number {
  let word = 0;
  for (const feature of featuresOf(model)) {
    const place = places[feature];
    if (place?.[0] === where) word |= 1 << place[1];
  }
  return word >>> 0;
}

/** DE, PSE, PAE, PGE, PAT, PSE-36: properties of paging and debugging rather than instructions. */
const leaf1Edx = (1 << 2) | (1 << 3) | (1 << 6) | (1 << 13) | (1 << 16) | (1 << 17);
/** FDP only on unmasked exceptions, and no FPU CS and DS: the x87 unit is made so. */
const leaf7Ebx = (1 << 6) | (1 << 13);
/** SMEP and fast REP MOVSB/STOSB. */
const leaf7EbxDefault = (1 << 7) | (1 << 9);
const umip = 1 << 2;
const pcid = 1 << 17;
/** NX, 1 GiB pages, long mode. */
const extendedEdx = (1 << 20) | (1 << 26) | (1 << 29);

/** CR4 bits that a model has; the others are reserved. */
export function cr4Mask(model: CpuModel): number {
  const has = featuresOf(model);
  let mask = Cr4.TSD | Cr4.DE | Cr4.PSE | Cr4.PAE | Cr4.MCE | Cr4.PGE | Cr4.PCE | Cr4.OSFXSR | Cr4.OSXMMEXCPT;
  if (has.has('fsgsbase')) mask |= Cr4.FSGSBASE;
  if (has.has('xsave')) mask |= Cr4.OSXSAVE;
  if (has.has('smap')) mask |= Cr4.SMAP;
  if (model !== 'min') mask |= Cr4.SMEP | Cr4.UMIP | Cr4.PCIDE;
  return mask;
}

/** XCR0 bits that a model has: x87, SSE, and AVX with the instructions. */
export function xcr0Mask(model: CpuModel): number {
  return featuresOf(model).has('avx') ? 7 : 3;
}

function words(text: string): number[] {
  const result: number[] = [];
  for (let i = 0; i < text.length; i += 4) {
    result.push(
      (text.charCodeAt(i) | (text.charCodeAt(i + 1) << 8) | (text.charCodeAt(i + 2) << 16) | (text.charCodeAt(i + 3) << 24)) >>> 0,
    );
  }
  return result;
}

const vendor = words('GenuineIntel');
const hypervisor = words('UnikernelWkb');
const brand = words('Unikernel Workbench x86-64 processor'.padEnd(48, '\0'));

const basicLeaves = 0xd;
const hypervisorLeaf = 0x4000_0000;
const frequencyLeaf = 0x4000_0010;
const extendedLeaves = 0x8000_0008;

/** Deterministic cache parameters (leaf 4): 32 KiB L1 data and code, 1 MiB L2, 8 MiB L3, lines of 64 bytes. */
const caches = [
  { type: 1, level: 1, ways: 8, sets: 64 },
  { type: 2, level: 1, ways: 8, sets: 64 },
  { type: 3, level: 2, ways: 16, sets: 1024 },
  { type: 3, level: 3, ways: 16, sets: 8192 },
] as const;

export interface CpuidInput {
  readonly model: CpuModel;
  /** TSC frequency told in leaf 0x40000010; 0: the hypervisor leaves read as zero. */
  readonly tscKilohertz: number;
  readonly cr4: number;
  readonly xcr0: number;
}

/** EAX, EBX, ECX, EDX of a leaf. Leaves beyond the highest basic one answer as that one does. */
export function cpuid(input: CpuidInput, leaf: number, subleaf: number): readonly [number, number, number, number] {
  const { model } = input;
  const has = featuresOf(model);
  leaf >>>= 0;
  if (leaf >= hypervisorLeaf && leaf < hypervisorLeaf + 0x100) {
    if (input.tscKilohertz === 0) return [0, 0, 0, 0];
    if (leaf === hypervisorLeaf) return [frequencyLeaf, hypervisor[0]!, hypervisor[1]!, hypervisor[2]!];
    return leaf === frequencyLeaf ? [input.tscKilohertz >>> 0, 0, 0, 0] : [0, 0, 0, 0];
  }
  switch (leaf) {
    case 0:
      return [basicLeaves, vendor[0]!, vendor[2]!, vendor[1]!];
    case 1: {
      let c = bits(model, '1c');
      if (model !== 'min') c |= pcid;
      if (has.has('xsave') && (input.cr4 & Cr4.OSXSAVE) !== 0) c |= 1 << 27;
      if (input.tscKilohertz !== 0) c |= 1 << 31;
      // Family 6, model 3D, stepping 4; one logical processor with APIC id 0; CLFLUSH lines of 8 quadwords.
      return [0x0003_06d4, 0x0001_0800, c >>> 0, (bits(model, '1d') | leaf1Edx) >>> 0];
    }
    case 2:
      // Descriptor FF: leaf 4 tells the caches.
      return [0x0000_ff01, 0, 0, 0];
    case 4: {
      const cache = caches[subleaf];
      if (cache === undefined) return [0, 0, 0, 0];
      return [cache.type | (cache.level << 5) | (1 << 8), (((cache.ways - 1) << 22) | 63) >>> 0, cache.sets - 1, 0];
    }
    case 7:
      if (subleaf !== 0) return [0, 0, 0, 0];
      if (model === 'min') return [0, (bits(model, '7b') | leaf7Ebx) >>> 0, 0, 0];
      return [0, (bits(model, '7b') | leaf7Ebx | leaf7EbxDefault) >>> 0, bits(model, '7c') | umip, 0];
    case 0xd:
      return has.has('xsave') ? extendedStateLeaf(input, subleaf) : [0, 0, 0, 0];
    case 0x8000_0000:
      return [extendedLeaves, 0, 0, 0];
    case 0x8000_0001:
      return [0, 0, bits(model, 'ext_c'), (bits(model, 'ext_d') | extendedEdx) >>> 0];
    case 0x8000_0002:
    case 0x8000_0003:
    case 0x8000_0004: {
      const at = (leaf - 0x8000_0002) * 4;
      return [brand[at]!, brand[at + 1]!, brand[at + 2]!, brand[at + 3]!];
    }
    case 0x8000_0006:
      // L2: 1 MiB, 16 ways, 64-byte lines.
      return [0, 0, (1024 << 16) | (8 << 12) | 64, 0];
    case 0x8000_0007:
      // Invariant TSC.
      return [0, 0, 0, 1 << 8];
    case 0x8000_0008:
      return [physicalAddressBits | (48 << 8), 0, 0, 0];
    default:
      // Past the highest basic leaf, Intel processors answer with that one's data: here leaf D, which is empty without XSAVE.
      if (leaf > extendedLeaves || (leaf > basicLeaves && leaf < hypervisorLeaf)) return cpuid(input, basicLeaves, subleaf);
      return [0, 0, 0, 0];
  }
}

function extendedStateLeaf(input: CpuidInput, subleaf: number): readonly [number, number, number, number] {
  const mask = xcr0Mask(input.model);
  const size = (xcr0: number): number => ((xcr0 & 4) !== 0 ? 832 : 576);
  switch (subleaf) {
    case 0:
      return [mask, size(input.xcr0), size(mask), 0];
    case 1:
      return [featuresOf(input.model).has('xsaveopt') ? 3 : 2, size(input.xcr0), 0, 0];
    case 2:
      return (mask & 4) !== 0 ? [256, 576, 0, 0] : [0, 0, 0, 0];
    default:
      return [0, 0, 0, 0];
  }
}

function cpuidInstruction(cpu: CpuContext): void {
  const input: CpuidInput = {
    model: cpu.model,
    tscKilohertz: cpu.tscKilohertz,
    cr4: readCr4(cpu.view),
    xcr0: cpu.view.getUint32(State.xcr0, true),
  };
  const [a, b, c, d] = cpuid(input, Number(cpu.getReg(0, 4)), Number(cpu.getReg(1, 4)));
  cpu.setReg(0, 4, BigInt(a));
  cpu.setReg(3, 4, BigInt(b));
  cpu.setReg(1, 4, BigInt(c));
  cpu.setReg(2, 4, BigInt(d));
}

export const cpuidHelpers: HelperTable = { CPUID: cpuidInstruction };
