/** Handlers of software interrupts for the translator's random programs: gates of many kinds, stacks of their own, and returns to frames that the handlers have changed. */

import { Place } from './jit-rig';
import { type Random } from './random';

/** Vectors that programs call: the drawn handlers'. */
const softwareVectors = { first: 0x50, count: 12 } as const;

/** Selectors of the rig's GDT that a handler or its frame may have; most of them are no good. */
const selectors = { code: 8, stack: 0x10, newCode: 0x18, conforming: 0x20, newStack: 0x28, absent: 0x30, beyond: 0x38 } as const;

/** What is drawn for one program. */
interface Handlers {
  /** The page of handlers. */
  readonly code: Uint8Array;
  readonly gates: readonly Gate[];
}

/** A gate of the IDT: its first eight bytes, and its last. */
export interface Gate {
  readonly vector: number;
  readonly low: bigint;
  readonly high: bigint;
}

/** inc dword [handler + 0x800]; iretq: what all other events run. */
const plain = [0xff, 0x04, 0x25, 0x00, 0x38, 0x00, 0x00, 0x48, 0xcf];
const slot = 0x40;

const word = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255];

/** Flags that a handler may change in its frame: arithmetic ones mostly, then IF, DF, AC, RF, ID, rarely NT and TF. */
function flagChange(r: Random): number {
  if (r.oneIn(24)) return r.pick([0x100, 0x4000]);
  return (r.below(0x1000) & 0x8d5) | (r.oneIn(4) ? 0x1_0000 : 0) | (r.oneIn(3) ? r.pick([0x200, 0x400, 0x4_0000, 0x20_0000]) : 0);
}

/** A handler that changes the word at an offset of the frame. */
function changing(r: Random): number[] {
  switch (r.below(5)) {
    case 0:
    case 1:
      // xor dword [rsp + 16], imm32
      return [0x81, 0x74, 0x24, 16, ...word(flagChange(r))];
    case 2:
      // mov word [rsp + 8], imm16; mov word [rsp + 32], imm16
      return r.oneIn(2)
        ? [0x66, 0xc7, 0x44, 0x24, 8, r.pick([selectors.code, selectors.code, selectors.newCode, selectors.conforming, selectors.stack]), 0]
        : [0x66, 0xc7, 0x44, 0x24, 32, r.pick([selectors.stack, selectors.stack, selectors.newStack, selectors.code, 0, 0x13]), 0];
    case 3:
      // xor byte [rsp + 24], 16
      return [0x80, 0x74, 0x24, 24, 16];
    default:
      // Now and then not canonical: btc qword [rsp], 62
      return r.oneIn(6) ? [0x48, 0x0f, 0xba, 0x3c, 0x24, 62] : [0x50, 0x58];
  }
}

function handlerOf(r: Random): number[] {
  const change = r.oneIn(2) ? changing(r) : [];
  // Some let interrupts in, some have a word of their own on the stack.
  return [...(r.oneIn(6) ? [0xfb, 0x90] : []), ...(r.oneIn(3) ? [0x50, 0x58] : []), ...change, ...plain];
}

function gateOf(r: Random, number: number): Gate {
  const offset = BigInt(Place.handler + slot * (1 + number));
  const odd = r.oneIn(5);
  const selector = odd ? r.pick([selectors.newCode, selectors.conforming, selectors.stack, selectors.absent, selectors.beyond, 0, 9]) : 8;
  const kind = r.oneIn(12) ? r.pick([0xe, 0x8c, 0x85, 0x9e, 0xee, 0x6f]) : r.pick([0x8e, 0x8e, 0x8f]);
  const ist = r.oneIn(4) ? 1 + r.below(7) : 0;
  const low = (offset & 0xffffn) | (BigInt(selector) << 16n) | (BigInt(ist) << 32n) | (BigInt(kind) << 40n) | ((offset >> 16n) << 48n);
  return { vector: softwareVectors.first + number, low, high: r.oneIn(30) ? BigInt(r.pick([0x8000, 0xffff])) : 0n };
}

export function drawHandlers(r: Random): Handlers {
  const code = new Uint8Array(slot * (1 + softwareVectors.count));
  code.set(plain);
  const gates = Array.from({ length: softwareVectors.count }, (_, i) => {
    code.set(handlerOf(r), slot * (i + 1));
    return gateOf(r, i);
  });
  return { code, gates };
}

/** Bytes of a software interrupt: with the stack as it is, or on an odd one. */
export function drawInterrupt(r: Random): number[] {
  const interrupt = r.oneIn(10) ? [r.pick([0xcc, 0xf1])] : [0xcd, softwareVectors.first + r.below(softwareVectors.count)];
  if (!r.oneIn(3)) return interrupt;
  const end = Place.data + Place.dataPages * 4096;
  // Over the end of a page, of the one that may be written, of all, in the alias pages, in code; mov rsi, rsp; mov esp, imm32; int; mov rsp, rsi.
  const top = r.pick([Place.stack - 4096, Place.stack - 4096, end - 4096, end, Place.alias + 4096 * r.below(5), Place.code + 0x1000]);
  return [0x48, 0x89, 0xe6, 0xbc, ...word(top + r.pick([0, 8, 16, 24, 32, 40, 48, 56]) + r.below(3)), ...interrupt, 0x48, 0x89, 0xf4];
}
