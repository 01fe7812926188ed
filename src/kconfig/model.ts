/** The configuration's model: symbols, the menu tree, properties and the places where each is written. */
import { type FileSyntax, type Statement, type StatementOf } from './ast';
import { type Dialect } from './dialect';
import { type Diagnostic } from './diagnostics';
import { type Expr } from './expression';

/** n, m, y as numbers, so that min, max and 2-x are the logic of Kconfig. */
export type Tri = 0 | 1 | 2;

/** A symbol's type; `unknown` for names that nothing defines. */
export type SymbolType = 'unknown' | 'bool' | 'tristate' | 'int' | 'hex' | 'string';

/** What most symbols have of members and ranges, and constants of everything. */
const none: readonly never[] = [];

// The fields below are declared and set by the constructors alone: a field that is initialised where it stands is defined first and assigned after, which takes
// several times as long while the code is young, and a tree is mostly read once.

/** A symbol, a constant (a quoted text), or a choice. */
export class KSymbol {
  declare readonly id: number;
  declare readonly name: string | undefined;
  declare readonly isConstant: boolean;
  declare readonly isChoice: boolean;
  declare type: SymbolType;
  /** Everything said about the symbol, in the order of reading. */
  declare properties: readonly Property[];
  /** The places that define it. */
  declare nodes: readonly MenuNode[];
  /** The expression that is this symbol alone, once it is asked for; see `symbolExpr`. */
  declare asExpr: Expr | undefined;
  /** OR of the dependencies of all definitions; undefined is y. */
  declare directDependency: Expr | undefined;
  /** OR of `selector && condition`; undefined is n. */
  declare reverseDependency: Expr | undefined;
  declare implied: Expr | undefined;
  /** The choice this is a member of. */
  declare choice: KSymbol | undefined;
  /** A choice's members, in order. */
  declare members: readonly KSymbol[];
  /** False only for choices that must have a member selected. */
  declare optional: boolean;
  declare noWrite: boolean;
  declare yesInAllNo: boolean;
  /** Those of `properties` that are prompts or titles, defaults, ranges. */
  declare prompts: readonly Property[];
  declare defaults: readonly Property[];
  declare ranges: readonly Property[];

  constructor(id: number, name: string | undefined, isConstant: boolean, isChoice: boolean) {
    this.id = id;
    this.name = name;
    this.isConstant = isConstant;
    this.isChoice = isChoice;
    this.type = 'unknown';
    this.properties = none;
    this.nodes = none;
    this.asExpr = undefined;
    this.directDependency = undefined;
    this.reverseDependency = undefined;
    this.implied = undefined;
    this.choice = undefined;
    this.members = none;
    this.optional = true;
    this.noWrite = false;
    this.yesInAllNo = false;
    this.prompts = none;
    this.defaults = none;
    this.ranges = none;
  }

  /** Adds what is said about the symbol, a place that defines it, a member of the choice. */
  addProperty(property: Property): void {
    this.properties = extended(this.properties, property);
    const { kind } = property;
    if (kind === 'prompt' || kind === 'menu') this.prompts = extended(this.prompts, property);
    else if (kind === 'default') this.defaults = extended(this.defaults, property);
    else if (kind === 'range') this.ranges = extended(this.ranges, property);
  }

  addNode(node: MenuNode): void {
    this.nodes = extended(this.nodes, node);
  }

  addMember(member: KSymbol): void {
    this.members = extended(this.members, member);
  }

  /** Puts one prompt into another's place. */
  replacePrompt(old: Property, by: Property): void {
    const replaced = (property: Property): Property => (property === old ? by : property);
    this.properties = this.properties.map(replaced);
    this.prompts = this.prompts.map(replaced);
  }

  /** The name for people, `<choice>` for a choice without one. */
  get label(): string {
    return this.name ?? '<choice>';
  }

  get isDefined(): boolean {
    return this.nodes.length > 0;
  }

  get isBoolean(): boolean {
    return this.type === 'bool' || this.type === 'tristate';
  }
}

/** A list with one more item, of just that length: an array that is pushed to keeps room for 16 more, which in a large tree is most of its memory. */
function extended<T>(list: readonly T[], item: T): readonly T[] {
  const { length } = list;
  if (length === 0) return [item];
  if (length === 1) return [list[0]!, item];
  if (length === 2) return [list[0]!, list[1]!, item];
  if (length === 3) return [list[0]!, list[1]!, list[2]!, item];
  return list.concat(item);
}

export type PropertyKind = 'prompt' | 'menu' | 'comment' | 'default' | 'select' | 'imply' | 'range' | 'symbol' | 'choice';

/** The parts that only some kinds of property have; objects of one shape, as there are many. */
export interface PropertyDetails {
  /** A prompt's or title's text. */
  readonly text: string | undefined;
  /** A default's value. */
  readonly value: Expr | undefined;
  /** The symbol selected or implied, a choice's default. */
  readonly target: KSymbol | undefined;
  readonly low: KSymbol | undefined;
  readonly high: KSymbol | undefined;
}

/** Of a property that has none. */
export const noDetails: PropertyDetails = { text: undefined, value: undefined, target: undefined, low: undefined, high: undefined };

/** Of a prompt or a title. */
export function textDetails(text: string): PropertyDetails {
  return { text, value: undefined, target: undefined, low: undefined, high: undefined };
}

/** One statement about a symbol (or a menu's title), with the condition under which it holds. */
export class Property {
  declare readonly kind: PropertyKind;
  declare readonly node: MenuNode;
  declare readonly file: string;
  declare readonly line: number;
  /** Where it is written, unless the engine made it up. */
  declare readonly statement: Statement | undefined;
  /** The whole condition, with all dependencies of menus and ifs; undefined is y. */
  declare condition: Expr | undefined;
  /** The condition as written, without what it inherits. */
  declare readonly ownCondition: Expr | undefined;
  declare readonly text: string | undefined;
  declare readonly value: Expr | undefined;
  declare readonly target: KSymbol | undefined;
  declare readonly low: KSymbol | undefined;
  declare readonly high: KSymbol | undefined;

  constructor(
    kind: PropertyKind,
    node: MenuNode,
    file: string,
    line: number,
    statement: Statement | undefined,
    condition: Expr | undefined,
    ownCondition: Expr | undefined,
    details: PropertyDetails,
  ) {
    this.kind = kind;
    this.node = node;
    this.file = file;
    this.line = line;
    this.statement = statement;
    this.condition = condition;
    this.ownCondition = ownCondition;
    this.text = details.text;
    this.value = details.value;
    this.target = details.target;
    this.low = details.low;
    this.high = details.high;
  }
}

export type NodeKind = 'root' | 'menu' | 'if' | 'comment' | 'config' | 'menuconfig' | 'choice';

/** One entry of the menu tree. */
export class MenuNode {
  declare readonly id: number;
  declare readonly kind: NodeKind;
  declare readonly symbol: KSymbol | undefined;
  declare readonly file: string;
  declare readonly line: number;
  declare readonly statement: Statement | undefined;
  declare parent: MenuNode | undefined;
  declare children: MenuNode[];
  declare prompt: Property | undefined;
  /** All dependencies; undefined is y. */
  declare dependency: Expr | undefined;
  /** The `depends on` of this entry alone. */
  declare ownDependency: Expr | undefined;
  declare visibility: Expr | undefined;
  declare helpStatement: StatementOf<'help'> | undefined;
  /** The statement that ends the block. */
  declare endStatement: Statement | undefined;

  constructor(id: number, kind: NodeKind, symbol: KSymbol | undefined, file: string, line: number, statement: Statement | undefined) {
    this.id = id;
    this.kind = kind;
    this.symbol = symbol;
    this.file = file;
    this.line = line;
    this.statement = statement;
    this.parent = undefined;
    this.children = [];
    this.prompt = undefined;
    this.dependency = undefined;
    this.ownDependency = undefined;
    this.visibility = undefined;
    this.helpStatement = undefined;
    this.endStatement = undefined;
  }

  /** The help text, where there is one. */
  get help(): string | undefined {
    return this.helpStatement?.help.text;
  }
}

/** What a name stands for at one place. */
export type ReferenceRole = 'definition' | 'depends' | 'condition' | 'default' | 'select' | 'imply' | 'range' | 'visible' | 'if';

/** One place where a symbol's name is written. */
export interface Reference {
  readonly symbol: KSymbol;
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly role: ReferenceRole;
  /** The entry in which it stands, where there is one. */
  readonly node: MenuNode | undefined;
}

/** A file that was read. */
export interface ModelFile {
  /** The name by which `source` gave it, which is how messages name it. */
  readonly name: string;
  readonly path: string;
  readonly syntax: FileSyntax;
  /** Made by the engine (a generated menu), not on disk. */
  readonly generated: boolean;
}

/** One `source` statement and what it found. */
export interface Inclusion {
  readonly file: string;
  readonly statement: Statement;
  readonly pattern: string;
  readonly found: readonly string[];
}

/** A finished configuration tree. Nothing in it changes when values do. */
export interface Model {
  readonly dialect: Dialect;
  readonly root: MenuNode;
  /** Every symbol that is named, defined or not, and every choice, by id. */
  readonly symbols: readonly KSymbol[];
  /** Named symbols that are no constants. */
  readonly byName: ReadonlyMap<string, KSymbol>;
  /** Symbols and constants in the order that `conf` visits them; made when it is first asked for. */
  readonly hashOrder: readonly KSymbol[];
  /** The symbol that turns modules on. */
  readonly modules: KSymbol | undefined;
  readonly defconfigList: KSymbol | undefined;
  readonly files: ReadonlyMap<string, ModelFile>;
  readonly inclusions: readonly Inclusion[];
  readonly references: readonly Reference[];
  readonly diagnostics: readonly Diagnostic[];
  /** Environment variables that macros read, with their values. */
  readonly environment: ReadonlyMap<string, string>;
  /** True where `conf` would stop with status 1 before computing anything. */
  readonly refused: boolean;
  /** No chain of symbols that are computed from one another is longer; undefined where only the graph can tell. */
  readonly longestChain: number | undefined;
  readonly no: KSymbol;
  readonly mod: KSymbol;
  readonly yes: KSymbol;
  /** All nodes, depth first, in the order of the finished tree. */
  nodes(): Generator<MenuNode>;
}

/** A symbol's name and the places that define it, as the Python library writes them. */
export function nameAndPlace(symbol: KSymbol): string {
  const name = symbol.isChoice ? (symbol.name === undefined ? '<choice>' : `<choice ${symbol.name}>`) : symbol.label;
  if (symbol.nodes.length === 0) return `${name} (undefined)`;
  return `${name} (defined at ${symbol.nodes.map((node) => `${node.file}:${node.line}`).join(', ')})`;
}
