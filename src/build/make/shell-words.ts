/** Splits a command into words as a POSIX shell does, without expanding anything: for the commands that make leaves in `.cmd` files. */

/** The words of a command; an unfinished quotation ends with the text. */
export function shellWords(command: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < command.length; at++) {
    const char = command[at]!;
    if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === "'") {
      const end = command.indexOf("'", at + 1);
      word = (word ?? '') + command.slice(at + 1, end < 0 ? undefined : end);
      at = end < 0 ? command.length : end;
    } else if (char === '"') {
      word ??= '';
      for (at++; at < command.length && command[at] !== '"'; at++) {
        // Between double quotes a backslash counts only before these.
        if (command[at] === '\\' && /["\\$`\n]/.test(command[at + 1] ?? '')) at++;
        word += command[at]!;
      }
    } else if (char === '\\' && at + 1 < command.length) {
      at++;
      if (command[at] !== '\n') word = (word ?? '') + command[at]!;
    } else word = (word ?? '') + char;
  }
  if (word !== undefined) words.push(word);
  return words;
}
