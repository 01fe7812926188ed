/** Prints the interpreter tier's speed on loops of integer work: million guest instructions a second, best of five. */

import { type X86Cpu } from '../debug-adapter/x86/cpu';
import { Layout } from '../debug-adapter/x86/state';
import { CODE, DATA, hex, longModeCpu } from '../test/unit/x86/run-snippet';

const loops: Readonly<Record<string, string>> = {
  // add, mov, add, xor, dec+jnz
  registers: '01 c8 89 c2 83 c2 03 31 d0 ff c9 75 f3',
  // load, add, store, lea, cmp+jne
  memory: '8b 07 01 c8 89 07 48 8d 4c 11 01 48 81 f9 00 00 00 7f 75 ec',
  // call, push, pop, ret, dec+jnz
  calls: 'e8 04 00 00 00 ff c9 75 f7 53 5b c3',
};

function measure(code: string): number {
  const cpu: X86Cpu = longModeCpu();
  cpu.u8.set(hex(code), Layout.ramBase + Number(CODE));
  cpu.setRegister('rcx', 0x7000_0000n);
  cpu.setRegister('rdi', DATA);
  let best = 0;
  for (let i = 0; i < 5; i++) {
    const before = cpu.retired;
    const start = process.cpuUsage();
    cpu.run(20_000_000);
    const used = process.cpuUsage(start);
    best = Math.max(best, Number(cpu.retired - before) / (used.user + used.system));
  }
  return best;
}

for (const [name, code] of Object.entries(loops)) console.log(`${name.padEnd(10)} ${measure(code).toFixed(0).padStart(5)} MIPS`);
