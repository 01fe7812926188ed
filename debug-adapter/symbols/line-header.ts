/** Headers of line number programs: the directory and file tables, versions 2 to 5 (DWARF 5, section 6.2.4). */
import { FORM } from './constants';
import { blockLength, fixedConstantSize, formIndex, skipForm } from './forms';
import { joinPath, normalizePath } from './paths';
import { Reader } from './reader';
import { type DebugSections } from './sections';
import { type Unit } from './unit';

export interface LineFile {
  /** Directory and name joined and normalised. */
  readonly path: string;
  readonly md5?: string;
}

/** Thousands of units name the same headers: one object for each, found without building the path again. */
export class LineFiles {
  private readonly known = new Map<string, Map<string, LineFile>>();

  get(directory: string, name: string, md5: string | undefined): LineFile {
    let files = this.known.get(directory);
    if (!files) {
      files = new Map();
      this.known.set(directory, files);
    }
    let file = files.get(name);
    if (file?.md5 !== md5 || !file) {
      file = { path: joinPath(directory, name), ...(md5 !== undefined && { md5 }) };
      files.set(name, file);
    }
    return file;
  }
}

export interface LineHeader {
  readonly offset: number;
  readonly end: number;
  readonly version: number;
  readonly is64: boolean;
  readonly addressSize: number;
  readonly minimumInstructionLength: number;
  readonly maximumOperations: number;
  readonly defaultIsStmt: boolean;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  /** Operand counts of the standard opcodes, by opcode. */
  readonly operandCounts: readonly number[];
  readonly directories: readonly string[];
  /** By the number that the program and DW_AT_decl_file use. */
  readonly files: (LineFile | undefined)[];
  readonly program: number;
}

const LNCT = { path: 1, directory_index: 2, MD5: 5 } as const;
const MAX_ENTRIES = 1 << 18;

/** Reads the header at an offset of .debug_line for a unit; undefined, with a diagnostic, when there is no usable one. */
export function parseLineHeader(sections: DebugSections, offset: number, unit: Unit): LineHeader | undefined {
  const bytes = sections.get('.debug_line');
  const r = new Reader(bytes, offset);
  const refuse = (message: string): undefined => {
    sections.diagnostics.add('dwarf-line', message, '.debug_line', offset);
    return undefined;
  };
  let length = r.u32();
  const is64 = length === 0xffff_ffff;
  if (is64) length = r.u64();
  const end = r.pos + length;
  const version = r.u16();
  if (r.failed || end > bytes.length) return refuse('The line number program reaches past the end of the section.');
  if (version < 2 || version > 5) return refuse(`Line number programs of version ${version} are not read; versions 2 to 5 are.`);
  let { addressSize } = unit;
  if (version >= 5) {
    addressSize = r.u8();
    r.u8();
  }
  const headerLength = r.offset(is64);
  const program = r.pos + headerLength;
  const minimumInstructionLength = r.u8();
  const maximumOperations = version >= 4 ? Math.max(1, r.u8()) : 1;
  const defaultIsStmt = r.u8() !== 0;
  const lineBase = r.i8();
  const lineRange = r.u8();
  const opcodeBase = r.u8();
  const operandCounts = [0];
  for (let i = 1; i < opcodeBase; i++) operandCounts.push(r.u8());
  if (r.failed || program > end || (addressSize !== 4 && addressSize !== 8))
    return refuse('The header of the line number program is damaged.');
  const tables = new Reader(bytes, r.pos, program);
  const { directories, files } =
    version >= 5 ? entryTables(tables, sections, unit, { version, is64, addressSize }) : oldTables(tables, unit.directory, sections);
  if (tables.failed) sections.diagnostics.add('dwarf-line', 'The file table of the line number program is cut off.', '.debug_line', offset);
  return {
    ...{ offset, end, version, is64, addressSize, minimumInstructionLength, maximumOperations, defaultIsStmt },
    ...{ lineBase, lineRange, opcodeBase, operandCounts, directories, files, program },
  };
}

/** Versions 2 to 4: strings up to an empty one; directory 0 is the compilation directory, file numbers begin at 1. */
function oldTables(r: Reader, compilationDirectory: string, sections: DebugSections): Pick<LineHeader, 'directories' | 'files'> {
  const directories = [compilationDirectory];
  while (r.more && directories.length < MAX_ENTRIES) {
    const name = r.cstring();
    if (name === '') break;
    directories.push(joinPath(compilationDirectory, name));
  }
  const files: (LineFile | undefined)[] = [undefined];
  while (r.more && files.length < MAX_ENTRIES) {
    const file = oldFile(r, directories, sections);
    if (!file) break;
    files.push(file);
  }
  return { directories, files };
}

/** One entry of an old file table, also the operand of DW_LNE_define_file. */
export function oldFile(r: Reader, directories: readonly string[], sections: DebugSections): LineFile | undefined {
  const name = r.cstring();
  if (name === '') return undefined;
  const directory = r.uleb();
  r.uleb();
  r.uleb();
  return sections.lineFiles.get(directories[directory] ?? '', name, undefined);
}

/** Version 5: both tables describe their own format; entry 0 is the unit's directory, or its file. */
function entryTables(
  r: Reader,
  sections: DebugSections,
  unit: Unit,
  form: Parameters<typeof skipForm>[2],
): Pick<LineHeader, 'directories' | 'files'> {
  const directories: string[] = [];
  readEntries(r, sections, unit, form, (path) => {
    const [first] = directories;
    // The first is the compilation directory as the unit has it; dwz has none for what several files share.
    if (first === undefined) directories.push(path === '<dwz>' ? normalizePath(unit.directory) : normalizePath(path));
    else directories.push(joinPath(first, path));
  });
  const files: LineFile[] = [];
  readEntries(r, sections, unit, form, (path, directory, md5) => {
    files.push(sections.lineFiles.get(directories[directory] ?? '', path, md5));
  });
  return { directories, files };
}

type EntryVisitor = (path: string, directory: number, md5: string | undefined) => void;

function readEntries(r: Reader, sections: DebugSections, unit: Unit, context: Parameters<typeof skipForm>[2], visit: EntryVisitor): void {
  const contents: number[] = [];
  const forms: number[] = [];
  const formatCount = r.u8();
  for (let i = 0; i < formatCount; i++) {
    contents.push(r.uleb());
    forms.push(r.uleb());
  }
  const count = Math.min(r.uleb(), MAX_ENTRIES);
  for (let i = 0; i < count && !r.failed && formatCount > 0; i++) {
    let path = '';
    let directory = 0;
    let md5: string | undefined;
    for (let f = 0; f < formatCount; f++) {
      const content = contents[f]!;
      const form = forms[f]!;
      if (content === LNCT.path) path = readString(r, sections, unit, form, context.is64);
      else if (content === LNCT.directory_index && form === FORM.udata) directory = r.uleb();
      else if (content === LNCT.directory_index && fixedConstantSize(form) > 0) directory = r.unsigned(fixedConstantSize(form));
      else if (content === LNCT.MD5 && form === FORM.data16) md5 = Array.from(r.take(16), (b) => b.toString(16).padStart(2, '0')).join('');
      else if (!skipForm(r, form, context)) r.skip(-1);
    }
    if (!r.failed) visit(path, directory, md5);
  }
}

function readString(r: Reader, sections: DebugSections, unit: Unit, form: number, is64: boolean): string {
  if (form === FORM.string) return r.cstring();
  if (form === FORM.line_strp) return sections.lineString(r.offset(is64));
  if (form === FORM.strp) return sections.debugString(r.offset(is64));
  const index = formIndex(r, form);
  if (index >= 0) return unit.indexedString(index) ?? '';
  r.skip(blockLength(r, form) ?? r.end + 1);
  return '';
}
