/** A virtio network card in the machine and the user-mode network behind it: frames for the guest wait until the machine stands between two slices. */
import { VirtioNet } from '../devices/virtio-net';
import { type HostNetwork } from '../net/host';
import { type NetworkSpec, parseNetwork } from '../net/options';
import { pcapHeader, pcapRecord } from '../net/pcap';
import { UserNetwork } from '../net/user-network';
import { machineErrors } from './api';
import { type PcMachine } from './machine';

/** What the network needs of the host: sockets, a place for a capture, somebody to tell what went wrong. */
export interface NetworkHost {
  readonly sockets: HostNetwork;
  writeFile(path: string, bytes: Uint8Array): void;
}

export class NetworkLink {
  readonly #spec: NetworkSpec;
  readonly #capture: Uint8Array[] = [];
  #waiting: Uint8Array[] = [];
  #machine: PcMachine | undefined;
  #card: VirtioNet | undefined;
  #network: UserNetwork | undefined;

  /**
   * @param description as net/options.ts has it.
   * Throws a MachineError where it is wrong.
   */
  constructor(
    description: string,
    private readonly host: NetworkHost,
  ) {
    const spec = parseNetwork(description);
    if ('error' in spec) throw machineErrors.network(spec.error);
    this.#spec = spec;
    if (spec.pcap !== undefined) this.#capture.push(pcapHeader());
  }

  /**
   * Plugs the cable into the card of a machine that was made with one.
   * @param wake called when a frame waits for the guest.
   * @param say told of what fails on the host, in words for people.
   */
  connect(machine: PcMachine, wake: () => void, say: (message: string) => void): void {
    const card = machine.devices.find((device) => device instanceof VirtioNet);
    if (card === undefined) throw new Error('The machine was made without a network card.');
    this.#machine = machine;
    this.#card = card;
    this.#network = new UserNetwork(
      this.host.sockets,
      this.#spec,
      (frame) => {
        this.#waiting.push(frame);
        machine.yieldSoon();
        wake();
      },
      say,
    );
    card.onFrame = (frame) => {
      this.#record(frame);
      this.#network?.receive(frame);
    };
  }

  /** Gives waiting frames to the machine; call it between two slices. While the past is repeated they go on waiting. */
  pump(): void {
    if (this.#machine?.replaying !== false) return;
    const frames = this.#waiting;
    this.#waiting = [];
    for (const frame of frames) {
      this.#record(frame);
      this.#machine.input(this.#card!.name, frame);
    }
  }

  /** Ends all connections, and writes the capture. */
  close(): void {
    this.#network?.close();
    this.#network = undefined;
    if (this.#spec.pcap !== undefined) this.host.writeFile(this.#spec.pcap, concatenate(this.#capture));
  }

  #record(frame: Uint8Array): void {
    if (this.#spec.pcap !== undefined) this.#capture.push(pcapRecord(frame, this.#machine?.clock.now() ?? 0));
  }
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
