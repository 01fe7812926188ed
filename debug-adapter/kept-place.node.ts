/** In which file translated code of a guest is kept: in the user's folder for caches, by the paths of what the guest is made from. Used at every start, so it loads nothing. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type KeptRegions } from './x86/api';

/** The user's folder for caches, as the system has it. */
function cacheFolder({ platform, env }: NodeJS.Process): string | undefined {
  if (env['XDG_CACHE_HOME']) return env['XDG_CACHE_HOME'];
  if (platform === 'win32') return env['LOCALAPPDATA'];
  return env['HOME'] && join(env['HOME'], platform === 'darwin' ? 'Library/Caches' : '.cache');
}

/**
 * @param files paths of the image and of what is loaded with it. Another image under the same path does no harm: translations are used where the same code
 * stands at the same addresses.
 */
export function keptRegionsOf(files: readonly string[]): KeptRegions | undefined {
  const folder = cacheFolder(process);
  if (folder === undefined) return undefined;
  const paths = files.map((path) => (path === '' ? '' : resolve(path))).join('\0');
  const name = join(folder, 'unikernel-workbench', 'translations', `${hashOf(paths)}.bin`);
  return { name, isThere: existsSync(name) };
}

/** Two runs of FNV-1a over a text, as 16 hexadecimal digits: to tell files apart, not to withstand anybody. */
function hashOf(text: string): string {
  const half = (seed: number): string => {
    let hash = seed;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
    return (hash >>> 0).toString(16).padStart(8, '0');
  };
  return half(0x811c_9dc5) + half(0x0100_0193);
}
