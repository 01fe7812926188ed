/**
 * The frequent cases of FXSAVE, FXRSTOR, XSAVE, XSAVEOPT and XRSTOR in generated code: 64-bit code, all components of the area in use and those of the legacy region alone, the standard format, and the area
 * in pages that the TLB holds and that lie side by side. xsave.ts has all the rules.
 */

import { Cr0, Cr4 } from './control-bits';
import { LegacyArea, Moved } from './extended-area';
import { Runtime } from './interp-abi';
import { Refusing } from './refusing';
import { Layout, State } from './state';
import { type Code } from './wasm/code';

/** What the second operand of the functions is made of; the first is the linear address of the area. Both parts of `Moved` that there are lie below. */
export const Extended = { wide: Moved.wide, /** EAX of the XSAVE family starts at this bit. */ maskShift: 32 } as const;

/** MXCSR bits that exist (SDM vol. 1, 10.2.3). */
export const mxcsrBits = 0xffff;
/** Where the XSAVE header begins, and what is in it; the area ends behind it where there is nothing but the legacy region. */
const Header = { present: 512, layout: 520, reserved: 528, end: 576 } as const;
const legacySize = 512;
const pageSize = 4096;
/** Components that lie in the legacy region, as XCR0 numbers them, which is as `Moved` does. */
const legacy = Moved.x87 | Moved.xmm;

class ExtendedTransfers extends Refusing {
  readonly linear = 0;
  readonly how = 1;
  /** Local with the host address of the area. */
  readonly area = this.c.local('i32');
  /** Local with what is moved. */
  readonly what = this.c.local('i32');

  /** Refuses where CR0 has one of these bits, or CR4 has not this one. */
  refuseUnits(cr0: number, cr4: number): void {
    const { c } = this;
    c.i32(0).mem('i32.load', State.cr0).i32(cr0).op('i32.and');
    c.i32(0).mem('i32.load', State.cr4).i32(cr4).op('i32.and', 'i32.eqz', 'i32.or');
    this.refuse();
  }

  /** Finds the area. */
  reach(tlb: number, size: number, align: number): void {
    const { c } = this;
    const last = c.local('i64');
    c.get(this.linear)
      .op('i32.wrap_i64')
      .i32(align - 1)
      .op('i32.and');
    this.refuse();
    this.host(tlb, this.linear, () => c.get(this.linear));
    c.set(this.area);
    c.get(this.linear)
      .i64(size - 1)
      .op('i64.add')
      .set(last);
    c.get(this.linear)
      .op('i32.wrap_i64')
      .i32(pageSize - 1)
      .op('i32.and')
      .i32(pageSize - size)
      .op('i32.gt_u');
    c.if(undefined, 'unlikely');
    this.host(tlb, last, () => c.get(last));
    c.get(this.area)
      .i32(size - 1)
      .op('i32.add', 'i32.ne');
    this.refuse();
    c.end();
  }

  /** Takes what is moved from the components that EAX asks for and XCR0 has. */
  takeMask(): void {
    const { c } = this;
    c.get(this.how).i64(Extended.maskShift).op('i64.shr_u', 'i32.wrap_i64');
    c.i32(0).mem('i32.load', State.xcr0).op('i32.and').tee(this.what).i32(~legacy).op('i32.and');
    this.refuse();
  }

  /** Has a function of extended-area.ts move the legacy region. */
  move(runtime: number): void {
    const { c } = this;
    c.get(this.area).get(this.what).get(this.how).op('i32.wrap_i64').i32(Extended.wide).op('i32.and', 'i32.or').call(runtime);
  }

  storeMxcsr(): void {
    const { c } = this;
    c.get(this.area).i32(0).mem('i32.load', State.mxcsr).mem('i32.store', LegacyArea.mxcsr);
    c.get(this.area).i32(mxcsrBits).mem('i32.store', LegacyArea.mxcsrMask);
  }

  refuseReservedMxcsr(): void {
    this.c.get(this.area).mem('i32.load', LegacyArea.mxcsr).i32(~mxcsrBits).op('i32.and');
    this.refuse();
  }

  loadMxcsr(): void {
    this.c.i32(0).get(this.area).mem('i32.load', LegacyArea.mxcsr).mem('i32.store', State.mxcsr);
  }

  /** Where MXCSR goes along with what is moved. */
  ifWithMxcsr(then: () => void): void {
    const { c } = this;
    c.get(this.what).i32(Moved.xmm).op('i32.and');
    c.if();
    then();
    c.end();
  }
}

/** `(linear, how) -> 1 or 0`. */
export function fxsaveFunction(): Code {
  const t = new ExtendedTransfers();
  t.refuseUnits(Cr0.EM | Cr0.TS, Cr4.OSFXSR);
  t.reach(Layout.tlbWrite, legacySize, 16);
  t.c.i32(legacy).set(t.what);
  t.move(Runtime.saveArea);
  t.storeMxcsr();
  return t.done;
}

/** `(linear, how) -> 1 or 0`. */
export function fxrstorFunction(): Code {
  const t = new ExtendedTransfers();
  t.refuseUnits(Cr0.EM | Cr0.TS, Cr4.OSFXSR);
  t.reach(Layout.tlbRead, legacySize, 16);
  t.refuseReservedMxcsr();
  t.c.i32(legacy).set(t.what);
  t.move(Runtime.restoreArea);
  t.loadMxcsr();
  return t.done;
}

/** `(linear, how) -> 1 or 0`. */
export function xsaveFunction(): Code {
  const t = new ExtendedTransfers();
  const { c } = t;
  t.refuseUnits(Cr0.TS, Cr4.OSXSAVE);
  t.takeMask();
  t.reach(Layout.tlbWrite, Header.end, 64);
  t.move(Runtime.saveArea);
  t.ifWithMxcsr(() => t.storeMxcsr());
  c.get(t.area).get(t.area).mem('i32.load', Header.present).get(t.what).op('i32.or').mem('i32.store', Header.present);
  return t.done;
}

/** `(linear, how) -> 1 or 0`. */
export function xrstorFunction(): Code {
  const t = new ExtendedTransfers();
  const { c } = t;
  t.refuseUnits(Cr0.TS, Cr4.OSXSAVE);
  t.takeMask();
  t.reach(Layout.tlbRead, Header.end, 64);
  // No component that XCR0 has not, and none that is to be given its first values.
  c.get(t.area).mem('i64.load', Header.present).i32(0).mem('i64.load32_u', State.xcr0).i64(-1).op('i64.xor', 'i64.and');
  c.get(t.what).op('i64.extend_i32_u');
  c.get(t.area).mem('i64.load', Header.present).i64(-1).op('i64.xor', 'i64.and', 'i64.or');
  for (let at: number = Header.layout; at < Header.end; at += 8) c.get(t.area).mem('i64.load', at).op('i64.or');
  c.i64(0).op('i64.ne');
  t.refuse();
  t.ifWithMxcsr(() => t.refuseReservedMxcsr());
  t.move(Runtime.restoreArea);
  t.ifWithMxcsr(() => t.loadMxcsr());
  return t.done;
}
