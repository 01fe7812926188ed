/** The one door to the Kconfig engine: trees, configurations, explanations, plans, checks; without files, processes or editors of its own. */
import { Configuration } from './configuration';
import { type Diagnostic } from './diagnostics';
import { mergeFragments, type Fragment, type Merged } from './fragments';
import { lint, type LintContext } from './lint';
import { KconfigTree, type TreeParameters } from './tree';
import { unikraftEnvironment, type UnikraftTree } from './submenu';

/** Opens trees and answers what is asked about them. */
export class KconfigService {
  readonly tree: KconfigTree;

  constructor(parameters: TreeParameters) {
    this.tree = new KconfigTree(parameters);
  }

  /** A configuration over the tree; any number may exist side by side, one for each target, say. */
  openConfiguration(text?: string, name?: string): Configuration {
    const configuration = new Configuration(this.tree);
    if (text !== undefined) configuration.load(text, name);
    return configuration;
  }

  /** What the dialect's own engine would say about the files, and what only we do. */
  diagnostics(context: LintContext = {}): readonly Diagnostic[] {
    return [...this.tree.model.diagnostics, ...lint(this.tree.model, { environment: this.tree.environment, ...context })];
  }

  /** Merges fragments; later ones win. */
  merge(fragments: readonly Fragment[]): Merged {
    return mergeFragments(this.tree.model, fragments, this.tree.environment);
  }
}

/** A service for a Unikraft project, with the environment that its make would give. */
export function unikraftService(parameters: Omit<TreeParameters, 'root' | 'environment'>, tree: UnikraftTree): KconfigService {
  return new KconfigService({ ...parameters, root: `${tree.base}/Config.uk`, environment: unikraftEnvironment(tree) });
}
