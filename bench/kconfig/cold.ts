/** Entry of a process that loads a tree once: `node cold.cjs BUNDLE TREE.json`. */
import { createRequire } from 'node:module';
import { loadCompiled } from '../../debug-adapter/compiled-bundle.node';

const [bundle, ...args] = process.argv.slice(2);
loadCompiled(bundle!);
const { once } = createRequire(bundle!)(bundle!) as { once: (argv: readonly string[]) => number };
process.exit(once(args));
