/** Reads a tree of files into a model: takes statement after statement, opens and closes blocks, and finishes the tree. */
import { type Statement, type StatementOf } from './ast';
import { type BuildInput } from './context';
import { DiagnosticSink } from './diagnostics';
import { finalize } from './finalize';
import { type OptionContext } from './grammar';
import { reportKconfiglib } from './kconfiglib-report';
import { checkLoops, type LoopCheck } from './loops';
import { MenuNode, nameAndPlace, noDetails, textDetails, type KSymbol, type Model, type NodeKind } from './model';
import { isOption } from './options';
import { parseLine } from './parser';
import { type LogicalLine, type Token } from './scanner';
import { SourceReader } from './sources';

export type { BuildInput, ShellRunner } from './context';

/** Blocks nested deeper than this are not followed, so that no input can exhaust the stack. */
const deepestNesting = 400;

/** Builds the model; whatever is wrong with the files is in its diagnostics. */
export function buildModel(input: BuildInput): Model {
  return new Builder(input).build();
}

class Builder extends SourceReader {
  build(): Model {
    this.openRoot();
    const { symbols, sink } = this;
    const read = !this.fatal && !this.grammar.failed;
    if (!this.root.prompt) this.root.prompt = this.property('menu', this.root, undefined, undefined, textDetails('Main menu'));
    const modules = this.modules ?? (this.dialect.engine === 'kconfiglib' ? symbols.byName.get('MODULES') : undefined);
    const silent = read ? sink : new DiagnosticSink();
    const failed = finalize(this.root, symbols, modules ?? symbols.no, this.dialect, silent);
    let order: readonly KSymbol[] | undefined;
    const hashOrder = (): readonly KSymbol[] => (order ??= symbols.inHashOrder(this.dialect));
    const loops = this.loops(hashOrder, silent);
    const { root } = this;
    const model: Model = {
      dialect: this.dialect,
      root,
      symbols: symbols.all,
      byName: symbols.byName,
      get hashOrder() {
        return hashOrder();
      },
      modules,
      defconfigList: this.defconfigList,
      files: this.files,
      inclusions: this.inclusions,
      references: this.references,
      diagnostics: sink.all,
      environment: this.environment,
      refused: !read || failed || loops.found,
      longestChain: loops.longestChain,
      no: symbols.no,
      mod: symbols.mod,
      yes: symbols.yes,
      *nodes() {
        yield* walk(root);
      },
    };
    if (read && this.dialect.engine === 'kconfiglib') reportKconfiglib(model, sink, loops.found);
    return model;
  }

  /** Looks for loops in whichever order is at hand; the engine's own order counts only where there is something to say. */
  private loops(hashOrder: () => readonly KSymbol[], sink: DiagnosticSink): LoopCheck {
    if (this.dialect.engine === 'c') {
      const check = checkLoops(this.symbols.all.slice(3), this.dialect, new DiagnosticSink());
      if (!check.found && check.longestChain !== undefined) return check;
    }
    return checkLoops(hashOrder(), this.dialect, sink);
  }

  private readonly leave = (): void => this.leaveEntry();

  protected override statement(original: Statement): void {
    if (original.problems.length > 0) this.scanProblems(original.problems);
    const file = this.file!.name;
    const statement = original.macros ? this.withoutEmptyWords(original) : original;
    if (!statement) return;
    if (!this.trusted) return this.applyRefused(statement);
    if (this.dialect.engine === 'c') {
      const before = this.sink.all.length;
      const accepted = this.grammar.accept(statement, file, this.leave);
      if (this.fatal) this.sink.all.length = before;
      if (original.problems.length > 0) this.unended(original, file);
      // What can be understood is kept, so that one mistake does not empty the tree.
      if (accepted) return this.apply(statement);
    } else if (this.acceptedByLibrary(statement)) return this.apply(statement);
    this.trusted = false;
    this.applyRefused(statement);
    this.trusted = true;
  }

  private unended(statement: Statement, file: string): void {
    const isLast = statement.problems.some(({ code }) => code === 'no-final-newline');
    if (isLast && this.dialect.unendedLine === 'error') this.grammar.unended(statement, file);
  }

  private applyRefused(statement: Statement): void {
    if (!isOption(statement)) this.brokenBlock(statement);
    else if (this.optionsOf !== 'none') this.apply(statement);
  }

  /** A line in which an unquoted macro stands for nothing is read again without it. */
  private withoutEmptyWords(statement: Statement): Statement | undefined {
    if (statement.kind === 'assignment') return statement;
    const tokens: Token[] = [];
    for (const token of this.tokensOf(statement)) {
      if (token.kind !== 'word' || !token.parts) tokens.push(token);
      else {
        const text = this.macros.expandParts(token.parts);
        if (text !== '') tokens.push({ ...token, text, parts: undefined });
        // What a command would have said is not known, and so neither is what the line says, but for its type.
        else if (this.unanswered) return this.typeAlone(statement);
        else if (this.dialect.engine === 'kconfiglib') this.stop('macro', 'macro expanded to blank string');
      }
    }
    return tokens.length === 0 ? undefined : parseLine(lineOf(statement, tokens), this.dialect);
  }

  /** `bool` of a `def_bool …`; undefined for all other lines. */
  private typeAlone(statement: Statement): Statement | undefined {
    if (statement.kind !== 'default' || statement.type === undefined) return undefined;
    return parseLine(lineOf(statement, [{ ...this.tokensOf(statement)[0]!, text: statement.type }]), this.dialect);
  }

  private acceptedByLibrary(statement: Statement): boolean {
    const { kind } = statement;
    const fail = (reason: string): false => {
      this.stop('syntax', `error: couldn't parse '${this.sourceLine(statement)}': ${reason}`, {
        start: statement.start,
        end: statement.end,
      });
      return false;
    };
    if (kind === 'error') {
      const tokens = this.tokensOf(statement);
      const first = tokens[0]!;
      if (first.kind !== 'keyword') return fail('syntax error');
      if (statement.at === 0) return fail('unrecognized construct');
      return fail(statement.at >= tokens.length ? 'malformed expression' : 'extra tokens at end of line');
    }
    if (kind === 'end') {
      const fits = this.menu !== this.root && this.menu.kind === statement.block && this.menu.file === this.file!.name;
      return fits || fail(`no corresponding '${statement.block}'`);
    }
    if (isOption(statement)) return this.optionsOf !== 'none' || fail('unrecognized construct');
    this.leaveEntry();
    return true;
  }

  /** The block that a broken line was meant to open or close. */
  private brokenBlock(statement: Statement): void {
    const word = this.tokensOf(statement)[0]?.text;
    if (statement.kind === 'end') this.leaveBlock(statement);
    else if (statement.kind !== 'error') this.apply(statement);
    else if (word === 'if' || word === 'menu' || word === 'choice') {
      this.add(word, word === 'choice' ? this.symbols.choice(undefined) : undefined, statement);
      this.enter(word);
    } else if (word === 'config' || word === 'menuconfig')
      this.entry = new MenuNode(this.nodeCount++, 'config', undefined, '', 0, statement);
  }

  private apply(statement: Statement): void {
    switch (statement.kind) {
      case 'mainmenu':
        this.root.prompt = this.prompt('menu', this.root, statement.prompt, undefined, statement);
        return;
      case 'config':
      case 'menuconfig':
        return this.config(statement);
      case 'choice':
        return this.choice(statement);
      case 'menu':
      case 'comment':
        this.add(statement.kind, undefined, statement);
        this.entry.prompt = this.prompt(statement.kind, this.entry, statement.prompt, undefined, statement);
        this.openOptions(statement.kind);
        if (statement.kind === 'menu') this.enter('menu');
        return;
      case 'if':
        this.optionsOf = 'none';
        this.add('if', undefined, statement);
        this.depend(statement.condition, 'if');
        this.enter('if');
        return;
      case 'end':
        this.optionsOf = 'none';
        if (this.dialect.engine === 'c' && this.trusted) this.grammar.close(statement.block, statement, this.file!.name);
        return this.leaveBlock(statement);
      case 'source':
        this.optionsOf = 'none';
        this.source(statement);
        this.optionsOf = 'none';
        return;
      case 'assignment':
        this.optionsOf = 'none';
        return this.macros.assign(this.text(statement.name), statement.operator, statement.value?.text ?? '');
      case 'error':
        return;
      default:
        this.option(statement);
    }
  }

  private config(statement: StatementOf<'config' | 'menuconfig'>): void {
    const symbol = this.resolve(statement.name, 'definition');
    symbol.optional = true;
    this.add(statement.kind, symbol, statement);
    this.property('symbol', this.entry, symbol, statement, noDetails);
    this.openOptions('config');
    let parent: MenuNode | undefined = this.menu;
    while (parent?.kind === 'if') parent = parent.parent;
    this.memberAt = parent?.kind === 'choice' ? this.entry : undefined;
  }

  private choice(statement: StatementOf<'choice'>): void {
    const symbol = this.symbols.choice(statement.name && this.text(statement.name));
    symbol.noWrite = true;
    symbol.optional = false;
    if (!this.dialect.richChoices) symbol.type = 'bool';
    this.add('choice', symbol, statement);
    this.property('symbol', this.entry, symbol, statement, noDetails);
    this.property('choice', this.entry, symbol, statement, noDetails);
    this.openOptions('choice');
    this.enter('choice');
  }

  private openOptions(context: OptionContext): void {
    this.optionsOf = context;
    if (this.trusted) this.grammar.context = context;
  }

  private add(kind: NodeKind, symbol: KSymbol | undefined, statement: Statement): void {
    const node = new MenuNode(this.nodeCount++, kind, symbol, this.file!.name, statement.line, statement);
    node.parent = this.menu;
    this.menu.children.push(node);
    symbol?.addNode(node);
    this.entry = node;
  }

  private enter(kind: 'menu' | 'if' | 'choice'): void {
    if (this.nesting >= deepestNesting) {
      if (!this.fatal) this.stop('too-deep', `blocks are nested more than ${deepestNesting} deep`);
      return;
    }
    this.nesting++;
    this.menu = this.entry;
    if (this.dialect.engine === 'c' && this.trusted) this.grammar.open(kind, this.entry);
  }

  private leaveBlock(statement: StatementOf<'end'>): void {
    for (let node: MenuNode | undefined = this.menu; node && node !== this.root; node = node.parent) {
      if (node.kind !== statement.block) continue;
      node.endStatement = statement;
      for (let left = this.menu; left !== node.parent && left !== this.root; left = left.parent ?? this.root) this.nesting--;
      this.menu = node.parent ?? this.root;
      this.entry = this.menu;
      return;
    }
  }

  /** The options of the current entry have ended. */
  protected override leaveEntry(): void {
    const { entry } = this;
    if (entry.kind === 'menuconfig') {
      if (entry.prompt) entry.prompt = this.asMenuPrompt(entry, entry.prompt);
      else if (this.dialect.engine === 'c')
        this.say('menuconfig-without-prompt', 'warning', ' ', 'warning: menuconfig statement without prompt');
      else this.libraryWarning(`the menuconfig symbol ${nameAndPlace(entry.symbol!)} has no prompt`);
    }
    if (!this.dialect.richChoices) this.checkStrictChoice(entry);
    this.memberAt = undefined;
    if (entry.kind === 'menuconfig') this.entry = this.menu;
  }
}

function lineOf({ line, endLine, start, end, problems }: Statement, tokens: readonly Token[]): LogicalLine {
  return { tokens, line, endLine, start, end, problems, macros: false };
}

function* walk(node: MenuNode): Generator<MenuNode> {
  yield node;
  for (const child of node.children) yield* walk(child);
}
