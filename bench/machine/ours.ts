/** Runs one kernel on our machine and prints a line of JSON for each workload: `tsx ours.ts KERNEL jit|interpreter`. A process of its own, so that CPU time is its own. */

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createMachine } from '../../debug-adapter/machine/pc';
import { useHandlers } from '../../debug-adapter/x86/default-handlers';

const [file, tier] = process.argv.slice(2);
const handlers = path.join(__dirname, 'handlers.wasm');
if (existsSync(handlers)) useHandlers(new WebAssembly.Module(readFileSync(handlers)));
const { machine } = createMachine({
  image: new Uint8Array(readFileSync(file!)),
  imageName: 'kernel',
  commandLine: '',
  memory: 128 << 20,
  cpuModel: 'default',
  jit: tier !== 'interpreter',
});
let line = '';
let started = { cpu: 0, retired: 0n };

/** Microseconds of all threads. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

machine.onConsoleOutput = (bytes) => {
  for (const byte of bytes) {
    if (byte !== 10) {
      line += String.fromCharCode(byte);
      continue;
    }
    const [mark, name, checksum] = line.split(' ');
    if (mark === 'S') started = { cpu: cpuTime(), retired: machine.cpu.retired };
    if (mark === 'E') {
      const milliseconds = (cpuTime() - started.cpu) / 1000;
      console.log(JSON.stringify({ name, checksum, milliseconds, instructions: Number(machine.cpu.retired - started.retired) }));
    }
    line = '';
  }
};
/** Slices as long as a worker's, and turns of the event loop between them, in which finished translations come in. */
function slice(): void {
  if (machine.run(machine.cpu.retired + 2_000_000n).kind === 'limit') setImmediate(slice);
}
slice();
