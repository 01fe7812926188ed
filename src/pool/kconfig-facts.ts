/** What Config.uk says of libraries: whose option each symbol is, what it selects and depends on, and who needs whom for it. */
import { exprText, forEachSymbol, type Expr } from '../kconfig/expression';
import { type KSymbol, type Model } from '../kconfig/model';
import { type DependencyEdge, type EdgeReason, type Selection } from './library';
import { dirName, isInside } from './tree';

/** A library as far as Config.uk is concerned. */
export interface ConfigOwner {
  readonly name: string;
  readonly folder: string;
  readonly symbol: string | undefined;
  /** Options that its Makefile.uk names, with their conditions. */
  readonly uses: ReadonlyMap<string, string>;
}

/** What Config.uk says of one library. */
export interface ConfigFacts {
  readonly options: string[];
  /** Of the option that enables it; '' where there is none. */
  readonly prompt: string;
  readonly help: string;
  readonly dependsOn: string;
  readonly selections: Selection[];
  /** Needs of other libraries. */
  readonly edges: DependencyEdge[];
}

/** Which library an option belongs to. */
export class Ownership {
  private readonly switches = new Map<string, string>();
  private readonly options = new Map<string, string>();
  /** Libraries that select a symbol which is nobody's switch: the providers of a feature. */
  private readonly features = new Map<string, Set<string>>();

  constructor(
    readonly model: Model,
    private readonly owners: readonly ConfigOwner[],
    realPath: (path: string) => string,
  ) {
    const folders = owners.map((owner) => ({ owner, folder: realPath(owner.folder) }));
    for (const { name, symbol } of owners) if (symbol !== undefined && !this.switches.has(symbol)) this.switches.set(symbol, name);
    const byFile = new Map<string, string | undefined>();
    const ownerOfFile = (file: string): string | undefined => {
      if (byFile.has(file)) return byFile.get(file);
      const at = dirName(realPath(model.files.get(file)?.path ?? file));
      const near = folders.filter(({ folder }) => folder !== '' && isInside(at, folder)).sort((a, b) => b.folder.length - a.folder.length);
      byFile.set(file, near[0]?.owner.name);
      return near[0]?.owner.name;
    };
    for (const [name, symbol] of model.byName) {
      const file = symbol.nodes[0]?.file;
      const owner = this.switches.get(name) ?? (file === undefined ? undefined : ownerOfFile(file));
      if (owner !== undefined) this.options.set(name, owner);
    }
    for (const [name, owner] of this.options) {
      for (const property of model.byName.get(name)?.properties ?? []) {
        const target = property.kind === 'select' ? property.target?.name : undefined;
        if (target === undefined || this.options.has(target)) continue;
        const providers = this.features.get(target) ?? new Set<string>();
        this.features.set(target, providers.add(owner));
      }
    }
  }

  /** The library of an option. */
  ownerOf(symbol: string): string | undefined {
    return this.options.get(symbol);
  }

  /** Whether the option is what enables its library. */
  isSwitch(symbol: string): boolean {
    return this.switches.has(symbol);
  }

  /** Libraries that select the symbol, where it belongs to none. */
  providersOf(feature: string): readonly string[] {
    return [...(this.features.get(feature) ?? [])];
  }

  /** The facts of every library, by its name. */
  facts(): ReadonlyMap<string, ConfigFacts> {
    const result = new Map<string, ConfigFacts>();
    for (const owner of this.owners) result.set(owner.name, this.factsOf(owner));
    return result;
  }

  private factsOf(owner: ConfigOwner): ConfigFacts {
    const { model } = this;
    const main = owner.symbol === undefined ? undefined : model.byName.get(owner.symbol);
    const options = [...this.options].filter(([, name]) => name === owner.name).map(([name]) => name);
    const selections: Selection[] = [];
    const edges = new EdgeList(owner.name, this);
    for (const name of options) {
      const symbol = model.byName.get(name)!;
      for (const property of symbol.properties) {
        const { kind, target, file, line } = property;
        if ((kind === 'select' || kind === 'imply') && target?.name !== undefined) {
          const condition = property.ownCondition ? exprText(property.ownCondition) : '';
          selections.push({
            by: name,
            target: target.name,
            condition,
            weak: kind === 'imply',
            path: model.files.get(file)?.path ?? file,
            line,
          });
          edges.add(kind === 'select' ? 'selects' : 'implies', name, target.name, condition);
        } else if (kind === 'default' || kind === 'prompt') {
          this.eachUse(property.ownCondition, (used) => edges.add('uses', name, used, ''));
          this.eachUse(property.value, (used) => edges.add('uses', name, used, ''));
        }
      }
      const reason: EdgeReason = symbol === main ? 'depends' : 'uses';
      this.eachUse(symbol.directDependency, (used) => edges.add(reason, name, used, ''), symbol === main);
    }
    for (const [used, condition] of owner.uses) edges.add('uses', '', used, condition);
    const prompt = main?.prompts[0]?.text ?? '';
    const help = main?.nodes.find((node) => node.help !== undefined)?.help ?? '';
    const dependsOn = main?.directDependency ? exprText(main.directDependency) : '';
    return { options, prompt, help, dependsOn: dependsOn === 'y' ? '' : dependsOn, selections, edges: edges.all };
  }

  /** Symbols of an expression; with `wanted`, only those that must be on for it to hold. */
  private eachUse(expr: Expr | undefined, visit: (symbol: string) => void, wanted = false): void {
    const named = (symbol: KSymbol): void => {
      if (symbol.name !== undefined && !symbol.isConstant) visit(symbol.name);
    };
    if (!wanted) return forEachSymbol(expr, named);
    if (expr?.kind === 'and' || expr?.kind === 'or') for (const operand of expr.operands) this.eachUse(operand, visit, true);
    else if (expr && expr.kind !== 'not') forEachSymbol(expr, named);
  }
}

/** Edges of one library, each need once. */
class EdgeList {
  readonly all: DependencyEdge[] = [];
  private readonly seen = new Set<string>();

  constructor(
    private readonly from: string,
    private readonly ownership: Ownership,
  ) {}

  add(reason: EdgeReason, by: string, symbol: string, condition: string): void {
    const owner = this.ownership.ownerOf(symbol);
    if (owner !== undefined) this.push(reason, by, symbol, condition, owner);
    // A feature that nobody defines alone: who selects it provides it. What one selects oneself is no need.
    else if (reason === 'depends')
      for (const provider of this.ownership.providersOf(symbol)) this.push(reason, by, symbol, condition, provider, symbol);
  }

  private push(reason: EdgeReason, by: string, symbol: string, condition: string, to: string, feature?: string): void {
    const key = [to, reason, symbol, by].join('\0');
    if (to === this.from || this.seen.has(key)) return;
    this.seen.add(key);
    this.all.push({ from: this.from, to, reason, by, symbol, condition, ...(feature !== undefined && { feature }) });
  }
}
