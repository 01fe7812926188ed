/** Files whose DWARF dwz made smaller, alone or with a part that they share, against the same files before. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SymbolFile } from '../../../debug-adapter/symbols/api';
import { describeFile } from './describe-file';
import { exercise, haveTools, PROGRAM, Random, seedFromEnvironment, Workshop } from './support';

/** Shared by the units of a program, and by programs. */
const HEADER = `struct node { struct node *next; int value; union { int i; float f; } u; unsigned bits : 3; };
typedef int (*visit_t)(struct node *, char **);
enum shade { LIGHT, DARK = 5, DARKER = -1 };
static const int limit = 77;
extern int shared_count;
#define DEPTH 4
#define NEXT(n) ((n)->next)
int count_nodes(struct node *n, int (*each)(struct node *));
static inline __attribute__((always_inline)) int square(int v, struct node *n) {
  int r = v * v;
  if (r > 100) { int less = n->value; r -= less; }
  return r + limit;
}
`;

/** The second unit: with a type of the same name as another's, and of its own. */
const SECOND = `#include "shared.h"
struct local { long first; struct node *second; };
int shared_count;
static struct local here;
int count_nodes(struct node *n, int (*each)(struct node *)) {
  int sum = 0;
  for (; n; n = NEXT(n)) sum += square(n->value, n) + each(n);
  here.first += sum;
  shared_count++;
  return sum;
}
`;

const FIRST = `#include "shared.h"
struct local { char name[8]; enum shade shade; };
static struct local mine = { "mine", DARK };
__attribute__((noinline)) int each_node(struct node *n) { return square(n->value + DEPTH, n) + mine.shade; }
int visit(struct node *n, char **v) { return count_nodes(n, each_node) + (int)sizeof v; }
visit_t visitor = visit;
`;

/** Classes that the units of programs share: with static members, methods that are defined elsewhere, templates and constants. */
const CLASSES = `#include <string>
namespace parts {
constexpr int most = 12;
enum class Mode : unsigned char { slow, fast = 9 };
template <typename T, int n> struct Fixed { T values[n]; T sum() const { T all{}; for (auto &each : values) all += each; return all; } };
class Base {
public:
  virtual ~Base() = default;
  virtual int weight(int scale) const;
  static int made;
  static constexpr long tag = 0x1234;
  int again(int times) const { int all = 0; for (int i = 0; i < times; i++) all += weight(i); return all; }
protected:
  Mode mode = Mode::fast;
};
class Box : public Base {
public:
  explicit Box(std::string name);
  int weight(int scale) const override;
  Fixed<int, 3> inner;
private:
  std::string name_;
};
inline int clamp(int value) { static int calls; calls++; return value > most ? most : value; }
}
extern thread_local int depth;
`;

const FIRST_CLASS = `#include "parts.h"
int parts::Base::made = 3;
thread_local int depth = 1;
namespace { struct Local { int here; parts::Box *box; }; Local kept; }
int parts::Base::weight(int scale) const { made++; return clamp(scale) * (int)tag; }
parts::Box::Box(std::string name) : name_(std::move(name)) { depth++; }
int main(int argc, char **argv) {
  parts::Box box(argv[0]);
  kept = { argc, &box };
  box.inner = { { 1, 2, argc } };
  return box.again(argc) + box.inner.sum() + parts::clamp(kept.here);
}
`;

const SECOND_CLASS = `#include "parts.h"
namespace { struct Local { parts::Box *boxes[4]; }; Local other; }
int parts::Box::weight(int scale) const { other.boxes[scale & 3] = nullptr; return clamp((int)name_.size()) * scale + depth + (int)mode; }
int count(parts::Fixed<long, 2> &list) { return parts::clamp((int)list.sum()); }
`;

/** A file that shares DWARF with itself, being the file that its link names: units that import each other and themselves, and references to nowhere. */
const CIRCLES = `.text
.globl _start
_start: ret
.section .gnu_debugaltlink,"",@progbits
.asciz "circles"
.byte 0xc0, 0xff, 0xee, 0x01
.section .debug_abbrev,"",@progbits
.uleb128 1, 0x11; .byte 1; .uleb128 0x03, 0x08, 0x13, 0x0b, 0, 0
.uleb128 2, 0x3d; .byte 0; .uleb128 0x18, 0x1f20, 0, 0
.uleb128 3, 0x3d; .byte 0; .uleb128 0x18, 0x10, 0, 0
.uleb128 4, 0x3c; .byte 1; .uleb128 0, 0
.uleb128 5, 0x34; .byte 0; .uleb128 0x03, 0x08, 0x49, 0x1f20, 0, 0
.uleb128 6, 0x24; .byte 0; .uleb128 0x03, 0x1f21, 0, 0
.uleb128 7, 0x16; .byte 0; .uleb128 0x03, 0x08, 0x49, 0x1f20, 0, 0
.uleb128 8, 0x2e; .byte 0; .uleb128 0x47, 0x1f20, 0, 0
.uleb128 9, 0x16; .byte 0; .uleb128 0x03, 0x08, 0x49, 0x10, 0, 0
.byte 0
.section .debug_info,"",@progbits
info:
first: .long first_end - . - 4; .short 4; .long 0; .byte 8
.uleb128 1; .asciz "circles.c"; .byte 12
.uleb128 2; .long second - info
.uleb128 3; .long second - info
.uleb128 3; .long first - info
.uleb128 2; .long 0x7fffffff
.uleb128 5; .asciz "nowhere"; .long 0x7ffffff0
.uleb128 5; .asciz "beyond"; .long info_end - info
.uleb128 5; .asciz "within"; .long alias - info + 1
.uleb128 5; .asciz "around"; .long alias - info
.uleb128 6; .long 0x7ffffff0
.uleb128 9; .asciz "trespass"; .long alias - info + (info_end - info)
self: .uleb128 8; .long self - info
.byte 0
first_end:
second: .long third - . - 4; .short 4; .long 0; .byte 8
.uleb128 4
.uleb128 3; .long third - info
.uleb128 2; .long first - info
alias: .uleb128 9; .asciz "alias"; .long back - info
.uleb128 7; .asciz "further"; .long alias - info
.byte 0
third: .long info_end - . - 4; .short 4; .long 0; .byte 8
.uleb128 4
.uleb128 3; .long second - info
back: .uleb128 9; .asciz "back"; .long alias - info
.byte 0
info_end:
`;

describe('symbols of files that dwz made smaller', function () {
  this.timeout(600_000);
  const workshop = new Workshop();
  after(() => workshop.dispose());

  const run = (command: string, ...args: string[]): void =>
    void execFileSync(command, args, { cwd: workshop.folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const read = (name: string): Uint8Array => new Uint8Array(readFileSync(join(workshop.folder, name)));
  const copy = (from: string, to: string): void => copyFileSync(join(workshop.folder, from), join(workshop.folder, to));

  const languages = [
    {
      language: 'C',
      build: (version: number) => {
        workshop.write('shared.h', HEADER);
        // Packages are built so that their folder is not told.
        const paths = version === 5 ? [`-ffile-prefix-map=${workshop.folder}=./made/here`] : [];
        for (const [name, text] of Object.entries({
          first: FIRST,
          second: SECOND,
          one: PROGRAM,
          two: PROGRAM.replaceAll('twice', 'doubled'),
        }))
          workshop.write(`${name}.c`, text);
        for (const name of ['one', 'two'])
          run('gcc', '-g3', '-O2', `-gdwarf-${version}`, ...paths, '-no-pie', '-o', name, `${name}.c`, 'first.c', 'second.c');
      },
    },
    {
      language: 'C++',
      build: (version: number) => {
        for (const [name, text] of Object.entries({ 'parts.h': CLASSES, 'one.cpp': FIRST_CLASS, 'more.cpp': SECOND_CLASS }))
          workshop.write(name, text);
        workshop.write('two.cpp', FIRST_CLASS.replaceAll('kept', 'held'));
        for (const name of ['one', 'two'])
          run('g++', '-std=c++17', '-g', '-O1', `-gdwarf-${version}`, '-no-pie', '-o', name, `${name}.cpp`, 'more.cpp');
      },
    },
  ] as const;

  for (const { language, build } of languages) {
    for (const version of [4, 5]) {
      describe(`${language}, DWARF ${version}`, () => {
        const whole = new Map<string, ReturnType<typeof describeFile>>();

        before(function () {
          if (!haveTools('DWARF that dwz made smaller', 'dwz', language === 'C' ? 'gcc' : 'g++', 'objcopy', 'strip')) return this.skip();
          build(version);
          for (const name of ['one', 'two']) {
            run('objcopy', '--only-keep-debug', name, `${name}.debug`);
            run('strip', '-o', `${name}.stripped`, name);
            whole.set(name, describeFile(open(name, `${name}.debug`), workshop.folder));
          }
        });

        const open = (name: string, debug: string, shared?: string): SymbolFile =>
          SymbolFile.open(read(debug), {
            name: debug,
            stripped: read(`${name}.stripped`),
            ...(shared !== undefined && { supplement: { bytes: read(shared), places: [shared] } }),
          });

        const compare = (name: string, file: SymbolFile): void => {
          const own = describeFile(file, workshop.folder);
          for (const [what, lines] of whole.get(name)!) {
            const [mine, theirs] = [new Set(own.get(what)), new Set(lines)];
            const missing = lines.filter((line) => !mine.has(line));
            const more = own.get(what)!.filter((line) => !theirs.has(line));
            assert.deepEqual(
              [missing.slice(0, 3), more.slice(0, 3)],
              [[], []],
              `${what} of ${name}: ${missing.length} missing, ${more.length} more`,
            );
          }
          assert.deepEqual(file.diagnostics(), []);
        };

        it('know as much where a file shares DWARF within itself', () => {
          for (const name of ['one', 'two']) {
            copy(`${name}.debug`, `${name}.small`);
            run('dwz', `${name}.small`);
            compare(name, open(name, `${name}.small`));
          }
        });

        it('say which file is missing, or not the one, and know the rest', () => {
          for (const name of ['one', 'two']) copy(`${name}.debug`, `${name}.small`);
          run('dwz', '-m', 'common.debug', 'one.small', 'two.small');
          for (const [supplement, expected] of [
            [undefined, /common\.debug \(build ID [0-9a-f]{40}\); it was not found\. /],
            [{ places: ['/a', '/b'], others: ['/b'] }, /it was not found \(looked for: \/a, \/b\); of another build: \/b\. /],
            [{ places: [], bytes: read('one.debug') }, /what was found is another file/],
            [{ places: [], bytes: new Uint8Array(3) }, /what was found is another file/],
          ] as const) {
            const name = 'one.small';
            const file = SymbolFile.open(read(name), { name, stripped: read('one.stripped'), ...(supplement && { supplement }) });
            assert.deepEqual(
              file.diagnostics().map(({ code, section }) => `${code} ${section}`),
              ['dwarf-supplementary .gnu_debugaltlink'],
            );
            assert.match(file.diagnostics()[0]!.message, expected);
            // The folder of the sources is among what is missing.
            const plain = (lines: readonly string[]): readonly string[] => lines.map((line) => line.replace(/ \S*\//, ' '));
            const { lines } = Object.fromEntries(describeFile(file, workshop.folder));
            assert.equal(plain(lines!).join('\n'), plain(whole.get('one')!.get('lines')!).join('\n'));
          }
        });

        it('are read without an end or an error where they are damaged', () => {
          for (const name of ['one', 'two']) copy(`${name}.debug`, `${name}.small`);
          run('dwz', '-m', 'common.debug', 'one.small', 'two.small');
          const random = new Random(seedFromEnvironment());
          const [file, shared] = [read('one.small'), read('common.debug')];
          const note = SymbolFile.open(shared, { name: 'common' }).elf.section('.note.gnu.build-id')!;
          for (let round = 0; round < 12; round++) {
            const damaged = [file, shared].map((bytes) => {
              const copy = bytes.slice();
              for (let i = 0; i < 1 + random.below(40); i++) copy[64 + random.below(copy.length - 64)]! ^= 1 << random.below(8);
              return copy;
            });
            // Its build ID is looked at before all else.
            damaged[1]!.set(shared.subarray(note.offset, note.offset + note.size), note.offset);
            const supplement = { bytes: damaged[1]!, places: [] };
            const opened = SymbolFile.open(damaged[0]!, { name: 'damaged', stripped: read('one.stripped'), supplement });
            const { address } = opened.elf.section('.text') ?? { address: 0x401000n };
            assert.ok(
              exercise(
                opened,
                Array.from({ length: 20 }, (_, i) => address + BigInt(i * 16)),
              ) > 0,
            );
          }
        });

        for (const [title, ...options] of [["GNU's way"], ["DWARF 5's way", '--dwarf-5']] as const) {
          it(`know as much where two files share a third one, ${title}`, () => {
            for (const name of ['one', 'two']) copy(`${name}.debug`, `${name}.small`);
            run('dwz', ...options, '-m', 'common.debug', 'one.small', 'two.small');
            for (const name of ['one', 'two']) {
              const { length } = SymbolFile.open(read(`${name}.small`), { name }).diagnostics();
              assert.equal(length, 1, 'nothing was shared');
              compare(name, open(name, `${name}.small`, 'common.debug'));
            }
          });
        }
      });
    }
  }

  it('may import each other in circles, refer to nowhere, and be the file that they share', function () {
    if (!haveTools('DWARF that goes in circles', 'gcc')) return this.skip();
    workshop.write('circles.s', CIRCLES);
    run('gcc', '-nostdlib', '-static', '-Wl,--build-id=0xc0ffee01', '-o', 'circles', 'circles.s');
    const bytes = read('circles');
    const file = SymbolFile.open(bytes, { name: 'circles', supplement: { bytes, places: [] } });
    assert.deepEqual(file.diagnostics(), []);
    const targets = file.typeNames('', 100).map(
      (name) =>
        `${name} ${file
          .typesNamed(name)
          .map(({ kind }) => kind)
          .join()}`,
    );
    // The partial units stand in both files; what is in the other one does not refer to a third.
    assert.deepEqual(targets.sort(), [
      'alias typedef,typedef',
      'back typedef,typedef',
      'further typedef,typedef',
      'trespass typedef,typedef',
    ]);
    const targetOf = (name: string): readonly string[] =>
      file.typesNamed(name).map((type) => (type.kind === 'typedef' ? (type.target.name ?? type.target.kind) : type.kind));
    assert.deepEqual(targetOf('alias'), ['back', 'back']);
    assert.deepEqual(targetOf('further'), ['alias', '<unreadable type>']);
    // A reference within the file does not reach into the other one, though that is read behind it.
    assert.deepEqual(targetOf('trespass'), ['<unreadable type>', '<unreadable type>']);
    assert.deepEqual(
      file.units().map(({ name }) => name),
      ['circles.c'],
    );
    assert.ok(exercise(file, [file.elf.entry]) > 0);
    assert.deepEqual(
      file.diagnostics().map(({ code, message }) => `${code}: ${message}`),
      ['dwarf-supplementary: In the supplementary file: It refers to a further shared file, which is not read.'],
    );
  });
});
