/** Abbreviation tables: what attributes, in what forms, the DIEs of a unit have (DWARF 5, section 7.5.3). */
import { type DiagnosticSink } from './diagnostics';
import { AT, FORM } from './constants';
import { Reader } from './reader';

export interface Abbrev {
  readonly code: number;
  readonly tag: number;
  readonly hasChildren: boolean;
  /** Attribute codes, forms and implicit constants, in parallel. */
  readonly names: readonly number[];
  readonly forms: readonly number[];
  readonly constants: readonly bigint[];
  /** Index of DW_AT_sibling among the attributes, or -1. */
  readonly sibling: number;
  /** How to pass over the attributes in a unit of `planFormat`; made by `passOver`. */
  plan: readonly number[] | undefined;
  planFormat: number;
}

export interface AbbrevTable {
  get(code: number): Abbrev | undefined;
  /** All entries in order of appearance. */
  readonly all: readonly Abbrev[];
}

/** More attributes than any producer gives one DIE. */
const MAX_ATTRIBUTES = 256;
const MAX_ABBREVS = 1 << 18;

/** Reads the table at an offset of .debug_abbrev; what follows a damaged entry is missing. */
export function parseAbbrevs(section: Uint8Array, offset: number, diagnostics: DiagnosticSink): AbbrevTable {
  const r = new Reader(section, offset);
  const all: Abbrev[] = [];
  const byCode = new Map<number, Abbrev>();
  while (r.more && all.length < MAX_ABBREVS) {
    const code = r.uleb();
    if (code === 0) break;
    const abbrev = readAbbrev(r, code);
    if (!abbrev) {
      const message = `Abbreviation ${code} has more than ${MAX_ATTRIBUTES} attributes; the rest of the table is not read.`;
      diagnostics.add('dwarf-abbrev', message, '.debug_abbrev', offset);
      break;
    }
    all.push(abbrev);
    if (!byCode.has(code)) byCode.set(code, abbrev);
  }
  if (r.failed) diagnostics.add('dwarf-abbrev', 'The abbreviation table is cut off.', '.debug_abbrev', offset);
  return table(all, byCode);
}

/** One entry of a table, without making objects of those before it: for the roots of units, which are wanted long before the rest. */
export function findAbbrev(section: Uint8Array, offset: number, wanted: number): Abbrev | undefined {
  const r = new Reader(section, offset);
  for (let i = 0; r.more && i < MAX_ABBREVS; i++) {
    const start = r.pos;
    const code = r.uleb();
    if (code === 0) return undefined;
    if (code === wanted) return readOne(section, start);
    r.skipLeb();
    r.skip(1);
    for (;;) {
      const name = r.uleb();
      const form = r.uleb();
      if (form === FORM.implicit_const) r.skipLeb();
      if ((name === 0 && form === 0) || r.failed) break;
    }
  }
  return undefined;
}

function readOne(section: Uint8Array, offset: number): Abbrev | undefined {
  const r = new Reader(section, offset);
  return readAbbrev(r, r.uleb());
}

/** The entry whose code was just read; undefined when it is cut off or has too many attributes. */
function readAbbrev(r: Reader, code: number): Abbrev | undefined {
  const tag = r.uleb();
  const hasChildren = r.u8() !== 0;
  const names: number[] = [];
  const forms: number[] = [];
  const constants: bigint[] = [];
  for (;;) {
    const name = r.uleb();
    const form = r.uleb();
    const constant = form === FORM.implicit_const ? r.slebBig() : 0n;
    if ((name === 0 && form === 0) || r.failed) break;
    if (names.length >= MAX_ATTRIBUTES) return undefined;
    names.push(name);
    forms.push(form);
    constants.push(constant);
  }
  return { code, tag, hasChildren, names, forms, constants, sibling: names.indexOf(AT.sibling), plan: undefined, planFormat: -1 };
}

function table(all: readonly Abbrev[], byCode: ReadonlyMap<number, Abbrev>): AbbrevTable {
  // Producers number from 1 in order; then an array serves.
  if (all.every((abbrev, i) => abbrev.code === i + 1)) return { all, get: (code) => all[code - 1] };
  return { all, get: (code) => byCode.get(code) };
}
