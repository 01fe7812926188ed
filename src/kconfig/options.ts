/** Reads the options of an entry: types, prompts, defaults, selects, ranges, help. */
import { type ExpressionSyntax, type FileSyntax, type Statement, type StatementOf } from './ast';
import { ReadingContext } from './context';
import { andExpr, symbolExpr } from './expression';
import { nameAndPlace, noDetails, Property, textDetails, type KSymbol, type MenuNode } from './model';
import { type Token } from './scanner';

/** The part of the reader that adds properties to the current entry. */
export abstract class OptionReader extends ReadingContext {
  protected asMenuPrompt(entry: MenuNode, prompt: Property): Property {
    const { node, file, line, statement, condition, ownCondition } = prompt;
    const menu = new Property('menu', node, file, line, statement, condition, ownCondition, prompt);
    entry.symbol!.replacePrompt(prompt, menu);
    return menu;
  }

  protected checkStrictChoice(entry: MenuNode): void {
    const fail = (code: string, message: string): void => {
      if (this.fatal) return;
      this.grammar.failed = true;
      this.sink.at(entry.file, entry.line, code, 'error', ' ', `error: ${message}`);
    };
    if (entry.kind === 'choice' && this.grammar.context === 'choice' && !entry.prompt)
      fail('choice-without-prompt', 'choice must have a prompt');
    if (this.memberAt !== entry) return;
    if (!entry.prompt) fail('choice-value-without-prompt', 'choice member must have a prompt');
    if (entry.symbol!.type !== 'bool') fail('choice-value-type', 'choice member must be bool');
  }

  protected option(statement: Statement): void {
    const { entry } = this;
    const { symbol } = entry;
    switch (statement.kind) {
      case 'depends':
        return this.depend(statement.condition, 'depends');
      case 'visible': {
        const condition = this.condition(statement.condition, 'visible');
        entry.visibility = andExpr(entry.visibility, condition);
        return;
      }
      case 'prompt':
        entry.prompt = this.prompt('prompt', entry, statement.prompt, statement.condition, statement);
        return;
      case 'type':
        if (statement.prompt) entry.prompt = this.prompt('prompt', entry, statement.prompt, statement.condition, statement);
        return this.type(statement.type);
      case 'help':
        return this.help(statement);
      default:
        if (symbol) this.symbolOption(statement, entry, symbol);
    }
  }

  protected symbolOption(statement: Statement, entry: MenuNode, symbol: KSymbol): void {
    switch (statement.kind) {
      case 'default':
        return this.default(statement, entry, symbol);
      case 'select':
      case 'imply': {
        const target = this.resolve(statement.target, statement.kind);
        const condition = this.condition(statement.condition, 'condition');
        const details = { text: undefined, value: undefined, target, low: undefined, high: undefined };
        this.property(statement.kind, entry, symbol, statement, details, condition);
        return;
      }
      case 'range': {
        const low = this.resolve(statement.low, 'range');
        const high = this.resolve(statement.high, 'range');
        const details = { text: undefined, value: undefined, target: undefined, low, high };
        this.property('range', entry, symbol, statement, details, this.condition(statement.condition, 'condition'));
        return;
      }
      case 'optional':
        symbol.optional = true;
        return;
      case 'modules':
        return this.setModules(symbol);
      case 'option':
        if (statement.option === 'modules') this.setModules(symbol);
        else if (statement.option === 'allnoconfig_y') symbol.yesInAllNo = true;
        else if (statement.option === 'defconfig_list') this.setDefconfigList(symbol);
        else this.optionEnv(statement, entry, symbol);
        return;
      default:
    }
  }

  protected default(statement: StatementOf<'default'>, entry: MenuNode, symbol: KSymbol): void {
    if (symbol.isChoice) {
      if (statement.value.kind !== 'symbol') return;
      const target = this.resolve(statement.value.token, 'default');
      const details = { text: undefined, value: symbolExpr(target), target, low: undefined, high: undefined };
      this.property('default', entry, symbol, statement, details, this.condition(statement.condition, 'condition'));
      return;
    }
    const value = this.expression(statement.value, 'default');
    const details = { text: undefined, value, target: undefined, low: undefined, high: undefined };
    this.property('default', entry, symbol, statement, details, this.condition(statement.condition, 'condition'));
    if (statement.type) this.type(statement.type);
  }

  protected setModules(symbol: KSymbol): void {
    if (this.dialect.engine === 'kconfiglib') {
      if (symbol.name !== 'MODULES') {
        this.libraryWarning(
          "the 'modules' option is not supported. Let me know if this is a problem for you, as it wouldn't be that hard to implement. Note that modules are supported -- Kconfiglib just assumes the symbol name MODULES, like older versions of the C implementation did when 'option modules' wasn't used.",
          true,
        );
      }
      return;
    }
    if (this.modules && this.dialect.engine === 'c') {
      this.grammar.failed = true;
      this.say(
        'modules-redefined',
        'error',
        ' ',
        `symbol '${symbol.label}' redefines option 'modules' already defined by symbol '${this.modules.label}'`,
      );
    }
    this.modules = symbol;
  }

  protected setDefconfigList(symbol: KSymbol): void {
    if (!this.defconfigList) this.defconfigList = symbol;
    else if (this.defconfigList !== symbol && this.dialect.engine === 'c') {
      this.grammar.failed = true;
      this.say('defconfig-redefined', 'error', ' ', 'trying to redefine defconfig symbol');
    }
    this.defconfigList.noWrite = true;
  }

  protected optionEnv(statement: StatementOf<'option'>, entry: MenuNode, symbol: KSymbol): void {
    const name = statement.value ? this.text(statement.value) : '';
    const value = this.variable(name);
    if (value !== undefined) {
      const constant = symbolExpr(this.symbols.constant(value));
      this.property('default', entry, symbol, statement, { ...noDetails, value: constant });
    }
    symbol.noWrite = true;
    if (name !== symbol.name) {
      this.libraryWarning(
        'Kconfiglib expands environment variables in strings directly, meaning you do not need \'option env=...\' "bounce" symbols. For compatibility with the C tools, ' +
          `rename ${symbol.name} to ${name} (so that the symbol name matches the environment variable name).`,
        true,
      );
    }
  }

  protected help(statement: StatementOf<'help'>): void {
    const { entry } = this;
    const name = entry.symbol?.label ?? '';
    const again = 'defined with more than one help text -- only the last one will be used';
    if (this.dialect.engine === 'c') {
      if (entry.helpStatement) this.say('help-twice', 'warning', ' ', `warning: '${name}' ${again}`);
      if (statement.help.isBlank) this.say('help-blank', 'warning', ' ', `warning: '${name}' defined with blank help text`);
    } else {
      if (!entry.symbol) return;
      if (entry.helpStatement) this.libraryWarning(`${nameAndPlace(entry.symbol)} ${again}`);
      if (libraryHelpIsEmpty(this.file!.syntax.source.text, statement)) {
        this.libraryWarning(`${nameAndPlace(entry.symbol)} has 'help' but empty help text`);
      }
    }
    entry.helpStatement = statement;
  }

  protected type(type: KSymbol['type']): void {
    const { entry } = this;
    const { symbol } = entry;
    if (!symbol || symbol.type === type) return;
    if (symbol.type === 'unknown') {
      symbol.type = type;
      return;
    }
    if (this.dialect.typeConflict === 'last') {
      symbol.type = type;
      this.libraryWarning(`${nameAndPlace(symbol)} defined with multiple types, ${type} will be used`);
      return;
    }
    const message = `ignoring type redefinition of '${symbol.label}' from '${symbol.type}' to '${type}'`;
    if (!this.fatal && this.trusted) this.sink.at(entry.file, entry.line, 'type-redefinition', 'warning', 'warning: ', message);
  }

  protected prompt(
    kind: 'prompt' | 'menu' | 'comment',
    entry: MenuNode,
    token: Token,
    condition: ExpressionSyntax | undefined,
    statement: Statement,
  ): Property {
    let text = this.text(token);
    this.quotesRecommended(token, statement);
    const span = { start: token.start, end: token.end };
    if (this.dialect.engine === 'c') {
      if (text.charCodeAt(0) <= 32 && /^[ \t\n\v\f\r]/.test(text)) {
        this.say('leading-whitespace', 'warning', 'warning: ', 'leading whitespace ignored', span);
        text = text.replace(/^[ \t\n\v\f\r]+/, '');
      }
      if (entry.prompt && entry !== this.root) this.say('prompt-redefined', 'warning', 'warning: ', 'prompt redefined', span);
    } else {
      if (entry.prompt && entry.symbol)
        this.libraryWarning(`${nameAndPlace(entry.symbol)} defined with multiple prompts in single location`);
      if (text !== text.trim() && entry.symbol)
        this.libraryWarning(`${nameAndPlace(entry.symbol)} has leading or trailing whitespace in its prompt`);
      if (entry.symbol) text = text.trim();
    }
    let all = this.condition(condition, 'condition');
    const own = all;
    if (kind === 'prompt') {
      for (let node = entry.parent; node; node = node.parent) all = andExpr(all, node.visibility);
    }
    return this.property(kind, entry, entry.symbol, statement, textDetails(text), all, own);
  }
}

/** True for the statements that belong to the entry before them. */
export function isOption(statement: Statement): boolean {
  switch (statement.kind) {
    case 'type':
    case 'prompt':
    case 'default':
    case 'select':
    case 'imply':
    case 'range':
    case 'depends':
    case 'visible':
    case 'optional':
    case 'option':
    case 'modules':
    case 'help':
      return true;
    default:
      return false;
  }
}

/** The options of an entry, in the syntax that its statement is of. */
export function optionsOf(syntax: FileSyntax, entry: Statement): readonly Statement[] {
  const { statements } = syntax;
  const from = statements.indexOf(entry) + 1;
  if (from === 0) return [];
  // Broken lines between them do not end them.
  const end = statements.findIndex((one, at) => at >= from && one.kind !== 'error' && !isOption(one));
  return statements.slice(from, end < 0 ? undefined : end).filter(isOption);
}

/** The library ends a help text where its first line is not indented. */
function libraryHelpIsEmpty(text: string, statement: StatementOf<'help'>): boolean {
  const body = text.slice(statement.help.start).replace(/^(?:[ \t]*\n)+/, '');
  return !/^[ \t]+\S/.test(body);
}
