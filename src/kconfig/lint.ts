/** Checks that no Kconfig engine makes: mistakes in Config.uk files that are silently accepted everywhere. */
import { type Statement } from './ast';
import { type Diagnostic, type Severity } from './diagnostics';
import { exprText, forEachSymbol, type Expr } from './expression';
import { type KSymbol, type MenuNode, type Model, type ModelFile, type Property, type Reference } from './model';
import { leadingNumber } from './values';

/** What is known outside the tree. */
export interface LintContext {
  /** The library that would define a symbol, where one is known. */
  readonly provider?: (symbol: string) => string | undefined;
  /** The prefix of names outside Kconfig. */
  readonly prefix?: string;
  /** The environment of the build. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** All findings about a model, in the order of its files. */
export function lint(model: Model, context: LintContext = {}): Diagnostic[] {
  return new Linter(model, context).run();
}

class Linter {
  private readonly out: Diagnostic[] = [];
  private readonly prefix: string;
  private readonly definedNames: readonly string[];
  private readonly suggestions = new Map<string, string | undefined>();

  constructor(
    private readonly model: Model,
    private readonly context: LintContext,
  ) {
    this.prefix = context.prefix ?? 'CONFIG_';
    this.definedNames = [...model.byName.values()].filter((symbol) => symbol.isDefined).map((symbol) => symbol.label);
  }

  run(): Diagnostic[] {
    this.checkReferences();
    for (const symbol of this.model.symbols) if (symbol.isDefined) this.checkSymbol(symbol);
    for (const node of this.model.nodes()) this.checkNode(node);
    for (const file of this.model.files.values()) this.checkFile(file);
    this.checkInclusions();
    this.checkEnvironment();
    return this.out;
  }

  private add(
    code: string,
    severity: Severity,
    message: string,
    at: Partial<Pick<Diagnostic, 'file' | 'line' | 'start' | 'end' | 'suggestion'>>,
  ): void {
    this.out.push({ code, severity, message, ...at });
  }

  private at(property: Property): { file: string; line: number; start?: number; end?: number } {
    const { file, line, statement } = property;
    return { file, line, ...(statement && { start: statement.start, end: statement.end }) };
  }

  private lineOf(reference: Reference): number {
    return (this.model.files.get(reference.file)?.syntax.source.positionAt(reference.start).line ?? 0) + 1;
  }

  private checkReferences(): void {
    const seen = new Set<string>();
    for (const reference of this.model.references) {
      const { symbol, file, start, end, role } = reference;
      if (symbol.isDefined || symbol.isChoice || isNumber(symbol.label)) continue;
      // A file that is read twice gives each reference twice.
      const key = `${file} ${start}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const where = { file, line: this.lineOf(reference), start, end };
      const name = symbol.label;
      if (name.startsWith(this.prefix) && this.model.byName.get(name.slice(this.prefix.length))?.isDefined) {
        const suggestion = name.slice(this.prefix.length);
        this.add(
          'prefix-in-kconfig',
          'warning',
          `${name} is no symbol: names have no ${this.prefix} here, so this is never true; ${suggestion} is meant`,
          { ...where, suggestion },
        );
      } else if (role === 'default' && /^(?:no|yes|No|Yes|true|false|TRUE|FALSE|NO|YES|Y|N|on|off)$/.test(name)) {
        const suggestion = /^(?:y|t|on)/i.test(name) ? 'y' : 'n';
        this.add(
          'default-yes-no',
          'warning',
          `${name} is no value: it names a symbol that nothing defines, and so is n; write ${suggestion}`,
          { ...where, suggestion },
        );
      } else this.undefinedSymbol(name, role, where);
    }
  }

  private undefinedSymbol(name: string, role: string, where: { file: string; line: number; start: number; end: number }): void {
    const provider = this.context.provider?.(name);
    const suggestion = provider === undefined ? this.suggestion(name) : undefined;
    const effect =
      role === 'select' || role === 'imply'
        ? `this ${role} does nothing`
        : role === 'default'
          ? 'its value is its own name'
          : 'it is never true';
    const hint =
      provider !== undefined ? `; the library ${provider} defines it` : suggestion === undefined ? '' : `; is ${suggestion} meant?`;
    const code = provider === undefined ? 'undefined-symbol' : 'symbol-of-absent-library';
    this.add(code, 'warning', `nothing defines ${name}, so ${effect}${hint}`, {
      ...where,
      ...(suggestion !== undefined && { suggestion }),
    });
  }

  /** Looked for once for each name: trees for many machines name thousands that one of them does not define. */
  private suggestion(name: string): string | undefined {
    if (!this.suggestions.has(name)) this.suggestions.set(name, nearest(name, this.definedNames));
    return this.suggestions.get(name);
  }

  private checkSymbol(symbol: KSymbol): void {
    let open: Property | undefined;
    for (const property of symbol.properties) {
      if (property.kind === 'default') {
        if (open) {
          const place = `${open.file}:${open.line}`;
          this.add(
            'unreachable-default',
            'warning',
            `this default of ${symbol.label} never applies: the one at ${place} always does`,
            this.at(property),
          );
        } else if (!property.condition) open = property;
        this.checkDefaultRange(symbol, property);
      }
      if (property.kind === 'select' || property.kind === 'imply') this.checkSelect(symbol, property);
      this.checkCondition(symbol, property);
    }
    this.checkNumber(symbol);
  }

  private checkSelect(symbol: KSymbol, property: Property): void {
    const target = property.target!;
    if (target.choice) {
      this.add(
        'select-of-choice-member',
        'warning',
        `${property.kind} of ${target.label} has no effect, as it is a member of a choice`,
        this.at(property),
      );
      return;
    }
    if (property.kind !== 'select' || !target.directDependency) return;
    const assured = conjuncts(property.condition);
    assured.add(symbol.label);
    for (const name of impliedBy(symbol)) assured.add(name);
    const open = missing(target.directDependency, assured);
    if (open.length === 0) return;
    const witness = open.map((expr) => exprText(expr)).join(', ');
    const message = `${symbol.label} selects ${target.label} without making sure of its dependencies: ${witness}`;
    this.add('select-of-dependent', 'information', message, this.at(property));
  }

  private checkCondition(symbol: KSymbol, property: Property): void {
    const own = property.ownCondition;
    if (!own || property.kind === 'symbol') return;
    const contradiction = contradictionIn(property.condition);
    if (contradiction) {
      this.add(
        'condition-never-true',
        'warning',
        `the condition of this ${property.kind} of ${symbol.label} is never true: ${contradiction}`,
        this.at(property),
      );
    } else if (alwaysTrue(own)) {
      this.add('condition-always-true', 'information', `the condition ${exprText(own)} is always true`, this.at(property));
    }
  }

  private checkDefaultRange(symbol: KSymbol, property: Property): void {
    if (symbol.type !== 'int' && symbol.type !== 'hex') return;
    const value = property.value?.kind === 'symbol' ? property.value.symbol : undefined;
    // One beside it without a condition of its own applies whenever the default does.
    const range = symbol.ranges.find((one) => !one.condition || (one.node === property.node && !one.ownCondition));
    if (!value || value.isDefined || !range?.low || !range.high || range.low.isDefined || range.high.isDefined) return;
    const base = symbol.type === 'hex' ? 16 : 10;
    const number = leadingNumber(value.label, base);
    if (number >= leadingNumber(range.low.label, base) && number <= leadingNumber(range.high.label, base)) return;
    this.add(
      'default-out-of-range',
      'warning',
      `the default ${value.label} of ${symbol.label} is outside its range ${range.low.label} to ${range.high.label}`,
      this.at(property),
    );
  }

  private checkNumber(symbol: KSymbol): void {
    if ((symbol.type !== 'int' && symbol.type !== 'hex') || symbol.defaults.length > 0 || symbol.ranges.length > 0) return;
    const node = symbol.nodes[0]!;
    const message = `${symbol.label} has no default, so its value is an empty text until one is set; "conf --syncconfig" without a terminal then never ends`;
    this.add('number-without-default', 'warning', message, { file: node.file, line: node.line });
  }

  private checkNode(node: MenuNode): void {
    if (node.kind !== 'menu' || node.children.length > 0) return;
    this.add('empty-menu', 'information', `the menu "${node.prompt?.text ?? ''}" has no entries`, { file: node.file, line: node.line });
  }

  private checkFile(file: ModelFile): void {
    if (file.generated) return;
    const { text } = file.syntax.source;
    for (const statement of file.syntax.statements) {
      if (statement.kind === 'help') this.checkHelp(file, statement, text);
      else if (statement.kind === 'source' && !statement.path.parts && !statement.path.text.startsWith('/')) {
        const message = `the relative path "${statement.path.text}" is looked for in the directory that the build runs in, not beside this file`;
        if (!this.model.dialect.srctree)
          this.add('relative-source', 'warning', message, {
            file: file.name,
            line: statement.line,
            start: statement.path.start,
            end: statement.path.end,
          });
      }
    }
  }

  private checkHelp(file: ModelFile, statement: Statement & { kind: 'help' }, text: string): void {
    const { start, end } = statement.help;
    const first = /\S/.exec(text.slice(start, end));
    if (!first) return;
    const at = start + first.index;
    const column = at - (text.lastIndexOf('\n', at - 1) + 1);
    if (column !== 0) return;
    const line = (/.*/.exec(text.slice(at)) ?? [''])[0];
    this.add('help-swallows', 'warning', `this help text is empty, and so takes the line "${line}" and what follows for its text`, {
      file: file.name,
      line: statement.line,
      start: at,
      end: at + line.length,
    });
  }

  private checkInclusions(): void {
    const first = new Map<string, { readonly file: string; readonly statement: Statement }>();
    for (const inclusion of this.model.inclusions) {
      for (const name of inclusion.found) {
        const path = this.model.files.get(name)?.path ?? name;
        const known = first.get(path);
        if (known) {
          const { file, statement } = inclusion;
          const message = `${name} is read a second time; the first is at ${known.file}:${known.statement.line}`;
          this.add('duplicate-source', 'information', message, { file, line: statement.line, start: statement.start, end: statement.end });
        } else first.set(path, inclusion);
      }
    }
  }

  private checkEnvironment(): void {
    const excluded = this.context.environment?.['KCONFIG_EXCLUDEDIRS'];
    if (excluded === undefined || !/^\/.*\/\//.test(excluded.replace(/([^:/])\/(?=[^/])/g, '$1/'))) return;
    this.add(
      'excluded-colon',
      'warning',
      `the list of excluded directories "${excluded}" has lost its colon, so that nothing is excluded; give one directory`,
      {},
    );
  }
}

function isNumber(text: string): boolean {
  return /^-?\d+$/.test(text) || /^0[xX][0-9a-fA-F]+$/.test(text);
}

/** Names that must be y or m for a condition to hold. */
function conjuncts(expr: Expr | undefined): Set<string> {
  const names = new Set<string>();
  const visit = (one: Expr | undefined): void => {
    if (one?.kind === 'symbol') names.add(one.symbol.label);
    else if (one?.kind === 'compare') names.add(exprText(one));
    else if (one?.kind === 'not') names.add(exprText(one));
    else if (one?.kind === 'and') one.operands.forEach(visit);
  };
  visit(expr);
  return names;
}

/** What holds whenever the symbol does: its dependencies, what it selects without a condition, and what those select. */
function impliedBy(symbol: KSymbol): Set<string> {
  const names = conjuncts(symbol.directDependency);
  const queue = [symbol];
  const seen = new Set(queue);
  for (const one of queue) {
    names.add(one.label);
    for (const property of one.properties) {
      if (property.kind !== 'select' || property.ownCondition || seen.has(property.target!)) continue;
      seen.add(property.target!);
      queue.push(property.target!);
    }
  }
  return names;
}

/** The operands of a dependency that nothing assures. */
function missing(expr: Expr, assured: ReadonlySet<string>): Expr[] {
  if (expr.kind === 'and') return expr.operands.flatMap((operand) => missing(operand, assured));
  if (expr.kind === 'or') return expr.operands.some((operand) => missing(operand, assured).length === 0) ? [] : [expr];
  if (expr.kind === 'symbol' && expr.symbol.isConstant && expr.symbol.label === 'y') return [];
  return assured.has(exprText(expr)) ? [] : [expr];
}

function contradictionIn(expr: Expr | undefined): string | undefined {
  if (expr?.kind === 'symbol') return expr.symbol.isConstant && expr.symbol.label === 'n' ? 'it is n' : undefined;
  if (expr?.kind !== 'and') return undefined;
  const texts = new Set(expr.operands.map((operand) => exprText(operand)));
  for (const operand of expr.operands) {
    if (operand.kind === 'not' && texts.has(exprText(operand.operand)) && isBool(operand.operand))
      return `${exprText(operand.operand)} and ${exprText(operand)}`;
    const inner = contradictionIn(operand);
    if (inner) return inner;
  }
  return undefined;
}

function isBool(expr: Expr): boolean {
  let bool = true;
  forEachSymbol(expr, (symbol) => {
    if (symbol.type === 'tristate') bool = false;
  });
  return bool;
}

function alwaysTrue(expr: Expr): boolean {
  if (expr.kind === 'symbol') return expr.symbol.isConstant && expr.symbol.label === 'y';
  if (expr.kind !== 'or') return false;
  const texts = new Set(expr.operands.map((operand) => exprText(operand)));
  return expr.operands.some((operand) => operand.kind === 'not' && texts.has(exprText(operand.operand)) && isBool(operand.operand));
}

/** The name that differs least from `name`, where one is near enough to be meant. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const limit = name.length < 5 ? 1 : name.length < 12 ? 2 : 3;
  const masks = masksOf(names);
  const own = letterMask(name);
  let best: string | undefined;
  let least = limit + 1;
  for (const [index, candidate] of names.entries()) {
    if (Math.abs(candidate.length - name.length) >= least) continue;
    // An edit takes at most one letter away and brings one in.
    if (bitCount(masks[index]! ^ own) > 2 * (least - 1)) continue;
    const distance = editDistance(name, candidate, least);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** The letters of each name, so that most can be passed over without being compared. */
const masksByList = new WeakMap<readonly string[], Int32Array>();

function masksOf(names: readonly string[]): Int32Array {
  let masks = masksByList.get(names);
  if (!masks) masksByList.set(names, (masks = Int32Array.from(names, letterMask)));
  return masks;
}

/** A bit for each letter or digit that occurs, some sharing one. */
function letterMask(name: string): number {
  let mask = 0;
  for (let at = 0; at < name.length; at++) mask |= 1 << (name.charCodeAt(at) & 31);
  return mask;
}

function bitCount(bits: number): number {
  let count = bits - ((bits >>> 1) & 0x55555555);
  count = (count & 0x33333333) + ((count >>> 2) & 0x33333333);
  return Math.imul((count + (count >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Edits between two words (a swap of neighbours counts as one), or `limit` where there are that many or more. */
function editDistance(a: string, b: string, limit: number): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(previous[j - 1]! + (same ? 0 : 1), previous[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
      least = Math.min(least, cost);
    }
    if (least >= limit) return limit;
    before = previous;
    previous = row;
  }
  return previous[b.length]!;
}
