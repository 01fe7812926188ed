/** Builds the wasm handlers of the interpreter, ahead of time for the shapes that ordinary code has and at run time for the others, and finds the handler of a shape. */

import { isFusibleRow } from './block-rules';
import { Code } from './wasm/code';
import { ModuleBuilder } from './wasm/module';
import { type OpcodeTable, type Row } from './isa/table';
import { Decoder, DecodeResult, Insn } from './decoder';
import { Exit, Imports, namedHelpers, Runtime, Special } from './interp-abi';
import { InterpGen } from './interp-gen';
import { addRuntimeFunctions } from './runtime-functions';
import { enterFromOutside, leaveFromOutside } from './kernel-transfers';
import { KeyTable } from './key-table';
import { FUSED_KEYS, KEY_SPAN, makeShape, Rec, shapeKey, shapeText, type Shape } from './shape';
import { Mode, State } from './state';
import { flagKind } from './isa/flags';
import { Area } from './predecode/area';
import { copyFunction, noteBytesFunction } from './log-bytes';
import { type NotingFunction, notingFunction, notingParameters } from './log-notes';
import { blockFunction, lookupFunction } from './predecode/block';
import { decodeFunction } from './predecode/decode';
import { flattenTable } from './predecode/flat-table';

const RUNTIME_NAMES = [
  ...Array.from({ length: 8 }, (_, i) => `condition${i}`),
  'arithmetic',
  ...namedHelpers,
  'reach',
  'area.save',
  'area.restore',
];

/** Import declarations, in the order of `Imports`. Returns the handlers' type index. */
function declareImports(module: ModuleBuilder, withRuntime: boolean): number {
  module.importMemory('env', 'memory', 1);
  if (!withRuntime) {
    module.importTable('env', 'table');
    module.importGlobal('env', 'base');
  }
  module.importFunction('env', 'slow', ['i64', 'i32', 'i32'], ['i32']);
  module.importFunction('env', 'commit', ['i32'], []);
  module.importFunction('env', 'helper', ['i32'], ['i32']);
  module.importFunction('env', 'raise', ['i32', 'i32', 'i32'], []);
  module.importFunction('env', 'segmented', ['i32', 'i32', 'i64'], ['i64']);
  if (withRuntime) {
    for (let i = 0; i < 8; i++) module.importFunction('runtime', RUNTIME_NAMES[i]!, [], ['i32']);
    module.importFunction('runtime', 'arithmetic', [], ['i64']);
    for (const name of namedHelpers) module.importFunction('runtime', name, ['i64', 'i64'], ['i64']);
    module.importFunction('runtime', 'reach', ['i64', 'i32', 'i32'], ['i32']);
    module.importFunction('runtime', 'enter', ['i32'], []);
  }
  return module.type(['i32'], []);
}

function specialHandlers(handlerType: number): Code[] {
  const leave = new Code(['i32']);
  leave.i32(0).get(0).mem('i32.store', State.exitRecord);
  leave.i32(0).i32(Exit.leave).mem('i32.store', State.exit);
  const goto = new Code(['i32']);
  new InterpGen(goto, handlerType).fallThrough();
  const raise = new Code(['i32']);
  raise.get(0).get(0).mem('i32.load', Rec.imm2).get(0).mem('i32.load', Rec.imm).call(Imports.raise);
  const helper = new Code(['i32']);
  helper.get(0).call(Imports.helper);
  helper.if();
  helper.op('return');
  helper.end();
  helper.get(0).i32(Rec.size).op('i32.add').get(0).mem('i32.load', Rec.size).returnCallIndirect(handlerType);
  const helperEnds = new Code(['i32']);
  helperEnds.get(0).call(Imports.helper).op('drop');
  return [leave, goto, raise, helper, helperEnds];
}

/** What is known of a generated handler. */
interface Handler {
  readonly slot: number;
  /** Flag kind left in the state: -1 unknown, -2 unchanged. */
  readonly outKind: number;
}

/** What `HandlerSet` has to know of the prebuilt module is a custom section of this name, f64 each: number of handlers, number of shapes, capacity of their table. */
const SECTION = 'shapes';

/** Collects handlers for one module. */
class Batch {
  readonly codes: Code[] = [];
  readonly #table: OpcodeTable;
  readonly #definitionIndex: ReadonlyMap<unknown, number>;
  readonly #byText: Map<string, Handler>;
  readonly #firstSlot: number;

  constructor(table: OpcodeTable, definitionIndex: ReadonlyMap<unknown, number>, byText: Map<string, Handler>, firstSlot: number) {
    this.#table = table;
    this.#definitionIndex = definitionIndex;
    this.#byText = byText;
    this.#firstSlot = firstSlot;
  }

  get table(): OpcodeTable {
    return this.#table;
  }

  handler(shapes: readonly Shape[], handlerType: number | undefined): Handler {
    const text = shapes.map((shape) => shapeText(shape, this.#definitionIndex.get(shape.row.definition)!)).join('+');
    const known = this.#byText.get(text);
    if (known) return known;
    const c = new Code(['i32']);
    const gen = new InterpGen(c, handlerType);
    shapes.forEach((shape, i) => gen.run(shape, i === shapes.length - 1));
    const handler = { slot: this.#firstSlot + this.codes.length, outKind: gen.outKind };
    this.codes.push(c);
    this.#byText.set(text, handler);
    return handler;
  }
}

function indexDefinitions(table: OpcodeTable): Map<unknown, number> {
  const index = new Map<unknown, number>();
  for (const row of table.rows) if (!index.has(row.definition)) index.set(row.definition, index.size);
  return index;
}

function fusedKey(slot: number, cc: number): number {
  return FUSED_KEYS + slot * 16 + cc;
}

function fullKey(row: Row, key: number): number {
  return row.index * KEY_SPAN + key;
}

/** Bytes of sample instructions for one row in 64-bit or flat 32-bit code: prefixes and ModRM forms that ordinary code has. */
function* samples(row: Row): Generator<number[]> {
  const e = row.encoding;
  if (e.vex !== undefined || e.mode === 'legacy') return;
  const escape = e.map === 0 ? [] : e.map === 1 ? [0x0f] : e.map === 2 ? [0x0f, 0x38] : [0x0f, 0x3a];
  const mandatory =
    e.prefix === '66' ? [[0x66]] : e.prefix === 'F3' ? [[0xf3]] : e.prefix === 'F2' ? [[0xf2]] : row.definition.rep ? [[], [0xf3]] : [[]];
  // REX.W and 66 make another shape only where an operand follows the operand size; 16-bit forms are worth their bytes for plain integer work alone.
  const sized = row.operands.length === 0 || row.operands.some((operand) => operand.size < 0) || e.w !== undefined;
  const integer =
    e.prefix === undefined &&
    row.definition.unit === undefined &&
    row.definition.helper === undefined &&
    !e.plusCc &&
    !row.definition.endsBlock;
  const prefixSets = [[], ...(sized ? [[0x48]] : []), ...(sized && integer && e.map < 2 ? [[0x66]] : [])];
  const digit = (e.digit ?? 0) << 3;
  const modrms: number[][] = [];
  if (row.modrm) {
    if (e.mod !== 'mem') modrms.push([0xc0 | digit | (e.rm ?? 0)]);
    if (e.mod !== 'reg') modrms.push([0x40 | digit, 8], [0x44 | digit, 0x98, 8]);
  } else {
    modrms.push([]);
  }
  const conditions = e.plusCc ? 16 : 1;
  for (let cc = 0; cc < conditions; cc++) {
    for (const must of mandatory) {
      for (const prefixes of prefixSets) {
        for (const modrm of modrms) {
          const ordered = prefixes[0] === 0x48 ? [...must, 0x48] : [...prefixes, ...must];
          yield [...ordered, ...escape, e.opcode + cc, ...modrm, 0, 0, 0, 0, 0, 0, 0, 0];
        }
      }
    }
  }
}

/** Shapes beyond the rules, by a sample each: thread-local accesses, frequent shuffles, shifts by bytes; and what boot code does in flat 32-bit mode. */
const long: readonly string[] = [
  ...[
    '64488b0425',
    '6448890425',
    '64488b00',
    '64488b4008',
    '64488900',
    '64488b0418',
    '648b00',
    '64890418',
    '648b0425',
    '64890425',
    '640fb600',
    '64803801',
    '648300',
    '64833801',
    '6448833801',
  ],
  ...[
    '644803042500',
    '644c8b00',
    '6448c70000',
    '64c70000',
    '64c60000',
    '64803c2500',
    '640100',
    '64480100',
    '64483300',
    '64482b00',
    '64482b0425',
    '64483b00',
    '648100',
    '6448630000',
    '678000',
  ],
  ...['670fae10', '65488b0425', '6548890425', '67e8', 'ff742408', '64ff30', '64ff3425', '67ff00', '488703'],
  ...[0x00, 0x1b, 0x39, 0x44, 0x4e, 0x50, 0x55, 0x93, 0xa0, 0xaa, 0xb1, 0xe0, 0xe1, 0xe5, 0xe8, 0xee, 0xf5, 0xfa, 0xfe, 0xff].map(
    (order) => `660f70c0${order.toString(16).padStart(2, '0')}`,
  ),
  ...[0x00, 0x4e, 0x50, 0xe0, 0xe1].map((order) => `f20f70c0${order.toString(16).padStart(2, '0')}`),
  ...[0, 1, 2, 3].map((order) => `660fc6c0${order.toString(16).padStart(2, '0')}`),
  // What compares strings has one of each.
  ...Array.from({ length: 15 }, (_, i) => [`660f73f80${(i + 1).toString(16)}`, `660f73d80${(i + 1).toString(16)}`]).flat(),
  ...['91', '648800', '64660fd600'],
];
const protected32: readonly string[] = [
  '3d02b0ad2b',
  '7500',
  '7400',
  'b800000000',
  '89c0',
  'ffe0',
  '31c0',
  '8900',
  '8b00',
  '8b0485',
  '8b4004',
  '894004',
  'a100000000',
  'a300000000',
  '83c001',
  '0500000000',
  '83e801',
  '85c0',
  '39c0',
  '21c0',
  '09c0',
  '0d00010000',
  '2500000000',
  '40',
  '48',
  '50',
  '58',
  'e800000000',
  'c3',
  'eb00',
  'e900000000',
  'c7000000000000',
  'c1e00a',
  'f3ab',
  '0f30',
  'f3a5',
  'fc',
  'fa',
  '8d4004',
];

/** Kinds of flags that a condition often meets. */
const commonKinds: readonly number[] = [
  flagKind('sub', 1),
  flagKind('sub', 4),
  flagKind('sub', 8),
  flagKind('logic', 1),
  flagKind('logic', 4),
  flagKind('logic', 8),
];

/** Makes the binary with the handlers that ordinary code needs; deterministic. `dist/` may hold it, `HandlerSet` takes it. */
export function buildHandlers(table: OpcodeTable): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  const handlerType = declareImports(module, false);
  const runtime = addRuntimeFunctions(module);
  const batch = new Batch(table, indexDefinitions(table), new Map(), Special.count);
  const keys = new KeyTable();
  const known = new Set<number>();
  const decoder = new Decoder(table);
  const insn = new Insn();
  const mode = Mode.long | Mode.flat | Mode.protected;
  const jumps: Insn[] = [];
  const add = (key: number, handler: Handler): void => {
    if (known.has(key)) return;
    known.add(key);
    keys.set(key, handler.slot * 128 + handler.outKind + 2);
  };
  const decode = (bytes: number[], into: Insn): boolean =>
    decoder.decode(Uint8Array.from(bytes), 0, bytes.length, mode, 0, 0, () => true, into) === DecodeResult.ok;
  for (let cc = 0; cc < 16; cc++) {
    // Overflow and parity are hardly ever asked for after a compare.
    if (cc < 2 || cc === 10 || cc === 11) continue;
    const jump = new Insn();
    if (decode([0x70 + cc, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], jump)) jumps.push(jump);
  }
  const flat32 = Mode.flat | Mode.protected | Mode.code32 | Mode.stack32;
  for (const [sampleMode, text] of [...long.map((line) => [mode, line] as const), ...protected32.map((line) => [flat32, line] as const)]) {
    const bytes = Uint8Array.from({ length: 20 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2) || '0', 16));
    if (decoder.decode(bytes, 0, bytes.length, sampleMode, 0, 0, () => true, insn) !== DecodeResult.ok)
      throw new Error(`sample ${text} does not decode`);
    if (insn.row.definition.emit)
      add(fullKey(insn.row, shapeKey(insn, sampleMode, true, -1)), batch.handler([makeShape(insn, sampleMode, true, -1)], handlerType));
  }
  for (const row of table.rows) {
    if (row.definition.emit === undefined) continue;
    for (const bytes of samples(row)) {
      while (bytes.length < 20) bytes.push(0);
      if (!decode(bytes, insn) || insn.row !== row) continue;
      // The immediate decides the shape of some: those are made when met.
      if (row.definition.staticImmediate) continue;
      const flags = row.definition.flags;
      const writes = flags !== undefined && ((flags.writes ?? 0) | (flags.undefined ?? 0) | (flags.cleared ?? 0) | (flags.set ?? 0)) !== 0;
      const kinds = row.encoding.plusCc && !insn.hasMemory ? [-1, ...commonKinds] : [-1];
      // Whatever touches memory may stop or fault, and so shows its flags.
      for (const live of writes && !insn.hasMemory ? [true, false] : [true]) {
        for (const kind of kinds) {
          const handler = batch.handler([makeShape(insn, mode, live, kind)], handlerType);
          add(fullKey(row, shapeKey(insn, mode, live, kind)), handler);
          if (live && kind === -1 && insn.operandSize !== 2 && isFusibleRow(insn.row, insn.hasMemory)) {
            for (const jump of jumps)
              add(
                fusedKey(handler.slot, jump.opcode & 15),
                batch.handler([makeShape(insn, mode, true, -1), makeShape(jump, mode, true, -1)], handlerType),
              );
          }
        }
      }
    }
  }
  const functions = [...specialHandlers(handlerType), ...batch.codes].map((code) => module.func(handlerType, code));
  const enter = new Code(['i32']);
  enter.get(0).get(0).mem('i32.load').returnCallIndirect(handlerType);
  module.exportFunction('enter', module.func(handlerType, enter));
  runtime.forEach((index, i) => module.exportFunction(RUNTIME_NAMES[i]!, index));
  if (runtime[0] !== Runtime.condition) throw new Error('runtime functions are out of place');
  module.elements('base', functions);
  const lookup = module.func(module.type(['i64'], ['i32']), lookupFunction(keys.capacity));
  const decodeOne = module.func(module.type(['i32', 'i64', 'i32'], ['i32']), decodeFunction());
  module.exportFunction('predecode', module.func(module.type(new Array<'i32'>(7).fill('i32'), ['i32']), blockFunction(decodeOne, lookup)));
  const copy = module.func(module.type(['i64', 'i32', 'i32', 'i32'], ['i32']), copyFunction());
  const noteBytes = module.func(module.type(['i32', 'i32'], ['i32']), noteBytesFunction(copy));
  module.exportFunction('noteBytes', noteBytes);
  const noting = module.type([...notingParameters], ['i32']);
  for (const what of ['call', 'pass', 'base'] as const)
    module.exportFunction(`note.${what}`, module.func(noting, notingFunction(what, noteBytes)));
  const named = (name: string): number => Runtime.named + namedHelpers.indexOf(name);
  const i32 = (count: number): number => module.type(new Array<'i32'>(count).fill('i32'), ['i32']);
  module.exportFunction('handler.enter', module.func(i32(3), enterFromOutside(named('enterHandler'))));
  module.exportFunction('handler.leave', module.func(i32(1), leaveFromOutside(named('leaveHandler'))));
  module.data(Area.prefixes, flattenTable(table));
  module.data(Area.shapes, keys.save());
  module.custom(SECTION, new Uint8Array(Float64Array.of(functions.length, keys.size, keys.capacity).buffer));
  return module.build();
}

/** Functions that handlers call (see `Imports`). */
export interface HandlerImports {
  slow(linear: bigint, description: number, record: number): number;
  commit(record: number): void;
  helper(record: number): number;
  raise(record: number, vector: number, errorCode: number): void;
  segmented(record: number, description: number, offset: bigint): bigint;
}

/** See `saveFunction` and `restoreFunction`. */
export type MoveArea = (area: number, what: number) => void;

/** See `blockFunction`. */
export type Predecode = (
  address: number,
  ripLow: number,
  ripHigh: number,
  record: number,
  most: number,
  mode: number,
  fuse: number,
) => number;

/** The handlers of one processor: the table, and the slot of each shape. */
export class HandlerSet {
  readonly #table: OpcodeTable;
  readonly #memory: WebAssembly.Memory;
  readonly #imports: HandlerImports;
  readonly #functions = new WebAssembly.Table({ element: 'anyfunc', initial: 0x1000 });
  readonly #byKey: KeyTable;
  readonly #byText = new Map<string, Handler>();
  /** Needed only to make handlers. */
  #definitionIndex: ReadonlyMap<unknown, number> | undefined;
  readonly #runtime: WebAssembly.Exports;
  #count: number;
  /** The six arithmetic flags of the state as RFLAGS bits. */
  readonly arithmetic: () => bigint;
  /** Builds a block's records by what has a handler. */
  readonly predecode: Predecode;
  /** Notes something in the log; 0 where it has to be told at once. */
  readonly note: Readonly<Record<NotingFunction, (rip: number, ran: number, slot: number) => number>>;
  /** Fill the legacy region of an area of extended state, and take it over. */
  readonly saveArea: MoveArea;
  readonly restoreArea: MoveArea;
  /** See `enterFromOutside` and `leaveFromOutside`. */
  readonly enterHandler: (vector: number, errorCode: number, flags: number) => number;
  readonly leaveHandler: (flags: number) => number;
  /** Names of the handlers that were made at run time. */
  readonly generated: string[] = [];
  /** Runs from a record until an exit. */
  readonly enter: (record: number) => void;

  constructor(table: OpcodeTable, prebuilt: WebAssembly.Module, memory: WebAssembly.Memory, imports: HandlerImports) {
    this.#table = table;
    this.#memory = memory;
    this.#imports = imports;
    const section = WebAssembly.Module.customSections(prebuilt, SECTION)[0]!;
    const [count, shapes, capacity] = new Float64Array(section) as unknown as readonly [number, number, number];
    this.#count = count;
    if (count > this.#functions.length) this.#functions.grow(count - this.#functions.length + 0x400);
    this.#runtime = this.#instantiate(prebuilt, 0).exports;
    // The instance put the table there. A table that has to grow goes elsewhere: then the predecoder leaves blocks with newer shapes to the other builder.
    this.#byKey = KeyTable.at(memory.buffer, Area.shapes, capacity, shapes);
    this.predecode = this.#runtime['predecode'] as Predecode;
    this.arithmetic = this.#runtime['arithmetic'] as () => bigint;
    this.enter = this.#runtime['enter'] as (record: number) => void;
    this.saveArea = this.#runtime['area.save'] as MoveArea;
    this.restoreArea = this.#runtime['area.restore'] as MoveArea;
    this.enterHandler = this.#runtime['handler.enter'] as HandlerSet['enterHandler'];
    this.leaveHandler = this.#runtime['handler.leave'] as HandlerSet['leaveHandler'];
    const note = (what: NotingFunction): ((rip: number, ran: number, slot: number) => number) =>
      this.#runtime[`note.${what}`] as (rip: number, ran: number, slot: number) => number;
    this.note = { call: note('call'), pass: note('pass'), base: note('base') };
  }

  #instantiate(module: WebAssembly.Module, base: number): WebAssembly.Instance {
    return new WebAssembly.Instance(module, {
      env: { memory: this.#memory, table: this.#functions, base: new WebAssembly.Global({ value: 'i32' }, base), ...this.#imports },
      runtime: this.#runtime ?? {},
    });
  }

  /** The functions that handlers and regions share, by name. */
  get runtime(): WebAssembly.Exports {
    return this.#runtime;
  }

  /** Slot of the handler for an instruction, times 128, plus its outgoing flag kind + 2. Generates it where missing. */
  find(insn: Insn, mode: number, live: boolean, flagIn: number): number {
    const definition = insn.row.definition;
    if (definition.emit === undefined) return (definition.endsBlock === true ? Special.helperEnds : Special.helper) * 128 + 1;
    let found = this.#byKey.get(fullKey(insn.row, shapeKey(insn, mode, live, flagIn)));
    if (found >= 0) return found;
    const general = fullKey(insn.row, shapeKey(insn, mode, true, -1));
    found = this.#byKey.get(general);
    if (found < 0) {
      const handler = this.#make([makeShape(insn, mode, true, -1)]);
      found = handler.slot * 128 + handler.outKind + 2;
      this.#byKey.set(general, found);
    }
    return found;
  }

  /** The same for a fused pair, or -1 where there is none. `first` is what `find` gave for live flags and unknown history. */
  findFused(first: number, cc: number): number {
    return this.#byKey.get(fusedKey(first >> 7, cc));
  }

  #make(shapes: readonly Shape[]): Handler {
    const module = new ModuleBuilder();
    const handlerType = declareImports(module, true);
    this.#definitionIndex ??= indexDefinitions(this.#table);
    const batch = new Batch(this.#table, this.#definitionIndex, this.#byText, this.#count);
    const handler = batch.handler(shapes, undefined);
    const code = batch.codes[0];
    if (code === undefined) return handler;
    module.exportFunction('handler', module.func(handlerType, code));
    if (this.#count >= this.#functions.length) this.#functions.grow(this.#functions.length);
    this.#functions.set(this.#count++, this.#instantiate(new WebAssembly.Module(module.build()), 0).exports['handler']);
    this.generated.push(`${shapes[0]!.row.definition.mnemonic} ${shapeText(shapes[0]!, 0)}`);
    return handler;
  }
}
