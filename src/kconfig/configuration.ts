/** One configuration being edited: read from a .config, changed as a menu changes it, and written in any format. */
import { configPrefix, dropImpossible, runConf, type ConfOutcome, type Mode } from './conf';
import { type Diagnostic } from './diagnostics';
import { writeAutoConf, writeTristateConf } from './dotconfig/auto-conf';
import { writeConfigHeader } from './dotconfig/config-header';
import { writeDefconfig } from './dotconfig/defconfig';
import { ConfigReader, type Origin } from './dotconfig/read';
import { writeDotConfig } from './dotconfig/write';
import { Evaluation, type Change } from './evaluate';
import { differences, how, type Answer, type SearchLimits } from './how';
import { type KSymbol } from './model';
import { type KconfigTree } from './tree';
import { why, type Proof } from './why';

/** What a change would do. */
export interface Preview {
  readonly accepted: boolean;
  readonly changes: readonly Change[];
  /** Warnings that the change brings with it. */
  readonly warnings: readonly Diagnostic[];
}

/** A configuration over a tree; it follows the tree when that is built anew. */
export class Configuration {
  private evaluation: Evaluation | undefined;
  private originMap: ReadonlyMap<KSymbol, Origin> = new Map();
  private messages: readonly Diagnostic[] = [];

  constructor(private readonly tree: KconfigTree) {}

  /** The values, of the tree's newest model. */
  get values(): Evaluation {
    if (this.evaluation?.model !== this.tree.model) this.evaluation = this.evaluation ? this.follow(this.evaluation) : this.unset();
    return this.evaluation;
  }

  /** Where each user's value was read. */
  get origins(): ReadonlyMap<KSymbol, Origin> {
    return this.originMap;
  }

  /** What reading the .config had to say. */
  get diagnostics(): readonly Diagnostic[] {
    return this.messages;
  }

  get prefix(): string {
    return configPrefix(this.tree.environment);
  }

  symbol(name: string): KSymbol | undefined {
    return this.tree.model.byName.get(name);
  }

  /** Reads a .config as a menu does when it opens one. */
  load(text: string, name = '.config'): readonly Diagnostic[] {
    const values = new Evaluation(this.tree.model);
    this.evaluation = values;
    const reader = new ConfigReader(values, name);
    reader.begin();
    reader.read(text, this.prefix);
    values.invalidateAll();
    if (this.tree.dialect.engine === 'c' && dropImpossible(values).stale) values.invalidateAll();
    values.computeAll();
    this.originMap = reader.origins;
    this.messages = reader.diagnostics;
    return reader.diagnostics;
  }

  /** Sets a value as a menu does; undefined where it is refused. */
  set(symbol: KSymbol, value: string): readonly Change[] | undefined {
    return this.values.set(symbol, value);
  }

  /** Takes the user's value away. */
  reset(symbol: KSymbol): readonly Change[] {
    return this.values.reset(symbol);
  }

  /** What setting a value would change, without changing it. */
  preview(symbol: KSymbol, value: string): Preview {
    this.values.computeAll();
    const copy = this.values.fork();
    const warnings: Diagnostic[] = [];
    copy.listen((diagnostic) => warnings.push(diagnostic));
    const settled = copy.set(symbol, value);
    return { accepted: settled !== undefined, changes: valueChanges(settled ?? []), warnings };
  }

  why(symbol: KSymbol): Proof {
    return why(this.values, symbol, this.originMap);
  }

  how(symbol: KSymbol, wanted: string, limits?: SearchLimits): Answer {
    return how(this.values, symbol, wanted, limits);
  }

  /** Takes the plan's steps; undefined where one is refused. */
  apply(steps: readonly { readonly symbol: KSymbol; readonly value: string }[]): readonly Change[] | undefined {
    const before = this.values.fork();
    for (const { symbol, value } of steps) {
      if (!this.values.set(symbol, value)) {
        this.evaluation = before;
        return undefined;
      }
    }
    return differences(before, this.values);
  }

  dotConfig(): string {
    return writeDotConfig(this.values, this.prefix);
  }

  defconfig(): string {
    return writeDefconfig(this.values, this.prefix);
  }

  autoConf(): string {
    return writeAutoConf(this.values, this.prefix);
  }

  tristateConf(): string {
    return writeTristateConf(this.values, this.prefix);
  }

  header(): string {
    return writeConfigHeader(this.values, this.prefix);
  }

  /** Runs one of the tool's commands on texts given by name. */
  run(mode: Mode, read: (name: string) => string | undefined, defconfig?: string): ConfOutcome {
    return runConf(this.tree.model, { mode, read, environment: this.tree.environment, ...(defconfig !== undefined && { defconfig }) });
  }

  /** What holds where the user has set nothing. */
  private unset(): Evaluation {
    const values = new Evaluation(this.tree.model);
    values.invalidateAll();
    values.computeAll();
    return values;
  }

  /** Takes the users' values over to a model that was built anew, by name. */
  private follow(old: Evaluation): Evaluation {
    const next = new Evaluation(this.tree.model);
    const origins = new Map<KSymbol, Origin>();
    for (const symbol of old.model.symbols) {
      const value = old.userValue(symbol);
      const now = symbol.name === undefined ? undefined : this.tree.model.byName.get(symbol.name);
      if (value === undefined || !now || (typeof value === 'number') !== now.isBoolean) continue;
      next.putUser(now, value);
      if (now.choice && value === 2) next.putPick(now.choice, now);
      const origin = this.originMap.get(symbol);
      if (origin) origins.set(now, origin);
    }
    for (const choice of this.tree.model.symbols) {
      if (choice.isChoice && this.tree.dialect.engine === 'c' && !this.tree.dialect.choiceByPriority)
        next.putUser(choice, choiceMode(next, choice));
    }
    next.invalidateAll();
    next.computeAll();
    this.originMap = origins;
    return next;
  }
}

/** Of all that was settled, the options whose value is another, in the order of the model. */
function valueChanges(settled: readonly Change[]): Change[] {
  return settled
    .filter(({ symbol, before, after }) => before !== after && symbol.isDefined && !symbol.isConstant && !symbol.isChoice)
    .sort((a, b) => a.symbol.id - b.symbol.id);
}

function choiceMode(values: Evaluation, choice: KSymbol): 0 | 1 | 2 {
  let mode: 0 | 1 | 2 = 0;
  for (const member of choice.members) {
    const value = values.userValue(member);
    if (value === 2) mode = 2;
    else if (value === 1 && mode === 0) mode = 1;
  }
  return mode;
}
