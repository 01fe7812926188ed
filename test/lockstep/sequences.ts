/** Random sequences of instructions for the lock-step: what one leaves in registers, flags and memory, the next ones find. */

import { type Definition } from '../../debug-adapter/x86/isa/definition';
import { decodeCase, type Sequence } from './compare';
import { type Form, drawCase, formsOf } from './generate';
import { Area, Image, Run } from './native';
import { type Random } from './random';

/** One faults, repeats or ends a sequence in its own way, gives what the manual leaves open, or changes how the rest would run. */
const unfit = /^(POPF|PUSHF|SHLD|SHRD|MASKMOV|FLDENV|FRSTOR|CMPS|WR[FG]SBASE|LDMXCSR|FLDCW|FXRSTOR|SWAPGS|CALL|ENTER|BSF|BSR|NOP)/;

/** What may stand in a sequence. */
export function sequenceForms(definitions: readonly Definition[]): readonly Form[] {
  return formsOf(definitions).filter(
    ({ definition }) => definition.endsBlock !== true && definition.rep === undefined && !unfit.test(definition.mnemonic),
  );
}

/** Flags that an instruction may leave undefined, whatever its operands. */
function leavesUndefined(definition: Definition): number {
  let mask = definition.flags?.undefined ?? 0;
  if (definition.undefinedFor !== undefined)
    for (let count = 0; count < 64; count++) for (const size of [1, 2, 4, 8]) mask |= definition.undefinedFor({ count, size });
  return mask;
}

const scratch = Buffer.alloc(Image.size);

/** Draws a sequence of at most `most` instructions into `out` at `at`; it ends before one that would read an undefined flag. */
export function drawSequence(r: Random, forms: readonly Form[], most: number, out: Buffer, at: number): Sequence {
  let count = 0;
  let length = 0;
  let undefinedFlags = 0;
  let onceUndefined = 0;
  /** Registers that an address has been made of, a bit each. */
  let placed = 1 << 4;
  const room = Image.maxCode - 1;
  for (let tries = 0; count < most && tries < 4 * most; tries++) {
    drawCase(r, r.pick(forms), scratch, 0);
    const decoded = decodeCase(scratch, 0);
    if (decoded === undefined || decoded.length !== scratch[Image.codeLength]! || decoded.rep !== 'none') continue;
    if (length + decoded.length > room) break;
    const { definition } = decoded.row;
    if (definition.lock !== true && decoded.lock) continue;
    if (((definition.flags?.reads ?? 0) & undefinedFlags) !== 0) continue;
    if (count === 0) {
      scratch.copy(out, at);
      out.writeUInt16LE(0x100 + 16 * r.below(64), at + Image.codeOffset);
    } else if (decoded.hasMemory) {
      for (const register of [decoded.memBase, decoded.memIndex]) {
        if (register < 0 || (placed >>> register) & 1) continue;
        scratch.copy(out, at + Image.gpr + 8 * register, Image.gpr + 8 * register, Image.gpr + 8 * register + 8);
      }
    }
    if (decoded.hasMemory) for (const register of [decoded.memBase, decoded.memIndex]) if (register >= 0) placed |= 1 << register;
    scratch.copy(out, at + Image.code + length, Image.code, Image.code + decoded.length);
    length += decoded.length;
    count++;
    const surely =
      definition.conditionalFlags === true
        ? 0
        : (definition.flags?.writes ?? 0) | (definition.flags?.cleared ?? 0) | (definition.flags?.set ?? 0);
    undefinedFlags = (undefinedFlags & ~surely) | leavesUndefined(definition);
    onceUndefined |= undefinedFlags;
  }
  out[at + Image.codeLength] = length;
  out[at + Image.run] = Run.toEnd;
  if (out.readUInt16LE(at + Image.codeOffset) + length >= Area.codeSize) throw new Error('a sequence has no room behind it');
  return { count, undefinedFlags, onceUndefined };
}
