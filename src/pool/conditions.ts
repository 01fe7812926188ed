/** Puts the conditions of Makefile.uk into Kconfig's notation, so that one way of writing them is read everywhere. */

/** Splits at the first comma outside of brackets. */
function splitPair(text: string): readonly [string, string] | undefined {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === '(' || char === '{') depth++;
    else if (char === ')' || char === '}') depth--;
    else if (char === ',' && depth === 0) return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  }
  return undefined;
}

/** `X` for `$(CONFIG_X)`, `A || B` for `$(filter y,$(CONFIG_A) $(CONFIG_B))`; undefined for what has no such form. */
function booleanOf(text: string): string | undefined {
  const symbol = /^\$[({]CONFIG_(\w+)[)}]$/.exec(text);
  if (symbol) return symbol[1]!;
  const filter = /^\$\((?:filter y,|findstring y,|or )\s*(.*)\)$/.exec(text);
  if (!filter) return undefined;
  const names = filter[1]!.split(/[\s,]+/).map((part) => /^\$[({]CONFIG_(\w+)[)}]$/.exec(part)?.[1]);
  return names.every((name) => name !== undefined) ? names.join(' || ') : undefined;
}

/** Negates a condition. */
export function negated(condition: string): string {
  if (condition === '') return 'n';
  if (condition === 'n') return '';
  if (/^!\w+$/.test(condition)) return condition.slice(1);
  const inner = /^!\(([^()]*)\)$/.exec(condition);
  if (inner) return inner[1]!;
  return /^\w+$/.test(condition) ? `!${condition}` : `!(${condition})`;
}

/** All conditions at once; '' is always true, `n` never. */
export function conjunction(conditions: readonly string[]): string {
  const parts = [...new Set(conditions.filter((condition) => condition !== ''))];
  if (parts.includes('n')) return 'n';
  if (parts.length < 2) return parts[0] ?? '';
  return parts.map((part) => (part.includes('||') ? `(${part})` : part)).join(' && ');
}

/** The condition of `ifeq (…)` and its like; what is no test of options stays as it is written. */
export function conditionOf(test: string): string {
  const match = /^(ifeq|ifneq|ifdef|ifndef)\b\s*(.*)$/.exec(test.trim());
  if (!match) return test.trim();
  const [, keyword, rest] = match as unknown as [string, string, string];
  const plain = keyword === 'ifeq' || keyword === 'ifdef';
  const turned = (condition: string): string => (plain ? condition : negated(condition));
  if (keyword === 'ifdef' || keyword === 'ifndef') return turned(rest.replace(/^CONFIG_/, ''));
  const quoted = /^(["'])(.*?)\1\s*(["'])(.*?)\3$/.exec(rest.trim());
  const pair = quoted
    ? ([quoted[2]!, quoted[4]!] as const)
    : /^\(.*\)$/.test(rest.trim())
      ? splitPair(rest.trim().slice(1, -1))
      : undefined;
  if (!pair) return test.trim();
  for (const [left, right] of [pair, [pair[1], pair[0]] as const]) {
    const value = booleanOf(left.replace(/^"(.*)"$/, '$1'));
    if (value === undefined || right.includes('$')) continue;
    if (right === 'y' || right === '"y"') return turned(value);
    if (right === '' || right === 'n' || right === '""') return turned(negated(value));
    return `${value} ${plain ? '=' : '!='} "${right.replace(/^"(.*)"$/, '$1')}"`;
  }
  return `${pair[0]} ${plain ? '=' : '!='} ${pair[1] === '' ? '""' : pair[1]}`;
}

/** The condition that the end of a variable's name makes: `SRCS-$(CONFIG_X)`; '' for `-y` and for none. */
export function suffixCondition(rawName: string): string {
  const suffix = /-([yn]?|\$[({].*)$/.exec(rawName.trim())?.[1];
  if (suffix === undefined) return '';
  if (suffix === 'y') return '';
  if (suffix === 'n' || suffix === '') return 'n';
  return booleanOf(suffix) ?? suffix;
}

/** The options that a condition names. */
export function symbolsOf(condition: string): string[] {
  const text = condition.replace(/"[^"]*"/g, '').replace(/\$[({](?!CONFIG_)[^)}]*[)}]/g, ' ');
  return [...text.matchAll(/\b(?:CONFIG_)?([A-Z][A-Z0-9_]*)\b/g)].map((match) => match[1]!);
}

/** The stack of open conditions while a file is read with all branches taken. */
export class ConditionStack {
  private readonly open: { readonly line: number; now: string; before: string[] }[] = [];

  /** `ifeq …` as it stands, and its line. */
  begin(test: string, line: number): void {
    this.open.push({ line, now: conditionOf(test), before: [] });
  }

  /** What follows `else`; '' for a plain one. Answers whether a condition is open. */
  otherwise(test: string): boolean {
    const top = this.open.at(-1);
    if (!top) return false;
    top.before.push(negated(top.now));
    top.now = test.trim() === '' ? '' : conditionOf(test);
    return true;
  }

  /** Answers whether a condition was open. */
  end(): boolean {
    return this.open.pop() !== undefined;
  }

  /** Lines of conditions that were not ended, outermost first. */
  get left(): readonly number[] {
    return this.open.map(({ line }) => line);
  }

  /** All that holds here. */
  get current(): string {
    return conjunction(this.open.flatMap(({ now, before }) => [...before, now]));
  }
}
