/** The types of the system call table. */

export type SyscallClass = 'file' | 'desc' | 'network' | 'process' | 'memory' | 'signal' | 'ipc' | 'time' | 'creds' | 'sched' | 'system';
export type SyscallResult = 'int' | 'size' | 'fd' | 'pid' | 'ptr' | 'hex' | 'never';

export interface SyscallArgument {
  readonly name: string;
  /** See table.ts. */
  readonly kind: string;
  /** The kernel fills it in: it is looked at after the call. */
  readonly filled: boolean;
  /** Name of the argument that holds the number of bytes or elements. */
  readonly count?: string;
}

export interface SyscallRow {
  readonly number: number;
  readonly name: string;
  readonly args: readonly SyscallArgument[];
  readonly result: SyscallResult;
  readonly classes: readonly SyscallClass[];
}
