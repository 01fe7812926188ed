/**
 * Random menu edits against the C library of a real tree: at every step the same answer, values, visibilities and lines to be written.
 *
 * UK_ROOT names the Unikraft tree and UK_CONF its `conf`, built with its objects beside it; UK_LIBS (colon list) and UK_APP more of the project,
 * MENU_EDITS the number of edits.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Evaluation } from '../../../../src/kconfig/evaluate';
import { type KSymbol } from '../../../../src/kconfig/model';
import { unikraftService } from '../../../../src/kconfig/service';
import { unikraftEnvironment, type UnikraftTree } from '../../../../src/kconfig/submenu';
import { NodeFiles } from '../../../../src/shared/files.node';
import { randomOf, runSeed, type Random } from '../random-tree';

const { UK_ROOT: root, UK_CONF: conf, UK_LIBS = '', UK_APP, MENU_EDITS = '1000' } = process.env;

describe('menu edits, against the C library', function () {
  this.timeout(600_000);
  const objects = conf === undefined ? [] : objectsBeside(conf);
  if (root === undefined || objects.length === 0) {
    console.warn('    skipped: UK_ROOT (a Unikraft tree) and UK_CONF (its conf program, with its objects) are not both set');
    return;
  }
  const scratch = mkdtempSync(path.join(tmpdir(), 'kconfig-menu-'));
  after(() => rmSync(scratch, { recursive: true }));

  it(`are ${MENU_EDITS} times the same`, () => {
    const app = UK_APP ?? path.join(scratch, 'app');
    const build = path.join(scratch, 'build');
    for (const folder of [app, path.join(build, 'kconfig')]) mkdirSync(folder, { recursive: true });
    const libs = UK_LIBS.split(':').filter(Boolean);
    const tree: UnikraftTree = { base: root, app, build, config: path.join(scratch, '.config'), libs };
    const driver = path.join(scratch, 'driver');
    execFileSync('gcc', ['-O1', `-I${root}/support/kconfig`, '-o', driver, path.join(__dirname, 'driver.c'), ...objects]);

    const service = unikraftService({ files: new NodeFiles(), cwd: scratch }, tree);
    const { values } = service.openConfiguration();
    const random = randomOf(runSeed());
    const symbols = [...service.tree.model.byName.values()].filter(({ isDefined, type }) => isDefined && type !== 'unknown');
    const edits: string[] = [];
    const ours = [stateOf(values)];
    let taken = 0;
    for (let count = Number(MENU_EDITS); count > 0; count--) {
      const { symbol, value } = randomEdit(random, values, symbols);
      const accepted = values.set(symbol, value) !== undefined;
      if (accepted) taken++;
      edits.push(`${symbol.label} ${value}`);
      ours.push(`${accepted ? '+' : '-'}\n${stateOf(values)}`);
    }
    console.log(`    ${edits.length} edits, of which ${taken} were taken`);
    const theirs = spawnSync(driver, [`${root}/Config.uk`], {
      cwd: scratch,
      env: { ...process.env, ...unikraftEnvironment(tree) },
      input: `${edits.join('\n')}\n`,
      encoding: 'utf8',
      maxBuffer: 1 << 30,
    });
    assert.equal(theirs.status, 0, theirs.stderr);
    const steps = theirs.stdout.split('\n\n').slice(0, -1);
    assert.equal(steps.length, ours.length);
    for (const [at, step] of steps.entries()) {
      const edit = at === 0 ? 'at the start' : `after ${edits.slice(Math.max(0, at - 5), at).join(', ')}`;
      assert.deepEqual(linesOf(ours[at]!), linesOf(step), edit);
    }
  });
});

/** What conf is linked from, but for its own main program. */
function objectsBeside(program: string): string[] {
  const folder = path.dirname(program);
  const names = readdirSync(folder).filter((name) => name.endsWith('.o') && name !== 'conf.o' && name !== 'fixdep.o');
  return names.includes('symbol.o') ? names.map((name) => path.join(folder, name)) : [];
}

/** As the driver prints it. */
function stateOf(values: Evaluation): string {
  values.computeAll();
  const lines: string[] = [];
  for (const symbol of values.model.hashOrder) {
    if (symbol.name === undefined || symbol.isConstant || symbol.isChoice || symbol.type === 'unknown') continue;
    lines.push(`${symbol.name} ${values.visibility(symbol)} ${Number(values.isWritten(symbol))} ${values.text(symbol)}`);
  }
  return lines.join('\n');
}

const linesOf = (state: string): string[] => state.split('\n').sort();

/** Mostly of something that can be changed, at times of anything; values fit the type, at times only in form. */
function randomEdit(random: Random, values: Evaluation, symbols: readonly KSymbol[]): { readonly symbol: KSymbol; readonly value: string } {
  const pool = random(5) === 0 ? symbols : symbols.filter((symbol) => values.isChangeable(symbol));
  const symbol = pool[random(pool.length)]!;
  switch (symbol.type) {
    case 'bool':
      return { symbol, value: values.tri(symbol) === 0 || random(8) === 0 ? 'y' : random(8) === 0 ? 'm' : 'n' };
    case 'tristate':
      return { symbol, value: 'nmy'[random(3)]! };
    case 'int':
      return { symbol, value: random(6) === 0 ? 'text' : String(random(3) === 0 ? random(100_000) : random(64) - 8) };
    case 'hex':
      return { symbol, value: `${random(2) ? '0x' : ''}${random(1 << 24).toString(16)}` };
    default:
      return { symbol, value: ['', 'text', 'a "quoted" one', 'back\\slash'][random(4)]! };
  }
}
