/** The configuration editor without an editor: one configuration, what of it is unfolded, searched for and selected, and the changes made to it. */
import { type Configuration } from '../kconfig/configuration';
import { parseDotConfig } from '../kconfig/dotconfig/read';
import { type Evaluation } from '../kconfig/evaluate';
import { isMakeVariable } from '../kconfig/features/dotconfig-check';
import { type MenuNode, type Model } from '../kconfig/model';
import { type KconfigService } from '../kconfig/service';
import { type Banner, type ChangeView, type Details, type EffectView, type PlansView, type Row, type State } from '../shared/config-editor';
import { DetailsMaker } from './config-editor-details';
import { bestHit, parseQuery, search, type Query } from './config-editor-query';
import { flatten, isChanged, isNew, isRow, makeRow, titleOf, type Comparisons, type FlatRow } from './config-editor-rows';

/** What came of a change. */
export interface Outcome {
  readonly accepted: boolean;
  /** For people: what was done, or why it was refused. */
  readonly text: string;
  readonly changes: readonly ChangeView[];
}

/** What the configuration calls its own file in the places that it gives. */
export const ownName = '.config';

interface Counts {
  readonly options: number;
  readonly changed: number;
  readonly different: number;
  readonly banners: readonly Banner[];
}

/** More rows than this are not given at once. */
const mostRows = 500;

export class ConfigEditorModel {
  readonly configuration: Configuration;
  private savedConfiguration: Configuration;
  private inFile: ReadonlySet<string>;
  private comparison: { readonly name: string; readonly configuration: Configuration } | undefined;
  private flat: readonly FlatRow[] | undefined;
  private indexes: Map<MenuNode, number> | undefined;
  private nodesById = new Map<number, MenuNode>();
  private counts: Counts | undefined;
  private seen: Model;
  private generation = 1;
  private revision = 1;
  private showAll = false;
  private queryText = '';
  private query: Query = parseQuery('');
  private hits: readonly MenuNode[] | undefined;
  private kept: ReadonlySet<MenuNode> | undefined;
  private hitSet: ReadonlySet<MenuNode> | undefined;
  /** Keys of the entries that are unfolded, and of those that were folded within a search. */
  private readonly unfolded = new Set<string>();
  private readonly foldedHits = new Set<string>();
  private selectedKey: string | undefined;

  /** @param base the folder that paths are shown without. */
  constructor(
    readonly service: KconfigService,
    text: string,
    saved: string,
    private readonly base: string,
  ) {
    this.configuration = service.openConfiguration(text, ownName);
    this.savedConfiguration = service.openConfiguration(saved);
    this.inFile = namesIn(text, this.configuration.prefix);
    this.seen = service.tree.model;
    this.index();
    const first = this.rowsNow()[0];
    if (first) this.select(first.node);
  }

  get values(): Evaluation {
    return this.configuration.values;
  }

  // The text

  /** The text has changed from outside: undo, an edit by hand, another program. */
  load(text: string): void {
    this.inFile = namesIn(text, this.configuration.prefix);
    this.configuration.load(text, ownName);
    this.valuesChanged();
  }

  /** The configuration's text, which is written to the file now. */
  write(): string {
    const text = this.configuration.dotConfig();
    this.inFile = namesIn(text, this.configuration.prefix);
    this.counts = undefined;
    return text;
  }

  saved(text: string): void {
    this.savedConfiguration = this.service.openConfiguration(text);
    this.valuesChanged();
  }

  /** Files of the tree have changed. */
  treeChanged(): void {
    if (this.service.tree.model === this.seen) return;
    this.seen = this.service.tree.model;
    this.generation++;
    this.index();
    this.valuesChanged();
  }

  compare(name: string | undefined, text = ''): void {
    this.comparison = name === undefined ? undefined : { name, configuration: this.service.openConfiguration(text) };
    this.valuesChanged();
  }

  // What is shown

  setShowAll(on: boolean): void {
    this.showAll = on;
    this.changed();
  }

  fold(node: MenuNode, open: boolean): void {
    const key = keyOf(node);
    if (this.kept) {
      if (open) this.foldedHits.delete(key);
      else this.foldedHits.add(key);
    } else if (open) this.unfolded.add(key);
    else this.unfolded.delete(key);
    this.changed();
  }

  foldAll(open: boolean): void {
    this.unfolded.clear();
    this.foldedHits.clear();
    for (const node of this.seen.nodes()) {
      if (node.children.length === 0) continue;
      if (open) this.unfolded.add(keyOf(node));
      else if (this.kept) this.foldedHits.add(keyOf(node));
    }
    this.changed();
  }

  /** Searches; selects the best hit where the selection is none. */
  search(text: string): void {
    if (text === this.queryText) return;
    this.queryText = text;
    this.query = parseQuery(text);
    this.foldedHits.clear();
    this.findHits();
    this.changed();
    if (this.hits && this.hits.length > 0) {
      const selected = this.selected;
      const best = bestHit(this.hits, this.query);
      if (best && (selected === undefined || !this.hitSet?.has(selected) || this.query.words.length > 0)) this.select(best);
    } else if (!this.kept && this.selected) this.unfoldTo(this.selected);
  }

  select(node: MenuNode): void {
    this.selectedKey = keyOf(node);
  }

  get selected(): MenuNode | undefined {
    return this.selectedKey === undefined ? undefined : this.nodeByKey(this.selectedKey);
  }

  /** Selects the symbol's entry and makes it show, if need be by showing what is invisible or ending the search. */
  reveal(name: string): boolean {
    const symbol = this.configuration.symbol(name);
    const node = symbol?.nodes.find((each) => this.values.isNodeVisible(each)) ?? symbol?.nodes[0];
    if (!node) return false;
    this.select(node);
    this.revealNode(node);
    return true;
  }

  revealNode(node: MenuNode): void {
    if (this.kept && !this.kept.has(node)) this.search('');
    this.unfoldTo(node);
    if (this.indexOf(node) < 0 && !this.kept) this.setShowAll(true);
  }

  /** The entry of a row; undefined where the row is of an older generation. */
  node(id: number, generation: number): MenuNode | undefined {
    return generation === this.generation ? this.nodesById.get(id) : undefined;
  }

  indexOf(node: MenuNode): number {
    this.rowsNow();
    return this.indexes?.get(node) ?? -1;
  }

  rows(start: number, end: number): Row[] {
    const from = Math.max(0, start);
    const comparisons = this.comparisons();
    return this.rowsNow()
      .slice(from, Math.min(end, from + mostRows))
      .map((flat) => makeRow(this.values, flat, comparisons));
  }

  /** The revision that rows are of. */
  get rowsRevision(): number {
    return this.revision;
  }

  state(): State {
    const rows = this.rowsNow();
    const { selected, values } = this;
    const { modules } = this.seen;
    this.counts ??= this.count();
    const { options, changed, different, banners } = this.counts;
    return {
      revision: this.revision,
      generation: this.generation,
      title: this.seen.root.prompt?.text ?? 'Configuration',
      total: rows.length,
      options,
      ...(this.hits && { found: this.hits.length }),
      changed,
      showAll: this.showAll,
      query: this.queryText,
      ...(this.query.error !== undefined && { queryError: this.query.error }),
      ...(this.comparison && { comparison: { name: this.comparison.name, different } }),
      ...(selected && { selected: selected.id }),
      selectedIndex: selected ? this.indexOf(selected) : -1,
      modules: modules !== undefined && values.tri(modules) !== 0,
      banners,
    };
  }

  details(): Details | undefined {
    const { selected } = this;
    if (!selected) return undefined;
    const index = this.indexOf(selected);
    const flat = this.rowsNow()[index] ?? { node: selected, level: 1, position: 1, siblings: 1, open: undefined };
    return this.maker().details(selected, makeRow(this.values, flat, this.comparisons()));
  }

  // Changing

  /** What a change would bring besides itself. */
  effect(node: MenuNode, value: string): EffectView | undefined {
    return node.symbol && this.maker().effect(node.symbol, value);
  }

  set(node: MenuNode, value: string): Outcome {
    const { symbol } = node;
    if (!symbol) return { accepted: false, text: `${titleOf(node)} has no value.`, changes: [] };
    const before = this.values.text(symbol);
    const preview = this.configuration.preview(symbol, value);
    if (!preview.accepted || this.configuration.set(symbol, value) === undefined)
      return { accepted: false, text: this.refusal(node, value), changes: [] };
    this.valuesChanged();
    const changes = this.maker().others(preview.changes, [symbol]);
    const now = this.values.text(symbol);
    const warning = preview.warnings[0] ? ` ${preview.warnings[0].message}` : '';
    const text = now === before && changes.length === 0 ? '' : `${symbol.label} is ${now === '' ? 'empty' : now} now.${warning}`;
    return { accepted: true, text, changes };
  }

  reset(node: MenuNode): Outcome {
    const { symbol } = node;
    if (!symbol || symbol.isChoice) return { accepted: false, text: `${titleOf(node)} has no value of its own.`, changes: [] };
    this.configuration.reset(symbol);
    this.valuesChanged();
    return { accepted: true, text: `${symbol.label} has its default, ${this.values.text(symbol) || 'empty'}.`, changes: [] };
  }

  plans(name: string, wanted: string): PlansView | undefined {
    const symbol = this.configuration.symbol(name);
    return symbol && this.maker().plans(this.configuration.how(symbol, wanted));
  }

  applyPlan(name: string, wanted: string, index: number): Outcome {
    const symbol = this.configuration.symbol(name);
    // Found anew, so that what is applied fits the configuration as it is now.
    const plan = symbol && this.configuration.how(symbol, wanted).plans[index];
    const changes = plan && this.configuration.apply(plan.steps);
    if (!symbol || !changes) return { accepted: false, text: 'The plan does not fit the configuration any more.', changes: [] };
    this.valuesChanged();
    return { accepted: true, text: `${name} is ${wanted} now.`, changes: this.maker().others(changes, [symbol]) };
  }

  // Inside

  private refusal(node: MenuNode, value: string): string {
    const flat: FlatRow = { node, level: 1, position: 1, siblings: 1, open: undefined };
    const row = makeRow(this.values, flat, this.comparisons());
    const name = row.name ?? row.title;
    if (row.reason !== undefined) return `${name} cannot become ${value}: ${row.reason}.`;
    if (row.kind === 'member') return `${name} stays: choose another member instead.`;
    if (row.low !== undefined && row.high !== undefined) return `${name} takes ${row.type} values from ${row.low} to ${row.high}.`;
    if (row.type === 'int') return `${name} takes a whole number, such as 42.`;
    if (row.type === 'hex') return `${name} takes a hexadecimal number, such as 0x2a.`;
    return `${name} does not take ${value === '' ? 'an empty value' : value} now.`;
  }

  /** What is counted over all options: the same until a value changes. */
  private count(): Counts {
    const symbols = this.seen.symbols.filter((symbol) => symbol.isDefined && !symbol.isChoice && symbol.prompts.length > 0);
    const other = this.comparison?.configuration.values;
    const saved = this.savedConfiguration.values;
    const differing = (from: Evaluation): number => symbols.filter((symbol) => isChanged(this.values, symbol, from)).length;
    return { options: symbols.length, changed: differing(saved), different: other ? differing(other) : 0, banners: this.banners() };
  }

  private banners(): Banner[] {
    const banners: Banner[] = [];
    const errors = this.seen.diagnostics.filter(({ severity }) => severity === 'error');
    const [first] = errors;
    if (first) {
      const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
      banners.push({
        severity: 'error',
        text: `The Kconfig files have an error: ${first.message}${more}`,
        ...(first.file !== undefined && { place: this.maker().place(first.file, first.line ?? 1) }),
      });
    }
    const unrun = this.seen.diagnostics.filter(({ code }) => code === 'shell-off').length;
    if (unrun > 0) {
      const text = `${unrun === 1 ? 'A command' : `${unrun} commands`} of the Kconfig files ${unrun === 1 ? 'was' : 'were'} not run: what only the compiler can tell is taken for no.`;
      banners.push({ severity: 'information', text, action: { title: 'Open Setting', message: { type: 'shellSetting' } } });
    }
    const complaints = this.configuration.diagnostics.filter(({ severity }) => severity === 'warning' || severity === 'error');
    const [complaint] = complaints;
    if (complaint) {
      const more = complaints.length > 1 ? ` (and ${complaints.length - 1} more)` : '';
      banners.push({ severity: 'warning', text: `The file: ${complaint.message}${more}` });
    }
    const strange = [...this.inFile].filter((name) => this.configuration.symbol(name)?.isDefined !== true && !isMakeVariable(name));
    if (strange.length > 0) {
      const { prefix } = this.configuration;
      const more = strange.length > 1 ? ` and ${strange.length - 1} more` : '';
      const text = `The file sets what this tree does not have: ${prefix}${strange[0]!}${more}. The first change leaves ${more ? 'them' : 'it'} out, as make does.`;
      banners.push({ severity: 'warning', text, action: { title: 'Open as Text', message: { type: 'openText' } } });
    }
    const fresh = this.seen.symbols.filter((symbol) => symbol.isDefined && isNew(this.values, symbol, this.inFile)).length;
    if (fresh > 0) {
      const text =
        fresh === 1
          ? 'One option is not in the file and has its default.'
          : `${fresh} options are not in the file and have their defaults.`;
      banners.push({ severity: 'information', text, action: { title: 'Show', message: { type: 'search', query: '@new' } } });
    }
    return banners;
  }

  private maker(): DetailsMaker {
    return new DetailsMaker(this.service, this.configuration, this.base);
  }

  private comparisons(): Comparisons {
    const hits = this.hitSet;
    return {
      saved: this.savedConfiguration.values,
      inFile: this.inFile,
      other: this.comparison?.configuration.values,
      ...(hits && { isContext: (node: MenuNode) => !hits.has(node) }),
    };
  }

  private rowsNow(): readonly FlatRow[] {
    if (this.flat) return this.flat;
    const { kept, values } = this;
    const shows = kept ? (node: MenuNode) => kept.has(node) : this.showAll ? () => true : (node: MenuNode) => values.isNodeVisible(node);
    const isOpen = kept ? (node: MenuNode) => !this.foldedHits.has(keyOf(node)) : (node: MenuNode) => this.unfolded.has(keyOf(node));
    this.flat = flatten(this.seen.root, { shows, isOpen });
    this.indexes = new Map(this.flat.map(({ node }, index) => [node, index]));
    return this.flat;
  }

  private findHits(): void {
    if (this.query.tests.length === 0) {
      this.hits = this.kept = this.hitSet = undefined;
      return;
    }
    const searched = { values: this.values, queries: this.service.tree.queries, comparisons: { ...this.comparisons() } };
    this.hits = search(this.seen, this.query, searched);
    this.hitSet = new Set(this.hits);
    const kept = new Set<MenuNode>(this.hits);
    for (const hit of this.hits) for (let above = hit.parent; above && !kept.has(above); above = above.parent) kept.add(above);
    this.kept = kept;
  }

  private unfoldTo(node: MenuNode): void {
    for (let above = node.parent; above; above = above.parent) {
      this.unfolded.add(keyOf(above));
      this.foldedHits.delete(keyOf(above));
    }
    this.changed();
  }

  private nodeByKey(key: string): MenuNode | undefined {
    this.keys ??= new Map([...this.seen.nodes()].filter(isRow).map((node) => [keyOf(node), node]));
    return this.keys.get(key);
  }

  private keys: Map<string, MenuNode> | undefined;

  private index(): void {
    this.keys = undefined;
    this.nodesById = new Map([...this.seen.nodes()].map((node) => [node.id, node]));
  }

  private valuesChanged(): void {
    this.counts = undefined;
    // What was found stays found while the user goes through it, or rows would vanish under the cursor; a filter for what changed grows.
    if (this.query.tests.length > 0) {
      const before =
        this.hits?.[0] && this.seen === this.service.tree.model && this.nodesById.get(this.hits[0].id) === this.hits[0] ? this.hits : [];
      this.findHits();
      if (before.length > 0 && this.hits) {
        const all = new Set([...before, ...this.hits]);
        this.hitSet = all;
        const kept = new Set<MenuNode>(all);
        for (const hit of all) for (let above = hit.parent; above && !kept.has(above); above = above.parent) kept.add(above);
        this.kept = kept;
        this.hits = [...all];
      }
    }
    this.changed();
  }

  private changed(): void {
    this.flat = undefined;
    this.indexes = undefined;
    this.revision++;
  }
}

function namesIn(text: string, prefix: string): ReadonlySet<string> {
  return new Set(parseDotConfig(text, prefix).assignments.map(({ name }) => name));
}

const keys = new WeakMap<MenuNode, string>();

/** What an entry is known by while files change: its name or title below those above it. */
export function keyOf(node: MenuNode): string {
  const known = keys.get(node);
  if (known !== undefined) return known;
  const own =
    node.symbol?.name ?? (node.symbol?.isChoice ? `choice ${node.symbol.members[0]?.label ?? ''}` : (node.prompt?.text ?? node.kind));
  const key = `${node.parent ? keyOf(node.parent) : ''}/${own}`;
  keys.set(node, key);
  return key;
}
