/** Runs a whole command of the dialect's own tool (`olddefconfig` and its like), with the messages and files that tool would give. */
import { type Diagnostic, printedText } from './diagnostics';
import { ConfigReader, type Origin } from './dotconfig/read';
import { writeDefconfig } from './dotconfig/defconfig';
import { writeDotConfig } from './dotconfig/write';
import { Evaluation } from './evaluate';
import { type KSymbol, type Model, type Tri } from './model';

/** The commands, by the names that make gives them. */
export const modes = ['olddefconfig', 'defconfig', 'alldefconfig', 'allyesconfig', 'allnoconfig', 'allmodconfig', 'savedefconfig'] as const;

export type Mode = (typeof modes)[number];

/** What a command reads. */
export interface ConfInput {
  readonly mode: Mode;
  /** A file's text by the name the tool uses for it; undefined where there is none. */
  readonly read: (name: string) => string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The defconfig to start from (`defconfig`); its path as it is shown. */
  readonly defconfig?: string;
}

/** What a command gives. */
export interface ConfOutcome {
  /** 1 where the tool refuses the tree or the command. */
  readonly exit: 0 | 1;
  readonly values: Evaluation;
  readonly diagnostics: readonly Diagnostic[];
  readonly origins: ReadonlyMap<KSymbol, Origin>;
  readonly stdout: string;
  readonly stderr: string;
  /** The name of the .config. */
  readonly configName: string;
  /** The new .config; undefined for `savedefconfig` and refused commands. */
  readonly config: string | undefined;
  /** False where the new .config is the old one. */
  readonly changed: boolean;
  /** The minimal configuration of `savedefconfig`. */
  readonly defconfig: string | undefined;
}

const allConfigNames: Readonly<Partial<Record<Mode, string>>> = {
  allnoconfig: 'allno.config',
  allyesconfig: 'allyes.config',
  allmodconfig: 'allmod.config',
  alldefconfig: 'alldef.config',
};

/** The prefix of names in .config: the environment's `CONFIG_`, as make sets it; the tools themselves differ where it is unset. */
export function configPrefix(environment: Readonly<Record<string, string | undefined>>): string {
  return environment['CONFIG_'] ?? 'CONFIG_';
}

/** Runs a command. */
export function runConf(model: Model, input: ConfInput): ConfOutcome {
  return new ConfRun(model, input).run();
}

/** What reading a .config came to. */
export interface Dropped {
  /** The number of symbols whose line in the .config is not the one to be written. */
  readonly unsaved: number;
  /** True where computing all anew would give other values. */
  readonly stale: boolean;
}

/**
 * Computes what was read and takes away the users' values that cannot hold: numbers out of range, and, where nothing else
 * disagrees, values of what is not visible. What was computed from a value that is taken away stays as it is, as in the C engine,
 * until all is computed anew.
 */
export function dropImpossible(values: Evaluation): Dropped {
  const { model } = values;
  values.computeAll();
  let unsaved = 0;
  let stale = !values.isSettled;
  for (const symbol of model.symbols) if (disagrees(values, symbol)) unsaved++;
  // The engine's order counts only among numbers, one of which may be another's bound.
  const numbers = model.symbols.some((symbol) => values.hasUserValue(symbol) && !symbol.isBoolean && !symbol.isChoice);
  for (const symbol of numbers ? model.hashOrder : model.symbols) {
    if (!values.hasUserValue(symbol) || symbol.choice) continue;
    const user = values.userValue(symbol);
    if (values.visibility(symbol) === 0 && unsaved === 0) values.putUser(symbol, undefined);
    if (symbol.isBoolean || symbol.isChoice || model.dialect.outOfRange !== 'drop') continue;
    if (typeof user === 'string' && values.accepts(symbol, user)) continue;
    values.putUser(symbol, undefined);
    values.invalidateOnly(symbol);
    unsaved++;
    stale = true;
  }
  return { unsaved, stale };
}

function disagrees(values: Evaluation, symbol: KSymbol): boolean {
  if (symbol.isChoice || symbol.noWrite) return false;
  const has = values.hasUserValue(symbol);
  const written = values.isWritten(symbol);
  if (!has || !written) return has || written;
  const user = values.userValue(symbol);
  return symbol.isBoolean ? user !== values.tri(symbol) : user !== values.text(symbol);
}

class ConfRun {
  private readonly values: Evaluation;
  private readonly diagnostics: Diagnostic[] = [];
  private readonly prefix: string;
  private readonly configName: string;
  private origins: ReadonlyMap<KSymbol, Origin> = new Map();
  private unsaved = true;

  constructor(
    private readonly model: Model,
    private readonly input: ConfInput,
  ) {
    this.values = new Evaluation(model);
    this.prefix = configPrefix(input.environment);
    this.configName = input.environment['KCONFIG_CONFIG'] ?? '.config';
  }

  run(): ConfOutcome {
    if (this.model.refused) return this.outcome(1);
    this.values.listen((diagnostic) => this.diagnostics.push(diagnostic));
    if (!this.load()) return this.outcome(1);
    const { mode } = this.input;
    if (this.model.dialect.engine === 'c' && mode !== 'olddefconfig' && mode !== 'savedefconfig') this.setAllNew(mode);
    else if (this.model.dialect.engine === 'kconfiglib') this.setAllLibrary(mode);
    if (mode === 'savedefconfig') {
      this.values.invalidateAll();
      return this.outcome(0, undefined, writeDefconfig(this.values, this.prefix));
    }
    if (!this.unsaved) this.values.invalidateAll();
    const config = writeDotConfig(this.values, this.prefix);
    const old = this.input.read(this.configName);
    const same = old === config;
    this.say(same ? `No change to ${this.configName}` : `configuration written to ${this.configName}`);
    if (this.model.dialect.recomputesForAutoConf && this.writesAutoConf()) {
      this.values.invalidateAll();
      this.values.computeAll();
    }
    return this.outcome(0, config, undefined, !same);
  }

  /** auto.conf is written only where there is none, so that make finds one. */
  private writesAutoConf(): boolean {
    return this.input.read(this.input.environment['KCONFIG_AUTOCONFIG'] ?? 'include/config/auto.conf') === undefined;
  }

  private outcome(exit: 0 | 1, config?: string, defconfig?: string, changed = config !== undefined): ConfOutcome {
    const { diagnostics, values, origins, configName } = this;
    values.listen(undefined);
    const all = [...this.model.diagnostics, ...diagnostics];
    return {
      exit,
      values,
      diagnostics,
      origins,
      stdout: printedText(all, 'stdout'),
      stderr: printedText(all, 'stderr'),
      configName,
      config,
      changed,
      defconfig,
    };
  }

  private say(message: string): void {
    if (this.model.dialect.engine !== 'c') return;
    this.diagnostics.push({ code: 'message', severity: 'information', message, printed: `#\n# ${message}\n#\n`, channel: 'stdout' });
  }

  private fail(message: string): false {
    this.diagnostics.push({
      code: 'command',
      severity: 'error',
      message: message.replace(/\*+\s*/g, '').trim(),
      printed: message,
      channel: 'stderr',
    });
    return false;
  }

  private load(): boolean {
    const { mode, environment } = this.input;
    switch (mode) {
      case 'defconfig': {
        const name = this.input.defconfig ?? environment['KCONFIG_DEFCONFIG'] ?? 'arch/$(ARCH)/defconfig';
        const text = this.input.read(name);
        if (text === undefined) return this.fail(`***\n*** Can't find default configuration "${name}"!\n***\n`);
        this.readConfig(name, text);
        return true;
      }
      case 'olddefconfig':
      case 'savedefconfig': {
        const text = this.input.read(this.configName);
        if (text !== undefined) this.readConfig(this.configName, text);
        else if (!this.readDefconfigList() && this.model.modules) this.values.text(this.model.modules);
        return true;
      }
      default:
        return this.loadAllConfig(mode);
    }
  }

  private loadAllConfig(mode: Mode): boolean {
    const name = this.input.environment['KCONFIG_ALLCONFIG'];
    if (name === undefined) return true;
    const names = name !== '' && name !== '1' ? [name] : [allConfigNames[mode] ?? 'all.config', 'all.config'];
    for (const candidate of names) {
      const text = this.input.read(candidate);
      if (text === undefined) continue;
      this.readSimply(candidate, text);
      return true;
    }
    return this.fail(
      names.length === 1
        ? `*** Can't read seed configuration "${name}"!\n`
        : `*** KCONFIG_ALLCONFIG set, but no "${names[0]}" or "all.config" file found\n`,
    );
  }

  private readDefconfigList(): boolean {
    const list = this.model.defconfigList;
    for (const property of list?.defaults ?? []) {
      if (this.values.condition(property) === 0 || property.value?.kind !== 'symbol') continue;
      const name = this.values.text(property.value.symbol);
      const text = this.input.read(name);
      if (text === undefined) continue;
      this.say(`using defaults found in ${name}`);
      this.readConfig(name, text);
      this.unsaved = true;
      return true;
    }
    return false;
  }

  /** Reads a .config's values; true where anything in it asks for writing it anew. */
  private readSimply(name: string, text: string): boolean {
    const reader = new ConfigReader(this.values, name);
    reader.begin();
    const unknown = reader.read(text, this.prefix);
    this.diagnostics.push(...reader.diagnostics);
    this.origins = reader.origins;
    return unknown || reader.warnings > 0;
  }

  /** Reads a .config and drops from it what cannot hold. */
  private readConfig(name: string, text: string): void {
    const imperfect = this.readSimply(name, text);
    this.values.invalidateAll();
    if (this.model.dialect.engine !== 'c') return;
    const { unsaved } = dropImpossible(this.values);
    this.unsaved = imperfect || unsaved > 0;
  }

  private setAllNew(mode: Mode): void {
    const { values, model } = this;
    const priority = model.dialect.choiceByPriority;
    if (mode !== 'defconfig') {
      for (const symbol of model.hashOrder) {
        if (values.hasUserValue(symbol) || symbol.isConstant || !symbol.isBoolean) continue;
        if (priority && (symbol.choice || symbol.isChoice)) continue;
        const value = this.newValue(mode, symbol);
        if (value !== undefined) values.putUser(symbol, value);
      }
    }
    values.invalidateAll();
    for (const choice of model.hashOrder) {
      if (!choice.isChoice || priority || values.hasUserValue(choice)) continue;
      values.text(choice);
      values.markUser(choice);
      values.invalidateOnly(choice);
    }
    this.unsaved = true;
  }

  private newValue(mode: Mode, symbol: KSymbol): Tri | undefined {
    switch (mode) {
      case 'allyesconfig':
        return 2;
      case 'allmodconfig':
        return 1;
      case 'allnoconfig':
        return symbol.yesInAllNo ? 2 : 0;
      default:
        return undefined;
    }
  }

  /** The library's scripts set what can be set, member by member; a choice keeps its default. */
  private setAllLibrary(mode: Mode): void {
    const { values, model } = this;
    if (mode === 'allyesconfig' || mode === 'allmodconfig' || mode === 'allnoconfig') {
      for (const symbol of model.hashOrder) {
        if (!symbol.isDefined || symbol.isConstant || !symbol.isBoolean || values.hasUserValue(symbol)) continue;
        if (symbol.choice) {
          if (mode === 'allmodconfig') values.putUser(symbol, 1);
          continue;
        }
        if (symbol.isChoice) values.putUser(symbol, mode === 'allyesconfig' ? 2 : mode === 'allmodconfig' ? 1 : 0);
        else {
          const value = this.newValue(mode, symbol)!;
          values.putUser(symbol, mode === 'allmodconfig' && symbol.type === 'bool' ? 2 : value);
        }
      }
    }
    values.invalidateAll();
  }
}
