/** What the tests of this folder share: the host's compiler, programs for it, and an exercise of every part of the facade. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EvaluationContext, type SymbolFile, readLocation, typeName } from '../../../debug-adapter/symbols/api';

/** True when all the tools answer; else says on the console which is missing and what is not tested therefore. */
export function haveTools(purpose: string, ...tools: string[]): boolean {
  const missing = tools.filter((tool) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status !== 0);
  if (missing.length > 0) console.log(`SKIPPED: ${purpose}: not found on this host: ${missing.join(', ')}`);
  return missing.length === 0;
}

export class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), 'symbols-'));

  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** Compiles and links; gives the program's path. */
  compile(source: string, output: string, ...options: string[]): string {
    const path = join(this.folder, output);
    const compiler = source.endsWith('.cpp') ? 'g++' : 'gcc';
    execFileSync(compiler, [...options, '-o', path, source], { cwd: this.folder, stdio: ['ignore', 'ignore', 'inherit'] });
    return path;
  }

  run(command: string, ...args: string[]): string {
    return execFileSync(command, args, {
      cwd: this.folder,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, LC_ALL: 'C' },
    });
  }

  read(path: string): Uint8Array {
    return readFileSync(path);
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Folder of real images with symbols, from the environment. */
export function suiteImages(): string | undefined {
  const suites = process.env['UNIKERNEL_SUITES'];
  const folder = suites === undefined ? undefined : join(suites, 'images');
  if (folder !== undefined && existsSync(folder)) return folder;
  console.log('SKIPPED: symbols of real images: set UNIKERNEL_SUITES to a folder with .dbg files in images/');
  return undefined;
}

/** Bytes of a file that is compared whole: readelf writes a hundred times as much. */
const largestWhole = 12 << 20;

/** The largest file of each unpacked debug package in the suites' folder `debug`. */
export function debugPackages(): readonly string[] {
  const suites = process.env['UNIKERNEL_SUITES'];
  const folder = suites === undefined ? undefined : join(suites, 'debug');
  if (folder === undefined || !existsSync(folder)) {
    console.log('SKIPPED: debug packages: set UNIKERNEL_SUITES to a folder with unpacked ones in debug/');
    return [];
  }
  return readdirSync(folder).flatMap((name) => {
    const files = readdirSync(join(folder, name), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, name, file));
    // Some packages hold programs and libraries with all in them, instead of what was taken out of others.
    const apart = files.filter((file) => file.endsWith('.debug'));
    const whole = files.filter((file) => /\.so[.\d]*$|\.exec$/.test(file) && statSync(file).isFile() && statSync(file).size < largestWhole);
    return (apart.length > 0 ? apart : whole).sort((a, b) => statSync(b).size - statSync(a).size).slice(0, 1);
  });
}

/** Linear congruential generator; `SEED` in the environment chooses the run. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** 0 to limit - 1. */
  below(limit: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.state / 0x1_0000_0000) * limit);
  }
}

export function seedFromEnvironment(): number {
  const seed = Number(process.env['SEED'] ?? Date.now() & 0xffff_ffff);
  console.log(`      seed ${seed} (set SEED to repeat)`);
  return seed;
}

/** A program with most of what C puts into DWARF: inlined calls, bitfields, unions, thread-locals, variable-length arrays, macros. */
export const PROGRAM = `#include <stdio.h>
#include <string.h>
#define ANSWER 42
#define MAX(a, b) ((a) > (b) ? (a) : (b))
enum color { RED, GREEN = 5, BLUE = -1 };
struct point { int x, y; unsigned flag : 3; unsigned rest : 29; };
union u { int i; float f; };
typedef struct point point_t;
typedef int (*fn_t)(int, char **);
static __thread int tls_counter = 3;
__thread long tls_other;
int global_table[4][8];
volatile const char *msg = "hello";
static inline int square(int v) { int r = v * v; if (r > 100) r -= 3; return r; }
static inline int twice(int v) { return square(v) + square(v + 1); }

__attribute__((noinline)) int compute(point_t *p, int n) {
  int sum = 0;
  for (int i = 0; i < n; i++) {
    static int calls;
    calls++;
    sum += twice(p->x + i) + MAX(p->y, i);
  }
  tls_counter += sum;
  tls_other++;
  return sum;
}
__attribute__((noinline)) double mix(double a, float b, long double c) { return a * b + (double)c; }
int vla(int n) {
  char buf[n];
  memset(buf, n, n);
  return buf[n / 2] + (int)sizeof buf;
}
int main(int argc, char **argv) {
  point_t p = { argc, 2, 1, 2 };
  union u uu = { .i = compute(&p, argc + ANSWER) };
  printf("%d %f %d %s\\n", compute(&p, argc), mix(argc, uu.f, 3.0L), vla(argc + 5), msg);
  global_table[1][2] = BLUE;
  fn_t f = main;
  if (argc > 100)
    return f(argc - 1, argv);
  return 0;
}
`;

/** A context in which every register and all memory hold something. */
export function plainContext(pc: bigint): EvaluationContext {
  return {
    pc,
    readMemory: (address, length) => Uint8Array.from({ length: Math.min(length, 4096) }, (_, i) => Number((address + BigInt(i)) & 0xffn)),
    register: (number) => BigInt(number) * 0x1000n + 0x7f00_0000n,
    cfa: () => 0x7fff_0000n,
    tlsBase: () => 0x6000_0000n,
    entryValue: () => 7n,
  };
}

/** Asks a file everything there is to ask, at given addresses; returns how many answers came. */
export function exercise(file: SymbolFile, addresses: readonly bigint[]): number {
  let answers = 0;
  const count = (value: unknown): void => {
    if (value !== undefined) answers++;
  };
  for (const symbol of [...file.symbols()].slice(0, 50)) count(file.symbolsNamed(symbol.name));
  count(file.buildId);
  count(file.tls());
  for (const unit of file.units().slice(0, 20)) {
    count([unit.name, unit.path, unit.library, unit.producer, unit.language, unit.ranges]);
    for (const row of file.lineRows(unit).slice(0, 30)) count(row);
    for (const variable of file.globals(unit).slice(0, 30)) {
      count(typeName(variable.type));
      count(file.locate(variable, plainContext(0n)));
    }
    let macros = 0;
    for (const macro of file.macros(unit)) {
      count(macro.body);
      if (++macros > 20) break;
    }
  }
  for (const address of addresses) {
    const context = plainContext(address);
    count(file.symbolAt(address));
    count(file.lineAt(address));
    count(file.lineExtent(address));
    const frames = file.framesAt(address);
    for (const [index, frame] of frames.entries()) {
      count([frame.function.qualifiedName, frame.callSite, frame.function.declaration, typeName(frame.function.returnType)]);
      for (const scope of file.scopesAt(address, index)) {
        for (const variable of scope.variables) {
          count(typeName(variable.type));
          const location = file.locate(variable, context);
          count(readLocation(location, Math.min(variable.type.byteSize ?? 8, 256), context));
          visitType(variable.type, 0, count);
        }
      }
      count(file.functionSites(frame.function));
    }
    const row = file.unwindRule(address);
    if (row) count(file.unwind(row, context));
    count(file.callSites(address));
  }
  const [source] = file.sources();
  if (source) {
    count(file.breakpointSites(source.path, 10));
    count(file.breakpointLocations(source.path, 1, 100));
  }
  const functions = file.functions({ name: /^m/, limit: 10 });
  count(functions);
  for (const name of [...functions.map((fn) => fn.qualifiedName), 'main', /^[a-f]/]) count([...file.functionAddresses({ name })]);
  count(file.typesNamed('struct point'));
  count(file.globalsNamed('global_table'));
  count(file.enumeratorsNamed('GREEN'));
  count(file.threadLocals());
  count(file.diagnostics());
  return answers;
}

function visitType(type: Parameters<typeof typeName>[0], depth: number, count: (value: unknown) => void): void {
  if (depth > 3) return;
  count(type.declaration);
  switch (type.kind) {
    case 'pointer':
    case 'typedef':
    case 'qualified':
      return visitType(type.target, depth + 1, count);
    case 'array':
      count(type.dimensions);
      return visitType(type.element, depth + 1, count);
    case 'struct':
    case 'class':
    case 'union':
      count([type.bases, type.statics, type.variantPart, type.templateArguments]);
      for (const member of type.members) visitType(member.type, depth + 1, count);
      return;
    case 'enum':
      return count(type.enumerators);
    case 'function':
      count(type.parameters);
      return visitType(type.returns, depth + 1, count);
    default:
  }
}
