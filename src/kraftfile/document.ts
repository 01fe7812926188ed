/** A Kraftfile's text as YAML nodes with offsets; broken texts give what can be read of them. */
import { type Document, isAlias, isMap, isNode, isPair, isScalar, isSeq, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml';

/** Offsets in the text, in UTF-16 units; the end is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A fault of the YAML itself. */
export interface SyntaxFault extends Span {
  readonly message: string;
  readonly severity: 'error' | 'warning';
}

/** A key with its value, as they stand. */
export interface Entry {
  readonly key: string;
  readonly keySpan: Span;
  /** Undefined where nothing stands after the colon. */
  readonly value: Node | undefined;
  readonly pair: Pair;
}

/** Deeper nesting is taken for damage, so that no text can exhaust the stack. */
const deepest = 64;

/** A Kraftfile has some kilobytes; what is larger than this, in UTF-16 units, is something else. */
const largest = 2 << 20;

/** A text that was read as YAML. */
export class KraftDocument {
  private constructor(
    readonly text: string,
    readonly yaml: Document.Parsed | undefined,
    readonly faults: readonly SyntaxFault[],
  ) {}

  /** Reads any text; never throws. */
  static parse(text: string): KraftDocument {
    if (text.length > largest) {
      return new KraftDocument(text, undefined, [
        { start: 0, end: 0, severity: 'error', message: 'The file is too large to be a Kraftfile.' },
      ]);
    }
    const depth = nesting(text);
    if (depth > deepest)
      return new KraftDocument(text, undefined, [
        { start: 0, end: text.length, severity: 'error', message: 'The file is nested too deeply to be a Kraftfile.' },
      ]);
    try {
      const yaml = parseDocument(text, { keepSourceTokens: true, logLevel: 'silent', prettyErrors: false, uniqueKeys: false });
      const faults = [...yaml.errors.map((each) => ['error', each] as const), ...yaml.warnings.map((each) => ['warning', each] as const)];
      return new KraftDocument(
        text,
        yaml,
        faults.map(([severity, each]) => ({ ...clamp(each.pos[0], each.pos[1], text), severity, message: each.message.split('\n')[0]! })),
      );
    } catch (error) {
      const message = `This is no YAML that can be read: ${error instanceof Error ? error.message : String(error)}`;
      return new KraftDocument(text, undefined, [{ start: 0, end: text.length, severity: 'error', message }]);
    }
  }

  /** The top map; undefined where the file is none. */
  get root(): YAMLMap | undefined {
    const contents = this.yaml?.contents;
    return isMap(contents) ? contents : undefined;
  }

  /** What an alias stands for; other nodes themselves. */
  resolved(node: unknown): Node | undefined {
    if (isAlias(node)) {
      const target = this.yaml && node.resolve(this.yaml);
      return isAlias(target) ? undefined : target;
    }
    return isNode(node) ? node : undefined;
  }

  /** Entries of a map whose keys are texts or numbers; empty for anything else. */
  entries(node: unknown): Entry[] {
    const map = this.resolved(node);
    if (!isMap(map)) return [];
    return map.items.flatMap((pair): Entry[] => {
      if (!isPair(pair) || !isScalar(pair.key) || !pair.key.range) return [];
      const [start, end] = pair.key.range;
      const { value } = pair;
      const empty = !isNode(value) || (isScalar(value) && value.value === null && (value.source ?? '') === '');
      return [{ key: String(pair.key.value), keySpan: clamp(start, end, this.text), value: empty ? undefined : value, pair }];
    });
  }

  /** Items of a list; empty for anything else. */
  items(node: unknown): Node[] {
    const list = this.resolved(node);
    return isSeq(list) ? list.items.filter((item): item is Node => isNode(item)) : [];
  }

  /** The text of a scalar as kraft takes it: numbers in decimal, switches as words. Undefined for maps and lists; '' for null. */
  scalarText(node: unknown): string | undefined {
    const scalar = this.resolved(node);
    if (!isScalar(scalar)) return undefined;
    const { value } = scalar;
    if (typeof value === 'number')
      return scalar.source !== undefined && /^[-+]?\d+(\.\d+)+$/.test(scalar.source) ? scalar.source : String(value);
    return value === null || value === undefined
      ? ''
      : typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint'
        ? String(value)
        : '';
  }

  /** Where a node stands, without the comments and blanks after it. */
  span(node: unknown): Span {
    const range = isNode(node) ? node.range : undefined;
    if (!range) return { start: 0, end: 0 };
    const { start, end } = clamp(range[0], range[1], this.text);
    return { start, end: Math.max(start, end - (/\s*$/.exec(this.text.slice(start, end))?.[0].length ?? 0)) };
  }

  /** The path of keys and indexes to what stands at an offset, and whether that is a key. */
  pathAt(offset: number): { readonly path: readonly (string | number)[]; readonly node: Node; readonly isKey: boolean } | undefined {
    const walk = (node: Node | undefined, path: readonly (string | number)[]): ReturnType<KraftDocument['pathAt']> => {
      if (isMap(node)) {
        for (const { key, keySpan, value, pair } of this.entries(node)) {
          if (within(offset, keySpan)) return { path: [...path, key], node: pair.key as Node, isKey: true };
          if (value && within(offset, this.span(value))) return walk(value, [...path, key]);
        }
      } else if (isSeq(node)) {
        for (const [index, item] of this.items(node).entries()) if (within(offset, this.span(item))) return walk(item, [...path, index]);
      } else if (node && within(offset, this.span(node))) return { path, node, isKey: false };
      return undefined;
    };
    return walk(this.root, []);
  }
}

function within(offset: number, { start, end }: Span): boolean {
  return offset >= start && offset <= end;
}

function clamp(start: number, end: number, text: string): Span {
  const from = Math.min(Math.max(start, 0), text.length);
  return { start: from, end: Math.min(Math.max(end, from), text.length) };
}

/** An upper bound of how deeply the text nests, cheap to get: brackets, and indentation that grows. */
function nesting(text: string): number {
  let flow = 0;
  let most = 0;
  for (const char of text) {
    if (char === '[' || char === '{') most = Math.max(most, ++flow);
    else if (char === ']' || char === '}') flow = Math.max(0, flow - 1);
  }
  const indents: number[] = [];
  let deepestBlock = 0;
  for (const line of text.split('\n')) {
    const match = /^((?:[ ]|[-?:] )*)\S/.exec(line);
    if (!match) continue;
    const dashes = match[1]!.replace(/ /g, '').length;
    const indent = match[1]!.length;
    while (indents.length > 0 && indents.at(-1)! >= indent) indents.pop();
    indents.push(indent);
    deepestBlock = Math.max(deepestBlock, indents.length + dashes);
  }
  return most + deepestBlock;
}
