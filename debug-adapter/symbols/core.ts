/** All that is known of one file without a bias: the parts, each made when first asked for, shared by the views of the file. */
import { type SourceFile } from './api';
import { CallFrames } from './cfi';
import { Dwarf } from './dwarf';
import { type ElfFile } from './elf';
import { UnitFunctions } from './functions';
import { GoTypes } from './go-types';
import { type LineHeader, parseLineHeader } from './line-header';
import { type LineTable, runLineProgram } from './line-program';
import { NameIndex } from './name-index';
import { DebugSections } from './sections';
import { SourceIndex } from './source-index';
import { SymbolTable } from './symbol-table';
import { type Unit } from './unit';
import { UnitMap } from './unit-map';

export class Core {
  readonly sections: DebugSections;
  private dwarfPart: Dwarf | undefined;
  private unitMapPart: UnitMap | undefined;
  private symbolPart: SymbolTable | undefined;
  private namePart: NameIndex | undefined;
  private sourcePart: SourceIndex | undefined;
  private goTypePart: GoTypes | undefined;
  private framePart: CallFrames | undefined;
  private readonly headers = new Map<number, LineHeader | undefined>();
  private readonly tables = new Map<number, LineTable | undefined>();
  private readonly functionParts = new Map<Unit, UnitFunctions>();
  private readonly files = new Map<string, SourceFile>();

  constructor(readonly elf: ElfFile) {
    this.sections = new DebugSections(elf);
  }

  get dwarf(): Dwarf {
    return (this.dwarfPart ??= new Dwarf(this.sections));
  }

  get unitMap(): UnitMap {
    return (this.unitMapPart ??= new UnitMap(this.dwarf));
  }

  get symbols(): SymbolTable {
    return (this.symbolPart ??= new SymbolTable(this.elf, this.sections));
  }

  get names(): NameIndex {
    return (this.namePart ??= new NameIndex(this.dwarf));
  }

  get sources(): SourceIndex {
    return (this.sourcePart ??= new SourceIndex(this));
  }

  get frames(): CallFrames {
    return (this.framePart ??= new CallFrames(this.sections));
  }

  get goTypes(): GoTypes {
    return (this.goTypePart ??= new GoTypes(this));
  }

  functions(unit: Unit): UnitFunctions {
    let functions = this.functionParts.get(unit);
    if (!functions) {
      // The root says when the functions lie in another file.
      void unit.root;
      functions = new UnitFunctions(unit);
      this.functionParts.set(unit, functions);
    }
    return functions;
  }

  lineHeader(unit: Unit): LineHeader | undefined {
    const offset = unit.lineOffset;
    if (offset === undefined) return undefined;
    if (!this.headers.has(offset)) this.headers.set(offset, parseLineHeader(this.sections, offset, unit));
    return this.headers.get(offset);
  }

  lines(unit: Unit): LineTable | undefined {
    const header = this.lineHeader(unit);
    if (!header) return undefined;
    if (!this.tables.has(header.offset)) this.tables.set(header.offset, runLineProgram(this.sections, header));
    return this.tables.get(header.offset);
  }

  /** The one object for a path. */
  sourceFile(path: string, md5?: string): SourceFile {
    let file = this.files.get(path);
    if (!file) {
      file = { path, ...(md5 !== undefined && { md5 }) };
      this.files.set(path, file);
    }
    return file;
  }

  /** File `number` of a unit's line table, as rows and DW_AT_decl_file name it. */
  fileOf(unit: Unit, number: number): SourceFile | undefined {
    const file = this.lineHeader(unit)?.files[number];
    return file && this.sourceFile(file.path, file.md5);
  }
}
