/** Where the hints of a function's branches stand: engines ignore those that name no branch, and say nothing. */
import { strict as assert } from 'node:assert';
import { Code } from '../../../debug-adapter/x86/wasm/code';
import { ModuleBuilder } from '../../../debug-adapter/x86/wasm/module';

const opcodes = { if: 0x04, brIf: 0x0d } as const;

/** Locals of several types, so that the declarations take some bytes, and code put in front of what was written. */
function sample(): Code {
  const c = new Code(['i32']);
  c.local('i64');
  c.local('v128');
  c.local('i32');
  const out = c.block();
  c.get(0).i32(1000).op('i32.gt_s').brIf(out, 'unlikely');
  c.get(0).brIf(out);
  c.get(0).i32(3).op('i32.eq');
  c.if(undefined, 'likely');
  c.end();
  c.end();
  c.get(0);
  const first = new Code(['i32']);
  first.get(0);
  first.if(undefined, 'unlikely');
  first.i32(7).op('return');
  first.end();
  c.prepend(first);
  return c;
}

describe('hints of branches', () => {
  it('name the branches, in the order of the code, and which way they go', () => {
    const c = sample();
    const body = c.body();
    const hints = [...c.hints()];
    assert.deepEqual(
      hints.map((hint) => [body[hint >>> 1], hint & 1]),
      [
        [opcodes.if, 0],
        [opcodes.brIf, 0],
        [opcodes.if, 1],
      ],
    );
    assert.deepEqual(
      hints,
      [...hints].sort((one, other) => one - other),
    );
  });

  it('stand in a section before the code, which an engine may leave alone', () => {
    const module = new ModuleBuilder();
    const type = module.type(['i32'], ['i32']);
    const c = sample();
    module.func(type, new Code(['i32']).get(0).i32(1).op('i32.add'));
    module.exportFunction('f', module.func(type, c.body(), c.hints()));
    const compiled = new WebAssembly.Module(module.build());
    const [section, ...others] = WebAssembly.Module.customSections(compiled, 'metadata.code.branch_hint');
    assert.equal(others.length, 0);
    const bytes = [...new Uint8Array(section!)];
    // One function, the second; three branches, each with its place and a byte of one value.
    const places = [...c.hints()].flatMap((hint) => [hint >>> 1, 1, hint & 1]);
    assert.deepEqual(bytes, [1, 1, 3, ...places]);
    const { f } = new WebAssembly.Instance(compiled).exports;
    assert.equal((f as (n: number) => number)(0), 0);
    assert.equal((f as (n: number) => number)(5), 7);
  });
});
