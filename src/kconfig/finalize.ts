/** Finishes the menu tree: hands dependencies down, builds reverse dependencies, choices and automatic submenus, checks properties. */
import { type DiagnosticSink } from './diagnostics';
import { type Dialect } from './dialect';
import { andExpr, compareExpr, containsSymbol, dependsOnSymbol, joined, mapped, orExpr, symbolExpr, type Expr } from './expression';
import { type KSymbol, type MenuNode, type Property } from './model';
import { Simplifier } from './simplify';
import { type SymbolTable } from './symbols';
import { isValidText } from './values';

/** Finishes the tree below `root`; true where the dialect refuses it. */
export function finalize(root: MenuNode, table: SymbolTable, modules: KSymbol, dialect: Dialect, sink: DiagnosticSink): boolean {
  const finalizer = new Finalizer(table, modules, dialect, sink);
  finalizer.finish(root, 0);
  finalizer.gather();
  return finalizer.failed;
}

/** Automatic submenus nested deeper than this are left flat, so that no input can exhaust the stack. */
const deepestSubmenu = 250;

class Finalizer {
  failed = false;
  private submenus = 0;
  private readonly simplifier: Simplifier;
  private readonly reverse = new Map<KSymbol, Expr[]>();
  private readonly weak = new Map<KSymbol, Expr[]>();
  private readonly checked = new Set<KSymbol>();
  private readonly simplifies: boolean;

  constructor(
    private readonly table: SymbolTable,
    private readonly modules: KSymbol,
    private readonly dialect: Dialect,
    private readonly sink: DiagnosticSink,
  ) {
    this.simplifies = dialect.engine === 'c';
    this.simplifier = new Simplifier(table, table.all.length, (symbol, forced) => {
      const message = `boolean symbol ${symbol.label} tested for 'm'? test forced to '${forced}'`;
      sink.add({ code: 'bool-tested-for-m', severity: 'warning', message, printed: `${message}\n`, channel: 'stdout' });
    });
  }

  /** Joins what selects and implies said about each symbol, once rather than one operand at a time. */
  gather(): void {
    for (const [symbol, conditions] of this.reverse) symbol.reverseDependency = joined('or', conditions);
    for (const [symbol, conditions] of this.weak) symbol.implied = joined('or', conditions);
  }

  /** @param place where the entry stands among its siblings. */
  finish(parent: MenuNode, place: number): void {
    const { symbol } = parent;
    if (parent.children.length > 0) {
      if (symbol?.isChoice) this.typeChoice(parent, symbol);
      const inherited = symbol?.isChoice ? symbolExpr(symbol) : parent.prompt ? parent.prompt.condition : parent.dependency;
      for (let at = 0; at < parent.children.length; at++) this.inherit(parent.children[at]!, inherited);
      for (let at = 0; at < parent.children.length; at++) this.finish(parent.children[at]!, at);
    } else if (symbol) {
      this.gatherSubmenu(parent, symbol, place + 1);
      symbol.directDependency = this.alternative(symbol, parent.dependency);
    }
    this.flatten(parent);
    if (symbol && !this.checked.has(symbol)) this.check(parent, symbol);
    if (symbol && !symbol.optional && parent.prompt) {
      this.add(this.reverse, symbol, andExpr(parent.prompt.condition, symbolExpr(this.table.mod))!);
    }
  }

  private alternative(symbol: KSymbol, dependency: Expr | undefined): Expr | undefined {
    const direct = symbol.directDependency;
    if (this.dialect.engine === 'c') return orExpr(direct, dependency);
    // The library takes a definition without dependencies for y, which makes all others moot.
    if (symbol.nodes.some((node) => !node.dependency)) return undefined;
    return orExpr(direct, dependency);
  }

  private typeChoice(parent: MenuNode, choice: KSymbol): void {
    if (choice.type === 'unknown') {
      const typed = parent.children.find((child) => child.symbol && child.symbol.type !== 'unknown');
      if (typed) choice.type = typed.symbol!.type;
    }
    for (const child of parent.children) if (child.symbol?.type === 'unknown') child.symbol.type = choice.type;
  }

  /** Gives an entry and its properties the dependencies of what it stands in. */
  private inherit(child: MenuNode, inherited: Expr | undefined): void {
    const base = this.combined(inherited, child.dependency);
    child.dependency = base;
    const properties = child.symbol ? child.symbol.properties : child.prompt ? [child.prompt] : [];
    const bool = this.simplifies && this.dialect.shortensTests && child.symbol !== undefined && child.symbol.type !== 'tristate';
    const usual = bool ? this.simplifier.forBool(base) : base;
    for (let at = 0; at < properties.length; at++) {
      const property = properties[at]!;
      if (property.node !== child) continue;
      let condition = usual;
      if (property.condition) {
        condition = this.combined(base, property.condition);
        if (bool) condition = this.simplifier.forBool(condition);
      }
      property.condition = condition;
      if (property.kind !== 'select' && property.kind !== 'imply') continue;
      const into = property.kind === 'select' ? this.reverse : this.weak;
      this.add(into, property.target!, andExpr(symbolExpr(child.symbol!), condition)!);
    }
    const { prompt } = child;
    // A menuconfig's prompt was replaced by one that is listed with the symbol; keep both the same.
    if (prompt && child.symbol && !properties.includes(prompt))
      child.prompt =
        properties.find((property) => property.line === prompt.line && property.text === prompt.text && property.node === child) ?? prompt;
  }

  private add(into: Map<KSymbol, Expr[]>, target: KSymbol, condition: Expr): void {
    const list = into.get(target);
    if (list) list.push(condition);
    else into.set(target, [condition]);
  }

  private combined(inherited: Expr | undefined, own: Expr | undefined): Expr | undefined {
    if (!own) return inherited;
    const rewritten = this.withModules(own);
    if (!this.simplifies) return this.withoutYes(andExpr(rewritten, inherited));
    return this.simplifier.withoutDuplicates(andExpr(inherited, this.simplifier.transform(rewritten)));
  }

  private withoutYes(expr: Expr | undefined): Expr | undefined {
    if (expr?.kind === 'symbol') return expr.symbol === this.table.yes ? undefined : expr;
    if (expr?.kind !== 'and') return expr;
    const kept = expr.operands.filter((operand) => operand.kind !== 'symbol' || operand.symbol !== this.table.yes);
    return kept.length === 0 ? undefined : joined('and', kept);
  }

  private readonly toModules = (expr: Expr): Expr => this.withModules(expr);

  /** `m` alone stands for `m && MODULES`. */
  private withModules(expr: Expr): Expr {
    switch (expr.kind) {
      case 'symbol':
        return expr.symbol === this.table.mod ? andExpr(expr, symbolExpr(this.modules))! : expr;
      case 'not': {
        const operand = this.withModules(expr.operand);
        return operand === expr.operand ? expr : { kind: 'not', operand };
      }
      case 'and':
      case 'or':
        return mapped(expr, this.toModules);
      default:
        return expr;
    }
  }

  /** Entries directly after a symbol that depend on it become its children. */
  private gatherSubmenu(parent: MenuNode, symbol: KSymbol, from: number): void {
    const siblings = parent.parent?.children;
    if (!siblings || this.submenus >= deepestSubmenu) return;
    this.submenus++;
    this.gatherFrom(parent, symbol, siblings, from);
    this.submenus--;
  }

  private gatherFrom(parent: MenuNode, symbol: KSymbol, siblings: MenuNode[], from: number): void {
    let basis: Expr | undefined;
    let at = from;
    for (; at < siblings.length; at++) {
      const child = siblings[at]!;
      const condition = child.prompt ? child.prompt.condition : child.dependency;
      if (!condition || !containsSymbol(condition, symbol)) break;
      if (!dependsOnSymbol(condition, symbol, this.table)) {
        basis ??= this.notNo(parent.prompt?.condition);
        const [, rest] = this.simplifier.withoutCommon(this.notNo(condition), basis);
        if (!this.simplifier.isYes(rest)) break;
      }
      this.finish(child, at);
    }
    if (at === from) return;
    const gathered = siblings.splice(from, at - from);
    for (const child of gathered) child.parent = parent;
    parent.children = gathered;
  }

  private notNo(expr: Expr | undefined): Expr {
    return this.simplifier.withoutDuplicates(this.simplifier.transform(this.simplifier.compared(expr, '!=', this.table.no)))!;
  }

  /** Puts the entries of ifs (and of entries without a prompt) into their parent, and makes members of a choice's entries. */
  private flatten(parent: MenuNode): void {
    const { children, symbol } = parent;
    if (children.length === 0) return;
    const choice = symbol?.isChoice ? symbol : undefined;
    if (!choice && !children.some(dissolves)) return;
    const out: MenuNode[] = [];
    const queue = [...children].reverse();
    while (queue.length > 0) {
      const child = queue.pop()!;
      if (choice && child.symbol && !child.symbol.choice) this.join(child, child.symbol, choice);
      out.push(child);
      if (child.children.length === 0 || child.prompt) continue;
      if (child.kind === 'choice' && !this.simplifies) continue;
      for (const inner of child.children) inner.parent = parent;
      for (let at = child.children.length - 1; at >= 0; at--) queue.push(child.children[at]!);
      child.children = [];
    }
    parent.children = out;
  }

  private join(node: MenuNode, member: KSymbol, choice: KSymbol): void {
    const strict = !this.dialect.richChoices;
    if (!node.prompt && !strict) this.warnAt(node, 'choice-value-without-prompt', 'choice value must have a prompt');
    for (const property of member.properties) {
      if (property.kind === 'default') {
        this.warnOrFail(property, 'choice-value-default', 'defaults for choice values not supported', strict);
      }
      if (property.node === node) continue;
      if (property.text !== undefined && property.node.parent?.symbol !== choice) {
        const message = strict ? 'choice value has a prompt outside its choice group' : 'choice value used outside its choice group';
        this.warnOrFail(property, 'choice-value-outside', message, strict);
      }
    }
    if (choice.type === 'tristate' && member.type !== 'tristate') {
      const whole = compareExpr('=', choice, this.table.yes);
      node.dependency = andExpr(whole, node.dependency);
      for (const property of member.properties) if (property.node === node) property.condition = andExpr(whole, property.condition);
    }
    member.choice = choice;
    choice.addMember(member);
  }

  private check(parent: MenuNode, symbol: KSymbol): void {
    this.checked.add(symbol);
    if (this.dialect.engine !== 'c') return;
    if (symbol.type === 'unknown') this.warnAt(parent, 'no-type', 'config symbol defined without type');
    if (symbol.isChoice && !parent.prompt) this.warnAt(parent, 'choice-without-prompt', 'choice must have a prompt');
    for (let at = 0; at < symbol.properties.length; at++) this.checkProperty(symbol, symbol.properties[at]!);
  }

  private checkProperty(symbol: KSymbol, property: Property): void {
    const { kind, target, value, low, high } = property;
    const number = symbol.type === 'int' || symbol.type === 'hex';
    if (kind === 'default') {
      if ((number || symbol.type === 'string') && value?.kind !== 'symbol') {
        this.warn(property, 'default-not-single', `default for config symbol '${symbol.label}' must be a single symbol`);
      }
      if (value?.kind !== 'symbol') return;
      if (number && !isNumberFor(symbol, value.symbol)) this.warn(property, 'number-invalid', `'${symbol.label}': number is invalid`);
      if (symbol.isChoice && value.symbol.choice !== symbol) {
        this.warn(property, 'choice-default-outside', `choice default symbol '${value.symbol.label}' is not contained in the choice`);
      }
    } else if (kind === 'select' || kind === 'imply') {
      if (!symbol.isBoolean) {
        this.warn(property, 'select-by-wrong-type', `config symbol '${symbol.label}' uses ${kind}, but is not bool or tristate`);
      } else if (target!.type !== 'unknown' && !target!.isBoolean) {
        const message = `'${target!.label}' has wrong type. '${kind}' only accept arguments of bool and tristate type`;
        this.warn(property, 'select-wrong-type', message);
      }
    } else if (kind === 'range') {
      if (!number) this.warn(property, 'range-wrong-type', 'range is only allowed for int or hex symbols');
      if (!isNumberFor(symbol, low!) || !isNumberFor(symbol, high!)) this.warn(property, 'range-invalid', 'range is invalid');
    }
  }

  private warnOrFail(property: Property, code: string, message: string, fails: boolean): void {
    if (!fails) return this.warn(property, code, message);
    this.failed = true;
    this.sink.at(property.file, property.line, code, 'error', ' ', `error: ${message}`, property.statement);
  }

  private warn(property: Property, code: string, message: string): void {
    if (this.dialect.engine === 'c') this.sink.at(property.file, property.line, code, 'warning', 'warning: ', message, property.statement);
  }

  private warnAt(node: MenuNode, code: string, message: string): void {
    if (this.dialect.engine === 'c') this.sink.at(node.file, node.line, code, 'warning', 'warning: ', message, node.statement);
  }
}

/** True for an if, or an entry without a prompt, whose children belong to its parent. */
function dissolves(child: MenuNode): boolean {
  return child.children.length > 0 && !child.prompt;
}

function isNumberFor(symbol: KSymbol, other: KSymbol): boolean {
  return other.type === 'int' || other.type === 'hex' || (other.type === 'unknown' && isValidText(symbol.type, other.label));
}
