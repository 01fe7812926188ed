/** Where a Kraftfile and a .config say different things, and the least that a Kraftfile must say to give a .config. */
import { runConf } from '../kconfig/conf';
import { parseDotConfig } from '../kconfig/dotconfig/read';
import { type Evaluation } from '../kconfig/evaluate';
import { type Model } from '../kconfig/model';
import { type KraftContext } from './context';
import { defconfigText, effective, type Layer, layersOf, plainValue } from './layers';
import { type Kraftfile, type Target } from './model';

/** One option on which the two differ. */
export interface Drift {
  readonly symbol: string;
  /** What the Kraftfile asks for; undefined where it says nothing. */
  readonly wanted: string | undefined;
  /** What the .config has; undefined where the option is not in it. */
  readonly actual: string | undefined;
  /** The layer that asks. */
  readonly layer: Layer | undefined;
  /**
   * `changed`: both say it, with different values; `dropped`: the Kraftfile asks for what the .config does not have, through
   * a misspelt name or a dependency; `added`: the .config has it by somebody's choice, and the Kraftfile would not give it.
   */
  readonly kind: 'changed' | 'dropped' | 'added';
}

/** The configuration that a set of layers gives, as `make defconfig` would compute it. */
export function configure(model: Model, defconfig: string): { readonly text: string; readonly values: Evaluation } {
  const outcome = runConf(model, {
    mode: 'defconfig',
    defconfig: 'defconfig',
    read: (name) => (name === 'defconfig' ? defconfig : undefined),
    environment: { CONFIG_: 'CONFIG_', KCONFIG_CONFIG: '.config' },
  });
  return { text: outcome.config ?? '', values: outcome.values };
}

/** The differences between what a Kraftfile would give and a .config, in the .config's order, then the dropped ones. */
export function drift(kraftfile: Kraftfile, target: Target | undefined, config: string, context: KraftContext = {}): Drift[] {
  const layers = layersOf(kraftfile, target, undefined, context);
  const wanted = effective(layers);
  const actual = new Map<string, string>();
  for (const { name, value } of parseDotConfig(config, 'CONFIG_').assignments) actual.set(name, plainValue(value));
  const found: Drift[] = [];
  const { model } = context;
  const given = model && configure(model, defconfigText(layers, model)).values;
  for (const [symbol, value] of actual) {
    const asked = wanted.get(symbol);
    if (asked) {
      if (!sameValue(plainValue(asked.value), value))
        found.push({ symbol, wanted: plainValue(asked.value), actual: value, layer: asked.layer, kind: 'changed' });
      continue;
    }
    const known = model?.byName.get(symbol);
    // Only what a user can set is anybody's choice; all else follows.
    if (!given || !known?.isDefined || known.prompts.length === 0) continue;
    const would = given.text(known);
    if (!sameValue(would, value)) found.push({ symbol, wanted: would, actual: value, layer: undefined, kind: 'added' });
  }
  for (const [symbol, { value, layer }] of wanted) {
    if (!actual.has(symbol) && value !== 'n') found.push({ symbol, wanted: plainValue(value), actual: undefined, layer, kind: 'dropped' });
  }
  return found;
}

function sameValue(a: string, b: string): boolean {
  return a === b || (/^0x/i.test(a) && /^0x/i.test(b) && a.toLowerCase() === b.toLowerCase());
}

/** The options that must be set to get a .config, and no more: those of its savedefconfig that choosing the target does not set. */
export function minimalKconfig(model: Model, config: string, target?: Target, kraftfile?: Kraftfile): Map<string, string> {
  const outcome = runConf(model, {
    mode: 'savedefconfig',
    read: (name) => (name === '.config' ? config : undefined),
    environment: { CONFIG_: 'CONFIG_', KCONFIG_CONFIG: '.config' },
  });
  const given =
    target && kraftfile
      ? effective(
          layersOf({ ...kraftfile, libraries: [] }, target).filter((layer) => layer.kind === 'architecture' || layer.kind === 'platform'),
        )
      : new Map<string, { value: string }>();
  const result = new Map<string, string>();
  for (const { name, value } of parseDotConfig(outcome.defconfig ?? '', 'CONFIG_').assignments) {
    const plain = plainValue(value);
    if (given.get(name)?.value !== plain) result.set(name, plain);
  }
  return result;
}

/** Options as the lines of a Kraftfile's `kconfig:`, indented by so many blanks. */
export function kconfigBlock(values: ReadonlyMap<string, string>, indent: number): string {
  const blanks = ' '.repeat(indent);
  const lines = [...values].map(
    ([symbol, value]) => `${blanks}  CONFIG_${symbol}: ${/^(0|-?[1-9]\d{0,14})$/.test(value) ? value : JSON.stringify(value)}\n`,
  );
  return lines.length === 0 ? '' : `${blanks}kconfig:\n${lines.join('')}`;
}
