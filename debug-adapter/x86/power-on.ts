/** The processor's state after power-on. */

import { resetDebugRegisters } from './debug-registers';
import { Seg, SegField, State } from './state';

/** Writes the power-on values into the state block (SDM vol. 3A, 9.1.1, table 9-1). */
export function powerOn(view: DataView): void {
  new Uint8Array(view.buffer, 0, State.end).fill(0);
  view.setBigUint64(State.rip, 0xfff0n, true);
  view.setBigUint64(State.flags, 2n, true);
  view.setBigUint64(State.gpr + 16, 0x306d4n, true);
  view.setBigUint64(State.cr0, 0x60000010n, true);
  view.setBigUint64(State.xcr0, 1n, true);
  view.setBigUint64(State.pat, 0x0007040600070406n, true);
  view.setBigUint64(State.apicBase, 0xfee00900n, true);
  view.setBigUint64(State.miscEnable, 1n, true);
  for (let i = 0; i < 8; i++) {
    const at = State.seg + i * SegField.size;
    view.setUint32(at + SegField.limit, 0xffff, true);
    view.setUint32(at + SegField.attributes, i === Seg.CS ? 0x9b : i === Seg.LDTR ? 0x82 : i === Seg.TR ? 0x8b : 0x93, true);
  }
  view.setBigUint64(State.seg + Seg.CS * SegField.size, 0xffff0000n, true);
  view.setUint16(State.seg + Seg.CS * SegField.size + SegField.selector, 0xf000, true);
  view.setUint32(State.gdtr + 8, 0xffff, true);
  view.setUint32(State.idtr + 8, 0xffff, true);
  resetDebugRegisters(view);
  view.setUint16(State.fcw, 0x37f, true);
  view.setUint16(State.ftw, 0xffff, true);
  view.setUint32(State.mxcsr, 0x1f80, true);
}
