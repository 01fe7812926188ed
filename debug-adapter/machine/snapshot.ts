/** Saving and restoring of the whole state in a versioned byte format, and its hash. */
import { type Cpu } from '../x86/api';
import { Layout, State } from '../x86/state';
import { type Device } from './api';
import { type ClockState, type VirtualClock } from './clock';
import { ByteReader, ByteWriter, decode, encode } from './codec';
import { machineErrors } from './errors';
import { Hash, isZero } from './hash';
import { type RandomSource } from './random';

/** "UKSN", little endian. */
const magic = 0x4e53_4b55;
const version = 1;
const pageBytes = 4096;
const pageWords = pageBytes / 4;
/** End of what the processor keeps in its state block that outlives an instruction. */
const stateEnd = 0x6c0;

/** The parts of a machine that hold state. */
export interface Stateful {
  readonly cpu: Cpu;
  readonly memory: WebAssembly.Memory;
  readonly ram: Uint8Array;
  readonly clock: VirtualClock;
  readonly random: RandomSource;
  readonly devices: readonly Device[];
  /** Journal entries that have been applied. */
  cursor: number;
}

interface Header {
  readonly clock: ClockState;
  readonly random: bigint;
  readonly devices: Readonly<Record<string, unknown>>;
}

function header(machine: Stateful): Header {
  return {
    clock: machine.clock.save(),
    random: machine.random.state,
    devices: Object.fromEntries(machine.devices.map((device) => [device.name, device.save()])),
  };
}

function ramWords(machine: Stateful): Int32Array {
  return new Int32Array(machine.memory.buffer, Layout.ramBase, machine.ram.length / 4);
}

/** Layout: magic, version, RAM bytes, state block, header (codec), then runs of non-zero pages as first, count, bytes, ended by count 0. */
export function saveSnapshot(machine: Stateful): Uint8Array {
  const out = new ByteWriter();
  out.u32(magic);
  out.u32(version);
  out.u32(machine.ram.length);
  out.raw(new Uint8Array(machine.memory.buffer, Layout.state, stateEnd));
  encode(out, { ...header(machine), journal: machine.cursor });
  const words = ramWords(machine);
  const pages = machine.ram.length / pageBytes;
  const used = (page: number): boolean => !isZero(words, page * pageWords, (page + 1) * pageWords);
  for (let page = 0; page < pages;) {
    if (!used(page)) {
      page++;
      continue;
    }
    let end = page + 1;
    while (end < pages && used(end)) end++;
    out.u32(page);
    out.u32(end - page);
    out.raw(machine.ram.subarray(page * pageBytes, end * pageBytes));
    page = end;
  }
  out.u32(0);
  out.u32(0);
  return out.finish();
}

/** Everything is checked before anything is changed. */
export function restoreSnapshot(machine: Stateful, bytes: Uint8Array): void {
  const input = new ByteReader(bytes);
  if (input.u32() !== magic) throw machineErrors.snapshot('it is not a saved state of this program');
  const found = input.u32();
  if (found !== version) throw machineErrors.snapshot(`it has format ${found}, and this program reads format ${version}`);
  const ramBytes = input.u32();
  if (ramBytes !== machine.ram.length)
    throw machineErrors.snapshot(`it is of a machine with ${ramBytes >> 20} MiB of memory, and this one has ${machine.ram.length >> 20}`);
  const state = input.raw(stateEnd);
  const saved = decode(input) as Partial<Header & { readonly journal: number }> | undefined;
  const { clock, random, devices, journal } = saved ?? {};
  if (clock === undefined || random === undefined || devices === undefined || journal === undefined)
    throw machineErrors.snapshot('its header is damaged');
  const missing = machine.devices.find((device) => !(device.name in devices));
  if (missing !== undefined) throw machineErrors.snapshot(`it has no ${missing.name}, which this machine has`);
  const runs: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  for (;;) {
    const page = input.u32();
    const count = input.u32();
    if (count === 0) break;
    if (page + count > ramBytes / pageBytes) throw machineErrors.snapshot('it holds memory beyond its own size');
    runs.push({ at: page * pageBytes, bytes: input.raw(count * pageBytes) });
  }
  machine.ram.fill(0);
  for (const run of runs) machine.ram.set(run.bytes, run.at);
  new Uint8Array(machine.memory.buffer, Layout.state, stateEnd).set(state);
  machine.random.state = random;
  for (const device of machine.devices) device.restore(devices[device.name]);
  machine.clock.restore(clock);
  machine.cursor = journal;
  machine.cpu.invalidate();
  machine.cpu.invalidateCode(0, machine.ram.length);
}

/** State block ranges that a guest can see; flags are asked for, as their lazy form may differ between tiers. */
const visible: readonly (readonly [number, number])[] = [
  [State.gpr, State.zero],
  [State.shadow, State.mode],
  [State.acknowledged, State.acknowledged + 4],
  [State.seg, State.bounce],
];

export function hashState(machine: Stateful): bigint {
  const hash = new Hash();
  for (const [from, to] of visible) hash.bytes(new Uint8Array(machine.memory.buffer, from, to - from));
  const out = new ByteWriter();
  encode(out, [machine.cpu.getRegister('rflags'), machine.cpu.retired, header(machine)]);
  hash.bytes(out.finish());
  hash.memory(ramWords(machine));
  return hash.digest();
}
