/** ELF headers, sections, symbols, notes and compressed sections, against readelf and against files made by hand. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { fastInflate } from '../../../debug-adapter/symbols/inflate.node';
import { inflateSection, plainInflate, useInflate } from '../../../debug-adapter/symbols/compression';
import { ET, EM, PT, SHF, STT, parseElf } from '../../../debug-adapter/symbols/elf';
import { PROGRAM, Random, Workshop, haveTools, seedFromEnvironment } from './support';

/** A 32-bit executable: header, one program header, one section beside the null one and the names. */
function elf32(): Uint8Array {
  const bytes = new Uint8Array(300);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  view.setUint16(16, ET.EXEC, true);
  view.setUint16(18, EM.I386, true);
  view.setUint32(24, 0x0804_8000, true);
  view.setUint32(28, 52, true);
  view.setUint32(32, 120, true);
  [52, 32, 1, 40, 3, 2].forEach((value, i) => view.setUint16(40 + 2 * i, value, true));
  [PT.LOAD, 0x54, 0x0804_8000, 0x0804_8000, 0x20, 0x40, 5, 0x1000].forEach((value, i) => view.setUint32(52 + 4 * i, value, true));
  const names = '\0.text\0.shstrtab\0';
  bytes.set(new TextEncoder().encode(names), 90);
  [1, 1, 6, 0x0804_8000, 0x54, 0x20, 0, 0, 16, 0].forEach((value, i) => view.setUint32(160 + 4 * i, value, true));
  [7, 3, 0, 0, 90, names.length, 0, 0, 1, 0].forEach((value, i) => view.setUint32(200 + 4 * i, value, true));
  return bytes;
}

describe('symbols: ELF', () => {
  const workshop = new Workshop();
  after(() => workshop.dispose());

  it('reads what readelf reads', function () {
    if (!haveTools('comparison of ELF headers', 'gcc', 'readelf')) return this.skip();
    const path = workshop.compile(workshop.write('a.c', PROGRAM), 'a', '-g', '-Wl,--build-id=0x1234abcd');
    const elf = parseElf(readFileSync(path));
    assert.deepEqual(elf.errors, []);
    const header = workshop.run('readelf', '-h', path);
    assert.equal(elf.entry, BigInt(/Entry point address:\s+(0x[0-9a-f]+)/.exec(header)![1]!));
    assert.equal(elf.type, ET.DYN);
    assert.equal(elf.machine, EM.X86_64);
    assert.equal(elf.buildId, '1234abcd');
    assert.equal(elf.interpreter, '/lib64/ld-linux-x86-64.so.2');
    const sections = [
      ...workshop.run('readelf', '-SW', path).matchAll(/^ {2}\[\s*(\d+)\] (\S*)\s+\S+\s+([0-9a-f]{16}) ([0-9a-f]{6,}) ([0-9a-f]{6,})/gm),
    ];
    assert.equal(elf.sections.length - 1, sections.filter((m) => m[1] !== '0').length);
    for (const [, index, name, address, offset, size] of sections) {
      if (index === '0') continue;
      const section = elf.sections[Number(index)]!;
      assert.deepEqual(
        [section.name, section.address, section.offset, section.size],
        [name, BigInt(`0x${address}`), parseInt(offset!, 16), parseInt(size!, 16)],
      );
    }
    const symbols = [
      ...workshop.run('readelf', '-sW', path).matchAll(/^\s+\d+: ([0-9a-f]{16})\s+(0x[0-9a-f]+|\d+) (\w+)\s+(\w+)\s+\w+\s+(\w+) ?(\S*)/gm),
    ];
    // Versions (`@GLIBC_2.34`) are part of the name in one table and not in the other; the null symbols are only readelf's.
    const plain = (value: bigint, size: number, type: number | string, name: string): string =>
      `${value} ${size} ${type === STT.SECTION || type === 'SECTION' ? '' : name.replace(/@.*/, '')}`;
    const ours = [...elf.dynamicSymbols, ...elf.symbols].map((s) => plain(s.value, s.size, s.type, s.name));
    const theirs = symbols.map((m) => plain(BigInt(`0x${m[1]}`), Number(m[2]), m[3]!, m[6]!));
    assert.ok(ours.length > 40);
    assert.deepEqual(
      ours.filter((text) => text !== '0 0 '),
      theirs.filter((text) => text !== '0 0 '),
    );
    const segments = [
      ...workshop
        .run('readelf', '-lW', path)
        .matchAll(/^ {2}[A-Z_]+\s+(0x[0-9a-f]+) (0x[0-9a-f]+) (0x[0-9a-f]+) (0x[0-9a-f]+) (0x[0-9a-f]+)/gm),
    ];
    assert.deepEqual(
      elf.segments.map((s) => [s.offset, s.virtualAddress, s.fileSize, s.memorySize]),
      segments.map((m) => [Number(m[1]), BigInt(m[2]!), Number(m[4]), Number(m[5])]),
    );
  });

  it('reads 32-bit files', () => {
    const elf = parseElf(elf32());
    assert.deepEqual(elf.errors, []);
    assert.equal(elf.bits, 32);
    assert.equal(elf.entry, 0x0804_8000n);
    assert.deepEqual(elf.segments, [
      {
        type: PT.LOAD,
        flags: 5,
        offset: 0x54,
        virtualAddress: 0x0804_8000n,
        physicalAddress: 0x0804_8000n,
        fileSize: 0x20,
        memorySize: 0x40,
        alignment: 0x1000,
      },
    ]);
    assert.equal(elf.section('.text')!.flags, SHF.ALLOC | SHF.EXECINSTR);
    assert.equal(elf.contents(elf.section('.text')!).length, 0x20);
  });

  it('says what is wrong with what is no ELF file', () => {
    const codes = (bytes: Uint8Array): string[] => parseElf(bytes).errors.map((e) => e.code);
    assert.deepEqual(codes(new Uint8Array(0)), ['elf-magic']);
    assert.deepEqual(codes(new TextEncoder().encode('#!/bin/sh\necho nothing to see\n')), ['elf-magic']);
    const big = elf32();
    big[5] = 2;
    assert.deepEqual(codes(big), ['elf-format']);
    assert.equal(parseElf(big).valid, false);
    assert.deepEqual(codes(elf32().subarray(0, 40)), ['elf-truncated']);
    const cut = parseElf(elf32().subarray(0, 170));
    assert.ok(cut.errors.some((e) => e.code === 'elf-truncated'));
    assert.ok(cut.valid, 'headers that are there stay usable');
  });

  it('reads relocations of objects', function () {
    if (!haveTools('relocations', 'gcc', 'readelf')) return this.skip();
    const object = workshop.compile(workshop.write('a.c', PROGRAM), 'a.o', '-c', '-g');
    const elf = parseElf(readFileSync(object));
    const text = elf.relocations(elf.section('.rela.text')!);
    const theirs = [...workshop.run('readelf', '-rW', object).matchAll(/^([0-9a-f]{16}) {2}([0-9a-f]{16}) R_/gm)];
    const all = elf.sections.flatMap((section) => elf.relocations(section));
    assert.ok(text.length > 10);
    assert.deepEqual(
      all.map((r) => [r.offset, r.symbol, r.type]),
      theirs.map((m) => [parseInt(m[1]!, 16), parseInt(m[2]!.slice(0, 8), 16), parseInt(m[2]!.slice(8), 16)]),
    );
  });

  it('does not believe false sizes of compressed sections', () => {
    const header = new Uint8Array(24 + 8);
    const view = new DataView(header.buffer);
    view.setUint32(0, 1, true);
    view.setBigUint64(8, 1n << 40n, true);
    assert.match(String(inflateSection(header, 'elf64')), /cannot be true/);
    view.setBigUint64(8, 100n, true);
    assert.match(String(inflateSection(header, 'elf64')), /does not inflate|inflates to/);
    view.setUint32(0, 2, true);
    assert.match(String(inflateSection(header, 'elf64')), /does not inflate|inflates to/);
    view.setUint32(0, 3, true);
    assert.match(String(inflateSection(header, 'elf64')), /unknown compression type 3/);
    assert.match(String(inflateSection(header.subarray(0, 5), 'elf64')), /cut off/);
  });

  it('inflates what is compressed with zstd, and says what is wrong where that is damaged', function () {
    if (!haveTools('sections compressed with zstd', 'gcc', 'objcopy')) return this.skip();
    const plain = workshop.compile(workshop.write('zstd.c', PROGRAM), 'plain', '-g3');
    const packed = `${workshop.folder}/packed`;
    try {
      workshop.run('objcopy', '--compress-debug-sections=zstd', plain, packed);
    } catch {
      console.log('SKIPPED: sections compressed with zstd: the objcopy of this host does not know them');
      return this.skip();
    }
    const [whole, elf] = [plain, packed].map((path) => parseElf(new Uint8Array(readFileSync(path))));
    const compressed = elf!.sections.filter(({ flags }) => (flags & SHF.COMPRESSED) !== 0);
    assert.ok(compressed.length > 3);
    for (const section of compressed)
      assert.deepEqual(elf!.contents(section), whole!.contents(whole!.section(section.name)!), section.name);
    assert.deepEqual(elf!.errors, []);

    const section = compressed.reduce((one, other) => (other.size > one.size ? other : one));
    const raw = elf!.bytes.subarray(section.offset, section.offset + section.size);
    const changed = (change: (bytes: Uint8Array, view: DataView) => void): Uint8Array => {
      const bytes = Uint8Array.from(raw);
      change(bytes, new DataView(bytes.buffer));
      return bytes;
    };
    const size = new DataView(raw.buffer, raw.byteOffset).getBigUint64(8, true);
    for (const other of [size - 1n, size + 1n])
      assert.match(
        String(
          inflateSection(
            changed((_, view) => view.setBigUint64(8, other, true)),
            'elf64',
          ),
        ),
        /inflate/,
      );
    assert.match(String(inflateSection(raw.subarray(0, raw.length >> 1), 'elf64')), /inflate/);
    const random = new Random(seedFromEnvironment());
    for (let i = 0; i < 300; i++) {
      const damaged = changed((bytes) => {
        for (let k = random.below(4); k >= 0; k--) bytes[24 + random.below(bytes.length - 24)] = random.below(256);
      });
      const result = inflateSection(damaged, 'elf64');
      assert.ok(typeof result === 'string' || result.length === Number(size));
    }
  });

  it('inflates sections in either way alike, and says what is wrong with damaged ones', () => {
    const content = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >>> 7);
    const section = (stream: Uint8Array, size: number): Uint8Array => {
      const bytes = new Uint8Array(24 + stream.length);
      const view = new DataView(bytes.buffer);
      view.setUint32(0, 1, true);
      view.setBigUint64(8, BigInt(size), true);
      bytes.set(stream, 24);
      return bytes;
    };
    const stream = deflateSync(content);
    const damaged = stream.map((byte, i) => (i > 100 && i < 140 ? byte ^ 0x55 : byte));
    const empty = deflateSync(new Uint8Array(0));
    try {
      for (const inflate of [plainInflate, fastInflate]) {
        useInflate(inflate);
        assert.deepEqual(inflateSection(section(stream, content.length), 'elf64'), content);
        assert.equal(inflateSection(section(empty, 0), 'elf64').length, 0);
        for (const [bytes, size] of [
          [stream, content.length - 1],
          [stream, content.length + 1],
          [damaged, content.length],
          [stream.subarray(0, 2000), content.length],
        ] as const)
          assert.match(String(inflateSection(section(bytes, size), 'elf64')), /inflate/, `${bytes.length} ${size}`);
      }
    } finally {
      useInflate(plainInflate);
    }
  });
});
