/** The shapes of all requests' arguments in one table, checked before a handler sees them; launch checks its own fields by name. */
import { protocolErrors } from './errors';
import { type Command } from './handler';

/** Answers the value as handlers may use it, without nulls in optional fields. Throws a Mismatch for anything else. */
type Shape = (value: unknown, field: string) => unknown;

/** What is wrong with which field; becomes a protocol error where the request is known. */
class Mismatch extends Error {}

/** Ids and counts of the protocol are 32-bit. */
const int32 = 2 ** 31 - 1;
/** One answer's limits; clients page through more. */
const mostInstructions = 10_000;
const farthestInstruction = 100_000;
const mostWatchedBytes = 1 << 20;

const check =
  (accepts: (value: unknown) => boolean, expected: string): Shape =>
  (value, field) => {
    if (!accepts(value)) throw new Mismatch(`"${field}" must be ${expected}${value === undefined ? ', and is missing' : ''}`);
    return value;
  };

const text = check((value) => typeof value === 'string', 'a string');
const flag = check((value) => typeof value === 'boolean', 'true or false');
const integer = (least: number, most: number): Shape =>
  check(
    (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
    `a whole number from ${least} to ${most}`,
  );
const oneOf = (...allowed: readonly string[]): Shape =>
  check((value) => allowed.includes(value as string), `one of ${allowed.map((each) => `"${each}"`).join(', ')}`);
const matching = (pattern: RegExp, expected: string): Shape => check((value) => typeof value === 'string' && pattern.test(value), expected);

const list =
  (item: Shape): Shape =>
  (value, field) => {
    if (!Array.isArray(value)) throw new Mismatch(`"${field}" must be a list${value === undefined ? ', and is missing' : ''}`);
    return value.map((each: unknown, index) => item(each, `${field}[${index}]`));
  };

/** An object; fields that are not named here pass as they are. */
const record =
  (required: Readonly<Record<string, Shape>>, optional: Readonly<Record<string, Shape>> = {}): Shape =>
  (value, field) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new Mismatch(`"${field}" must be an object${value === undefined ? ', and is missing' : ''}`);
    const result: Record<string, unknown> = { ...value };
    const path = (name: string): string => (field === whole ? name : `${field}.${name}`);
    for (const [name, shape] of Object.entries(required)) result[name] = shape(result[name], path(name));
    for (const [name, shape] of Object.entries(optional)) {
      if (result[name] === undefined || result[name] === null) delete result[name];
      else result[name] = shape(result[name], path(name));
    }
    return result;
  };

const orNothing =
  (shape: Shape): Shape =>
  (value, field) =>
    value === undefined || value === null ? undefined : shape(value, field);

/** The name of the arguments as a whole. */
const whole = 'arguments';

const id = integer(0, int32);
const count = integer(0, int32);
const line = integer(0, int32);
const offset = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
const sequence = integer(0, Number.MAX_SAFE_INTEGER);
const format = record({}, { hex: flag });
const source = record({}, { path: text });
const anything: Shape = (value) => value;
const nothing = orNothing(record({}));
const options = { condition: text, hitCondition: text, logMessage: text, mode: text };
const step = record({}, { threadId: id, granularity: oneOf('statement', 'line', 'instruction'), singleThread: flag, targetId: id });

const shapes: Readonly<Record<Command, Shape>> = {
  initialize: record({}, { linesStartAt1: flag, columnsStartAt1: flag }),
  launch: record({}),
  configurationDone: nothing,
  attach: record({}),
  goto: record({ threadId: id, targetId: id }),
  gotoTargets: record({ source, line }, { column: line }),
  stepInTargets: record({ frameId: id }),
  restartFrame: record({ frameId: id }),
  terminateThreads: orNothing(record({}, { threadIds: list(id) })),
  source: record({}, { source, sourceReference: id }),
  locations: record({ locationReference: id }),
  restart: orNothing(record({}, { arguments: record({}) })),
  disconnect: orNothing(record({}, { restart: flag, terminateDebuggee: flag, suspendDebuggee: flag })),
  terminate: nothing,
  cancel: orNothing(record({}, { requestId: sequence, progressId: text })),
  setBreakpoints: record({ source }, { breakpoints: list(record({ line }, { column: line, ...options })) }),
  setFunctionBreakpoints: record({ breakpoints: list(record({ name: text }, options)) }),
  setInstructionBreakpoints: record({ breakpoints: list(record({ instructionReference: text }, { offset, ...options })) }),
  setExceptionBreakpoints: record(
    { filters: list(text) },
    { filterOptions: list(record({ filterId: text }, { condition: text })), exceptionOptions: anything },
  ),
  dataBreakpointInfo: record({ name: text }, { variablesReference: id, frameId: id, bytes: integer(1, mostWatchedBytes), asAddress: flag }),
  setDataBreakpoints: record({
    breakpoints: list(
      record(
        { dataId: matching(/^(0x[0-9a-f]{1,16}:[1-9]\d{0,6}|\$\w{1,20})$/i, 'what dataBreakpointInfo gave') },
        { accessType: oneOf('read', 'write', 'readWrite'), ...options },
      ),
    ),
  }),
  breakpointLocations: record({ source, line }, { endLine: line, column: line, endColumn: line }),
  continue: orNothing(record({}, { threadId: id, singleThread: flag })),
  pause: nothing,
  next: step,
  stepIn: step,
  stepOut: step,
  stepBack: step,
  reverseContinue: nothing,
  threads: nothing,
  stackTrace: record(
    { threadId: id },
    {
      startFrame: count,
      levels: count,
      format: record(
        {},
        {
          hex: flag,
          parameters: flag,
          parameterTypes: flag,
          parameterNames: flag,
          parameterValues: flag,
          line: flag,
          module: flag,
          includeAll: flag,
        },
      ),
    },
  ),
  scopes: record({ frameId: id }),
  variables: record({ variablesReference: id }, { filter: oneOf('indexed', 'named'), start: count, count, format }),
  setVariable: record({ variablesReference: id, name: text, value: text }, { format }),
  evaluate: record({ expression: text }, { frameId: id, context: text, format }),
  setExpression: record({ expression: text, value: text }, { frameId: id, format }),
  completions: record({ text, column: line }, { frameId: id, line }),
  exceptionInfo: nothing,
  readMemory: record({ memoryReference: text, count }, { offset }),
  writeMemory: record({ memoryReference: text, data: text }, { offset, allowPartial: flag }),
  disassemble: record(
    { memoryReference: text, instructionCount: integer(0, mostInstructions) },
    { offset, instructionOffset: integer(-farthestInstruction, farthestInstruction), resolveSymbols: flag },
  ),
  modules: orNothing(record({}, { startModule: count, moduleCount: count })),
  loadedSources: nothing,
  'unikernel/consoleInput': record({ text }),
  'unikernel/statistics': nothing,
  'unikernel/reverseNext': orNothing(step),
  'unikernel/reverseIn': orNothing(step),
  'unikernel/reverseOut': orNothing(step),
  'unikernel/seek': record(
    {},
    { instruction: matching(/^\d{1,16}$/, 'a number in decimal, as a string'), consoleOffset: sequence, traceSequence: sequence },
  ),
  'unikernel/seekWrite': record(
    {},
    {
      address: matching(/^(0x[0-9a-f]{1,16}|\d{1,20})$/i, 'an address'),
      bytes: integer(1, mostWatchedBytes),
      variablesReference: id,
      name: text,
      frameId: id,
    },
  ),
  'unikernel/consoleLines': orNothing(record({}, { search: text, limit: count })),
  'unikernel/history': nothing,
  'unikernel/saveSession': nothing,
  'unikernel/threads': nothing,
  'unikernel/allocators': nothing,
  'unikernel/tests': nothing,
  'unikernel/tls': orNothing(record({}, { threadId: id })),
  'unikernel/syscalls': orNothing(record({}, { from: sequence, limit: count, filter: text })),
  'unikernel/traceRows': record({ start: sequence, count }, { filter: text }),
  'unikernel/syscallSummary': orNothing(record({}, { filter: text })),
  'unikernel/eventPlace': record({ sequence }),
  'unikernel/exportTrace': record({ format: oneOf('strace', 'chrome') }, { filter: text }),
};

/** The arguments of a request as its handler may use them. Throws a ProtocolError that names the field. */
export function checkArguments(command: Command, args: unknown): unknown {
  try {
    return shapes[command](args, whole);
  } catch (error) {
    throw error instanceof Mismatch ? protocolErrors.badArguments(command, error.message) : error;
  }
}
