/** Gathers what the configuration editor's details pane tells about an entry: the proof of its value, what hangs on it, what a change would do. */
import { type Configuration } from '../kconfig/configuration';
import { defaultText } from '../kconfig/dotconfig/defconfig';
import { triText, type Change, type Evaluation } from '../kconfig/evaluate';
import { type Answer } from '../kconfig/how';
import { type KSymbol, type MenuNode } from '../kconfig/model';
import { type KconfigService } from '../kconfig/service';
import { clauseOf, type Clause, type Rule } from '../kconfig/why';
import {
  mostChanges,
  type ChangeView,
  type ClauseView,
  type Crumb,
  type Details,
  type EffectView,
  type LinkList,
  type OptionLink,
  type PlansView,
  type Row,
  type RuleView,
  type SourcePlace,
} from '../shared/config-editor';
import { acceptedValues, isModified, isRow, symbolTitle, titleOf } from './config-editor-rows';

/** Turns the engine's answers into the page's views. */
export class DetailsMaker {
  constructor(
    private readonly service: KconfigService,
    private readonly configuration: Configuration,
    /** Paths are shown without this. */
    private readonly base: string,
  ) {}

  details(node: MenuNode, row: Row): Details {
    const { symbol } = node;
    const { values } = this;
    const places = (symbol && !symbol.isChoice ? symbol.nodes : [node]).map((each) => this.place(each.file, each.line));
    const empty: LinkList = { links: [], count: 0 };
    const help = symbol?.nodes.find((each) => each.help !== undefined)?.help ?? node.help;
    const base: Details = {
      row,
      crumbs: crumbsOf(node),
      ...(help !== undefined && { help }),
      places,
      resettable: false,
      effects: [],
      rules: [],
      selects: empty,
      implies: empty,
      selectedBy: empty,
      impliedBy: empty,
      dependents: empty,
      unreachable: [],
      ...(node.dependency && { dependsOn: this.clause(clauseOf(values, node.dependency)) }),
    };
    if (!symbol) return base;
    const proof = this.configuration.why(symbol);
    const accepts = acceptedValues(values, symbol);
    const now = values.text(symbol);
    const { queries } = this.service.tree;
    const selectors = queries.selectorsOf(symbol);
    const by = (kind: 'select' | 'imply'): LinkList =>
      this.list(selectors.filter((property) => property.kind === kind).flatMap((property) => property.node.symbol ?? []));
    const targets = (kind: 'select' | 'imply'): LinkList =>
      this.list(symbol.properties.filter((property) => property.kind === kind).flatMap((property) => property.target ?? []));
    const wanted = symbol.isChoice || !symbol.isBoolean ? [] : values.typeOf(symbol) === 'tristate' ? ['y', 'm', 'n'] : ['y', 'n'];
    const isMember = symbol.choice !== undefined;
    return {
      ...base,
      ...(!symbol.isChoice && !isMember && { usual: defaultText(values, symbol) }),
      resettable: !symbol.isChoice && values.hasUserValue(symbol) && isModified(values, symbol),
      effects: accepts.filter((value) => value !== now && !(isMember && value === 'n')).map((value) => this.effect(symbol, value)),
      summary: proof.reason.text,
      rules: proof.rules.map((rule) => this.rule(rule)),
      selects: targets('select'),
      implies: targets('imply'),
      selectedBy: by('select'),
      impliedBy: by('imply'),
      dependents: this.list(
        queries
          .usersOf(symbol)
          .filter(
            (user) => user.isDefined && !user.isChoice && user !== symbol && !symbol.properties.some(({ target }) => target === user),
          ),
      ),
      unreachable: wanted.filter(
        (value) => value !== now && !accepts.some((accepted) => accepted === value) && !(isMember && value === 'n'),
      ),
    };
  }

  /** What setting a value would change besides the symbol itself. */
  effect(symbol: KSymbol, value: string): EffectView {
    const { accepted, changes, warnings } = this.configuration.preview(symbol, value);
    const others = accepted ? this.others(changes, [symbol]) : [];
    return { value, changes: others.slice(0, mostChanges), count: others.length, warnings: warnings.map(({ message }) => message) };
  }

  /** Changes as the page shows them, without those of some symbols. */
  others(changes: readonly Change[], without: readonly KSymbol[]): ChangeView[] {
    return changes.filter(({ symbol }) => !without.includes(symbol) && symbol.name !== undefined).map((change) => this.change(change));
  }

  plans(answer: Answer): PlansView {
    const { symbol, wanted, plans, obstacles, complete } = answer;
    return {
      name: symbol.label,
      wanted,
      complete,
      obstacles: obstacles.map((clause) => this.clause(clause)),
      plans: plans.map((plan) => {
        const steps = plan.steps.map((step) => ({
          name: step.symbol.label,
          ...titled(step.symbol),
          before: this.values.text(step.symbol),
          after: step.value,
        }));
        const rest = this.others(
          plan.changes,
          plan.steps.map((step) => step.symbol),
        ).filter(({ name }) => name !== symbol.label);
        return { steps, changes: rest.slice(0, mostChanges), count: rest.length };
      }),
    };
  }

  place(file: string, line: number): SourcePlace {
    const path = this.service.tree.model.files.get(file)?.path ?? file;
    const short = path.startsWith(`${this.base}/`) ? path.slice(this.base.length + 1) : path.split('/').slice(-3).join('/');
    return { label: `${short}:${line}`, path, line };
  }

  private get values(): Evaluation {
    return this.configuration.values;
  }

  private change({ symbol, before, after, visibleBefore, visibleAfter }: Change): ChangeView {
    const visibility =
      visibleBefore === 0 && visibleAfter !== 0 ? 'appears' : visibleBefore !== 0 && visibleAfter === 0 ? 'disappears' : undefined;
    return { name: symbol.label, ...titled(symbol), before, after, ...(visibility && { visibility }) };
  }

  private link(symbol: KSymbol): OptionLink {
    return {
      name: symbol.label,
      ...titled(symbol),
      defined: symbol.isDefined,
      ...(symbol.isDefined && !symbol.isChoice && { value: this.values.text(symbol) }),
    };
  }

  private list(symbols: readonly KSymbol[]): LinkList {
    const unique = [...new Set(symbols)].filter((symbol) => symbol.name !== undefined);
    return { links: unique.slice(0, mostChanges).map((symbol) => this.link(symbol)), count: unique.length };
  }

  private clause(clause: Clause): ClauseView {
    return {
      text: clause.text.replaceAll('<choice>', 'the choice'),
      value: triText(clause.value),
      kind: clause.kind,
      operands: clause.operands.map((operand) => this.clause(operand)),
      symbols: clause.symbols.map(({ symbol }) => this.link(symbol)),
    };
  }

  private rule({ kind, effect, text, file, line, condition, by }: Rule): RuleView {
    return {
      kind,
      effect,
      text,
      ...(file !== undefined && line !== undefined && { place: this.place(file, line) }),
      ...(condition && condition.kind !== 'none' && { condition: this.clause(condition) }),
      ...(by?.name !== undefined && !by.isChoice && { by: this.link(by) }),
    };
  }
}

function titled(symbol: KSymbol): { readonly title?: string } {
  const title = symbolTitle(symbol);
  return title === undefined ? {} : { title };
}

/** The menus above an entry, the topmost first. */
export function crumbsOf(node: MenuNode): Crumb[] {
  const crumbs: Crumb[] = [];
  for (let above = node.parent; above; above = above.parent) {
    if (isRow(above)) crumbs.unshift({ id: above.id, title: titleOf(above) });
  }
  return crumbs;
}
