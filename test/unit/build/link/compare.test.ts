/** The pool's image as we link it beside the one of GNU ld: symbols, sections, code and lines. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ldScript } from '../../../../src/build/link/layout';
import { link } from '../../../../src/build/link/link';
import { type LinkStep } from '../../../../src/build/plan';
import { buildPool } from '../../../../src/build/pool-build.node';
import { formatProblem } from '../../../../src/build/problems';
import { findProgram } from '../../../../src/build/toolchain.node';
import { gcc, gnuLd, input, need, Workshop } from './host';

const root = path.resolve(__dirname, '../../../..');

interface Symbol {
  readonly name: string;
  readonly value: number;
  readonly size: number;
  readonly type: string;
  readonly section: string;
}

describe('the pool image, beside GNU ld', function () {
  this.timeout(120_000);
  let shop: Workshop;
  let ours = '';
  let theirs = '';

  before(async function () {
    const tools = ['readelf', 'objdump', 'addr2line'].every((t) => findProgram(t, process.env) !== undefined);
    need(this, 'gcc with GNU binutils', gcc !== undefined && gnuLd !== undefined && tools);
    shop = new Workshop();
    const result = await buildPool({ app: `${root}/library-pool/app/threads`, build: shop.file('build'), env: process.env });
    assert.ok(result.ok, result.problems.map(formatProblem).join('\n'));
    const step = result.plan!.steps.find((s): s is LinkStep => s.kind === 'link')!;
    const objects = step.groups.flatMap((g) => g.objects);
    const linked = link([{ name: 'all', inputs: objects.map(input) }], { layout: step.layout, entry: '_multiboot_entry' });
    assert.ok(linked.bytes, linked.problems.map(formatProblem).join('\n'));
    ours = shop.file('ours');
    theirs = shop.file('theirs');
    writeFileSync(ours, linked.bytes);
    writeFileSync(shop.file('lds'), ldScript(step.layout));
    execFileSync(gnuLd!, [
      '-nostdlib',
      '-static',
      '--no-warn-rwx-segments',
      '-e',
      '_multiboot_entry',
      '-T',
      shop.file('lds'),
      '-o',
      theirs,
      ...objects,
    ]);
  });
  after(() => shop?.remove());

  const run = (tool: string, ...args: string[]): string =>
    execFileSync(tool, args, { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] });

  function sections(file: string): Map<number, { name: string; flags: string; type: string; address: number; size: number }> {
    const found = new Map<number, { name: string; flags: string; type: string; address: number; size: number }>();
    for (const m of run('readelf', '-SW', file).matchAll(
      /^\s*\[\s*(\d+)\] (\S+)\s+(\S+)\s+([0-9a-f]{16}) \S+ ([0-9a-f]+) \S+\s+(\w*)\s+\d+\s+\d+\s+\d+$/gm,
    ))
      found.set(Number(m[1]), { name: m[2]!, type: m[3]!, address: parseInt(m[4]!, 16), size: parseInt(m[5]!, 16), flags: m[6]! });
    return found;
  }

  function symbols(file: string): Symbol[] {
    const names = sections(file);
    const found: Symbol[] = [];
    for (const m of run('readelf', '-sW', file).matchAll(
      /^\s*\d+: ([0-9a-f]{16})\s+(\d+|0x[0-9a-f]+) (\w+)\s+(\w+)\s+\w+\s+(\w+) (\S+)$/gm,
    )) {
      if (m[3] === 'SECTION' || m[3] === 'FILE') continue;
      found.push({
        name: m[6]!,
        value: parseInt(m[1]!, 16),
        size: Number(m[2]),
        type: m[3]!,
        section: names.get(Number(m[5]))?.name ?? m[5]!,
      });
    }
    return found;
  }

  it('has the same loaded sections, with the same access', () => {
    const loaded = (file: string): string[] =>
      [...sections(file).values()].filter((s) => s.flags.includes('A')).map((s) => `${s.name} ${s.type} ${s.flags.replace(/[MS]/g, '')}`);
    assert.deepEqual(loaded(ours), loaded(theirs));
  });

  it('has the same symbols with the same sizes in the same sections', () => {
    // Symbols of the layout belong to a section here and to none there.
    const list = (file: string): string[] => {
      const seen = symbols(file).filter(
        (s) =>
          !/^(_?end|_base_addr|_text|_etext|_rodata|_erodata|_data|_edata|__bss_start|_tls_\w+|_etdata|uk_\w+tab_(start|end)|__init_array_\w+)$/.test(
            s.name,
          ),
      );
      return seen.map((s) => `${s.name} ${s.type} ${s.size} ${s.section}`).sort();
    };
    assert.deepEqual(list(ours), list(theirs));
    assert.ok(list(ours).length > 150);
  });

  it('has the same code: every instruction, every reference', () => {
    const [a, b] = [ours, theirs].map((file) => {
      const base = symbols(file).find((s) => s.name === '_base_addr')!.value;
      const end = symbols(file).find((s) => s.name === '_end')!.value;
      return run('objdump', '-d', '--no-show-raw-insn', '--no-addresses', file)
        .replace(/^.*file format.*$/m, '')
        .replace(/\s+#.*$/gm, '') // the address that a RIP-relative operand means; its symbol follows where one is known
        .replace(/^\s+(nop|nop[wl] .*|cs nopw .*|data16 .*|xchg\s+%ax,%ax)\n/gm, '') // padding
        .replace(/\b(?:0x)?[0-9a-f]{6,}\b/g, (n) => {
          const v = parseInt(n, 16);
          return v >= base && v < end ? 'ADDRESS' : n;
        })
        .replace(/-?0x[0-9a-f]+\(%rip\)/g, 'REL(%rip)')
        .replace(/ADDRESS <[^>]*(rodata|LC)[^>]*>/g, 'ADDRESS');
    });
    assert.ok(a!.length > 50_000);
    assert.equal(a, b);
  });

  it('says the same lines for every function', () => {
    const [a, b] = [ours, theirs].map((file) => {
      const functions = symbols(file)
        .filter((s) => s.type === 'FUNC' && s.section === '.text')
        .sort((x, y) => (x.name < y.name ? -1 : x.name > y.name ? 1 : x.size - y.size));
      const places = functions.flatMap((f) => [0, f.size >> 2, f.size >> 1].map((o) => `0x${(f.value + o).toString(16)}`));
      return run('addr2line', '-f', '-i', '-e', file, ...places);
    });
    assert.equal(a, b);
    assert.match(a!, /app\/threads\/main\.c:\d+/);
  });

  it('has debug information without faults', () => {
    const text = execFileSync(
      'sh',
      ['-c', `readelf --debug-dump=info,abbrev,line,aranges,Ranges,frames "${ours}" 2>&1 >/dev/null | head -20`],
      { encoding: 'utf8' },
    );
    assert.equal(text.replace(/^readelf: Warning: .*(loclist|location list|\.debug_loclists).*\n/gm, ''), '');
    assert.ok(readFileSync(ours).length > 100_000);
  });
});
