/** Errors of time travel that people read: each has a code and says what to do. */
import { CodedError } from '../channel';

export const historyErrors = {
  ahead: (count: number, end: number) =>
    new CodedError('history-ahead', `Instruction ${count} has not run yet: history ends at ${end}. Continue the guest to get there.`),
  before: (start: number) => new CodedError('history-before', `History begins at instruction ${start}.`),
  noOutput: (offset: number, written: number) =>
    new CodedError('history-output', `Byte ${offset} of the console's output is not in history: ${written} bytes were written so far.`),
  noEvent: (sequence: number) =>
    new CodedError(
      'history-event',
      `Event ${sequence} is not in the trace any more, or was never recorded. Switch tracing on in the launch configuration.`,
    ),
  diverged: (count: number) =>
    new CodedError('history-diverged', `The replay did not reach instruction ${count}. This is a fault of the emulator; please report it.`),
  none: () => new CodedError('history-none', 'This machine records no history.'),
  noSession: (why: string) => new CodedError('session-file', `This is not a saved session: ${why}.`),
  otherLaunch: (differences: readonly string[]) =>
    new CodedError('session-launch', `The session cannot be repeated with this launch: ${differences.join('; ')}.`),
  neverWritten: (address: bigint, length: number, start: number) =>
    new CodedError(
      'history-never-written',
      `No instruction wrote the ${length} ${length === 1 ? 'byte' : 'bytes'} at 0x${address.toString(16)} between ${start === 0 ? 'reset' : `instruction ${start}`} and here: they are as the image, the boot loader or a device left them.`,
    ),
  repeated: (at: number) =>
    new CodedError('session-diverged', `The recorded session cannot be repeated: the guest went another way at instruction ${at}.`),
  noEntry: (name: string) => new CodedError('no-entry', `${name} was entered before recorded history begins, so it cannot be begun again.`),
};
