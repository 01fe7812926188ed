import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bytesOf } from '../../../debug-adapter/machine/api';
import { loadImage } from '../../../debug-adapter/boot/load';
import { type BootOptions, type EntryState, MachineError, type MachineErrorCode } from '../../../debug-adapter/machine/api';
import { nodeIo } from '../../../src/cli/io.node';
import { elfImage, kludgeImage } from '../machine/images';

const MiB = 1 << 20;

function load(image: Uint8Array, more: Partial<BootOptions> = {}): { readonly entry: EntryState; readonly ram: Uint8Array } {
  const memory = more.memory ?? 8 * MiB;
  const ram = new Uint8Array(memory);
  return { entry: loadImage({ image, imageName: 'kernel', commandLine: 'a b', memory, cpuModel: 'min', ...more }, ram), ram };
}

function refusal(image: Uint8Array, more: Partial<BootOptions> = {}): MachineError {
  try {
    load(image, more);
  } catch (error) {
    assert.ok(error instanceof MachineError, String(error));
    return error;
  }
  assert.fail('it was accepted');
}

function text(ram: Uint8Array, at: number): string {
  return new TextDecoder().decode(ram.subarray(at, ram.indexOf(0, at)));
}

const u32 = (ram: Uint8Array, at: number): number => new DataView(ram.buffer).getUint32(at, true);
const u64 = (ram: Uint8Array, at: number): number => Number(new DataView(ram.buffer).getBigUint64(at, true));

describe('multiboot', () => {
  it('loads by the addresses in the header, with bss', () => {
    const { entry, ram } = load(kludgeImage(Uint8Array.of(1, 2, 3), 100));
    assert.equal(entry.protocol, 'multiboot');
    assert.equal(entry.registers['rip'], 0x10_0020n);
    assert.deepEqual([...ram.subarray(0x10_0020, 0x10_0024)], [1, 2, 3, 0]);
  });

  it('loads ELF of both classes by physical address', () => {
    for (const bits of [32, 64] as const) {
      const { entry, ram } = load(elfImage({ bits, multiboot: true, physical: 0x20_0000, code: Uint8Array.of(0xf4), memorySize: 5000 }));
      assert.equal(entry.registers['rip'], 0x20_0000n);
      assert.equal(ram[0x20_0000], 0xf4);
      assert.equal(entry.registers['rax'], 0x2bad_b002n);
    }
  });

  it('hands over the information structure', () => {
    const initrd = Uint8Array.from({ length: 5000 }, (_, i) => i & 0xff);
    const { entry, ram } = load(elfImage({ bits: 32, multiboot: true }), { initrd });
    const info = Number(entry.registers['rbx']);
    assert.equal(u32(ram, info), 0x24f);
    const commandLine = u32(ram, info + 16);
    assert.equal(text(ram, commandLine), 'kernel a b');
    assert.equal(u32(ram, info + 20), 1);
    const module = u32(ram, info + 24);
    const [start, end] = [u32(ram, module), u32(ram, module + 4)];
    assert.equal(end - start, 5000);
    assert.equal(start % 4096, 0);
    assert.ok(start > commandLine && commandLine >= 0x10_0000 + 64);
    assert.deepEqual(ram.slice(start, end), initrd);
    assert.equal(text(ram, u32(ram, module + 8)), '');
    assert.equal(text(ram, u32(ram, info + 64)), 'unikernel');
    // The map: sizes of 20, free memory up to the end of RAM.
    const ranges: number[][] = [];
    const map = u32(ram, info + 48);
    for (let at = map; at < map + u32(ram, info + 44); at += u32(ram, at) + 4)
      ranges.push([u64(ram, at + 4), u64(ram, at + 12), u32(ram, at + 20)]);
    assert.deepEqual(
      ranges.filter((r) => r[2] === 1),
      [
        [0, 0x9_fc00, 1],
        [MiB, 7 * MiB - 0x2_0000, 1],
      ],
    );
  });

  it('enters in flat protected mode without paging', () => {
    const { entry } = load(kludgeImage());
    assert.equal(entry.registers['cr0'], 0x11n);
    assert.equal(entry.code.selector, 8);
    assert.equal(entry.data.selector, 16);
    assert.equal(entry.data.limit, 0xffff_ffff);
  });
});

describe('Linux 64-bit boot', () => {
  it('enters an ELF64 image in long mode with boot parameters', () => {
    const initrd = Uint8Array.of(9, 8, 7);
    const { entry, ram } = load(elfImage({ physical: 0x10_0000 }), { initrd });
    assert.equal(entry.protocol, 'linux64');
    const params = Number(entry.registers['rsi']);
    assert.equal(u32(ram, params + 0x202), 0x5372_6448);
    assert.equal(ram[params + 0x1fe]! | (ram[params + 0x1ff]! << 8), 0xaa55);
    assert.equal(text(ram, u32(ram, params + 0x228)), 'a b');
    assert.equal(u32(ram, params + 0x238), 3);
    assert.deepEqual([...ram.subarray(u32(ram, params + 0x218)).subarray(0, 3)], [9, 8, 7]);
    assert.equal(u32(ram, params + 0x21c), 3);
    assert.equal(ram[params + 0x1e8], 7);
    // Identity mapping, 2 MiB pages: PML4[0] -> PDPT[0] -> PD[3].
    const pdpt = u64(ram, Number(entry.registers['cr3'])) & ~0xfff;
    const directory = u64(ram, pdpt) & ~0xfff;
    assert.equal(u64(ram, directory + 3 * 8), 0x60_0083);
    assert.equal(entry.registers['efer'], 0x500n);
    assert.equal(entry.code.attributes & 0x2000, 0x2000);
  });
});

describe('images that cannot be booted', () => {
  const cases: readonly (readonly [string, () => MachineError, MachineErrorCode])[] = [
    ['empty', () => refusal(new Uint8Array(0)), 'not-elf'],
    ['text', () => refusal(new TextEncoder().encode('#!/bin/sh\necho\n')), 'not-elf'],
    ['ELF magic alone', () => refusal(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46)), 'truncated'],
    ['another processor', () => refusal(elfImage({ machine: 183 })), 'not-x86'],
    ['an object file', () => refusal(elfImage({ type: 1 })), 'not-bootable'],
    ['32-bit without multiboot', () => refusal(elfImage({ bits: 32 })), 'not-bootable'],
    ['cut in its segment', () => refusal(elfImage({ code: new Uint8Array(5000) }).slice(0, 3000)), 'truncated'],
    ['bigger than memory', () => refusal(elfImage({ memorySize: 9 * MiB })), 'needs-memory'],
    ['far away', () => refusal(elfImage({ physical: 2 ** 40 })), 'needs-memory'],
    ['loaded over the boot information', () => refusal(elfImage({ physical: 0x7000 })), 'not-bootable'],
    ['entry outside memory', () => refusal(elfImage({ entry: 2 ** 33 })), 'malformed'],
    ['an initrd too big', () => refusal(kludgeImage(), { initrd: new Uint8Array(8 * MiB) }), 'needs-memory'],
    ['a command line too long', () => refusal(kludgeImage(), { commandLine: 'x'.repeat(5000) }), 'command-line'],
  ];
  for (const [name, attempt, code] of cases) {
    it(name, () => {
      const error = attempt();
      assert.equal(error.code, code);
      assert.match(error.message, /kernel/);
    });
  }

  it('tells the symbol file from the image', () => {
    const error = refusal(elfImage({ bootInfo: new Uint8Array(32) }), { imageName: 'app_qemu-x86_64.dbg' });
    assert.equal(error.code, 'symbol-file');
    assert.match(error.message, /boot app_qemu-x86_64 instead/);
    assert.equal(load(elfImage({ bootInfo: Uint8Array.of(0xb0, 0xb0) })).entry.protocol, 'linux64');
  });

  it('never crashes on damaged images', () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
    let state = seed;
    const random = (n: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return state % n;
    };
    const originals = [elfImage(), elfImage({ bits: 32, multiboot: true }), elfImage({ bootInfo: new Uint8Array(16) }), kludgeImage()];
    const ram = new Uint8Array(2 * MiB);
    for (let i = 0; i < 3000; i++) {
      const image = originals[random(originals.length)]!.slice();
      for (let n = random(8); n >= 0; n--) image[random(Math.min(image.length, 200))] = random(256);
      const cut = random(4) === 0 ? image.subarray(0, random(image.length)) : image;
      try {
        loadImage({ image: cut, imageName: 'fuzz', commandLine: '', memory: ram.length, cpuModel: 'min' }, ram);
      } catch (error) {
        assert.ok(error instanceof MachineError, `seed ${seed}, case ${i}: ${String((error as Error).stack)}`);
      }
    }
  });
});

describe('an initrd that is still a file', () => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7) & 0xff);
  let folder = '';
  let file = '';
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'unikernel-load-'));
    file = path.join(folder, 'initrd');
    writeFileSync(file, bytes);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const images = { multiboot: elfImage({ bits: 32, multiboot: true }), Linux: elfImage({ physical: 0x10_0000 }) };
  for (const [protocol, image] of Object.entries(images)) {
    it(`lies where its bytes would lie: ${protocol}`, () => {
      const { ram } = load(image, { initrd: nodeIo().openFile!(file) });
      assert.deepEqual(ram, load(image, { initrd: bytes }).ram);
    });
  }

  it('is refused by its size before it is read', () => {
    const initrd = { length: 8 * MiB, readInto: () => assert.fail() };
    assert.equal(refusal(kludgeImage(), { initrd }).code, 'needs-memory');
  });

  it('is told to be shorter than it was, or gone', () => {
    const initrd = nodeIo().openFile!(file);
    assert.deepEqual(bytesOf(initrd), bytes);
    writeFileSync(file, bytes.subarray(1));
    assert.throws(() => bytesOf(initrd), /initrd cannot be read: it has become shorter\.$/);
    rmSync(file);
    assert.throws(() => bytesOf(initrd), /initrd does not exist\.$/);
    assert.throws(() => nodeIo().openFile!(file), /initrd does not exist\.$/);
  });
});
