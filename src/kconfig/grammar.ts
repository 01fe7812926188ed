/** Says in the C engine's words what is wrong with the order of statements, following its parser through its error recovery. */
import { type Statement } from './ast';
import { type DiagnosticSink } from './diagnostics';
import { type Dialect } from './dialect';
import { type MenuNode } from './model';
import { type Token } from './scanner';

/** Which statements may add to the entry that is being read. */
export type OptionContext = 'none' | 'config' | 'choice' | 'menu' | 'comment';

export type BlockKind = 'menu' | 'if' | 'choice';

interface Block {
  readonly kind: BlockKind;
  readonly node: MenuNode;
  /** Inside a choice fewer statements may stand. */
  readonly inChoice: boolean;
  /** The entry's own options are still being read. */
  header: boolean;
}

/** What may follow `config`: by far the most statements. */
const optionsOfConfig = new Set<Statement['kind']>([
  'type',
  'prompt',
  'default',
  'select',
  'imply',
  'range',
  'option',
  'modules',
  'depends',
  'help',
]);

const inEntry: readonly OptionContext[] = ['config', 'choice'];
const inConfig: readonly OptionContext[] = ['config'];

const optionContexts = new Map<Statement['kind'], readonly OptionContext[]>([
  ['type', inEntry],
  ['prompt', inEntry],
  ['default', inEntry],
  ['select', inConfig],
  ['imply', inConfig],
  ['range', inConfig],
  ['option', inConfig],
  ['modules', inConfig],
  ['optional', ['choice']],
  ['visible', ['menu']],
  ['depends', ['config', 'choice', 'menu', 'comment']],
  ['help', inEntry],
]);

/** After an error that many tokens must fit before another syntax error is reported. */
const tokensUntilTrusted = 3;

/** Follows the statements of all files as one stream. */
export class Grammar {
  private readonly blocks: Block[] = [];
  context: OptionContext = 'none';
  private distrust = 0;
  private first = true;
  /** Set when the engine would refuse the tree after reading it. */
  failed = false;

  constructor(
    private readonly dialect: Dialect,
    private readonly sink: DiagnosticSink,
    private readonly tokensOf: (statement: Statement) => readonly Token[],
  ) {}

  /** True where the statement may stand here; otherwise says why not. `leave` is called when the current entry's options have ended. */
  accept(statement: Statement, file: string, leave: () => void): boolean {
    if (this.context === 'config' && this.distrust === 0 && optionsOfConfig.has(statement.kind)) return true;
    const first = this.first;
    this.first = false;
    const contexts = optionContexts.get(statement.kind);
    const at = this.mistakeAt(statement, contexts, first);
    if (at !== undefined) {
      this.mistake(statement, at, file, leave);
      return false;
    }
    if (!contexts) this.leaveOptions(leave);
    if (this.distrust > 0) {
      const tokens = statement.kind === 'help' ? 3 : this.tokensOf(statement).length + 1;
      this.distrust = Math.max(0, this.distrust - tokens);
    }
    return true;
  }

  open(kind: BlockKind, node: MenuNode): void {
    const inChoice = kind === 'choice' || (kind === 'if' && !this.dialect.sourceInChoice && (this.blocks.at(-1)?.inChoice ?? false));
    this.blocks.push({ kind, node, inChoice, header: kind !== 'if' });
  }

  /** An accepted `endmenu`, `endif` or `endchoice`; true where it fits the block it ends. */
  close(kind: BlockKind, statement: Statement, file: string): boolean {
    const block = this.blocks.pop();
    if (!block) return false;
    const span = { start: statement.start, end: statement.end };
    if (block.kind !== kind) {
      this.failed = true;
      this.sink.at(file, statement.line, 'block-mismatch', 'error', ' ', `unexpected '${kind}' within ${block.kind} block`, span);
      return false;
    }
    if (block.node.file !== file) {
      this.failed = true;
      this.sink.at(file, statement.line, 'block-across-files', 'error', ' ', `'${kind}' in different file than '${kind}'`, span);
      this.sink.at(block.node.file, block.node.line, 'block-across-files', 'information', ' ', `location of the '${kind}'`);
      return false;
    }
    return true;
  }

  /** The end of the last file. */
  finish(file: string, lastLine: number, leave: () => void): void {
    this.leaveOptions(leave);
    if (this.blocks.length === 0) return;
    this.failed = true;
    if (this.distrust === 0) {
      const old = this.dialect.syntaxErrorLine === 1;
      this.sink.add({
        code: 'syntax',
        severity: 'error',
        message: 'syntax error',
        file,
        line: lastLine,
        printed: old ? `<none>:${lastLine + 1}: syntax error\n` : `${file}:${lastLine}: syntax error\n`,
        channel: 'stderr',
      });
    }
    while (this.blocks.length > 0) this.missingEnd(this.blocks.pop()!);
  }

  /** A file whose last line is not ended, where that is an error. */
  unended(statement: Statement, file: string): void {
    this.failed = true;
    this.sink.at(file, statement.endLine, 'no-final-newline', 'error', ' ', 'syntax error');
  }

  /** The index of the first token that does not fit, or undefined. */
  private mistakeAt(statement: Statement, contexts: readonly OptionContext[] | undefined, first: boolean): number | undefined {
    const { kind } = statement;
    if (contexts) {
      if (!contexts.includes(this.context)) return 0;
      return this.context === 'choice' ? this.choiceOption(statement) : undefined;
    }
    const inChoice = this.blocks.at(-1)?.inChoice ?? false;
    if (kind === 'error') {
      const word = this.tokensOf(statement)[0]!;
      // A keyword that may not stand here fails before what follows it does.
      if (word.kind === 'keyword' && !this.keywordFits(word.text, inChoice)) return 0;
      return statement.at;
    }
    if (kind === 'mainmenu') return first ? undefined : 0;
    if (kind === 'end') return this.blocks.length > 0 ? undefined : 0;
    if (inChoice && !this.fitsInChoice(kind)) return 0;
    return undefined;
  }

  private choiceOption(statement: Statement): number | undefined {
    if (statement.kind === 'type') {
      const fits = statement.type === 'bool' || (this.dialect.richChoices && statement.type === 'tristate');
      return fits ? undefined : 0;
    }
    if (statement.kind === 'default') {
      if (statement.type) return 0;
      if (statement.value.kind !== 'symbol') return 2;
      return statement.value.token.kind === 'word' ? undefined : 1;
    }
    return undefined;
  }

  private fitsInChoice(kind: Statement['kind']): boolean {
    if (kind === 'config' || kind === 'comment' || kind === 'if') return true;
    return this.dialect.sourceInChoice && (kind === 'menuconfig' || kind === 'source' || kind === 'assignment');
  }

  private keywordFits(word: string, inChoice: boolean): boolean {
    switch (word) {
      case 'config':
      case 'comment':
      case 'if':
        return true;
      case 'menuconfig':
      case 'source':
        return !inChoice || this.dialect.sourceInChoice;
      case 'menu':
      case 'choice':
        return !inChoice;
      case 'endmenu':
      case 'endif':
      case 'endchoice':
        return this.blocks.length > 0;
      case 'visible':
        return this.context === 'menu';
      case 'depends':
        return this.context !== 'none';
      case 'prompt':
      case 'default':
      case 'bool':
      case 'tristate':
      case 'help':
        return this.context === 'config' || this.context === 'choice';
      case 'int':
      case 'hex':
      case 'string':
      case 'def_bool':
      case 'def_tristate':
      case 'select':
      case 'imply':
      case 'range':
      case 'option':
        return this.context === 'config';
      case 'optional':
        return this.context === 'choice' && this.dialect.richChoices;
      default:
        return false;
    }
  }

  private mistake(statement: Statement, at: number, file: string, leave: () => void): void {
    this.failed = true;
    const span = { start: statement.start, end: statement.end };
    // The options end before the engine looks at a token that cannot be one of them.
    if (at === 0) this.leaveOptions(leave);
    this.distrust = Math.max(0, this.distrust - at);
    if (this.distrust === 0) {
      const token = this.tokensOf(statement)[at];
      this.sink.add({
        code: 'syntax',
        severity: 'error',
        message: 'syntax error',
        file,
        line: statement.line,
        start: token?.start ?? statement.end,
        end: token?.end ?? statement.end,
        printed: `${file}:${statement.line + this.dialect.syntaxErrorLine}: syntax error\n`,
        channel: 'stderr',
      });
    }
    const top = this.blocks.at(-1);
    const word = this.tokensOf(statement)[0]!;
    const unknown = at > 0 && word.kind === 'word' && !(top?.inChoice ?? false);
    if (at > 0 && top?.header && this.context !== 'none' && optionWord(word.text)) this.blocks.pop();
    else if (top?.inChoice && this.dialect.sourceInChoice) {
      while (this.blocks.at(-1)?.inChoice) this.missingEnd(this.blocks.pop()!);
    }
    if (at > 0) this.leaveOptions(() => undefined);
    this.distrust = tokensUntilTrusted - 1;
    const message = unknown ? `unknown statement "${word.text}"` : 'invalid statement';
    this.sink.at(file, statement.line, unknown ? 'unknown-statement' : 'invalid-statement', 'error', ' ', message, span);
  }

  private leaveOptions(leave: () => void): void {
    const top = this.blocks.at(-1);
    if (top?.header) top.header = false;
    if (this.context !== 'none') leave();
    this.context = 'none';
  }

  private missingEnd(block: Block): void {
    this.sink.at(block.node.file, block.node.line, 'missing-end', 'error', ' ', 'missing end statement for this entry');
  }
}

function optionWord(word: string): boolean {
  return !['config', 'menuconfig', 'choice', 'menu', 'comment', 'if', 'source', 'endif', 'endmenu', 'endchoice'].includes(word);
}
