/** What a stop of the guest is told as (GDB manual, appendix E.3, "Stop Reply Packets"). */
import { exitStatus } from '../machine/exit-status';
import { type Debuggee } from './debuggee';
import { type Stop } from './execution';
import { toHex } from './packet';
import { expeditedRegisters } from './registers';

/** gdb's own signal numbers (include/gdb/signals.def), which are the same on every host. */
const Signal = { interrupt: 2, illegal: 4, trap: 5, arithmetic: 8, bus: 10, segmentation: 11 } as const;

const exceptionSignals: Readonly<Record<string, number>> = {
  de: Signal.arithmetic,
  db: Signal.trap,
  bp: Signal.trap,
  of: Signal.arithmetic,
  ud: Signal.illegal,
  nm: Signal.arithmetic,
  mf: Signal.arithmetic,
  xm: Signal.arithmetic,
  ac: Signal.bus,
  unsupported: Signal.illegal,
};

const watchNames = { write: 'watch', read: 'rwatch', access: 'awatch' } as const;

const hexByte = (value: number): string => value.toString(16).padStart(2, '0');

/** The packet's text. */
export function stopReply(debuggee: Debuggee, stop: Stop): string {
  const trap = (signal: number, reason = ''): string => {
    const registers = expeditedRegisters.map((number) => `${hexByte(number)}:${toHex(debuggee.registers.read(number)!)};`);
    return `T${hexByte(signal)}thread:${debuggee.threads.current.toString(16)};${reason}${registers.join('')}`;
  };
  switch (stop.kind) {
    case 'exited':
      return `W${hexByte(exitStatus(stop.exit))}`;
    case 'interrupted':
      return trap(Signal.interrupt);
    case 'attached':
    case 'stepped':
    case 'dead':
    case 'failed':
      return trap(Signal.trap);
    case 'historyBegins':
      return trap(Signal.trap, 'replaylog:begin;');
    case 'breakpoint':
      return trap(Signal.trap, stop.type === 'software' ? 'swbreak:;' : 'hwbreak:;');
    case 'watch':
      return trap(Signal.trap, `${watchNames[stop.hit.kind]}:${stop.hit.address.toString(16)};`);
    case 'exception':
      return trap(exceptionSignals[stop.id] ?? Signal.segmentation);
  }
}

/** A sentence on a stop that its packet cannot carry, or undefined. */
export const stopText = (stop: Stop): string | undefined =>
  stop.kind === 'exception' || stop.kind === 'dead' || stop.kind === 'failed' ? stop.text : undefined;
