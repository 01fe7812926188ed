/** Finds the host's C compiler, and asks it what it is. */

import { execFileSync } from 'node:child_process';
import { type Toolchain } from './toolchain';
import { candidates, type ToolchainMemory } from './toolchain.node';

/** Finds a compiler; undefined where there is none that makes x86-64 ELF objects. */
export function findToolchain(env: NodeJS.ProcessEnv, memory?: ToolchainMemory): ToolchainMemory | undefined {
  for (const { path, key } of candidates(env)) {
    if (memory?.key === key) return memory;
    const toolchain = probe(path);
    if (toolchain) return { key, toolchain };
  }
  return undefined;
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
