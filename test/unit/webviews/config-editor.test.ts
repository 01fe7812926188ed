/** The configuration editor's model on a small tree and on a large one: rows, search, changes, plans, and the way back to the same bytes. */
import assert from 'node:assert/strict';
import { ConfigEditorModel } from '../../../src/features/config-editor-model';
import { parseQuery } from '../../../src/features/config-editor-query';
import { KconfigService } from '../../../src/kconfig/service';
import { type Row } from '../../../src/shared/config-editor';
import { inputProblem } from '../../../src/webviews/config-editor/validate';
import { MemoryFiles } from '../kconfig/memory-files';

const kconfig = `mainmenu "Test"

config BASE
	bool "Base"
	help
	  The wonderful foundation.

config HELPER
	bool "Helper"
	select HIDDEN

config HIDDEN
	bool

config ON_BASE
	bool "On base"
	depends on BASE
	default y

config SIZE
	int "Size"
	range 4 64
	default 8

menu "Flavours"

choice
	prompt "Flavour"

config SWEET
	bool "Sweet"

config SOUR
	bool "Sour"

endchoice

config NEEDS_SOUR
	bool "Needs sour"
	depends on SOUR && BASE

endmenu
`;

function open(text = '', tree = kconfig): ConfigEditorModel {
  const files = new MemoryFiles({ '/t/Kconfig': tree });
  const service = new KconfigService({ files, cwd: '/t', root: '/t/Kconfig', environment: { CONFIG_: 'CONFIG_' } });
  const start = text === '' ? service.openConfiguration('').dotConfig() : text;
  return new ConfigEditorModel(service, start, start, '/t');
}

function rows(model: ConfigEditorModel): Row[] {
  return model.rows(0, 500);
}

function row(model: ConfigEditorModel, name: string): Row {
  const found = rows(model).find((each) => each.name === name);
  assert.ok(found, `${name} is a row`);
  return found;
}

function set(model: ConfigEditorModel, name: string, value: string): ReturnType<ConfigEditorModel['set']> {
  assert.ok(model.reveal(name));
  return model.set(model.selected!, value);
}

describe('rows of the configuration editor', () => {
  it('show what a menu shows, folded at first', () => {
    const model = open();
    assert.deepEqual(
      rows(model).map(({ title, level, open: unfolded }) => [title, level, unfolded]),
      [
        ['Base', 1, undefined],
        ['Helper', 1, undefined],
        ['Size', 1, undefined],
        ['Flavours', 1, false],
      ],
    );
  });

  it('unfold, count their siblings, and name a choice by its member', () => {
    const model = open();
    model.foldAll(true);
    const flavour = rows(model).find(({ kind }) => kind === 'choice');
    assert.equal(flavour?.value, 'Sweet');
    const sour = row(model, 'SOUR');
    assert.deepEqual([sour.kind, sour.level, sour.position, sour.siblings], ['member', 3, 2, 2]);
  });

  it('show the invisible with what they need', () => {
    const model = open();
    model.setShowAll(true);
    assert.equal(row(model, 'ON_BASE').reason, 'needs BASE');
    assert.ok(row(model, 'ON_BASE').marks.includes('invisible'));
    assert.match(row(model, 'HIDDEN').reason ?? '', /no prompt/);
  });

  it('tell what selects them, and take no other value then', () => {
    const model = open();
    set(model, 'HELPER', 'y');
    model.setShowAll(true);
    const hidden = row(model, 'HIDDEN');
    assert.equal(hidden.reason, 'selected by HELPER');
    assert.ok(hidden.marks.includes('selected'));
    assert.deepEqual(hidden.accepts, []);
  });

  it('give ranges, and refuse what is outside with words', () => {
    const model = open();
    assert.deepEqual([row(model, 'SIZE').low, row(model, 'SIZE').high], ['4', '64']);
    const outcome = set(model, 'SIZE', '65');
    assert.equal(outcome.accepted, false);
    assert.match(outcome.text, /from 4 to 64/);
    assert.equal(set(model, 'SIZE', '64').accepted, true);
  });
});

describe('changes in the configuration editor', () => {
  it('are told before they are made, and are the same then', () => {
    const model = open();
    model.reveal('BASE');
    const effect = model.effect(model.selected!, 'y');
    assert.deepEqual(
      effect?.changes.map(({ name, after }) => [name, after]),
      [['ON_BASE', 'y']],
    );
    const outcome = model.set(model.selected!, 'y');
    assert.deepEqual(outcome.changes, effect.changes);
  });

  it('mark rows as changed until the file is saved', () => {
    const model = open();
    set(model, 'BASE', 'y');
    assert.ok(row(model, 'BASE').marks.includes('changed'));
    assert.equal(model.state().changed, 2);
    model.saved(model.write());
    assert.equal(model.state().changed, 0);
  });

  it('lead back to the same bytes by any way', () => {
    const model = open();
    const before = model.write();
    const texts = [before];
    let seed = Number(process.env['SEED'] ?? 20);
    const next = (below: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
    const names = ['BASE', 'HELPER', 'ON_BASE', 'SIZE', 'SWEET', 'SOUR', 'NEEDS_SOUR'];
    for (let step = 0; step < 200; step++) {
      const name = names[next(names.length)]!;
      set(model, name, name === 'SIZE' ? String(next(80)) : next(2) === 0 ? 'n' : 'y');
      texts.push(model.write());
      model.search('');
    }
    for (const text of texts.reverse()) {
      model.load(text);
      assert.equal(model.write(), text);
    }
    assert.equal(model.write(), before);
  });

  it('name the options that the file does not have', () => {
    const model = open('CONFIG_SIZE=8\n');
    assert.ok(row(model, 'BASE').marks.includes('new'));
    assert.ok(!row(model, 'SIZE').marks.includes('new'));
    assert.match(
      model
        .state()
        .banners.map(({ text }) => text)
        .join(),
      /not in the file/,
    );
    model.write();
    assert.ok(!row(model, 'BASE').marks.includes('new'));
  });

  it('warn of lines that they would leave out', () => {
    const strange = (text: string): string[] =>
      open(text)
        .state()
        .banners.map(({ text: said }) => said)
        .filter((said) => said.includes('does not have'));
    assert.deepEqual(strange('CONFIG_SIZE=8\nCONFIG_UK_NAME="x"\n'), []);
    assert.deepEqual(strange('CONFIG_SIZE=8\nCONFIG_GONE=y\n# CONFIG_LOST is not set\n'), [
      'The file sets what this tree does not have: CONFIG_GONE and 1 more. The first change leaves them out, as make does.',
    ]);
  });

  it('follow a file that is compared with', () => {
    const model = open();
    model.compare('other', 'CONFIG_SIZE=16\n');
    assert.equal(row(model, 'SIZE').other, '16');
    assert.deepEqual(model.state().comparison, { name: 'other', different: 1 });
    set(model, 'SIZE', '16');
    assert.equal(row(model, 'SIZE').other, undefined);
  });
});

describe('plans in the configuration editor', () => {
  it('lead to what could not be set, in one go', () => {
    const model = open();
    model.reveal('NEEDS_SOUR');
    const details = model.details();
    assert.deepEqual(details?.unreachable, ['y']);
    const [plan] = model.plans('NEEDS_SOUR', 'y')?.plans ?? [];
    assert.deepEqual(plan?.steps.map(({ name, after }) => `${name}=${after}`).sort(), ['BASE=y', 'NEEDS_SOUR=y', 'SOUR=y']);
    assert.ok(model.applyPlan('NEEDS_SOUR', 'y', 0).accepted);
    assert.equal(row(model, 'NEEDS_SOUR').value, 'y');
  });

  it('give the clauses with their truth', () => {
    const model = open();
    model.reveal('NEEDS_SOUR');
    const rule = model.details()?.rules.find(({ kind }) => kind === 'depends');
    assert.deepEqual(
      rule?.condition?.operands.map(({ text, value }) => [text, value]),
      [
        ['SOUR', 'n'],
        ['BASE', 'n'],
      ],
    );
  });
});

describe('the search of the configuration editor', () => {
  const found = (query: string): string[] => {
    const model = open();
    set(model, 'HELPER', 'y');
    model.search(query);
    return rows(model)
      .filter(({ marks }) => !marks.includes('context'))
      .map(({ name, title }) => name ?? title);
  };

  for (const [query, expected] of [
    ['sour', ['SOUR', 'NEEDS_SOUR']],
    ['WONDERFUL', ['BASE']],
    ['needs sour', ['NEEDS_SOUR']],
    ['"sour needs"', []],
    ['CONFIG_SIZE', ['SIZE']],
    ['type:int', ['SIZE']],
    ['value:8', ['SIZE']],
    ['/^S/', ['SIZE', 'SWEET', 'SOUR']],
    ['@changed', ['HELPER', 'HIDDEN']],
    ['@selected', ['HIDDEN']],
    ['@invisible type:bool -HIDDEN', ['ON_BASE', 'NEEDS_SOUR']],
    ['depends:BASE', ['ON_BASE', 'NEEDS_SOUR']],
    ['selects:hidden', ['HELPER']],
    ['file:nowhere', []],
  ] as const) {
    it(`finds ${expected.join(', ') || 'nothing'} for ${query}`, () => assert.deepEqual(found(query), expected));
  }

  it('says what is wrong with a query', () => {
    assert.match(parseQuery('/(/').error ?? '', /no regular expression/);
    assert.match(parseQuery('@nothing').error ?? '', /@changed/);
    assert.equal(parseQuery('@chan').error, undefined);
  });

  it('keeps the rows it has found while they are changed', () => {
    const model = open();
    model.search('value:n BASE -ON_BASE');
    const base = row(model, 'BASE');
    model.set(model.node(base.id, model.state().generation)!, 'y');
    assert.equal(row(model, 'BASE').value, 'y');
  });

  it('ends, with the selection in sight', () => {
    const model = open();
    model.search('sour');
    model.search('');
    assert.ok(model.state().selectedIndex >= 0);
  });
});

describe('a row of an older tree', () => {
  it('is not taken for one of the new', () => {
    const model = open();
    const { generation } = model.state();
    const base = row(model, 'BASE');
    model.service.tree.setDocument('/t/Kconfig', kconfig.replace('config BASE', 'config FIRST\n\tbool "First"\n\nconfig BASE'));
    model.treeChanged();
    assert.equal(model.node(base.id, generation), undefined);
    assert.ok(row(model, 'FIRST').marks.includes('new'));
  });
});

describe('16,000 options', () => {
  const many = `mainmenu "Many"\n${Array.from({ length: 160 }, (_, menu) => {
    const options = Array.from(
      { length: 100 },
      (__, at) => `config M${menu}_O${at}\n\tbool "Option ${at} of ${menu}"\n${at > 0 ? `\tdepends on M${menu}_O0\n` : ''}\tdefault y\n`,
    );
    return `menu "Menu ${menu}"\n${options.join('')}endmenu\n`;
  }).join('')}`;

  it('are unfolded, scrolled through, searched and changed', function () {
    this.timeout(60_000);
    const model = open('', many);
    const timed = (run: () => void): number => {
      const started = performance.now();
      run();
      return performance.now() - started;
    };
    model.foldAll(true);
    const flat = timed(() => model.state());
    assert.equal(model.state().total, 16_160);
    let window = 0;
    for (let at = 0; at < 16_000; at += 400)
      window = Math.max(
        window,
        timed(() => model.rows(at, at + 120)),
      );
    const searched = timed(() => {
      model.search('option 77');
      model.state();
    });
    model.search('');
    model.reveal('M5_O0');
    const changed = timed(() => {
      assert.equal(model.set(model.selected!, 'n').changes.length, 99);
      model.state();
    });
    console.log(
      `      state ${flat.toFixed(1)} ms, slowest window ${window.toFixed(1)} ms, search ${searched.toFixed(1)} ms, change of 100 ${changed.toFixed(1)} ms`,
    );
  });
});

describe('what is typed', () => {
  it('is judged as the engine will', () => {
    assert.equal(inputProblem({ type: 'int', low: '4', high: '64' }, '5'), undefined);
    assert.match(inputProblem({ type: 'int', low: '4', high: '64' }, '65') ?? '', /4 to 64/);
    assert.match(inputProblem({ type: 'int' }, '007') ?? '', /leading zeros/);
    assert.equal(inputProblem({ type: 'hex', low: '0x0', high: '0xff' }, 'fe'), undefined);
    assert.match(inputProblem({ type: 'hex' }, '0x') ?? '', /hexadecimal/);
    assert.equal(inputProblem({ type: 'string' }, 'anything "at" all'), undefined);
  });
});
