/** Programs of the host, and whether its C compiler is the one of an earlier build; finding one anew is `toolchain-probe.node.ts`'s. */

import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { COMPILER_NAMES, type Toolchain } from './toolchain';

/** What earlier searches found, so that the compiler need not be asked again; kept with the build. */
export interface ToolchainMemory {
  /** What was looked at, see candidates(). */
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

/** Compilers that are there, in order, each with a key: it names this one and all before it, and changes when one of them does. */
export function* candidates(env: NodeJS.ProcessEnv): Generator<{ path: string; key: string }> {
  let key = '';
  for (const name of compilerNames(env)) {
    const path = findProgram(name, env);
    if (!path) continue;
    const real = realpathSync(path);
    const stat = statSync(real);
    key += `${path} ${real} ${stat.size} ${stat.mtimeMs}\n`;
    yield { path, key };
  }
}

/** Whether a build would find the compiler again that an earlier one found; of none, whether there is still none. */
export function isKnownToolchain(env: NodeJS.ProcessEnv, memory: ToolchainMemory | undefined): boolean {
  if (!memory) return candidates(env).next().done === true;
  for (const { key } of candidates(env)) if (key === memory.key) return true;
  return false;
}
