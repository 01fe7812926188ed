/** Hostile input for the Kconfig engine: noise, words without sense, and good trees with wounds. */
import assert from 'node:assert/strict';
import { buildModel } from '../../../src/kconfig/build';
import { runConf } from '../../../src/kconfig/conf';
import { dialectOf, type DialectName } from '../../../src/kconfig/dialect';
import { lint } from '../../../src/kconfig/lint';
import { valuesOf } from './helpers';
import { MemoryFiles } from './memory-files';
import { randomTree, type Random } from './random-tree';

const words = [
  'config',
  'menuconfig',
  'choice',
  'endchoice',
  'menu',
  'endmenu',
  'if',
  'endif',
  'comment',
  'source',
  'bool',
  'tristate',
  'int',
  'hex',
  'string',
  'default',
  'def_bool',
  'depends on',
  'select',
  'imply',
  'range',
  'visible if',
  'help',
  '---help---',
  'option modules',
  'modules',
  'optional',
  'prompt',
  'mainmenu',
  'A',
  'B',
  'C',
  'y',
  'n',
  'm',
  '"x"',
  '"y',
  "'q'",
  '$(X)',
  '$(shell,echo)',
  '$(',
  ')',
  '(',
  '!',
  '&&',
  '||',
  '=',
  '!=',
  '<',
  '>=',
  ':=',
  '+=',
  '\\\n',
  '#',
  '\t',
  '\n',
  '\n\t',
  '\n\n',
  '\r',
  '\0',
  'é',
  '0x10',
  '-5',
  '$(Y,$(1))',
  'Kconfig',
  '*',
  'inc',
];

function mutated(random: Random, text: string): string {
  let out = text;
  for (let count = 1 + random(6); count > 0; count--) {
    const at = random(out.length + 1);
    const kind = random(4);
    const word = words[random(words.length)]!;
    if (kind === 0) out = out.slice(0, at) + out.slice(at + random(20));
    else if (kind === 1) out = `${out.slice(0, at)}${word}${out.slice(at)}`;
    else if (kind === 2) out = `${out.slice(0, at)} ${word} ${out.slice(at + random(8))}`;
    else {
      const from = random(out.length + 1);
      out = out.slice(0, at) + out.slice(from, from + random(60)) + out.slice(at);
    }
  }
  return out;
}

function soup(random: Random): string {
  return Array.from({ length: random(80) }, () => words[random(words.length)]! + (random(3) ? ' ' : '\n')).join('');
}

function noise(random: Random): string {
  return String.fromCharCode(...Array.from({ length: random(200) }, () => (random(4) ? random(128) : random(65536))));
}

/** Milliseconds of CPU that one input may take. */
const patience = 5000;

/** Reads, checks and evaluates one random input in every way; throws where that throws or takes too long. `real` are texts to wound. */
export function tryHostileInput(random: Random, dialect: DialectName, real: readonly string[]): void {
  const text = hostileText(random, real);
  const files = new MemoryFiles({ '/w/Kconfig': text, '/w/inc': soup(random) });
  const config = random(2) ? soup(random) : 'CONFIG_A=y\nCONFIG_S1=m\n# CONFIG_S2 is not set\nCONFIG_S3=9\n';
  const started = process.cpuUsage();
  try {
    const model = buildModel({ files, cwd: '/w', root: 'Kconfig', dialect: dialectOf(dialect), environment: { X: 'y' } });
    lint(model);
    for (const mode of ['olddefconfig', 'allyesconfig', 'savedefconfig'] as const) {
      runConf(model, { mode, environment: {}, read: (name) => (name === '.config' ? config : undefined) });
    }
    const values = valuesOf(model);
    for (const symbol of model.symbols) if (!symbol.isConstant) values.set(symbol, ['y', 'n', '5', 'text'][random(4)]!);
  } catch (error) {
    throw new Error(`${dialect}: ${JSON.stringify(text)} with ${JSON.stringify(config)}`, { cause: error });
  }
  const { user } = process.cpuUsage(started);
  assert.ok(user / 1000 < patience, `${user / 1000} ms for ${JSON.stringify(text)}`);
}

/** Noise, words without sense, a tree with wounds, or one of `real` with wounds. */
export function hostileText(random: Random, real: readonly string[]): string {
  switch (random(real.length > 0 ? 4 : 3)) {
    case 0:
      return noise(random);
    case 1:
      return soup(random);
    case 2:
      return mutated(random, randomTree(random, { symbols: 6, tristates: true, numbers: true, choices: true }));
    default:
      return mutated(random, real[random(real.length)]!);
  }
}
