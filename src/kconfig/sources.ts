/** Finds and reads files: `source` with its wildcards and generated menus, inclusions that never end, what the scanner met. */
import { type Statement, type StatementOf } from './ast';
import { glob, hasWildcard, joinPath } from './glob';
import { type ModelFile } from './model';
import { OptionReader } from './options';
import { parseFile } from './parser';
import { type ScanProblem } from './scanner';

/** Files nested deeper than this are taken for a loop. */
const deepestInclusion = 200;
const mostInclusions = 100_000;
/** Larger files, in UTF-16 code units, are no Kconfig files, and would only hold everything up. */
const largestFile = 64 << 20;

/** The part of the reader that follows the statements from file to file. */
export abstract class SourceReader extends OptionReader {
  /** Takes the next statement. */
  protected abstract statement(statement: Statement): void;
  /** The options of the current entry have ended. */
  protected abstract leaveEntry(): void;

  protected openRoot(): void {
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

  protected load(name: string): ModelFile | undefined {
    const known = this.files.get(name);
    if (known) return known;
    for (const path of this.candidates(name)) {
      const made = this.generated.get(path);
      const text = made ?? this.input.files.readText(path);
      if (text === undefined) continue;
      const syntax = this.syntaxOf(name, path, text);
      const file = { name, path, syntax, generated: made !== undefined };
      this.files.set(name, file);
      return file;
    }
    return undefined;
  }

  private syntaxOf(name: string, path: string, text: string): ModelFile['syntax'] {
    if (text.length <= largestFile) return this.input.syntaxOf?.(path, text) ?? parseFile(text, this.dialect);
    const size = Math.round(text.length / (1 << 20));
    const message = `${name} has ${size} MB, more than a Kconfig file can have (${largestFile >> 20} MB), and is left out`;
    if (this.stack.length > 0) this.stop('file-too-large', message);
    else
      this.sink.add({
        code: 'file-too-large',
        severity: 'error',
        message,
        file: name,
        line: 1,
        printed: `${message}\n`,
        channel: 'stderr',
      });
    this.fatal = true;
    return parseFile('', this.dialect);
  }

  protected candidates(name: string): string[] {
    const paths = [joinPath(this.input.cwd, name)];
    const srctree = this.input.environment['srctree'];
    // Even the engine that has no srctree for `source` uses it for the first file.
    if ((this.dialect.srctree || this.stack.length === 0) && srctree && !name.startsWith('/')) {
      const below = joinPath(this.input.cwd, `${srctree}/${name}`);
      // The C engine looks in the working directory first, the library only below srctree. Where the former has not even the first folder of the path,
      // which is soon known of all, the file need not be asked for.
      if (this.dialect.engine !== 'c') paths.unshift(below);
      else if (this.isBelow(name)) paths.push(below);
      else paths[0] = below;
    }
    return paths;
  }

  private isBelow(name: string): boolean {
    const slash = name.indexOf('/');
    return slash < 0 || this.input.files.kind(joinPath(this.input.cwd, name.slice(0, slash))) !== undefined;
  }

  protected read(file: ModelFile): void {
    const place = { file, line: 0 };
    const outer = this.file;
    this.stack.push(place);
    this.file = file;
    const { statements } = file.syntax;
    for (let at = 0; at < statements.length; at++) {
      const statement = statements[at]!;
      this.line = statement.kind === 'help' ? statement.help.endLine : statement.line;
      place.line = statement.line;
      this.statement(statement);
    }
    if (file.syntax.problems.length > 0) this.scanProblems(file.syntax.problems);
    if (this.dialect.engine === 'kconfiglib') this.endOfLibraryFile(file);
    this.stack.pop();
    this.file = outer;
  }

  protected endOfLibraryFile(file: ModelFile): void {
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

  protected source(statement: StatementOf<'source'>): void {
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

  protected sourceNames(statement: StatementOf<'source'>, pattern: string): readonly string[] {
    const directory = statement.relative ? this.file!.name.slice(0, this.file!.name.lastIndexOf('/') + 1) : '';
    const full = directory + pattern;
    if (this.generated.has(full) || this.files.has(full)) return [full];
    if (this.dialect.globSource) {
      const { srctree = '' } = this.input.environment;
      const below = this.dialect.srctree && srctree && !full.startsWith('/') ? joinPath(this.input.cwd, srctree) : this.input.cwd;
      // What can be read is there; asking for that first would take as long as reading it.
      if (!hasWildcard(full) && this.input.files.readText(joinPath(below, full)) !== undefined) return [full];
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

  protected missingSource(statement: StatementOf<'source'>, pattern: string): void {
    const line = this.sourceLine(statement);
    this.stop(
      'missing-source',
      `'${pattern}' not found (in '${line}'). Check that environment variables are set correctly (e.g. $srctree, which is ` +
        `${this.input.environment['srctree'] ? `set to '${this.input.environment['srctree']}'` : 'unset or blank'}). Also note that unset environment variables expand to the empty string.`,
    );
  }

  protected recursion(file: ModelFile): void {
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

  protected scanProblems(problems: readonly ScanProblem[]): void {
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

  protected kconfiglibScan(problem: ScanProblem): void {
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
}

function bytesOf(text: string): string[] {
  if (text.charCodeAt(0) < 128) return [text];
  return [...new TextEncoder().encode(text)].map((byte) => String.fromCharCode(byte));
}
