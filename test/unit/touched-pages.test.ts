/** What the system tells of memory that was never touched: never that it was not where something lies, and checkpoints that rely on it. SEED repeats a run. */
import assert from 'node:assert/strict';
import { complete, History } from '../../debug-adapter/control/history/history';
import { PageHash, pageBytes } from '../../debug-adapter/control/history/page-hash';
import { type PcMachine } from '../../debug-adapter/machine/machine';
import { createMachine } from '../../debug-adapter/machine/pc';
import { touchedPagesOf } from '../../debug-adapter/touched-pages.node';
import { Random, seedOf } from '../lockstep/random';
import { kludgeImage } from './machine/images';

const wasmPage = 65_536;

/** Writes one word of every third page from 2 MiB on, for ever anew, and counts in EBX. */
const code = Uint8Array.of(
  ...[0xbf, 0, 0, 0x20, 0], // mov edi, 0x200000
  ...[0x43], // inc ebx
  ...[0x89, 0x1f], // mov [rdi], ebx
  ...[0x81, 0xc7, 0, 0x30, 0, 0], // add edi, 0x3000
  ...[0x81, 0xe7, 0xff, 0xff, 0x7f, 0], // and edi, 0x7fffff
  ...[0x81, 0xcf, 0, 0, 0x20, 0], // or edi, 0x200000
  ...[0xeb, 0xeb], // jmp to inc
);
const boot = (): PcMachine =>
  createMachine({ image: kludgeImage(code), imageName: 'pages', commandLine: '', memory: 16 << 20, cpuModel: 'default' }).machine;

describe('pages that were never touched', function () {
  before(function () {
    if (touchedPagesOf(new WebAssembly.Memory({ initial: 1, maximum: 1 })) !== undefined) return;
    console.log('    skipped: this system does not tell');
    this.skip();
  });

  it('are told of each memory apart, and are all zeros', () => {
    const seed = seedOf('touched pages');
    const r = new Random(seed);
    const sizes = [20, 64, 64, 300];
    const memories = sizes.map((initial) => new WebAssembly.Memory({ initial, maximum: initial }));
    const first = 2;
    const subjects = memories.map((memory) => {
      const ram = new Uint8Array(memory.buffer, first * pageBytes);
      return { memory, ram, written: new Set<number>(), touched: touchedPagesOf(memory)!, hash: new PageHash(ram, memory, touchedPagesOf) };
    });
    for (let round = 0; round < 200; round++) {
      const { memory, ram, written, touched, hash } = r.pick(subjects);
      const pages = ram.length / pageBytes;
      for (let i = r.below(4); i > 0; i--) {
        const page = r.below(pages);
        ram[page * pageBytes + r.below(pageBytes)] = 1 + r.below(255);
        written.add(page);
      }
      const where = `SEED=${seed}, round ${round}, ${memory.buffer.byteLength / wasmPage} WebAssembly pages`;
      const known = new Uint8Array(pages);
      assert.ok(touched.look(ram.byteOffset, known), where);
      for (const page of written) assert.equal(known[page], 1, `${where}: page ${page}`);
      hash.look();
      const from = r.below(pages);
      const end = from + r.below(pages - from + 1);
      const expected = Array.from({ length: end - from }, (_, i) => from + i).find((page) => written.has(page)) ?? end;
      assert.equal(hash.skipZeros(from, end), expected, where);
    }
  });

  it('are not missed by checkpoints', () => {
    const seed = seedOf('checkpoints of touched pages');
    const r = new Random(seed);
    const plain = boot();
    const end = 40_000;
    const hashes = new Map<number, bigint>();
    const moments = Array.from({ length: 40 }, () => r.below(end)).sort((one, other) => one - other);
    for (const moment of moments) {
      plain.run(BigInt(moment));
      hashes.set(moment, plain.hash());
    }
    for (let round = 0; round < 12; round++) {
      const machine = boot();
      const history = new History(machine, { now: () => 0, touchedPages: touchedPagesOf });
      while (history.position < end) {
        history.ran(machine.run(BigInt(Math.min(end, history.position + 1 + r.below(8000)))));
        if (r.oneIn(2)) history.take();
      }
      let moment = end;
      for (let i = 1 + r.below(6); i > 0; i--) {
        moment = r.pick(moments);
        complete(history.seek(moment));
        if (r.oneIn(3)) complete(history.bringClose(Math.max(0, moment - r.below(9000))));
      }
      complete(history.seek(moment));
      // Reads all memory: nothing is untouched from here on.
      assert.equal(machine.hash(), hashes.get(moment), `SEED=${seed}, round ${round}: ${moment}`);
    }
  });
});
