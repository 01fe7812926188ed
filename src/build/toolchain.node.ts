/** Finds the host's C compiler. */

import { execFileSync } from 'node:child_process';
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { COMPILER_NAMES, type Toolchain } from './toolchain';

/** What earlier searches found, so that the compiler need not be asked again; kept with the build. */
export interface ToolchainMemory {
  readonly key: string;
  readonly toolchain: Toolchain;
}

/** Absolute path of a program, or undefined. */
export function findProgram(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const extensions = process.platform === 'win32' ? ['.exe', ''] : [''];
  const folders = isAbsolute(name) ? [''] : (env['PATH'] ?? '').split(delimiter).filter((d) => d !== '');
  for (const folder of folders) {
    for (const extension of extensions) {
      const path = folder === '' ? name + extension : join(folder, name + extension);
      try {
        accessSync(path, constants.X_OK);
        if (statSync(path).isFile()) return path;
      } catch {
        // Not here.
      }
    }
  }
  return undefined;
}

/** Names to look for: what CC says, or the usual ones. */
export function compilerNames(env: NodeJS.ProcessEnv): readonly string[] {
  const cc = env['CC']?.trim();
  return cc ? [cc] : COMPILER_NAMES;
}

/** Finds a compiler; undefined where there is none that makes x86-64 ELF objects. */
export function findToolchain(env: NodeJS.ProcessEnv, memory?: ToolchainMemory): ToolchainMemory | undefined {
  for (const name of compilerNames(env)) {
    const path = findProgram(name, env);
    if (!path) continue;
    const key = fingerprint(path);
    if (memory?.key === key) return memory;
    const toolchain = probe(path);
    if (toolchain) return { key, toolchain };
  }
  return undefined;
}

function fingerprint(path: string): string {
  const real = realpathSync(path);
  const stat = statSync(real);
  return `${path} ${real} ${stat.size} ${stat.mtimeMs}`;
}

function probe(path: string): Toolchain | undefined {
  const ask = (...args: string[]): string =>
    execFileSync(path, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 10_000 }).trim();
  try {
    const banner = ask('--version');
    const version = banner.split('\n')[0] ?? '';
    if (/clang/i.test(version)) {
      // clang makes code for every processor; an ELF target keeps macOS and Windows hosts from their own formats.
      return {
        kind: 'clang',
        path,
        version,
        includeDir: `${ask('-print-resource-dir')}/include`,
        targetArgs: ['--target=x86_64-unknown-none-elf'],
      };
    }
    if (!/^x86_64-.*(linux|elf)/.test(ask('-dumpmachine'))) return undefined;
    return { kind: 'gcc', path, version, includeDir: ask('-print-file-name=include'), targetArgs: [] };
  } catch {
    return undefined;
  }
}
