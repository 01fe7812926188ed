/** The variables that a frame shows: arguments, locals, the unit's globals, thread-local ones, and the globals of everything by library. */
import { type CompilationUnit, type SymbolFile, type Variable } from '../../symbols/api';
import { type ScopeInfo } from '../api';
import { CodedError } from '../channel';
import { type Target } from '../target';
import { type StackFrame } from '../unwind';
import { type Formatting, type ValueNode } from '../value-node';
import { type Scope } from './evaluate';
import { isMoved, localVariables, movedVariable, variableValue } from './names';
import { rowOf } from './rows';

export interface ScopeNodes {
  readonly name: string;
  readonly kind: ScopeInfo['kind'];
  readonly count?: number;
  readonly expensive: boolean;
  children(start?: number, count?: number): readonly ValueNode[];
}

/** The scopes of a frame that hold anything. A name that an inner block hides is shown once, as the inner one. */
export function scopeNodes(target: Target, frame: StackFrame, formatting: Formatting): readonly ScopeNodes[] {
  const { symbols } = frame;
  if (symbols === undefined) return [];
  const scope: Scope = { target, frame };
  const visible = unhidden(localVariables(frame));
  const unit = symbols.unitAt(frame.lookup);
  const globals = unit === undefined ? [] : symbols.globals(unit);
  const make = (name: string, kind: ScopeInfo['kind'], variables: readonly Variable[], expensive: boolean): ScopeNodes[] =>
    variables.length === 0
      ? []
      : [
          {
            name,
            kind,
            count: variables.length,
            expensive,
            children: () => variables.map((each) => row(scope, each, symbols, formatting)),
          },
        ];
  return [
    ...make(
      'Arguments',
      'arguments',
      visible.filter((each) => each.kind === 'parameter'),
      false,
    ),
    ...make(
      'Locals',
      'locals',
      visible.filter((each) => each.kind !== 'parameter'),
      false,
    ),
    ...make(
      `Globals of ${unit?.library ?? 'this file'}`,
      'globals',
      globals.filter((each) => !each.threadLocal),
      true,
    ),
    ...make('Thread-local', 'globals', symbols.threadLocals(), true),
    ...byLibrary(target, frame, formatting),
  ];
}

/** All globals of the image and the programs in it, each library a row to be opened. */
function byLibrary(target: Target, frame: StackFrame, formatting: Formatting): ScopeNodes[] {
  const libraries = target.symbolFiles.flatMap((file) => {
    const units = new Map<string, CompilationUnit[]>();
    for (const unit of file.units()) {
      const known = units.get(unit.library);
      if (known === undefined) units.set(unit.library, [unit]);
      else known.push(unit);
    }
    return [...units].map(([library, list]) => ({ file, library, units: list }));
  });
  if (libraries.length === 0) return [];
  libraries.sort((a, b) => (a.library < b.library ? -1 : a.library > b.library ? 1 : 0));
  const children = (): readonly ValueNode[] =>
    libraries.map(({ file, library, units }) => ({
      name: library,
      text: `${units.length} ${units.length === 1 ? 'file' : 'files'}`,
      children: () => {
        // A thread-local one is in its own scope; a static one may share its name with another file's.
        const globals = units.flatMap((unit) => file.globals(unit)).filter((each) => !each.threadLocal && each.name !== '');
        const scope: Scope = { target, frame: frame.symbols === file ? frame : { ...frame, symbols: file } };
        return globals.sort((a, b) => (a.name < b.name ? -1 : 1)).map((each) => row(scope, each, file, formatting));
      },
    }));
  return [{ name: 'Globals by library', kind: 'globals', expensive: true, children }];
}

function row(scope: Scope, variable: Variable, file: SymbolFile, formatting: Formatting): ValueNode {
  const node =
    movedRow(scope, variable, file, formatting) ??
    rowOf(scope, variable.name, variableValue(scope, variable, file), variable.name, formatting);
  const { declaration } = variable;
  return declaration === undefined || declaration.line === 0 ? node : { ...node, declaration: scope.target.present(declaration) };
}

/** The row of what Go's compiler moved to the heap, under its name in the source; undefined for other variables, and where the pointer cannot be had. */
function movedRow(scope: Scope, variable: Variable, file: SymbolFile, formatting: Formatting): ValueNode | undefined {
  if (!isMoved(variable)) return undefined;
  const name = variable.name.slice(1);
  try {
    return rowOf(scope, name, movedVariable(scope, variable, file), name, formatting);
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}

function unhidden(variables: readonly Variable[]): readonly Variable[] {
  const seen = new Set<string>();
  return variables.filter(({ name }) => name !== '' && !seen.has(name) && seen.add(name) !== undefined);
}
