/** The register groups as rows of the Variables view, with their bits and lanes as children. */
import { type Machine } from '../machine/api';
import { errors } from './errors';
import {
  describeBits,
  hex,
  laneKinds,
  parseInteger,
  readLanes,
  readRegister,
  type LaneKind,
  type RegisterBits,
  type RegisterDefinition,
  type RegisterGroup,
  writeLane,
  x87Text,
} from './registers';
import { type Formatting, type ValueNode } from './value-node';

/** The rows of one group; registers that this processor model lacks are left out. */
export function registerNodes(machine: Machine, group: RegisterGroup, formatting: Formatting): readonly ValueNode[] {
  const [whole] = group.registers;
  if (group.bitsOf !== undefined && whole?.kind === 'integer')
    return (whole.fields ?? []).map((field) => {
      // In a group of their own there is room for what a bit means.
      const node = fieldNode(machine, whole.name, field);
      return { ...node, evaluateName: `($${whole.name} >> ${field.low}) & ${(1 << field.width) - 1}` };
    });
  return group.registers.flatMap((definition) => registerNode(machine, definition, formatting) ?? []);
}

/** One register, or undefined where the processor has none of that name. */
export function registerNode(machine: Machine, definition: RegisterDefinition, formatting: Formatting): ValueNode | undefined {
  switch (definition.kind) {
    case 'integer':
      return integerNode(machine, definition.name, definition.bits, definition.fields);
    case 'vector':
      return vectorNode(machine, definition.name, formatting);
    case 'x87':
      return x87Node(machine, definition.name);
  }
}

function integerNode(machine: Machine, name: string, bits: number, fields: readonly RegisterBits[] | undefined): ValueNode | undefined {
  const value = readRegister(machine.cpu, name);
  if (value === undefined) return undefined;
  const assign = (text: string): ValueNode => {
    const next = parseInteger(text, bits);
    if (next === undefined || !machine.edit({ kind: 'register', name, value: next })) throw errors.badValue(name, text);
    return integerNode(machine, name, bits, fields)!;
  };
  const base = { name, type: `uint${bits}_t`, evaluateName: `$${name}`, assign };
  if (fields === undefined) return { ...base, text: hex(value, bits) };
  return {
    ...base,
    text: `${hex(value, bits)} [${describeBits(value, fields)}]`,
    named: fields.length,
    children: () => fields.map((field) => fieldNode(machine, name, field)),
  };
}

function fieldNode(machine: Machine, register: string, field: RegisterBits): ValueNode {
  const mask = (1n << BigInt(field.width)) - 1n;
  const value = ((readRegister(machine.cpu, register) ?? 0n) >> BigInt(field.low)) & mask;
  return {
    name: field.name,
    text: String(value),
    type: field.meaning,
    assign: (text) => {
      const next = parseInteger(text, field.width);
      const whole = readRegister(machine.cpu, register) ?? 0n;
      if (
        next === undefined ||
        !machine.edit({ kind: 'register', name: register, value: (whole & ~(mask << BigInt(field.low))) | (next << BigInt(field.low)) })
      )
        throw errors.badValue(field.name, text);
      return fieldNode(machine, register, field);
    },
  };
}

function vectorNode(machine: Machine, name: string, formatting: Formatting): ValueNode | undefined {
  const bytes = machine.cpu.getWideRegister(name)?.slice(0, 16);
  if (bytes === undefined) return undefined;
  const whole = bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  return {
    name,
    text: hex(whole, 128),
    type: 'uint128_t',
    evaluateName: `$${name}`,
    named: laneKinds.length,
    children: () => laneKinds.map((kind) => lanesNode(machine, name, kind, formatting)),
    assign: (text) => {
      const value = parseInteger(text, 128);
      const all = machine.cpu.getWideRegister(name);
      if (value === undefined || all === undefined) throw errors.badValue(name, text);
      for (let i = 0; i < 16; i++) all[i] = Number((value >> BigInt(8 * i)) & 0xffn);
      if (!machine.edit({ kind: 'wideRegister', name, bytes: all })) throw errors.badValue(name, text);
      return vectorNode(machine, name, formatting)!;
    },
  };
}

function lanesNode(machine: Machine, register: string, kind: LaneKind, formatting: Formatting): ValueNode {
  const lanes = readLanes((machine.cpu.getWideRegister(register) ?? new Uint8Array(16)).slice(0, 16), kind, formatting.hex);
  return {
    name: kind.name,
    text: `{${lanes.join(', ')}}`,
    type: `${kind.name}[${lanes.length}]`,
    indexed: lanes.length,
    children: (start = 0, count = lanes.length) =>
      lanes.slice(start, start + count).map((text, offset) => laneNode(machine, register, kind, start + offset, text, formatting)),
  };
}

function laneNode(machine: Machine, register: string, kind: LaneKind, index: number, text: string, formatting: Formatting): ValueNode {
  return {
    name: `[${index}]`,
    text,
    type: kind.name,
    assign: (value) => {
      const all = machine.cpu.getWideRegister(register);
      if (all === undefined || !writeLane(all, kind, index, value) || !machine.edit({ kind: 'wideRegister', name: register, bytes: all }))
        throw errors.badValue(`${register}.${kind.name}[${index}]`, value);
      return laneNode(machine, register, kind, index, readLanes(all.slice(0, 16), kind, formatting.hex)[index] ?? '', formatting);
    },
  };
}

function x87Node(machine: Machine, name: string): ValueNode | undefined {
  const bytes = machine.cpu.getWideRegister(name);
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const raw = `${hex(BigInt(view.getUint16(8, true)), 16)}:${hex(view.getBigUint64(0, true)).slice(2)}`;
  return {
    name,
    text: `${x87Text(bytes)} [${raw}]`,
    type: 'long double',
    evaluateName: `$${name}`,
    assign: (text) => {
      const encoded = encodeX87(text);
      if (encoded === undefined || !machine.edit({ kind: 'wideRegister', name, bytes: encoded })) throw errors.badValue(name, text);
      return x87Node(machine, name)!;
    },
  };
}

/** A decimal number as 80-bit extended precision (SDM vol. 1, 4.2.2), through a double. */
function encodeX87(text: string): Uint8Array | undefined {
  const value = Number(text.trim());
  if (text.trim() === '' || (Number.isNaN(value) && !/^nan$/i.test(text.trim()))) return undefined;
  const bytes = new Uint8Array(10);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, value);
  const pattern = view.getBigUint64(0);
  const sign = Number(pattern >> 63n);
  const exponent = Number((pattern >> 52n) & 0x7ffn);
  const fraction = pattern & 0xf_ffff_ffff_ffffn;
  let significand = (1n << 63n) | (fraction << 11n);
  let extended = exponent - 1023 + 16383;
  if (exponent === 0x7ff) extended = 0x7fff;
  else if (exponent === 0 && fraction === 0n) [significand, extended] = [0n, 0];
  else if (exponent === 0) {
    const shift = 63 - (fraction.toString(2).length - 1);
    [significand, extended] = [fraction << BigInt(shift), 16383 - 1074 + (63 - shift)];
  }
  view.setBigUint64(0, significand, true);
  view.setUint16(8, (sign << 15) | extended, true);
  return bytes;
}
