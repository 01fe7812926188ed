/** Merges configuration fragments in order, keeping where every value comes from and which lines lost. */
import { type Diagnostic } from './diagnostics';
import { configPrefix } from './conf';
import { ConfigReader, parseDotConfig, type Origin } from './dotconfig/read';
import { Evaluation } from './evaluate';
import { type KSymbol, type Model } from './model';

/** One fragment. */
export interface Fragment {
  readonly name: string;
  readonly text: string;
}

/** A line whose value is not the one in the result. */
export interface LostLine {
  readonly symbol: KSymbol | undefined;
  readonly name: string;
  readonly wanted: string;
  readonly actual: string | undefined;
  readonly file: string;
  readonly line: number;
  /** A later line says something else, the configuration forbids it, or nothing has that name. */
  readonly because: 'overridden' | 'not-possible' | 'unknown';
}

/** The merged configuration. */
export interface Merged {
  readonly values: Evaluation;
  readonly origins: ReadonlyMap<KSymbol, Origin>;
  readonly lost: readonly LostLine[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Merges fragments; later ones win. */
export function mergeFragments(
  model: Model,
  fragments: readonly Fragment[],
  environment: Readonly<Record<string, string | undefined>>,
): Merged {
  const prefix = configPrefix(environment);
  const values = new Evaluation(model);
  const lines = new Map<string, { readonly value: string; readonly file: string; readonly line: number }[]>();
  for (const { name, text } of fragments) {
    for (const { name: symbol, value = 'n', line } of parseDotConfig(text, prefix, model.dialect).assignments) {
      const list = lines.get(symbol) ?? [];
      list.push({ value, file: name, line });
      lines.set(symbol, list);
    }
  }
  // One reader over the winning lines, so that what a later fragment replaces is no duplicate.
  const origins = new Map<KSymbol, Origin>();
  const diagnostics: Diagnostic[] = [];
  new ConfigReader(values, '').begin();
  for (const { name, text } of fragments) {
    const reader = new ConfigReader(values, name);
    reader.read(text, prefix);
    for (const [symbol, origin] of reader.origins) origins.set(symbol, origin);
    diagnostics.push(...reader.diagnostics.filter((diagnostic) => diagnostic.code !== 'config-reassigned'));
  }
  values.invalidateAll();
  values.computeAll();
  return { values, origins, lost: [...lostLines(values, lines)], diagnostics };
}

function* lostLines(
  values: Evaluation,
  lines: ReadonlyMap<string, readonly { readonly value: string; readonly file: string; readonly line: number }[]>,
): Generator<LostLine> {
  for (const [name, list] of lines) {
    const symbol = values.model.byName.get(name);
    const known = symbol?.isDefined ? symbol : undefined;
    const actual = known && (known.type === 'string' ? JSON.stringify(values.text(known)) : values.text(known));
    const winner = list.at(-1)!;
    for (const line of list) {
      const common = { symbol: known, name, wanted: line.value, actual, file: line.file, line: line.line };
      if (!known) yield { ...common, because: 'unknown' };
      else if (line !== winner && line.value !== winner.value) yield { ...common, because: 'overridden' };
      else if (line === winner && line.value !== actual && !sameNumber(line.value, actual!)) yield { ...common, because: 'not-possible' };
    }
  }
}

function sameNumber(a: string, b: string): boolean {
  return a.toLowerCase().replace(/^0x/, '') === b.toLowerCase().replace(/^0x/, '');
}
