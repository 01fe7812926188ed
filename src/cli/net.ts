/** `--net`: a virtio network card in the machine, and the user-mode network behind it. */
import { VirtioNet } from '../../debug-adapter/devices/virtio-net';
import { type BootOptions } from '../../debug-adapter/machine/api';
import { type PcMachine } from '../../debug-adapter/machine/machine';
import { nodeNetwork } from '../../debug-adapter/net/host.node';
import { parseNetwork } from '../../debug-adapter/net/options';
import { pcapHeader, pcapRecord } from '../../debug-adapter/net/pcap';
import { UserNetwork } from '../../debug-adapter/net/user-network';
import { type RunIo } from './io';

/** The address that QEMU gives its first card too. */
const mac = Uint8Array.of(0x52, 0x54, 0x00, 0x12, 0x34, 0x56);

export interface RunNetwork {
  readonly devices: NonNullable<BootOptions['extraDevices']>;
  /** @param wake called when a frame waits for the guest. */
  connect(machine: PcMachine, wake: () => void): void;
  /** Gives waiting frames to the machine, between two slices. */
  pump(): void;
  close(): void;
}

/** Throws an Error for people where the description is wrong. */
export function openNetwork(description: string, io: RunIo): RunNetwork {
  const spec = parseNetwork(description);
  if ('error' in spec) throw new Error(spec.error);
  let card: VirtioNet | undefined;
  let network: UserNetwork | undefined;
  let machine: PcMachine | undefined;
  let waiting: Uint8Array[] = [];
  const capture: Uint8Array[] = spec.pcap === undefined ? [] : [pcapHeader()];
  const record = (frame: Uint8Array): void => {
    if (spec.pcap !== undefined) capture.push(pcapRecord(frame, machine?.clock.now() ?? 0));
  };
  return {
    devices: (host, pci) => [(card = new VirtioNet(host, pci, mac))],
    connect(made, wake) {
      machine = made;
      network = new UserNetwork(
        nodeNetwork(),
        spec,
        (frame) => {
          waiting.push(frame);
          made.yieldSoon();
          wake();
        },
        (message) => io.stderr(`unikernel run: ${message}\n`),
      );
      card!.onFrame = (frame) => {
        record(frame);
        network!.receive(frame);
      };
    },
    pump() {
      const frames = waiting;
      waiting = [];
      for (const frame of frames) {
        record(frame);
        machine!.input(card!.name, frame);
      }
    },
    close() {
      network?.close();
      if (spec.pcap !== undefined) io.writeFile(spec.pcap, Buffer.concat(capture));
    },
  };
}
