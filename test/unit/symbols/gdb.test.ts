/** Frames, arguments and locals of a running program, at random instructions, against gdb: gdb writes cores and what it sees, the reader sees the cores. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type EvaluationContext,
  type SymbolFile,
  type Type,
  type Variable,
  SymbolFile as Symbols,
  dwarfRegisterNumber,
  parseElf,
  readLocation,
  stripType,
} from '../../../debug-adapter/symbols/api';
import { Workshop, haveTools, seedFromEnvironment } from './support';

const SOURCE = `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct node { int key; short tag; unsigned a : 5; int b : 7; struct node *left, *right; };
enum kind { K_A = 1, K_B = 7, K_N = -2 };
static __thread int depth_max = 9;
static int total;
static inline int clampi(int v, int lo, int hi) { return v < lo ? lo : v > hi ? hi : v; }
__attribute__((noinline)) struct node *insert(struct node *n, int key, int depth) {
  if (depth > depth_max) depth_max = depth;
  if (!n) {
    struct node *fresh = calloc(1, sizeof *fresh);
    fresh->key = key; fresh->a = key; fresh->b = -key; fresh->tag = (short)depth;
    return fresh;
  }
  int scaled = clampi(key * 3, -1000, 1000);
  if (key < n->key) n->left = insert(n->left, key, depth + 1); else n->right = insert(n->right, key, depth + 1);
  total += scaled;
  return n;
}
__attribute__((noinline)) long walk(const struct node *n, long acc, double weight) {
  if (!n) return acc;
  long l = walk(n->left, acc + n->key, weight * 1.5);
  enum kind k = n->key & 1 ? K_B : K_N;
  double w2 = weight + k;
  long r = walk(n->right, l ^ n->tag, w2);
  return r + (long)w2;
}
__attribute__((noinline)) int vla(int n) {
  char buf[n]; int sum = 0;
  memset(buf, n, n);
  for (int i = 0; i < n; i++) sum += buf[i] * i;
  return sum;
}
int main(int argc, char **argv) {
  struct node *root = NULL; unsigned seed = 17; char name[8] = "abc";
  for (int i = 0; i < 40; i++) { seed = seed * 1103515245u + 12345u; root = insert(root, (int)(seed >> 16) % 100, 0); }
  printf("%ld %d %d %s\\n", walk(root, argc, 0.25), vla(argc + 20), total, name);
  return 0;
}
`;

/** For gdb's own Python: stops at random instructions, writes a core at each, and prints all frames with their variables. */
const script = (folder: string, stops: number, seed: number): string => `set pagination off
set width 0
set confirm off
break insert
break walk
break vla
run > /dev/null
python
import random
random.seed(${seed})
SCALAR = (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_ENUM, gdb.TYPE_CODE_BOOL, gdb.TYPE_CODE_CHAR)
def text(s, f):
    try:
        v = s.value(f)
        if v.is_optimized_out: return 'optimized-out'
        t = v.type.strip_typedefs()
        if t.code == gdb.TYPE_CODE_FLT: return 'float %r' % float(v)
        if t.code in SCALAR: return 'integer %d' % int(v)
        return 'at %d' % int(v.address)
    except Exception as e:
        return 'error'
for i in range(${stops}):
    for _ in range(random.randint(1, 40)): gdb.execute('stepi', to_string=True)
    gdb.execute('generate-core-file ${folder}/core.%d' % i, to_string=True)
    print('@@%d' % i)
    f = gdb.newest_frame()
    while f is not None:
        sal = f.find_sal()
        print('FRAME %s %d %d' % (f.name(), f.pc(), sal.line))
        try: b = f.block()
        except RuntimeError: b = None
        seen = set()
        while b is not None:
            for s in b:
                if (s.is_variable or s.is_argument) and s.name not in seen:
                    seen.add(s.name)
                    print('VAR %s %s' % (s.name, text(s, f)))
            if b.function is not None: break
            b = b.superblock
        f = f.older()
    gdb.execute('continue', to_string=True)
end
kill
`;

/** Order of the registers in NT_PRSTATUS (Linux, sys/user.h). */
const PRSTATUS = 'r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base'.split(' ');
const REGISTERS_AT = 112;

interface Frame {
  readonly pc: bigint;
  readonly context: EvaluationContext;
}

/** Unwinds a core by call frame information alone. */
function framesOf(file: SymbolFile, path: string): Frame[] {
  const core = parseElf(readFileSync(path));
  const note = (type: number): DataView => {
    const { description } = core.notes().find((candidate) => candidate.type === type)!;
    return new DataView(description.buffer, description.byteOffset, description.length);
  };
  let registers = new Map<number, bigint>();
  let threadPointer = 0n;
  PRSTATUS.forEach((name, i) => {
    const value = note(1).getBigUint64(REGISTERS_AT + 8 * i, true);
    const number = dwarfRegisterNumber(name);
    if (number !== undefined) registers.set(number, value);
    if (name === 'fs_base') threadPointer = value;
  });
  for (let i = 0; i < 16; i++)
    registers.set(17 + i, note(2).getBigUint64(160 + 16 * i, true) | (note(2).getBigUint64(168 + 16 * i, true) << 64n));
  const readMemory = (address: bigint, length: number): Uint8Array | undefined => {
    const end = address + BigInt(length);
    const segment = core.segments.find((s) => s.type === 1 && address >= s.virtualAddress && end <= s.virtualAddress + BigInt(s.fileSize));
    if (!segment) return file.readImage(address, length);
    const at = Number(address - segment.virtualAddress);
    return core.segmentBytes(segment).subarray(at, at + length);
  };
  const frames: Frame[] = [];
  for (let depth = 0; depth < 100; depth++) {
    const known = registers;
    const pc = known.get(16)!;
    const lookup = depth === 0 ? pc : pc - 1n;
    // Known only after the row was applied, which needs the context.
    const own: { cfa?: bigint } = {};
    const context: EvaluationContext = {
      pc: lookup,
      readMemory,
      register: (number) => known.get(number),
      cfa: () => own.cfa,
      tlsBase: () => file.tlsBlockBase(threadPointer),
      entryValue: (operations) => {
        const caller = frames[depth + 1];
        const passed =
          caller && file.callSiteAt(caller.pc)?.values.find(({ location }) => location && Buffer.compare(location, operations) === 0);
        const location = passed && file.evaluate(passed.value, caller.context);
        return location?.kind === 'memory' ? location.address : undefined;
      },
    };
    frames.push({ pc, context });
    const row = file.unwindRule(lookup);
    const caller = row && file.unwind(row, context);
    if (caller) own.cfa = caller.cfa;
    if (!caller || caller.lost.has(16) || caller.returnAddress === undefined) break;
    registers = new Map(caller.registers);
  }
  return frames;
}

function valueText(file: SymbolFile, variable: Variable | undefined, frame: Frame): string {
  if (!variable) return 'missing';
  const location = file.locate(variable, frame.context);
  if (location.kind === 'optimized-out') return 'optimized-out';
  const type: Type = stripType(variable.type);
  const size = type.byteSize ?? 8;
  if (type.kind === 'struct' || type.kind === 'union' || type.kind === 'array')
    return location.kind === 'memory' ? `at ${location.address}` : location.kind;
  const bytes = readLocation(location, size, frame.context);
  if (!bytes) return location.kind === 'error' ? location.message : 'unreadable';
  if (type.kind === 'base' && type.encoding === 'float') return `float ${new DataView(new Uint8Array(bytes).buffer).getFloat64(0, true)}`;
  const value = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const signed = type.kind === 'base' ? type.encoding.startsWith('signed') : type.kind === 'enum' && type.signed;
  return `integer ${signed ? BigInt.asIntN(size * 8, value) : value}`;
}

describe('symbols: frames and variables as gdb sees them', () => {
  const workshop = new Workshop();
  after(() => workshop.dispose());

  for (const options of [
    ['-O2', '-gdwarf-5'],
    ['-O2', '-gdwarf-4'],
    ['-O1', '-gdwarf-5', '-fomit-frame-pointer'],
    ['-O0', '-gdwarf-5'],
  ]) {
    it(`agrees at random instructions: ${options.join(' ')}`, function () {
      if (!haveTools('comparison of frames and variables', 'gcc', 'gdb')) return this.skip();
      const program = workshop.compile(workshop.write('b.c', SOURCE), 'b', '-static', '-no-pie', '-g', ...options);
      const stops = 6;
      const commands = workshop.write('stops.gdb', script(workshop.folder, stops, seedFromEnvironment()));
      const answers = workshop.run('gdb', '-nx', '-batch', '-x', commands, program).split('@@').slice(1);
      if (answers.length === 0) {
        console.log('SKIPPED: comparison of frames and variables: gdb could not run a program here (is ptrace forbidden?)');
        return this.skip();
      }
      assert.equal(answers.length, stops);
      const file = Symbols.open(readFileSync(program), { name: program });
      let variables = 0;
      for (const answer of answers) {
        const [number, ...lines] = answer.split('\n');
        const symbolic = framesOf(file, join(workshop.folder, `core.${number}`)).flatMap((frame) =>
          file.framesAt(frame.context.pc).map((shown, index) => ({ frame, shown, index })),
        );
        let at = -1;
        for (const text of lines) {
          const [kind, name, ...rest] = text.split(' ');
          // The C library came without debug information: its frames are unwound, but have no more than a symbol.
          if (kind === 'FRAME' && rest[1] !== '0') {
            const { frame, shown } = symbolic[++at]!;
            assert.equal(`${shown.function.name} ${frame.pc} ${shown.position?.line}`, [name, ...rest].join(' '));
          } else if (kind === 'VAR') {
            const { frame, index } = symbolic[at]!;
            const variable = file
              .scopesAt(frame.context.pc, index)
              .flatMap((scope) => scope.variables)
              .find((v) => v.name === name);
            const expected = rest.join(' ').replace(/^float (.*)$/, (_, digits: string) => `float ${Number(digits)}`);
            assert.equal(valueText(file, variable, frame), expected, `${name} in frame ${at} of core ${number}`);
            variables++;
          }
        }
        assert.ok(at >= 1, 'gdb saw main and what it called');
      }
      assert.ok(variables > 30, `only ${variables} variables compared`);
    });
  }
});
