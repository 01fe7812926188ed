/**
 * Runs an image in lock step here and in QEMU through its GDB stub, and shows the first instruction after which the registers differ.
 *
 *   npx tsx test/lockstep/qemu-diff.ts IMAGE [--initrd FILE] [--append STRING] [--memory MIB] [--steps N] [--skip ADDRESS]... [--cpu MODEL]
 *
 * Interrupts are never delivered on either side. What the host's time or randomness decides (RDTSC, IN, RDRAND) is copied from QEMU; what CPUID says is
 * copied to it, so that both take the same way. A function given
 * by --skip (its entry address) runs to its return on both sides without comparison: for calibration loops.
 */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createMachine } from '../../debug-adapter/machine/pc';
import { GdbRemote, generalNames, type QemuRegisters } from './gdb-remote';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    initrd: { type: 'string' },
    append: { type: 'string', default: '' },
    memory: { type: 'string', default: '128' },
    steps: { type: 'string', default: '1000000' },
    skip: { type: 'string', multiple: true, default: [] },
    cpu: { type: 'string', default: 'max' },
    port: { type: 'string', default: '45123' },
    start: { type: 'string' },
  },
});
const image = positionals[0];
if (image === undefined) throw new Error('An image is needed.');

/** Flags that are compared: those that instructions leave undefined make noise, so AF is left out. */
const flagMask = 0x0cc5n;

const qemu = spawn(
  'qemu-system-x86_64',
  [
    ...[
      '-machine',
      'pc',
      '-accel',
      'tcg',
      '-cpu',
      values.cpu,
      '-m',
      values.memory,
      '-display',
      'none',
      '-monitor',
      'none',
      '-serial',
      'null',
      '-no-reboot',
      '-nic',
      'none',
    ],
    ...['-device', 'isa-debug-exit,iobase=0x501,iosize=2', '-kernel', image, '-S', '-gdb', `tcp:127.0.0.1:${values.port}`],
    ...(values.initrd === undefined ? [] : ['-initrd', values.initrd]),
    ...(values.append === '' ? [] : ['-append', values.append]),
  ],
  { stdio: ['ignore', 'inherit', 'inherit'] },
);
process.on('exit', () => qemu.kill());

const { machine, entry } = createMachine({
  image: readFileSync(image),
  imageName: image,
  commandLine: values.append,
  ...(values.initrd === undefined ? {} : { initrd: readFileSync(values.initrd) }),
  memory: Number(values.memory) << 20,
  cpuModel: 'default',
  tscLeaf: false,
});
const { cpu } = machine;
const skips = new Set(values.skip.map((text) => BigInt(text)));

function disassemble(rip: bigint, bits: number): string {
  const bytes = Buffer.from(cpu.readMemory(rip, 15));
  const file = join(tmpdir(), `lockstep-${process.pid}.bin`);
  writeFileSync(file, bytes);
  try {
    const machineName = bits === 64 ? 'i386:x86-64' : 'i386';
    const text = execFileSync('objdump', ['-D', '-b', 'binary', '-m', machineName, '-M', 'intel', file], { encoding: 'utf8' });
    return /^\s*0:\s*(.*)$/m.exec(text)?.[1] ?? bytes.toString('hex');
  } catch {
    return bytes.toString('hex');
  }
}

/** Cheap enough to ask at every step: the first bytes tell the few instructions that matter. */
function isHostDecided(rip: bigint): boolean {
  const [a, b, c] = cpu.readMemory(rip, 3);
  if (a === 0xe4 || a === 0xe5 || a === 0xec || a === 0xed || (a === 0x66 && (b === 0xe5 || b === 0xed))) return true;
  if (a === 0x0f && (b === 0x31 || b === 0xc7)) return true;
  if (a === 0x0f && b === 0x01 && (c === 0xf9 || c === 0xd0)) return true;
  return a !== undefined && (a & 0xf0) === 0x40 && b === 0x0f && c === 0xc7;
}

function copyFrom(theirs: QemuRegisters): void {
  for (const name of generalNames) cpu.setRegister(name, theirs.general[name]!);
  cpu.setRegister('rflags', theirs.flags);
}

function differences(theirs: QemuRegisters): readonly string[] {
  const out: string[] = [];
  for (const name of generalNames) {
    const ours = cpu.getRegister(name)!;
    if (ours !== theirs.general[name]) out.push(`${name}: here ${ours.toString(16)}, QEMU ${theirs.general[name]!.toString(16)}`);
  }
  const flags = cpu.getRegister('rflags')!;
  if ((flags & flagMask) !== (theirs.flags & flagMask)) out.push(`rflags: here ${flags.toString(16)}, QEMU ${theirs.flags.toString(16)}`);
  theirs.xmm.forEach(([low, high], index) => {
    const bytes = cpu.getWideRegister(`xmm${index}`);
    if (bytes === undefined) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    if (view.getBigUint64(0, true) !== low || view.getBigUint64(8, true) !== high)
      out.push(
        `xmm${index}: here ${view.getBigUint64(8, true).toString(16)}:${view.getBigUint64(0, true).toString(16)}, QEMU ${high.toString(16)}:${low.toString(16)}`,
      );
  });
  return out;
}

/** Stops before `address` here, without interrupts. */
function runHereTo(address: bigint): void {
  let hit = false;
  cpu.setProbe(address, () => {
    hit = true;
    return 'stop';
  });
  for (let i = 0; i < 1000 && !hit; i++) machine.run(cpu.retired + 10_000_000n);
  cpu.setProbe(address, undefined);
}

async function main(): Promise<void> {
  const remote = await GdbRemote.open(Number(values.port));
  await remote.runTo(BigInt(entry.registers['rip']!));
  copyFrom(await remote.registers());
  if (values.start !== undefined) {
    await remote.runTo(BigInt(values.start));
    runHereTo(BigInt(values.start));
    copyFrom(await remote.registers());
  }
  const history: bigint[] = [];
  const steps = Number(values.steps);
  let result = `no difference in ${steps} steps`;
  for (let n = 0; n < steps; n++) {
    const rip = cpu.getRegister('rip')!;
    history.push(rip);
    if (history.length > 12) history.shift();
    if (skips.has(rip)) {
      const stack = cpu.readMemory(cpu.getRegister('rsp')!, 8);
      const back = new DataView(stack.buffer, stack.byteOffset).getBigUint64(0, true);
      await remote.runTo(back);
      runHereTo(back);
      copyFrom(await remote.registers());
      continue;
    }
    const copied = isHostDecided(rip);
    const [first, second] = cpu.readMemory(rip, 2);
    const isCpuid = first === 0x0f && second === 0xa2;
    const exit = cpu.run(1);
    await remote.step();
    let theirs = await remote.registers();
    // QEMU steps REP iteration by iteration.
    for (let i = 0; theirs.general['rip'] === rip && cpu.getRegister('rip') !== rip && i < 1_000_000; i++) {
      await remote.step();
      theirs = await remote.registers();
    }
    // A fault here takes the first instruction of its handler along, as the one at fault does not count; a step of QEMU's ends before it.
    if (theirs.general['rip'] !== cpu.getRegister('rip') && !copied) {
      await remote.step();
      theirs = await remote.registers();
    }
    if (copied) copyFrom(theirs);
    if (isCpuid) {
      for (let i = 0; i < 4; i++) await remote.setRegister(i, cpu.getRegister(generalNames[i]!)!);
      theirs = await remote.registers();
    }
    const found = differences(theirs);
    if (found.length > 0 || (exit.kind !== 'budget' && exit.kind !== 'halted')) {
      const bits = cpu.getRegister('efer')! & 0x400n ? 64 : 32;
      const path = history.map((at) => `  ${at.toString(16)}: ${disassemble(at, bits)}`).join('\n');
      result = `difference after step ${n} (${exit.kind}):\n${found.join('\n')}\nlast instructions:\n${path}`;
      break;
    }
    if (exit.kind === 'halted') {
      result = `halted after ${n} steps without a difference`;
      break;
    }
    if (n % 10_000 === 0) process.stderr.write(`${n}\r`);
  }
  process.stdout.write(`${result}\n`);
  remote.close();
  process.exit(result.startsWith('difference') ? 1 : 0);
}

void main();
