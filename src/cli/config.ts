/** `unikernel config`: computes, changes, explains and compares configurations as make's *config targets do, without make. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { configPrefix, modes, type ConfOutcome, type Mode } from '../kconfig/conf';
import { type Configuration } from '../kconfig/configuration';
import { dialectNames, isDialectName, type DialectName } from '../kconfig/dialect';
import { parseDotConfig } from '../kconfig/dotconfig/read';
import { syncFolder, touchedFiles, writeAutoConfDependencies } from '../kconfig/dotconfig/sync';
import { answerText } from '../kconfig/how';
import { type KSymbol } from '../kconfig/model';
import { KconfigService } from '../kconfig/service';
import { unikraftEnvironment } from '../kconfig/submenu';
import { proofText, type Clause, type Rule } from '../kconfig/why';
import { printedText } from '../kconfig/diagnostics';
import { NodeFiles } from '../shared/files.node';
import { compileLate } from '../shared/short-run.node';

/** Where a command reads its surroundings and writes its answer. */
export interface CommandIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const help = `usage: unikernel config MODE [ARGUMENTS] [OPTIONS]

Modes that write the .config:
  olddefconfig            keep what is set, give everything else its default
  defconfig [FILE]        start from a defconfig (default: $KCONFIG_DEFCONFIG)
  alldefconfig, allyesconfig, allnoconfig, allmodconfig
  syncconfig              as olddefconfig, and write anew what make reads: auto.conf, config.h and their like
  set K=V...              set symbols as a menu would, and refuse what a menu refuses
Modes that only read it:
  savedefconfig [FILE]    write a minimal configuration (default: defconfig in the working directory)
  get K...                print values
  why K                   prove a value: which rule gave it, and what each clause was worth
  how K=V                 what to change so that K becomes V
  lint                    check the Kconfig files themselves
  diff A B                compare two .config files

Options:
  --tree FILE             the first Kconfig file (default: $UK_BASE/Config.uk, ./Config.uk or ./Kconfig)
  --config FILE           the .config (default: $KCONFIG_CONFIG or .config in the working directory)
  --dialect D             ${dialectNames.join(', ')} (default: ${dialectNames[0]})
  --app DIR, --libs A:B, --plats A:B
                          parts of a Unikraft project, where make's environment is not given
  --no-shell              do not run the commands of $(shell,...)
  --json                  answer in JSON
  --help                  this text

Called as "unikernel config --MODE[=FILE] TREE", it stands in for conf in a build by make.
The environment is the one make gives to kconfig. The exit status is 1 where the tree or the request is refused, 2 for wrong usage.
`;

interface Options {
  readonly words: readonly string[];
  readonly json: boolean;
  readonly help: boolean;
  readonly shell: boolean;
  readonly values: ReadonlyMap<string, string>;
}

/** Where the tool writes what make names no file for. */
const defaultNames = {
  auto: `${syncFolder}/auto.conf`,
  header: 'include/generated/autoconf.h',
  tristate: `${syncFolder}/tristate.conf`,
} as const;

/** A mistake in how the command was called, or something it needs that is not there. */
class CommandError extends Error {
  constructor(
    message: string,
    readonly status: 1 | 2,
  ) {
    super(message);
  }
}

/** Runs the command; gives its exit status. */
export function configCommand(argv: readonly string[], io: CommandIo): Promise<number> {
  compileLate();
  try {
    return Promise.resolve(new ConfigCommand(parseOptions(argv), io).run());
  } catch (error) {
    if (!(error instanceof CommandError)) return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    io.stderr(`unikernel config: ${error.message}\n`);
    return Promise.resolve(error.status);
  }
}

/** What kconfig's own program is called with: these modes as options, and the first Kconfig file. */
const confModes: readonly string[] = [...modes, 'syncconfig'];

const valueOptions = new Set(['--tree', '--config', '--dialect', '--app', '--libs', '--plats']);

function parseOptions(argv: readonly string[]): Options {
  const words: string[] = [];
  const values = new Map<string, string>();
  const flags = new Set<string>();
  let conf: readonly string[] | undefined;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    const equals = word.startsWith('--') ? word.indexOf('=') : -1;
    const name = equals < 0 ? word : word.slice(0, equals);
    if (valueOptions.has(name)) {
      const value = equals < 0 ? argv[++at] : word.slice(equals + 1);
      if (value === undefined) throw new CommandError(`${name} needs a value`, 2);
      values.set(name, value);
    } else if (confModes.includes(name.slice(2)) && name.startsWith('--')) {
      conf = [name.slice(2), ...(equals < 0 ? [] : [word.slice(equals + 1)])];
    } else if (word === '--json' || word === '--help' || word === '-h' || word === '--no-shell') flags.add(word);
    else if (word.startsWith('--')) throw new CommandError(`unknown option ${word}; see --help`, 2);
    else words.push(word);
  }
  if (conf) {
    const [tree, ...others] = words.splice(0, words.length, ...conf);
    if (tree === undefined || others.length > 0) throw new CommandError(`--${conf[0]!} is followed by one Kconfig file`, 2);
    values.set('--tree', tree);
  }
  return { words, json: flags.has('--json'), help: flags.has('--help') || flags.has('-h'), shell: !flags.has('--no-shell'), values };
}

class ConfigCommand {
  constructor(
    private readonly options: Options,
    private readonly io: CommandIo,
  ) {}

  run(): number {
    const [mode, ...rest] = this.options.words;
    if (this.options.help) {
      this.io.stdout(help);
      return 0;
    }
    if (mode === undefined) {
      this.io.stderr(help);
      return 2;
    }
    if (mode === 'diff') return this.diff(rest);
    const isMode = confModes.includes(mode);
    if (!isMode && !['set', 'get', 'why', 'how', 'lint'].includes(mode)) throw new CommandError(`unknown mode ${mode}; see --help`, 2);
    const service = this.open();
    if (mode === 'lint') return this.lint(service);
    if (isMode) {
      this.writeMenus(service);
      return mode === 'syncconfig' ? this.sync(service) : this.conf(service, mode as Mode, rest);
    }
    if (service.tree.model.refused) {
      this.io.stderr(printedText(service.tree.model.diagnostics, 'stderr'));
      return 1;
    }
    const configuration = this.load(service);
    switch (mode) {
      case 'set':
        return this.set(configuration, rest);
      case 'get':
        return this.get(configuration, rest);
      case 'why':
        return this.why(configuration, rest);
      default:
        return this.how(configuration, rest);
    }
  }

  // Surroundings

  private open(): KconfigService {
    const { io, options } = this;
    const dialect = options.values.get('--dialect') ?? 'uk-5.2';
    if (!isDialectName(dialect)) throw new CommandError(`unknown dialect ${dialect}; there are ${dialectNames.join(', ')}`, 2);
    const root = this.root();
    const environment = this.environment(root);
    const shell = (command: string): string => this.shell(command, environment);
    return new KconfigService({
      files: new NodeFiles(),
      cwd: io.cwd,
      root,
      dialect: dialect satisfies DialectName,
      environment,
      ...(options.shell && { shell }),
    });
  }

  private root(): string {
    const given = this.options.values.get('--tree');
    if (given !== undefined) return given;
    const { UK_BASE: base } = this.io.env;
    const candidates = [...(base ? [`${base}/Config.uk`] : []), 'Config.uk', 'Kconfig'];
    const found = candidates.find((candidate) => existsSync(this.resolve(candidate)));
    if (found === undefined)
      throw new CommandError(`there is no ${candidates.join(', no ')} here; name the first Kconfig file with --tree`, 1);
    return found;
  }

  private environment(root: string): Record<string, string | undefined> {
    const { env, cwd } = this.io;
    const { values } = this.options;
    const config = values.get('--config');
    const own = { CONFIG_: 'CONFIG_', ...env, ...(config !== undefined && { KCONFIG_CONFIG: config }) };
    const base = path.dirname(this.resolve(root));
    if (env['UK_BASE'] !== undefined || !existsSync(path.join(base, 'support/build/config-submenu.sh'))) return own;
    const list = (name: string): string[] =>
      (values.get(name) ?? '')
        .split(':')
        .filter(Boolean)
        .map((part) => this.resolve(part));
    const app = this.resolve(values.get('--app') ?? cwd);
    const tree = { base, app, libs: list('--libs'), plats: list('--plats'), ...version(base) };
    const { KCONFIG_CONFIG, KCONFIG_AUTOCONFIG, KCONFIG_AUTOHEADER, KCONFIG_TRISTATE, ...rest } = unikraftEnvironment(tree);
    void [KCONFIG_CONFIG, KCONFIG_AUTOCONFIG, KCONFIG_AUTOHEADER, KCONFIG_TRISTATE];
    return { ...rest, ...own };
  }

  private shell(command: string, environment: Readonly<Record<string, string | undefined>>): string {
    try {
      const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit'];
      return execFileSync('/bin/sh', ['-c', command], {
        cwd: this.io.cwd,
        env: environment,
        encoding: 'utf8',
        stdio,
        maxBuffer: 1 << 26,
      });
    } catch (error) {
      // A command that fails has still said what it said.
      return typeof error === 'object' && error !== null && 'stdout' in error && typeof error.stdout === 'string' ? error.stdout : '';
    }
  }

  private resolve(name: string): string {
    return path.resolve(this.io.cwd, name);
  }

  private read(name: string): string | undefined {
    try {
      return readFileSync(this.resolve(name), 'utf8');
    } catch {
      const { srctree } = this.io.env;
      if (!srctree || path.isAbsolute(name)) return undefined;
      try {
        return readFileSync(path.resolve(this.io.cwd, srctree, name), 'utf8');
      } catch {
        return undefined;
      }
    }
  }

  private configName(): string {
    return this.options.values.get('--config') ?? this.io.env['KCONFIG_CONFIG'] ?? '.config';
  }

  private load(service: KconfigService): Configuration {
    const name = this.configName();
    const text = this.read(name);
    const configuration = service.openConfiguration(text, name);
    this.io.stderr(printedText(configuration.diagnostics, 'stderr'));
    return configuration;
  }

  private symbol(configuration: Configuration, name: string): KSymbol {
    const symbol = configuration.symbol(this.bare(name));
    if (!symbol?.isDefined) throw new CommandError(`there is no symbol ${this.bare(name)} in this tree`, 1);
    return symbol;
  }

  private bare(name: string): string {
    const prefix = configPrefix(this.io.env);
    return prefix && name.startsWith(prefix) ? name.slice(prefix.length) : name;
  }

  private json(value: unknown): void {
    this.io.stdout(`${JSON.stringify(value, undefined, 2)}\n`);
  }

  // Writing

  private conf(service: KconfigService, mode: Mode, rest: readonly string[]): number {
    const source = mode === 'defconfig' ? rest[0] : undefined;
    const outcome = service.openConfiguration().run(mode, (name) => this.read(name), source);
    if (!this.options.json) this.io.stdout(outcome.stdout);
    this.io.stderr(outcome.stderr);
    if (outcome.exit === 0) {
      if (outcome.config !== undefined && outcome.changed) this.replace(outcome.configName, outcome.config);
      const { KCONFIG_AUTOCONFIG: auto } = this.io.env;
      const missing = auto !== undefined && !existsSync(this.resolve(auto));
      if (missing && service.tree.dialect.recomputesForAutoConf) this.writeGenerated(service, outcome);
      if (outcome.defconfig !== undefined) this.write(rest[0] ?? 'defconfig', outcome.defconfig);
    }
    if (this.options.json) {
      const { exit, changed, configName: config } = outcome;
      const diagnostics = [...service.tree.model.diagnostics, ...outcome.diagnostics].filter(({ code }) => code !== 'message');
      this.json({ mode, exit, changed, config, diagnostics });
    }
    return outcome.exit;
  }

  /** The menus that config-submenu.sh writes are made without it; make finds them in their place all the same. */
  private writeMenus(service: KconfigService): void {
    if (this.io.env['KCONFIG_DIR'] === undefined) return;
    for (const { path: file, generated, syntax } of service.tree.model.files.values()) if (generated) this.write(file, syntax.source.text);
  }

  /** `syncconfig`, which a build calls: says nothing of the .config, and always writes what is made of it. */
  private sync(service: KconfigService): number {
    const { KCONFIG_AUTOCONFIG: auto = defaultNames.auto } = this.io.env;
    const outcome = service.openConfiguration().run('olddefconfig', (name) => (name === auto ? undefined : this.read(name)));
    this.io.stderr(outcome.stderr);
    if (outcome.exit !== 0) return outcome.exit;
    if (outcome.config !== undefined && outcome.changed) this.replace(outcome.configName, outcome.config);
    this.writeGenerated(service, outcome);
    return 0;
  }

  /** What the tool writes beside the .config for make; auto.conf comes last, as it tells make that the others are there. */
  private writeGenerated(service: KconfigService, outcome: ConfOutcome): void {
    const { env } = this.io;
    const auto = env['KCONFIG_AUTOCONFIG'] ?? defaultNames.auto;
    const configuration = service.openConfiguration(outcome.config);
    this.write(`${syncFolder}/auto.conf.cmd`, writeAutoConfDependencies(service.tree.model, auto));
    for (const name of touchedFiles(configuration.values, this.read(auto), configuration.prefix)) this.write(`${syncFolder}/${name}`, '');
    this.write(env['KCONFIG_AUTOHEADER'] ?? defaultNames.header, configuration.header());
    if (service.tree.dialect.recomputesForAutoConf)
      this.write(env['KCONFIG_TRISTATE'] ?? defaultNames.tristate, configuration.tristateConf());
    this.write(auto, configuration.autoConf());
  }

  private write(name: string, text: string): void {
    const file = this.resolve(name);
    try {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
    } catch (error) {
      throw new CommandError(`cannot write ${name}: ${error instanceof Error ? error.message : String(error)}`, 1);
    }
  }

  /** The old file is kept beside the new one. */
  private replace(name: string, text: string): void {
    const file = this.resolve(name);
    this.write(`${name}.tmp`, text);
    if (existsSync(file)) renameSync(file, `${file}.old`);
    renameSync(`${file}.tmp`, file);
  }

  private set(configuration: Configuration, rest: readonly string[]): number {
    if (rest.length === 0) throw new CommandError('set needs K=V', 2);
    const before = new Map<KSymbol, string>();
    for (const word of rest) {
      const { symbol, value } = this.assignment(configuration, word);
      const changes = configuration.set(symbol, value);
      if (!changes) {
        this.io.stderr(`unikernel config: ${symbol.label} cannot be set to ${value} now\n${proofText(configuration.why(symbol))}`);
        return 1;
      }
      for (const change of changes) if (!before.has(change.symbol)) before.set(change.symbol, change.before);
    }
    this.replace(this.configName(), configuration.dotConfig());
    const changed = [...before]
      .map(([symbol, old]) => ({ symbol: symbol.label, before: old, after: configuration.values.text(symbol) }))
      .filter((change) => change.before !== change.after && change.symbol !== '<choice>');
    if (this.options.json) this.json({ changes: changed });
    else for (const change of changed) this.io.stdout(`${change.symbol}: ${change.before} -> ${change.after}\n`);
    return 0;
  }

  private assignment(configuration: Configuration, word: string): { symbol: KSymbol; value: string } {
    const equals = word.indexOf('=');
    if (equals < 1) throw new CommandError(`"${word}" is not of the form K=V`, 2);
    const symbol = this.symbol(configuration, word.slice(0, equals));
    const raw = word.slice(equals + 1);
    const value = symbol.type === 'string' && /^".*"$/s.test(raw) ? raw.slice(1, -1) : raw;
    return { symbol, value };
  }

  // Reading

  private get(configuration: Configuration, rest: readonly string[]): number {
    if (rest.length === 0) throw new CommandError('get needs the name of a symbol', 2);
    const found = rest.map((name) => this.symbol(configuration, name));
    if (this.options.json) this.json(Object.fromEntries(found.map((symbol) => [symbol.label, configuration.values.text(symbol)])));
    else for (const symbol of found) this.io.stdout(`${rest.length > 1 ? `${symbol.label}=` : ''}${configuration.values.text(symbol)}\n`);
    return 0;
  }

  private why(configuration: Configuration, rest: readonly string[]): number {
    const [name] = rest;
    if (name === undefined) throw new CommandError('why needs the name of a symbol', 2);
    const proof = configuration.why(this.symbol(configuration, name));
    if (this.options.json)
      this.json({ ...proof, symbol: proof.symbol.label, reason: plainRule(proof.reason), rules: proof.rules.map(plainRule) });
    else this.io.stdout(proofText(proof));
    return 0;
  }

  private how(configuration: Configuration, rest: readonly string[]): number {
    const [word] = rest;
    if (word === undefined) throw new CommandError('how needs K=V', 2);
    const { symbol, value } = this.assignment(configuration, word);
    const answer = configuration.how(symbol, value);
    if (this.options.json) {
      const plans = answer.plans.map((plan) => ({
        steps: plan.steps.map((step) => ({ symbol: step.symbol.label, value: step.value })),
        changes: plan.changes.map((change) => ({ symbol: change.symbol.label, before: change.before, after: change.after })),
      }));
      this.json({ symbol: symbol.label, wanted: value, plans, obstacles: answer.obstacles.map(plainClause), complete: answer.complete });
    } else this.io.stdout(answerText(answer));
    return answer.plans.length > 0 ? 0 : 1;
  }

  private lint(service: KconfigService): number {
    const found = service.diagnostics();
    if (this.options.json) this.json(found);
    else {
      for (const { file, line, severity, message, code } of found) {
        this.io.stdout(`${file === undefined ? '' : `${file}:${line ?? 1}: `}${severity}: ${message} [${code}]\n`);
      }
    }
    return service.tree.model.refused ? 1 : 0;
  }

  private diff(rest: readonly string[]): number {
    const [first, second] = rest;
    if (first === undefined || second === undefined) throw new CommandError('diff needs two .config files', 2);
    const [a, b] = [first, second].map((name) => {
      const text = this.read(name);
      if (text === undefined) throw new CommandError(`there is no file ${name}`, 1);
      return new Map(parseDotConfig(text, configPrefix(this.io.env)).assignments.map(({ name: symbol, value = 'n' }) => [symbol, value]));
    }) as [Map<string, string>, Map<string, string>];
    const names = [...new Set([...a.keys(), ...b.keys()])].sort();
    const changes = names
      .map((name) => ({ symbol: name, before: a.get(name), after: b.get(name) }))
      .filter(({ before, after }) => before !== after);
    if (this.options.json) this.json(changes);
    else {
      for (const { symbol, before, after } of changes) {
        if (before === undefined) this.io.stdout(`+${symbol} ${after}\n`);
        else if (after === undefined) this.io.stdout(`-${symbol} ${before}\n`);
        else this.io.stdout(` ${symbol} ${before} -> ${after}\n`);
      }
    }
    return 0;
  }
}

/** The version that make would read from version.mk. */
function version(base: string): { fullVersion: string; codename: string } {
  let text = '';
  try {
    text = readFileSync(path.join(base, 'version.mk'), 'utf8');
  } catch {
    return { fullVersion: '', codename: '' };
  }
  const field = (name: string): string => new RegExp(`^${name}\\s*=\\s*(\\S+)`, 'm').exec(text)?.[1] ?? '';
  const parts = [field('UK_VERSION'), field('UK_SUBVERSION'), field('UK_EXTRAVERSION')].filter(Boolean);
  return { fullVersion: parts.join('.'), codename: field('UK_CODENAME') };
}

function plainClause(clause: Clause): unknown {
  const { text, value, operands, symbols } = clause;
  return {
    text,
    value: 'nmy'[value],
    symbols: Object.fromEntries(symbols.map(({ symbol, value: worth }) => [symbol.label, worth])),
    operands: operands.map(plainClause),
  };
}

function plainRule(rule: Rule): unknown {
  const { condition, by, ...rest } = rule;
  return { ...rest, ...(by && { by: by.label }), ...(condition && { condition: plainClause(condition) }) };
}
