/** Errors of run control that people read: each has a code and says what to do. */
import { CodedError } from './channel';

export const errors = {
  notLaunched: () => new CodedError('not-launched', 'No image is loaded. Launch one first.'),
  running: () => new CodedError('running', 'The guest is running. Pause it first.'),
  travelling: () =>
    new CodedError(
      'travelling',
      'The guest is on its way through its past, where nothing may reach it. Wait until it has arrived, or pause it.',
    ),
  exited: () => new CodedError('exited', 'The guest has ended. Restart to run it again.'),
  unknownFrame: (id: number) =>
    new CodedError('unknown-frame', `There is no stack frame ${id} any more: the guest ran since it was shown.`),
  unknownHandle: (handle: number) =>
    new CodedError('unknown-handle', `There is no variable group ${handle} any more: the guest ran since it was shown.`),
  unknownVariable: (name: string) => new CodedError('unknown-variable', `There is no variable ${name} here.`),
  readOnly: (name: string) => new CodedError('read-only', `${name} cannot be changed.`),
  badValue: (name: string, value: string) =>
    new CodedError('bad-value', `"${value}" is not a value that ${name} can take. Give a number (decimal, 0x…, 0b…) within its width.`),
  unmapped: (address: bigint) => new CodedError('unmapped', `Nothing is mapped at 0x${address.toString(16)}.`),
  noNetwork: () =>
    new CodedError(
      'no-network',
      'There is no network here: a browser has no sockets. Take "net" out of launch.json, or run on a desktop or server.',
    ),
  noCaller: () => new CodedError('no-caller', 'The outermost frame has no caller to step out to.'),
  badHitCondition: (text: string) =>
    new CodedError(
      'hit-condition',
      `"${text}" is not a hit condition. Write a number, or one of < <= = >= > % before a number, e.g. ">= 3" or "% 2".`,
    ),
  unknownFilter: (filter: string) => new CodedError('exception-filter', `There is no exception filter "${filter}".`),
  unknownSyscall: (word: string, suggestion: string | undefined) =>
    new CodedError(
      'syscall-name',
      `"${word}" is no system call, class or error${suggestion === undefined ? '. Write names (openat), classes (%file), errors (-ENOENT), failed, binary, native' : `; did you mean ${suggestion}?`}`,
    ),
  unknownErrno: (word: string) => new CodedError('errno-name', `"${word}" is no error number's name, such as -ENOENT.`),
  resultAtEntry: () =>
    new CodedError('result-at-entry', 'A result is known only when a call returns: set the condition on the filter System call return.'),
  badVectors: (word: string) =>
    new CodedError('vectors', `"${word}" is no interrupt vector. Write numbers from 0 to 255 or ranges, e.g. 32,0x28-0x2f.`),
  notTheRunningThread: (id: number) =>
    new CodedError(
      'not-running',
      `Thread ${id} does not run now. The guest's own scheduler decides who runs next; only the running thread can be stepped, moved or run alone.`,
    ),
  unknownTarget: (id: number) => new CodedError('unknown-target', `There is no target ${id} any more: the guest ran since it was shown.`),
  notInnermost: () => new CodedError('not-innermost', 'Only the innermost frame of the running thread can be moved to another place.'),
  cannotRestart: (why: string) => new CodedError('cannot-restart', `This frame cannot be begun again: ${why}.`),
  badMode: (mode: string, modes: readonly string[]) =>
    new CodedError(
      'breakpoint-mode',
      `There is no breakpoint mode "${mode}" for this kind of breakpoint${modes.length === 0 ? '' : `; there are ${modes.join(', ')}`}.`,
    ),
};
