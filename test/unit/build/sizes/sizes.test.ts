/** Sizes of images: pieces tile their sections, sums equal what binutils says, and libraries are those of the build. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildPool } from '../../../../src/build/pool-build.node';
import { formatProblem } from '../../../../src/build/problems';
import { readImageSizes } from '../../../../src/build/sizes/image.node';
import { SizeError, sizesOfImage } from '../../../../src/build/sizes/image';
import { diffSizes, groupSizes, NO_SYMBOL, PADDING, sizeTotals, sizeTree, type SizeReport } from '../../../../src/build/sizes/model';
import { tileSection } from '../../../../src/build/sizes/tile';
import { findToolchain } from '../../../../src/build/toolchain-probe.node';
import { findProgram } from '../../../../src/build/toolchain.node';
import { sizeCommand } from '../../../../src/cli/size';

const root = path.resolve(__dirname, '../../../..');
const suites = process.env['UNIKERNEL_SUITES'];

/** Pieces follow one another, and sum up to their sections. */
function assertTiled(report: SizeReport): void {
  for (const section of report.sections) {
    const sum = report.pieces.filter((p) => p.section === section.name).reduce((n, p) => n + p.size, 0);
    assert.equal(sum, section.size, `${report.name} ${section.name}`);
  }
  for (const level of ['library', 'object', 'section', 'symbol'] as const)
    assert.equal(
      groupSizes(report, level).reduce((n, r) => n + r.size, 0),
      sizeTotals(report).total,
      level,
    );
}

/** text, data, bss as binutils counts them. */
function berkeley(file: string): number[] {
  const line = execFileSync('size', [file], { encoding: 'utf8' }).trim().split('\n')[1]!;
  return line.trim().split(/\s+/).slice(0, 3).map(Number);
}

/** Sizes of loaded sections by readelf. */
function readelfSections(file: string): Map<string, number> {
  const text = execFileSync('readelf', ['-SW', file], { encoding: 'utf8' });
  const found = new Map<string, number>();
  for (const m of text.matchAll(/^\s*\[\s*\d+\] (\S+)\s+\S+\s+[0-9a-f]+ [0-9a-f]+ ([0-9a-f]+) [0-9a-f]+\s+([A-Z]*)/gm))
    if (m[3]!.includes('A') && Number.parseInt(m[2]!, 16) > 0) found.set(m[1]!, (found.get(m[1]!) ?? 0) + Number.parseInt(m[2]!, 16));
  return found;
}

describe('sizes', function () {
  this.timeout(120_000);
  const a = { library: 'liba', object: 'a.c' };
  const b = { library: 'libb', object: 'b.c' };

  it('tile a section by symbols, ranges and what is between them', () => {
    const pieces = tileSection(
      '.text',
      300,
      [
        { offset: 0, size: 100, owner: a },
        { offset: 112, size: 100, owner: b },
      ],
      [
        { name: 'f', offset: 0, size: 40, owner: undefined },
        { name: 'alias_of_f', offset: 0, size: 40, owner: undefined },
        { name: 'label', offset: 60, size: 0, owner: undefined },
        { name: 'g', offset: 112, size: 50, owner: undefined },
        { name: 'beyond', offset: 290, size: 100, owner: a },
      ],
    );
    assert.deepEqual(
      pieces.map((p) => [p.library, p.symbol, p.offset, p.size]),
      [
        ['liba', 'f', 0, 40],
        ['liba', NO_SYMBOL, 40, 20],
        ['liba', 'label', 60, 40],
        ['liba', PADDING, 100, 12],
        ['libb', 'g', 112, 50],
        ['libb', NO_SYMBOL, 162, 50],
        ['(shared)', NO_SYMBOL, 212, 78],
        ['liba', 'beyond', 290, 10],
      ],
    );
  });

  it('tile whatever is given', () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1e9);
    console.log(`      seed ${seed}`);
    let state = seed >>> 0;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let round = 0; round < 2000; round++) {
      const size = random(400);
      const owner = (): typeof a => (random(2) ? a : b);
      const ranges = Array.from({ length: random(6) }, () => ({ offset: random(400), size: random(100), owner: owner() }));
      const symbols = Array.from({ length: random(8) }, (_, i) => ({
        name: `s${i}`,
        offset: random(420),
        size: random(3) === 0 ? 0 : random(120),
        owner: random(3) === 0 ? owner() : undefined,
      }));
      let at = 0;
      for (const p of tileSection('.x', size, ranges, symbols)) {
        assert.equal(p.offset, at, `round ${round}`);
        assert.ok(p.size > 0);
        at += p.size;
      }
      assert.equal(at, size, `round ${round}`);
    }
  });

  it('tell two builds apart, and draw a tree', () => {
    const report = (name: string, f: number, extra: number): SizeReport => ({
      name,
      sections: [{ name: '.text', size: f + extra, kind: 'text' }],
      pieces: [
        { ...a, section: '.text', symbol: 'f', offset: 0, size: f },
        ...(extra ? [{ ...b, section: '.text', symbol: 'g', offset: f, size: extra }] : []),
      ],
    });
    assert.deepEqual(diffSizes(report('x', 10, 0), report('y', 14, 100), 'symbol'), [
      { path: ['libb', 'b.c', 'g'], before: 0, after: 100 },
      { path: ['liba', 'a.c', 'f'], before: 10, after: 14 },
    ]);
    assert.deepEqual(diffSizes(report('x', 10, 5), report('y', 10, 5), 'library'), []);
    const tree = sizeTree(report('y', 14, 100));
    assert.deepEqual(
      [tree.size, tree.children.map((c) => [c.name, c.size]), tree.children[0]!.children[0]!.children[0]!.name],
      [
        114,
        [
          ['libb', 100],
          ['liba', 14],
        ],
        'g',
      ],
    );
  });

  it('refuse what is no image', () => {
    assert.throws(() => sizesOfImage('x', new TextEncoder().encode('hello')), SizeError);
    assert.throws(() => sizesOfImage('x', new Uint8Array(0)), SizeError);
  });

  it('of the starter pool follow the link map exactly, and the command answers', async function () {
    if (!findToolchain(process.env)) this.skip();
    const build = mkdtempSync(path.join(tmpdir(), 'sizes-'));
    try {
      const r = await buildPool({ app: `${root}/library-pool/app/hello`, build, env: process.env });
      assert.ok(r.ok, r.problems.map(formatProblem).join('\n'));
      const { image, symbols } = r.images[0]!;
      const report = readImageSizes(image);
      assertTiled(report);
      if (findProgram('size', process.env)) {
        const { text, data, bss } = sizeTotals(report);
        assert.deepEqual([text, data, bss], berkeley(symbols));
      }
      const libraries = new Set(groupSizes(report, 'library').map((g) => g.path[0]));
      for (const name of ['apphello', 'libukboot', 'libpcplat', 'libsyscall_shim', 'libnolibc']) assert.ok(libraries.has(name), name);
      const main = groupSizes(report, 'symbol').find((g) => g.path[2] === 'main');
      assert.deepEqual(main?.path.slice(0, 2), ['apphello', 'apphello/main.c.o']);
      // Without the map, debug information says the same of functions.
      const dwarf = groupSizes(sizesOfImage('x', readFileSync(symbols)), 'symbol');
      assert.equal(dwarf.find((g) => g.path[2] === 'main')?.size, main?.size);

      const run = (...argv: string[]): { status: number; out: string; err: string } => {
        let [out, err] = ['', ''];
        const io = { stdout: (t: string) => void (out += t), stderr: (t: string) => void (err += t), cwd: build, env: {} };
        return { status: sizeCommand(argv, io), out, err };
      };
      const name = path.basename(image);
      const json = JSON.parse(run(name, '--json', '--by', 'object').out) as { totals: { total: number }; rows: { size: number }[] };
      assert.equal(
        json.rows.reduce((n, x) => n + x.size, 0),
        json.totals.total,
      );
      assert.match(run(name).out, /text +data +bss +size +library\n[^]*total\n$/);
      assert.match(run(name, '--diff', name).out, /\+0 {2}total\n$/);
      for (const [argv, status, message] of [
        [[], 2, /image is missing/],
        [[name, '--by', 'x'], 2, /--by is library/],
        [['none'], 1, /there is no file .*none/],
        [[`${root}/package.json`], 1, /not an ELF file/],
      ] as const) {
        const result = run(...argv);
        assert.equal(result.status, status);
        assert.match(result.err, message);
      }
    } finally {
      rmSync(build, { recursive: true, force: true });
    }
  });

  it('of real images equal readelf and size', function () {
    const folder = `${suites ?? ''}/images`;
    if (suites === undefined || !existsSync(folder) || !findProgram('readelf', process.env)) {
      console.log('      skipped: UNIKERNEL_SUITES names no folder with images, or there is no readelf');
      this.skip();
    }
    const names = readdirSync(folder).filter((n) => n.endsWith('.dbg') && existsSync(`${folder}/${n.slice(0, -4)}`));
    for (const name of names) {
      const build = `${suites}/build/${name.slice(0, -4)}`;
      const report = readImageSizes(`${folder}/${name.slice(0, -4)}`, existsSync(build) ? { build } : {});
      assertTiled(report);
      const { text, data, bss } = sizeTotals(report);
      assert.deepEqual([text, data, bss], berkeley(`${folder}/${name}`), name);
      assert.deepEqual(new Map(report.sections.map((s) => [s.name, s.size])), readelfSections(`${folder}/${name}`), name);
      const unknown = groupSizes(report, 'library').find((r) => r.path[0] === '(shared)')?.text ?? 0;
      console.log(`      ${name}: ${report.pieces.length} pieces, ${((100 * unknown) / text).toFixed(1)} % of the text without an owner`);
    }
  });
});
