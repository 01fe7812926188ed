/** Expressions of watches, hovers, conditions and the console, evaluated in a frame. */
import { type DebuggerApi } from '../api';
import { registerGroups, registerWidths } from '../registers';
import { registerNode } from '../register-nodes';
import { stripType } from '../../symbols/api';
import { type Target } from '../target';
import { type StackFrame } from '../unwind';
import { type Formatting, type ValueNode } from '../value-node';
import { dereference, evaluateNode, isTrue, type Scope } from './evaluate';
import { completed } from './members';
import { isTypeName, localVariables } from './names';
import { parse } from './parser';
import { rowOf } from './rows';
import { arrayOf } from './types';
import { addressOf, asInteger, inMemory, type Value } from './value';

const mostCompletions = 200;

export class Evaluator {
  constructor(private readonly target: Target) {}

  /** The row of an expression's value, which may assign unless `lookOnly`. Throws a CodedError that says what is wrong with it. */
  evaluate(text: string, frame: StackFrame, formatting: Formatting, lookOnly = false): ValueNode {
    const register = /^\s*\$(\w+)\s*$/.exec(text);
    if (register !== null && frame.origin === 'pc') {
      const node = this.#register(register[1]!.toLowerCase(), formatting);
      if (node !== undefined) return node;
    }
    const scope: Scope = { target: this.target, frame, lookOnly };
    const parsed = parse(text, (name) => isTypeName(scope, name));
    const value = evaluateNode(scope, parsed.node);
    const shown = parsed.elements === undefined ? value : this.#elements(value, parsed.elements);
    const expression = text
      .slice(0, parsed.format === undefined && parsed.elements === undefined ? undefined : text.lastIndexOf(','))
      .trim();
    return rowOf(scope, text.trim(), shown, expression, {
      ...formatting,
      ...(parsed.format === undefined ? {} : { letter: parsed.format }),
    });
  }

  /** A condition's truth; it cannot assign. Throws a CodedError where it cannot be evaluated. */
  isTrue(text: string, frame: StackFrame): boolean {
    const scope: Scope = { target: this.target, frame, lookOnly: true };
    return isTrue(this.target, evaluateNode(scope, parse(text, (name) => isTypeName(scope, name)).node));
  }

  /** Where an expression's object lies and how long it is, for a data breakpoint; undefined where it is not in memory. */
  place(text: string, frame: StackFrame): { readonly address: bigint; readonly length: number } | undefined {
    const scope: Scope = { target: this.target, frame, lookOnly: true };
    const value = evaluateNode(scope, parse(text, (name) => isTypeName(scope, name)).node);
    if (value.location.kind !== 'memory') return undefined;
    return { address: value.location.address, length: Math.max(1, completed(this.target, value.type).byteSize ?? 1) };
  }

  /** The number that an expression gives: addresses of the memory view and of disassembly. */
  address(text: string, frame: StackFrame): bigint {
    const scope: Scope = { target: this.target, frame, lookOnly: true };
    const value = evaluateNode(scope, parse(text, (name) => isTypeName(scope, name)).node);
    const type = stripType(value.type);
    return BigInt.asUintN(
      64,
      type.kind === 'function' || type.kind === 'array' || type.kind === 'struct' ? addressOf(value) : asInteger(this.target, value),
    );
  }

  /** What may follow in the console or a watch at `column` (from 1). */
  completions(text: string, column: number, frame: StackFrame): ReturnType<DebuggerApi['completions']> {
    const before = text.slice(0, column - 1);
    const register = /\$(\w*)$/.exec(before);
    if (register !== null)
      return [...registerWidths.keys()]
        .filter((name) => name.startsWith(register[1]!.toLowerCase()))
        .map((name) => ({ label: `$${name}`, kind: 'register' }));
    const member = /([\w$\])]+(?:(?:\.|->)[\w$\])]+)*)(?:\.|->)(\w*)$/.exec(before);
    if (member !== null) return this.#members(member[1]!, member[2]!, frame);
    const word = /(\w*)$/.exec(before)?.[1] ?? '';
    const types = word.length < 2 ? [] : this.#typesLike(before, word, frame);
    if (/(^|\W)(struct|union|enum|class)\s+\w*$/.test(before)) return types;
    const locals = localVariables(frame).map(({ name }) => ({ label: name, kind: 'variable' as const }));
    const unit = frame.symbols?.unitAt(frame.lookup);
    const globals =
      unit === undefined ? [] : (frame.symbols?.globals(unit) ?? []).map(({ name }) => ({ label: name, kind: 'variable' as const }));
    const functions =
      word.length < 2
        ? []
        : (frame.symbols?.searchSymbols(new RegExp(`^${word}`), mostCompletions) ?? []).map(({ name, kind }) => ({
            label: name,
            kind: kind === 'function' ? ('function' as const) : ('variable' as const),
          }));
    const seen = new Set<string>();
    return [...locals, ...globals, ...types, ...functions]
      .filter(({ label }) => label.startsWith(word) && !seen.has(label) && seen.add(label) !== undefined)
      .slice(0, mostCompletions);
  }

  /** Names of types: after `struct` and its like only those, else where a cast or sizeof may begin, too. */
  #typesLike(before: string, word: string, frame: StackFrame): { label: string; kind: 'type' }[] {
    if (!/(^|[(,\s])((struct|union|enum|class)\s+)?\w+$/.test(before)) return [];
    return (frame.symbols?.typeNames(word, mostCompletions) ?? []).map((label) => ({ label, kind: 'type' }));
  }

  #members(objectText: string, prefix: string, frame: StackFrame): ReturnType<DebuggerApi['completions']> {
    const scope: Scope = { target: this.target, frame, lookOnly: true };
    let object: Value;
    try {
      object = evaluateNode(scope, parse(objectText, (name) => isTypeName(scope, name)).node);
      if (stripType(object.type).kind === 'pointer') object = dereference(this.target, object);
    } catch {
      // Half-typed text completes to nothing; the error is shown when it is evaluated.
      return [];
    }
    const type = completed(this.target, object.type);
    if (type.kind !== 'struct' && type.kind !== 'union' && type.kind !== 'class') return [];
    return type.members.filter(({ name }) => name !== '' && name.startsWith(prefix)).map(({ name }) => ({ label: name, kind: 'field' }));
  }

  #register(name: string, formatting: Formatting): ValueNode | undefined {
    const definition = registerGroups.flatMap(({ registers }) => registers).find((each) => each.name === name);
    if (definition !== undefined) return registerNode(this.target.machine, definition, formatting);
    const bits = registerWidths.get(name);
    return bits === 32 ? registerNode(this.target.machine, { kind: 'integer', name, bits }, formatting) : undefined;
  }

  /** `pointer,[n]`: so many elements from where a pointer points. */
  #elements(value: Value, count: number): Value {
    const type = stripType(value.type);
    if (type.kind === 'pointer') return inMemory(arrayOf(type.target, BigInt(count)), asInteger(this.target, value));
    if (type.kind === 'array') return { ...value, type: arrayOf(type.element, BigInt(count)) };
    return { ...value, type: arrayOf(value.type, BigInt(count)) };
  }
}
