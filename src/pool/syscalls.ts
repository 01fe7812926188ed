/** The system calls that libraries provide: reading of their entries, and the way from a call to its libraries. */
import { type Library, type ProvidedSyscall } from './library';

/** `write-3`, `clone-5e`: name, number of arguments, and whether it sees the caller's context; undefined for any other form. */
export function readSyscall(word: string): Pick<ProvidedSyscall, 'name' | 'arity' | 'context'> | undefined {
  const match = /^([a-z_][a-z0-9_]*)-([0-6])([eu]?)$/.exec(word);
  return match ? { name: match[1]!, arity: Number(match[2]), context: match[3] as '' | 'e' | 'u' } : undefined;
}

/** One library that provides a call. */
export interface SyscallProvider {
  readonly library: Library;
  readonly call: ProvidedSyscall;
}

/** All providers by the call's name, in the order of the catalogue. */
export function indexSyscalls(libraries: readonly Library[]): ReadonlyMap<string, readonly SyscallProvider[]> {
  const index = new Map<string, SyscallProvider[]>();
  for (const library of libraries) {
    for (const call of library.syscalls) {
      const providers = index.get(call.name) ?? [];
      providers.push({ library, call });
      index.set(call.name, providers);
    }
  }
  return index;
}

/** The table of a configuration, as the shim's `provided_syscalls.in` lists it: later entries of a name add nothing. */
export function configuredSyscalls(words: readonly string[]): ReadonlyMap<string, Pick<ProvidedSyscall, 'name' | 'arity' | 'context'>> {
  const table = new Map<string, Pick<ProvidedSyscall, 'name' | 'arity' | 'context'>>();
  for (const word of words) {
    const call = readSyscall(word);
    if (call && !table.has(call.name)) table.set(call.name, call);
  }
  return table;
}

/** Linux's spellings of one call by which people and programs ask. */
const aliases: Readonly<Record<string, string>> = {
  fstatat: 'newfstatat',
  fstatat64: 'newfstatat',
  pread: 'pread64',
  pwrite: 'pwrite64',
  umount: 'umount2',
  send: 'sendto',
  recv: 'recvfrom',
  eventfd: 'eventfd2',
  wait: 'wait4',
  waitpid: 'wait4',
  sigaction: 'rt_sigaction',
  sigprocmask: 'rt_sigprocmask',
};

/** The call's name without `SYS_`, `__NR_`, `uk_syscall_r_` and the like, and the other name it may be provided by. */
export function syscallNames(asked: string): readonly string[] {
  const name = asked
    .replace(/^(SYS_|__NR_|uk_syscall_(?:[re]_)?|__x64_sys_|sys_)/, '')
    .replace(/\(.*$/, '')
    .trim();
  const other = Object.hasOwn(aliases, name) ? aliases[name]! : undefined;
  return other === undefined ? [name] : [name, other];
}
