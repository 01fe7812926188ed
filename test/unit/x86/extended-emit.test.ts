/** FXSAVE, FXRSTOR and the XSAVE family twice: by generated code, and by the helpers that do them while somebody looks on. Random areas at random places, over the ends of pages of all kinds. SEED repeats a run. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Cr0, Cr4 } from '../../../debug-adapter/x86/control-bits';
import { Layout, Seg, State } from '../../../debug-adapter/x86/state';
import { generator, Rig, Sel, Small } from './system-rig';

const runs = 12;
const rounds = 120;
const areaSize = 576;

/** On the area at RSI, by their ModRM digit: with and without REX.W. */
const instructions = [0, 1, 4, 5, 6].flatMap((digit) => [
  [0x0f, 0xae, (digit << 3) | 6],
  [0x48, 0x0f, 0xae, (digit << 3) | 6],
]);
const xsavec = [0x48, 0x0f, 0xc7, 0x26];

function outcomes(seed: number, watched: boolean): readonly (readonly string[])[] {
  const below = generator(seed);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const mostly = <T>(good: T, odd: readonly T[]): T => (below(8) === 0 ? pick(odd) : good);
  const rig = new Rig('long', 'xsave');
  const { cpu, view, memory } = { cpu: rig.cpu, view: rig.view, memory: new Uint8Array(rig.view.buffer) };
  if (watched) rig.byTheRules();
  rig.mapSmallPages();
  rig.stopOnException = false;
  const told: string[] = [];
  const states: (readonly string[])[] = [];
  const fill = (from: number, length: number): void => {
    for (let i = 0; i < length; i++) memory[from + i] = below(256);
  };
  for (let round = 0; round < rounds; round++) {
    const bytes = below(12) === 0 ? xsavec : pick(instructions);
    fill(State.xmm, 0x2a0);
    // Registers are in use or empty: both bits of a tag are alike.
    view.setUint16(State.ftw, (below(0x1_0000) & 0x5555) * 3, true);
    view.setUint32(State.mxcsr, 0x1f80 | below(64), true);
    const cr0 = mostly(0, [Cr0.TS, Cr0.EM]);
    rig.poke(State.cr0, BigInt((Cr0.PE | Cr0.MP | Cr0.ET | Cr0.NE | Cr0.WP | Cr0.PG | cr0) >>> 0));
    const cr4 = Cr4.FSGSBASE | Cr4.PAE | mostly(Cr4.OSFXSR, [0]) | mostly(Cr4.OSXSAVE, [0]);
    rig.poke(State.cr4, BigInt(cr4));
    rig.poke(State.xcr0, mostly(3n, [1n]));
    rig.set('rax', mostly(0xffff_ffffn, [0n, 1n, 2n, 3n]));
    // Where it ends at the end of a page, or not long before or after that; now and then not where an area may begin, or nowhere.
    const offset = below(3) === 0 ? 4096 - areaSize + 16 * (below(48) - 8) : 64 * below(64);
    const at = (below(Small.pages) << 12) + offset + mostly(0, [1, 8, 16, 32]);
    rig.set('rsi', BigInt(Small.start + at) + mostly(0n, [1n << 50n]));
    // The frames of two pages may have changed places.
    const isSwapped = below(4) === 0;
    rig.mapSmallPages();
    if (isSwapped) rig.swapSmallPages(at >> 12, below(Small.pages));
    const host = Layout.ramBase + Small.frames + at;
    fill(host, 512);
    view.setUint32(host + 24, mostly(0x1f80 | below(0x8000), [0x1_0000, 0x8000_0000]), true);
    memory.fill(0, host + 512, host + areaSize);
    memory[host + 512] = mostly(3, [0, 1, 2, 7, 255]);
    if (below(8) === 0) memory[host + 513 + below(63)] = pick([1, 2, 128]);
    // The compacted format, or what looks like it.
    if (below(8) === 0) memory[host + 527] = pick([0x80, 0x80, 0x40]);
    if (below(8) === 0) memory[host + 520] = 3;
    const user = below(6) === 0;
    rig.segment(Seg.CS, user ? Sel.userCode64 : Sel.code64);
    rig.segment(Seg.SS, user ? Sel.userData : Sel.data);
    if (below(4) === 0) cpu.hooks.extendedState = (kind, address) => void told.push(`${kind} ${address}`);
    else delete cpu.hooks.extendedState;
    cpu.invalidate();
    for (let page = 0; page < Small.pages; page++) {
      const linear = BigInt(Small.start + page * 4096);
      if (below(8) === 0 || cpu.translate(linear) === undefined) continue;
      cpu.readVirtual(linear, 8);
      if (cpu.translate(linear, 'write')?.writable === true) cpu.writeVirtual(linear, 8, cpu.readVirtual(linear, 8));
    }
    rig.run(bytes);
    states.push([
      Buffer.from(bytes).toString('hex'),
      Buffer.from(view.buffer, 0, State.flags).toString('hex'),
      Buffer.from(view.buffer, State.seg, State.bounce - State.seg).toString('hex'),
      createHash('sha1').update(memory.subarray(Layout.ramBase + Small.frames, Layout.ramBase + Small.frames + Small.pages * 4096)).digest('hex'), // prettier-ignore
      rig.exceptions.map(({ vector, errorCode }) => `${vector}:${errorCode}`).join(),
      told.join(),
      `${cpu.retired}`,
    ]);
  }
  return states;
}

describe('extended state', () => {
  it('is saved and restored by generated code as by the helpers', function () {
    this.timeout(120_000);
    const first = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);
    console.log(`      extended state: SEED=${first}`);
    for (let seed = first; seed < first + runs; seed++) {
      const [generated, helped] = [outcomes(seed, false), outcomes(seed, true)];
      generated.forEach((state, i) => {
        assert.deepEqual(state, helped[i], `instruction ${i}, SEED=${seed}`);
      });
    }
  });
});
