/** Requests that make the guest run, stop and step. */
import { type Granularity } from '../control/api';
import { type HistoryRequests } from './custom';
import { protocolErrors } from './errors';
import { type Handlers, parseAddress } from './handler';

const granularity = (asked: string | undefined): Granularity => (asked === 'instruction' || asked === 'line' ? asked : 'statement');

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
  | 'unikernel/consoleInput'
  | 'unikernel/statistics'
  | keyof HistoryRequests
> = {
  continue: async (adapter) => {
    await adapter.debugger.resume();
    return { allThreadsContinued: true };
  },
  pause: (adapter) => adapter.debugger.pause(),
  next: (adapter, args) => adapter.debugger.step('over', granularity(args.granularity)),
  stepIn: (adapter, args) => adapter.debugger.step('in', granularity(args.granularity)),
  stepOut: (adapter, args) => adapter.debugger.step('out', granularity(args.granularity)),
  stepBack: (adapter, args) => adapter.debugger.stepBack('back', granularity(args.granularity)),
  reverseContinue: (adapter) => adapter.debugger.reverseContinue(),

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

  'unikernel/reverseNext': (adapter, args) => adapter.debugger.stepBack('over', granularity(args?.granularity)),
  'unikernel/reverseIn': (adapter, args) => adapter.debugger.stepBack('in', granularity(args?.granularity)),
  'unikernel/reverseOut': (adapter, args) => adapter.debugger.stepBack('out', granularity(args?.granularity)),

  'unikernel/seek': (adapter, { instruction, consoleOffset, traceSequence }) => {
    const places = [
      ...(instruction === undefined ? [] : [{ instruction: Number(instruction) }]),
      ...(consoleOffset === undefined ? [] : [{ consoleOffset }]),
      ...(traceSequence === undefined ? [] : [{ traceSequence }]),
    ];
    const [place] = places;
    if (place === undefined || places.length > 1)
      throw protocolErrors.badArguments('unikernel/seek', 'give one of "instruction", "consoleOffset" and "traceSequence"');
    return adapter.debugger.seek(place);
  },

  'unikernel/seekWrite': async (adapter, { address, bytes, variablesReference, name, frameId }) => {
    if (address !== undefined) return adapter.debugger.seekWrite(parseAddress(address), Math.max(1, bytes ?? 1));
    if (name === undefined) throw protocolErrors.badArguments('unikernel/seekWrite', 'give "address", or the "name" of a variable');
    const place = await adapter.debugger.dataPlace(name, variablesReference, frameId);
    if (place === undefined)
      throw protocolErrors.badArguments('unikernel/seekWrite', `${name} does not lie in memory: a register's writes cannot be looked for`);
    return adapter.debugger.seekWrite(place.address, place.length);
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
