/** Random descriptor tables, task segments, page tables, control values and system instructions: whatever a guest does, `run` answers. */

import assert from 'node:assert/strict';

import { systemRowDefinitions } from '../../../debug-adapter/x86/isa/system-rows';
import { x87Definitions } from '../../../debug-adapter/x86/isa/x87-rows';
import { Layout, State } from '../../../debug-adapter/x86/state';
import { At, Rig, type RigMode, Sel } from './system-rig';
import { Random } from './x87/native.node';

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const rounds = Number(process.env['HOSTILE_ROUNDS'] ?? 10);
const modes: readonly RigMode[] = ['long', 'compatibility', 'protected', 'pae', 'unpaged'];
const encodings = [...systemRowDefinitions, ...x87Definitions].flatMap((d) => d.encodings);

function instruction(random: Random): number[] {
  const e = random.pick(encodings);
  const bytes: number[] = [];
  if (e.prefix === 'F3') bytes.push(0xf3);
  else if (e.prefix === '66' || random.chance(5)) bytes.push(0x66);
  if (random.chance(3)) bytes.push(0x48 | random.below(8));
  if (e.map >= 1) bytes.push(0x0f);
  if (e.map === 2) bytes.push(0x38);
  bytes.push(e.opcode);
  const mod = e.mod === 'reg' ? 3 : e.mod === 'mem' ? random.below(3) : random.below(4);
  bytes.push((mod << 6) | ((e.digit ?? random.below(8)) << 3) | (e.rm ?? random.below(8)));
  for (let i = 0; i < 8; i++) bytes.push(random.pick([0, 0, 1, 3, 8, 0x10, 0x18, 0x70, 0xff, random.below(256)]));
  return bytes.slice(0, 15);
}

function spoil(rig: Rig, random: Random): void {
  const memory = (at: number, length: number, times: number): void => {
    for (let i = 0; i < times; i++) rig.cpu.u8[Layout.ramBase + at + random.below(length)] = random.below(256);
  };
  switch (random.below(6)) {
    case 0:
      memory(At.gdt, 0x80, 6);
      break;
    case 1:
      memory(At.idt, 0x400, 20);
      break;
    case 2:
      memory(At.tss, 0x80, 8);
      break;
    case 3:
      memory(At.pages, 0x40, 2);
      memory(At.pages + 0x2000, 0x40, 2);
      break;
    case 4: {
      // Descriptor-table registers, TR and stack pointers at the edges of the address space.
      const edge = random.pick([0n, 0xffff_fff8n, 0x7fff_ffff_fff8n, 0xffff_8000_0000_0000n, 0xffff_ffff_ffff_fff8n]);
      rig.view.setBigUint64(random.pick([State.gdtr, State.idtr, State.gpr + 32, State.seg + 7 * 32, State.seg + 6 * 32]), edge, true);
      break;
    }
    default:
      rig.write64(At.gdt + Sel.free, (BigInt(random.u32()) << 32n) | BigInt(random.u32()));
  }
}

describe('hostile guests', () => {
  console.log(`      SEED=${seed} HOSTILE_ROUNDS=${rounds}`);
  for (const mode of modes) {
    it(mode, () => {
      const random = new Random(seed ^ mode.length);
      for (let round = 0; round < rounds; round++) {
        const rig = new Rig(mode, random.pick(['min', 'default']));
        rig.stopOnException = random.chance(2);
        if (random.chance(3)) rig.user();
        for (let n = 0; n < 12; n++) {
          for (let r = 0; r < 8; r++) {
            if (r === 4 && !random.chance(8)) continue;
            const value = random.pick([
              BigInt(At.data),
              BigInt(Sel.free),
              BigInt(random.below(0x80)),
              BigInt(random.u32()),
              0xffff_ffff_ffff_fff8n,
              0x7fff_ffff_ffffn,
            ]);
            rig.view.setBigUint64(State.gpr + r * 8, value, true);
          }
          spoil(rig, random);
          rig.cpu.invalidate();
          const code = instruction(random);
          try {
            const exit = rig.run(code, 3);
            assert.ok(exit.kind.length > 0);
            const { cpl } = rig.cpu;
            assert.ok(cpl >= 0 && cpl <= 3);
            if (exit.kind === 'halted' || exit.kind === 'tripleFault') break;
          } catch (error) {
            throw new Error(
              `${mode}: ${code.map((b) => b.toString(16).padStart(2, '0')).join(' ')} in round ${round}: ${error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(error)}`,
            );
          }
        }
      }
    });
  }
});
