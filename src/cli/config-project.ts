/** What `unikernel config` works on: the tree, make's environment, and the files that it reads and writes. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { configPrefix } from '../kconfig/conf';
import { type Configuration } from '../kconfig/configuration';
import { printedText } from '../kconfig/diagnostics';
import { dialectNames, isDialectName } from '../kconfig/dialect';
import { nearest } from '../kconfig/lint';
import { type KSymbol } from '../kconfig/model';
import { KconfigService } from '../kconfig/service';
import { unikraftEnvironment } from '../kconfig/submenu';
import { isNumberText } from '../kconfig/values';
import { NodeFiles } from '../shared/files.node';
import { CommandError, type Options } from './config-options';

/** Where a command reads its surroundings and writes its answer. */
export interface CommandIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A symbol and the value asked for. */
export interface Assignment {
  readonly symbol: KSymbol;
  readonly value: string;
}

/** The project in the working directory, or the one that the options name. */
export class ConfigProject {
  constructor(
    readonly options: Options,
    readonly io: CommandIo,
  ) {}

  /** The tree; files are read when it is first asked something. */
  open(): KconfigService {
    const { io, options } = this;
    const dialect = options.value('--dialect') ?? 'uk-5.2';
    if (!isDialectName(dialect)) throw new CommandError(`unknown dialect ${dialect}; there are ${dialectNames.join(', ')}`, 2);
    const root = this.root();
    const environment = this.environment(root);
    const shell = (command: string): string => this.shell(command, environment);
    return new KconfigService({ files: new NodeFiles(), cwd: io.cwd, root, dialect, environment, ...(options.shell && { shell }) });
  }

  /** The name of the .config. */
  get configName(): string {
    return this.options.value('--config') ?? this.io.env['KCONFIG_CONFIG'] ?? '.config';
  }

  /** The configuration in the .config, with what reading it had to say on standard error. */
  load(service: KconfigService): Configuration {
    const name = this.configName;
    const text = this.read(name);
    // Silence would pass defaults off as the user's configuration.
    if (text === undefined && this.options.value('--config') !== undefined)
      this.io.stderr(`unikernel config: there is no ${name}: all options have their defaults\n`);
    const configuration = service.openConfiguration(text, name);
    this.io.stderr(printedText(configuration.diagnostics, 'stderr'));
    return configuration;
  }

  /** The symbol of a name, with or without the prefix of .config. */
  symbol(configuration: Configuration, given: string): KSymbol {
    const prefix = configPrefix(this.io.env);
    const name = prefix && given.startsWith(prefix) ? given.slice(prefix.length) : given;
    const symbol = configuration.symbol(name);
    if (symbol?.isDefined) return symbol;
    const defined = [...configuration.values.model.byName.values()].filter((each) => each.isDefined).map((each) => each.label);
    const meant = nearest(name, defined);
    throw new CommandError(`there is no symbol ${name} in this tree${meant === undefined ? '' : `; is ${meant} meant?`}`, 1);
  }

  /** Reads `K=V`; a value that the type can never have is a mistake. */
  assignment(configuration: Configuration, word: string): Assignment {
    const equals = word.indexOf('=');
    if (equals < 1) throw new CommandError(`"${word}" is not of the form K=V`, 2);
    const symbol = this.symbol(configuration, word.slice(0, equals));
    const raw = word.slice(equals + 1);
    const value = symbol.type === 'string' && /^".*"$/s.test(raw) ? raw.slice(1, -1) : raw;
    const problem = valueProblem(configuration, symbol, value);
    if (problem !== undefined) throw new CommandError(problem, 2);
    return { symbol, value };
  }

  // Files

  resolve(name: string): string {
    return path.resolve(this.io.cwd, name);
  }

  /** A file's text, also from below $srctree as kconfig looks there; undefined where there is none. That one which was named cannot be read is an error. */
  read(name: string): string | undefined {
    const { srctree } = this.io.env;
    const places = [this.resolve(name), ...(srctree && !path.isAbsolute(name) ? [path.resolve(this.io.cwd, srctree, name)] : [])];
    for (const place of places) {
      try {
        return readFileSync(place, 'utf8');
      } catch (error) {
        const code = codeOf(error);
        const named = name === this.configName || this.options.words.includes(name);
        if (named && code !== 'ENOENT' && code !== 'ENOTDIR') throw new CommandError(`cannot read ${name}: ${reasonOf(error)}`, 1);
      }
    }
    return undefined;
  }

  write(name: string, text: string): void {
    this.writing(name, () => this.put(name, text));
  }

  /** Writes a file whose old text is kept beside it. */
  replace(name: string, text: string): void {
    const file = this.resolve(name);
    this.writing(name, () => {
      if (existsSync(file) && !statSync(file).isFile()) throw new CommandError(`cannot write ${name}: it is no plain file`, 1);
      this.put(`${name}.tmp`, text);
      if (existsSync(file)) renameSync(file, `${file}.old`);
      renameSync(`${file}.tmp`, file);
    });
  }

  private put(name: string, text: string): void {
    const file = this.resolve(name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  private writing(name: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      throw error instanceof CommandError ? error : new CommandError(`cannot write ${name}: ${reasonOf(error)}`, 1);
    }
  }

  // Surroundings

  private root(): string {
    const given = this.options.value('--tree');
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
    const { value } = this.options;
    const config = value('--config');
    const own = { CONFIG_: 'CONFIG_', ...env, ...(config !== undefined && { KCONFIG_CONFIG: config }) };
    const base = path.dirname(this.resolve(root));
    if (env['UK_BASE'] !== undefined || !existsSync(path.join(base, 'support/build/config-submenu.sh'))) return own;
    const list = (name: string): string[] =>
      (value(name) ?? '')
        .split(':')
        .filter(Boolean)
        .map((part) => this.resolve(part));
    const app = this.resolve(value('--app') ?? cwd);
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
}

function valueProblem({ values }: Configuration, symbol: KSymbol, value: string): string | undefined {
  const name = symbol.label;
  if (symbol.isBoolean) {
    const modules = symbol.type === 'tristate';
    if (/^[ny]$/i.test(value) || (modules && /^m$/i.test(value))) return undefined;
    return `${name} is a ${symbol.type}: it takes ${modules ? 'y, m or n' : 'y or n'}, not "${value}"`;
  }
  if ((symbol.type !== 'int' && symbol.type !== 'hex') || isNumberText(symbol.type, value, values.dialect)) return undefined;
  return `${name} takes ${symbol.type === 'int' ? 'a whole number, such as 42' : 'a hexadecimal number, such as 0x2a'}, not "${value}"`;
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is no directory',
  ENOENT: 'its directory cannot be made',
  EEXIST: 'a part of its path is no directory',
};

function reasonOf(error: unknown): string {
  return reasons[codeOf(error)] ?? (error instanceof Error ? error.message : String(error));
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
