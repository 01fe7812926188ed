/** Requests that make the guest run, stop and step. */
import { type Granularity } from '../control/api';
import { type Adapter } from './adapter';
import { type HistoryRequests } from './custom';
import { protocolErrors } from './errors';
import { formatAddress, parseAddress } from './format';
import { type Handlers } from './handler';

const granularity = (asked: string | undefined): Granularity => (asked === 'instruction' || asked === 'line' ? asked : 'statement');

/** A journey through the past is shown while it takes long, and can be broken off. */
async function back(adapter: Adapter, begun: Promise<void>): Promise<void> {
  await begun;
  adapter.travels();
}

/** The thread that is to run alone, where only one is. */
const stepOptions = (args: { readonly threadId: number; readonly singleThread?: boolean }): { readonly alone?: number } =>
  args.singleThread === true ? { alone: args.threadId } : {};

export const executionHandlers: Pick<
  Handlers,
  | 'continue'
  | 'pause'
  | 'next'
  | 'stepIn'
  | 'stepOut'
  | 'stepBack'
  | 'reverseContinue'
  | 'exceptionInfo'
  | 'goto'
  | 'gotoTargets'
  | 'stepInTargets'
  | 'restartFrame'
  | 'terminateThreads'
  | 'unikernel/consoleInput'
  | 'unikernel/statistics'
  | keyof HistoryRequests
> = {
  continue: async (adapter, args) => {
    const alone = args?.singleThread === true;
    await adapter.debugger.resume(alone ? args.threadId : undefined);
    return { allThreadsContinued: !alone };
  },
  pause: (adapter) => adapter.debugger.pause(),
  next: (adapter, args) => adapter.debugger.step('over', granularity(args.granularity), stepOptions(args)),
  stepIn: (adapter, args) =>
    adapter.debugger.step('in', granularity(args.granularity), {
      ...stepOptions(args),
      ...(args.targetId === undefined ? {} : { into: args.targetId }),
    }),
  stepOut: (adapter, args) => adapter.debugger.step('out', granularity(args.granularity), stepOptions(args)),
  stepBack: (adapter, args) => back(adapter, adapter.debugger.stepBack('back', granularity(args.granularity))),
  reverseContinue: (adapter) => back(adapter, adapter.debugger.reverseContinue()),

  stepInTargets: async (adapter, { frameId }) => {
    const targets = await adapter.debugger.stepInTargets(frameId);
    return {
      targets: targets.map(({ id, label, location }) => ({
        id,
        label,
        ...(location === undefined ? {} : { line: adapter.lineToClient(location.line) }),
        ...(location === undefined || location.column === 0 ? {} : { column: adapter.columnToClient(location.column) }),
      })),
    };
  },

  gotoTargets: async (adapter, { source, line, column }) => {
    const at = column === undefined ? undefined : adapter.columnFromClient(column);
    const targets = await adapter.debugger.gotoTargets(source.path ?? '', adapter.lineFromClient(line), at);
    return {
      targets: targets.map(({ id, label, address, location }) => ({
        id,
        label,
        line: adapter.lineToClient(location?.line ?? 1),
        ...(location === undefined || location.column === 0 ? {} : { column: adapter.columnToClient(location.column) }),
        instructionPointerReference: formatAddress(address),
      })),
    };
  },

  goto: (adapter, { threadId, targetId }) => adapter.debugger.goto(threadId, targetId),
  restartFrame: (adapter, { frameId }) => back(adapter, adapter.debugger.restartFrame(frameId)),

  terminateThreads: () => Promise.reject(protocolErrors.cannotEndThreads()),

  exceptionInfo: async (adapter) => {
    const info = await adapter.debugger.exceptionInfo();
    return {
      exceptionId: info?.id ?? 'none',
      breakMode: 'always',
      description: info?.description ?? 'No exception stopped the guest.',
      ...(info === undefined || info.details === '' ? {} : { details: { message: info.details } }),
    };
  },

  'unikernel/consoleInput': (adapter, { text }) => adapter.debugger.consoleInput(text),

  'unikernel/statistics': async (adapter) => {
    const { instructions, virtualTime } = await adapter.debugger.statistics();
    return { instructions: String(instructions), virtualTime };
  },

  'unikernel/reverseNext': (adapter, args) => back(adapter, adapter.debugger.stepBack('over', granularity(args?.granularity))),
  'unikernel/reverseIn': (adapter, args) => back(adapter, adapter.debugger.stepBack('in', granularity(args?.granularity))),
  'unikernel/reverseOut': (adapter, args) => back(adapter, adapter.debugger.stepBack('out', granularity(args?.granularity))),

  'unikernel/seek': (adapter, { instruction, consoleOffset, traceSequence }) => {
    const places = [
      ...(instruction === undefined ? [] : [{ instruction: Number(instruction) }]),
      ...(consoleOffset === undefined ? [] : [{ consoleOffset }]),
      ...(traceSequence === undefined ? [] : [{ traceSequence }]),
    ];
    const [place] = places;
    if (place === undefined || places.length > 1)
      throw protocolErrors.badArguments('unikernel/seek', 'give one of "instruction", "consoleOffset" and "traceSequence"');
    return back(adapter, adapter.debugger.seek(place));
  },

  'unikernel/seekWrite': async (adapter, { address, bytes, variablesReference, name, frameId }) => {
    if (address !== undefined) return back(adapter, adapter.debugger.seekWrite(parseAddress(address), Math.max(1, bytes ?? 1)));
    if (name === undefined) throw protocolErrors.badArguments('unikernel/seekWrite', 'give "address", or the "name" of a variable');
    const place = await adapter.debugger.dataPlace(name, variablesReference, frameId);
    if (place === undefined || 'register' in place)
      throw protocolErrors.badArguments('unikernel/seekWrite', `${name} does not lie in memory: a register's writes cannot be looked for`);
    return back(adapter, adapter.debugger.seekWrite(place.address, place.length));
  },

  'unikernel/consoleLines': async (adapter, args) => ({
    lines: await adapter.debugger.consoleLines(args?.search ?? '', Math.min(Math.max(args?.limit ?? 500, 1), 5000)),
  }),

  'unikernel/history': async (adapter) => {
    const { start, end, position, checkpoints, ...rest } = await adapter.debugger.history();
    return { ...rest, start: String(start), end: String(end), position: String(position), checkpoints: checkpoints.map(String) };
  },

  'unikernel/saveSession': async (adapter) => ({ data: encodeBase64(await adapter.debugger.saveSession()) }),
};

function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}
