/** Requests that look at the stopped guest: threads, stack, variables, expressions. */
import { type DebugProtocol } from '@vscode/debugprotocol';
import { type FrameInfo, type VariableInfo } from '../control/api';
import { type Adapter } from './adapter';
import { formatAddress } from './format';
import { type Handlers } from './handler';

type StateRequests = 'threads' | 'stackTrace' | 'scopes' | 'variables' | 'setVariable' | 'evaluate' | 'setExpression' | 'completions';

export const stateHandlers: Pick<Handlers, StateRequests> = {
  threads: async (adapter) => ({ threads: (await adapter.debugger.threads()).map(({ id, name }) => ({ id, name })) }),

  stackTrace: async (adapter, { threadId, startFrame = 0, levels = 0, format }) => {
    const { frames, total } = await adapter.debugger.stack(threadId, startFrame, levels, format);
    return { stackFrames: frames.map((frame) => stackFrame(adapter, frame)), totalFrames: total };
  },

  scopes: async (adapter, { frameId }) => ({
    scopes: (await adapter.debugger.scopes(frameId)).map((scope) => ({
      name: scope.name,
      variablesReference: scope.handle,
      expensive: scope.expensive,
      ...(scope.kind === 'globals' ? {} : { presentationHint: scope.kind }),
      ...(scope.count === undefined ? {} : { namedVariables: scope.count }),
    })),
  }),

  variables: async (adapter, { variablesReference, filter, start, count, format }) => {
    // Our groups hold named or indexed rows, never both; a client that asks for the other kind gets none.
    const rows = await adapter.debugger.variables(variablesReference, start, count === 0 ? undefined : count, format?.hex);
    const wanted = filter === undefined ? rows : rows.filter((row) => row.name.startsWith('[') === (filter === 'indexed'));
    return { variables: wanted.map((row) => variable(adapter, row)) };
  },

  setVariable: async (adapter, { variablesReference, name, value }) => {
    const { value: text, ...rest } = variable(adapter, await adapter.debugger.setVariable(variablesReference, name, value));
    return { value: text, ...pick(rest) };
  },

  evaluate: async (adapter, { expression, frameId, format, context }) => {
    const told = context === 'repl' ? await adapter.debugger.command(expression, frameId) : undefined;
    if (told !== undefined) return { result: told, variablesReference: 0 };
    const { value, ...rest } = variable(adapter, await adapter.debugger.evaluate(expression, frameId, format?.hex ?? false));
    return { result: value, ...pick(rest), variablesReference: rest.variablesReference };
  },

  setExpression: async (adapter, { expression, value, frameId }) => {
    const { value: text, ...rest } = variable(adapter, await adapter.debugger.setExpression(expression, value, frameId));
    return { value: text, ...pick(rest) };
  },

  completions: async (adapter, { text, column, frameId }) => {
    const items = await adapter.debugger.completions(text, adapter.columnFromClient(column), frameId);
    return { targets: items.map(({ label, kind }) => ({ label, type: completionTypes[kind] })) };
  },
};

/** The protocol has no words for registers and types in general. */
const completionTypes = { variable: 'variable', register: 'variable', function: 'function', field: 'field', type: 'class' } as const;

function stackFrame(adapter: Adapter, frame: FrameInfo): DebugProtocol.StackFrame {
  const { location } = frame;
  const base = {
    id: frame.id,
    name: frame.origin === 'tail-call' ? `${frame.name} (left by a tail call)` : frame.name,
    instructionPointerReference: formatAddress(frame.address),
    ...(frame.library === undefined ? {} : { moduleId: frame.library }),
  };
  // Between a program and the kernel that it called: nothing to select.
  if (frame.origin === 'syscall' || frame.origin === 'interrupt')
    return { id: frame.id, name: frame.name, line: 0, column: 0, presentationHint: 'label' };
  if (frame.origin === 'guess') return { ...base, name: `${frame.name} (guessed)`, line: 0, column: 0, presentationHint: 'subtle' };
  if (location === undefined) return { ...base, line: 0, column: 0, presentationHint: 'subtle' };
  return {
    ...base,
    source: adapter.source(location.path),
    line: adapter.lineToClient(location.line),
    column: adapter.columnToClient(Math.max(location.column, 1)),
  };
}

function variable(adapter: Adapter, row: VariableInfo): DebugProtocol.Variable {
  const attributes = [...(row.readOnly ? ['readOnly'] : []), ...(row.changed ? ['unikernelChanged'] : [])];
  return {
    name: row.name,
    value: row.value,
    variablesReference: row.handle,
    ...(row.type === undefined ? {} : { type: row.type }),
    ...(row.indexed === undefined ? {} : { indexedVariables: row.indexed }),
    ...(row.named === undefined ? {} : { namedVariables: row.named }),
    ...(row.memory === undefined ? {} : { memoryReference: formatAddress(row.memory) }),
    ...(row.declaration === undefined ? {} : { declarationLocationReference: adapter.locations.reference(row.declaration) }),
    ...(row.pointsTo === undefined ? {} : { valueLocationReference: adapter.locations.reference(row.pointsTo) }),
    ...(row.evaluateName === undefined ? {} : { evaluateName: row.evaluateName }),
    ...(attributes.length === 0 ? {} : { presentationHint: { attributes } }),
  };
}

/** The fields that a variable and an evaluation result have in common. */
const pick = ({
  type,
  variablesReference,
  indexedVariables,
  namedVariables,
  memoryReference,
  valueLocationReference,
}: Omit<DebugProtocol.Variable, 'value'>) => ({
  variablesReference,
  ...(type === undefined ? {} : { type }),
  ...(indexedVariables === undefined ? {} : { indexedVariables }),
  ...(namedVariables === undefined ? {} : { namedVariables }),
  ...(memoryReference === undefined ? {} : { memoryReference }),
  ...(valueLocationReference === undefined ? {} : { valueLocationReference }),
});
