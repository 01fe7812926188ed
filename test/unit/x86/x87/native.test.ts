/** Every x87 instruction on random operands, control words and register stacks, against this machine's processor. */

import assert from 'node:assert/strict';

import { x87Definitions } from '../../../../debug-adapter/x86/isa/x87-rows';
import { compileNative, difference, Random, randomCase, readNative, runOurs } from './native.node';

/** Cases for each form; X87_CASES asks for more. */
const perForm = Number(process.env['X87_CASES'] ?? 400);
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

/** Forms that the native program cannot isolate: they read or write more than the 16 bytes of operand, or undo its own set-up. */
const elsewhere = new Set(['FLDENV', 'FNSTENV', 'FRSTOR', 'FNSAVE', 'FWAIT', 'FNENI', 'FNDISI', 'FNSETPM']);

function* forms(): Generator<{ name: string; opcode: number; modrm: number }> {
  for (const { mnemonic, encodings } of x87Definitions) {
    if (elsewhere.has(mnemonic)) continue;
    for (const e of encodings) {
      const digit = e.digit! << 3;
      if (e.mod === 'mem') yield { name: `${mnemonic} ${e.operands[0]}`, opcode: e.opcode, modrm: digit };
      else if (e.rm !== undefined) yield { name: mnemonic, opcode: e.opcode, modrm: 0xc0 | digit | e.rm };
      else for (const i of [0, 1, 3, 7]) yield { name: `${mnemonic} ST(${i})`, opcode: e.opcode, modrm: 0xc0 | digit | i };
    }
  }
}

describe('x87 against this processor', function () {
  const native = compileNative();
  after(() => native?.dispose());
  console.log(`      SEED=${seed} X87_CASES=${perForm}`);
  for (const { name, opcode, modrm } of forms()) {
    it(`${name} (${opcode.toString(16)} ${modrm.toString(16)})`, function () {
      if (native === undefined) return this.skip();
      const random = new Random(seed ^ (opcode << 8) ^ modrm);
      // In batches, so that a long run stays small.
      for (let left = perForm; left > 0; left -= 20_000) {
        const cases = Array.from({ length: Math.min(left, 20_000) }, () => randomCase(random, opcode, modrm));
        const results = native.run(cases);
        cases.forEach((c, i) => {
          const found = difference(c, readNative(results, i), runOurs(c));
          if (found !== undefined) assert.fail(found);
        });
      }
    });
  }
});
