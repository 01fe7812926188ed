/** Log points: text with `{expression}` parts. */

/** A literal, or an expression to evaluate when the point is hit. */
export type LogPart = { readonly text: string } | { readonly expression: string };

/** Splits a log message; `\{` is a literal brace, and an unclosed brace is text. */
export function parseLogMessage(message: string): readonly LogPart[] {
  const parts: LogPart[] = [];
  let text = '';
  const flush = (): void => {
    if (text !== '') parts.push({ text });
    text = '';
  };
  for (let i = 0; i < message.length; i++) {
    if (message[i] === '\\' && (message[i + 1] === '{' || message[i + 1] === '}')) {
      text += message[++i]!;
      continue;
    }
    const end = message[i] === '{' ? closingBrace(message, i) : -1;
    if (end < 0) {
      text += message[i]!;
      continue;
    }
    flush();
    parts.push({ expression: message.slice(i + 1, end).trim() });
    i = end;
  }
  flush();
  return parts;
}

function closingBrace(message: string, open: number): number {
  let depth = 0;
  for (let i = open; i < message.length; i++) {
    if (message[i] === '{') depth++;
    else if (message[i] === '}' && --depth === 0) return i;
  }
  return -1;
}
