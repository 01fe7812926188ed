/** .debug_info as a whole: its unit headers, abbreviation tables and the cache of DIE trees. */
import { type AbbrevTable, parseAbbrevs } from './abbrev';
import { UT } from './constants';
import { Die, type DieTree, buildTree } from './die';
import { Reader } from './reader';
import { type DebugSections } from './sections';
import { Unit } from './unit';

/** Trees of units are dropped, oldest first, when together they exceed so many DIEs (16 bytes each). */
const MAX_CACHED_DIES = 4_000_000;
const MAX_UNITS = 1 << 20;

export class Dwarf {
  /** .debug_info, followed by .debug_types where there is one; DIE offsets are positions in it. */
  readonly info: Uint8Array;
  readonly units: readonly Unit[];
  private readonly abbrevs = new Map<number, AbbrevTable>();
  private readonly trees = new Map<Unit, DieTree>();
  private cachedDies = 0;
  /** The unit that was asked about last, and its tree: mostly the next one, too. */
  private recent: { readonly unit: Unit; readonly tree: DieTree } | undefined;
  private signatures: Map<bigint, Unit> | undefined;

  constructor(readonly sections: DebugSections) {
    const info = sections.get('.debug_info');
    const types = sections.get('.debug_types');
    if (types.length > 0) {
      this.info = new Uint8Array(info.length + types.length);
      this.info.set(info);
      this.info.set(types, info.length);
    } else this.info = info;
    this.units = [...this.readHeaders(0, info.length, 0), ...this.readHeaders(info.length, this.info.length, info.length)];
    this.units.forEach((unit, i) => (unit.index = i));
    if (sections.elf.section('.gnu_debugaltlink')) {
      const message = 'Part of the DWARF was moved to a shared file (.gnu_debugaltlink, made by dwz); names and types there are missing.';
      sections.diagnostics.add('dwarf-supplementary', message, '.gnu_debugaltlink');
    }
  }

  private *readHeaders(start: number, end: number, types: number): Generator<Unit> {
    const { diagnostics } = this.sections;
    const section = types ? '.debug_types' : '.debug_info';
    let offset = start;
    for (let count = 0; offset < end && count < MAX_UNITS; count++) {
      const r = new Reader(this.info, offset, end);
      let length = r.u32();
      const is64 = length === 0xffff_ffff;
      if (is64) length = r.u64();
      const next = r.pos + length;
      const version = r.u16();
      if (r.failed || next > end) {
        diagnostics.add(
          'dwarf-unit',
          'The unit reaches past the end of the section; it and what follows are not read.',
          section,
          offset - types,
        );
        return;
      }
      const unit = version >= 2 && version <= 5 ? this.readHeader(r, offset, next, version, is64, types > 0) : undefined;
      if (unit) yield unit;
      else
        diagnostics.add(
          'dwarf-version',
          `A unit of DWARF version ${version} with an unknown header is passed over; versions 2 to 5 are read.`,
          section,
          offset - types,
        );
      if (next <= offset) return;
      offset = next;
    }
  }

  private readHeader(r: Reader, offset: number, end: number, version: number, is64: boolean, isTypes: boolean): Unit | undefined {
    let type: number = isTypes ? UT.type : UT.compile;
    let addressSize: number;
    let abbrevOffset: number;
    if (version >= 5) {
      type = r.u8();
      addressSize = r.u8();
      abbrevOffset = r.offset(is64);
    } else {
      abbrevOffset = r.offset(is64);
      addressSize = r.u8();
    }
    let signature = 0n;
    let typeOffset = 0;
    if (type === UT.type || type === UT.split_type) {
      signature = r.u64Big();
      typeOffset = r.offset(is64);
    } else if (type === UT.skeleton || type === UT.split_compile) {
      signature = r.u64Big();
    }
    if (r.failed || (addressSize !== 4 && addressSize !== 8) || type < UT.compile || type > UT.split_type) return undefined;
    return new Unit(this, { offset, end, version, is64, addressSize, type, abbrevOffset, dieOffset: r.pos, signature, typeOffset });
  }

  abbrevTable(offset: number): AbbrevTable {
    let table = this.abbrevs.get(offset);
    if (!table) {
      table = parseAbbrevs(this.sections.get('.debug_abbrev'), offset, this.sections.diagnostics);
      this.abbrevs.set(offset, table);
    }
    return table;
  }

  tree(unit: Unit): DieTree {
    if (this.recent?.unit === unit) return this.recent.tree;
    let tree = this.trees.get(unit);
    if (tree) {
      // Re-inserting keeps the map in order of use.
      this.trees.delete(unit);
      this.trees.set(unit, tree);
    } else tree = this.addTree(unit);
    this.recent = { unit, tree };
    return tree;
  }

  private addTree(unit: Unit): DieTree {
    const tree = buildTree(unit);
    this.trees.set(unit, tree);
    this.cachedDies += tree.count;
    for (const [old, oldTree] of this.trees) {
      if (this.cachedDies <= MAX_CACHED_DIES || old === unit) break;
      this.trees.delete(old);
      this.cachedDies -= oldTree.count;
    }
    return tree;
  }

  /** The unit whose bytes hold the offset. */
  unitAt(offset: number): Unit | undefined {
    let low = 0;
    let high = this.units.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.units[middle]!.offset <= offset) low = middle + 1;
      else high = middle;
    }
    const unit = this.units[low - 1];
    return unit && offset < unit.end ? unit : undefined;
  }

  /** The DIE that begins at an offset of .debug_info; undefined where none does. */
  dieAt(offset: number): Die | undefined {
    const unit = this.unitAt(offset);
    if (!unit || offset < unit.dieOffset) return undefined;
    const index = this.tree(unit).indexOf(offset);
    return index < 0 ? undefined : new Die(unit, index);
  }

  /** The type that a type unit of this signature defines (DW_FORM_ref_sig8). */
  dieBySignature(signature: bigint): Die | undefined {
    this.signatures ??= new Map(this.units.filter((u) => u.type === UT.type || u.type === UT.split_type).map((u) => [u.signature, u]));
    const unit = this.signatures.get(signature);
    return unit && this.dieAt(unit.offset + unit.typeOffset);
  }
}
