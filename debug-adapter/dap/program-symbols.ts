/** Symbols of the programs in an initial RAM disk from files beside it: there, to be small, programs are stripped as a rule. */
import { type ProgramSymbols } from '../control/api';
import { CpioArchive } from '../guest/cpio';
import { type AdapterHost } from './host';

const suffixes = ['.dbg', '.debug'] as const;
/** Programs that are looked for. */
const mostPrograms = 200;

/** Files `NAME.dbg` or `NAME.debug` in `folders`, in that order, for each ELF file NAME of the archive. One that cannot be read is none. */
export async function findProgramSymbols(
  host: AdapterHost,
  initrd: Uint8Array,
  folders: readonly string[],
): Promise<readonly ProgramSymbols[]> {
  const archive = new CpioArchive(initrd);
  const programs = archive.paths.filter((path) => isElf(archive.read(path))).slice(0, mostPrograms);
  const found: ProgramSymbols[] = [];
  for (const path of programs) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const candidates = [...new Set(folders)].flatMap((folder) => suffixes.map((suffix) => `${folder}/${name}${suffix}`));
    for (const candidate of candidates) {
      if (!(await host.exists(candidate))) continue;
      const bytes = await host.readFile(candidate).catch(() => undefined);
      if (bytes === undefined) continue;
      found.push({ path, name: candidate, bytes });
      break;
    }
  }
  return found;
}

const isElf = (bytes: Uint8Array | undefined): boolean =>
  bytes?.[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
