/**
 * System instructions twice: by generated code and the short ways into handlers, and by the helpers that do them while somebody looks on. Random operands, flags and registers; all of the state must
 * be the same. SEED repeats a run.
 */

import assert from 'node:assert/strict';
import { Cr4, Efer } from '../../../debug-adapter/x86/control-bits';
import { Layout, Seg, State } from '../../../debug-adapter/x86/state';
import { At, Rig, Sel } from './system-rig';

const runs = 16;
/** Instructions on one processor. */
const rounds = 60;

const oddTables = 0x3001;

/** Answers numbers below `n`, the same for one seed. */
function generator(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) % n;
  };
}

/** Instructions with their names; registers and stack are drawn. */
const instructions: readonly (readonly [string, readonly number[]])[] = [
  ['syscall', [0x0f, 0x05]],
  ['popfq', [0x9d]],
  ['popf of 16 bits', [0x66, 0x9d]],
  ['pushfq', [0x9c]],
  ['swapgs', [0x0f, 0x01, 0xf8]],
  ['wrfsbase rbx', [0xf3, 0x48, 0x0f, 0xae, 0xd3]],
  ['wrgsbase ebx', [0xf3, 0x0f, 0xae, 0xdb]],
  ['rdfsbase rbx', [0xf3, 0x48, 0x0f, 0xae, 0xc3]],
  ['rdgsbase ebx', [0xf3, 0x0f, 0xae, 0xcb]],
  ['rdmsr', [0x0f, 0x32]],
  ['wrmsr', [0x0f, 0x30]],
  ['cli', [0xfa]],
  ['sti', [0xfb]],
  ['iretq', [0x48, 0xcf]],
  ['int 0x40', [0xcd, 0x40]],
];

const interesting: readonly bigint[] = [0n, 1n, 0x202n, 0x246n, 0x8d5n, 0x3ed7n, 0x4_0202n, 0x1_0202n, 0x302n, 0x7fff_ffff_ffffn, 0x8000_0000_0000n, 0xffff_8000_0000_0000n, 0xffff_ffff_ffff_fff8n]; // prettier-ignore

/** Copies of the descriptor tables at odd addresses, where no short way into a handler finds them. */
function moveTables(rig: Rig): void {
  const { u8 } = rig.cpu;
  u8.copyWithin(Layout.ramBase + oddTables, Layout.ramBase + At.gdt, Layout.ramBase + At.gdt + 0x100);
  u8.copyWithin(Layout.ramBase + oddTables + 0x101, Layout.ramBase + At.idt, Layout.ramBase + At.idt + 0x1000);
  rig.poke(State.gdtr, BigInt(oddTables)).poke(State.idtr, BigInt(oddTables + 0x101));
}

/** Draws instructions from a seed and runs them; answers the state behind each. */
function outcomes(seed: number, watched: boolean): readonly (readonly string[])[] {
  const below = generator(seed);
  const rig = new Rig();
  const drawn = (): bigint => (below(3) === 0 ? BigInt(below(0x1_0000)) : interesting[below(interesting.length)]!);
  const { cpu, view } = rig;
  const states: (readonly string[])[] = [];
  if (watched) cpu.hooks.systemInstruction = () => undefined;
  rig.stopOnException = false;
  for (let round = 0; round < rounds; round++) {
    const [name, bytes] = instructions[below(instructions.length)]!;
    for (const register of ['rax', 'rbx', 'rdx', 'r11', 'rsi']) rig.set(register, drawn());
    rig.set('rcx', [0xc000_0100n, 0xc000_0101n, 0xc000_0102n, 0xc000_0081n, 0x10n, 0x174n, 5n][below(7)]!);
    rig.set('rsp', At.stack - 8 * below(3) - (below(6) === 0 ? 4 : 0));
    rig.set('rflags', 2n | BigInt(below(0x1000) & 0x8d5) | (below(2) === 0 ? 0x200n : 0n) | (below(8) === 0 ? 0x4000n : 0n));
    const frame = [
      BigInt(At.code + 0x800),
      [8n, 8n, 8n, 0n, 0x10n, 0x2bn, 9n][below(7)]!,
      drawn() | 2n,
      BigInt(At.stack - 64),
      [0x10n, 0x10n, 0n, 0x18n, 0x23n][below(5)]!,
    ];
    if (name !== 'iretq') frame[0] = drawn();
    frame.forEach((value, i) => rig.write64(Number(rig.reg('rsp')) + i * 8, value));
    rig.poke(State.star, (BigInt([8, 8, 8, 0x18, 0xb][below(5)]!) << 32n) | (0x1bn << 48n));
    rig.poke(State.lstar, BigInt(At.handlers + 0x300));
    rig.poke(State.sfmask, [0n, 0x200n, 0x4_7700n, 0x8d5n][below(4)]!);
    rig.poke(State.cr4, (view.getBigUint64(State.cr4, true) & ~BigInt(Cr4.FSGSBASE)) | (below(4) === 0 ? 0n : BigInt(Cr4.FSGSBASE)));
    rig.poke(State.efer, BigInt(Efer.NXE | Efer.LME | Efer.LMA | (below(5) === 0 ? 0 : Efer.SCE)));
    rig.gate(0x40, {
      ist: [0, 0, 2][below(3)]!,
      type: below(2) === 0 ? 0xe : 0xf,
      selector: [Sel.code64, Sel.code64, Sel.conforming, Sel.data][below(4)]!,
    });
    if (watched) moveTables(rig);
    if (below(5) === 0) rig.segment(Seg.SS, Sel.userData);
    else rig.segment(Seg.SS, Sel.data);
    const user = below(6) === 0;
    rig.segment(Seg.CS, user ? Sel.userCode64 : Sel.code64);
    if (user) rig.segment(Seg.SS, Sel.userData);
    cpu.invalidate();
    // Into the TLB, as they are in the middle of a run.
    for (const at of [At.gdt, At.idt, oddTables, At.tss, At.stack - 64, At.ist + 0x1f00]) cpu.readSystem(BigInt(at), 8);
    for (const at of [At.stack - 64, At.ist + 0x1f00]) cpu.writeSystem(BigInt(at), 8, cpu.readSystem(BigInt(at), 8));
    rig.run(bytes);
    rig.poke(State.gdtr, BigInt(At.gdt)).poke(State.idtr, BigInt(At.idt));
    states.push([
      name,
      Buffer.from(view.buffer, 0, State.flags).toString('hex'),
      cpu.getFlags().toString(16),
      Buffer.from(view.buffer, State.shadow, State.acknowledged - State.shadow).toString('hex'),
      Buffer.from(view.buffer, State.seg, State.bounce - State.seg).toString('hex'),
      Buffer.from(view.buffer, Layout.ramBase + At.stack - 256, 320).toString('hex'),
      Buffer.from(view.buffer, Layout.ramBase + At.ist + 0x2000 - 64, 64).toString('hex'),
      rig.exceptions.map(({ vector, errorCode }) => `${vector}:${errorCode}`).join(),
      `${cpu.retired}`,
    ]);
  }
  return states;
}

describe('system instructions', () => {
  it('do in generated code what their helpers do', () => {
    const first = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);
    console.log(`      system instructions: SEED=${first}`);
    for (let seed = first; seed < first + runs; seed++) {
      const [generated, helped] = [outcomes(seed, false), outcomes(seed, true)];
      generated.forEach((state, i) => {
        assert.deepEqual(state, helped[i], `instruction ${i}, SEED=${seed}`);
      });
    }
  });
});
