/** The machine that a launch asks for. */
import { type BootOptions, type Machine } from '../machine/api';
import { extraDevices } from '../machine/extra-devices';
import { createMachine } from '../machine/pc';
import { type KeptRegions } from '../x86/api';
import { type LaunchOptions } from './api';

/**
 * Makes the PC with the image loaded. Throws MachineError where image, memory or command line are not acceptable.
 * @param kept where translated code is kept for later launches.
 */
export function launchedMachine(options: LaunchOptions, kept?: KeptRegions): Machine {
  return createMachine({ ...bootOptions(options), kept }).machine;
}

function bootOptions(options: LaunchOptions): BootOptions {
  const { image, imageName, commandLine, initrd, memory, cpuModel, network, disks = [], devices = [] } = options;
  return {
    image,
    imageName,
    commandLine,
    ...(initrd === undefined ? {} : { initrd }),
    memory,
    cpuModel,
    extraDevices: extraDevices({ network: network !== undefined, disks, devices }),
  };
}
