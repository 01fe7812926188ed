/** The macros that a tree assigns, and the call that an offset is in, for signature help, hovers and definitions. */
import { type FileSyntax } from '../ast';
import { type Model } from '../model';
import { functionFacts } from './keywords';
import { type KconfigView, type Place, type Span } from './view';

/** One assignment. */
export interface MacroDefinition extends Place {
  readonly name: string;
  readonly operator: '=' | ':=' | '+=';
  /** As written, not expanded. */
  readonly value: string;
  /** The number of the last `$(1)`, `$(2)`… in the value. */
  readonly parameters: number;
}

/** Every macro assignment of the tree, in the order of its files. */
export function macrosOf(model: Model): MacroDefinition[] {
  const found: MacroDefinition[] = [];
  for (const file of model.files.values()) {
    for (const statement of file.syntax.statements) {
      if (statement.kind !== 'assignment') continue;
      const { name, operator } = statement;
      const value = statement.value?.text ?? '';
      let parameters = 0;
      for (const match of value.matchAll(/\$\((\d{1,2})\)/g)) parameters = Math.max(parameters, Number(match[1]));
      found.push({ name: name.text, operator, value, parameters, path: file.path, start: name.start, end: name.end });
    }
  }
  return found;
}

/** The `$(name,…)` around an offset. */
export interface MacroCall {
  readonly name: string;
  /** The name's place. */
  readonly span: Span;
  /** Which argument the offset is in; -1 in the name. */
  readonly argument: number;
}

/** The innermost macro call that holds an offset, on its line. */
export function macroCallAt(syntax: FileSyntax, offset: number): MacroCall | undefined {
  const { text } = syntax.source;
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const open: { readonly at: number; readonly macro: boolean; argument: number }[] = [];
  for (let at = lineStart; at < offset; at++) {
    const char = text[at];
    if (char === '$' && text[at + 1] === '(') open.push({ at: at++, macro: true, argument: -1 });
    else if (char === '(' && open.length > 0) open.push({ at, macro: false, argument: -1 });
    else if (char === ')') open.pop();
    else if (char === ',') {
      const top = open.at(-1);
      if (top) top.argument++;
    }
  }
  const call = open.findLast((one) => one.macro);
  if (!call) return undefined;
  const start = call.at + 2;
  const name = /^[^\s,()$]*/.exec(text.slice(start, start + 200))![0];
  return name === '' ? undefined : { name, span: { start, end: start + name.length }, argument: call.argument };
}

/** What a call may be given. */
export interface Signature {
  readonly label: string;
  /** Spans of the parameters in the label. */
  readonly parameters: readonly Span[];
  readonly about: string;
  readonly active: number;
}

/** The signature of the macro function whose arguments an offset is in. */
export function signatureAt(view: KconfigView, syntax: FileSyntax, offset: number): Signature | undefined {
  const call = macroCallAt(syntax, offset);
  if (!call || call.argument < 0) return undefined;
  const fact = functionFacts.find((one) => one.name === call.name);
  const defined = macrosOf(view.service.tree.model).findLast((one) => one.name === call.name);
  const names = defined ? Array.from({ length: defined.parameters }, (_, index) => `arg${index + 1}`) : fact?.parameters;
  if (!names) return undefined;
  let label = `$(${call.name}`;
  const parameters = names.map((name) => {
    const start = label.length + 1;
    label += `,${name}`;
    return { start, end: label.length };
  });
  return {
    label: `${label})`,
    parameters,
    about: defined ? `\`${defined.value}\`` : (fact?.about ?? ''),
    active: Math.min(call.argument, names.length),
  };
}
