/** Two processors with the same small system in memory, one of which translates everything at once: what differs between them is the translator's fault. */

import { type CpuBus, type CpuExit, type KeptRegions } from '../../debug-adapter/x86/api';
import { X86Cpu } from '../../debug-adapter/x86/cpu';
import { type CompileService } from '../../debug-adapter/x86/default-compiler';
import { RegionCompiler } from '../../debug-adapter/x86/jit/compiler-thread';
import {
  type CompileAnswer,
  type CompileOrder,
  type GatherAnswer,
  type GatherOrder,
  type KeepOrder,
  type KnownAnswer,
  type KnownOrder,
  type RecallAnswer,
  type RecallOrder,
} from '../../debug-adapter/x86/jit/order';
import { Layout, Seg, SegField, State } from '../../debug-adapter/x86/state';
import { type Gate } from './jit-handlers';

/** Physical (and, but for the alias, linear) addresses of the system. */
export const Place = {
  gdt: 0x1000,
  idt: 0x2000,
  handler: 0x3000,
  tss: 0x4000,
  tables: 0x10_0000,
  code: 0x2_0000,
  codePages: 3,
  /** Within the longest range that may be written, at its end. */
  data: 0x1e_0000,
  dataPages: 4,
  stack: 0x6_0000,
  /** Linear pages whose frames are swapped while programs run: frames at `frames`. */
  alias: 0x80_0000,
  aliasPages: 4,
  frames: 0x7_0000,
} as const;

const ramBytes = 0x20_0000;
const PAGE = 4096;
/** Bits of page-table entries: present, writable, accessed, dirty. */
const mapped = 0x63n;
const readOnly = 0x61n;

/** Physical address of the table entry that maps a linear page below 16 MiB. */
export const entryOf = (linear: number): number => Place.tables + 0x3000 + (linear >> 21) * PAGE + ((linear >> 12) & 511) * 8;

/** Compiles as another thread does, from a copy of the order, and answers when it is told to. */
export class HeldCompiler implements CompileService {
  readonly #files = new Map<string, unknown>();
  #compiler = this.#start();
  readonly #held: (() => void)[] = [];
  answered = 0;

  #start(): RegionCompiler {
    return new RegionCompiler({
      read: (name) => structuredClone(this.#files.get(name)),
      write: (name, content) => void this.#files.set(name, structuredClone(content)),
    });
  }

  /** Another process begins, which has nothing but what was kept. */
  restart(): void {
    this.#held.length = 0;
    this.#compiler = this.#start();
  }

  #hold<Order, Answer>(order: Order, work: (order: Order) => Answer): Promise<Answer> {
    const copy = structuredClone(order);
    return new Promise((resolve) => {
      this.#held.push(() => resolve(work(copy)));
    });
  }

  compile(order: CompileOrder): Promise<CompileAnswer> {
    return this.#hold(order, (copy) => this.#compiler.compile(copy));
  }

  known(order: KnownOrder): Promise<KnownAnswer> {
    return this.#hold(order, (copy) => this.#compiler.known(copy));
  }

  recall(order: RecallOrder): Promise<RecallAnswer> {
    return this.#hold(order, (copy) => structuredClone(this.#compiler.recall(copy)));
  }

  gather(order: GatherOrder): Promise<GatherAnswer> {
    return this.#hold(order, (copy) => this.#compiler.gather(copy));
  }

  keep(order: KeepOrder): Promise<undefined> {
    return Promise.resolve(this.#compiler.keep(order));
  }

  /** Answers the order that waits for longest, if any does, and lets the answer in. */
  async release(): Promise<void> {
    const first = this.#held.shift();
    if (first === undefined) return;
    first();
    this.answered++;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export class JitSubject {
  readonly cpu: X86Cpu;
  readonly view: DataView;
  readonly bytes: Uint8Array;
  /** Events that the outside saw, in order, with instruction counts. */
  readonly log: string[] = [];
  /** Instructions until the interrupt line rises, after a write to port 0x80. */
  fault: string | undefined;

  constructor(jit: boolean | 'eager', compiler?: CompileService, kept?: KeptRegions) {
    const memory = new WebAssembly.Memory({ initial: (Layout.ramBase + ramBytes) / 65536 });
    const bus: CpuBus = {
      portRead: (port) => port ^ Number(this.cpu.retired & 0xffffn),
      portWrite: (port, _size, value) => {
        this.log.push(`out ${port} ${value} @${this.cpu.retired}`);
        if (port === 0x80) this.cpu.setInterruptLine(true);
        if (port === 0x81) this.cpu.shortenBudget(value & 31);
      },
      mmioRead: (address) => BigInt(address),
      mmioWrite: (address, size, value) => void this.log.push(`mmio ${address} ${size} ${value} @${this.cpu.retired}`),
      acknowledgeInterrupt: () => {
        this.cpu.setInterruptLine(false);
        this.log.push(`interrupt @${this.cpu.retired}`);
        return 0x40;
      },
      timeStampCounter: (retired) => retired,
      random: () => 7n,
    };
    this.cpu = new X86Cpu({ memory, ramBytes, bus, model: 'default', tscKilohertz: 2_000_000, jit, kept, ...(compiler && { compiler }) });
    this.view = this.cpu.view;
    this.bytes = this.cpu.u8;
    this.cpu.hooks.exception = (vector, errorCode) => {
      if (vector === 1 || vector === 3) return undefined;
      this.fault = `${vector}/${errorCode} rip ${this.cpu.rip.toString(16)} cr2 ${this.cpu.getRegister('cr2')}`;
      return 'stop';
    };
  }

  write64(physical: number, value: bigint): void {
    this.view.setBigUint64(Layout.ramBase + physical, value, true);
  }

  #segment(number: number, selector: number, attributes: number): void {
    const at = State.seg + number * SegField.size;
    this.view.setUint32(at + SegField.limit, 0xffff_ffff, true);
    this.view.setUint32(at + SegField.attributes, attributes, true);
    this.view.setUint16(at + SegField.selector, selector, true);
    this.view.setBigUint64(at + SegField.base, 0n, true);
  }

  /** 64-bit code at CPL 0 with 4 KiB pages; the last data page is read-only, the one behind it missing. */
  load(code: Uint8Array, handlers: Uint8Array, gates: readonly Gate[] = []): void {
    const { cpu, view } = this;
    this.log.length = 0;
    this.fault = undefined;
    this.bytes.fill(0, Layout.ramBase, Layout.ramBase + ramBytes);
    cpu.reset();
    view.setBigUint64(State.cr0, 0x8001_0033n, true);
    view.setBigUint64(State.cr3, BigInt(Place.tables), true);
    view.setBigUint64(State.cr4, 0x6a0n, true);
    view.setBigUint64(State.efer, 0xd01n, true);
    this.#segment(Seg.CS, 8, 0xa09b);
    for (const segment of [Seg.SS, Seg.DS, Seg.ES, Seg.FS, Seg.GS]) this.#segment(segment, 0x10, 0xc093);
    view.setBigUint64(State.seg + Seg.FS * SegField.size, BigInt(Place.data + 0x100), true);
    this.write64(Place.gdt + 8, 0x00af_9b00_0000_ffffn);
    this.write64(Place.gdt + 16, 0x00cf_9300_0000_ffffn);
    view.setBigUint64(State.gdtr, BigInt(Place.gdt), true);
    view.setUint32(State.gdtr + 8, 0x37, true);
    // The code and stack that have not been accessed, conforming code, and code that is absent (jit-handlers.ts).
    this.write64(Place.gdt + 0x18, 0x00af_9a00_0000_ffffn);
    this.write64(Place.gdt + 0x20, 0x00af_9f00_0000_ffffn);
    this.write64(Place.gdt + 0x28, 0x00cf_9200_0000_ffffn);
    this.write64(Place.gdt + 0x30, 0x00af_1b00_0000_ffffn);
    this.#segment(Seg.TR, 0x40, 0x8b);
    view.setBigUint64(State.seg + Seg.TR * SegField.size, BigInt(Place.tss), true);
    // The last stack of the table is beyond its limit.
    view.setUint32(State.seg + Seg.TR * SegField.size + SegField.limit, 0x1c + 7 * 8 + 6, true);
    for (let ist = 1; ist < 8; ist++) this.write64(Place.tss + 0x1c + ist * 8, BigInt(Place.stack - 0x1800 + ist * 0x48));
    this.write64(Place.tss + 0x1c + 6 * 8, 1n << 50n);
    for (let vector = 0; vector < 256; vector++)
      this.write64(Place.idt + 16 * vector, BigInt(Place.handler) | (8n << 16n) | (0x8e00n << 32n));
    for (const { vector, low, high } of gates) {
      this.write64(Place.idt + 16 * vector, low);
      this.write64(Place.idt + 16 * vector + 8, high);
    }
    view.setBigUint64(State.idtr, BigInt(Place.idt), true);
    view.setUint32(State.idtr + 8, 0xfff, true);
    this.bytes.set(handlers, Layout.ramBase + Place.handler);
    // Tables: one of each upper level, then eight of 4 KiB pages: 16 MiB.
    this.write64(Place.tables, BigInt(Place.tables + 0x1000) | mapped);
    this.write64(Place.tables + 0x1000, BigInt(Place.tables + 0x2000) | mapped);
    for (let i = 0; i < 8; i++) this.write64(Place.tables + 0x2000 + 8 * i, BigInt(Place.tables + 0x3000 + i * PAGE) | mapped);
    for (let page = 0; page < ramBytes; page += PAGE) this.write64(entryOf(page), BigInt(page) | mapped);
    const end = Place.data + Place.dataPages * PAGE;
    this.write64(entryOf(end - PAGE), BigInt(end - PAGE) | readOnly);
    this.write64(entryOf(end), 0n);
    for (let i = 0; i < Place.aliasPages; i++)
      this.write64(entryOf(Place.alias + i * PAGE), BigInt(Place.frames + (i ^ 1) * PAGE) | mapped);
    // Device memory behind the alias pages.
    this.write64(entryOf(Place.alias + Place.aliasPages * PAGE), 0xfee0_0000n | mapped);
    this.bytes.set(code, Layout.ramBase + Place.code);
    view.setBigUint64(State.rip, BigInt(Place.code), true);
    cpu.setProbe(0n, undefined);
    cpu.setWatchpoints([]);
    cpu.modeChanged();
    cpu.invalidate();
  }

  /** Has helpers do system instructions, and these go into handlers and back by all the rules. */
  byTheRules(isOn: boolean): void {
    const { cpu } = this;
    for (const name of ['enterHandler', 'leaveHandler'] as const) Object.defineProperty(cpu, name, { value: isOn ? () => false : X86Cpu.prototype[name], configurable: true }); // prettier-ignore
    if (isOn) cpu.hooks.systemInstruction = () => undefined;
    else delete cpu.hooks.systemInstruction;
  }

  run(budget: number): CpuExit {
    return this.cpu.run(budget);
  }

  /** First difference from another subject in what a guest or a debugger can see, or undefined. */
  differs(other: JitSubject): string | undefined {
    const { cpu } = this;
    if (cpu.retired !== other.cpu.retired) return `retired ${cpu.retired} ${other.cpu.retired}`;
    for (const name of names) {
      const [a, b] = [cpu.getRegister(name), other.cpu.getRegister(name)];
      if (a !== b) return `${name} ${a?.toString(16)} ${b?.toString(16)}`;
    }
    for (let at = State.seg; at < State.bounce; at += 4) {
      if (this.view.getUint32(at, true) !== other.view.getUint32(at, true))
        return `state ${at.toString(16)}: ${this.view.getUint32(at, true).toString(16)} ${other.view.getUint32(at, true).toString(16)}`;
    }
    if (this.view.getInt32(State.shadow, true) !== other.view.getInt32(State.shadow, true)) return 'shadow';
    if (this.fault !== other.fault) return `fault ${this.fault} ${other.fault}`;
    if (this.log.join() !== other.log.join()) return `events ${this.log.slice(-3).join()} | ${other.log.slice(-3).join()}`;
    const [a, b] = [Buffer.from(this.bytes.buffer), Buffer.from(other.bytes.buffer)];
    for (const [start, length] of compared) {
      if (
        a.compare(b, Layout.ramBase + start, Layout.ramBase + start + length, Layout.ramBase + start, Layout.ramBase + start + length) === 0
      )
        continue;
      for (let i = Layout.ramBase + start; i < Layout.ramBase + start + length; i++)
        if (a[i] !== b[i]) return `memory ${(i - Layout.ramBase).toString(16)}: ${a[i]} ${b[i]}`;
    }
    return undefined;
  }
}

/** Everything that programs write: descriptors' accessed bits, handlers' counter, code, data, stack, alias frames, page tables. */
const compared = [
  [Place.gdt, PAGE],
  [Place.handler, PAGE],
  [Place.code, Place.codePages * PAGE],
  [Place.data, Place.dataPages * PAGE],
  [Place.stack - 2 * PAGE, 3 * PAGE],
  [Place.frames, Place.aliasPages * PAGE],
  [Place.tables, 0x5000],
] as const;

const names = 'cs ss rip rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15 rflags cr0 cr2 cr3'.split(' ');
