/** Names, types and functions of C++ and Rust, as far as their compilers describe them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SymbolFile, typeName } from '../../../debug-adapter/symbols/api';
import { Workshop, haveTools, plainContext } from './support';

const CPP = `namespace shapes {
struct Base { virtual ~Base() {} virtual double area() const = 0; int id = 7; };
template <typename T, int N> struct Grid final : Base {
  T cells[N]; static int made;
  explicit Grid(T v) { for (auto &c : cells) c = v; made++; }
  __attribute__((noinline)) double area() const override { double s = 0; for (auto c : cells) s += c; return s; }
};
template <typename T, int N> int Grid<T, N>::made = 0;
enum class Mode : unsigned char { Off, On = 200 };
int shared = 3;
}
__attribute__((noinline)) int use(const shapes::Base &base, shapes::Mode &&mode) { return (int)base.area() + (int)mode; }
int main() { shapes::Grid<float, 4> grid(1.5f); return use(grid, shapes::Mode::On) + shapes::shared + shapes::Grid<float, 4>::made; }
`;

const RUST = `pub enum Shape { Empty, Circle { r: f64 }, Rect(u32, u32) }
pub enum Mode { A = 3, B = 200 }
#[inline(never)]
pub fn area(s: &Shape, k: u8) -> f64 {
    match s { Shape::Empty => 0.0, Shape::Circle { r } => r * r * 3.0, Shape::Rect(a, b) => (*a * *b) as f64 + k as f64 }
}
fn main() {
    let shapes = [Shape::Circle { r: 2.0 }, Shape::Rect(3, 4), Shape::Empty];
    let mode = if std::env::args().count() > 5 { Mode::A } else { Mode::B };
    println!("{} {}", area(&shapes[0], 7) + area(&shapes[2], 1), mode as u8);
}
`;

describe('symbols: other languages', () => {
  const workshop = new Workshop();
  after(() => workshop.dispose());

  it('reads C++: namespaces, methods, templates, bases and static members', function () {
    if (!haveTools('C++', 'g++')) return this.skip();
    const path = workshop.compile(workshop.write('b.cpp', CPP), 'b', '-O1', '-g', '-no-pie');
    const file = SymbolFile.open(readFileSync(path), { name: path });
    const area = file.functions({ name: 'shapes::Grid<float, 4>::area' });
    assert.deepEqual(
      area.map((f) => f.qualifiedName),
      ['shapes::Grid<float, 4>::area'],
    );
    assert.equal(area[0]!.entry, file.symbolsNamed(area[0]!.linkageName!)[0]!.address);
    assert.deepEqual(
      file.functions({ name: 'area' }).map((f) => f.id),
      area.map((f) => f.id),
    );
    assert.deepEqual(
      file.functions({ name: /^shapes::.*::area$/ }).map((f) => f.id),
      area.map((f) => f.id),
    );
    assert.deepEqual(
      area[0]!.parameters.map((p) => [p.name, p.artificial]),
      [['this', true]],
    );
    const use = file.functions({ name: 'use' })[0]!;
    assert.deepEqual(
      use.parameters.map((p) => typeName(p.type)),
      ['const shapes::Base &', 'shapes::Mode &&'],
    );
    const [grid] = file.typesNamed('shapes::Grid<float, 4>');
    assert.ok(grid?.kind === 'struct' || grid?.kind === 'class');
    assert.deepEqual(
      grid.bases.map((b) => typeName(b.type)),
      ['shapes::Base'],
    );
    assert.deepEqual(
      grid.members.map((m) => [m.name, typeName(m.type), m.offset]),
      [['cells', 'float [4]', 12]],
    );
    assert.deepEqual(
      grid.statics.map((s) => s.name),
      ['made'],
    );
    assert.deepEqual(
      grid.templateArguments.map((a) => [a.name, a.type && typeName(a.type), a.value]),
      [
        ['T', 'float', undefined],
        ['N', 'int', 4n],
      ],
    );
    const [mode] = file.typesNamed('shapes::Mode');
    assert.ok(mode?.kind === 'enum');
    assert.deepEqual(mode.enumerators, [
      { name: 'Off', value: 0n },
      { name: 'On', value: 200n },
    ]);
    const [shared] = file.globalsNamed('shapes::shared');
    assert.equal(shared?.qualifiedName, 'shapes::shared');
    assert.deepEqual(file.locate(shared, plainContext(0n)), {
      kind: 'memory',
      address: file.symbolsNamed('_ZN6shapes6sharedE')[0]!.address,
    });
    const [made] = file.globalsNamed('made');
    assert.deepEqual(file.locate(made!, plainContext(0n)), {
      kind: 'memory',
      address: file.symbolsNamed('_ZN6shapes4GridIfLi4EE4madeE')[0]!.address,
    });
    assert.deepEqual(file.diagnostics(), []);
  });

  it('reads Rust: modules, enums with data, and slices of its library', function () {
    if (!haveTools('Rust', 'rustc')) return this.skip();
    const source = workshop.write('r.rs', RUST);
    const path = join(workshop.folder, 'r');
    workshop.run('rustc', '-g', '-o', path, source);
    const file = SymbolFile.open(readFileSync(path), { name: path });
    const [area] = file.functions({ name: 'r::area' });
    assert.equal(area?.qualifiedName, 'r::area');
    assert.equal(area.unit.language, 'rust');
    assert.deepEqual(
      area.parameters.map((p) => `${p.name}: ${typeName(p.type)}`),
      ['s: &r::Shape', 'k: u8'],
    );
    const [shape] = file.typesNamed('r::Shape');
    assert.ok(shape?.kind === 'struct' && shape.variantPart);
    assert.deepEqual(
      shape.variantPart.variants.map((v) => v.members[0]?.name),
      ['Empty', 'Circle', 'Rect'],
    );
    assert.ok(shape.variantPart.discriminant, 'the tag has a place');
    assert.deepEqual(
      shape.variantPart.variants.map((v) => v.values[0]?.low),
      [0n, 1n, 2n],
    );
    const [mode] = file.typesNamed('r::Mode');
    assert.ok(mode?.kind === 'enum');
    assert.deepEqual(
      mode.enumerators.map((e) => e.value),
      [3n, 200n],
    );
    const site = file.functionSites(area)[0]!;
    assert.equal(file.framesAt(site.address)[0]?.function.qualifiedName, 'r::area');
    assert.equal(site.line, 5, 'past the prologue that the compiler marked');
  });
});
