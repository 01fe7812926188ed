/** What a name means at a place in the program: locals first, then the unit's own, then any library's. */
import { type ArrayDimension, type EvaluationContext, stripType, type SymbolFile, type Type, type Variable } from '../../symbols/api';
import { type StackFrame } from '../unwind';
import { exprErrors } from './errors';
import { type Scope } from './evaluate';
import { findMember, structureOf } from './members';
import { type TypeName } from './parser';
import { arrayOf, builtin, builtinType, pointerTo, unsignedOf, voidType } from './types';
import { asInteger, fromInteger, inMemory, type Value } from './value';
import { evaluationContext } from '../unwind';

/** The value that a name stands for. Throws a CodedError where it stands for nothing. */
export function resolveName(scope: Scope, name: string): Value {
  const { frame, target } = scope;
  const local = localVariables(frame).find((each) => each.name === name);
  if (local !== undefined) return variableValue(scope, local, frame.symbols!);
  const moved = localVariables(frame).find((each) => each.name === `&${name}`);
  if (moved !== undefined) return movedVariable(scope, moved, frame.symbols!);
  const own = memberOfThis(scope, name);
  if (own !== undefined) return own;
  const files = [...(frame.symbols === undefined ? [] : [frame.symbols]), ...target.symbolFiles.filter((file) => file !== frame.symbols)];
  for (const file of files) {
    const unit = file.unitAt(frame.lookup);
    const [global] = file.globalsNamed(name, unit);
    if (global !== undefined) return variableValue(scope, global, file);
    const [enumerator] = file.enumeratorsNamed(name, unit);
    if (enumerator !== undefined) return fromInteger(enumerator.type, enumerator.value);
    const [fn] = file.functions({ name, limit: 1 });
    if (fn?.entry !== undefined) {
      const type: Type = {
        kind: 'function',
        id: -2,
        language: 'c',
        returns: fn.returnType,
        parameters: fn.parameters.map((each) => each.type),
        variadic: fn.variadic,
      };
      return inMemory(type, fn.entry);
    }
  }
  for (const file of files) {
    const [symbol] = file.symbolsNamed(name);
    if (symbol === undefined || symbol.kind === 'tls') continue;
    // A symbol without DWARF: its bytes as an integer where the size is one, else its address.
    const size = symbol.kind === 'data' && [1, 2, 4, 8].includes(symbol.size) ? symbol.size : undefined;
    return inMemory(
      size === undefined ? arrayOf(builtinType('unsigned char') ?? voidType, BigInt(symbol.size)) : unsignedOf(size),
      symbol.address,
    );
  }
  const macro = macroValue(scope, name);
  if (macro !== undefined) return macro;
  throw exprErrors.unknownName(name);
}

/** A member of the object whose method runs, as C++ lets one leave out `this->`. */
function memberOfThis(scope: Scope, name: string): Value | undefined {
  const self = localVariables(scope.frame).find((each) => each.name === 'this');
  const type = self && stripType(self.type);
  if (type?.kind !== 'pointer' || structureOf(scope.target, type.target) === undefined) return undefined;
  const object = inMemory(type.target, asInteger(scope.target, variableValue(scope, self!, scope.frame.symbols!)));
  return findMember(scope, { ...object, frame: scope.frame }, name);
}

/** An object-like macro whose body is one integer constant. */
function macroValue({ frame }: Scope, name: string): Value | undefined {
  const unit = frame.symbols?.unitAt(frame.lookup);
  const macro = unit === undefined ? undefined : frame.symbols?.macroNamed(name, unit);
  const body = /^\(?\s*(-?)(0[xX][0-9a-fA-F]+|\d+)[uUlL]*\s*\)?$/.exec(macro?.body.trim() ?? '');
  if (macro === undefined || macro.parameters !== undefined || body === null) return undefined;
  return fromInteger(builtin.long, BigInt(body[2]!) * (body[1] === '-' ? -1n : 1n));
}

/** Variables of the frame's scopes, the innermost first. */
export const localVariables = (frame: StackFrame): readonly Variable[] =>
  frame.symbols === undefined || frame.symbolic === undefined
    ? []
    : frame.symbols.scopesAt(frame.lookup, frame.inlineIndex).flatMap((scope) => scope.variables);

/** A variable's value in a frame: missing values say why when they are read. */
export function variableValue({ target, frame }: Scope, variable: Variable, file: SymbolFile): Value {
  const context = evaluationContext(target, { ...frame, symbols: file });
  return { type: sized(variable.type, file, context), location: file.locate(variable, context), frame };
}

/** Go's compiler moves a variable that is still used when its function returned to the heap, and describes a pointer to it under the name `&name`. */
export const isMoved = (variable: Variable): boolean => variable.name.startsWith('&') && stripType(variable.type).kind === 'pointer';

/** What the pointer to such a variable points to. */
export function movedVariable(scope: Scope, variable: Variable, file: SymbolFile): Value {
  const pointer = variableValue(scope, variable, file);
  const type = stripType(pointer.type);
  return type.kind === 'pointer' ? { ...inMemory(type.target, asInteger(scope.target, pointer)), frame: scope.frame } : pointer;
}

/** A variable-length array's type with the lengths that it has in this frame; others as they are. */
function sized(type: Type, file: SymbolFile, context: EvaluationContext): Type {
  const array = stripType(type);
  if (array.kind !== 'array' || array.dimensions.every(({ dynamicCount }) => dynamicCount === undefined)) return type;
  const dimensions = array.dimensions.map((dimension): ArrayDimension => {
    const count = dimension.dynamicCount === undefined ? dimension.count : file.evaluateCount(dimension.dynamicCount, context);
    return { lower: dimension.lower, ...(count === undefined ? {} : { count }) };
  });
  const counts = dimensions.map(({ count }) => Number(count ?? 0n));
  const byteSize = counts.reduce((size, count) => size * count, array.element.byteSize ?? 0);
  return { ...array, dimensions, byteSize };
}

/** Does the name stand for a type here? */
export function isTypeName({ target, frame }: Scope, name: string): boolean {
  if (localVariables(frame).some((each) => each.name === name)) return false;
  if (builtinType(name) !== undefined) return true;
  return target.symbolFiles.some((file) => file.typesNamed(name).length > 0 && file.globalsNamed(name).length === 0);
}

/** The type that was written. Throws a CodedError where there is none. */
export function resolveType({ target, frame }: Scope, name: TypeName): Type {
  const files = [...(frame.symbols === undefined ? [] : [frame.symbols]), ...target.symbolFiles];
  let type: Type | undefined;
  for (const file of files) type ??= file.typesNamed(name.base, file.unitAt(frame.lookup))[0];
  type ??= builtinType(name.base);
  if (type === undefined) throw exprErrors.unknownType(name.base);
  for (let i = 0; i < name.pointers; i++) type = pointerTo(type);
  for (const count of [...name.arrays].reverse()) type = arrayOf(type, count);
  return type;
}
