/** The predecoder in generated code against the block builder in TypeScript: random instructions, random bytes and the code of real images give the same records. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { BlockCache } from '../../debug-adapter/x86/blocks';
import { featuresOf } from '../../debug-adapter/x86/cpuid';
import { Decoder } from '../../debug-adapter/x86/decoder';
import { defaultHandlers } from '../../debug-adapter/x86/default-handlers';
import { HandlerSet } from '../../debug-adapter/x86/handlers';
import { type CpuModel } from '../../debug-adapter/x86/api';
import { opcodeTable } from '../../debug-adapter/x86/isa/all';
import { Area, Built, writeFeatures } from '../../debug-adapter/x86/predecode/area';
import { Rec } from '../../debug-adapter/x86/shape';
import { Layout, Mode } from '../../debug-adapter/x86/state';
import { Random } from './random';

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);
const rounds = Number(process.env['CASES'] ?? 30_000);

const ramBytes = 1 << 20;
const mode = Mode.long | Mode.flat | Mode.protected;
/** Where the records of either go. */
const here = 0x100_0000;

/** Both builders over one memory, with a processor's features. */
class Builders {
  readonly #memory = new WebAssembly.Memory({
    initial: (Layout.ramBase + ramBytes) >> 16,
    maximum: (Layout.ramBase + ramBytes) >> 16,
  });
  readonly #handlers: HandlerSet;
  readonly #blocks: BlockCache;
  readonly ram = new Uint8Array(this.#memory.buffer, Layout.ramBase);
  readonly #u8 = new Uint8Array(this.#memory.buffer);
  readonly #i32 = new Int32Array(this.#memory.buffer);
  #called: readonly number[] = [];
  /** Blocks that generated code built, and those that it left to the other. */
  built = 0;
  left = 0;

  constructor(model: CpuModel) {
    const features = featuresOf(model);
    writeFeatures(new DataView(this.#memory.buffer), (feature) => features.has(feature));
    this.#handlers = new HandlerSet(opcodeTable, defaultHandlers(), this.#memory, {
      slow: () => 0,
      commit: () => undefined,
      helper: () => 0,
      raise: () => undefined,
      segmented: () => 0n,
    });
    this.#blocks = new BlockCache(
      this.#memory.buffer,
      new Decoder(opcodeTable),
      this.#handlers,
      {
        fetchPhysical: (low) => low & (ramBytes - 1),
        protectCode: () => undefined,
        probeAt: () => undefined,
        probedWithin: () => false,
        met: () => undefined,
        callSeen: (low, high) => void (this.#called = [low, high]),
      },
      (row) => row.definition.feature === undefined || features.has(row.definition.feature),
      opcodeTable.rows.length,
    );
    this.#blocks.generates = false;
  }

  /** Has both build the block at an offset into RAM. @param high upper half of RIP */
  compare(at: number, high: number, blockMode: number, fuse: boolean): void {
    const words = 100 * (Rec.size / 4);
    this.#blocks.flush();
    this.#blocks.fuse = fuse;
    this.#i32.fill(0, here >> 2, (here >> 2) + words);
    const built = this.#handlers.predecode(Layout.ramBase + at, at, high, here, 48, blockMode, fuse ? 1 : 0);
    if (built === 0) {
      this.left++;
      return;
    }
    this.built++;
    const end = this.#i32[Area.end >> 2]!;
    const target = [this.#i32[Area.target >> 2]!, this.#i32[(Area.target + 4) >> 2]!];
    const first = this.#blocks.firstRecord;
    this.#i32.fill(0, first >> 2, (first >> 2) + words);
    this.#called = [];
    const block = this.#blocks.lookup(blockMode, at, high, 0);
    // Whose the header is, it is told when it is built.
    assert.deepEqual(
      [...this.#i32.subarray((first + Rec.rip) >> 2, (first + Rec.next) >> 2), this.#i32[(first + Rec.mode) >> 2]],
      [at, high, blockMode],
    );
    this.#i32.fill(0, (first + Rec.rip) >> 2, (first + Rec.next) >> 2);
    this.#i32[(first + Rec.mode) >> 2] = 0;
    const text = (from: number, records: number): string[] =>
      Array.from({ length: records }, (_, i) =>
        Buffer.from(this.#u8.subarray(from + i * Rec.size, from + (i + 1) * Rec.size)).toString('hex'),
      );
    const bytes = Buffer.from(this.ram.subarray(at, at + 64)).toString('hex');
    const what = `at 0x${at.toString(16)}, mode ${blockMode}, fused ${fuse}: ${bytes}`;
    assert.deepEqual([built & 0xff, (built >> Built.length) & 0xfff], [block.count, block.length], what);
    assert.equal(end - here, this.#blocks.nextRecord - first, what);
    assert.deepEqual(text(here, (end - here) / Rec.size), text(first, (end - here) / Rec.size), what);
    assert.deepEqual(built & Built.calls ? target : [], this.#called, what);
  }
}

/** Bytes of one instruction, more likely than not. */
function instruction(r: Random): number[] {
  const out: number[] = [];
  while (r.oneIn(4)) out.push(r.pick([0x66, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0xf3, 0x2e, 0x3e, 0x64, 0x65]));
  if (r.oneIn(2)) out.push(0x40 | r.below(16));
  const map = r.below(10);
  if (map >= 6) out.push(0x0f);
  if (map === 9) out.push(r.oneIn(2) ? 0x38 : 0x3a);
  out.push(map === 0 ? r.pick([0x39, 0x3b, 0x83, 0x85, 0xe8, 0x74, 0xa3, 0xee, 0xec, 0x69, 0x6b, 0xf6]) : r.below(256));
  out.push(r.below(256));
  for (let i = r.below(10); i > 0; i--) out.push(r.oneIn(3) ? 0 : r.below(256));
  // RET, so that what one builder leaves undone does not spoil most blocks.
  if (r.oneIn(3)) out.push(0xc3);
  return out;
}

describe('the predecoder', function () {
  this.timeout(600_000);

  it('builds the records that the builder in TypeScript builds', () => {
    console.log(`      predecoder: SEED=${seed}, ${rounds} blocks`);
    const r = new Random(seed);
    for (const model of ['default', 'min'] as const) {
      const builders = new Builders(model);
      for (let round = 0; round < rounds / 2; round++) {
        const page = 0x4000;
        // Towards the end of a page now and then.
        const at = page + (r.oneIn(4) ? 4096 - r.below(40) : r.below(4000));
        if (r.oneIn(8)) for (let i = 0; i < 200; i++) builders.ram[at + i] = r.below(256);
        else for (let to = at; to < at + 120;) for (const byte of instruction(r)) builders.ram[to++] = byte;
        const extra = r.oneIn(4) ? r.pick([Mode.user, Mode.fpuTrap, Mode.user | Mode.fpuTrap, Mode.step]) : 0;
        builders.compare(at, r.pick([0, 0xffff_ffff | 0, 0x7fff, 0x8000_0000 | 0]), mode | extra, !r.oneIn(4));
      }
      console.log(`      ${model}: ${builders.built} by generated code, ${builders.left} left to TypeScript`);
      assert.ok(builders.built > rounds / 20);
    }
  });

  const suites = process.env['UNIKERNEL_SUITES'];
  const images = suites === undefined ? undefined : path.join(suites, 'images');
  it('does so for code of real images, and leaves next to nothing of it', function () {
    if (images === undefined || !existsSync(images)) {
      console.log('      UNIKERNEL_SUITES names no folder with images');
      this.skip();
    }
    for (const name of readdirSync(images).filter((file) => /^(hello|elfloader|nginx)[^.]*$/.test(file))) {
      const file = readFileSync(path.join(images, name));
      const builders = new Builders('default');
      // Of the second and third 64 KiB, which are code in all of them.
      for (let at = 0x1_0000; at < 0x3_0000 && at + 4096 < file.length; at += 4096) {
        builders.ram.set(file.subarray(at, at + 4096), 0x4000);
        for (let offset = 0; offset < 4000; offset += 37) builders.compare(0x4000 + offset, 0, mode, true);
      }
      console.log(`      ${name}: ${builders.built} by generated code, ${builders.left} left to TypeScript`);
      assert.ok(builders.built > builders.left);
    }
  });
});
