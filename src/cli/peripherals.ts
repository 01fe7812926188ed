/** `--net`, `--disk` and `--device`: what is plugged into the machine, and what the network behind its card needs of this process. */
import { type Disk, type ExtraDevices, extraDevices as makeExtraDevices, parseDisk } from '../../debug-adapter/machine/extra-devices';
import { NetworkLink } from '../../debug-adapter/machine/network';
import { nodeNetwork } from '../../debug-adapter/net/host.node';
import { type RunIo } from './io';
import { type RunOptions } from './run-options';

/** Throws an Error for people where the description is wrong: a plain one, as this is a bundle of its own with classes of its own. */
export function openNetwork(description: string, io: RunIo): NetworkLink {
  try {
    return new NetworkLink(description, { sockets: nodeNetwork(), writeFile: (path, bytes) => io.writeFile(path, bytes) });
  } catch (error) {
    throw new Error((error as Error).message, { cause: error });
  }
}

/** Reads the disks. Throws an Error for people where one cannot be read. */
export function readDisks({ disks }: RunOptions, io: RunIo): Disk[] {
  return disks.map((text) => {
    const { file, readOnly } = parseDisk(text);
    return { name: file, bytes: io.readFile(file), readOnly };
  });
}

/** The devices of a launch. Throws an Error for people where one is not possible. */
export function extraDevices(asked: ExtraDevices): ReturnType<typeof makeExtraDevices> {
  try {
    return makeExtraDevices(asked);
  } catch (error) {
    throw new Error((error as Error).message, { cause: error });
  }
}

export type { NetworkLink };
