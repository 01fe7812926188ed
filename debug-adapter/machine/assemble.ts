/** Assembles the PC: memory, processor, bus and devices, with an image loaded and ready to enter. The one file of this folder that knows the parts by name. */
import { loadImage } from '../boot/load';
import { KeyboardController } from '../devices/keyboard';
import { PciHost } from '../devices/pci';
import { InterruptController } from '../devices/pic';
import { IntervalTimer } from '../devices/pit';
import { PowerControl } from '../devices/power';
import { RealTimeClock } from '../devices/rtc';
import { Uart } from '../devices/uart';
import { Vga } from '../devices/vga';
import { type Cpu, type CpuParts, type KeptRegions } from '../x86/api';
import { type BootOptions, type EntryState } from './api';
import { Bus } from './bus';
import { timeStampCost, tscKilohertz, VirtualClock } from './clock';
import { enter } from './entry';
import { PcMachine } from './machine';
import { createMemory } from './memory';
import { RandomSource } from './random';

/** 2025-01-01T00:00:00Z: what the RTC shows unless told otherwise. */
const defaultStartTime = 1_735_689_600;
const defaultSeed = 0x756e_696b_6572_6e65n;

/** What a processor is made of, and whether it translates hot code. */
interface Processor extends CpuParts {
  readonly jit: boolean | 'eager';
  readonly kept: KeptRegions | undefined;
}

export interface CreatedMachine {
  readonly machine: PcMachine;
  readonly bus: Bus;
  readonly entry: EntryState;
}

/**
 * Makes a machine with the image loaded.
 * Throws MachineError (see errors.ts) where the image or the memory size is not acceptable.
 * @param makeCpu the processor's constructor.
 */
export function assembleMachine(options: BootOptions, makeCpu: (parts: Processor) => Cpu): CreatedMachine {
  const { memory, ram } = createMemory(options.memory);
  // Errors in the image are cheapest to tell before anything else is made.
  const entry = loadImage(options, ram);
  const counter: { cpu: Cpu | undefined } = { cpu: undefined };
  const clock = new VirtualClock(() => counter.cpu?.retiredCount ?? 0);
  const random = new RandomSource(options.randomSeed ?? defaultSeed);
  const machine = new PcMachine({ memory, ram, clock, random });
  const bus = new Bus(clock);

  const pic = new InterruptController(machine);
  const pci = new PciHost(machine);
  const console = new Uart(machine, 'com1', 0x3f8, 4);
  const vga = new Vga(machine);
  const devices = [
    pic,
    new IntervalTimer(machine),
    new RealTimeClock(machine, options.startTime ?? defaultStartTime, ram.length),
    console,
    new KeyboardController(machine),
    vga,
    pci,
    // After the bus bridge, of whose ports it answers the reset control.
    new PowerControl(machine),
    ...(options.extraDevices?.(machine, pci, random) ?? []),
  ];
  for (const device of devices) bus.add(device);

  const cpu = makeCpu({
    memory,
    ramBytes: ram.length,
    model: options.cpuModel,
    tscKilohertz: options.tscLeaf === false ? 0 : tscKilohertz,
    jit: options.jit ?? true,
    kept: options.kept,
    bus: {
      portRead: (port, size) => bus.portRead(port, size),
      portWrite: (port, size, value) => bus.portWrite(port, size, value),
      mmioRead: (address, size) => bus.memoryRead(address, size),
      mmioWrite: (address, size, value) => bus.memoryWrite(address, size, value),
      acknowledgeInterrupt: () => pic.acknowledge(),
      timeStampCounter: (retired) => clock.ticksAt(retired),
      timeStampRead: () => clock.charge(timeStampCost, true),
      random: () => random.next(),
    },
  });
  cpu.reset();
  counter.cpu = cpu;
  machine.connect({ cpu, devices, console, setIrq: (line, level) => pic.setLine(line, level), screen: () => vga.screen() });
  for (const device of devices) device.reset();
  enter(cpu, memory, entry);
  return { machine, bus, entry };
}
