/** All that is known of one file without a bias: the parts, each made when first asked for, shared by the views of the file. */
import { type SourceFile } from './api';
import { CallFrames } from './cfi';
import { Diagnostics, ofSupplement } from './diagnostics';
import { Dwarf } from './dwarf';
import { type ElfFile } from './elf';
import { UnitFunctions } from './functions';
import { GoTypes } from './go-types';
import { type LineHeader, parseLineHeader } from './line-header';
import { type LineTable, runLineProgram } from './line-program';
import { NameIndex } from './name-index';
import { DebugSections } from './sections';
import { SourceIndex } from './source-index';
import { type Supplement, openSupplement } from './supplement';
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
  private readonly headers = new Map<DebugSections, Map<number, LineHeader | undefined>>();
  private readonly tables = new Map<LineHeader, LineTable | undefined>();
  private readonly functionParts = new Map<Unit, UnitFunctions>();
  private readonly files = new Map<string, SourceFile>();

  readonly diagnostics = new Diagnostics();
  private readonly shared: ElfFile | undefined;

  constructor(
    readonly elf: ElfFile,
    supplement?: Supplement,
  ) {
    this.sections = new DebugSections(elf, this.diagnostics);
    this.shared = openSupplement(elf, supplement, this.diagnostics);
  }

  get dwarf(): Dwarf {
    return (this.dwarfPart ??= new Dwarf(
      this.sections,
      this.shared && new DebugSections(this.shared, ofSupplement(this.diagnostics), this.sections.highBase),
    ));
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

  /** The functions of the units in which something may complete a function of this one. */
  functionsAround(unit: Unit): readonly UnitFunctions[] {
    return this.dwarf.imports.around(unit).map((each) => this.functions(each));
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
    let headers = this.headers.get(unit.sections);
    if (!headers) this.headers.set(unit.sections, (headers = new Map<number, LineHeader | undefined>()));
    if (!headers.has(offset)) headers.set(offset, parseLineHeader(unit.sections, offset, unit));
    return headers.get(offset);
  }

  lines(unit: Unit): LineTable | undefined {
    const header = this.lineHeader(unit);
    if (!header) return undefined;
    if (!this.tables.has(header)) this.tables.set(header, runLineProgram(unit.sections, header));
    return this.tables.get(header);
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
