/** `--net`: what the network behind the card needs of this process. */
import { NetworkLink } from '../../debug-adapter/machine/network';
import { nodeNetwork } from '../../debug-adapter/net/host.node';
import { type RunIo } from './io';

/** Throws an Error for people where the description is wrong: a plain one, as this is a bundle of its own with classes of its own. */
export function openNetwork(description: string, io: RunIo): NetworkLink {
  try {
    return new NetworkLink(description, { sockets: nodeNetwork(), writeFile: (path, bytes) => io.writeFile(path, bytes) });
  } catch (error) {
    throw new Error((error as Error).message, { cause: error });
  }
}

export { networkCard } from '../../debug-adapter/machine/network';
export type { NetworkLink };
