/** Assembly without rules for unwinding, made up at random and stopped at each of its instructions: the caller is found, with its registers. */
import assert from 'node:assert/strict';
import { frameByCode, standsAfterPushedFlags } from '../../../debug-adapter/control/code-frame';
import { type Target } from '../../../debug-adapter/control/target';
import { Random, seedFromEnvironment } from '../symbols/support';

const entry = 0x1000n;
const stackTop = 0x8000n;
const rsp = 7;
/** General registers by their encoding, under their DWARF numbers. */
const dwarf = [0, 2, 1, 3, rsp, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15];

function targetOf(code: readonly number[]): Target {
  const bytes = Uint8Array.from(code);
  const readMemory = (address: bigint, length: number): Uint8Array => {
    const at = Number(address - entry);
    return bytes.slice(Math.max(0, at), Math.max(0, at + length));
  };
  return { machine: { cpu: { readMemory } } } as unknown as Target;
}

const encode = (opcode: number, register: number): number[] => (register >= 8 ? [0x41, opcode + register - 8] : [opcode + register]);

describe('control: frames by the code around', () => {
  it('are found at each push and pop of random assembly', () => {
    const random = new Random(seedFromEnvironment());
    for (let round = 0; round < 200; round++) {
      const saved = dwarf.map((_, index) => index).filter((register) => dwarf[register] !== rsp && random.below(3) === 0);
      const room = 8 * random.below(40);
      const step = room < 128 ? [0x48, 0x83, 0xc4, room] : [0x48, 0x81, 0xc4, room & 0xff, room >> 8, 0, 0];
      const code = random.below(2) === 0 ? [] : [0xf3, 0x0f, 0x1e, 0xfa];
      /** Places to stop at, each with the stack pointer there. */
      const stops: [offset: number, depth: number][] = code.length > 0 ? [[0, 0]] : [];
      let depth = 0;
      const at = (): void => void stops.push([code.length, depth]);
      for (const register of saved) {
        at();
        code.push(...encode(0x50, register));
        depth += 8;
      }
      at();
      // sub $room, %rsp; work; add $room, %rsp
      code.push(...step.with(2, 0xec), 0x0f, 0x05);
      depth += room;
      at();
      code.push(...step);
      depth -= room;
      for (const register of saved.toReversed()) {
        at();
        code.push(...encode(0x58, register));
        depth -= 8;
      }
      at();
      code.push(0xc3);
      const target = targetOf(code);
      for (const [offset, low] of stops) {
        const frame = frameByCode(target, entry + BigInt(offset), entry, stackTop - 8n - BigInt(low));
        assert.equal(frame?.cfa, stackTop, `at ${offset} of ${code.map((byte) => byte.toString(16)).join(' ')}`);
        for (const [register, place] of frame.savedAt) {
          const index = saved.findIndex((each) => dwarf[each] === register);
          assert.equal(place, stackTop - 16n - 8n * BigInt(index));
        }
      }
      const work = code.findIndex((byte, index) => byte === 0x0f && code[index + 1] === 0x05 && index > 3);
      assert.equal(frameByCode(target, entry + BigInt(work), entry, stackTop), undefined, 'in its midst nothing is known');
    }
  });

  it('know flags that lie on the stack for one instruction', () => {
    const code = [0x90, 0x9c, 0x58, 0x9c, 0x41, 0x5c, 0x9c, 0x90];
    assert.deepEqual(
      code.slice(1).map((_, index) => standsAfterPushedFlags(targetOf(code), entry + BigInt(index + 1))),
      [false, true, false, true, false, false, false],
    );
  });
});
