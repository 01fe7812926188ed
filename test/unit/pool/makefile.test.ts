/** The reader of Makefile.uk files. */
import assert from 'node:assert/strict';
import { readMakefiles, type MakeInput, type MakeResult } from '../../../src/pool/makefile';
import { MemoryFiles } from '../kconfig/memory-files';

function read(
  text: string,
  variables: Readonly<Record<string, string>> = {},
  others: Readonly<Record<string, string>> = {},
  more: Partial<MakeInput> = {},
): MakeResult {
  return readMakefiles({
    files: new MemoryFiles({ '/m': text, ...others }),
    makefiles: ['/m'],
    variables: new Map(Object.entries(variables)),
    buildDir: '/b',
    ...more,
  });
}

describe('makefile reader', () => {
  it('expands recursive variables late and simple ones at once', () => {
    const m = read('A = $(B)\nC := $(B)\nB = late\nA += more\nC += $(B)\nD ?= x\nD ?= y');
    assert.equal(m.value('A'), 'late more');
    assert.equal(m.value('C'), 'late');
    assert.equal(m.value('D'), 'x');
  });

  it('joins continued lines and strips comments outside of references', () => {
    const m = read('A = one \\\n    two # three\nB = $(subst #,-,a#b)\nC = \\# kept');
    assert.deepEqual(m.words('A'), ['one', 'two']);
    assert.equal(m.value('B'), 'a-b');
  });

  it('takes the right branches', () => {
    const text = [
      'ifeq ($(X),y)',
      'A = yes',
      'else ifneq (,$(Y))',
      'A = second',
      'else',
      'A = no',
      'endif',
      'ifdef Y',
      'B = set',
      'endif',
      'ifeq "$(X)" "y"',
      'C = quoted',
      'endif',
    ].join('\n');
    assert.equal(read(text, { X: 'y' }).value('A'), 'yes');
    assert.equal(read(text, { Y: '1' }).value('A'), 'second');
    assert.equal(read(text).value('A'), 'no');
    assert.equal(read(text, { Y: '1' }).value('B'), 'set');
    assert.equal(read(text).value('B'), '');
    assert.equal(read(text, { X: 'y' }).value('C'), 'quoted');
  });

  it('nests conditionals in branches that are not taken', () => {
    const m = read('ifeq (a,b)\nifeq (c,c)\nA = 1\nelse\nA = 2\nendif\nelse\nA = 3\nendif');
    assert.equal(m.value('A'), '3');
    assert.deepEqual(m.problems, []);
  });

  it('knows the functions of make', () => {
    const cases: Readonly<Record<string, string>> = {
      '$(filter %.c d,a.c b.o d)': 'a.c d',
      '$(filter-out %.c,a.c b.o)': 'b.o',
      '$(patsubst %.c,%.o,a.c b.h)': 'a.o b.h',
      '$(A:.c=.o)': 'x.o y.o',
      '$(A:x%=z%)': 'z.c y.c',
      '$(addprefix -I,a b)': '-Ia -Ib',
      '$(foreach v,a b,<$(v)>)': '<a> <b>',
      '$(if $(EMPTY),yes,no)': 'no',
      '$(or $(EMPTY),second)': 'second',
      '$(and a,b)': 'b',
      '$(notdir /a/b.c)$(dir /a/b.c)': 'b.c/a/',
      '$(basename a.b/c.d)': 'a.b/c',
      '$(sort b a b)': 'a b',
      '$(words a b c)$(word 2,a b c)$(lastword a b c)': '3bc',
      '$(call twice,k)': 'k-k',
      '$(call uc,lib-x)': 'LIB_X',
      '$(subst a,b,aXa)': 'bXb',
      '${A}': 'x.c y.c',
      $$x: '$x',
    };
    for (const [text, expected] of Object.entries(cases)) {
      assert.equal(read(`A = x.c y.c\ntwice = $(1)-$(1)\nR = ${text}`).value('R'), expected, text);
    }
  });

  it('registers libraries, and enables those whose switch is y', () => {
    const text = '$(eval $(call import_lib,/lib/a))\n$(eval $(call import_lib,/lib/b))\n$(eval $(call import_lib,/plat/p))';
    const m = read(
      text,
      { CONFIG_LIBA: 'y' },
      {
        '/lib/a/Makefile.uk':
          '$(eval $(call addlib_s,liba,$(CONFIG_LIBA)))\nLIBA_SRCS-y += $(LIBA_BASE)/a.c\nLIBA_SRCS-$(CONFIG_NO) += $(LIBA_BASE)/no.c\nUK_PROVIDED_SYSCALLS-$(CONFIG_LIBA) += write-3',
        '/lib/a/exportsyms.uk': 'a',
        '/lib/b/Makefile.uk': '$(eval $(call addlib_s,libb,$(CONFIG_LIBB)))',
        '/plat/p/Makefile.uk':
          '$(eval $(call addplat_s,p,y))\n$(eval $(call addplatlib,p,libpplat))\nLIBPPLAT_SRCS-y += $(LIBPPLAT_BUILD)/gen.c',
      },
    );
    assert.deepEqual(m.problems, []);
    assert.deepEqual(
      m.libraries.map((l) => [l.name, l.kind, l.enabled, l.base, l.path, l.line]),
      [
        ['liba', 'library', true, '/lib/a', '/lib/a/Makefile.uk', 1],
        ['libb', 'library', false, '/lib/b', '/lib/b/Makefile.uk', 1],
        ['p', 'platform', true, '/plat/p', '/plat/p/Makefile.uk', 1],
        ['libpplat', 'platform-library', true, '/plat/p', '/plat/p/Makefile.uk', 2],
      ],
    );
    assert.deepEqual(m.words('UK_LIBS'), ['liba']);
    assert.deepEqual(m.words('LIBA_SRCS-y'), ['/lib/a/a.c']);
    assert.deepEqual(m.words('LIBA_EXPORTS'), ['/lib/a/exportsyms.uk']);
    assert.deepEqual(m.words('LIBPPLAT_SRCS-y'), ['/b/libpplat/gen.c']);
    assert.deepEqual(m.words('UK_PROVIDED_SYSCALLS-y'), ['write-3']);
    assert.ok(m.assignments.some((a) => a.rawName === 'LIBA_SRCS-$(CONFIG_NO)' && a.path === '/lib/a/Makefile.uk' && a.line === 3));
  });

  it('reads what a define that is evaluated says', () => {
    const m = read(
      'define make_one =\n$(1)_X := made\nifeq ($(2),y)\n$(1)_Y = also\nendif\nendef\n$(eval $(call make_one,A,y))\n$(eval $(call make_one,B,n))',
    );
    assert.equal(m.value('A_X'), 'made');
    assert.equal(m.value('A_Y'), 'also');
    assert.equal(m.value('B_Y'), '');
  });

  it('passes over rules and recipes', () => {
    const m = read('all: a b\n\techo $(A) > $@\n\tifdown\nA = 1\n$(B)/x.o: y.c | dir\n\tcc\n.PHONY: all\nexport P = q\n');
    assert.deepEqual(m.problems, []);
    assert.equal(m.value('A'), '1');
    assert.equal(m.value('P'), 'q');
  });

  it('never runs a command', () => {
    assert.equal(read('A := $(shell touch /tmp/never)x').value('A'), 'x');
  });

  it('reports faults with their lines and goes on', () => {
    const m = read('ifeq (a\nendif\nA = $(open\nendif\ninclude /none\nB = ok\nifdef X');
    assert.equal(m.value('B'), 'ok');
    assert.deepEqual(
      m.problems.map((p) => p.line),
      [1, 4, 5, 7],
    );
    assert.match(m.problems[2]!.message, /no file \/none/);
    // In a branch that is not taken, too.
    assert.match(read('ifdef NONE\ndefine foo\nendif').problems[0]!.message, /define of foo has no endef/);
  });

  it('survives recursion, self-inclusion and garbage', () => {
    for (const text of [
      'A = $(A)\nB := $(A)',
      'include /m',
      'f = $(call f,$(1))\nX := $(call f,1)',
      'define x\n',
      '$(((((',
      '$(eval $(value X))',
      `A = x\n${'A := $(A)$(A)\n'.repeat(60)}`,
    ]) {
      read(text);
    }
    const m = read('A = $(A)\nB := $(A)');
    assert.ok(m.problems.length > 0);
  });
});
