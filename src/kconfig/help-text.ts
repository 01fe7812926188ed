/** Help texts: where one ends, and what it says, which few of those who read a tree ever ask. */

/** A help text as it stands in a file. */
export class HelpText {
  private said: string | undefined;

  /** @param start offset of the first line's start. @param end offset after the last character that is no blank. @param endLine 1-based line that `conf` reports. */
  constructor(
    private readonly source: string,
    readonly start: number,
    readonly end: number,
    readonly endLine: number,
    private readonly first: number,
  ) {}

  /** The text with its indentation and trailing blanks taken away as `conf` does; made when it is first asked for. */
  get text(): string {
    if (this.said === undefined) {
      const lines: string[] = [];
      if (this.first >= 0) readHelp(this.source, this.start, 0, lines);
      this.said = lines.join('');
    }
    return this.said;
  }

  /** True where nothing but blanks is there. */
  get isBlank(): boolean {
    return this.first < 0 || (this.source.charCodeAt(this.first) <= SPACE && this.text.trim() === '');
  }
}

/** A help text, and where reading goes on after it. */
export interface HelpEnd {
  readonly help: HelpText;
  readonly at: number;
  readonly line: number;
}

const TAB = 9;
const LF = 10;
const SPACE = 32;

/**
 * Reads the text that follows a `help` line; it ends before the first line that is indented less.
 * @param line 1-based line of `start`.
 * @param out receives the pieces of the text, where it is wanted.
 */
export function readHelp(text: string, start: number, line: number, out?: string[]): HelpEnd {
  let at = start;
  let firstIndent = 0;
  let lastIndent = 0;
  let first = -1;
  let end = start;
  while (at < text.length) {
    const lineStart = at;
    let content = at;
    let indent = 0;
    let code = text.charCodeAt(content);
    for (; code === TAB || code === SPACE; code = text.charCodeAt(++content)) indent = code === TAB ? (indent & ~7) + 8 : indent + 1;
    if (code === LF) {
      // An empty line directly before a line that is not indented ends the text; `conf` eats that line feed.
      at = content + 1;
      line++;
      if (startsFirstColumn(text, at)) break;
      out?.push('\n');
      continue;
    }
    if (content > lineStart) {
      lastIndent = indent;
      if (firstIndent && indent < firstIndent) {
        at = content;
        break;
      }
      if (firstIndent) out?.push(' '.repeat(indent - firstIndent));
    } else if (firstIndent) {
      // Text in the first column after indented text: the line before it ended with its line feed directly in front of it.
      break;
    }
    if (content >= text.length) {
      at = content;
      break;
    }
    let lineEnd = text.indexOf('\n', content);
    if (lineEnd < 0) lineEnd = text.length;
    end = lineEnd;
    while (end > content && (text.charCodeAt(end - 1) === SPACE || text.charCodeAt(end - 1) === TAB)) end--;
    out?.push(text.slice(content, end));
    if (first < 0) first = content;
    if (!firstIndent) firstIndent = lastIndent;
    at = lineEnd;
    if (lineEnd < text.length) {
      at++;
      line++;
      // `conf` looks past a line feed: text in the first column ends the help.
      if (startsFirstColumn(text, at)) break;
      out?.push('\n');
    }
  }
  return { help: new HelpText(text, start, end, line, first), at, line };
}

function startsFirstColumn(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === code && code !== LF && code !== SPACE && code !== TAB;
}
