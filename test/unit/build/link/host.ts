/** The host's tools for tests of the linker: a compiler, GNU ld, static C libraries. What is missing is said on the console. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { linuxLayout } from '../../../../src/build/link/layout';
import { link, type LinkInput, type LinkResult } from '../../../../src/build/link/link';
import { findProgram } from '../../../../src/build/toolchain.node';

/** Folder of a static musl, as Debian's musl-dev has it. */
const MUSL = ['/usr/lib/x86_64-linux-musl', '/usr/lib/musl/lib', '/usr/local/musl/lib'].find(
  (dir) => existsSync(`${dir}/libc.a`) && existsSync(`${dir}/crt1.o`),
);

export const musl = MUSL;
export const muslGcc = findProgram('musl-gcc', process.env);
export const gcc = findProgram('gcc', process.env);
export const gnuLd = findProgram('ld', process.env);

/** Whether programs made here can run here. */
export const native = process.platform === 'linux' && process.arch === 'x64';

/** Skips a suite with a line on the console that says why. */
export function need(context: Mocha.Context, what: string, there: boolean): void {
  if (there) return;
  console.log(`      skipped: there is no ${what} on this machine`);
  context.skip();
}

/** A folder for one suite. */
export class Workshop {
  readonly dir = mkdtempSync(path.join(tmpdir(), 'link-test-'));

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  file(name: string): string {
    return path.join(this.dir, name);
  }

  /** Compiles a text to an object; the compiler's faults end the test. */
  compile(compiler: string, name: string, text: string, flags: readonly string[]): string {
    const source = this.file(name);
    const object = `${source}.o`;
    writeFileSync(source, text);
    execFileSync(compiler, [...flags, '-w', '-c', source, '-o', object], { stdio: ['ignore', 'ignore', 'inherit'] });
    return object;
  }

  /** Puts some of the objects into an archive; the list with it in their place. */
  archive(name: string, objects: readonly string[], archived: readonly number[]): string[] {
    const members = archived.map((i) => objects[i]!);
    const others = objects.filter((_, i) => !archived.includes(i));
    if (members.length === 0) return others;
    rmSync(this.file(name), { force: true });
    execFileSync('ar', ['rcs', this.file(name), ...members]);
    return [...others, this.file(name)];
  }

  /** Links a program for Linux with our linker and musl. */
  linkMusl(objects: readonly string[], options: { pie?: boolean; gcSections?: boolean; mergeStrings?: boolean } = {}): LinkResult {
    const pie = options.pie ?? false;
    const crt = `${musl!}/${pie ? 'rcrt1.o' : 'crt1.o'}`;
    const files = [crt, `${musl!}/crti.o`, ...objects, `${musl!}/libc.a`, `${musl!}/crtn.o`];
    return link([{ name: 'program', inputs: files.map(input) }], { layout: linuxLayout(pie), entry: '_start', ...options });
  }

  /** Links a program for Linux with our linker and the host's glibc; `files` may hold further archives. */
  linkGlibc(files: readonly string[], options: { pie?: boolean; gcSections?: boolean } = {}): LinkResult {
    const pie = options.pie ?? false;
    const start = pie ? ['rcrt1.o', 'crti.o', 'crtbeginS.o'] : ['crt1.o', 'crti.o', 'crtbeginT.o'];
    const end = ['libm.a', 'libc.a', 'libgcc.a', 'libgcc_eh.a', pie ? 'crtendS.o' : 'crtend.o', 'crtn.o'];
    const paths = [...start.map(gccFile), ...files, ...end.map(gccFile)].filter((p): p is string => p !== undefined);
    return link([{ name: 'program', inputs: paths.flatMap(inputs) }], { layout: linuxLayout(pie), entry: '_start', ...options });
  }

  /** Runs a program; its output and status. */
  run(bytes: Uint8Array, name: string): { stdout: string; status: number | null; signal: string | null } {
    const program = this.file(name);
    writeFileSync(program, bytes, { mode: 0o755 });
    return this.runFile(program);
  }

  runFile(program: string): { stdout: string; status: number | null; signal: string | null } {
    const { stdout, status, signal } = spawnSync(program, ['one', 'two'], { encoding: 'utf8', timeout: 10_000 });
    return { stdout, status, signal };
  }
}

/** A file as input of the linker. */
export function input(file: string): LinkInput {
  return { name: file, bytes: readFileSync(file) };
}

/** A file of the compiler or its C library, by name; undefined where there is none. */
export function gccFile(name: string): string | undefined {
  const found = execFileSync(gcc!, [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
  return found.startsWith('/') && existsSync(found) ? found : undefined;
}

/** A file as inputs: glibc's libm.a is a script that names two archives. */
function inputs(file: string): LinkInput[] {
  const one = input(file);
  const script = one.bytes.length < 1000 ? /GROUP \(([^)]*)\)/.exec(Buffer.from(one.bytes).toString('latin1')) : null;
  return script ? script[1]!.trim().split(/\s+/).map(input) : [one];
}

/** Random numbers from a seed (mulberry32). */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
