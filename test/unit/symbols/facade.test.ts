/** The facade on programs compiled here: types, scopes, globals, breakpoints, functions, macros, unwinding, and placing at a bias. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type SymbolFile, type Type, SymbolFile as Symbols, stripType, typeName } from '../../../debug-adapter/symbols/api';
import { PROGRAM, Workshop, haveTools, plainContext } from './support';

const line = (text: string): number => PROGRAM.split('\n').findIndex((candidate) => candidate.includes(text)) + 1;

for (const version of [4, 5]) {
  describe(`symbols: the facade, DWARF ${version}`, () => {
    const workshop = new Workshop();
    let path = '';
    let file: SymbolFile;

    before(function () {
      if (!haveTools('the symbols facade', 'gcc')) return this.skip();
      path = workshop.compile(
        workshop.write('a.c', PROGRAM),
        'a',
        '-O2',
        '-g3',
        `-gdwarf-${version}`,
        '-fno-omit-frame-pointer',
        '-no-pie',
      );
      file = Symbols.open(readFileSync(path), { name: path });
    });
    after(() => workshop.dispose());

    const only = <T>(list: readonly T[]): T => {
      assert.equal(list.length, 1);
      return list[0]!;
    };
    const struct = (type: Type): Extract<Type, { kind: 'struct' | 'class' | 'union' }> => {
      const bare = stripType(type);
      assert.ok(bare.kind === 'struct' || bare.kind === 'union', bare.kind);
      return bare;
    };

    it('spells types as C does', () => {
      const typeOf = (name: string): string => typeName(only(file.globalsNamed(name)).type);
      assert.equal(typeOf('global_table'), 'int [4][8]');
      assert.equal(typeOf('msg'), 'const volatile char *');
      assert.equal(typeOf('tls_other'), 'long int');
      const functions = (name: string): string[] => only(file.functions({ name })).parameters.map((p) => `${typeName(p.type)} ${p.name}`);
      assert.deepEqual(functions('compute'), ['point_t * p', 'int n']);
      assert.deepEqual(functions('mix'), ['double a', 'float b', 'long double c']);
      assert.equal(typeName(only(file.functions({ name: 'mix' })).returnType), 'double');
      const pointer = stripType(only(file.typesNamed('fn_t')));
      assert.equal(typeName(pointer), 'int (*)(int, char **)');
    });

    it('is the same with the debug information in a file apart', () => {
      workshop.run('objcopy', '--only-keep-debug', path, 'a.parted');
      workshop.run('strip', '-o', 'a.stripped', path);
      const [parted, stripped] = ['a.parted', 'a.stripped'].map((name) => readFileSync(`${workshop.folder}/${name}`));
      const other = Symbols.open(parted!, { name: path, stripped: stripped! });
      const text = file.elf.section('.text')!;
      let unwound = 0;
      for (let at = text.address; at < text.address + BigInt(text.size); at++) {
        const row = file.unwindRule(at);
        if (row !== undefined) unwound++;
        assert.deepEqual(other.unwindRule(at), row, at.toString(16));
        assert.deepEqual(other.readImage(at, 8), file.readImage(at, 8));
        assert.equal(other.symbolAt(at)?.name, file.symbolAt(at)?.name);
        assert.deepEqual(other.lineAt(at), file.lineAt(at));
      }
      assert.ok(unwound > 100);
      assert.deepEqual(other.diagnostics(), file.diagnostics());
      // By itself it knows neither code nor how to unwind it.
      assert.equal(Symbols.open(parted!, { name: path }).unwindRule(text.address), undefined);
    });

    it('lists a variable of a block where that block is, though the block lies in the abstract function too', () => {
      const source = `int seen[100];
extern int sink(int);
static inline __attribute__((always_inline)) int walk(int n) {
  int all = 0;
  for (int i = 0; i < n; i++) {
    int outer = sink(i);
    if (outer > 3) { int inner = sink(outer); all += inner * 3 + sink(inner); }
    if (outer < 2) { int other = sink(outer + 1); all -= other * 5 + sink(other); }
    all += sink(outer * all);
  }
  return all;
}
int (*volatile pointer)(int) = walk;
int main(int argc, char **argv) { (void)argv; return walk(argc) + pointer(argc + 1); }
__attribute__((noipa)) int sink(int v) { return seen[v & 63]++ + v; }
`;
      const built = workshop.compile(workshop.write('blocks.c', source), 'blocks', '-O2', '-g', `-gdwarf-${version}`, '-no-pie');
      const blocks = Symbols.open(readFileSync(built), { name: built });
      const text = blocks.elf.section('.text')!;
      const counts = { inner: 0, other: 0 };
      for (let at = text.address; at < text.address + BigInt(text.size); at++) {
        blocks.framesAt(at).forEach((_, frame) => {
          for (const { kind, variables } of blocks.scopesAt(at, frame)) {
            for (const { name } of variables) {
              if (name !== 'inner' && name !== 'other') continue;
              counts[name]++;
              assert.equal(kind, 'block', `${name} at ${at.toString(16)}`);
              assert.ok(!variables.some((each) => each.name === 'outer'), `${name} at ${at.toString(16)}`);
            }
          }
        });
      }
      assert.ok(counts.inner > 0 && counts.other > 0, JSON.stringify(counts));
    });

    it('lays out structs, bitfields and unions', () => {
      const point = struct(only(file.typesNamed('struct point')));
      assert.deepEqual(
        point.members.map((m) => [m.name, m.offset, m.bitSize, m.bitOffset]),
        [
          ['x', 0, undefined, undefined],
          ['y', 4, undefined, undefined],
          ['flag', 8, 3, 0],
          ['rest', 8, 29, 3],
        ],
      );
      assert.equal(point.byteSize, 12);
      assert.equal(point.declaration?.line, line('struct point {'));
      const union = struct(only(file.typesNamed('union u')));
      assert.deepEqual(
        union.members.map((m) => [m.name, m.offset, typeName(m.type)]),
        [
          ['i', 0, 'int'],
          ['f', 0, 'float'],
        ],
      );
      const color = only(file.typesNamed('enum color'));
      assert.ok(color.kind === 'enum');
      assert.deepEqual(color.enumerators, [
        { name: 'RED', value: 0n },
        { name: 'GREEN', value: 5n },
        { name: 'BLUE', value: -1n },
      ]);
      assert.equal(only(file.enumeratorsNamed('GREEN')).value, 5n);
      assert.equal(file.typesNamed('unsigned long').length, 1);
      assert.deepEqual(file.typesNamed('struct nothing'), []);
    });

    it('finds globals, statics and thread-locals where the linker put them', () => {
      const global = only(file.globalsNamed('global_table'));
      assert.deepEqual(file.locate(global, plainContext(0n)), { kind: 'memory', address: only(file.symbolsNamed('global_table')).address });
      assert.equal(global.kind, 'global');
      assert.ok(global.external);
      const locals = file.threadLocals().map((v) => v.name);
      assert.deepEqual(locals.sort(), ['tls_counter', 'tls_other']);
      const tls = only(file.globalsNamed('tls_other'));
      const base = file.tlsBlockBase(0x10_0000n)!;
      assert.deepEqual(file.locate(tls, { ...plainContext(0n), tlsBase: () => base }), {
        kind: 'memory',
        address: base + only(file.symbolsNamed('tls_other')).address,
      });
      assert.ok(file.tls()!.size >= 12 && base + BigInt(file.tls()!.size) <= 0x10_0000n);
      const unit = file.units().find((u) => u.name.endsWith('a.c'))!;
      assert.deepEqual(
        file
          .globals(unit)
          .map((v) => v.name)
          .sort(),
        ['global_table', 'msg', 'tls_counter', 'tls_other'],
      );
      assert.equal(unit.language, 'c');
      assert.match(unit.producer, /GNU C/);
    });

    it('shows scopes, inlined frames and their variables', () => {
      const site = file.breakpointSites('a.c', line('static inline int square'))[0]!;
      assert.equal(site.functionName, 'square');
      const frames = file.framesAt(site.address);
      assert.deepEqual(
        frames.map((f) => f.function.name),
        ['square', 'twice', 'compute'],
      );
      assert.deepEqual(
        frames.map((f) => f.inlined),
        [true, true, false],
      );
      assert.deepEqual(
        frames.map((f) => f.position?.line),
        [line('inline int square'), line('inline int twice'), line('sum += twice')],
      );
      assert.equal(frames[2]!.callSite, undefined);
      const names = (index: number): string[] =>
        file.scopesAt(site.address, index).flatMap((s) => s.variables.map((v) => `${v.kind} ${v.name}`));
      assert.deepEqual(names(0), ['parameter v', 'local r']);
      assert.deepEqual(names(1), ['parameter v']);
      assert.deepEqual(
        names(2).filter((n) => !n.includes(' i')),
        ['static calls', 'parameter p', 'parameter n', 'local sum'],
      );
      assert.equal(file.functionAt(site.address)?.name, 'compute');
      assert.equal(file.symbolAt(site.address)?.name, 'compute');
    });

    it('sizes a variable-length array', () => {
      const vla = only(file.functions({ name: 'vla' }));
      const buf = file
        .scopesAt(vla.entry! + 1n)
        .flatMap((s) => s.variables)
        .find((v) => v.name === 'buf')!;
      assert.ok(buf.type.kind === 'array');
      const { dynamicCount } = buf.type.dimensions[0]!;
      assert.ok(dynamicCount);
      const bound = file.evaluateCount(dynamicCount, plainContext(vla.entry! + 40n));
      assert.ok(bound === undefined || typeof bound === 'bigint');
    });

    it('puts breakpoints on lines, following lines and functions', () => {
      const sites = file.breakpointSites(path.replace(/a$/, 'a.c'), line('tls_counter += sum'));
      assert.ok(sites.length >= 1);
      for (const site of sites) {
        assert.equal(site.line, line('tls_counter += sum'));
        assert.equal(file.lineAt(site.address)?.line, site.line);
      }
      // The line of `int sum = 0` may hold no code of its own, the blank one before the function never does.
      const blank = line('__attribute__((noinline)) int compute') - 1;
      assert.deepEqual(file.breakpointSites('a.c', blank), []);
      assert.deepEqual(file.breakpointSites('nowhere.c', 1), []);
      const positions = file.breakpointLocations('a.c', line('int vla'), line('int vla') + 3);
      assert.ok(positions.length >= 3 && positions.every((p) => p.line >= line('int vla') && p.line <= line('int vla') + 3));
      const inlined = only(
        file
          .functions({ name: 'square' })
          .filter((f) => f.ranges.length === 0)
          .slice(0, 1),
      );
      assert.equal(inlined.entry, undefined);
      const inlineSites = file.functionSites(inlined);
      assert.ok(inlineSites.length >= 2);
      for (const site of inlineSites) assert.equal(file.framesAt(site.address)[0]?.function.name, 'square');
      // Optimised code has location lists: its variables hold at the very entry.
      const main = only(file.functions({ name: 'main' }));
      assert.equal(only(file.functionSites(main)).address, main.entry);
      assert.deepEqual(
        file
          .functions({ name: /^(mix|vla)$/ })
          .map((f) => f.name)
          .sort(),
        ['mix', 'vla'],
      );
      assert.deepEqual(file.functions({ name: /./, library: 'nolib' }), []);
      assert.equal(file.functions({ name: /./, limit: 2 }).length, 2);
    });

    it('covers a line by ranges that meet at rows', () => {
      const main = only(file.functions({ name: 'main' }));
      const extent = file.lineExtent(main.entry!);
      assert.ok(extent.length >= 1);
      for (const { low, high } of extent) {
        assert.ok(high > low);
        assert.equal(file.lineAt(low)?.line, file.lineAt(main.entry!)?.line);
        assert.notEqual(file.lineAt(high)?.line, file.lineAt(main.entry!)?.line);
      }
    });

    it('knows call sites and what they pass', () => {
      const main = only(file.functions({ name: 'main' }));
      const sites = file.callSites(main.entry!).filter((site) => site.callee?.name === 'compute');
      assert.equal(sites.length, 2);
      const [first] = sites;
      assert.equal(file.callSiteAt(first!.returnAddress)?.callee?.name, 'compute');
      assert.ok(first!.values.length >= 1);
    });

    it('unwinds one frame from an entry', () => {
      const main = only(file.functions({ name: 'main' }));
      const row = file.unwindRule(main.entry!)!;
      assert.deepEqual(row.cfa, { kind: 'register', register: 7, offset: 8 });
      assert.deepEqual(row.function, main.ranges.find((r) => r.low === main.entry) ?? row.function);
      const stack = new Map([[0x8000n, 0x1234n]]);
      const frame = file.unwind(row, {
        pc: main.entry!,
        register: (n) => (n === 7 ? 0x8000n : n === 3 ? 3n : undefined),
        readMemory: (address, length) => {
          const value = stack.get(address);
          return value === undefined ? undefined : Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
        },
      })!;
      assert.equal(frame.cfa, 0x8008n);
      assert.equal(frame.returnAddress, 0x1234n);
      assert.equal(frame.registers.get(7), 0x8008n);
      assert.equal(frame.registers.get(3), 3n);
      assert.equal(frame.savedAt.get(16), 0x8000n);
    });

    it('expands the macros that the preprocessor ended with', () => {
      const unit = file.units().find((u) => u.name.endsWith('a.c'))!;
      assert.deepEqual(file.macroNamed('MAX', unit), {
        name: 'MAX',
        parameters: ['a', 'b'],
        body: '((a) > (b) ? (a) : (b))',
        definedAt: { file: file.sourcesNamed('a.c')[0], line: line('#define MAX'), column: 0 },
      });
      const ours = [...file.macros(unit)].map((m) => `#define ${m.name}${m.parameters ? `(${m.parameters.join(',')})` : ''} ${m.body}`);
      const theirs = workshop
        .run('gcc', '-O2', '-g3', `-gdwarf-${version}`, '-fno-omit-frame-pointer', '-no-pie', '-E', '-dM', 'a.c')
        .trim()
        .split('\n');
      const clean = (list: string[]): string[] => list.map((text) => text.replace(/\s+/g, ' ').trim()).sort();
      const different = clean(theirs).filter((text) => !clean(ours).includes(text));
      assert.deepEqual(
        different.filter((text) => !/__(DATE|TIME|FILE|LINE|COUNTER|INCLUDE_LEVEL|BASE_FILE)__/.test(text)),
        [],
      );
      assert.ok(ours.length > 300);
    });

    it('moves everything with the bias, sharing what was read', () => {
      const moved = file.at(0x7000_0000n);
      const main = only(file.functions({ name: 'main' }));
      const there = only(moved.functions({ name: 'main' }));
      assert.equal(there.entry, main.entry! + 0x7000_0000n);
      assert.equal(moved.lineAt(there.entry)?.line, file.lineAt(main.entry!)?.line);
      assert.equal(moved.symbolAt(there.entry)?.name, 'main');
      assert.equal(moved.functionAt(main.entry!), undefined);
      assert.deepEqual(moved.locate(only(moved.globalsNamed('global_table')), plainContext(0n)), {
        kind: 'memory',
        address: only(file.symbolsNamed('global_table')).address + 0x7000_0000n,
      });
      assert.ok(moved.covers(there.entry) && !moved.covers(main.entry!));
      assert.deepEqual(moved.readImage(there.entry, 4), file.readImage(main.entry!, 4));
      assert.equal(moved.sectionAt(there.entry), file.sectionAt(main.entry!));
      const row = moved.unwindRule(there.entry)!;
      assert.equal(row.low, file.unwindRule(main.entry!)!.low + 0x7000_0000n);
      assert.deepEqual(moved.elf, file.elf);
    });

    it('skips the prologue where variables live on the stack', () => {
      const plain = workshop.compile(workshop.write('a.c', PROGRAM), 'plain', '-O0', '-g', `-gdwarf-${version}`, '-no-pie');
      const symbols = Symbols.open(readFileSync(plain), { name: plain });
      if (!haveTools('prologues against gdb', 'gdb')) return;
      for (const name of ['main', 'compute', 'mix', 'vla', 'square']) {
        const answer = workshop.run('gdb', '-nx', '-batch', '-ex', `break ${name}`, plain);
        const expected = BigInt(/at (0x[0-9a-f]+):/.exec(answer)![1]!);
        assert.equal(only(symbols.functionSites(only(symbols.functions({ name })))).address, expected, name);
      }
    });

    it('works in steps', () => {
      const fresh = Symbols.open(readFileSync(path), { name: path });
      const shares = [...fresh.warm()];
      assert.equal(shares.at(-1), 1);
      assert.deepEqual(
        [...shares].sort((a, b) => a - b),
        shares,
      );
    });
  });
}

describe('symbols: addresses in the top half', () => {
  const workshop = new Workshop();
  after(() => workshop.dispose());

  it('reads a kernel linked at 0xffffffff80000000', function () {
    if (!haveTools('high addresses', 'gcc')) return this.skip();
    const source =
      'int counter = 1;\nint twice(int n) {\n  int r = n + counter;\n  return r * 2;\n}\nvoid _start(void) { counter = twice(counter); for (;;); }\n';
    const options = [
      '-O1',
      '-g',
      '-ffreestanding',
      '-nostdlib',
      '-static',
      '-no-pie',
      '-fno-pic',
      '-mcmodel=kernel',
      '-Wl,-Ttext=0xffffffff81000000',
      '-Wl,-Tdata=0xffffffff82000000',
    ];
    for (const version of [4, 5]) {
      const path = workshop.compile(workshop.write('k.c', source), `k${version}`, ...options, `-gdwarf-${version}`);
      const file = Symbols.open(readFileSync(path), { name: path });
      const [twice] = file.functions({ name: 'twice' });
      assert.equal(twice!.entry, file.symbolsNamed('twice')[0]!.address);
      assert.ok(twice!.entry >= 0xffff_ffff_8100_0000n);
      assert.ok([2, 3, 4].includes(file.lineAt(twice!.entry)?.line ?? 0));
      assert.equal(file.framesAt(twice!.entry + 2n)[0]?.function.name, 'twice');
      assert.deepEqual(file.locate(file.globalsNamed('counter')[0]!, plainContext(0n)), {
        kind: 'memory',
        address: file.symbolsNamed('counter')[0]!.address,
      });
      assert.equal(file.unwindRule(twice!.entry)?.low, twice!.entry);
      const r = file
        .scopesAt(twice!.entry + 2n)
        .flatMap((s) => s.variables)
        .find((v) => v.name === 'r')!;
      assert.ok(r.location.kind === 'list' && r.location.entries.every((e) => e.low === undefined || e.low >= twice!.entry!));
      assert.deepEqual(file.diagnostics(), []);
    }
  });
});

describe('symbols: what is not there is said', () => {
  const workshop = new Workshop();
  after(() => workshop.dispose());

  it('explains split DWARF', function () {
    if (!haveTools('split DWARF', 'gcc')) return this.skip();
    for (const version of [4, 5]) {
      const path = workshop.compile(workshop.write('a.c', PROGRAM), `split${version}`, '-g', `-gdwarf-${version}`, '-gsplit-dwarf');
      const file = Symbols.open(readFileSync(path), { name: path });
      assert.equal(file.units().length, 1);
      const main = file.symbolsNamed('main')[0]!.address;
      assert.deepEqual(file.framesAt(main), []);
      assert.match(file.diagnostics().find((d) => d.code === 'dwarf-split')?.message ?? '', /\.dwo.*-gsplit-dwarf/);
      assert.equal(file.lineAt(main)?.line, line('int main'), 'lines are in the program itself');
    }
  });

  it('falls back on symbols without DWARF', function () {
    if (!haveTools('files without DWARF', 'gcc')) return this.skip();
    const path = workshop.compile(workshop.write('a.c', PROGRAM), 'bare', '-O2');
    const file = Symbols.open(readFileSync(path), { name: path });
    assert.equal(file.hasDwarf, false);
    const main = file.symbolsNamed('main')[0]!;
    assert.equal(file.symbolAt(main.address + 3n)?.name, 'main');
    assert.deepEqual(file.framesAt(main.address), []);
    assert.equal(file.lineAt(main.address), undefined);
    assert.ok(file.unwindRule(main.address), '.eh_frame is there all the same');
    assert.deepEqual(
      file.searchSymbols(/^glob.*table$/).map((s) => s.name),
      ['global_table'],
    );
  });

  it('reads an object before it is linked', function () {
    if (!haveTools('objects', 'gcc')) return this.skip();
    const path = workshop.compile(workshop.write('a.c', PROGRAM), 'a.o', '-c', '-g', '-O1');
    const file = Symbols.open(readFileSync(path), { name: path });
    assert.deepEqual(
      file.functions({ name: 'compute' }).map((f) => [f.name, f.declaration?.line]),
      [['compute', line('int compute')]],
    );
  });

  it('opens anything', () => {
    for (const bytes of [new Uint8Array(0), new TextEncoder().encode('hello'), Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1)]) {
      const file = Symbols.open(bytes, { name: 'x' });
      assert.equal(file.hasDwarf, false);
      assert.deepEqual(file.units(), []);
      assert.equal(file.symbolAt(0x1000n), undefined);
      assert.ok(file.diagnostics().length > 0);
    }
  });
});
