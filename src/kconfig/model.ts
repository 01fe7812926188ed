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

/** A symbol, a constant (a quoted text), or a choice. */
export class KSymbol {
  type: SymbolType = 'unknown';
  /** Everything said about the symbol, in the order of reading. */
  properties: readonly Property[] = none;
  /** The places that define it. */
  nodes: readonly MenuNode[] = none;
  /** The expression that is this symbol alone, once it is asked for; see `symbolExpr`. */
  asExpr: Expr | undefined;
  /** OR of the dependencies of all definitions; undefined is y. */
  directDependency: Expr | undefined;
  /** OR of `selector && condition`; undefined is n. */
  reverseDependency: Expr | undefined;
  implied: Expr | undefined;
  /** The choice this is a member of. */
  choice: KSymbol | undefined;
  /** A choice's members, in order. */
  members: readonly KSymbol[] = none;
  /** False only for choices that must have a member selected. */
  optional = true;
  noWrite = false;
  yesInAllNo = false;
  /** Indexes into `properties` by kind, made when the tree is finished. */
  prompts: readonly Property[] = none;
  defaults: readonly Property[] = none;
  ranges: readonly Property[] = none;

  constructor(
    readonly id: number,
    readonly name: string | undefined,
    readonly isConstant: boolean,
    readonly isChoice: boolean,
  ) {}

  /** Adds what is said about the symbol, a place that defines it, a member of the choice. */
  addProperty(property: Property): void {
    this.properties = extended(this.properties, property);
  }

  addNode(node: MenuNode): void {
    this.nodes = extended(this.nodes, node);
  }

  addMember(member: KSymbol): void {
    this.members = extended(this.members, member);
  }

  /** Lists the properties by kind. */
  indexProperties(): void {
    for (const property of this.properties) {
      if (property.kind === 'prompt' || property.kind === 'menu') this.prompts = extended(this.prompts, property);
      else if (property.kind === 'default') this.defaults = extended(this.defaults, property);
      else if (property.kind === 'range') this.ranges = extended(this.ranges, property);
    }
  }

  /** Puts one property into another's place. */
  replaceProperty(old: Property, by: Property): void {
    this.properties = this.properties.map((property) => (property === old ? by : property));
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
  return list.length === 0 ? [item] : list.length === 1 ? [list[0]!, item] : list.concat(item);
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
  readonly text: string | undefined;
  readonly value: Expr | undefined;
  readonly target: KSymbol | undefined;
  readonly low: KSymbol | undefined;
  readonly high: KSymbol | undefined;

  constructor(
    readonly kind: PropertyKind,
    readonly node: MenuNode,
    readonly file: string,
    readonly line: number,
    /** Where it is written, unless the engine made it up. */
    readonly statement: Statement | undefined,
    /** The whole condition, with all dependencies of menus and ifs; undefined is y. */
    public condition: Expr | undefined,
    /** The condition as written, without what it inherits. */
    readonly ownCondition: Expr | undefined,
    details: PropertyDetails,
  ) {
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
  parent: MenuNode | undefined;
  children: MenuNode[] = [];
  prompt: Property | undefined;
  /** All dependencies; undefined is y. */
  dependency: Expr | undefined;
  /** The `depends on` of this entry alone. */
  ownDependency: Expr | undefined;
  visibility: Expr | undefined;
  helpStatement: StatementOf<'help'> | undefined;
  /** The statement that ends the block. */
  endStatement: Statement | undefined;

  constructor(
    readonly id: number,
    readonly kind: NodeKind,
    readonly symbol: KSymbol | undefined,
    readonly file: string,
    readonly line: number,
    readonly statement: Statement | undefined,
  ) {}

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
