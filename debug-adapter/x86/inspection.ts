/** The debugger's view of a processor: translations and memory by linear address, and wide registers, without side effects on the guest. */

import { type Cpu } from './api';
import { type CpuContext } from './context';
import { Efer, readEfer } from './control-bits';
import { peek } from './mmu';
import { wideRegister } from './registers';
import { Layout } from './state';

/** The bytes of a vector or x87 register, copied. */
export function getWideRegister(cpu: CpuContext, name: string): Uint8Array | undefined {
  const place = wideRegister(cpu, name);
  return place && cpu.u8.slice(place.offset, place.offset + place.length);
}

/** False where there is no such register or the length is not its own. */
export function setWideRegister(cpu: CpuContext, name: string, bytes: Uint8Array): boolean {
  const place = wideRegister(cpu, name);
  if (!place || bytes.length !== place.length) return false;
  cpu.u8.set(bytes, place.offset);
  return true;
}

/** See `Cpu.translate`. */
export function translate(cpu: CpuContext, linear: bigint, access?: 'read' | 'write' | 'execute'): ReturnType<Cpu['translate']> {
  const longMode = (readEfer(cpu.view) & Efer.LMA) !== 0;
  const found = peek(cpu, BigInt.asUintN(longMode ? 64 : 32, linear));
  if (!found) return undefined;
  if ((access === 'write' && !found.writable) || (access === 'execute' && !found.executable)) return undefined;
  return { physical: found.physical, writable: found.writable, executable: found.executable, user: found.user, pageSize: found.pageSize };
}

/** See `Cpu.readMemory`. */
export function readMemory(cpu: CpuContext, linear: bigint, length: number): Uint8Array {
  const out = new Uint8Array(length);
  const done = eachPage(cpu, linear, length, (physical, at, size) =>
    out.set(cpu.u8.subarray(Layout.ramBase + physical, Layout.ramBase + physical + size), at),
  );
  return out.subarray(0, done);
}

/** See `Cpu.writeMemory`; `changed` is told of every physical range before it changes. */
export function writeMemory(
  cpu: CpuContext,
  linear: bigint,
  bytes: Uint8Array,
  changed: (physical: number, length: number) => void,
): number {
  return eachPage(cpu, linear, bytes.length, (physical, at, size) => {
    changed(physical, size);
    cpu.u8.set(bytes.subarray(at, at + size), Layout.ramBase + physical);
  });
}

/** Calls `action` for each part of a linear range within one page; answers how far RAM is mapped there. */
function eachPage(cpu: CpuContext, linear: bigint, length: number, action: (physical: number, at: number, size: number) => void): number {
  let done = 0;
  while (done < length) {
    const found = translate(cpu, BigInt.asUintN(64, linear + BigInt(done)));
    if (!found) break;
    const size = Math.min(length - done, 4096 - (found.physical & 4095));
    if (found.physical + size > cpu.ramSize) break;
    action(found.physical, done, size);
    done += size;
  }
  return done;
}
