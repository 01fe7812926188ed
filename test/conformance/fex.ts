/** Reads FEX-Emu's unittests/ASM: one assembly file a test, with a JSON comment that says which registers must hold what at the final HLT. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

/** One test as its file describes it. */
export interface FexTest {
  /** Path below unittests/ASM, without its ending. */
  readonly name: string;
  readonly file: string;
  /** CPU features that it needs, as the suite spells them. */
  readonly features: readonly string[];
  /** Register name -> expected 64-bit parts, lowest first. */
  readonly registers: ReadonlyMap<string, readonly bigint[]>;
  /** Address -> length of memory to map beside the usual. */
  readonly regions: readonly (readonly [bigint, number])[];
  /** Address -> bytes that it holds at the start. */
  readonly data: readonly (readonly [bigint, Uint8Array])[];
  readonly environment: Readonly<Record<string, string>>;
}

interface Config {
  readonly RegData?: Readonly<Record<string, string | readonly string[]>>;
  readonly HostFeatures?: readonly string[];
  readonly MemoryRegions?: Readonly<Record<string, string>>;
  readonly MemoryData?: Readonly<Record<string, string>>;
  readonly Ignore?: string | readonly string[];
  readonly Env?: Readonly<Record<string, string>>;
}

/** The folder with the assembly files below `UNIKERNEL_SUITES`, or why there is none. */
export function fexFolder(): { readonly folder: string } | { readonly missing: string } {
  const suites = process.env['UNIKERNEL_SUITES'];
  if (suites === undefined) return { missing: 'UNIKERNEL_SUITES does not name a folder with suites' };
  for (const candidate of ['FEX/unittests/ASM', 'fex/unittests/ASM', 'unittests/ASM']) {
    const folder = join(suites, candidate);
    if (existsSync(folder)) return { folder };
  }
  return { missing: `no FEX/unittests/ASM below ${suites}` };
}

function* assemblyFiles(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* assemblyFiles(path);
    else if (entry.name.endsWith('.asm')) yield path;
  }
}

/** A 64-bit value; the suite writes some without the 0x, all the same hexadecimal or 0. */
function value(text: string): bigint {
  const plain = text.trim();
  const number = /^0x/i.test(plain) ? BigInt(plain) : /^-?\d+$/.test(plain) ? BigInt(plain) : BigInt(`0x${plain}`);
  return BigInt.asUintN(64, number);
}

/** Bytes of a MemoryData entry: groups of hexadecimal digits, each a little-endian number. */
function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(
    text
      .trim()
      .split(/\s+/)
      .flatMap(
        (group) =>
          group
            .replace(/^0x/i, '')
            .match(/.{1,2}(?=(?:..)*$)/g)
            ?.reverse() ?? [],
      )
      .map((pair) => parseInt(pair, 16)),
  );
}

function parse(folder: string, file: string): FexTest | string {
  const name = relative(folder, file).replace(/\.asm$/, '');
  const text = readFileSync(file, 'utf8');
  const json = /%ifdef CONFIG([\s\S]*?)%endif/.exec(text)?.[1];
  if (json === undefined) return `${name}: no CONFIG comment`;
  let config: Config;
  try {
    config = JSON.parse(json.replace(/,(\s*[}\]])/g, '$1')) as Config;
  } catch (error) {
    return `${name}: ${String(error)}`;
  }
  const ignored = new Set(typeof config.Ignore === 'string' ? [config.Ignore] : (config.Ignore ?? []));
  const registers = new Map<string, readonly bigint[]>();
  for (const [register, expected] of Object.entries(config.RegData ?? {})) {
    const key = register.trim().toUpperCase();
    if (!ignored.has(key)) registers.set(key, (typeof expected === 'string' ? [expected] : expected).map(value));
  }
  return {
    name,
    file,
    features: config.HostFeatures ?? [],
    registers,
    regions: Object.entries(config.MemoryRegions ?? {}).map(([address, size]) => [value(address), Number(size)] as const),
    data: Object.entries(config.MemoryData ?? {}).map(([address, bytes]) => [value(address), bytesOf(bytes)] as const),
    environment: config.Env ?? {},
  };
}

/** All tests of the folder by name, and what could not be read. */
export function readTests(folder: string): { readonly tests: readonly FexTest[]; readonly unreadable: readonly string[] } {
  const tests: FexTest[] = [];
  const unreadable: string[] = [];
  for (const file of [...assemblyFiles(folder)].sort()) {
    const test = parse(folder, file);
    if (typeof test === 'string') unreadable.push(test);
    else tests.push(test);
  }
  return { tests, unreadable };
}

/** Assembles a test to a flat binary with nasm; binaries are kept in the temporary folder by the text's hash. Throws with nasm's message. */
export function assemble(folder: string, test: FexTest): Uint8Array {
  const source = `BITS 64\n${readFileSync(test.file, 'utf8')}\nret\n`;
  const cache = join(tmpdir(), 'unikernel-workbench-conformance');
  const stem = join(cache, createHash('sha256').update(source).digest('hex').slice(0, 24));
  if (!existsSync(`${stem}.bin`)) {
    mkdirSync(cache, { recursive: true });
    // Another run may be at it as well: a binary is there as a whole, or not at all.
    const part = `${stem}.${process.pid}`;
    writeFileSync(`${part}.asm`, source);
    execFileSync('nasm', ['-w-all', '-f', 'bin', '-i', `${join(folder, 'Includes')}/`, '-o', `${part}.bin`, `${part}.asm`], {
      stdio: 'pipe',
    });
    renameSync(`${part}.bin`, `${stem}.bin`);
    rmSync(`${part}.asm`);
  }
  return readFileSync(`${stem}.bin`);
}
