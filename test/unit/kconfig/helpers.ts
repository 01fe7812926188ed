/** Short ways to a model and a configuration, for tests. */
import { buildModel } from '../../../src/kconfig/build';
import { dialectOf, type DialectName } from '../../../src/kconfig/dialect';
import { Evaluation } from '../../../src/kconfig/evaluate';
import { type KSymbol, type Model } from '../../../src/kconfig/model';
import { MemoryFiles } from './memory-files';

/** The model of a text, with other files beside it. */
export function modelOf(
  text: string,
  files: Readonly<Record<string, string>> = {},
  dialect: DialectName = 'uk-5.2',
  environment: Record<string, string> = {},
): Model {
  const all: Record<string, string> = { '/w/Kconfig': text };
  for (const [name, content] of Object.entries(files)) all[name.startsWith('/') ? name : `/w/${name}`] = content;
  return buildModel({ files: new MemoryFiles(all), cwd: '/w', root: 'Kconfig', dialect: dialectOf(dialect), environment });
}

/** A configuration in which nothing is set. */
export function valuesOf(model: Model): Evaluation {
  const values = new Evaluation(model);
  values.invalidateAll();
  values.computeAll();
  return values;
}

/** The symbol of a name, which must be there. */
export function named(model: Model, name: string): KSymbol {
  const symbol = model.byName.get(name);
  if (!symbol) throw new Error(`no symbol ${name}`);
  return symbol;
}

/** The symbols that a user sees in a menu. */
export function menuSymbols(model: Model): KSymbol[] {
  return model.symbols.filter((symbol) => symbol.isDefined && !symbol.isChoice && !symbol.isConstant);
}

/** Every value and visibility, as one text. */
export function stateText(values: Evaluation): string {
  return menuSymbols(values.model)
    .map(
      (symbol) =>
        `${symbol.label}=${values.text(symbol)} v${values.visibility(symbol)} r${values.reverseDependency(symbol)} w${values.isWritten(symbol)}`,
    )
    .join('\n');
}
