/** Allocators, queues and built-in tests of real images, against what the image itself prints and what its structures must satisfy. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type GuestAccess } from '../../../debug-adapter/guest/access';
import { readAllocators } from '../../../debug-adapter/guest/allocators';
import { readTests } from '../../../debug-adapter/guest/tests';
import { ThreadReader } from '../../../debug-adapter/guest/threads';
import { createMachine } from '../../../debug-adapter/machine/pc';
import { SymbolFile } from '../../../debug-adapter/symbols/api';

const folder = path.join(process.env['UNIKERNEL_SUITES'] ?? '', 'images');

/** Runs an image to its end or to a number of instructions; answers what it printed and its state. */
function run(name: string, limit: bigint, append = '', initrd?: string): { readonly guest: GuestAccess; readonly text: string } {
  const file = (each: string): Uint8Array => new Uint8Array(readFileSync(path.join(folder, each)));
  const { machine } = createMachine({
    image: file(name),
    imageName: name,
    commandLine: append,
    ...(initrd === undefined ? {} : { initrd: file(initrd) }),
    memory: 64 << 20,
    cpuModel: 'default',
  });
  let text = '';
  machine.onConsoleOutput = (bytes) => (text += Buffer.from(bytes).toString('latin1'));
  for (;;) {
    const reason = machine.run(limit);
    if (reason.kind !== 'idle') break;
    if (reason.until === undefined) break;
    machine.skipIdle();
  }
  const { cpu } = machine;
  return {
    text,
    guest: {
      kernel: SymbolFile.open(file(`${name}.dbg`), { name }),
      readMemory: (address, length) => cpu.readMemory(address, length),
      register: (register) => cpu.getRegister(register) ?? 0n,
    },
  };
}

describe('the state of real images', () => {
  const needs = (test: Mocha.Context, ...names: readonly string[]): void => {
    const missing =
      process.env['UNIKERNEL_SUITES'] === undefined ? 'UNIKERNEL_SUITES' : names.find((name) => !existsSync(path.join(folder, name)));
    if (missing === undefined) return;
    console.log(`    skipped: no ${missing}`);
    test.skip();
  };

  it('gives the tests that hello-test ran, with the results that it printed', function () {
    this.timeout(240_000);
    needs(this, 'hello-test', 'hello-test.dbg');
    const { guest, text } = run('hello-test', 12_000_000n);
    const suites = readTests(guest);
    assert.ok(suites.length >= 3, `${suites.length} suites`);
    const printedFailure = text.includes('FAILED');
    const cases = suites.flatMap((suite) => suite.cases);
    assert.ok(cases.length > 20, `${cases.length} cases`);
    assert.ok(cases.every(({ name, address }) => /^\w+$/.test(name) && address !== 0n));
    const failed = cases.reduce((sum, each) => sum + each.failedLines.length, 0);
    assert.equal(failed > 0, printedFailure);
    // Cases that printed their name ran; the last one may have only begun.

    const begun = [...text.replace(/\x1b\[[0-9;]*m/g, '').matchAll(/test: (\w+)->(\w+)/g)];
    assert.ok(begun.length > 1);
    for (const [, suite, test] of begun.slice(0, -1)) {
      const found = suites.find(({ name }) => name === suite)?.cases.find(({ name }) => name === test);
      assert.ok(found, `${suite}->${test}`);
      assert.notEqual(found.state, 'not run', `${suite}->${test}`);
    }
  });

  it('gives the buddy allocator’s books', function () {
    needs(this, 'hello-qemu', 'hello-qemu.dbg');
    const { guest } = run('hello-qemu', 4_000_000n);
    const { allocators } = readAllocators(guest);
    assert.equal(allocators[0]?.kind, 'bbuddy');
    const { total, free } = allocators[0];
    assert.ok(total !== undefined && free !== undefined);
    assert.ok(total > 32n << 20n && total < 64n << 20n, `${total}`);
    assert.ok(free > 0n && free < total, `${free} of ${total}`);
  });

  it('gives the scheduler’s queues', function () {
    needs(this, 'hello-spin', 'hello-spin.dbg');
    const { guest } = run('hello-spin', 3_000_000n);
    const reader = new ThreadReader(guest);
    const [queues, ...others] = reader.queues();
    assert.equal(others.length, 0);
    assert.equal(queues?.kind, 'cooperative');
    const states = new Map(reader.list().threads.map(({ address, state }) => [address, state]));
    for (const address of queues.run) assert.equal(states.get(address), 'runnable');
    for (const address of queues.sleep) assert.equal(states.get(address), 'sleeping');
  });
});
