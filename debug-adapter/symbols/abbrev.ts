/** Abbreviation tables: what attributes, in what forms, the DIEs of a unit have (DWARF 5, section 7.5.3). */
import { type Diagnostics } from './diagnostics';
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
export function parseAbbrevs(section: Uint8Array, offset: number, diagnostics: Diagnostics): AbbrevTable {
  const r = new Reader(section, offset);
  const all: Abbrev[] = [];
  const byCode = new Map<number, Abbrev>();
  while (r.more && all.length < MAX_ABBREVS) {
    const code = r.uleb();
    if (code === 0) break;
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
      if (names.length >= MAX_ATTRIBUTES) {
        diagnostics.add(
          'dwarf-abbrev',
          `Abbreviation ${code} has more than ${MAX_ATTRIBUTES} attributes; the rest of the table is not read.`,
          '.debug_abbrev',
          offset,
        );
        return table(all, byCode);
      }
      names.push(name);
      forms.push(form);
      constants.push(constant);
    }
    const abbrev: Abbrev = { code, tag, hasChildren, names, forms, constants, sibling: names.indexOf(AT.sibling) };
    all.push(abbrev);
    if (!byCode.has(code)) byCode.set(code, abbrev);
  }
  if (r.failed) diagnostics.add('dwarf-abbrev', 'The abbreviation table is cut off.', '.debug_abbrev', offset);
  return table(all, byCode);
}

function table(all: readonly Abbrev[], byCode: ReadonlyMap<number, Abbrev>): AbbrevTable {
  // Producers number from 1 in order; then an array serves.
  if (all.every((abbrev, i) => abbrev.code === i + 1)) return { all, get: (code) => all[code - 1] };
  return { all, get: (code) => byCode.get(code) };
}
