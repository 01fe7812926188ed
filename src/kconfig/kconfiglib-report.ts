/** The checks that the Python library makes after reading a tree, in its words and order. */
import { type DiagnosticSink } from './diagnostics';
import { type Expr, forEachSymbol } from './expression';
import { nameAndPlace, type KSymbol, type MenuNode, type Model } from './model';
import { alternatives } from './unmet';
import { escapeString, isNumberText } from './values';

/** Adds the library's warnings about a model, or its error about a loop. */
export function reportKconfiglib(model: Model, sink: DiagnosticSink, looped: boolean): void {
  new LibraryReport(model, sink).run(looped);
}

class LibraryReport {
  constructor(
    private readonly model: Model,
    private readonly sink: DiagnosticSink,
  ) {}

  run(looped: boolean): void {
    const defined = this.model.hashOrder.filter((symbol) => symbol.isDefined && !symbol.isChoice && !symbol.isConstant);
    for (const symbol of defined) this.checkSymbol(symbol);
    for (const choice of this.model.hashOrder) if (choice.isChoice && choice.isDefined) this.checkChoice(choice);
    this.checkUndefined();
    if (looped) this.printLoop();
  }

  private warn(message: string): void {
    this.sink.add({ code: 'kconfiglib', severity: 'warning', message, printed: `warning: ${message}\n`, channel: 'stderr' });
  }

  private checkSymbol(symbol: KSymbol): void {
    const place = nameAndPlace(symbol);
    const targets = symbol.properties.filter((property) => property.kind === 'select' || property.kind === 'imply');
    if (symbol.isBoolean) {
      for (const kind of ['select', 'imply'] as const) {
        for (const property of targets) {
          const target = property.target!;
          if (property.kind !== kind || target.type === 'unknown' || target.isBoolean) continue;
          this.warn(
            `${place} ${kind === 'select' ? 'selects' : 'implies'} the ${target.type} symbol ${nameAndPlace(target)}, which is not bool or tristate`,
          );
        }
      }
    } else if (symbol.type === 'unknown') this.warn(`${place} defined without a type`);
    else {
      for (const property of symbol.defaults) {
        const source = property.value?.kind === 'symbol' ? property.value.symbol : undefined;
        if (!source) continue;
        if (symbol.type === 'string') {
          if (!source.isConstant && !source.isDefined && !(/[A-Z]/.test(source.label) && source.label === source.label.toUpperCase())) {
            this.warn(`style: quotes recommended around default value for string symbol ${place}`);
          }
        } else if (!this.isNumber(source, symbol)) {
          this.warn(`the ${symbol.type} symbol ${place} has a non-${symbol.type} default ${this.operandPlace(source)}`);
        }
      }
      if (targets.length > 0) this.warn(`the ${symbol.type} symbol ${place} has selects or implies`);
    }
    this.checkRanges(symbol, place);
  }

  private checkRanges(symbol: KSymbol, place: string): void {
    if (symbol.ranges.length === 0) return;
    if (symbol.type !== 'int' && symbol.type !== 'hex') {
      this.warn(`the ${symbol.type} symbol ${place} has ranges, but is not int or hex`);
      return;
    }
    for (const { low, high } of symbol.ranges) {
      if (this.isNumber(low!, symbol) && this.isNumber(high!, symbol)) continue;
      this.warn(
        `the ${symbol.type} symbol ${place} has a non-${symbol.type} range [${this.operandPlace(low!)}, ${this.operandPlace(high!)}]`,
      );
    }
  }

  private isNumber(source: KSymbol, symbol: KSymbol): boolean {
    return source.isDefined ? source.type === symbol.type : isNumberText(symbol.type, source.label, this.model.dialect);
  }

  private operandPlace(symbol: KSymbol): string {
    return symbol.isConstant ? `"${symbol.label}"` : nameAndPlace(symbol);
  }

  private checkChoice(choice: KSymbol): void {
    const place = nameAndPlace(choice);
    if (!choice.isBoolean) this.warn(`${place} defined with type ${choice.type}`);
    if (!choice.nodes.some((node) => node.prompt)) this.warn(`${place} defined without a prompt`);
    for (const { target } of choice.defaults) {
      if (target && target.choice !== choice)
        this.warn(`the default selection ${nameAndPlace(target)} of ${place} is not contained in the choice`);
    }
    for (const member of choice.members) this.checkMember(member, choice);
  }

  private checkMember(member: KSymbol, choice: KSymbol): void {
    const place = nameAndPlace(member);
    if (member.defaults.length > 0) {
      this.warn(`default on the choice symbol ${place} will have no effect, as defaults do not affect choice symbols`);
    }
    for (const [expr, word] of [
      [member.reverseDependency, 'selected'],
      [member.implied, 'implied'],
    ] as const) {
      if (!expr) continue;
      const by = alternatives(expr).map((one) => `\n - ${nameAndPlace(firstSymbol(one))}`);
      this.warn(
        `the choice symbol ${place} is ${word} by the following symbols, but select/imply has no effect on choice symbols${by.join('')}`,
      );
    }
    for (const node of member.nodes) {
      if (node.parent?.symbol === choice) {
        if (!node.prompt) this.warn(`the choice symbol ${place} has no prompt`);
      } else if (node.prompt) this.warn(`the choice symbol ${place} is defined with a prompt outside the choice`);
    }
  }

  private checkUndefined(): void {
    const nodes = [...this.model.nodes()].filter((node) => node.kind !== 'if' && node.kind !== 'root');
    const uses = new Map<KSymbol, MenuNode[]>();
    for (const node of nodes) {
      for (const symbol of referenced(node)) {
        const list = uses.get(symbol);
        if (list) list.push(node);
        else uses.set(symbol, [node]);
      }
    }
    for (const symbol of this.model.symbols) {
      if (symbol.isConstant || symbol.isChoice || symbol.isDefined || symbol.name === 'MODULES') continue;
      if (/^\s*[+-]?\d+(_\d+)*\s*$/.test(symbol.label) || /^0[xX][0-9a-fA-F]+$/.test(symbol.label)) continue;
      const places = (uses.get(symbol) ?? []).map((node) => `\n\n- Referenced at ${node.file}:${node.line}:\n\n${nodeText(node)}`);
      this.warn(`undefined symbol ${symbol.label}:${places.join('')}`);
    }
  }

  private printLoop(): void {
    const at = this.sink.all.findIndex((diagnostic) => diagnostic.code === 'loop');
    const loop = this.sink.all[at];
    if (!loop) return;
    const items = (loop.suggestion ?? '').split(' ').map((id) => this.model.symbols[Number(id)]!);
    const first = items[0]!;
    let text = '\nDependency loop\n===============\n\n';
    for (const item of items) {
      if (item !== first) text += `...depends on ${item.choice ? 'the choice symbol ' : ''}`;
      text += `${nameAndPlace(item)}, with definition...\n\n${item.nodes.map(nodeText).join('\n\n')}\n\n`;
      if (item.isChoice) continue;
      const reverse = libraryExpr(item.reverseDependency) ?? 'n';
      if (item.reverseDependency) text += `(select-related dependencies: ${reverse})\n\n`;
      if (item.implied) text += `(imply-related dependencies: ${reverse})\n\n`;
    }
    text += `...depends again on ${nameAndPlace(first)}\n`;
    const node = first.nodes[0];
    this.sink.all.splice(at, 1);
    this.sink.add({
      code: 'loop',
      severity: 'error',
      message: loop.message,
      ...(node && { file: node.file, line: node.line }),
      printed: text,
      channel: 'stderr',
    });
  }
}

function firstSymbol(expr: Expr): KSymbol {
  const first = expr.kind === 'and' ? expr.operands[0]! : expr;
  return first.kind === 'symbol' ? first.symbol : firstSymbol(first);
}

function referenced(node: MenuNode): Set<KSymbol> {
  const found = new Set<KSymbol>();
  const note = (symbol: KSymbol): void => void found.add(symbol);
  forEachSymbol(node.dependency, note);
  forEachSymbol(node.visibility, note);
  for (const property of node.symbol?.properties ?? (node.prompt ? [node.prompt] : [])) {
    if (property.node !== node) continue;
    forEachSymbol(property.condition, note);
    forEachSymbol(property.value, note);
    for (const symbol of [property.target, property.low, property.high]) if (symbol) note(symbol);
  }
  return found;
}

/** An expression as the library prints it: comparisons with blanks, constants quoted. */
function libraryExpr(expr: Expr | undefined): string | undefined {
  if (!expr) return undefined;
  const name = (symbol: KSymbol): string => {
    if (symbol.isChoice) return symbol.name === undefined ? '<choice>' : `<choice ${symbol.name}>`;
    return symbol.isConstant && symbol.type !== 'tristate' ? `"${escapeString(symbol.label)}"` : symbol.label;
  };
  switch (expr.kind) {
    case 'symbol':
      return name(expr.symbol);
    case 'compare':
      return `${name(expr.left)} ${expr.operator} ${name(expr.right)}`;
    case 'not':
      return expr.operand.kind === 'symbol' ? `!${libraryExpr(expr.operand)}` : `!(${libraryExpr(expr.operand)})`;
    case 'and':
      return expr.operands.map((operand) => (operand.kind === 'or' ? `(${libraryExpr(operand)})` : libraryExpr(operand))).join(' && ');
    case 'or':
      return expr.operands.map((operand) => (operand.kind === 'and' ? `(${libraryExpr(operand)})` : libraryExpr(operand))).join(' || ');
  }
}

/** An entry written out again, as the library shows it in messages. */
function nodeText(node: MenuNode): string {
  const { symbol, prompt } = node;
  if (!symbol) {
    let text = `${node.kind} "${prompt?.text ?? ''}"`;
    if (node.dependency) text += `\n\tdepends on ${libraryExpr(node.dependency)}`;
    if (node.visibility) text += `\n\tvisible if ${libraryExpr(node.visibility)}`;
    return text;
  }
  const lines = [symbol.isChoice ? (symbol.name === undefined ? 'choice' : `choice ${symbol.name}`) : `${node.kind} ${symbol.label}`];
  const add = (text: string, condition: Expr | undefined): void => {
    lines.push(`\t${text}${condition ? ` if ${libraryExpr(condition)}` : ''}`);
  };
  const own = symbol.properties.filter((property) => property.node === node);
  const typed = symbol.type !== 'unknown';
  if (typed && !prompt) add(symbol.type, undefined);
  if (prompt) add(`${typed ? symbol.type : 'prompt'} "${escapeString(prompt.text ?? '')}"`, prompt.ownCondition);
  for (const kind of ['range', 'default', 'select', 'imply'] as const) {
    for (const property of own) {
      if (property.kind !== kind) continue;
      if (kind === 'range') add(`range ${libraryOperand(property.low!)} ${libraryOperand(property.high!)}`, property.ownCondition);
      else if (kind === 'default') add(`default ${libraryExpr(property.value)}`, property.ownCondition);
      else add(`${kind} ${property.target!.label}`, property.ownCondition);
    }
    if (kind === 'default' && symbol.isChoice && symbol.optional) add('optional', undefined);
  }
  if (node.dependency) add(`depends on ${libraryExpr(node.dependency)}`, undefined);
  if (node.help !== undefined) {
    add('help', undefined);
    for (const line of node.help.trimEnd().split('\n')) add(`  ${line}`, undefined);
  }
  return lines.join('\n');
}

function libraryOperand(symbol: KSymbol): string {
  return libraryExpr({ kind: 'symbol', symbol })!;
}
