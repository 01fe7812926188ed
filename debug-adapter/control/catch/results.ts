/** How the result of a system call is written in a sentence. */
import { errnoOf } from '../../trace/syscalls/errno';

/** `3`, or `-ENOENT (No such file or directory)`. */
export function formatCallResult(result: bigint): string {
  const error = result < 0n && result >= -4095n ? errnoOf(Number(-result)) : undefined;
  return error === undefined ? String(result) : `-${error.name} (${error.meaning})`;
}
