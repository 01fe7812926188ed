/** Where an indirect jump goes to becomes part of its region, though it is the only one of that region and though it went elsewhere for long. */

import assert from 'node:assert/strict';
import { IndirectCounts } from '../../../debug-adapter/x86/jit/dispatcher';
import { JitSubject, Place } from '../../lockstep/jit-rig';

/** inc rcx; mov rax, [data]; jmp rax */
const begins = [0x48, 0xff, 0xc1, 0x48, 0x8b, 0x04, 0x25, ...new Uint8Array(Int32Array.of(Place.data).buffer), 0xff, 0xe0];
/** dec rdx; jmp to the start. */
const goesOn = [0x48, 0xff, 0xca, 0xeb, 0x100 - (begins.length + 5)];
const loop = Uint8Array.from([...begins, ...goesOn]);
/** What comes behind the jump, and where its own region begins. */
const targets = [begins.length, 0];

describe('an indirect jump', () => {
  it('that goes on leaving its region gets its target into it', () => {
    const subject = new JitSubject(true);
    const { cpu, view } = subject;
    subject.load(loop, Uint8Array.of(0xf4));
    const counted = (): number => {
      let sum = 0;
      for (let entry = 0; entry < IndirectCounts.entries; entry++) sum += view.getInt32(IndirectCounts.address + entry * 16 + 8, true);
      return sum;
    };
    const run = (slices: number): void => {
      for (let i = 0; i < slices; i++) cpu.run(100_000);
    };
    for (const [turn, target] of targets.entries()) {
      subject.write64(Place.data, BigInt(Place.code + target));
      const first = counted();
      run(60);
      assert.ok(counted() > first, 'the jump leaves no region');
      const before = counted();
      run(20);
      assert.equal(counted(), before, `target ${turn}`);
    }
    assert.equal(subject.fault, undefined);
  });
});
