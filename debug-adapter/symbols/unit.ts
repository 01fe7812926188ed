/** One unit of .debug_info: its header and what its root DIE says of the other sections. */
import { type Abbrev, type AbbrevTable, findAbbrev } from './abbrev';
import { type Language } from './api';
import { AT, FORM, TAG, UT } from './constants';
import { Die, type DieTree } from './die';
import { type Dwarf } from './dwarf';
import { libraryOf } from './library';
import { joinPath } from './paths';
import { Reader } from './reader';
import { type DebugSections } from './sections';

export interface UnitHeader {
  readonly offset: number;
  readonly end: number;
  readonly version: number;
  readonly is64: boolean;
  readonly addressSize: number;
  /** UT constant. */
  readonly type: number;
  readonly abbrevOffset: number;
  readonly dieOffset: number;
  /** Type signature or split unit id. */
  readonly signature: bigint;
  readonly typeOffset: number;
}

export class Unit implements UnitHeader {
  index = 0;
  readonly offset: number;
  readonly end: number;
  readonly version: number;
  readonly is64: boolean;
  readonly addressSize: number;
  readonly type: number;
  readonly abbrevOffset: number;
  readonly dieOffset: number;
  readonly signature: bigint;
  readonly typeOffset: number;
  private rootDie: Die | undefined;
  private table: AbbrevTable | undefined;
  private pathCache: string | undefined;
  private languageCache: number | undefined;
  private userCache: Unit | undefined;

  /**
   * @param sections of the file that the unit is in
   * @param base position in `Dwarf.info` of that file's .debug_info
   */
  constructor(
    readonly dwarf: Dwarf,
    readonly sections: DebugSections,
    readonly base: number,
    header: UnitHeader,
  ) {
    this.offset = header.offset;
    this.end = header.end;
    this.version = header.version;
    this.is64 = header.is64;
    this.addressSize = header.addressSize;
    this.type = header.type;
    this.abbrevOffset = header.abbrevOffset;
    this.dieOffset = header.dieOffset;
    this.signature = header.signature;
    this.typeOffset = header.typeOffset;
  }

  get abbrevTable(): AbbrevTable {
    return (this.table ??= this.sections.abbrevTable(this.abbrevOffset));
  }

  /** The root's abbreviation, found without reading the whole table where that was not needed yet. */
  rootAbbrev(code: number): Abbrev | undefined {
    return this.table ? this.table.get(code) : findAbbrev(this.sections.get('.debug_abbrev'), this.abbrevOffset, code);
  }

  tree(): DieTree {
    return this.dwarf.tree(this);
  }

  get root(): Die {
    if (this.rootDie) return this.rootDie;
    this.rootDie = new Die(this, 0);
    const split = this.rootDie.string(AT.dwo_name) ?? this.rootDie.string(AT.GNU_dwo_name);
    if (split !== undefined || this.type === UT.skeleton) {
      const message = `The unit's debug information lies in a file of its own (${split ?? 'a .dwo file'}); build without -gsplit-dwarf to see its functions and variables.`;
      this.sections.diagnostics.add('dwarf-split', message, '.debug_info', this.offset - this.base);
    }
    return this.rootDie;
  }

  get isTypeUnit(): boolean {
    return this.type === UT.type || this.type === UT.split_type;
  }

  get name(): string {
    return this.root.string(AT.name) ?? '';
  }

  get directory(): string {
    return this.root.string(AT.comp_dir) ?? (this.isPartial && this.user !== this ? this.user.directory : '');
  }

  get path(): string {
    return (this.pathCache ??= joinPath(this.directory, this.name));
  }

  /** Position in `Dwarf.info` that the reader's reference tells, -1 for one that leads nowhere; the reader stays where the form is none of a place. */
  reference(r: Reader, form: number): number {
    switch (form) {
      case FORM.ref1:
        return this.offset + r.u8();
      case FORM.ref2:
        return this.offset + r.u16();
      case FORM.ref4:
        return this.offset + r.u32();
      case FORM.ref8:
        return this.offset + r.u64();
      case FORM.ref_udata:
        return this.offset + r.uleb();
      case FORM.ref_addr:
        return this.place(this.version <= 2 ? r.unsigned(this.addressSize) : r.offset(this.is64));
      case FORM.ref_sup4:
        return this.supplementPlace(r.u32());
      case FORM.ref_sup8:
        return this.supplementPlace(r.u64());
      case FORM.GNU_ref_alt:
        return this.supplementPlace(r.offset(this.is64));
      default:
        return -1;
    }
  }

  /** Does the producer mark the ends of prologues in the line table? GCC does not. */
  get marksPrologues(): boolean {
    return !(this.root.string(AT.producer) ?? '').startsWith('GNU ');
  }

  /** The micro-library, or the package of a unit of Go, which is named so. */
  get library(): string {
    return this.language === 'go' ? this.name : libraryOf(this.path, this.directory);
  }

  /** Of what units share, that of one which has it. */
  get languageCode(): number {
    return (this.languageCache ??= this.root.number(AT.language) ?? this.user.root.number(AT.language) ?? 0);
  }

  /** Itself; of a partial unit the first that imports it, if any does. */
  get user(): Unit {
    return (this.userCache ??= this.dwarf.imports.user(this));
  }

  /** Does it hold what several units share (DWARF 5, section 3.1.1.2)? */
  get isPartial(): boolean {
    return this.root.tag === TAG.partial_unit;
  }

  /** Is it in the file itself, not in the one that is shared with others? */
  get isOwn(): boolean {
    return this.sections === this.dwarf.sections;
  }

  /** Sections of the file that strings and DIEs are shared in, for a unit that may refer to it. */
  get supplement(): DebugSections | undefined {
    if (this.isOwn) return this.dwarf.supplement;
    this.sections.diagnostics.add('dwarf-supplementary', 'It refers to a further shared file, which is not read.', '.debug_info');
    return undefined;
  }

  /** Position in `Dwarf.info` for an offset in that file's .debug_info; -1 where the unit cannot refer to it. */
  supplementPlace(offset: number): number {
    return this.supplement === undefined ? -1 : this.dwarf.supplementBase + offset;
  }

  /** Position in `Dwarf.info` for an offset in .debug_info that stands in the unit. */
  place(offset: number): number {
    return this.isOwn && offset >= this.dwarf.supplementBase ? -1 : this.base + offset;
  }

  get language(): Language {
    return languageOf(this.languageCode);
  }

  /** Offset of the line number program, undefined without one. */
  get lineOffset(): number | undefined {
    return this.root.number(AT.stmt_list);
  }

  /** Internal address that list entries without a base are relative to. */
  get lowPc(): number {
    return this.root.address(AT.low_pc) ?? this.sections.zero;
  }

  /** Entry `index` of the unit's part of .debug_addr. */
  indexedAddress(index: number): number | undefined {
    const base = this.root.number(AT.addr_base) ?? this.root.number(AT.GNU_addr_base) ?? (this.is64 ? 16 : 8);
    const r = new Reader(this.sections.get('.debug_addr'), base + index * this.addressSize);
    const address = this.sections.address(r, this.addressSize);
    return r.failed ? undefined : address;
  }

  /** String `index` of the unit's part of .debug_str_offsets. */
  indexedString(index: number): string | undefined {
    const base = this.baseOf(AT.str_offsets_base, this.version >= 5 ? (this.is64 ? 16 : 8) : 0);
    const r = new Reader(this.sections.get('.debug_str_offsets'), base + index * (this.is64 ? 8 : 4));
    const offset = r.offset(this.is64);
    return r.failed ? undefined : this.sections.debugString(offset);
  }

  /** Offset of list `index` through the offset array of .debug_rnglists or .debug_loclists. */
  indexedList(section: '.debug_rnglists' | '.debug_loclists', index: number): number | undefined {
    const base = this.baseOf(section === '.debug_rnglists' ? AT.rnglists_base : AT.loclists_base, this.is64 ? 20 : 12);
    const r = new Reader(this.sections.get(section), base + index * (this.is64 ? 8 : 4));
    const offset = r.offset(this.is64);
    return r.failed ? undefined : base + offset;
  }

  private baseOf(at: number, fallback: number): number {
    // Reading str_offsets_base must not go through strings of the root that need it; only the number is read here.
    const root = this.rootDie ?? new Die(this, 0);
    return root.form(at) === FORM.sec_offset ? (root.number(at) ?? fallback) : fallback;
  }
}

/** DW_LANG_ codes, DWARF 5 section 7.12 and its registry. */
export function languageOf(code: number): Language {
  switch (code) {
    case 0x01:
    case 0x02:
    case 0x0c:
    case 0x1d:
    case 0x2c:
    case 0x3e:
      return 'c';
    case 0x04:
    case 0x1a:
    case 0x21:
    case 0x2b:
    case 0x3a:
      return 'c++';
    case 0x1c:
      return 'rust';
    case 0x16:
      return 'go';
    case 0x31:
    case 0x8001:
      return 'assembly';
    default:
      return 'other';
  }
}
