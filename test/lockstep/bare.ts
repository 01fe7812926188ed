/** A processor without a machine around it: pages mapped as a test asks, user-mode 64-bit code as an operating system would run it, faults reported instead of delivered. */

import { type CpuBus, type CpuExit, type CpuModel } from '../../debug-adapter/x86/api';
import { type CpuOptions, X86Cpu } from '../../debug-adapter/x86/cpu';
import { Layout, Seg, SegField, State } from '../../debug-adapter/x86/state';

/** What an instruction raised. */
export interface Fault {
  readonly vector: number;
  /** 0 where the exception has no error code. */
  readonly errorCode: number;
}

const noBus: CpuBus = {
  portRead: () => 0xffff_ffff,
  portWrite: () => undefined,
  mmioRead: () => 0xffff_ffff_ffff_ffffn,
  mmioWrite: () => undefined,
  acknowledgeInterrupt: () => -1,
  timeStampCounter: (retired) => retired,
  random: () => 0x1234_5678_9abc_def0n,
};

/** Bits of a page-table entry. */
export const Page = { present: 1n, writable: 2n, user: 4n, accessed: 0x20n, dirty: 0x40n, noExecute: 1n << 63n } as const;

const pageSize = 4096;
/** Where the task state segment and a page of NOPs are: not a sum that addresses of tests come to by chance. */
const systemPages = 0x5a5a_5a5a_0000n;
const nop = 0x90;
/** Offset of the global descriptor table behind the task state segment, and what it holds: 32-bit code, data, 64-bit code. */
const globalTable = 0x200;
const userSegments = [
  [0x23, 0x00cf_fb00_0000_ffffn],
  [0x2b, 0x00cf_f300_0000_ffffn],
  [0x33, 0x00af_fb00_0000_ffffn],
] as const;
const ramBytes = 64 * 1024 * 1024;

export class BareCpu {
  readonly memory: WebAssembly.Memory;
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly cpu: X86Cpu;
  /** The last exception; undefined until one happened since `fault` was cleared. */
  fault: Fault | undefined;
  #nextPage = 0x10_0000;
  readonly #root: number;
  readonly #frames = new Map<bigint, number>();
  readonly #taskState: number;
  readonly #idle: number;

  constructor(options: Pick<CpuOptions, 'jit'> & { readonly model?: CpuModel } = {}) {
    const pages = (Layout.ramBase + ramBytes) / 65536;
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { model = 'default', jit = true } = options;
    this.cpu = new X86Cpu({ memory: this.memory, ramBytes, bus: noBus, model, jit, tscKilohertz: 2_000_000 });
    this.view = new DataView(this.memory.buffer);
    this.bytes = new Uint8Array(this.memory.buffer);
    this.cpu.hooks.exception = (vector, errorCode) => {
      this.fault = { vector, errorCode: errorCode ?? 0 };
      return 'stop';
    };
    this.#root = this.#frame();
    this.#taskState = this.map(systemPages, Page.writable | Page.dirty);
    this.#idle = this.map(systemPages + 0x1000n, Page.user);
    this.reset();
  }

  /** A fresh physical page, zeroed. Neighbours in linear space never are neighbours here. */
  #frame(): number {
    const page = this.#nextPage;
    this.#nextPage += 2 * pageSize;
    if (this.#nextPage > ramBytes) throw new Error('the bare processor is out of pages');
    this.bytes.fill(0, Layout.ramBase + page, Layout.ramBase + page + pageSize);
    return page;
  }

  /** Maps a linear page with the given rights (`Page.present` and `accessed` are added); answers its offset in `bytes`. */
  map(linear: bigint, rights: bigint): number {
    let table = this.#root;
    for (const shift of [39n, 30n, 21n]) {
      const at = Layout.ramBase + table + 8 * Number((linear >> shift) & 511n);
      let entry = this.view.getBigUint64(at, true);
      if (entry === 0n) {
        entry = BigInt(this.#frame()) | Page.present | Page.writable | Page.user | Page.accessed;
        this.view.setBigUint64(at, entry, true);
      }
      table = Number(entry & 0xf_ffff_f000n);
    }
    const at = Layout.ramBase + table + 8 * Number((linear >> 12n) & 511n);
    const frame = this.#frames.get(linear) ?? this.#frame();
    this.#frames.set(linear, frame);
    this.view.setBigUint64(at, BigInt(frame) | Page.present | Page.accessed | rights, true);
    return Layout.ramBase + frame;
  }

  /** Takes a linear page away. */
  unmap(linear: bigint): void {
    this.map(linear, 0n);
    let table = this.#root;
    for (const shift of [39n, 30n, 21n]) {
      table = Number(this.view.getBigUint64(Layout.ramBase + table + 8 * Number((linear >> shift) & 511n), true) & 0xf_ffff_f000n);
    }
    this.view.setBigUint64(Layout.ramBase + table + 8 * Number((linear >> 12n) & 511n), 0n, true);
  }

  /** Linear pages mapped so far. */
  get mapped(): Iterable<bigint> {
    return this.#frames.keys();
  }

  #segment(number: number, selector: number, attributes: number): void {
    const at = State.seg + number * SegField.size;
    this.view.setBigUint64(at + SegField.base, 0n, true);
    this.view.setUint32(at + SegField.limit, attributes === 0 ? 0 : 0xffff_ffff, true);
    this.view.setUint32(at + SegField.attributes, attributes, true);
    this.view.setUint16(at + SegField.selector, selector, true);
  }

  /** Long mode, CPL 3, flat segments, everything that user code of an operating system finds enabled. */
  reset(): void {
    this.cpu.reset();
    const v = this.view;
    v.setBigUint64(State.cr0, 0x8005_0033n, true);
    v.setBigUint64(State.cr3, BigInt(this.#root), true);
    // PAE, PGE, OSFXSR, OSXMMEXCPT, FSGSBASE, OSXSAVE.
    v.setBigUint64(State.cr4, 0x5_06a0n, true);
    v.setBigUint64(State.xcr0, 3n, true);
    v.setBigUint64(State.efer, 0xd01n, true);
    this.#segment(Seg.CS, 0x33, 0xa0fb);
    this.#segment(Seg.SS, 0x2b, 0xc0f3);
    for (const segment of [Seg.DS, Seg.ES, Seg.FS, Seg.GS]) this.#segment(segment, 0, 0);
    // A task state segment without an I/O permission map: ports are #GP(0).
    const task = State.seg + Seg.TR * SegField.size;
    v.setBigUint64(task + SegField.base, systemPages, true);
    v.setUint32(task + SegField.limit, 0x67, true);
    v.setUint32(task + SegField.attributes, 0x8b, true);
    v.setUint16(task + SegField.selector, 0x40, true);
    v.setUint16(this.#taskState + 0x66, 0xffff, true);
    // The user segments of a Linux process, for what loads segment registers.
    for (const [selector, descriptor] of userSegments) v.setBigUint64(this.#taskState + globalTable + (selector & ~7), descriptor, true);
    v.setBigUint64(State.gdtr, systemPages + BigInt(globalTable), true);
    v.setUint32(State.gdtr + 8, 0x7f, true);
    this.bytes.fill(nop, this.#idle, this.#idle + pageSize);
    v.setInt32(State.cpl, 3, true);
    this.cpu.invalidate();
  }

  setSegmentBase(segment: number, base: bigint): void {
    this.view.setBigUint64(State.seg + segment * SegField.size + SegField.base, base, true);
  }

  segmentBase(segment: number): bigint {
    return this.view.getBigUint64(State.seg + segment * SegField.size + SegField.base, true);
  }

  /**
   * Runs one NOP. The processor asks about an exception once for each instruction count, so that a second fault after a state was loaded by hand
   * needs a count of its own.
   */
  nudge(): void {
    this.view.setBigUint64(State.rip, systemPages + 0x1000n, true);
    this.cpu.run(1);
  }

  run(budget: number): CpuExit {
    return this.cpu.run(budget);
  }
}
