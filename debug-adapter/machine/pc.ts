/** The PC with our own processor in it. */
import { X86Cpu } from '../x86/cpu';
import { type BootOptions } from './api';
import { assembleMachine, type CreatedMachine } from './assemble';

/**
 * Makes a machine with the image loaded.
 * Throws MachineError (see errors.ts) where the image or the memory size is not acceptable.
 */
export function createMachine(options: BootOptions): CreatedMachine {
  return assembleMachine(options, (parts) => new X86Cpu(parts));
}
