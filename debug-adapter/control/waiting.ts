/** What a thread that does not run waits for: the primitive of Unikraft that it stands in, and the object that it was given. */
import { localVariables, variableValue } from './expr/names';
import { asInteger } from './expr/value';
import { type Target } from './target';
import { type StackFrame } from './unwind';

/** Functions in which threads wait, the parameter that names what for, and what the object is called. */
const primitives: readonly { readonly name: RegExp; readonly parameter: string; readonly what: string }[] = [
  { name: /^(uk_)?futex_wait/, parameter: 'uaddr', what: 'futex' },
  { name: /^uk_mutex_lock/, parameter: 'm', what: 'mutex' },
  { name: /^uk_rwlock_[rw]lock/, parameter: 'rwl', what: 'read-write lock' },
  { name: /^uk_semaphore_down/, parameter: 's', what: 'semaphore' },
  { name: /^uk_waitq_/, parameter: 'wq', what: 'wait queue' },
];
/** Functions that only sleep: the time at which the thread wakes says the rest. */
const sleeping = /^uk_sys_(clock_)?nanosleep$|^uk_sched_thread_sleep/;
/** The scheduler itself, which every way of waiting ends in. */
const switching = /^ukarch_ctx_switch|^(uk_)?sched|^uk_thread_|^_ctx_/;

/** A phrase such as `semaphore shutdown_req+8, count 0`; undefined where the frames do not tell. @param frames innermost first. */
export function waitingFor(target: Target, frames: readonly StackFrame[]): string | undefined {
  for (const frame of frames) {
    if (frame.origin === 'syscall' || frame.origin === 'interrupt') return undefined;
    const name = bareName(frame);
    if (sleeping.test(name)) return 'time to pass';
    const primitive = primitives.find((each) => each.name.test(name));
    if (primitive !== undefined) {
      const address = pointerNamed(target, frame, primitive.parameter);
      return address === undefined ? `a ${primitive.what}` : `${primitive.what} ${describe(target, address)}`;
    }
    // An event that a macro waits for leaves its queue's entry among the locals.
    if (localVariables(frame).some((variable) => variable.name === '__wait')) return `an event in ${name}`;
    if (!switching.test(name) && frame.origin !== 'inlined') return undefined;
  }
  return undefined;
}

const bareName = ({ name }: StackFrame): string => name.replace(/\+0x[0-9a-f]+$/, '').replace(/\.(part|isra|constprop)\.\d+.*$/, '');

/** A pointer that the frame still has; undefined where it is optimised away. */
function pointerNamed(target: Target, frame: StackFrame, name: string): bigint | undefined {
  const variable = localVariables(frame).find((each) => each.name === name);
  if (variable === undefined || frame.symbols === undefined) return undefined;
  try {
    const address = asInteger(target, variableValue({ target, frame, lookOnly: true }, variable, frame.symbols));
    return address === 0n ? undefined : address;
  } catch {
    return undefined;
  }
}

/** The symbol that an object lies in, or its address. */
function describe(target: Target, address: bigint): string {
  return target.symbolsAt(address)?.symbolAt(address) === undefined ? `0x${address.toString(16)}` : target.describe(address);
}
