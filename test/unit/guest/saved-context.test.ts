/** Registers that a waiting thread goes on with. */
import assert from 'node:assert/strict';
import { savedRegisters } from '../../../debug-adapter/guest/saved-context';
import { guestOf, Memory } from './memory';

const resume = 0x1000n;
const stack = 0x2000n;

describe('saved registers', () => {
  it('are those that the context switch pops, and it stays the innermost frame', () => {
    // pop r15, r14, r13, r12, rbx, rbp; ret
    const memory = new Memory().write(resume, 0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5b, 0x5d, 0xc3);
    for (let index = 0n; index < 6n; index++) memory.word(stack + index * 8n, 0x100n + index);
    memory.word(stack + 48n, 0x5000n);
    const guest = guestOf(memory, [], { ukarch_ctx_switch: resume });
    const registers = savedRegisters(guest, resume, stack);
    assert.deepEqual(
      [15, 14, 13, 12, 3, 6].map((number) => registers.get(number)),
      [0x100n, 0x101n, 0x102n, 0x103n, 0x104n, 0x105n],
    );
    assert.equal(registers.get(7), stack + 48n);
    assert.equal(registers.get(16), resume + 10n);
    assert.equal(registers.has(0), false);
  });

  it('of a thread that has not run are what its helpers load, up to its entry', () => {
    // xor %rbp,%rbp; pop %rdi; ret, and an entry function that begins otherwise.
    const memory = new Memory().write(resume, 0x48, 0x31, 0xed, 0x5f, 0xc3).write(0x5000n, 0x55, 0x48, 0x89, 0xe5);
    memory.word(stack, 0x77n).word(stack + 8n, 0x5000n);
    const registers = savedRegisters(guestOf(memory, [], {}), resume, stack);
    assert.deepEqual([registers.get(5), registers.get(6), registers.get(16), registers.get(7)], [0x77n, 0n, 0x5000n, stack + 16n]);
  });

  it('end where nothing is mapped, and at a chain of returns', () => {
    const lost = savedRegisters(guestOf(new Memory(), [], {}), 0xdead0000n, stack);
    assert.equal(lost.get(16), 0xdead0000n);
    const memory = new Memory().write(resume, 0xc3);
    for (let index = 0n; index < 100n; index++) memory.word(stack + index * 8n, resume);
    assert.equal(savedRegisters(guestOf(memory, [], {}), resume, stack).get(16), resume);
  });
});
