/** What a guest's end is as the exit status of a process. */
import { type MachineExit } from './api';

/** From here on the low byte of what is written to the exit port is a program's own status, as the starter pool's images write it. */
const programStatus = 0x100;

/** As QEMU's isa-debug-exit has it, twice the value and one; or the status that a program in the guest ended with. */
export function exitStatus(exit: MachineExit): number {
  if (exit.kind !== 'exitPort') return 0;
  return exit.value >= programStatus && exit.value < 2 * programStatus ? exit.value & 0xff : ((exit.value << 1) | 1) & 0xff;
}
