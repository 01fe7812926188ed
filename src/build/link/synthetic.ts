/** Sections that the linker makes itself: the GOT, stubs of indirect functions, dynamic relocations, common symbols. */

import { SHF, SHT, STT } from './elf';
import { InputObject, InputSection, type LinkSymbol } from './object';

const EMPTY = new Uint8Array(0);

/** What an 8-byte slot of the GOT holds. */
export interface GotSlot {
  readonly symbol: LinkSymbol;
  readonly kind: 'address' | 'tp-offset' | 'indirect';
}

/** A run-time relocation (Elf64_Rela) of a position-independent image, or of an indirect function. */
export interface DynamicRelocation {
  readonly section: InputSection;
  readonly offset: number;
  readonly kind: 'relative' | 'indirect';
  /** What the addend is: the address of this symbol plus a number. */
  readonly symbol: LinkSymbol;
  readonly addend: number;
}

/** The object that owns such sections. */
export class Synthetic {
  readonly object = new InputObject('the linker', EMPTY, new DataView(EMPTY.buffer));
  readonly gotSlots: GotSlot[] = [];
  readonly iplt: LinkSymbol[] = [];
  readonly dynamic: DynamicRelocation[] = [];
  readonly indirect: DynamicRelocation[] = [];
  got: InputSection | undefined;
  ipltSection: InputSection | undefined;
  relaDyn: InputSection | undefined;
  relaIplt: InputSection | undefined;
  dynamicSection: InputSection | undefined;
  frameHeader: InputSection | undefined;

  /** Adds a section, live from the start. */
  section(name: string, type: number, flags: number, align: number, size: number, data: Uint8Array = EMPTY): InputSection {
    const s = new InputSection(this.object, this.object.sections.length, name, type, flags, align, size, 0, data);
    s.live = true;
    this.object.sections.push(s);
    return s;
  }

  /** Offset in the GOT of a symbol's slot. */
  gotSlot(symbol: LinkSymbol, kind: GotSlot['kind']): number {
    const known = kind === 'tp-offset' ? symbol.gotTp : symbol.got;
    if (known >= 0) return known;
    const offset = this.gotSlots.length * 8;
    this.gotSlots.push({ symbol, kind });
    if (kind === 'tp-offset') symbol.gotTp = offset;
    else symbol.got = offset;
    return offset;
  }

  /** Gives an indirect function (STT_GNU_IFUNC) a stub, whose address stands for it. */
  stub(symbol: LinkSymbol): void {
    if (symbol.iplt >= 0) return;
    symbol.iplt = this.iplt.length * 16;
    this.iplt.push(symbol);
  }

  /** Turns common symbols into zeroed memory, the most aligned first. */
  allocateCommons(symbols: Iterable<LinkSymbol>): void {
    const commons = [...symbols].filter((s) => s.state === 'common').sort((a, b) => b.value - a.value);
    for (const symbol of commons) {
      const tls = symbol.type === STT.TLS;
      const s = this.section(
        tls ? '.tcommon' : 'COMMON',
        SHT.NOBITS,
        SHF.ALLOC | SHF.WRITE | (tls ? SHF.TLS : 0),
        symbol.value,
        symbol.size,
      );
      symbol.state = 'defined';
      symbol.section = s;
      symbol.value = 0;
    }
  }
}
