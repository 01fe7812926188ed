/** Finds Unikraft's log lines in the console's text: colours them by level, links them to their sources, and folds runs of debug messages. */

/** A piece of console output for the client. */
export interface ConsolePiece {
  readonly text: string;
  readonly category: 'stdout' | 'important';
  readonly source?: { readonly file: string; readonly library: string; readonly line: number };
  readonly group?: 'startCollapsed' | 'end';
}

/** `[    0.100126] Info: [libkvmplat] <tscclock.c @  276> text`, with the parts that a configuration may leave out (lib/ukdebug/print.c). */
const logLine = /^\[\s*\d+\.\d+\] (CRIT|ERR|WARN|Info|dbg)\s*: +(?:\{[^}]*\} +)?(?:\[(\w[\w-]*)\] +)?(?:<([^<>@]+) @ +(\d+)> +)?/;
/** What may yet become such a line. */
const beginning = /^\[[\s\d.]*(?:\] ?\w*:?)?$/;

const colours: Readonly<Record<string, string>> = {
  CRIT: '\x1b[1;31m',
  ERR: '\x1b[31m',
  WARN: '\x1b[33m',
  Info: '\x1b[36m',
  dbg: '\x1b[90m',
};
const plain = '\x1b[0m';

export class KernelLog {
  /** A line that is not over yet and may be a log line. */
  #held = '';
  /** The console stands at the beginning of a line. */
  #atStart = true;
  /** Debug messages in a row are one group. */
  #inGroup = false;

  constructor(private readonly colour: boolean) {}

  /** The pieces of a chunk of console text. */
  feed(chunk: string): ConsolePiece[] {
    const pieces: ConsolePiece[] = [];
    const lines = (this.#held + chunk).split(/(?<=\n)/);
    this.#held = '';
    for (const line of lines) {
      const complete = line.endsWith('\n');
      if (!complete && this.#atStart && beginning.test(line)) {
        this.#held = line;
        continue;
      }
      const match = this.#atStart ? logLine.exec(line) : null;
      if (match === null) this.#plainText(line, pieces);
      else this.#logged(line, match, pieces);
      this.#atStart = complete;
    }
    return pieces;
  }

  /** What was held back, because the guest stands still. */
  flush(): ConsolePiece[] {
    const text = this.#held;
    this.#held = '';
    const pieces: ConsolePiece[] = [];
    if (text !== '') this.#plainText(text, pieces);
    this.#atStart = this.#atStart && text === '';
    return pieces;
  }

  #plainText(text: string, pieces: ConsolePiece[]): void {
    if (text === '') return;
    this.#endGroup(pieces);
    const last = pieces[pieces.length - 1];
    // One event for as much as there is.
    if (last?.category === 'stdout' && last.source === undefined && last.group === undefined)
      pieces[pieces.length - 1] = { ...last, text: last.text + text };
    else pieces.push({ text, category: 'stdout' });
  }

  #logged(line: string, match: RegExpExecArray, pieces: ConsolePiece[]): void {
    const [head, level = '', library, file, number] = match;
    const isDebug = level === 'dbg';
    if (!isDebug) this.#endGroup(pieces);
    const source = file === undefined ? undefined : { file: file.trim(), library: library ?? '', line: Number(number) };
    pieces.push({
      text: this.colour ? `${colours[level] ?? ''}${head}${plain}${line.slice(head.length)}` : line,
      category: level === 'CRIT' || level === 'ERR' ? 'important' : 'stdout',
      ...(source === undefined ? {} : { source }),
      ...(isDebug && !this.#inGroup ? { group: 'startCollapsed' } : {}),
    });
    if (isDebug) this.#inGroup = true;
  }

  #endGroup(pieces: ConsolePiece[]): void {
    if (!this.#inGroup) return;
    this.#inGroup = false;
    pieces.push({ text: '', category: 'stdout', group: 'end' });
  }
}
