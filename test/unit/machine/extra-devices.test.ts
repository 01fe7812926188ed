import assert from 'node:assert/strict';
import { MachineError } from '../../../debug-adapter/machine/api';
import { assembleMachine } from '../../../debug-adapter/machine/assemble';
import { type ExtraDevices, extraDevices, parseDisk } from '../../../debug-adapter/machine/extra-devices';
import { type PcMachine } from '../../../debug-adapter/machine/machine';
import { FakeCpu } from './fake-cpu';
import { kludgeImage } from './images';

const none: ExtraDevices = { network: false, disks: [], devices: [] };
const disk = { name: 'disk.img', bytes: new Uint8Array(1024), readOnly: false };

function machineWith(asked: ExtraDevices): { machine: PcMachine; cpu: FakeCpu } {
  let cpu: FakeCpu | undefined;
  const { machine } = assembleMachine(
    { image: kludgeImage(), imageName: 'test', commandLine: '', memory: 4 << 20, cpuModel: 'default', extraDevices: extraDevices(asked) },
    (parts) => (cpu = new FakeCpu(parts.bus, parts.memory, [() => undefined])),
  );
  return { machine, cpu: cpu! };
}

/** A dword of a device's configuration space (mechanism 1). */
function configuration({ bus }: FakeCpu, device: number, register: number): number {
  bus.portWrite(0xcf8, 4, 0x8000_0000 + device * 0x800 + register);
  return bus.portRead(0xcfc, 4);
}

/** Virtio's legacy device ids on the bus, in order. */
function found(cpu: FakeCpu): number[] {
  return Array.from({ length: 32 }, (_, device) => configuration(cpu, device, 0))
    .filter((id) => (id & 0xffff) === 0x1af4)
    .map((id) => id >>> 16);
}

describe('what a launch plugs in', () => {
  it('is on the bus, always in the same order', () => {
    assert.deepEqual(found(machineWith(none).cpu), []);
    const all: ExtraDevices = { network: true, disks: [disk, disk], devices: ['console', 'rng'] };
    assert.deepEqual(found(machineWith(all).cpu), [0x1000, 0x1001, 0x1001, 0x1005, 0x1003]);
  });

  it('has names of its own, by which the journal finds them', () => {
    const { machine } = machineWith({ ...none, disks: [disk, disk] });
    const names = machine.devices.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
  });

  it('reads the keys once the guest has set a console up', () => {
    const { machine, cpu } = machineWith({ ...none, devices: ['console'] });
    const typed = (): string => {
      machine.consoleInput(Uint8Array.of(65));
      const entry = machine.journal.at(-1)!;
      return entry.kind === 'input' ? entry.device : '';
    };
    assert.equal(typed(), 'com1');
    const device = Array.from({ length: 32 }, (_, each) => each).find((each) => configuration(cpu, each, 0) === 0x1003_1af4)!;
    const base = configuration(cpu, device, 0x10) & ~3;
    // Acknowledge, driver, driver OK, in the status byte of the legacy header.
    cpu.bus.portWrite(base + 18, 1, 7);
    assert.equal(typed(), 'virtio-console');
  });

  it('is no disk unless it is whole sectors', () => {
    for (const length of [0, 511, 1000])
      assert.throws(
        () => extraDevices({ ...none, disks: [{ ...disk, bytes: new Uint8Array(length) }] }),
        (error: unknown) => error instanceof MachineError && /disk\.img has \d+ bytes; a disk is made of whole sectors/.test(error.message),
      );
  });

  it('is named as FILE or FILE,readonly', () => {
    assert.deepEqual(parseDisk('a,b.img'), { file: 'a,b.img', readOnly: false });
    assert.deepEqual(parseDisk('a,b.img,readonly'), { file: 'a,b.img', readOnly: true });
  });
});
