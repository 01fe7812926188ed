/** Relocations: a first pass finds what they need (GOT slots, stubs, run-time relocations), a second one writes the values. */

import { RELA_WORDS } from './debug-strings';
import { STB, STT, wide } from './elf';
import { type LinkProblems } from './errors';
import { type InputObject, type InputSection, type LinkSymbol } from './object';
import { gotRelaxation, isTlsGd, R_X86_64 as R, relocationName, tlsLdCall, tpRelaxation } from './relocations';
import { type Synthetic } from './synthetic';

/** What both passes know. */
export interface RelocationContext {
  readonly pie: boolean;
  readonly problems: LinkProblems;
  readonly synthetic: Synthetic;
}

/** Whether a GOT access becomes a direct one. The same answer in both passes. */
function relaxesGot(section: InputSection, offset: number, type: number, symbol: LinkSymbol): boolean {
  return (
    (type === R.GOTPCRELX || type === R.REX_GOTPCRELX) &&
    symbol.state === 'defined' &&
    symbol.type !== STT.GNU_IFUNC &&
    gotRelaxation(section.data, offset) !== undefined
  );
}

/** First pass over one live section that is loaded. */
export function scanRelocations(section: InputSection, context: RelocationContext, from = 0, to = section.relaCount): void {
  const { object } = section;
  const { words, symbols, rawSymbols } = object;
  const { synthetic, pie, problems } = context;
  for (let i = from; i < to; i++) {
    const w = section.relaOffset / 4 + i * RELA_WORDS;
    const type = words[w + 2]!;
    if (type === R.NONE) continue;
    const offset = words[w]!;
    const index = words[w + 3]!;
    const symbol = symbols[index];
    if (!symbol) {
      problems.add(object.name, `A relocation of ${section.name} names symbol ${index}, which does not exist.`);
      continue;
    }
    const skipsCall = (type === R.TLSGD && isTlsGd(section.data, offset)) || (type === R.TLSLD && tlsLdCall(section.data, offset) > 0);
    if (skipsCall) i++;
    if (symbol.state === 'undefined' && index !== 0 && rawSymbols[index]!.info >> 4 !== STB.WEAK && type !== R.TLSLD) {
      problems.unresolved(symbol, section, offset);
      continue;
    }
    if (symbol.state === 'discarded') {
      problems.add(object.name, `${section.name} refers to ${symbol.name || 'a symbol'} in a section that is not part of the image.`);
      continue;
    }
    if (symbol.type === STT.GNU_IFUNC && symbol.state === 'defined') synthetic.stub(symbol);
    switch (type) {
      case R.GOTPCREL:
      case R.GOTPCRELX:
      case R.REX_GOTPCRELX:
        if (!relaxesGot(section, offset, type, symbol)) synthetic.gotSlot(symbol, 'address');
        break;
      case R.GOTTPOFF:
        if (!tpRelaxation(section.data, offset)) synthetic.gotSlot(symbol, 'tp-offset');
        break;
      case R[64]:
        if (pie && symbol.state === 'defined')
          synthetic.dynamic.push({ section, offset, kind: 'relative', symbol, addend: addendAt(words, w) });
        break;
      case R[32]:
      case R['32S']:
      case R[16]:
      case R[8]:
        if (pie && symbol.state === 'defined')
          problems.add(
            object.name,
            `${section.name} has the relocation ${relocationName(type)}, which a position-independent image cannot have; compile with -fPIE.`,
          );
        break;
      default:
        break;
    }
  }
}

/** Bytes of the field of each type; 4 where nothing else is said. */
const WIDTHS = new Uint8Array(64).fill(4);
for (const type of [R[64], R.PC64, R.DTPOFF64, R.TPOFF64, R.SIZE64, R.GOTOFF64]) WIDTHS[type] = 8;
for (const type of [R[16], R.PC16, R.TLSDESC_CALL]) WIDTHS[type] = 2;
for (const type of [R[8], R.PC8]) WIDTHS[type] = 1;

/** Types that debug information is full of, at hand for the loop. */
const ABSOLUTE_32 = R[32];
const ABSOLUTE_64 = R[64];

/** The output while relocations are written. */
export interface RelocationOutput extends RelocationContext {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly gotAddress: number;
  readonly ipltAddress: number;
  /** The thread pointer's place relative to which offsets count, and the start of the TLS image. */
  readonly tp: number;
  readonly tlsStart: number;
}

/** Address that a reference to a symbol means. */
export function referenceAddress(symbol: LinkSymbol, ipltAddress: number): number {
  return symbol.iplt >= 0 ? ipltAddress + symbol.iplt : symbol.address;
}

/** Address that a reference with an addend means: in a merged section it is the addend that says which piece is meant. */
export function targetAddress(symbol: LinkSymbol, addend: number, ipltAddress: number): number {
  const { section } = symbol;
  if (symbol.type === STT.SECTION && section?.merged) return section.addressOf(symbol.value + addend);
  return referenceAddress(symbol, ipltAddress) + addend;
}

/** A signed 64-bit number. Those beyond 2^53 lose low bits, and no address of an image is one. */
function addendAt(words: Uint32Array, w: number): number {
  return wide(words[w + 4]!, words[w + 5]! | 0);
}

/**
 * Second pass over debug information, of which most refers to places of sections: these need no more than an addition.
 * `base` is where the section's bytes start in the output.
 */
export function applyDebugRelocations(section: InputSection, out: RelocationOutput, base: number): void {
  const { object, size, relaOffset, relaCount } = section;
  const { words } = object;
  const { view } = out;
  const addresses = (object.sectionAddresses ??= sectionAddresses(object));
  for (let i = 0, w = relaOffset / 4; i < relaCount; i++, w += RELA_WORDS) {
    const type = words[w + 2]!;
    const offset = words[w]!;
    const value = addresses[words[w + 3]!]! + words[w + 4]!;
    // What is no such reference has no address (NaN), and fails the comparison.
    if (value <= 0xffffffff && words[w + 1] === 0 && words[w + 5] === 0) {
      if (type === ABSOLUTE_32 && offset + 4 <= size) {
        view.setUint32(base + offset, value, true);
        continue;
      }
      if (type === ABSOLUTE_64 && offset + 8 <= size) {
        view.setUint32(base + offset, value, true);
        view.setUint32(base + offset + 4, 0, true);
        continue;
      }
    }
    applyRelocations(section, out, base, 0, i, i + 1);
  }
}

/** By symbol: the address, where it stands for a section that is in the image as it is; NaN for others. */
function sectionAddresses({ symbols }: InputObject): Float64Array {
  const addresses = new Float64Array(symbols.length).fill(NaN);
  symbols.forEach(({ type, section, value, iplt }, i) => {
    if (type === STT.SECTION && section?.output && section.live && !section.discarded && !section.merged && iplt < 0)
      addresses[i] = section.output.address + section.outputOffset + value;
  });
  return addresses;
}

/** Second pass: `base` is where the section's bytes start in the output, `place` their address. */
export function applyRelocations(
  section: InputSection,
  out: RelocationOutput,
  base: number,
  place: number,
  from = 0,
  to = section.relaCount,
): void {
  const { object, data, size, alloc } = section;
  const { words, symbols } = object;
  const { view, bytes, problems } = out;
  for (let i = from; i < to; i++) {
    const w = section.relaOffset / 4 + i * RELA_WORDS;
    const type = words[w + 2]!;
    if (type === R.NONE) continue;
    const offset = words[w]!;
    const symbol = symbols[words[w + 3]!];
    let addend = addendAt(words, w);
    if (!symbol) continue;
    const width = WIDTHS[type] ?? 4;
    if (words[w + 1] !== 0 || offset + width > size) {
      problems.add(object.name, `A relocation of ${section.name} lies outside of the section, at 0x${offset.toString(16)}.`);
      continue;
    }
    const to = base + offset;
    const p = place + offset;

    let s: number;
    let target = symbol.section;
    if (target && (target.discarded || !target.live)) {
      if (alloc && symbol.state === 'discarded') continue; // reported by the first pass
      // Debug information of what is not in the image: what the kept copy has, else a mark that readers skip.
      target = target.kept?.live ? target.kept : undefined;
      if (!target) {
        const mark = section.name === '.debug_ranges' || section.name === '.debug_loc' ? 1 : 0;
        if (width === 8) put64(view, to, mark);
        else if (width === 4) view.setUint32(to, mark, true);
        continue;
      }
      s = target.addressOf(symbol.value);
    } else if (symbol.type === STT.SECTION && target?.merged) {
      // The addend says which piece is meant.
      s = target.addressOf(symbol.value + addend);
      addend = 0;
    } else s = referenceAddress(symbol, out.ipltAddress);
    const value = s + addend;
    if (type === ABSOLUTE_32 && value >= 0 && value <= 0xffffffff) {
      view.setUint32(to, value, true);
      continue;
    }
    if (type === ABSOLUTE_64) {
      put64(view, to, value);
      continue;
    }

    switch (type) {
      case R.PC32:
      case R.PLT32:
        put32(view, to, value - p, symbol, section, offset, type, problems);
        break;
      case R.PC64:
        put64(view, to, value - p);
        break;
      case R[32]:
        problems.overflow(symbol, section, offset, relocationName(type), value);
        break;
      case R['32S']:
        put32(view, to, value, symbol, section, offset, type, problems);
        break;
      case R[16]:
      case R.PC16: {
        const v = type === R[16] ? value : value - p;
        if (v < -0x8000 || v > 0xffff) problems.overflow(symbol, section, offset, relocationName(type), v);
        view.setUint16(to, v & 0xffff, true);
        break;
      }
      case R[8]:
      case R.PC8: {
        const v = type === R[8] ? value : value - p;
        if (v < -0x80 || v > 0xff) problems.overflow(symbol, section, offset, relocationName(type), v);
        view.setUint8(to, v & 0xff);
        break;
      }
      case R.GOTPCREL:
      case R.GOTPCRELX:
      case R.REX_GOTPCRELX:
        if (!relaxesGot(section, offset, type, symbol)) {
          put32(view, to, out.gotAddress + symbol.got + addend - p, symbol, section, offset, type, problems);
          break;
        }
        relaxGot(bytes, data, to, offset, value - p, (v, where) => put32(view, where, v, symbol, section, offset, type, problems));
        break;
      case R.GOTTPOFF:
        if (tpRelaxation(data, offset)) relaxTp(bytes, view, to, s - out.tp);
        else put32(view, to, out.gotAddress + symbol.gotTp + addend - p, symbol, section, offset, type, problems);
        break;
      case R.TPOFF32:
        put32(view, to, value - out.tp, symbol, section, offset, type, problems);
        break;
      case R.TPOFF64:
        put64(view, to, value - out.tp);
        break;
      case R.DTPOFF32:
        // In code this belongs to a TLSLD that has become local-exec; elsewhere it is the offset in the module's block.
        put32(view, to, value - (alloc ? out.tp : out.tlsStart), symbol, section, offset, type, problems);
        break;
      case R.DTPOFF64:
        put64(view, to, value - (alloc ? out.tp : out.tlsStart));
        break;
      case R.TLSGD:
        if (!isTlsGd(data, offset)) {
          problems.add(object.name, `The TLS access at ${section.name}+0x${offset.toString(16)} is not written as the ABI has it.`);
          break;
        }
        // mov %fs:0, %rax; lea x@tpoff(%rax), %rax
        bytes.set([0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0, 0x48, 0x8d, 0x80], to - 4);
        view.setInt32(to + 8, s - out.tp, true);
        i++;
        break;
      case R.TLSLD: {
        const call = tlsLdCall(data, offset);
        if (call === 0) {
          problems.add(object.name, `The TLS access at ${section.name}+0x${offset.toString(16)} is not written as the ABI has it.`);
          break;
        }
        // mov %fs:0, %rax, with prefixes to the same length
        bytes.set([...(call === 6 ? [0x66] : []), 0x66, 0x66, 0x66, 0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0], to - 3);
        i++;
        break;
      }
      case R.GOTPC32_TLSDESC:
        // lea x@tlsdesc(%rip), %rax -> mov $x@tpoff, %rax
        bytes.set([0x48 | ((bytes[to - 3]! >> 2) & 1), 0xc7, 0xc0 | ((bytes[to - 1]! >> 3) & 7)], to - 3);
        view.setInt32(to, s - out.tp, true);
        break;
      case R.TLSDESC_CALL:
        bytes.set([0x66, 0x90], to);
        break;
      case R.GOTOFF64:
        put64(view, to, value - out.gotAddress);
        break;
      case R.GOTPC32:
        put32(view, to, out.gotAddress + addend - p, symbol, section, offset, type, problems);
        break;
      case R.SIZE32:
        view.setUint32(to, symbol.size + addend, true);
        break;
      case R.SIZE64:
        put64(view, to, symbol.size + addend);
        break;
      default:
        problems.unknownRelocation(section, offset, type);
    }
  }
}

function put32(
  view: DataView,
  to: number,
  value: number,
  symbol: LinkSymbol,
  section: InputSection,
  offset: number,
  type: number,
  problems: LinkProblems,
): void {
  if (value < -0x80000000 || value > 0x7fffffff) problems.overflow(symbol, section, offset, relocationName(type), value);
  view.setInt32(to, value | 0, true);
}

function put64(view: DataView, to: number, value: number): void {
  view.setUint32(to, value >>> 0, true);
  const isShort = value >= 0 && value <= 0xffffffff;
  view.setInt32(to + 4, isShort ? 0 : Math.floor(value / 0x100000000), true);
}

function relaxGot(
  bytes: Uint8Array,
  data: Uint8Array,
  to: number,
  offset: number,
  value: number,
  put: (value: number, where: number) => void,
): void {
  switch (gotRelaxation(data, offset)) {
    case 'lea':
      bytes[to - 2] = 0x8d;
      return put(value, to);
    case 'call': // call *x@GOT(%rip) -> addr32 call x
      bytes[to - 2] = 0x67;
      bytes[to - 1] = 0xe8;
      return put(value, to);
    case 'jmp': // jmp *x@GOT(%rip) -> jmp x; nop
      bytes[to - 2] = 0xe9;
      put(value + 1, to - 1);
      bytes[to + 3] = 0x90;
      return;
    case undefined:
      return;
  }
}

/** mov/add x@GOTTPOFF(%rip), %reg -> mov/add $x@tpoff, %reg: the register moves from REX.R to REX.B. */
function relaxTp(bytes: Uint8Array, view: DataView, to: number, offset: number): void {
  const register = (bytes[to - 1]! >> 3) & 7;
  bytes[to - 3] = 0x48 | ((bytes[to - 3]! >> 2) & 1);
  bytes[to - 2] = bytes[to - 2] === 0x8b ? 0xc7 : 0x81;
  bytes[to - 1] = 0xc0 | register;
  view.setInt32(to, offset, true);
}
