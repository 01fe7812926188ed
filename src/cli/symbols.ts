/** Opens files with symbols for the commands that show names. */
import { SymbolFile, packagedDebugFolders, findSupplement } from '../../debug-adapter/symbols/api';
import { type RunIo } from './io';

/** The symbols of a file, with those that it shares with others, where it names a file of such. */
export function openSymbolFile(io: Pick<RunIo, 'readFile' | 'fileKind'>, path: string): SymbolFile {
  const bytes = io.readFile(path);
  const search = findSupplement(bytes, [path], packagedDebugFolders(process.platform));
  let step = search.next();
  while (step.done !== true) step = search.next(io.fileKind(step.value) === 'file' ? io.readFile(step.value) : undefined);
  return SymbolFile.open(bytes, { name: path, ...(step.value !== undefined && { supplement: step.value }) });
}
