/** .debug_info as a whole: its unit headers, abbreviation tables and the cache of DIE trees. */
import { UT } from './constants';
import { Die, type DieTree, buildTree } from './die';
import { UnitImports } from './imports';
import { Reader } from './reader';
import { type DebugSections } from './sections';
import { Unit, type UnitHeader } from './unit';

/** Trees of units are dropped, oldest first, when together they exceed so many DIEs (16 bytes each). */
const MAX_CACHED_DIES = 4_000_000;
const MAX_UNITS = 1 << 20;
/** Positions are kept in 32 bits, with a sign. */
const largestInfo = 0x7fff_ffff;

export class Dwarf {
  /**
   * .debug_info, followed by .debug_types where there is one, and by the .debug_info of the file that is shared with others where there is one. DIE offsets are
   * positions in it, so that those of both files differ.
   */
  readonly info: Uint8Array;
  /** Position of the shared file's .debug_info in `info`. */
  readonly supplementBase: number;
  /** Units of the file, and of the shared one those that it imports: the others are of other files. */
  readonly units: readonly Unit[];
  readonly imports: UnitImports;
  /** By position, with those that are not imported: something may refer to them. */
  private readonly allUnits: readonly Unit[];
  private readonly trees = new Map<Unit, DieTree>();
  private cachedDies = 0;
  /** The unit that was asked about last, and its tree: mostly the next one, too. */
  private recent: { readonly unit: Unit; readonly tree: DieTree } | undefined;
  private signatures: Map<bigint, Unit> | undefined;

  /** @param supplement sections of the file that DIEs and strings are shared in with other files */
  constructor(
    readonly sections: DebugSections,
    readonly supplement?: DebugSections,
  ) {
    const info = sections.get('.debug_info');
    const types = sections.get('.debug_types');
    const shared = supplement?.get('.debug_info') ?? new Uint8Array(0);
    const fits = info.length + types.length + shared.length <= largestInfo;
    if (!fits) sections.diagnostics.add('dwarf-supplementary', 'The supplementary file is too large; names and types there are missing.');
    this.info = joined([info, types, ...(fits ? [shared] : [])]);
    this.supplementBase = info.length + types.length;
    this.imports = new UnitImports(this);
    const own = [
      ...this.readHeaders(sections, '.debug_info', 0, info.length),
      ...this.readHeaders(sections, '.debug_types', info.length, this.supplementBase),
    ];
    const further = supplement ? [...this.readHeaders(supplement, '.debug_info', this.supplementBase, this.info.length)] : [];
    this.allUnits = [...own, ...further];
    this.allUnits.forEach((unit, i) => (unit.index = i));
    this.units = further.length === 0 ? own : [...this.imports.reached(own)].sort((a, b) => a.offset - b.offset);
  }

  private *readHeaders(sections: DebugSections, section: '.debug_info' | '.debug_types', start: number, end: number): Generator<Unit> {
    const { diagnostics } = sections;
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
          offset - start,
        );
        return;
      }
      const unit = version >= 2 && version <= 5 ? this.readHeader(r, { offset, end: next, version, is64 }, section, sections) : undefined;
      if (unit) yield unit;
      else
        diagnostics.add(
          'dwarf-version',
          `A unit of DWARF version ${version} with an unknown header is passed over; versions 2 to 5 are read.`,
          section,
          offset - start,
        );
      if (next <= offset) return;
      offset = next;
    }
  }

  private readHeader(
    r: Reader,
    begun: Pick<UnitHeader, 'offset' | 'end' | 'version' | 'is64'>,
    section: '.debug_info' | '.debug_types',
    sections: DebugSections,
  ): Unit | undefined {
    const { version, is64 } = begun;
    let type: number = section === '.debug_types' ? UT.type : UT.compile;
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
    const base = sections === this.sections ? 0 : this.supplementBase;
    return new Unit(this, sections, base, { ...begun, addressSize, type, abbrevOffset, dieOffset: r.pos, signature, typeOffset });
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

  /** The offset in its file's .debug_info of what is at a position in `info`, as references tell it. */
  offsetAt(position: number): number {
    return position >= this.supplementBase ? position - this.supplementBase : position;
  }

  /** The unit whose bytes hold the offset. */
  unitAt(offset: number): Unit | undefined {
    let low = 0;
    let high = this.allUnits.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.allUnits[middle]!.offset <= offset) low = middle + 1;
      else high = middle;
    }
    const unit = this.allUnits[low - 1];
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

/** One after the other; a single one that is not empty is not copied. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const full = parts.filter(({ length }) => length > 0);
  if (full.length <= 1) return full[0] ?? new Uint8Array(0);
  const bytes = new Uint8Array(full.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of full) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
