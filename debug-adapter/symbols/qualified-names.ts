/** Taking qualified names apart: `a::b<c::d>::e`. */

/** What follows the last `::` outside template arguments; the whole name where there is none. */
export function lastComponent(name: string): string {
  let depth = 0;
  for (let i = name.length - 1; i > 0; i--) {
    const letter = name[i];
    if (letter === '>') depth++;
    else if (letter === '<') depth--;
    else if (depth === 0 && letter === ':' && name[i - 1] === ':') return name.slice(i + 1);
  }
  return name;
}

/** Go's `main.(*Stack[...]).Push` stands for its code for any type arguments; undefined for other names. */
export function anyInstance(name: string): RegExp | undefined {
  const mark = '[...]';
  if (!name.includes(mark)) return undefined;
  const parts = name.split(mark).map((part) => part.replace(/[\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('\\[.*\\]')}$`);
}

/** The plain names of what an expression such as `/Blob::print$/` matches, so that others need not be looked at; undefined where the end of it does not tell. */
export function lastPart({ source, flags }: RegExp): RegExp | undefined {
  const end = source.includes('|') ? null : /::(\w+)\$$/.exec(source);
  return end === null ? undefined : new RegExp(`^${end[1]!}$`, flags.replace(/[gmy]/g, ''));
}

/** `b::c` names `a::b::c`; Go separates by dots. */
export function matchesQualified(qualified: string, name: string): boolean {
  return qualified === name || qualified.endsWith(`::${name}`) || qualified.endsWith(`.${name}`);
}
