/**
 * System instructions twice: by generated code and the short ways into handlers, and by the helpers that do them while somebody looks on. Random operands, flags and registers; all of the state must
 * be the same. SEED repeats a run.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Cr4, Efer } from '../../../debug-adapter/x86/control-bits';
import { Layout, Seg, SegField, State } from '../../../debug-adapter/x86/state';
import { At, descriptor, generator, Rig, Sel, Small } from './system-rig';

const runs = 20;
/** Instructions on one processor. */
const rounds = 120;

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
];

/** Ways into handlers and back, which are half of what is drawn. */
const transfers: typeof instructions = [
  ['iretq', [0x48, 0xcf]],
  ['iretq', [0x48, 0xcf]],
  ['iretq', [0x48, 0xcf]],
  ['int 0x40', [0xcd, 0x40]],
  ['int 0x40', [0xcd, 0x40]],
  ['int3', [0xcc]],
  ['int1', [0xf1]],
  ['iretd', [0xcf]],
  ['ud2', [0x0f, 0x0b]],
];

const interesting: readonly bigint[] = [0x2_0202n, 0n, 1n, 0x202n, 0x246n, 0x8d5n, 0x3ed7n, 0x4_0202n, 0x1_0202n, 0x302n, 0x7fff_ffff_ffffn, 0x8000_0000_0000n, 0xffff_8000_0000_0000n, 0xffff_ffff_ffff_fff8n]; // prettier-ignore

/** A descriptor that is no good in some way, or may be. */
function oddDescriptor(below: (n: number) => number): bigint {
  const access = [0x9b, 0x9b, 0x93, 0x9a, 0x92, 0x1b, 0x13, 0x9f, 0xfb, 0xf3, 0x91, 0x97, 0x8b][below(13)]!;
  return descriptor(below(2) * 0x1234_5000, [0xf_ffff, 0xff][below(2)]!, access, [0xa, 0xa, 0xc, 0xe, 2, 8][below(6)]!);
}

const smallAddresses = Array.from({ length: Small.pages }, (_, page) => Small.start + page * 4096);

/** Linear addresses in the pages that stacks are in: those that can be read, and those of them that can be written. */
const stacks = [At.stack - 64, At.stack, At.stack - 4200, ...Array.from({ length: 8 }, (_, i) => At.ist + i * 0x1000 - 64)];
const readable = [...stacks, ...smallAddresses.filter((_, page) => (page & 3) !== 3)];
const writable = [...stacks, ...smallAddresses.filter((_, page) => (page & 2) === 0)];

/** Physical address behind the linear one of a stack. */
const hostOf = (linear: bigint): number => {
  const at = Number(linear & 0xffff_ffffn);
  return at >= Small.start - 4096 ? at - Small.start + Small.frames : at;
};

const digest = (view: DataView, from: number, length: number): string =>
  createHash('sha1')
    .update(new Uint8Array(view.buffer, Layout.ramBase + from, length))
    .digest('hex');

/** Draws instructions from a seed and runs them; answers the state behind each. */
function outcomes(seed: number, watched: boolean): readonly (readonly string[])[] {
  const below = generator(seed);
  const rig = new Rig();
  const drawn = (): bigint => (below(3) === 0 ? BigInt(below(0x1_0000)) : interesting[below(interesting.length)]!);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const mostly = <T>(good: T, odd: readonly T[]): T => (below(8) === 0 ? pick(odd) : good);
  const { cpu, view } = rig;
  const states: (readonly string[])[] = [];
  if (watched) rig.byTheRules();
  rig.mapSmallPages();
  rig.stopOnException = false;
  // Trap gates would let it in again.
  cpu.hooks.interrupt = () => void cpu.setInterruptLine(false);
  for (let round = 0; round < rounds; round++) {
    const [name, bytes] = pick(below(2) === 0 ? transfers : instructions);
    for (const register of ['rax', 'rbx', 'rdx', 'r11', 'rsi']) rig.set(register, drawn());
    rig.set('rcx', [0xc000_0100n, 0xc000_0101n, 0xc000_0102n, 0xc000_0081n, 0x10n, 0x174n, 5n][below(7)]!);
    const top = below(4) === 0 ? pick([At.stack - 4096, ...smallAddresses, ...smallAddresses]) : At.stack;
    rig.set('rsp', BigInt(top + 16 * below(3) - 8 * below(9) - (below(6) === 0 ? 4 : 0)) + (below(24) === 0 ? 1n << 50n : 0n));
    rig.set('rflags', 2n | BigInt(below(0x1000) & 0x8d5) | (below(2) === 0 ? 0x200n : 0n) | (below(12) === 0 ? 0x4000n : 0n));
    const frame = [
      BigInt(At.code + 0x800),
      mostly(8n, [0n, 0x10n, 0x2bn, 9n, 0xcn, 0x48n, 0x70n, 0x70n, 0x70n, 0xff8n, 0xffcn, 0x1000n]),
      mostly(BigInt(below(0x1000) & 0xcd5) | mostly(0x202n, [2n]), interesting) | 2n,
      BigInt(At.stack - 64),
      mostly(0x10n, [0n, 0x18n, 0x23n, 0x70n, 0x70n, 0x70n, 0x14n, 0x11n]),
    ];
    if (name !== 'iretq') frame[0] = drawn();
    else if (below(12) === 0) frame[0] = pick([1n << 47n, 0xffffn << 47n, 1n << 63n]);
    const stack = hostOf(rig.reg('rsp'));
    frame.forEach((value, i) => rig.write64(stack + i * 8, value));
    rig.poke(State.star, (BigInt([8, 8, 8, 0x18, 0xb][below(5)]!) << 32n) | (0x1bn << 48n));
    rig.poke(State.lstar, BigInt(At.handlers + 0x300));
    rig.poke(State.sfmask, [0n, 0x200n, 0x4_7700n, 0x8d5n][below(4)]!);
    rig.poke(State.cr4, (view.getBigUint64(State.cr4, true) & ~BigInt(Cr4.FSGSBASE)) | (below(4) === 0 ? 0n : BigInt(Cr4.FSGSBASE)));
    rig.poke(State.efer, BigInt(Efer.NXE | Efer.LME | Efer.LMA | (below(5) === 0 ? 0 : Efer.SCE)));
    rig.write64(At.gdt + Sel.free, oddDescriptor(below));
    rig.write64(At.gdt + 0xff8, 0x00af_9b00_0000_ffffn);
    rig.poke(State.gdtr + 8, mostly(0xfffn, [0xffen, 0x7fn]));
    for (const vector of [0x20, 0x40, 6]) {
      rig.gate(vector, {
        ist: below(3) === 0 ? below(8) : 0,
        type: mostly(0xe + below(2), [below(32)]),
        selector: mostly(Sel.code64, [Sel.free, Sel.free, Sel.free, Sel.conforming, Sel.data, 0, Sel.code64 + 3, 0xff8, 0x1008]),
        dpl: below(4),
        present: below(12) !== 0,
      });
      if (below(16) === 0) rig.write64(At.idt + vector * 16 + 8, BigInt([0x8000, 0xffff, 0xffff_ffff, 1][below(4)]!));
    }
    rig.poke(State.idtr + 8, mostly(0xfffn, [0x40fn, 0x40en, 0x20en]));
    rig.write64(At.tss + 0x1c + 3 * 8, [0n, 1n << 60n, BigInt(Small.start + 0x2ff8), BigInt(Small.start + 0x1010)][below(4)]!);
    const task = State.seg + Seg.TR * SegField.size + SegField.limit;
    view.setUint32(task, below(6) === 0 ? 0x1c + 8 * below(9) + 6 : 0x2067, true);
    rig.segment(Seg.SS, mostly(Sel.data, [Sel.userData]));
    const user = below(10) === 0;
    rig.segment(Seg.CS, user ? Sel.userCode64 : Sel.code64);
    if (user) rig.segment(Seg.SS, Sel.userData);
    cpu.invalidate();
    // Into the TLB, as they are in the middle of a run.
    for (const at of [At.gdt, At.idt, At.tss, ...readable]) if (below(12) !== 0) cpu.readSystem(BigInt(at), 8);
    for (const at of writable) if (below(6) !== 0) cpu.writeSystem(BigInt(at), 8, cpu.readSystem(BigInt(at), 8));
    let returns = 0;
    if (below(3) === 0) cpu.hooks.interruptReturn = () => void returns++;
    else delete cpu.hooks.interruptReturn;
    cpu.setInterruptLine(below(4) === 0);
    rig.run(bytes, 1 + below(3));
    states.push([
      name,
      Buffer.from(view.buffer, 0, State.flags).toString('hex'),
      cpu.getFlags().toString(16),
      Buffer.from(view.buffer, State.shadow, State.acknowledged - State.shadow).toString('hex'),
      Buffer.from(view.buffer, State.seg, State.bounce - State.seg).toString('hex'),
      Buffer.from(view.buffer, Layout.ramBase + At.stack - 256, 320).toString('hex'),
      Buffer.from(view.buffer, Layout.ramBase + At.stack - 4096 - 128, 256).toString('hex'),
      digest(view, At.ist, 0x8000),
      digest(view, Small.frames, Small.pages * 4096),
      digest(view, At.gdt, 0x1000),
      rig.exceptions.map(({ vector, errorCode }) => `${vector}:${errorCode}`).join(),
      `${cpu.retired} ${returns}`,
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
