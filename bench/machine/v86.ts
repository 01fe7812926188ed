/**
 * Runs one i386 kernel on v86 and prints a line of JSON for each workload: `node v86.cjs KERNEL PACKAGE`, where PACKAGE is the folder of the npm package of that
 * name. A process of its own, so that CPU time is its own. The BIOS is SeaBIOS, as Debian's package seabios (which QEMU needs too) has it.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** What is used of v86 (v86.d.ts of its package). */
interface V86 {
  add_listener(event: 'serial0-output-byte', listener: (byte: number) => void): void;
}
type V86Constructor = new (options: Readonly<Record<string, unknown>>) => V86;

const [kernel, folder] = process.argv.slice(2);
const firmware = '/usr/share/seabios';

function file(name: string): { readonly buffer: ArrayBuffer } {
  const bytes = readFileSync(name);
  return { buffer: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) };
}

/** Milliseconds of all threads. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const { V86: Machine } = createRequire(path.resolve(folder!, 'package.json'))(path.resolve(folder!)) as { readonly V86: V86Constructor };
const machine = new Machine({
  wasm_path: path.join(folder!, 'build/v86.wasm'),
  memory_size: 64 << 20,
  vga_memory_size: 2 << 20,
  bios: file(path.join(firmware, 'bios.bin')),
  vga_bios: file(path.join(firmware, 'vgabios-stdvga.bin')),
  multiboot: file(kernel!),
  autostart: true,
  disable_speaker: true,
});
let line = '';
let started = 0;
machine.add_listener('serial0-output-byte', (byte) => {
  if (byte !== 10) {
    line += String.fromCharCode(byte);
    return;
  }
  if (line.startsWith('DONE')) process.exit();
  const [, mark, name, checksum] = /(S|E) (\w+)(?: ([0-9a-f]+))?\s*$/.exec(line) ?? [];
  if (mark === 'S') started = cpuTime();
  if (mark === 'E') console.log(JSON.stringify({ name, checksum, milliseconds: cpuTime() - started }));
  line = '';
});
