/** A processor with a small system around it for tests of privileged behaviour: descriptor tables, a TSS, identity-mapped pages and a handler for every vector. */

import { X86Cpu } from '../../../debug-adapter/x86/cpu';
import { type CpuExit, type CpuModel } from '../../../debug-adapter/x86/api';
import { Cr0, Cr4, Efer } from '../../../debug-adapter/x86/control-bits';
import { Layout, Seg, SegField, State } from '../../../debug-adapter/x86/state';

const ramBytes = 0x40_0000;
export const memory = new WebAssembly.Memory({ initial: (Layout.ramBase + ramBytes) / 65536 });

/** Selectors of the rig's GDT. */
export const Sel = {
  code64: 0x08,
  data: 0x10,
  code32: 0x18,
  userData: 0x23,
  userCode64: 0x2b,
  tss: 0x30,
  userCode32: 0x43,
  /** Conforming 64-bit code, DPL 0. */
  conforming: 0x48,
  notPresentData: 0x50,
  readOnlyData: 0x58,
  executeOnly: 0x60,
  smallData: 0x68,
  /** Room for tests: descriptors from here are theirs. */
  free: 0x70,
} as const;

export const At = {
  gdt: 0x1000,
  idt: 0x2000,
  tss: 0xb_0000,
  handlers: 0x5000,
  pages: 0x10_0000,
  code: 0x1_0000,
  stack: 0x8_0000,
  kernelStack: 0x9_0000,
  ist: 0xa_0000,
  data: 0x3_0000,
} as const;

/** Linear pages of 4 KiB that `mapSmallPages` maps, and their frames: of each four the first two may be written, the third may be read, the last is missing. */
export const Small = { start: 0x40_0000, frames: 0x20_0000, pages: 16 } as const;

/** Answers numbers below `n`, the same for one seed. */
export function generator(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) % n;
  };
}

/** A code or data descriptor. `access`: type, S, DPL, P; `flags`: AVL, L, D/B, G as the high nibble has them. */
export function descriptor(base: number, limit: number, access: number, flags: number): bigint {
  const low = (limit & 0xffff) | ((base & 0xffff) * 0x1_0000);
  const high = ((base >>> 16) & 0xff) | (access << 8) | (limit & 0xf_0000) | (flags << 20) | (base & 0xff00_0000);
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

export type RigMode = 'long' | 'compatibility' | 'protected' | 'pae' | 'unpaged';

export class Rig {
  readonly cpu: X86Cpu;
  readonly ports: { port: number; size: number; value: number | undefined }[] = [];
  /** Exceptions seen by the hook; with `stopOnException` they stop the processor before delivery. */
  readonly exceptions: { vector: number; errorCode: number | undefined }[] = [];
  stopOnException = true;
  private at: number = At.code;
  private stopped = false;

  constructor(
    readonly mode: RigMode = 'long',
    model: CpuModel = 'default',
    tscKilohertz = 2_000_000,
  ) {
    new Uint8Array(memory.buffer).fill(0);
    this.cpu = new X86Cpu({
      memory,
      ramBytes,
      model,
      tscKilohertz,
      bus: {
        portRead: (port, size) => {
          this.ports.push({ port, size, value: undefined });
          return 0xa5a5_a5a5;
        },
        portWrite: (port, size, value) => void this.ports.push({ port, size, value }),
        mmioRead: () => 0xffff_ffff_ffff_ffffn,
        mmioWrite: () => undefined,
        acknowledgeInterrupt: () => 0x20,
        timeStampCounter: (retired) => 1000n + retired,
        random: () => 0x1234_5678_9abc_def0n,
      },
    });
    this.cpu.reset();
    this.cpu.hooks.exception = (vector, errorCode) => {
      this.exceptions.push({ vector, errorCode });
      return this.stopOnException ? 'stop' : undefined;
    };
    this.tables();
    this.state();
    this.cpu.invalidate();
  }

  get view(): DataView {
    return this.cpu.view;
  }

  get longTables(): boolean {
    return this.mode === 'long' || this.mode === 'compatibility';
  }

  write64(physical: number, value: bigint): void {
    this.view.setBigUint64(Layout.ramBase + physical, value, true);
  }
  read64(physical: number): bigint {
    return this.view.getBigUint64(Layout.ramBase + physical, true);
  }
  write32(physical: number, value: number): void {
    this.view.setUint32(Layout.ramBase + physical, value, true);
  }
  read32(physical: number): number {
    return this.view.getUint32(Layout.ramBase + physical, true);
  }

  private tables(): void {
    const gdt = [
      0n,
      descriptor(0, 0xf_ffff, 0x9b, 0xa),
      descriptor(0, 0xf_ffff, 0x93, 0xc),
      descriptor(0, 0xf_ffff, 0x9b, 0xc),
      descriptor(0, 0xf_ffff, 0xf3, 0xc),
      descriptor(0, 0xf_ffff, 0xfb, 0xa),
      descriptor(At.tss, 0x2067, 0x89, 0),
      0n,
      descriptor(0, 0xf_ffff, 0xfb, 0xc),
      descriptor(0, 0xf_ffff, 0x9f, 0xa),
      descriptor(0, 0xf_ffff, 0x13, 0xc),
      descriptor(0, 0xf_ffff, 0x91, 0xc),
      descriptor(0, 0xf_ffff, 0x99, 0xc),
      descriptor(At.data, 0xff, 0x93, 0x4),
    ];
    gdt.forEach((d, i) => this.write64(At.gdt + i * 8, d));
    const codeSelector = this.longTables ? Sel.code64 : Sel.code32;
    for (let vector = 0; vector < 256; vector++) this.gate(vector, { selector: codeSelector });
    // Handlers: NOPs with HLT at the end of each one's sixteen bytes.
    for (let vector = 0; vector < 256; vector++) {
      this.cpu.u8.fill(0x90, Layout.ramBase + At.handlers + vector * 16, Layout.ramBase + At.handlers + vector * 16 + 15);
      this.cpu.u8[Layout.ramBase + At.handlers + vector * 16 + 15] = 0xf4;
    }
    if (this.longTables) {
      this.write64(At.tss + 4, BigInt(At.kernelStack));
      for (let i = 1; i <= 7; i++) this.write64(At.tss + 0x1c + i * 8, BigInt(At.ist + i * 0x1000));
    } else {
      this.write32(At.tss + 4, At.kernelStack);
      this.write32(At.tss + 8, Sel.data);
    }
    // The I/O bitmap: every port forbidden but 0x60..0x67.
    this.view.setUint16(Layout.ramBase + At.tss + 102, 0x68, true);
    this.cpu.u8.fill(0xff, Layout.ramBase + At.tss + 0x68, Layout.ramBase + At.tss + 0x2068);
    this.cpu.u8[Layout.ramBase + At.tss + 0x68 + 0x60 / 8] = 0;
    if (this.longTables) {
      this.write64(At.pages, BigInt(At.pages + 0x1000) | 7n);
      this.write64(At.pages + 0x1000, BigInt(At.pages + 0x2000) | 7n);
      for (let i = 0; i < 8; i++) this.write64(At.pages + 0x2000 + i * 8, BigInt(i * 0x20_0000) | 0x87n);
    } else if (this.mode === 'pae') {
      this.write64(At.pages, BigInt(At.pages + 0x2000) | 1n);
      for (let i = 0; i < 8; i++) this.write64(At.pages + 0x2000 + i * 8, BigInt(i * 0x20_0000) | 0x87n);
    } else if (this.mode === 'protected') {
      for (let i = 0; i < 4; i++) this.write32(At.pages + i * 4, (i * 0x40_0000) | 0x87);
    }
  }

  mapSmallPages(): void {
    const table = At.pages + 0x3000;
    this.write64(At.pages + 0x2000 + 16, BigInt(table) | 7n);
    for (let page = 0; page < Small.pages; page++) {
      const frame = BigInt(Small.frames + page * 4096);
      this.write64(table + page * 8, [frame | 0x67n, frame | 7n, frame | 0x65n, 0n][page & 3]!);
    }
  }

  /** Exchanges the frames of two of them. */
  swapSmallPages(one: number, other: number): void {
    const [a, b] = [one, other].map((page) => At.pages + 0x3000 + (page & (Small.pages - 1)) * 8) as [number, number];
    const entry = this.read64(a);
    this.write64(a, this.read64(b));
    this.write64(b, entry);
  }

  /** Has helpers do system instructions, and go into handlers and back by all the rules. */
  byTheRules(): void {
    const { cpu } = this;
    cpu.hooks.systemInstruction = () => undefined;
    for (const name of ['enterHandler', 'leaveHandler'] as const) Object.defineProperty(cpu, name, { value: () => false });
  }

  /** Writes a gate: an interrupt gate to the vector's handler unless told otherwise. */
  gate(
    vector: number,
    more: { selector?: number; type?: number; dpl?: number; ist?: number; present?: boolean; offset?: number } = {},
  ): void {
    const offset = more.offset ?? At.handlers + vector * 16;
    const access = (more.type ?? 0xe) | ((more.dpl ?? 0) << 5) | (more.present === false ? 0 : 0x80);
    const low = BigInt(offset & 0xffff) | (BigInt(more.selector ?? (this.longTables ? Sel.code64 : Sel.code32)) << 16n);
    const high = BigInt(more.ist ?? 0) | (BigInt(access) << 8n) | (BigInt(offset >>> 16) << 16n);
    const size = this.longTables ? 16 : 8;
    this.write64(At.idt + vector * size, low | (high << 32n));
    if (this.longTables) this.write64(At.idt + vector * 16 + 8, 0n);
  }

  private state(): void {
    const { view } = this;
    view.setBigUint64(State.gdtr, BigInt(At.gdt), true);
    view.setUint32(State.gdtr + 8, 0xfff, true);
    view.setBigUint64(State.idtr, BigInt(At.idt), true);
    view.setUint32(State.idtr + 8, 0xfff, true);
    const paged = this.mode !== 'unpaged';
    view.setBigUint64(State.cr0, BigInt((Cr0.PE | Cr0.MP | Cr0.ET | Cr0.NE | Cr0.WP | (paged ? Cr0.PG : 0)) >>> 0), true);
    const pae = this.longTables || this.mode === 'pae' ? Cr4.PAE : 0;
    view.setBigUint64(State.cr4, BigInt(Cr4.OSFXSR | Cr4.OSXMMEXCPT | Cr4.PSE | Cr4.FSGSBASE | pae), true);
    view.setBigUint64(State.cr3, BigInt(At.pages), true);
    view.setBigUint64(State.efer, BigInt(Efer.NXE | Efer.SCE | (this.longTables ? Efer.LME | Efer.LMA : 0)), true);
    this.segment(Seg.CS, this.mode === 'long' ? Sel.code64 : Sel.code32);
    for (const s of [Seg.DS, Seg.ES, Seg.SS, Seg.FS, Seg.GS]) this.segment(s, Sel.data);
    const tr = State.seg + Seg.TR * SegField.size;
    view.setBigUint64(tr, BigInt(At.tss), true);
    view.setUint32(tr + SegField.limit, 0x2067, true);
    view.setUint32(tr + SegField.attributes, 0x8b, true);
    view.setUint16(tr + SegField.selector, Sel.tss, true);
    view.setBigUint64(State.gpr + 4 * 8, BigInt(At.stack), true);
    view.setBigUint64(State.rip, BigInt(At.code), true);
  }

  /** Loads a segment register's parts from the GDT without checks. */
  segment(segment: number, selector: number): void {
    const raw = this.read64(At.gdt + (selector & 0xfff8));
    const high = Number(raw >> 32n);
    let limit = Number(raw & 0xffffn) | (high & 0xf_0000);
    if ((high & 0x80_0000) !== 0) limit = ((limit << 12) | 0xfff) >>> 0;
    const at = State.seg + segment * SegField.size;
    this.view.setBigUint64(at, BigInt(((high & 0xff00_0000) | ((high & 0xff) << 16) | Number((raw >> 16n) & 0xffffn)) >>> 0), true);
    this.view.setUint32(at + SegField.limit, limit, true);
    this.view.setUint32(at + SegField.attributes, (high >>> 8) & 0xf0ff, true);
    this.view.setUint16(at + SegField.selector, selector, true);
  }

  /** Goes to privilege level 3 in the code of the mode. */
  user(): this {
    this.segment(Seg.CS, this.mode === 'long' ? Sel.userCode64 : Sel.userCode32);
    for (const s of [Seg.DS, Seg.ES, Seg.SS]) this.segment(s, Sel.userData);
    this.cpu.invalidate();
    return this;
  }

  reg(name: string): bigint {
    return this.cpu.getRegister(name)!;
  }
  set(name: string, value: bigint | number): this {
    if (!this.cpu.setRegister(name, BigInt(value))) throw new Error(`cannot set ${name} to ${value}`);
    return this;
  }
  /** Writes a control register or other part of the state block straight. */
  poke(offset: number, value: bigint): this {
    this.view.setBigUint64(offset, value, true);
    this.cpu.invalidate();
    return this;
  }
  selector(segment: number): number {
    return this.view.getUint16(State.seg + segment * SegField.size + SegField.selector, true);
  }

  /** Puts an instruction at the next code address and runs it (or, with `count`, several). */
  run(bytes: readonly number[], count = 1): CpuExit {
    if (this.stopped) {
      // The hook is asked once for each instruction count, so a NOP moves that on.
      this.stopped = false;
      this.cpu.u8[Layout.ramBase + At.code - 16] = 0x90;
      this.view.setBigUint64(State.rip, BigInt(At.code - 16), true);
      this.cpu.run(1);
    }
    this.at = (this.at + 31) & ~15;
    this.cpu.u8.set(bytes, Layout.ramBase + this.at);
    this.cpu.invalidateCode(this.at, bytes.length);
    this.view.setBigUint64(State.rip, BigInt(this.at), true);
    this.exceptions.length = 0;
    const exit = this.cpu.run(count);
    this.stopped = exit.kind === 'hook';
    return exit;
  }

  /** Address of the instruction that `run` put last. */
  get last(): bigint {
    return BigInt(this.at);
  }

  /** Runs an instruction that must not fault. */
  ok(bytes: readonly number[], count = 1): this {
    const exit = this.run(bytes, count);
    const first = this.exceptions[0];
    if (first !== undefined)
      throw new Error(`unexpected exception ${first.vector} with error code ${first.errorCode?.toString(16) ?? 'none'}`);
    if (exit.kind !== 'budget' && exit.kind !== 'halted')
      throw new Error(`unexpected exit ${JSON.stringify(exit, (_, v: unknown) => (typeof v === 'bigint' ? v.toString(16) : v))}`);
    return this;
  }

  /** Runs an instruction and answers its exception as `vector` or `vector:errorCode` in hexadecimal, or 'none'. */
  fault(bytes: readonly number[]): string {
    this.run(bytes);
    const first = this.exceptions[0];
    if (first === undefined) return 'none';
    return first.errorCode === undefined ? first.vector.toString(16) : `${first.vector.toString(16)}:${first.errorCode.toString(16)}`;
  }
}
