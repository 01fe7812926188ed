/** `unikernel config`: computes, changes, explains and compares configurations as make's *config targets do, without make. */
import { existsSync } from 'node:fs';
import { type ConfOutcome, type Mode } from '../kconfig/conf';
import { type Configuration } from '../kconfig/configuration';
import { printedText } from '../kconfig/diagnostics';
import { syncFolder, touchedFiles, writeAutoConfDependencies } from '../kconfig/dotconfig/sync';
import { type KSymbol } from '../kconfig/model';
import { type KconfigService } from '../kconfig/service';
import { proofText } from '../kconfig/why';
import { diff, get, how, lint, printJson, why } from './config-answers';
import { CommandError, confModes, help, parseOptions, type Options } from './config-options';
import { ConfigProject, type CommandIo } from './config-project';

export type { CommandIo } from './config-project';

/** Where the tool writes what make names no file for. */
const defaultNames = {
  auto: `${syncFolder}/auto.conf`,
  header: 'include/generated/autoconf.h',
  tristate: `${syncFolder}/tristate.conf`,
} as const;

/** Runs the command; gives its exit status. */
export function configCommand(argv: readonly string[], io: CommandIo): Promise<number> {
  try {
    return Promise.resolve(run(parseOptions(argv), io));
  } catch (error) {
    if (!(error instanceof CommandError)) return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    io.stderr(`unikernel config: ${error.message}\n`);
    return Promise.resolve(error.status);
  }
}

function run(options: Options, io: CommandIo): number {
  const { mode } = options;
  if (options.help) {
    io.stdout(help);
    return 0;
  }
  if (mode === undefined) {
    io.stderr(help);
    return 2;
  }
  const project = new ConfigProject(options, io);
  if (mode === 'diff') return diff(project);
  const service = project.open();
  if (mode === 'lint') return lint(project, service);
  const writer = new ConfigWriter(project, service);
  if (confModes.includes(mode)) {
    writer.menus();
    return mode === 'syncconfig' ? writer.sync() : writer.conf(mode as Mode);
  }
  if (service.tree.model.refused) {
    io.stderr(printedText(service.tree.model.diagnostics, 'stderr'));
    return 1;
  }
  const configuration = project.load(service);
  switch (mode) {
    case 'set':
      return writer.set(configuration);
    case 'get':
      return get(project, configuration);
    case 'why':
      return why(project, configuration);
    default:
      return how(project, configuration);
  }
}

/** The modes that write. */
class ConfigWriter {
  constructor(
    private readonly project: ConfigProject,
    private readonly service: KconfigService,
  ) {}

  /** Does what kconfig's own program does. */
  conf(mode: Mode): number {
    const { project, service } = this;
    const { options, io } = project;
    const [file] = options.words;
    const outcome = service.openConfiguration().run(mode, (name) => project.read(name), mode === 'defconfig' ? file : undefined);
    io.stderr(outcome.stderr);
    if (outcome.exit === 0) {
      if (outcome.config !== undefined && outcome.changed) project.replace(outcome.configName, outcome.config);
      const { KCONFIG_AUTOCONFIG: auto } = io.env;
      const missing = auto !== undefined && !existsSync(project.resolve(auto));
      if (missing && service.tree.dialect.recomputesForAutoConf) this.generated(outcome);
      if (outcome.defconfig !== undefined) project.write(file ?? 'defconfig', outcome.defconfig);
    }
    // Only now, as it says that the file is written.
    if (!options.json) io.stdout(outcome.stdout);
    else {
      const { exit, changed, configName: config } = outcome;
      const diagnostics = [...service.tree.model.diagnostics, ...outcome.diagnostics].filter(({ code }) => code !== 'message');
      printJson(project, { mode, exit, changed, config, diagnostics });
    }
    return outcome.exit;
  }

  /** The menus that config-submenu.sh writes are made without it; make finds them in their place all the same. */
  menus(): void {
    if (this.project.io.env['KCONFIG_DIR'] === undefined) return;
    for (const { path: file, generated, syntax } of this.service.tree.model.files.values())
      if (generated) this.project.write(file, syntax.source.text);
  }

  /** `syncconfig`, which a build calls: says nothing of the .config, and always writes what is made of it. */
  sync(): number {
    const { KCONFIG_AUTOCONFIG: auto = defaultNames.auto } = this.project.io.env;
    const outcome = this.service.openConfiguration().run('olddefconfig', (name) => (name === auto ? undefined : this.project.read(name)));
    this.project.io.stderr(outcome.stderr);
    if (outcome.exit !== 0) return outcome.exit;
    if (outcome.config !== undefined && outcome.changed) this.project.replace(outcome.configName, outcome.config);
    this.generated(outcome);
    return 0;
  }

  /** What the tool writes beside the .config for make; auto.conf comes last, as it tells make that the others are there. */
  private generated(outcome: ConfOutcome): void {
    const { service } = this;
    const { env } = this.project.io;
    const auto = env['KCONFIG_AUTOCONFIG'] ?? defaultNames.auto;
    const configuration = service.openConfiguration(outcome.config);
    this.project.write(`${syncFolder}/auto.conf.cmd`, writeAutoConfDependencies(service.tree.model, auto));
    for (const name of touchedFiles(configuration.values, this.project.read(auto), configuration.prefix))
      this.project.write(`${syncFolder}/${name}`, '');
    this.project.write(env['KCONFIG_AUTOHEADER'] ?? defaultNames.header, configuration.header());
    if (service.tree.dialect.recomputesForAutoConf)
      this.project.write(env['KCONFIG_TRISTATE'] ?? defaultNames.tristate, configuration.tristateConf());
    this.project.write(auto, configuration.autoConf());
  }

  /** Sets symbols as a menu would; 1 where a menu would refuse. */
  set(configuration: Configuration): number {
    const { project } = this;
    const { options, io } = project;
    const before = new Map<KSymbol, string>();
    for (const word of options.words) {
      const { symbol, value } = project.assignment(configuration, word);
      const changes = configuration.set(symbol, value);
      if (!changes) {
        io.stderr(`unikernel config: ${symbol.label} cannot be set to ${value} now\n${proofText(configuration.why(symbol))}`);
        io.stderr(`\nunikernel config how ${symbol.label}=${value} tells what to change first\n`);
        return 1;
      }
      for (const change of changes) if (!before.has(change.symbol)) before.set(change.symbol, change.before);
    }
    project.replace(project.configName, configuration.dotConfig());
    const changed = [...before]
      .map(([symbol, old]) => ({ symbol: symbol.label, before: old, after: configuration.values.text(symbol) }))
      .filter((change) => change.before !== change.after && change.symbol !== '<choice>');
    if (options.json) printJson(project, { changes: changed });
    else for (const change of changed) io.stdout(`${change.symbol}: ${change.before} -> ${change.after}\n`);
    return 0;
  }
}
