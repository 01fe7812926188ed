/** What a launch plugs into the PC beside its own devices: virtio functions on the PCI bus, always in the same order, so that the guest finds each at the same place. */
import { sectorBytes, VirtioBlk } from '../devices/virtio-blk';
import { VirtioConsole } from '../devices/virtio-console';
import { VirtioNet } from '../devices/virtio-net';
import { VirtioRng } from '../devices/virtio-rng';
import { type BootOptions, machineErrors } from './api';

/** A disk of the guest. What it writes stays in the machine: the bytes given are never changed. */
export interface Disk {
  /** For messages. */
  readonly name: string;
  /** Whole sectors of 512 bytes. */
  readonly bytes: Uint8Array;
  readonly readOnly: boolean;
}

/** Devices that are there or not: a source of random numbers, and a console beside COM1. */
export const plainDevices = ['rng', 'console'] as const;
export type PlainDevice = (typeof plainDevices)[number];

export interface ExtraDevices {
  /** A network card. */
  readonly network: boolean;
  readonly disks: readonly Disk[];
  readonly devices: readonly PlainDevice[];
}

/** The address that QEMU gives its first card too. */
const mac = Uint8Array.of(0x52, 0x54, 0x00, 0x12, 0x34, 0x56);

/** For `BootOptions.extraDevices`. Throws a MachineError where a disk is none. */
export function extraDevices({ network, disks, devices }: ExtraDevices): NonNullable<BootOptions['extraDevices']> {
  for (const { name, bytes } of disks)
    if (bytes.length === 0 || bytes.length % sectorBytes !== 0) throw machineErrors.badDisk(name, bytes.length, sectorBytes);
  return (host, pci, random) => [
    ...(network ? [new VirtioNet(host, pci, mac)] : []),
    ...disks.map(({ bytes, readOnly }, index) => new VirtioBlk(host, pci, bytes, readOnly, `virtio-blk${index === 0 ? '' : index}`)),
    ...(devices.includes('rng') ? [new VirtioRng(host, pci, (bytes) => random.fill(bytes))] : []),
    ...(devices.includes('console') ? [new VirtioConsole(host, pci)] : []),
  ];
}

/** A disk as options name it: `FILE`, or `FILE,readonly`. */
export function parseDisk(text: string): { readonly file: string; readonly readOnly: boolean } {
  const readOnly = text.endsWith(',readonly');
  return { file: readOnly ? text.slice(0, -',readonly'.length) : text, readOnly };
}
