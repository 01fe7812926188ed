/** Which value an option gets and why: the layers that kraft lays over each other for one target, from the weakest on. */
import { parseDotConfig, unquote } from '../kconfig/dotconfig/read';
import { type KSymbol, type Model } from '../kconfig/model';
import { guessedSymbol, type KraftContext } from './context';
import { type Span } from './document';
import { configFileName, type KconfigEntry, type Kraftfile, type Target } from './model';
import { architectures, platforms, valueFact } from './schema';

export type LayerKind = 'core' | 'library' | 'architecture' | 'platform' | 'target' | 'config';

/** One value that a layer gives. */
export interface LayerValue {
  readonly value: string;
  /** Where it is written; undefined where kraft made it up. */
  readonly place?: Span;
  /** Line of a .config, 1-based. */
  readonly line?: number;
}

/** All values from one place. */
export interface Layer {
  readonly kind: LayerKind;
  /** For people, such as “library lwip”. */
  readonly title: string;
  /** By option, without `CONFIG_`. */
  readonly values: ReadonlyMap<string, LayerValue>;
}

/** What each layer says of one option, the strongest last. */
export interface Explanation {
  readonly symbol: string;
  /** The value that make is given; undefined where no layer says one. */
  readonly value: string | undefined;
  readonly steps: readonly { readonly layer: Layer; readonly value: LayerValue; readonly counts: boolean }[];
}

/** An existing .config of the target. */
export interface ExistingConfig {
  readonly name: string;
  readonly text: string;
}

/** The layers for a target, weakest first; `existing` is the text of its `.config.…` where there is one. */
export function layersOf(kraftfile: Kraftfile, target: Target | undefined, existing?: ExistingConfig, context: KraftContext = {}): Layer[] {
  const layers: Layer[] = [];
  const { unikraft, libraries } = kraftfile;
  if (unikraft) layers.push({ kind: 'core', title: 'unikraft', values: valuesOf(unikraft.kconfig) });
  for (const { name, component } of libraries) {
    const values = new Map(valuesOf(component.kconfig));
    const symbol = guessedSymbol(name.value);
    // kraft sets its guess over what the file says.
    if (!context.model || context.model.byName.get(symbol)?.isDefined) values.set(symbol, { value: 'y' });
    layers.push({ kind: 'library', title: `library ${name.value}`, values });
  }
  if (target) {
    const { architecture, platform } = target;
    const guessed = (symbols: readonly string[] | undefined): Map<string, LayerValue> =>
      new Map((symbols ?? []).map((symbol) => [symbol, { value: 'y' }]));
    if (architecture) {
      layers.push({
        kind: 'architecture',
        title: `architecture ${architecture.value}`,
        values: guessed(valueFact(architectures, architecture.value)?.sets),
      });
    }
    if (platform)
      layers.push({ kind: 'platform', title: `platform ${platform.value}`, values: guessed(valueFact(platforms, platform.value)?.sets) });
    const title = `target ${target.name?.value ?? [platform?.value, architecture?.value].filter(Boolean).join('/')}`;
    layers.push({ kind: 'target', title, values: valuesOf(target.kconfig) });
  }
  if (existing) layers.push({ kind: 'config', title: existing.name, values: configLayer(existing.text) });
  return layers;
}

/** The name of the file whose values go over all of the Kraftfile's. */
export function existingConfigName(kraftfile: Kraftfile, target: Target): string | undefined {
  return configFileName(kraftfile, target);
}

function valuesOf(entries: readonly KconfigEntry[]): Map<string, LayerValue> {
  const values = new Map<string, LayerValue>();
  for (const { symbol, name, value } of entries)
    if (value) values.set(symbol, { value: value.value, place: { start: name.start, end: value.end } });
  return values;
}

function configLayer(text: string): Map<string, LayerValue> {
  const values = new Map<string, LayerValue>();
  for (const { name, value, line } of parseDotConfig(text, 'CONFIG_').assignments) values.set(name, { value: plainValue(value), line });
  return values;
}

/** A .config's value without quotes; `n` for one that is not set. */
export function plainValue(value: string | undefined): string {
  if (value === undefined) return 'n';
  return value.startsWith('"') ? (unquote(value) ?? value) : value;
}

/** What comes of all layers. */
export function effective(layers: readonly Layer[]): Map<string, LayerValue & { readonly layer: Layer }> {
  const result = new Map<string, LayerValue & { layer: Layer }>();
  for (const layer of layers) for (const [symbol, value] of layer.values) result.set(symbol, { ...value, layer });
  return result;
}

/** Why an option has its value. */
export function explain(layers: readonly Layer[], symbol: string): Explanation {
  const said = layers.flatMap((layer) => {
    const value = layer.values.get(symbol);
    return value ? [{ layer, value }] : [];
  });
  return { symbol, value: said.at(-1)?.value.value, steps: said.map((step, at) => ({ ...step, counts: at === said.length - 1 })) };
}

/** The text that kraft gives to `make defconfig`: one line an option, texts in quotes where the tree says that they are texts. */
export function defconfigText(layers: readonly Layer[], model?: Model): string {
  return [...effective(layers)].map(([symbol, { value }]) => `${configLine(symbol, value, model?.byName.get(symbol))}\n`).join('');
}

/** One line of a .config. */
export function configLine(symbol: string, value: string, known: KSymbol | undefined): string {
  const type = known?.isDefined ? known.type : /^(y|n|m|-?\d+|0[xX][0-9a-fA-F]+)$/.test(value) ? 'bool' : 'string';
  if (type === 'string') return `CONFIG_${symbol}="${plainValue(value).replace(/[\\"]/g, '\\$&')}"`;
  return value === 'n' && (type === 'bool' || type === 'tristate') ? `# CONFIG_${symbol} is not set` : `CONFIG_${symbol}=${value}`;
}
