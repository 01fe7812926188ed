/** Reads a tree of files into a model: follows `source`, expands macros, collects symbols, properties and menu nodes. */
import { type Files } from '../shared/files';
import { type ExpressionSyntax, type FileSyntax, type Statement, type StatementOf } from './ast';
import { DiagnosticSink } from './diagnostics';
import { type Dialect } from './dialect';
import { andExpr, compareExpr, joined, symbolExpr, type Expr } from './expression';
import { finalize } from './finalize';
import { glob, hasWildcard, joinPath } from './glob';
import { Grammar, type OptionContext } from './grammar';
import { reportKconfiglib } from './kconfiglib-report';
import { checkLoops } from './loops';
import { Macros } from './macros';
import {
  MenuNode,
  type Inclusion,
  type KSymbol,
  type Model,
  type ModelFile,
  type NodeKind,
  Property,
  type PropertyDetails,
  type PropertyKind,
  type Reference,
  type ReferenceRole,
} from './model';
import { parseFile, parseLine } from './parser';
import { type LogicalLine, type ScanProblem, type Token } from './scanner';
import { answerNatively } from './submenu';
import { SymbolTable } from './symbols';

/** Runs a command for `$(shell,…)`; undefined where commands may not run. */
export type ShellRunner = (command: string) => string | undefined;

/** What a model is built from. */
export interface BuildInput {
  readonly files: Files;
  /** The directory that relative paths start from. */
  readonly cwd: string;
  /** The first file, as it is given to `conf`. */
  readonly root: string;
  readonly dialect: Dialect;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly shell?: ShellRunner | undefined;
  /** Syntax of a text, from a cache where nothing has changed. */
  readonly syntaxOf?: (path: string, text: string) => FileSyntax;
}

/** Files nested deeper than this are taken for a loop. */
const deepestInclusion = 200;
const mostInclusions = 100_000;
/** Blocks nested deeper than this are not followed, so that no input can exhaust the stack. */
const deepestNesting = 400;

/** Builds the model; whatever is wrong with the files is in its diagnostics. */
export function buildModel(input: BuildInput): Model {
  return new Builder(input).build();
}

class Builder {
  private readonly dialect: Dialect;
  private readonly sink = new DiagnosticSink();
  private readonly symbols = new SymbolTable();
  private readonly grammar: Grammar;
  private readonly macros: Macros;
  private readonly files = new Map<string, ModelFile>();
  private readonly inclusions: Inclusion[] = [];
  private readonly references: Reference[] = [];
  private readonly environment = new Map<string, string>();
  private readonly generated = new Map<string, string>();
  private readonly root = new MenuNode(0, 'root', undefined, '', 0, undefined);
  private readonly stack: { readonly file: ModelFile; line: number }[] = [];
  private nodeCount = 1;
  private nesting = 0;
  private menu = this.root;
  private entry: MenuNode = this.root;
  private line = 0;
  private fatal = false;
  private modules: KSymbol | undefined;
  private defconfigList: KSymbol | undefined;
  private memberAt: MenuNode | undefined;
  /** False while a statement is applied that the engine has refused: nothing more is said about it. */
  private trusted = true;
  /** What the entry's options may be, kept through broken lines. */
  private optionsOf: OptionContext = 'none';

  constructor(private readonly input: BuildInput) {
    this.dialect = input.dialect;
    this.grammar = new Grammar(input.dialect, this.sink);
    this.macros = new Macros(input.dialect, {
      filename: () => this.file?.name ?? '',
      line: () => this.line,
      environment: (name) => this.variable(name),
      shell: (command) => this.shell(command),
      info: (text) =>
        this.sink.add({ code: 'info', severity: 'information', message: text, printed: `${text}\n`, channel: 'stdout', ...this.place() }),
      warn: (text) => this.say('warning-if', 'warning', ' ', text),
      fail: (text) => this.stop('macro', text),
    });
  }

  build(): Model {
    this.openRoot();
    const { symbols, sink } = this;
    const read = !this.fatal && !this.grammar.failed;
    if (!this.root.prompt) this.root.prompt = this.property('menu', this.root, undefined, undefined, { text: 'Main menu' });
    const modules = this.modules ?? (this.dialect.engine === 'kconfiglib' ? symbols.byName.get('MODULES') : undefined);
    const silent = read ? sink : new DiagnosticSink();
    const failed = finalize(this.root, symbols, modules ?? symbols.no, this.dialect, silent);
    const hashOrder = symbols.inHashOrder(this.dialect);
    const looped = checkLoops(hashOrder, this.dialect, silent);
    const { root } = this;
    const model: Model = {
      dialect: this.dialect,
      root,
      symbols: symbols.all,
      byName: symbols.byName,
      hashOrder,
      modules,
      defconfigList: this.defconfigList,
      files: this.files,
      inclusions: this.inclusions,
      references: this.references,
      diagnostics: sink.all,
      environment: this.environment,
      refused: !read || failed || looped,
      no: symbols.no,
      mod: symbols.mod,
      yes: symbols.yes,
      *nodes() {
        yield* walk(root);
      },
    };
    if (read && this.dialect.engine === 'kconfiglib') reportKconfiglib(model, sink, looped);
    return model;
  }

  private get file(): ModelFile | undefined {
    return this.stack.at(-1)?.file;
  }

  private place(): { file: string; line: number } {
    return { file: this.file?.name ?? '', line: this.line };
  }

  private say(code: string, severity: 'error' | 'warning', prefix: string, message: string, span?: { start: number; end: number }): void {
    if (!this.fatal && this.trusted) this.sink.at(this.file?.name ?? '', this.line, code, severity, prefix, message, span);
  }

  /** An error after which the engine reads no further; we go on, silently. */
  private stop(code: string, message: string, span?: { start: number; end: number }): void {
    this.say(code, 'error', ' ', message, span);
    this.fatal = true;
  }

  private variable(name: string): string | undefined {
    const value = this.input.environment[name];
    if (value !== undefined) this.environment.set(name, value);
    return value;
  }

  private shell(command: string): string | undefined {
    const answer = answerNatively(command, this.input.files, this.input.cwd);
    if (answer) {
      if (answer.writes) this.generated.set(answer.writes.path, answer.writes.text);
      this.checkShellLength(answer.output);
      return answer.output;
    }
    const output = this.input.shell?.(command);
    if (output === undefined) {
      const message = `the command "${command}" was not run, because running commands is off; it gives an empty text`;
      this.sink.add({ code: 'shell-off', severity: 'information', message, ...this.place() });
    } else this.checkShellLength(output);
    return output;
  }

  private checkShellLength(output: string): void {
    const { shellLimit } = this.dialect;
    if (output.trimEnd().length <= shellLimit) return;
    const message = `the answer of $(shell) has ${output.trimEnd().length} bytes, of which this engine keeps ${shellLimit}`;
    this.sink.add({ code: 'shell-limit', severity: 'warning', message, ...this.place() });
  }

  // Files

  private openRoot(): void {
    const { root } = this.input;
    const file = this.load(root);
    if (!file) {
      const message = this.dialect.engine === 'c' ? `can't find file ${root}` : `Could not open '${root}'`;
      this.sink.add({ code: 'missing-root', severity: 'error', message, file: root, line: 1, printed: `${message}\n`, channel: 'stderr' });
      this.fatal = true;
      return;
    }
    this.read(file);
    this.line = file.syntax.lastLine;
    if (this.dialect.engine === 'c') {
      const before = this.sink.all.length;
      this.grammar.finish(file.name, file.syntax.lastLine, () => this.leaveEntry());
      if (this.fatal) this.sink.all.length = before;
    } else {
      this.leaveEntry();
    }
  }

  private load(name: string): ModelFile | undefined {
    const known = this.files.get(name);
    if (known) return known;
    for (const path of this.candidates(name)) {
      const made = this.generated.get(path);
      const text = made ?? this.input.files.readText(path);
      if (text === undefined) continue;
      const syntax = this.input.syntaxOf?.(path, text) ?? parseFile(text, this.dialect);
      const file = { name, path, syntax, generated: made !== undefined };
      this.files.set(name, file);
      return file;
    }
    return undefined;
  }

  private candidates(name: string): string[] {
    const paths = [joinPath(this.input.cwd, name)];
    const srctree = this.input.environment['srctree'];
    // Even the engine that has no srctree for `source` uses it for the first file.
    if ((this.dialect.srctree || this.stack.length === 0) && srctree && !name.startsWith('/')) {
      const below = joinPath(this.input.cwd, `${srctree}/${name}`);
      // The C engine looks in the working directory first, the library only below srctree.
      if (this.dialect.engine === 'c') paths.push(below);
      else paths.unshift(below);
    }
    return paths;
  }

  private read(file: ModelFile): void {
    this.stack.push({ file, line: 0 });
    for (const statement of file.syntax.statements) {
      this.line = statement.kind === 'help' ? statement.help.endLine : statement.line;
      this.stack.at(-1)!.line = statement.line;
      this.statement(statement);
    }
    this.scanProblems(file.syntax.problems);
    if (this.dialect.engine === 'kconfiglib') this.endOfLibraryFile(file);
    this.stack.pop();
  }

  private endOfLibraryFile(file: ModelFile): void {
    this.leaveEntry();
    if (this.menu === this.root || this.menu.file !== file.name || this.fatal) return;
    const message = `error: expected 'end${this.menu.kind}' at end of '${file.name}'`;
    this.sink.add({
      code: 'missing-end',
      severity: 'error',
      message,
      file: file.name,
      line: this.menu.line,
      printed: `${message}\n`,
      channel: 'stderr',
    });
    this.fatal = true;
  }

  private source(statement: StatementOf<'source'>): void {
    const pattern = this.text(statement.path);
    this.quotesRecommended(statement.path, statement);
    const span = { start: statement.path.start, end: statement.path.end };
    const names = this.sourceNames(statement, pattern);
    this.inclusions.push({ file: this.file!.name, statement, pattern, found: names });
    if (names.length === 0 || (this.inclusions.length > mostInclusions && !this.fatal)) {
      if (names.length > 0) this.stop('too-many-files', 'too many files are included', span);
      return;
    }
    for (const name of names) {
      const file = this.load(name);
      if (!file) {
        if (this.dialect.engine === 'c') this.stop('missing-source', `can't open file "${name}"`, span);
        else this.missingSource(statement, pattern);
        return;
      }
      if (this.stack.some((entry) => entry.file.path === file.path) || this.stack.length >= deepestInclusion) {
        this.recursion(file);
        return;
      }
      const line = this.line;
      this.read(file);
      this.line = line;
    }
  }

  private quotesRecommended(token: Token, statement: Statement): void {
    if (token.kind !== 'word') return;
    this.libraryWarning(`style: quotes recommended around '${token.text}' in '${this.sourceLine(statement)}'`, true);
  }

  private sourceNames(statement: StatementOf<'source'>, pattern: string): readonly string[] {
    const directory = statement.relative ? this.file!.name.slice(0, this.file!.name.lastIndexOf('/') + 1) : '';
    const full = directory + pattern;
    if (this.generated.has(full)) return [full];
    if (this.dialect.globSource) {
      const { srctree = '' } = this.input.environment;
      const below = this.dialect.srctree && srctree && !full.startsWith('/') ? joinPath(this.input.cwd, srctree) : this.input.cwd;
      const names = glob(this.input.files, below, full);
      const found = names.length > 0 ? names : below === this.input.cwd ? [] : glob(this.input.files, this.input.cwd, full);
      if (found.length === 0 && this.dialect.engine === 'kconfiglib' && !statement.optional) this.missingSource(statement, pattern);
      if (found.length === 0 && this.dialect.engine === 'c') {
        const message = hasWildcard(full)
          ? `no file matches "${full}"`
          : `there is no file "${full}"; this engine leaves it out without a word`;
        if (full !== '') {
          const severity = hasWildcard(full) ? 'information' : 'warning';
          this.sink.add({
            code: 'source-without-file',
            severity,
            message,
            ...this.place(),
            start: statement.path.start,
            end: statement.path.end,
          });
        }
      }
      return found;
    }
    return [full];
  }

  private missingSource(statement: StatementOf<'source'>, pattern: string): void {
    const line = this.sourceLine(statement);
    this.stop(
      'missing-source',
      `'${pattern}' not found (in '${line}'). Check that environment variables are set correctly (e.g. $srctree, which is ` +
        `${this.input.environment['srctree'] ? `set to '${this.input.environment['srctree']}'` : 'unset or blank'}). Also note that unset environment variables expand to the empty string.`,
    );
  }

  private recursion(file: ModelFile): void {
    const from = Math.max(
      0,
      this.stack.findIndex((entry) => entry.file.path === file.path),
    );
    const chain = this.stack.slice(from).reverse();
    const lines = chain.map((entry) => `  included from: ${entry.file.name}:${entry.line}`);
    const message = `Recursive inclusion detected.\nInclusion path:\n  current file : ${file.name}\n${lines.join('\n')}`;
    if (!this.fatal) {
      this.sink.add({
        code: 'recursive-inclusion',
        severity: 'error',
        message,
        ...this.place(),
        printed: `${message}\n`,
        channel: 'stderr',
      });
    }
    this.fatal = true;
  }

  private scanProblems(problems: readonly ScanProblem[]): void {
    for (const problem of problems) {
      const span = { start: problem.start, end: problem.end };
      const line = this.line;
      this.line = problem.line;
      if (this.dialect.engine === 'kconfiglib') this.kconfiglibScan(problem);
      else if (problem.code === 'unsupported-character') {
        // The C engine prints one message for each byte.
        for (const byte of bytesOf(problem.detail)) {
          this.say('unsupported-character', 'warning', 'warning: ', `ignoring unsupported character '${byte}'`, span);
        }
      } else if (problem.code === 'multi-line-string') {
        this.line = line;
        this.say('multi-line-string', 'warning', 'warning: ', 'multi-line strings not supported', span);
      } else if (problem.code === 'unterminated-macro') {
        this.stop('unterminated-macro', `unterminated reference to '${problem.detail}': missing ')'`, span);
      } else if (this.dialect.unendedLine === 'warning') {
        this.say('no-final-newline', 'warning', 'warning: ', 'no new line at end of file', span);
      }
      this.line = line;
    }
  }

  private kconfiglibScan(problem: ScanProblem): void {
    const text = this.file!.syntax.source.text;
    const start = text.lastIndexOf('\n', problem.start - 1) + 1;
    const end = text.indexOf('\n', problem.start);
    const line = text.slice(start, end < 0 ? text.length : end).trim();
    const reason =
      problem.code === 'unsupported-character'
        ? 'unknown tokens in line'
        : problem.code === 'multi-line-string'
          ? 'unterminated string'
          : 'missing end parenthesis in macro expansion';
    if (problem.code !== 'no-final-newline') this.stop(problem.code, `error: couldn't parse '${line}': ${reason}`);
  }

  // Statements

  private statement(original: Statement): void {
    this.scanProblems(original.problems);
    const file = this.file!.name;
    const statement = this.withoutEmptyWords(original);
    if (!statement) return;
    if (!this.trusted) return this.applyRefused(statement);
    if (this.dialect.engine === 'c') {
      const before = this.sink.all.length;
      const accepted = this.grammar.accept(statement, file, () => this.leaveEntry());
      if (this.fatal) this.sink.all.length = before;
      if (this.dialect.unendedLine === 'error' && original.problems.some((problem) => problem.code === 'no-final-newline')) {
        this.grammar.unended(statement, file);
      }
      // What can be understood is kept, so that one mistake does not empty the tree.
      if (accepted) return this.apply(statement);
    } else if (this.acceptedByLibrary(statement)) return this.apply(statement);
    this.trusted = false;
    this.applyRefused(statement);
    this.trusted = true;
  }

  private applyRefused(statement: Statement): void {
    if (!isOption(statement)) this.brokenBlock(statement);
    else if (this.optionsOf !== 'none') this.apply(statement);
  }

  /** A line in which an unquoted macro stands for nothing is read again without it. */
  private withoutEmptyWords(statement: Statement): Statement | undefined {
    if (!statement.tokens.some(isMacroWord)) return statement;
    if (statement.kind === 'assignment') return statement;
    const tokens: Token[] = [];
    for (const token of statement.tokens) {
      if (token.kind !== 'word' || !token.parts) tokens.push(token);
      else {
        const text = this.macros.expandParts(token.parts);
        if (text !== '') tokens.push({ ...token, text, parts: undefined });
        else if (this.dialect.engine === 'kconfiglib') this.stop('macro', 'macro expanded to blank string');
      }
    }
    return tokens.length === 0 ? undefined : parseLine(lineOf(statement, tokens), this.dialect);
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
      const first = statement.tokens[0]!;
      if (first.kind !== 'keyword') return fail('syntax error');
      if (statement.at === 0) return fail('unrecognized construct');
      return fail(statement.at >= statement.tokens.length ? 'malformed expression' : 'extra tokens at end of line');
    }
    if (kind === 'end') {
      const fits = this.menu !== this.root && this.menu.kind === statement.block && this.menu.file === this.file!.name;
      return fits || fail(`no corresponding '${statement.block}'`);
    }
    if (isOption(statement)) return this.optionsOf !== 'none' || fail('unrecognized construct');
    this.leaveEntry();
    return true;
  }

  private sourceLine(statement: Statement): string {
    const text = this.file!.syntax.source.text;
    return text.slice(statement.start, statement.end).trim();
  }

  /** The block that a broken line was meant to open or close. */
  private brokenBlock(statement: Statement): void {
    const word = statement.tokens[0]?.text;
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
        this.entry.statements.push(statement);
        this.option(statement);
    }
  }

  private config(statement: StatementOf<'config' | 'menuconfig'>): void {
    const symbol = this.resolve(statement.name, 'definition');
    symbol.optional = true;
    this.add(statement.kind, symbol, statement);
    this.property('symbol', this.entry, symbol, statement, {});
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
    this.property('symbol', this.entry, symbol, statement, {});
    this.property('choice', this.entry, symbol, statement, {});
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
    symbol?.nodes.push(node);
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
  private leaveEntry(): void {
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

  private asMenuPrompt(entry: MenuNode, prompt: Property): Property {
    const { node, file, line, statement, condition, ownCondition, text = '' } = prompt;
    const menu = new Property('menu', node, file, line, statement, condition, ownCondition, { text });
    const { properties } = entry.symbol!;
    const at = properties.indexOf(prompt);
    if (at >= 0) properties[at] = menu;
    return menu;
  }

  private checkStrictChoice(entry: MenuNode): void {
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

  // Options

  private option(statement: Statement): void {
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

  private symbolOption(statement: Statement, entry: MenuNode, symbol: KSymbol): void {
    switch (statement.kind) {
      case 'default':
        return this.default(statement, entry, symbol);
      case 'select':
      case 'imply': {
        const target = this.resolve(statement.target, statement.kind);
        const condition = this.condition(statement.condition, 'condition');
        this.property(statement.kind, entry, symbol, statement, { target }, condition);
        return;
      }
      case 'range': {
        const low = this.resolve(statement.low, 'range');
        const high = this.resolve(statement.high, 'range');
        this.property('range', entry, symbol, statement, { low, high }, this.condition(statement.condition, 'condition'));
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
    }
  }

  private default(statement: StatementOf<'default'>, entry: MenuNode, symbol: KSymbol): void {
    const condition = (): Expr | undefined => this.condition(statement.condition, 'condition');
    if (symbol.isChoice) {
      if (statement.value.kind !== 'symbol') return;
      const target = this.resolve(statement.value.token, 'default');
      this.property('default', entry, symbol, statement, { target, value: symbolExpr(target) }, condition());
      return;
    }
    const value = this.expression(statement.value, 'default');
    this.property('default', entry, symbol, statement, { value }, condition());
    if (statement.type) this.type(statement.type);
  }

  private setModules(symbol: KSymbol): void {
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

  private setDefconfigList(symbol: KSymbol): void {
    if (!this.defconfigList) this.defconfigList = symbol;
    else if (this.defconfigList !== symbol && this.dialect.engine === 'c') {
      this.grammar.failed = true;
      this.say('defconfig-redefined', 'error', ' ', 'trying to redefine defconfig symbol');
    }
    this.defconfigList.noWrite = true;
  }

  private optionEnv(statement: StatementOf<'option'>, entry: MenuNode, symbol: KSymbol): void {
    const name = statement.value ? this.text(statement.value) : '';
    const value = this.variable(name);
    if (value !== undefined) this.property('default', entry, symbol, statement, { value: symbolExpr(this.symbols.constant(value)) });
    symbol.noWrite = true;
    if (name !== symbol.name) {
      this.libraryWarning(
        'Kconfiglib expands environment variables in strings directly, meaning you do not need \'option env=...\' "bounce" symbols. For compatibility with the C tools, ' +
          `rename ${symbol.name} to ${name} (so that the symbol name matches the environment variable name).`,
        true,
      );
    }
  }

  private help(statement: StatementOf<'help'>): void {
    const { entry } = this;
    const name = entry.symbol?.label ?? '';
    const again = 'defined with more than one help text -- only the last one will be used';
    if (this.dialect.engine === 'c') {
      if (entry.help !== undefined) this.say('help-twice', 'warning', ' ', `warning: '${name}' ${again}`);
      if (statement.help.text.trim() === '') this.say('help-blank', 'warning', ' ', `warning: '${name}' defined with blank help text`);
    } else {
      if (!entry.symbol) return;
      if (entry.help !== undefined) this.libraryWarning(`${nameAndPlace(entry.symbol)} ${again}`);
      if (libraryHelpIsEmpty(this.file!.syntax.source.text, statement)) {
        this.libraryWarning(`${nameAndPlace(entry.symbol)} has 'help' but empty help text`);
      }
    }
    entry.help = statement.help.text;
    entry.helpStatement = statement;
  }

  private type(type: KSymbol['type']): void {
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

  private prompt(
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
      if (/^[ \t\n\v\f\r]/.test(text)) {
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
    return this.property(kind, entry, entry.symbol, statement, { text }, all, own);
  }

  private property(
    kind: PropertyKind,
    node: MenuNode,
    owner: KSymbol | undefined,
    statement: Statement | undefined,
    rest: PropertyDetails,
    condition?: Expr,
    ownCondition: Expr | undefined = condition,
  ): Property {
    const file = this.file?.name ?? node.file;
    const property = new Property(kind, node, file, this.line, statement, condition, ownCondition, rest);
    owner?.properties.push(property);
    return property;
  }

  private depend(condition: ExpressionSyntax, role: ReferenceRole): void {
    const expr = this.expression(condition, role);
    this.entry.dependency = andExpr(this.entry.dependency, expr);
    this.entry.ownDependency = this.entry.dependency;
  }

  // Names and expressions

  private condition(syntax: ExpressionSyntax | undefined, role: ReferenceRole): Expr | undefined {
    return syntax && this.expression(syntax, role);
  }

  private expression(syntax: ExpressionSyntax, role: ReferenceRole): Expr {
    switch (syntax.kind) {
      case 'symbol':
        return symbolExpr(this.resolve(syntax.token, role));
      case 'not':
        return { kind: 'not', operand: this.expression(syntax.operand, role) };
      case 'compare': {
        const left = this.resolve(syntax.left, role);
        return compareExpr(syntax.operator, left, this.resolve(syntax.right, role));
      }
      case 'and':
      case 'or':
        return joined(
          syntax.kind,
          syntax.operands.map((operand) => this.expression(operand, role)),
        );
    }
  }

  private resolve(token: Token, role: ReferenceRole): KSymbol {
    const name = this.text(token);
    if (token.kind === 'quoted') return this.symbols.constant(name);
    const symbol = this.symbols.symbol(name);
    if (!symbol.isConstant) {
      this.references.push({
        symbol,
        file: this.file!.name,
        start: token.start,
        end: token.end,
        role,
        node: role === 'definition' ? undefined : this.entry,
      });
    }
    return symbol;
  }

  /** A token's text with its macros expanded. */
  private text(token: Token): string {
    const line = this.line;
    this.line = token.line;
    const text = token.parts ? this.macros.expandParts(token.parts) : token.text;
    this.line = line;
    if (this.dialect.engine !== 'kconfiglib' || !text.includes('$')) return text;
    return text.replace(/\$(?:(\w+)|\{(\w+)\})/g, (whole, plain: string | undefined, braced: string | undefined) => {
      return this.variable(plain ?? braced ?? '') ?? whole;
    });
  }

  private libraryWarning(message: string, placed = false): void {
    if (this.dialect.engine !== 'kconfiglib' || this.fatal) return;
    const printed = placed ? `${this.file?.name}:${this.line}: warning: ${message}\n` : `warning: ${message}\n`;
    this.sink.add({ code: 'kconfiglib', severity: 'warning', message, ...this.place(), printed, channel: 'stderr' });
  }
}

function lineOf({ line, endLine, start, end, problems }: Statement, tokens: readonly Token[]): LogicalLine {
  return { tokens, line, endLine, start, end, problems };
}

function isMacroWord(token: Token): boolean {
  return token.parts !== undefined && token.kind === 'word';
}

function isOption(statement: Statement): boolean {
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

/** A symbol's name and the places that define it, as the Python library writes them. */
export function nameAndPlace(symbol: KSymbol): string {
  const name = symbol.isChoice ? (symbol.name === undefined ? '<choice>' : `<choice ${symbol.name}>`) : symbol.label;
  if (symbol.nodes.length === 0) return `${name} (undefined)`;
  return `${name} (defined at ${symbol.nodes.map((node) => `${node.file}:${node.line}`).join(', ')})`;
}

/** The library ends a help text where its first line is not indented. */
function libraryHelpIsEmpty(text: string, statement: StatementOf<'help'>): boolean {
  const body = text.slice(statement.help.start).replace(/^(?:[ \t]*\n)+/, '');
  return !/^[ \t]+\S/.test(body);
}

function bytesOf(text: string): string[] {
  if (text.charCodeAt(0) < 128) return [text];
  return [...new TextEncoder().encode(text)].map((byte) => String.fromCharCode(byte));
}

function* walk(node: MenuNode): Generator<MenuNode> {
  yield node;
  for (const child of node.children) yield* walk(child);
}
