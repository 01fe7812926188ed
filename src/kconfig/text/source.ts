/** A text with its lines, so that offsets and line/column positions can be had from one another. */

/** Half-open range of UTF-16 code units in one text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Line and column, both from 0. */
export interface Position {
  readonly line: number;
  readonly character: number;
}

/** A text and the offsets at which its lines start. */
export class SourceText {
  private starts: number[] | undefined;

  constructor(readonly text: string) {}

  /** The number of lines; a final line feed opens one more, empty line. */
  get lineCount(): number {
    return this.lineStarts().length;
  }

  /** The position of an offset, clamped to the text. */
  positionAt(offset: number): Position {
    const starts = this.lineStarts();
    const at = Math.max(0, Math.min(offset, this.text.length));
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle]! <= at) low = middle;
      else high = middle;
    }
    return { line: low, character: at - starts[low]! };
  }

  /** The offset of a position, clamped to its line and to the text. */
  offsetAt(position: Position): number {
    const starts = this.lineStarts();
    const start = starts[position.line];
    if (start === undefined) return position.line < 0 ? 0 : this.text.length;
    const end = starts[position.line + 1] ?? this.text.length + 1;
    return Math.min(start + Math.max(0, position.character), end - 1);
  }

  private lineStarts(): number[] {
    if (this.starts) return this.starts;
    const starts = [0];
    for (let at = this.text.indexOf('\n'); at >= 0; at = this.text.indexOf('\n', at + 1)) starts.push(at + 1);
    this.starts = starts;
    return starts;
  }
}
