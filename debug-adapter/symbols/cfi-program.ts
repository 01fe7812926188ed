/** Runs call frame instructions into rows of rules (DWARF 5, section 6.4.2). */
import { type Cie, type Fde } from './cfi';
import { Reader } from './reader';
import { type DebugSections } from './sections';

/** Instructions in a section. */
export interface FrameProgram {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** Internal address of the section's first byte. */
  readonly encodingBase: number;
}

export type FrameRule =
  | { readonly kind: 'undefined' | 'same' }
  | { readonly kind: 'offset' | 'val-offset'; readonly offset: number }
  | { readonly kind: 'register'; readonly register: number }
  | { readonly kind: 'expression' | 'val-expression'; readonly bytes: Uint8Array };

export type FrameCfa = { readonly register: number; readonly offset: number } | { readonly bytes: Uint8Array };

export interface FrameRow {
  readonly low: number;
  readonly high: number;
  readonly cfa: FrameCfa | undefined;
  readonly rules: ReadonlyMap<number, FrameRule>;
}

const CFA = {
  nop: 0x00,
  set_loc: 0x01,
  advance_loc1: 0x02,
  advance_loc2: 0x03,
  advance_loc4: 0x04,
  offset_extended: 0x05,
  restore_extended: 0x06,
  undefined: 0x07,
  same_value: 0x08,
  register: 0x09,
  remember_state: 0x0a,
  restore_state: 0x0b,
  def_cfa: 0x0c,
  def_cfa_register: 0x0d,
  def_cfa_offset: 0x0e,
  def_cfa_expression: 0x0f,
  expression: 0x10,
  offset_extended_sf: 0x11,
  def_cfa_sf: 0x12,
  def_cfa_offset_sf: 0x13,
  val_offset: 0x14,
  val_offset_sf: 0x15,
  val_expression: 0x16,
  GNU_window_save: 0x2d,
  GNU_args_size: 0x2e,
  GNU_negative_offset_extended: 0x2f,
} as const;

const MAX_REGISTERS = 256;
const MAX_STATES = 64;

interface State {
  cfa: FrameCfa | undefined;
  rules: Map<number, FrameRule>;
}

class Machine {
  state: State = { cfa: undefined, rules: new Map() };
  location: number;
  private readonly saved: State[] = [];
  private initial: State = { cfa: undefined, rules: new Map() };
  /** Set by the instruction that could not be read. */
  failure: string | undefined;

  constructor(
    private readonly sections: DebugSections,
    private readonly cie: Cie,
    low: number,
  ) {
    this.location = low;
  }

  /** What DW_CFA_restore goes back to: the state after the CIE's instructions. */
  keepInitial(): void {
    this.initial = copy(this.state);
  }

  private set(register: number, rule: FrameRule): void {
    if (this.state.rules.size < MAX_REGISTERS || this.state.rules.has(register)) this.state.rules.set(register, rule);
    else this.failure = 'more registers than any processor has';
  }

  private restore(register: number): void {
    const rule = this.initial.rules.get(register);
    if (rule) this.set(register, rule);
    else this.state.rules.delete(register);
  }

  private cfaOffset(offset: number): void {
    const { cfa } = this.state;
    if (cfa && 'register' in cfa) this.state.cfa = { register: cfa.register, offset };
    else this.failure = 'a CFA offset without a CFA register';
  }

  /** Executes one instruction; true when it began a new location. */
  step(r: Reader): boolean {
    const { cie } = this;
    const opcode = r.u8();
    const operand = opcode & 0x3f;
    switch (opcode & 0xc0) {
      case 0x40:
        return this.advance(operand);
      case 0x80:
        this.set(operand, { kind: 'offset', offset: r.uleb() * cie.dataAlignment });
        return false;
      case 0xc0:
        this.restore(operand);
        return false;
      default:
    }
    switch (opcode) {
      case CFA.nop:
        return false;
      case CFA.set_loc: {
        const size = cie.addressSize;
        // pc-relative 4-byte addresses are what .eh_frame uses here.
        this.location = cie.encoding === 0x1b ? this.sectionAddress(r) : this.sections.address(r, size);
        return true;
      }
      case CFA.advance_loc1:
        return this.advance(r.u8());
      case CFA.advance_loc2:
        return this.advance(r.u16());
      case CFA.advance_loc4:
        return this.advance(r.u32());
      case CFA.offset_extended: {
        const register = r.uleb();
        this.set(register, { kind: 'offset', offset: r.uleb() * cie.dataAlignment });
        return false;
      }
      case CFA.offset_extended_sf: {
        const register = r.uleb();
        this.set(register, { kind: 'offset', offset: r.sleb() * cie.dataAlignment });
        return false;
      }
      case CFA.GNU_negative_offset_extended: {
        const register = r.uleb();
        this.set(register, { kind: 'offset', offset: -r.uleb() * cie.dataAlignment });
        return false;
      }
      case CFA.val_offset: {
        const register = r.uleb();
        this.set(register, { kind: 'val-offset', offset: r.uleb() * cie.dataAlignment });
        return false;
      }
      case CFA.val_offset_sf: {
        const register = r.uleb();
        this.set(register, { kind: 'val-offset', offset: r.sleb() * cie.dataAlignment });
        return false;
      }
      case CFA.restore_extended:
        this.restore(r.uleb());
        return false;
      case CFA.undefined:
        this.set(r.uleb(), { kind: 'undefined' });
        return false;
      case CFA.same_value:
        this.set(r.uleb(), { kind: 'same' });
        return false;
      case CFA.register: {
        const register = r.uleb();
        this.set(register, { kind: 'register', register: r.uleb() });
        return false;
      }
      case CFA.remember_state:
        if (this.saved.length >= MAX_STATES) this.failure = 'too many remembered states';
        else this.saved.push(copy(this.state));
        return false;
      case CFA.restore_state: {
        const state = this.saved.pop();
        if (state) this.state = state;
        else this.failure = 'no state to restore';
        return false;
      }
      case CFA.def_cfa: {
        const register = r.uleb();
        this.state.cfa = { register, offset: r.uleb() };
        return false;
      }
      case CFA.def_cfa_sf: {
        const register = r.uleb();
        this.state.cfa = { register, offset: r.sleb() * cie.dataAlignment };
        return false;
      }
      case CFA.def_cfa_register: {
        const { cfa } = this.state;
        this.state.cfa = { register: r.uleb(), offset: cfa && 'register' in cfa ? cfa.offset : 0 };
        return false;
      }
      case CFA.def_cfa_offset:
        this.cfaOffset(r.uleb());
        return false;
      case CFA.def_cfa_offset_sf:
        this.cfaOffset(r.sleb() * cie.dataAlignment);
        return false;
      case CFA.def_cfa_expression:
        this.state.cfa = { bytes: r.take(r.uleb()) };
        return false;
      case CFA.expression:
      case CFA.val_expression: {
        const register = r.uleb();
        this.set(register, { kind: opcode === CFA.expression ? 'expression' : 'val-expression', bytes: r.take(r.uleb()) });
        return false;
      }
      case CFA.GNU_args_size:
        r.uleb();
        return false;
      case CFA.GNU_window_save:
        return false;
      default:
        this.failure = `unknown instruction 0x${opcode.toString(16)}`;
        return false;
    }
  }

  private sectionAddress(r: Reader): number {
    const at = this.encodingBase + r.pos;
    return at + r.i32();
  }

  /** Internal address of the section, for pc-relative locations. */
  encodingBase = 0;

  private advance(delta: number): boolean {
    this.location += delta * this.cie.codeAlignment;
    return delta !== 0;
  }
}

function copy(state: State): State {
  return { cfa: state.cfa, rules: new Map(state.rules) };
}

/** The rows of an entry in order of address; rows of no bytes are left out. After damage the rows so far are all there are. */
export function* runFrame(sections: DebugSections, fde: Fde): Generator<FrameRow> {
  const machine = new Machine(sections, fde.cie, fde.low);
  machine.encodingBase = fde.encodingBase;
  const start = new Reader(fde.cie.bytes, fde.cie.start, fde.cie.end);
  while (start.more && machine.failure === undefined) machine.step(start);
  machine.location = fde.low;
  machine.keepInitial();
  const r = new Reader(fde.bytes, fde.start, fde.end);
  let low = fde.low;
  const row = (high: number, state: State): FrameRow => ({ low, high, cfa: state.cfa, rules: state.rules });
  while (r.more && machine.failure === undefined && !start.failed) {
    const before = machine.state;
    // A row's rules must not change under the reader, so the state is copied where a location ends.
    if (!machine.step(r)) continue;
    if (machine.location < low) {
      machine.failure = 'a location that goes backwards';
      break;
    }
    if (machine.location > low) {
      yield row(machine.location, before);
      machine.state = copy(before);
      low = machine.location;
    }
  }
  if (machine.failure !== undefined || r.failed || start.failed) {
    sections.diagnostics.add(
      'dwarf-frame',
      `Call frame instructions cannot be read: ${machine.failure ?? 'they are cut off'}.`,
      fde.section,
      fde.offset,
    );
    if (machine.failure !== undefined) return;
  }
  if (fde.high > low) yield row(fde.high, machine.state);
}
