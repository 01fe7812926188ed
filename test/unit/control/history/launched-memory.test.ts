/** The memory that history begins with: made without a machine, it is what a launched machine has before it runs. */
import assert from 'node:assert/strict';
import { launchedMachine, launchedMemory } from '../../../../debug-adapter/control/launched-machine';
import { type LaunchOptions } from '../../../../debug-adapter/control/api';
import { plainDevices } from '../../../../debug-adapter/machine/extra-devices';
import { PcMachine } from '../../../../debug-adapter/machine/machine';
import { Random, seedOf } from '../../../lockstep/random';
import { elfImage, kludgeImage } from '../../machine/images';

describe('the memory of a launch', () => {
  const seed = seedOf('launched memory');
  const r = new Random(seed);
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => r.below(256));
  const images: readonly (readonly [name: string, image: Uint8Array])[] = [
    ['a multiboot image with addresses in its header', kludgeImage(bytes(9000), 5000)],
    [
      'a multiboot ELF image',
      elfImage({ bits: 32, machine: 3, multiboot: true, physical: 0x20_0000, entry: 0x20_0000, code: bytes(9000) }),
    ],
  ];
  for (const [name, image] of images)
    it(`is that of its machine before it runs: ${name}`, () => {
      const options: LaunchOptions = {
        image,
        imageName: 'image',
        commandLine: 'one two',
        initrd: bytes(10_000),
        memory: 8 << 20,
        disks: [{ name: 'disk', bytes: bytes(1024), readOnly: true }],
        devices: plainDevices,
        cpuModel: 'default',
        clock: 'skip',
        stopOnEntry: true,
        stopAtEnd: 'never',
        trace: [],
        sourceMap: [],
      };
      const machine = launchedMachine(options);
      assert.ok(machine instanceof PcMachine);
      const made = launchedMemory(options);
      assert.equal(Buffer.compare(machine.ram, made.ram), 0, `SEED=${seed}`);
      assert.equal(machine.ram.byteOffset, made.ram.byteOffset);
      assert.ok(made.ram.some((byte) => byte !== 0));
      assert.notEqual(machine.memory, made.memory);
    });
});
