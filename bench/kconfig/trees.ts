/** The trees that the Kconfig benchmarks measure on, as the environment names them. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type DialectName } from '../../src/kconfig/dialect';
import { KconfigService } from '../../src/kconfig/service';
import { unikraftEnvironment } from '../../src/kconfig/submenu';
import { NodeFiles } from '../../src/shared/files.node';
import { linuxEnvironment } from '../../test/unit/kconfig/linux-tree';

/** A tree, and what the other engines need to read it. */
export interface BenchTree {
  readonly name: 'unikraft' | 'linux';
  readonly cwd: string;
  /** The first file, as it is given to the engines. */
  readonly root: string;
  readonly dialect: DialectName;
  readonly environment: Readonly<Record<string, string>>;
  /** A file of the tree that a user may be editing, and an option it defines. */
  readonly edited: string;
  readonly editedOption: string;
  /** The tree's own `conf`, where it was built. */
  readonly conf: string | undefined;
}

/** The trees that UK_ROOT (with UK_APP, UK_LIBS, UK_CONF) and LINUX_ROOT (with LINUX_CONF) name. */
export function benchTrees(scratch: string): readonly BenchTree[] {
  const trees: BenchTree[] = [];
  const { UK_ROOT, UK_APP, UK_LIBS = '', UK_CONF, LINUX_ROOT, LINUX_CONF } = process.env;
  if (UK_ROOT) {
    const app = UK_APP ?? path.join(scratch, 'app');
    const build = path.join(scratch, 'build');
    mkdirSync(path.join(build, 'kconfig'), { recursive: true });
    mkdirSync(app, { recursive: true });
    const libs = UK_LIBS.split(':').filter(Boolean);
    trees.push({
      name: 'unikraft',
      cwd: scratch,
      root: `${UK_ROOT}/Config.uk`,
      dialect: 'uk-5.2',
      environment: unikraftEnvironment({ base: UK_ROOT, app, libs, build, config: path.join(scratch, '.config') }),
      edited: `${UK_ROOT}/lib/ukdebug/Config.uk`,
      editedOption: 'LIBUKDEBUG',
      conf: UK_CONF,
    });
  }
  if (LINUX_ROOT) {
    trees.push({
      name: 'linux',
      cwd: scratch,
      root: 'Kconfig',
      dialect: 'linux-6.1',
      environment: linuxEnvironment(LINUX_ROOT, scratch),
      edited: `${LINUX_ROOT}/lib/Kconfig`,
      editedOption: 'CRC32',
      conf: LINUX_CONF,
    });
  }
  return trees;
}

/** Loads a tree, evaluates it with nothing set, and gives the text of the .config. */
export function loadBenchTree(tree: BenchTree): string {
  return openBenchTree(tree).openConfiguration('').dotConfig();
}

/** Opens a tree; commands of its `$(shell,…)` that have no native answer are not run. */
export function openBenchTree({ cwd, root, dialect, environment }: BenchTree): KconfigService {
  return new KconfigService({ files: new NodeFiles(), cwd, root, dialect, environment });
}
