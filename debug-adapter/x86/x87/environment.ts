/** FNSTENV, FLDENV, FNSAVE and FRSTOR in their four layouts (SDM vol. 1, figures 8-9 to 8-12). */

import { State } from '../state';
import { type X87Port } from './port';
import { Float80 } from './float80';
import type { X87State } from './state';

const scratch = new Float80();

function environmentSize(port: X87Port): number {
  return port.operand16 ? 14 : 28;
}

function writeEnvironment(view: DataView, state: X87State, port: X87Port): void {
  const { operand } = port;
  const fip = view.getUint32(State.fip, true);
  const fdp = view.getUint32(State.fdp, true);
  const fcs = view.getUint16(State.fcs, true);
  const fds = view.getUint16(State.fds, true);
  const fop = view.getUint16(State.fop, true) & 0x7ff;
  const words = [state.controlWord, state.statusWord, state.fullTagWord(scratch)];
  if (port.operand16) {
    words.forEach((w, n) => operand.setUint16(n * 2, w, true));
    operand.setUint16(6, fip, true);
    operand.setUint16(8, port.realFormat ? ((fip >>> 4) & 0xf000) | fop : fcs, true);
    operand.setUint16(10, fdp, true);
    operand.setUint16(12, port.realFormat ? (fdp >>> 4) & 0xf000 : fds, true);
    return;
  }
  words.forEach((w, n) => operand.setUint32(n * 4, (w | 0xffff_0000) >>> 0, true));
  if (port.realFormat) {
    operand.setUint32(12, (fip | 0xffff_0000) >>> 0, true);
    operand.setUint32(16, ((fip >>> 4) & 0xfff_f000) | fop, true);
    operand.setUint32(20, (fdp | 0xffff_0000) >>> 0, true);
    operand.setUint32(24, (fdp >>> 4) & 0xfff_f000, true);
    return;
  }
  operand.setUint32(12, fip, true);
  operand.setUint32(16, (fop << 16) | fcs, true);
  operand.setUint32(20, fdp, true);
  operand.setUint32(24, (0xffff_0000 | fds) >>> 0, true);
}

function readEnvironment(view: DataView, state: X87State, port: X87Port): void {
  const { operand } = port;
  const step = port.operand16 ? 2 : 4;
  state.controlWord = operand.getUint16(0, true);
  state.statusWord = operand.getUint16(step, true);
  state.tagWord = operand.getUint16(step * 2, true);
  let fip: number;
  let fdp: number;
  let fcs = 0;
  let fds = 0;
  let fop: number | undefined;
  if (port.operand16) {
    fip = operand.getUint16(6, true);
    fdp = operand.getUint16(10, true);
    const a = operand.getUint16(8, true);
    const b = operand.getUint16(12, true);
    if (port.realFormat) {
      fop = a & 0x7ff;
      fip |= (a & 0xf000) << 4;
      fdp |= (b & 0xf000) << 4;
    } else {
      fcs = a;
      fds = b;
    }
  } else if (port.realFormat) {
    const a = operand.getUint32(16, true);
    fop = a & 0x7ff;
    fip = operand.getUint16(12, true) | ((a & 0xfff_f000) << 4);
    fdp = operand.getUint16(20, true) | ((operand.getUint32(24, true) & 0xfff_f000) << 4);
  } else {
    fip = operand.getUint32(12, true);
    fcs = operand.getUint16(16, true);
    fop = operand.getUint16(18, true) & 0x7ff;
    fdp = operand.getUint32(20, true);
    fds = operand.getUint16(24, true);
  }
  view.setBigUint64(State.fip, BigInt(fip >>> 0), true);
  view.setBigUint64(State.fdp, BigInt(fdp >>> 0), true);
  view.setUint16(State.fcs, fcs, true);
  view.setUint16(State.fds, fds, true);
  if (fop !== undefined) view.setUint16(State.fop, fop, true);
}

export function storeEnvironment(view: DataView, state: X87State, port: X87Port): void {
  writeEnvironment(view, state, port);
  port.store(environmentSize(port));
}

export function loadEnvironment(view: DataView, state: X87State, port: X87Port): void {
  port.load(environmentSize(port));
  readEnvironment(view, state, port);
}

/** The environment, then ST(0) to ST(7) of ten bytes each. The caller initializes the unit afterwards. */
export function saveState(view: DataView, state: X87State, port: X87Port): void {
  writeEnvironment(view, state, port);
  const size = environmentSize(port);
  for (let i = 0; i < 8; i++) {
    const at = state.offset(i);
    port.operand.setBigUint64(size + i * 10, view.getBigUint64(at, true), true);
    port.operand.setUint16(size + i * 10 + 8, view.getUint16(at + 8, true), true);
  }
  port.store(size + 80);
}

export function restoreState(view: DataView, state: X87State, port: X87Port): void {
  const size = environmentSize(port);
  port.load(size + 80);
  readEnvironment(view, state, port);
  for (let i = 0; i < 8; i++) {
    const at = state.offset(i);
    view.setBigUint64(at, port.operand.getBigUint64(size + i * 10, true), true);
    view.setUint16(at + 8, port.operand.getUint16(size + i * 10 + 8, true), true);
  }
}
