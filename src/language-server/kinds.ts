/** Which language a file is in, by the editor's name for it or by its own. */
import { kraftfileNames } from '../kraftfile/schema';
import { folderOf, nameOf } from './uri';

/** `code` is everything else that may name an option: C, assembly, linker scripts, lists of symbols. */
export type FileLanguage = 'kconfig' | 'dotconfig' | 'kraftfile' | 'makefile' | 'code' | 'other';

const languageIds: Readonly<Record<string, FileLanguage>> = {
  kconfig: 'kconfig',
  dotconfig: 'dotconfig',
  kraftfile: 'kraftfile',
  'makefile-uk': 'makefile',
  makefile: 'makefile',
};

/** The language of a file. */
export function languageOf(path: string, languageId?: string): FileLanguage {
  const known = languageId === undefined ? undefined : languageIds[languageId];
  if (known) return known;
  const name = nameOf(path);
  if (name === 'Config.uk' || /^Kconfig(?:[.\-_].*)?$/.test(name)) return 'kconfig';
  if ((kraftfileNames as readonly string[]).includes(name)) return 'kraftfile';
  if (/^\.config(?:\..*)?$/.test(name) || /(?:^|[_.-])defconfig$/.test(name) || /\.(?:config|fragment)$/.test(name)) return 'dotconfig';
  if (/^Makefile(?:\..*)?$/.test(name) || /^Kbuild$/.test(name) || /\.mk$/.test(name)) return 'makefile';
  if (
    /\.(?:c|h|cc|cpp|cxx|hh|hpp|S|s|asm|ld|lds|x|rs|inc|dts|dtsi|py|awk|sh)$/.test(name) ||
    /\.lds\.[hS]$/.test(name) ||
    /\.uk$/.test(name)
  )
    return 'code';
  // Upstream's applications keep their defconfigs, which have no ending, in a folder of that name.
  if (/^(?:defconfigs|configs)$/.test(nameOf(folderOf(path))) && !name.includes('.')) return 'dotconfig';
  return 'other';
}

/** Whether a configuration file has a line for every option, as against a defconfig or a fragment. */
export function isWholeConfig(path: string, text: string): boolean {
  return /^\.config(?:\..*)?$/.test(nameOf(path)) || /^#\n# Automatically generated file/.test(text.replace(/\r/g, '').slice(0, 100));
}
