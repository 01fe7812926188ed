/** One cold load, as the command line makes it; a bundle of its own, which runs with a code cache as the command line's does. */
import { readFileSync } from 'node:fs';
import { compileLate } from '../../src/shared/short-run.node';
import { KconfigService } from '../../src/kconfig/service';
import { unikraftEnvironment } from '../../src/kconfig/submenu';
import { NodeFiles } from '../../src/shared/files.node';
import { mainThreadCpu } from './clock';
import { loadBenchTree, type BenchTree } from './trees';

/** Loads the tree that a file describes and prints the milliseconds of main-thread CPU that this took. */
export function once([file]: readonly string[]): number {
  compileLate();
  const tree = JSON.parse(readFileSync(file!, 'utf8')) as BenchTree;
  const start = mainThreadCpu();
  loadBenchTree(tree);
  console.log(mainThreadCpu() - start);
  return 0;
}

/** The run that the code cache is made of: the starter pool's own tree, as in the product's build, and none that is measured. */
export function warm([pool]: readonly string[]): number {
  const environment = unikraftEnvironment({ base: pool!, app: `${pool}/app/hello`, libs: [] });
  const service = new KconfigService({ files: new NodeFiles(), cwd: pool!, root: `${pool}/Config.uk`, dialect: 'uk-5.2', environment });
  service.openConfiguration('').dotConfig();
  return 0;
}
