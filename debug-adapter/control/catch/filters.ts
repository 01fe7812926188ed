/** The filters of the Breakpoints view: what each stops at, and what its condition may say. One list for the capabilities and the catcher. */
import { exceptionNames, filterOf } from './exceptions';

export interface FilterDefinition {
  readonly filter: string;
  readonly label: string;
  readonly description: string;
  /** Set in a new session. */
  readonly default: boolean;
  readonly conditionDescription: string;
}

/** Filters that are not exceptions of the processor. */
export const Filter = {
  tripleFault: 'triple-fault',
  panic: 'panic',
  assertion: 'assert',
  syscallEntry: 'syscall',
  syscallReturn: 'syscall-return',
  unhandledSyscall: 'enosys',
  tlsSwitch: 'tls',
  interrupt: 'irq',
} as const;

const expression = 'C expression; stops where it is not 0';

export const filterDefinitions: readonly FilterDefinition[] = [
  {
    filter: Filter.panic,
    label: 'Panics',
    description: 'Stop where the kernel gives up (ukplat_terminate with UKPLAT_CRASH, abort, a Rust panic).',
    default: true,
    conditionDescription: expression,
  },
  {
    filter: Filter.assertion,
    label: 'Failed assertions',
    description: 'Stop at a failed UK_ASSERT, and at a failed assert() of the C library.',
    default: true,
    conditionDescription: expression,
  },
  {
    filter: Filter.tripleFault,
    label: 'Triple fault',
    description: 'Stop instead of a reset where a fault could not be delivered.',
    default: true,
    conditionDescription: 'none',
  },
  {
    filter: Filter.unhandledSyscall,
    label: 'Unhandled system calls',
    description: 'Stop where a system call returns ENOSYS: no library of the image provides it.',
    default: false,
    conditionDescription: 'Calls, e.g. io_uring_setup,clone3',
  },
  {
    filter: Filter.syscallEntry,
    label: 'System call entry',
    description: 'Stop when a system call begins, by a syscall instruction or a direct call of the shim.',
    default: false,
    conditionDescription: 'Calls, e.g. openat,%network,!write binary if $rdi == 1',
  },
  {
    filter: Filter.syscallReturn,
    label: 'System call return',
    description: 'Stop when a system call has returned, where its caller goes on.',
    default: false,
    conditionDescription: 'Calls and errors, e.g. openat,-ENOENT or %file failed',
  },
  {
    filter: Filter.tlsSwitch,
    label: 'TLS switches',
    description: 'Stop when FS base changes: another thread, or the other side of the system call shim.',
    default: false,
    conditionDescription: `${expression}; $fs_base is the new base`,
  },
  {
    filter: Filter.interrupt,
    label: 'Interrupts',
    description: 'Stop before an interrupt is delivered.',
    default: false,
    conditionDescription: 'Vectors, e.g. 32,0x28-0x2f',
  },
  ...exceptionNames.map(([vector, mnemonic, name]): FilterDefinition => ({
    filter: filterOf(mnemonic),
    label: `${mnemonic} ${name}`,
    description: `Stop before exception ${vector} is delivered to the guest.`,
    default: vector === 8,
    conditionDescription: expression,
  })),
];
