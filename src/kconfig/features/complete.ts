/** Completion in Config.uk and Kconfig files: what fits the place, ranked by how well its type does. */
import { joinPath } from '../glob';
import { type Files } from '../../shared/files';
import { type FileSyntax } from '../ast';
import { type KSymbol, type Model, type SymbolType } from '../model';
import { tokensOf } from '../parser';
import { cursorAt, surroundings, type Cursor, type Surroundings } from './cursor';
import { functionFacts, keywordFact, statementWords } from './keywords';
import { macrosOf } from './macros';
import { promptOf, type Item, type KconfigView } from './view';

/** What completion needs beside the tree. */
export interface CompletionInput {
  readonly view: KconfigView;
  readonly syntax: FileSyntax;
  readonly offset: number;
  /** For paths. */
  readonly files?: Files;
  readonly cwd?: string;
}

/** Items for an offset of a Kconfig file. */
export function completeKconfig(input: CompletionInput): Item[] {
  const cursor = cursorAt(input.syntax, input.offset, input.view.service.tree.dialect);
  return new Completion(input, cursor).items();
}

/** Whether the type of `symbol` is of use where `wanted` is needed: 0 fits, 1 converts, 2 hardly makes sense. */
function misfit(symbol: KSymbol, wanted: SymbolType | 'logic' | 'number'): number {
  const boolean = symbol.isBoolean;
  switch (wanted) {
    case 'logic':
    case 'bool':
    case 'tristate':
      return boolean ? 0 : symbol.type === 'unknown' ? 2 : 1;
    case 'number':
    case 'int':
    case 'hex':
      return symbol.type === 'int' || symbol.type === 'hex' ? 0 : 2;
    case 'unknown':
      return 0;
    default:
      return symbol.type === wanted ? 0 : boolean ? 2 : 1;
  }
}

class Completion {
  private readonly model: Model;
  private readonly around: Surroundings;

  constructor(
    private readonly input: CompletionInput,
    private readonly cursor: Cursor,
  ) {
    this.model = input.view.service.tree.model;
    this.around = surroundings(input.syntax, cursor.start);
  }

  items(): Item[] {
    const { slot } = this.cursor;
    switch (slot.kind) {
      case 'nothing':
        return [];
      case 'statement':
        return this.statements(slot.indented);
      case 'name':
        return this.names();
      case 'words':
        return slot.words.map((word) => this.plain(word, 'keyword', 0, `${word} `));
      case 'operand':
        return this.operands(slot.role);
      case 'operator':
        return this.operators(slot.allowIf);
      case 'compared':
        return this.compared(slot.left, slot.quoted);
      case 'path':
        return this.paths();
      case 'macro':
        return this.macros();
    }
  }

  private base(): { start: number; end: number } {
    return { start: this.cursor.start, end: this.cursor.end };
  }

  private plain(label: string, kind: Item['kind'], rank: number, insert = label, detail?: string): Item {
    return {
      label,
      kind,
      insert,
      rank,
      ...this.base(),
      ...(detail !== undefined && { detail }),
      ...(insert.endsWith(' ') && { again: true }),
    };
  }

  private keyword(word: string, rank: number): Item {
    const fact = keywordFact(word);
    return {
      label: word,
      kind: 'keyword',
      insert: fact?.snippet ?? word,
      snippet: true,
      rank,
      ...this.base(),
      ...(fact && { documentation: fact.about }),
    };
  }

  private statements(indented: boolean): Item[] {
    const { around, model } = this;
    const inner = around.blocks.at(-1);
    const items: Item[] = [];
    const options = optionWords(around, model);
    items.push(...options.map((word, index) => this.keyword(word, (indented ? 0 : 100) + index)));
    const allowed = inner === 'choice' ? ['config', 'comment', 'if', ...(model.dialect.sourceInChoice ? ['source'] : [])] : undefined;
    const words = allowed ?? statementWords(model.dialect);
    items.push(...words.map((word, index) => this.keyword(word, (indented ? 100 : 10) + index)));
    if (inner) items.push(this.keyword(`end${inner}`, indented ? 99 : 5));
    if (this.input.syntax.statements.every((one) => one.start >= this.cursor.start)) items.push(this.keyword('mainmenu', 20));
    return items;
  }

  /** Names that are used but not defined come first: somebody is waiting for them. */
  private names(): Item[] {
    const used = [...this.model.byName.values()].filter((symbol) => !symbol.isConstant && !/^\d/.test(symbol.label));
    return used.map((symbol) => ({
      ...this.symbol(symbol, symbol.isDefined ? 1 : 0),
      detail: symbol.isDefined ? `${symbol.type}  defined already` : 'used, but not defined',
    }));
  }

  private symbol(symbol: KSymbol, rank: number, insert = symbol.label): Item {
    const prompt = promptOf(symbol);
    const detail = [symbol.isDefined ? symbol.type : 'undefined', ...(prompt === undefined ? [] : [prompt])].join('  ');
    return { label: symbol.label, kind: 'symbol', insert, rank, ...this.base(), detail, symbol: symbol.label };
  }

  private *defined(): Generator<KSymbol> {
    const own = this.around.statement;
    const ownName = own && 'name' in own ? own.name?.text : undefined;
    for (const symbol of this.model.byName.values()) {
      if (symbol.isDefined && !symbol.isChoice && !symbol.isConstant && symbol.label !== ownName) yield symbol;
    }
  }

  private operands(role: 'condition' | 'default' | 'select' | 'imply' | 'range'): Item[] {
    switch (role) {
      case 'select':
      case 'imply':
        // Members of a choice cannot be selected, numbers and texts neither.
        return [...this.defined()]
          .filter((one) => one.isBoolean && !one.choice)
          .map((one) => this.symbol(one, one.type === 'tristate' ? 11 : 10));
      case 'range':
        return [...this.defined()].filter((one) => misfit(one, 'number') === 0).map((one) => this.symbol(one, 10));
      case 'default':
        return this.defaults();
      case 'condition':
        return [...[...this.defined()].map((one) => this.symbol(one, 10 + misfit(one, 'logic'))), this.plain('!', 'operator', 20, '!')];
    }
  }

  private defaults(): Item[] {
    const { around, cursor } = this;
    if (around.entry === 'choice') return this.members().map((one) => this.symbol(one, 0));
    const own = this.input.syntax.statements.find((one) => one.start <= cursor.start && one.end >= cursor.start);
    const written = (own && tokensOf(own, this.input.syntax)[0]?.text) ?? '';
    const type: SymbolType = written.startsWith('def_') ? (written.slice(4) as SymbolType) : (around.type ?? this.knownType());
    const values: Item[] = [];
    if (type === 'bool' || type === 'tristate' || type === 'unknown') values.push(this.plain('y', 'value', 0), this.plain('n', 'value', 1));
    if (type === 'tristate') values.push(this.plain('m', 'value', 2));
    if (type === 'string') values.push({ ...this.plain('""', 'value', 0), insert: '"$1"', snippet: true });
    for (const option of around.options) {
      if (option.kind === 'range')
        values.push(...[option.low, option.high].map((token) => this.plain(token.text, 'value', 3, token.text, 'end of the range')));
    }
    const symbols = [...this.defined()].filter((one) => misfit(one, type) === 0);
    return [...values, ...symbols.map((one) => this.symbol(one, 10))];
  }

  /** The type that other definitions of the entry's symbol give it. */
  private knownType(): SymbolType {
    const own = this.around.statement;
    const name = own && (own.kind === 'config' || own.kind === 'menuconfig') ? own.name.text : undefined;
    return (name !== undefined && this.model.byName.get(name)?.type) || 'unknown';
  }

  private members(): readonly KSymbol[] {
    const own = this.around.statement;
    for (const node of this.model.nodes()) {
      if (node.kind !== 'choice' || node.statement !== own) continue;
      // A choice that is not ended yet swallows what follows, in other files as well.
      return (node.symbol?.members ?? []).filter((member) => member.nodes.some(({ file }) => file === node.file));
    }
    return [];
  }

  private operators(allowIf: boolean): Item[] {
    const operators = ['&&', '||', '=', '!='].map((text, index) => this.plain(text, 'operator', index, `${text} `));
    return allowIf ? [this.plain('if', 'keyword', 0, 'if '), ...operators] : operators;
  }

  private compared(left: string, quoted: boolean): Item[] {
    const symbol = this.model.byName.get(left);
    const type = symbol?.type ?? 'unknown';
    const items: Item[] = [];
    const quote = (text: string): string => (quoted || (type !== 'string' && type !== 'unknown') ? text : `"${text}"`);
    if (type === 'bool' || type === 'tristate') {
      items.push(...['y', ...(type === 'tristate' ? ['m'] : []), 'n'].map((value, index) => this.plain(value, 'value', index)));
    } else for (const value of symbol ? knownValues(symbol) : []) items.push(this.plain(value, 'value', 0, quote(value)));
    if (quoted) return items;
    const same = [...this.defined()].filter((one) => one !== symbol && misfit(one, type) === 0);
    return [...items, ...same.map((one) => this.symbol(one, 10))];
  }

  private paths(): Item[] {
    const { files, cwd } = this.input;
    if (!files || cwd === undefined) return [];
    const { word, end } = this.cursor;
    const slash = word.lastIndexOf('/') + 1;
    const { environment } = this.input.view.service.tree;
    const given = word.slice(0, slash).replace(/\$\((\w+)\)/g, (whole, name: string) => environment[name] ?? whole);
    const folder = joinPath(cwd, given || '.');
    const start = this.cursor.start + slash;
    const items: Item[] = [];
    for (const name of files.list(folder)) {
      if (name.startsWith('.') || items.length >= 500) continue;
      const isFolder = files.kind(joinPath(folder, name)) === 'directory';
      const likely = /^(?:Config\.uk|Kconfig.*|.*\.uk)$/.test(name);
      if (!isFolder && !likely) continue;
      items.push({
        label: name,
        kind: isFolder ? 'folder' : 'file',
        insert: isFolder ? `${name}/` : name,
        start,
        end,
        rank: isFolder ? 1 : 0,
        ...(isFolder && { again: true }),
      });
    }
    return items;
  }

  private macros(): Item[] {
    const { view } = this.input;
    const items: Item[] = [];
    for (const { name, parameters, about } of functionFacts) {
      items.push({
        ...this.plain(name, 'macro', 2, parameters.length > 0 ? `${name},` : name, `$(${[name, ...parameters].join(',')})`),
        documentation: about,
      });
    }
    const seen = new Set<string>();
    for (const macro of macrosOf(this.model)) {
      if (seen.has(macro.name)) continue;
      seen.add(macro.name);
      items.push(this.plain(macro.name, 'macro', 0, macro.parameters > 0 ? `${macro.name},` : macro.name, macro.value));
    }
    for (const [name, value] of Object.entries(view.service.tree.environment)) {
      if (value !== undefined && !seen.has(name)) items.push(this.plain(name, 'macro', 1, name, `environment: ${value}`));
    }
    return items;
  }
}

/** Constants that an option's value may be, as far as its definitions name them. */
export function knownValues(symbol: KSymbol): string[] {
  const values = new Set<string>();
  for (const property of symbol.properties) {
    const value = property.kind === 'default' && property.value?.kind === 'symbol' ? property.value.symbol : undefined;
    if (value && !value.isDefined) values.add(value.label);
    for (const bound of [property.low, property.high]) if (bound && !bound.isDefined) values.add(bound.label);
  }
  return [...values];
}

/** The options that the entry may still get. */
function optionWords({ entry, options, type }: Surroundings, { dialect }: Model): string[] {
  if (entry === undefined) return [];
  const has = (kind: string): boolean => options.some((one) => one.kind === kind);
  const number = type === 'int' || type === 'hex';
  const logic = type === 'bool' || type === 'tristate';
  switch (entry) {
    case 'comment':
      return ['depends'];
    case 'menu':
      return ['depends', 'visible'];
    case 'choice':
      return [
        ...(has('prompt') || options.some((one) => one.kind === 'type' && one.prompt) ? [] : ['prompt']),
        'default',
        'depends',
        ...(type === undefined && dialect.richChoices ? ['bool', 'tristate'] : []),
        ...(has('optional') || !dialect.richChoices ? [] : ['optional']),
        ...(has('help') ? [] : ['help']),
      ];
    default:
      return [
        ...(type === undefined ? ['bool', 'int', 'hex', 'string', 'tristate', 'def_bool', 'def_tristate'] : []),
        ...(type === undefined && dialect.engine === 'kconfiglib' ? ['def_int', 'def_hex', 'def_string'] : []),
        'default',
        'depends',
        ...(type === undefined || logic ? ['select', 'imply'] : []),
        ...(type === undefined || number ? ['range'] : []),
        ...(has('prompt') || options.some((one) => one.kind === 'type' && one.prompt) ? [] : ['prompt']),
        ...(has('help') ? [] : ['help']),
        ...(dialect.optionStatement ? ['option'] : []),
        ...(dialect.modulesStatement ? ['modules'] : []),
      ];
  }
}
