/** The debugger's view of a processor: translations and memory by linear address, and wide registers, without side effects on the guest. */

import { type Cpu } from './api';
import { type CpuContext } from './context';
import { Efer, readEfer } from './control-bits';
import { peek } from './mmu';
import { wideRegister } from './registers';
import { Layout } from './state';
import { cachedHostOf } from './tlb';

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

/** See `Cpu.readPointer`. */
export function readPointer(cpu: CpuContext, linear: number): number | undefined {
  const host = cachedHostOf(cpu.u32, Layout.tlbRead, linear >>> 0, Math.floor(linear / 0x1_0000_0000) >>> 0, 8);
  if (host >= 0) return cpu.view.getInt32(host + 4, true) * 0x1_0000_0000 + cpu.view.getUint32(host, true);
  const bytes = readMemory(cpu, BigInt.asUintN(64, BigInt(linear)), 8);
  if (bytes.length < 8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  return view.getInt32(4, true) * 0x1_0000_0000 + view.getUint32(0, true);
}

/** Host address of the 64-bit word at a linear address (as `readPointer` takes it), undefined where that is not in one page of RAM. */
export function hostOfPointer(cpu: CpuContext, linear: number): number | undefined {
  let host: number | undefined;
  const done = eachPage(cpu, BigInt.asUintN(64, BigInt(linear)), 8, (physical, at) => {
    if (at === 0) host = Layout.ramBase + physical;
  });
  return done === 8 && (linear & 7) === 0 ? host : undefined;
}

/** Host address of the page that a linear address lies in, undefined where that is not RAM. */
export function hostOfPage(cpu: CpuContext, linear: bigint): number | undefined {
  let host: number | undefined;
  eachPage(cpu, linear & ~0xfffn, 4096, (physical) => (host = Layout.ramBase + physical));
  return host;
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
