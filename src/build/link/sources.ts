/** Finds the source lines of the linker's faults in the debug information of the objects: where a name is used, and where it is defined. */

import { type SourcePosition, SymbolFile } from '../../../debug-adapter/symbols/api';
import { type BuildProblem } from '../problems';
import { SHDR_SIZE } from './elf';
import { type LinkProblem, type ObjectPlace } from './errors';
import { type InputObject } from './object';

/** Where sections of an object are pretended to lie, so that an address says which of them is meant. */
const FIRST_ADDRESS = 0x10000;
const ADDRESS_OFFSET = 16;

/** Faults with source lines in place of objects, where these are known. `folders`: [start of a path in the objects, what stands for it]. */
export function withSources(problems: readonly LinkProblem[], folders: readonly (readonly [string, string])[] = []): BuildProblem[] {
  const known = new Map<InputObject, ObjectSources>();
  const find = (place: ObjectPlace | undefined): Pick<BuildProblem, 'path' | 'line' | 'column'> | undefined => {
    if (!place) return undefined;
    let sources = known.get(place.object);
    if (!sources) known.set(place.object, (sources = new ObjectSources(place.object)));
    const found = sources.find(place);
    if (!found) return undefined;
    const { path } = found.file;
    const folder = folders.find(([from]) => path.startsWith(`${from}/`));
    return { path: folder ? folder[1] + path.slice(folder[0].length) : path, line: found.line, column: Math.max(1, found.column) };
  };
  return problems.flatMap(({ place, first, ...problem }) => {
    const before = find(first);
    const note: BuildProblem[] = before
      ? [{ ...problem, ...before, severity: 'note', message: `${first!.defines!} is defined here, too.` }]
      : [];
    return [{ ...problem, ...find(place) }, ...note];
  });
}

/** The debug information of one object. */
class ObjectSources {
  private readonly file: SymbolFile;
  private readonly addresses: number[] = [];

  constructor(object: InputObject) {
    const bytes = new Uint8Array(object.bytes);
    const view = new DataView(bytes.buffer);
    const headers = Number(view.getBigUint64(40, true));
    let address = FIRST_ADDRESS;
    for (const [i, section] of object.sections.entries()) {
      this.addresses.push(address);
      if (!section?.alloc) continue;
      view.setBigUint64(headers + i * SHDR_SIZE + ADDRESS_OFFSET, BigInt(address), true);
      // One byte between them: the end of a section is not the start of the next.
      address = Math.ceil((address + section.size + 1) / 64) * 64;
    }
    this.file = SymbolFile.open(bytes, { name: object.name });
  }

  find({ section, offset, defines }: ObjectPlace): SourcePosition | undefined {
    if (defines !== undefined) {
      const [variable] = this.file.globalsNamed(defines).filter((v) => v.declaration);
      const [fn] = variable ? [] : this.file.functions({ name: defines }).filter((f) => f.declaration && f.entry !== undefined);
      const declared = variable?.declaration ?? fn?.declaration;
      if (declared) return declared;
    }
    const row = section && this.file.lineAt(BigInt(this.addresses[section.index]! + offset));
    return row && row.line > 0 ? row : undefined;
  }
}
