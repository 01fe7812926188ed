/** Requests that make the guest run, stop and step. */
import { type Granularity } from '../control/api';
import { type Handlers } from './handler';

const granularity = (asked: string | undefined): Granularity => (asked === 'instruction' || asked === 'line' ? asked : 'statement');

export const executionHandlers: Pick<
  Handlers,
  'continue' | 'pause' | 'next' | 'stepIn' | 'stepOut' | 'exceptionInfo' | 'unikernel/consoleInput' | 'unikernel/statistics'
> = {
  continue: async (adapter) => {
    await adapter.debugger.resume();
    return { allThreadsContinued: true };
  },
  pause: (adapter) => adapter.debugger.pause(),
  next: (adapter, args) => adapter.debugger.step('over', granularity(args.granularity)),
  stepIn: (adapter, args) => adapter.debugger.step('in', granularity(args.granularity)),
  stepOut: (adapter, args) => adapter.debugger.step('out', granularity(args.granularity)),

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
};
