/**
 * Accesses near each other, as functions make them to their frames and to structures: translated code looks at the TLB once for all of them. Random loops of
 * such accesses around the ends of pages, to pages that may not be written, and to a device, against the interpreter. GROUP_LOOPS sets the number, SEED repeats a run.
 */

import assert from 'node:assert/strict';
import { JitSubject, Place } from './jit-rig';
import { type Random, Random as RandomNumbers, seedOf } from './random';

const PAGE = 4096;
const [rbx, rsp, rbp, rsi] = [3, 4, 5, 6];
/** Neighbours in the pages of the last are none in memory. */
const bases = [rbx, rsp, rbp, rsi, rsi];
/** rax, rcx, rdx, rdi: what is moved. */
const values = [0, 1, 2, 7];

const word = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];

/** mov r64, imm32 with its sign. */
const set = (register: number, value: number): number[] => [0x48, 0xc7, 0xc0 | register, ...word(value)];

/** ModRM, SIB and a displacement of 32 bits. */
const memory = (reg: number, base: number, disp: number): number[] => [
  0x80 | (reg << 3) | base,
  ...(base === rsp ? [0x24] : []),
  ...word(disp),
];

function access(r: Random, base: number): number[] {
  const reg = r.pick(values);
  const disp = r.oneIn(3) ? 8 * r.below(8) : r.below(240) - 120;
  switch (r.below(8)) {
    case 0:
    case 1:
      return [0x48, 0x8b, ...memory(reg, base, disp)];
    case 2:
    case 3:
      return [0x48, 0x89, ...memory(reg, base, disp)];
    case 4:
      // mov [], r8; add [], r32.
      return r.oneIn(2) ? [0x40, 0x88, ...memory(reg, base, disp)] : [0x01, ...memory(reg, base, disp)];
    case 5:
      // movups to and from memory.
      return [0x0f, r.pick([0x10, 0x11]), ...memory(r.below(4), base, disp)];
    case 6:
      // The base moves on: add or lea.
      return r.oneIn(2) ? [0x48, 0x83, 0xc0 | base, r.below(32)] : [0x48, 0x8d, ...memory(base, base, 8 * (r.below(9) - 4))];
    default:
      return [0x50 | r.pick(values), ...(r.oneIn(2) ? [0x58 | r.pick(values)] : [0x48, 0x83, 0xc4, 8])];
  }
}

/** A loop of some hundred turns of accesses around three or four places that it sets at every turn. */
function drawLoop(r: Random): Uint8Array {
  const code: number[] = [];
  // mov r15d, turns.
  code.push(0x41, 0xbf, ...word(300 + r.below(400)));
  const top = code.length;
  const nearEnd = (start: number): number => start + PAGE * (1 + r.below(2)) + (r.oneIn(2) ? r.below(256) - 128 : -r.below(PAGE));
  code.push(...set(rsp, nearEnd(Place.stack - 2 * PAGE) & (r.oneIn(3) ? -1 : -8)));
  code.push(...set(rbx, nearEnd(Place.data + (r.oneIn(2) ? PAGE : 0))));
  code.push(...set(rbp, nearEnd(Place.stack - 2 * PAGE)));
  code.push(...set(rsi, nearEnd(Place.alias + (r.oneIn(4) ? 2 * PAGE : 0))));
  for (const value of values) code.push(...set(value, r.below(2 ** 31)));
  const base = r.oneIn(2) ? r.pick(bases) : undefined;
  for (let i = 4 + r.below(16); i > 0; i--) {
    code.push(...access(r, base ?? r.pick(bases)));
    // Now and then a branch, behind which nothing is known of addresses: jc over a load.
    if (r.oneIn(6)) code.push(0x72, 0x07, 0x48, 0x8b, ...memory(0, rbx, 8));
  }
  // dec r15d; jnz top; hlt.
  code.push(0x41, 0xff, 0xcf, 0x0f, 0x85, ...word(top - (code.length + 9)), 0xf4);
  return Uint8Array.from(code);
}

/** Runs one loop on both; answers what differs, if anything does. */
function runLoop(seed: number, translated: JitSubject, interpreted: JitSubject): string | undefined {
  const r = new RandomNumbers(seed);
  const program = drawLoop(r);
  const subjects = [translated, interpreted];
  for (const subject of subjects) {
    subject.load(program, Uint8Array.of(0xf4));
    // While something is watched, be it far away, there are no windows.
    subject.cpu.setWatchpoints([{ id: 1, address: BigInt(Place.frames), length: 8, access: 'write' }]);
  }
  for (let step = 0; step < 40; step++) {
    const budget = 200 + r.below(1500);
    const exits = subjects.map((subject) => subject.run(budget).kind);
    if (exits[0] !== exits[1]) return `step ${step}: ${exits.join(' ')}`;
    const difference = translated.differs(interpreted);
    if (difference !== undefined) return `step ${step}: ${difference}`;
    if (exits[0] === 'hook') {
      // Past the fault: the next turn, at which the places are set anew.
      for (const subject of subjects) {
        subject.fault = undefined;
        subject.cpu.setRegister('rip', BigInt(Place.code + program.length - 10));
      }
    }
    if (exits[0] === 'halted') break;
  }
  return undefined;
}

describe('accesses near each other', () => {
  it('reach what they reach by themselves', function () {
    const count = Number(process.env['GROUP_LOOPS'] ?? 200);
    this.timeout(120_000 + count * 500);
    const first = seedOf('accesses near each other');
    const failed: string[] = [];
    const totals = { compiled: 0, sideExits: 0 };
    for (let i = 0; i < count && failed.length < 5; i += 4) {
      // What is learnt of an address stays with the processor.
      const [translated, interpreted] = [new JitSubject('eager'), new JitSubject(false)];
      for (let seed = first + i; seed < first + i + 4; seed++) {
        const difference = runLoop(seed, translated, interpreted);
        if (difference !== undefined) failed.push(`seed ${seed}: ${difference}`);
      }
      const { compiled, sideExits } = translated.cpu.jitStatistics!;
      totals.compiled += compiled;
      totals.sideExits += sideExits;
    }
    assert.deepEqual(failed, []);
    console.log(`      ${count} loops, ${totals.compiled} regions, left ${totals.sideExits} times for where they reach`);
    assert.ok(totals.compiled > count && totals.sideExits > count, JSON.stringify(totals));
  });
});
