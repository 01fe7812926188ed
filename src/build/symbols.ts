/** Looks a symbol up in an executable. */

import { byteText, type Executable, nameAt, SHT, SYM_SIZE } from './link/elf';

/** Address of a symbol, undefined where there is none of that name. */
export function executableSymbol(bytes: Uint8Array, exe: Executable, name: string): number | undefined {
  const table = exe.sections.find((s) => s.type === SHT.SYMTAB);
  const strings = table && exe.sections[table.link];
  if (!table || !strings) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = byteText(bytes.subarray(strings.offset, strings.offset + strings.size));
  for (let at = table.offset; at + SYM_SIZE <= table.offset + table.size; at += SYM_SIZE) {
    if (view.getUint16(at + 6, true) !== 0 && nameAt(text, view.getUint32(at, true)) === name)
      return Number(view.getBigUint64(at + 8, true));
  }
  return undefined;
}
