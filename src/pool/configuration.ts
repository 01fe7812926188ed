/** A configuration over a pool: which libraries it builds, which system calls it has, and in which state each library is. */
import { runConf } from '../kconfig/conf';
import { parseDotConfig } from '../kconfig/dotconfig/read';
import { type Evaluation } from '../kconfig/evaluate';
import { type Files } from '../shared/files';
import { type Catalogue, readModel } from './catalogue';
import { type Library } from './library';
import { type MakeResult } from './makefile';
import { type ConfigValues, enabledLibraries, readConfigured } from './make-tree';
import { configuredSyscalls } from './syscalls';
import { type PoolTree } from './tree';

/** The values of a .config as make includes them: strings with their quotes, names without `CONFIG_`. */
export function configValues(text: string): ConfigValues {
  const values = new Map<string, string>();
  for (const { name, value } of parseDotConfig(text, 'CONFIG_').assignments) {
    if (value === undefined) values.delete(name);
    else values.set(name, value);
  }
  return values;
}

/** A pool under one configuration. */
export interface ConfiguredPool {
  /** As `make print-libs` prints them, in its order. */
  readonly enabled: readonly string[];
  /** The system calls that the image has, by name. */
  readonly syscalls: ReturnType<typeof configuredSyscalls>;
  readonly values: ConfigValues;
  readonly make: MakeResult;
}

/** Reads the tree's Makefile.uk files as the build would with this .config. */
export function configurePool(files: Files, tree: PoolTree, config: string): ConfiguredPool {
  const values = configValues(config);
  const { result } = readConfigured(files, tree, values);
  const words = [...result.words('UK_PROVIDED_SYSCALLS-y'), ...result.words('UK_PROVIDED_SYSCALLS')];
  return { enabled: enabledLibraries(result), syscalls: configuredSyscalls(words), values, make: result };
}

/** A .config, or a defconfig, brought up to date with the tree's options, and its evaluation. */
export function completeConfig(
  files: Files,
  tree: PoolTree,
  config: string,
  model = readModel(files, tree),
): { text: string; values: Evaluation } {
  const name = '.config';
  const outcome = runConf(model, {
    mode: 'olddefconfig',
    read: (path) => (path === name ? config : undefined),
    environment: { CONFIG_: 'CONFIG_', KCONFIG_CONFIG: name },
  });
  return { text: outcome.config ?? config, values: outcome.values };
}

/** In which state a library is. */
export type LibraryState = 'enabled' | 'disabled' | 'available';

/** The state of a library under a configuration. */
export function stateOf(library: Library, pool: ConfiguredPool | undefined): LibraryState {
  if (library.state === 'available') return 'available';
  return pool?.enabled.includes(library.name) === true ? 'enabled' : 'disabled';
}

/** Libraries that a Kraftfile or a person asks for and the catalogue has no files of. */
export function missingLibraries(catalogue: Catalogue, wanted: Iterable<string>): string[] {
  return [...wanted].filter((name) => (catalogue.find(name)?.state ?? 'available') === 'available');
}
