/** Evaluates DWARF expressions over a stopped machine's frame (DWARF 5, sections 2.5 and 2.6). */
import { type EvaluationContext, type Expression, type Location, type Piece, type VariableLocation } from './api';
import { AT, OP, dwarfName } from './constants';
import { type Die } from './die';
import { type Entities, type VariableEntity, locationOf } from './entities';
import { readLocation } from './read-location';
import { Reader } from './reader';
import { dwarfRegisterName } from './registers';
import { type ScalarType, type StackValue, Arithmetic, isArithmetic } from './stack-value';
import { type Unit } from './unit';

/** Operations of one evaluation: loops in expressions are allowed, endless ones are not. */
const MAX_OPERATIONS = 10_000;
const MAX_STACK = 256;
const MAX_NESTING = 16;
const MAX_VALUE = 1 << 16;

/** Ends an evaluation early with its outcome; never leaves this file. */
class Outcome {
  constructor(readonly location: Location) {}
}

function fail(message: string): never {
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- an outcome is no error, and needs no stack
  throw new Outcome({ kind: 'error', message });
}

/** A location as it stands while its piece is still being described. */
type Pending = { location: Location } | undefined;

export class Evaluator {
  private operations = 0;

  constructor(
    private readonly entities: Entities,
    private readonly context: EvaluationContext,
    private readonly nesting = 0,
  ) {}

  /** Where (or what) the expression says; `initial` is pushed first, first element deepest. */
  evaluate(expression: Expression, initial: readonly bigint[] = []): Location {
    return this.guard(() => {
      const run = this.run(expression, initial);
      return run.location;
    });
  }

  /** The value on top of the stack, for CFI and dynamic properties; undefined with a reason where there is none. */
  value(expression: Expression, initial: readonly bigint[] = []): bigint | string {
    const location = this.evaluate(expression, initial);
    if (location.kind === 'memory') return location.address;
    if (location.kind === 'value') return new Reader(location.bytes).unsignedBig(Math.min(8, location.bytes.length));
    if (location.kind === 'register') return this.context.register(location.register) ?? 'The register is not known.';
    return location.kind === 'error' ? location.message : 'The expression gives no value.';
  }

  locate(location: VariableLocation): Location {
    switch (location.kind) {
      case 'none':
        return { kind: 'optimized-out' };
      case 'constant':
        return { kind: 'value', bytes: location.bytes };
      case 'expression':
        return this.evaluate(location.expression);
      case 'list': {
        const { pc } = this.context;
        const entry =
          location.entries.find(({ low, high }) => low !== undefined && high !== undefined && pc >= low && pc < high) ??
          location.entries.find(({ isDefault }) => isDefault);
        if (!entry || entry.expression.bytes.length === 0) return { kind: 'optimized-out' };
        return this.evaluate(entry.expression);
      }
    }
  }

  private guard(work: () => Location): Location {
    if (this.nesting > MAX_NESTING) return { kind: 'error', message: 'The location refers to itself.' };
    try {
      return work();
    } catch (outcome) {
      if (outcome instanceof Outcome) return outcome.location;
      throw outcome;
    }
  }

  private run(expression: Expression, initial: readonly bigint[]): { location: Location } {
    const unit = expression.unitOffset < 0 ? undefined : this.entities.core.dwarf.unitAt(expression.unitOffset);
    const stack: StackValue[] = initial.map((bits) => ({ bits: BigInt.asUintN(64, bits) }));
    const state: RunState = {
      expression,
      unit,
      stack,
      pieces: [],
      pending: undefined,
      arithmetic: new Arithmetic(unit?.addressSize ?? this.entities.core.sections.addressSize),
    };
    this.steps(state, expression.bytes, 0);
    if (state.pieces.length > 0) return { location: { kind: 'pieces', pieces: state.pieces } };
    if (state.pending) return state.pending;
    const top = stack[stack.length - 1];
    if (!top) return fail('The expression leaves nothing on its stack.');
    return { location: { kind: 'memory', address: top.bits } };
  }

  private steps(state: RunState, bytes: Uint8Array, depth: number): void {
    const r = new Reader(bytes);
    while (r.more) {
      if (++this.operations > MAX_OPERATIONS) fail('The expression does not end.');
      if (state.stack.length > MAX_STACK) fail("The expression's stack overflows.");
      this.step(state, r, depth);
      if (r.failed) fail('The expression is cut off.');
    }
  }

  private step(state: RunState, r: Reader, depth: number): void {
    const { stack, arithmetic } = state;
    const op = r.u8();
    const push = (bits: bigint, type?: ScalarType): void =>
      void stack.push(type ? { bits: arithmetic.fit(bits, type), type } : { bits: arithmetic.wrap(bits) });
    const pop = (): StackValue => stack.pop() ?? fail(`${dwarfName('OP', op)} finds the stack empty.`);
    if (op >= OP.lit0 && op <= OP.lit31) return push(BigInt(op - OP.lit0));
    if (op >= OP.reg0 && op <= OP.reg31) return this.place(state, { kind: 'register', register: op - OP.reg0 });
    if (op >= OP.breg0 && op <= OP.breg31) return push(this.register(op - OP.breg0) + r.slebBig());
    if (isArithmetic(op)) {
      const message = arithmetic.apply(op, stack);
      if (message) fail(message);
      return;
    }
    switch (op) {
      case OP.nop:
      case OP.GNU_uninit:
        return;
      case OP.addr: {
        const internal = this.entities.core.sections.address(r, state.unit?.addressSize);
        const next = r.bytes[r.pos];
        // A TLS offset may be written as an address, which the bias does not move.
        const isTls = next === OP.form_tls_address || next === OP.GNU_push_tls_address;
        return push(isTls ? this.entities.core.sections.toLink(internal) : this.entities.address(internal));
      }
      case OP.const1u:
        return push(BigInt(r.u8()));
      case OP.const1s:
        return push(BigInt(r.i8()));
      case OP.const2u:
        return push(BigInt(r.u16()));
      case OP.const2s:
        return push(BigInt((r.u16() << 16) >> 16));
      case OP.const4u:
        return push(BigInt(r.u32()));
      case OP.const4s:
        return push(BigInt(r.i32()));
      case OP.const8u:
      case OP.const8s:
        return push(r.u64Big());
      case OP.constu:
        return push(r.ulebBig());
      case OP.consts:
        return push(r.slebBig());
      case OP.pick: {
        const value = stack[stack.length - 1 - r.u8()] ?? fail('DW_OP_pick reaches below the stack.');
        stack.push(value);
        return;
      }
      case OP.plus_uconst: {
        const addend = r.ulebBig();
        const top = pop();
        return push(top.bits + addend, top.type);
      }
      case OP.regx:
        return this.place(state, { kind: 'register', register: r.uleb() });
      case OP.bregx:
        return push(this.register(r.uleb()) + r.slebBig());
      case OP.fbreg:
        return push(this.frameBase(state.expression) + r.slebBig());
      case OP.call_frame_cfa:
        return push(this.context.cfa?.() ?? fail('The canonical frame address of this frame is not known.'));
      case OP.deref:
        return push(this.load(pop().bits, arithmetic.addressSize));
      case OP.deref_size:
        return push(this.load(pop().bits, r.u8()));
      case OP.skip:
      case OP.bra: {
        const target = ((r.u16() << 16) >> 16) + r.pos;
        if (op === OP.bra && pop().bits === 0n) return;
        if (target < 0 || target > r.end) fail('The expression branches outside itself.');
        r.pos = target;
        return;
      }
      case OP.push_object_address:
        return push(this.context.objectAddress ?? fail('The expression needs the address of an object.'));
      case OP.form_tls_address:
      case OP.GNU_push_tls_address:
        return push(pop().bits + (this.context.tlsBase?.() ?? fail('The thread-local storage of this thread is not known.')));
      case OP.addrx:
      case OP.GNU_addr_index: {
        const address = state.unit?.indexedAddress(r.uleb()) ?? fail('The expression names an address that .debug_addr does not hold.');
        return push(this.entities.address(address));
      }
      case OP.constx:
      case OP.GNU_const_index: {
        const value = state.unit?.indexedAddress(r.uleb()) ?? fail('The expression names a constant that .debug_addr does not hold.');
        return push(this.entities.core.sections.toLink(value));
      }
      case OP.call2:
        return this.call(state, (state.unit?.offset ?? 0) + r.u16(), depth);
      case OP.call4:
        return this.call(state, (state.unit?.offset ?? 0) + r.u32(), depth);
      case OP.call_ref:
        return this.call(state, this.referred(state, r), depth);
      case OP.GNU_variable_value:
        return push(this.variableValue(this.referred(state, r), arithmetic.addressSize));
      case OP.entry_value:
      case OP.GNU_entry_value: {
        const value = this.context.entryValue?.(r.take(r.uleb()));
        // Without the caller's help such a variable is as good as gone.
        // eslint-disable-next-line @typescript-eslint/only-throw-error
        if (value === undefined) throw new Outcome({ kind: 'optimized-out' });
        return push(value);
      }
      case OP.const_type:
      case OP.GNU_const_type: {
        const type = this.type(state, r.uleb());
        return push(r.unsignedBig(r.u8()), type);
      }
      case OP.regval_type:
      case OP.GNU_regval_type: {
        const register = r.uleb();
        return push(this.register(register), this.type(state, r.uleb()));
      }
      case OP.deref_type:
      case OP.GNU_deref_type: {
        const size = r.u8();
        const type = this.type(state, r.uleb());
        return push(this.load(pop().bits, size), type);
      }
      case OP.convert:
      case OP.GNU_convert:
      case OP.reinterpret:
      case OP.GNU_reinterpret: {
        const offset = r.uleb();
        const type = offset === 0 ? undefined : this.type(state, offset);
        const value = pop();
        const isConvert = op === OP.convert || op === OP.GNU_convert;
        stack.push(isConvert ? arithmetic.convert(value, type) : arithmetic.reinterpret(value, type));
        return;
      }
      case OP.stack_value: {
        const value = pop();
        return this.place(state, { kind: 'value', bytes: arithmetic.bytes(value) });
      }
      case OP.implicit_value: {
        const length = r.uleb();
        if (length > MAX_VALUE) fail('The implicit value is too long.');
        return this.place(state, { kind: 'value', bytes: r.take(length) });
      }
      case OP.implicit_pointer:
      case OP.GNU_implicit_pointer: {
        const die = this.entities.core.dwarf.dieAt(this.referred(state, r));
        const frame = state.expression.frame === undefined ? undefined : this.entities.core.dwarf.dieAt(state.expression.frame);
        const target = die && this.entities.variable(die, frame);
        return this.place(state, { kind: 'implicit-pointer', target, offset: r.sleb() });
      }
      case OP.piece:
        return this.piece(state, r.uleb() * 8, 0);
      case OP.bit_piece: {
        const size = r.uleb();
        return this.piece(state, size, r.uleb());
      }
      case OP.GNU_parameter_ref: {
        const value = this.context.parameterValue?.((state.unit?.offset ?? 0) + r.u32());
        // eslint-disable-next-line @typescript-eslint/only-throw-error
        if (value === undefined) throw new Outcome({ kind: 'optimized-out' });
        return push(value);
      }
      default:
        fail(`Unknown operation ${dwarfName('OP', op)} in a DWARF expression.`);
    }
  }

  /** Position of a DIE that an operation names by its offset in .debug_info. */
  private referred({ unit }: RunState, r: Reader): number {
    const offset = r.offset(unit?.is64 ?? false);
    return unit?.place(offset) ?? offset;
  }

  private place(state: RunState, location: Location): void {
    state.pending = { location };
  }

  private piece(state: RunState, bitSize: number, bitOffset: number): void {
    const { stack, pieces } = state;
    let location: Location = state.pending?.location ?? { kind: 'optimized-out' };
    if (!state.pending) {
      const top = stack.pop();
      if (top) location = { kind: 'memory', address: top.bits };
    }
    state.pending = undefined;
    const piece: Piece = { location, bitSize, bitOffset };
    pieces.push(piece);
    if (pieces.length > MAX_STACK) fail('The location has too many pieces.');
  }

  private register(number: number): bigint {
    return this.context.register(number) ?? fail(`Register ${dwarfRegisterName(number) ?? number} of this frame is not known.`);
  }

  private load(address: bigint, size: number): bigint {
    if (size < 1 || size > 16) return fail(`A load of ${size} bytes is not possible.`);
    const bytes = this.context.readMemory(address, size);
    if (bytes?.length !== size) return fail(`Memory at 0x${address.toString(16)} cannot be read.`);
    return new Reader(bytes).unsignedBig(size);
  }

  /** Runs another DIE's location on the same stack. */
  private call(state: RunState, offset: number, depth: number): void {
    if (depth >= MAX_NESTING) fail('The expression calls itself.');
    const bytes = this.entities.core.dwarf.dieAt(offset)?.block(AT.location);
    // A DIE without a location makes the call do nothing (DWARF 5, section 2.5.1.5).
    if (bytes) this.steps(state, bytes, depth + 1);
  }

  private variableValue(offset: number, size: number): bigint {
    const die = this.entities.core.dwarf.dieAt(offset) ?? fail('The expression names a variable that is not there.');
    const variable = this.entities.variable(die, functionAround(die));
    const location = new Evaluator(this.entities, this.context, this.nesting + 1).locate(variable.location);
    const bytes = readLocation(location, Math.min(variable.type.byteSize ?? size, 8), this.context);
    return bytes ? new Reader(bytes).unsignedBig(bytes.length) : fail(`The value of ${variable.name} is not known.`);
  }

  private frameBase(expression: Expression): bigint {
    const given = this.context.frameBase?.();
    if (given !== undefined) return given;
    const die = expression.frame === undefined ? undefined : this.entities.core.dwarf.dieAt(expression.frame);
    const holder = die && frameBaseHolder(die);
    if (!holder) return fail('The expression needs a frame base, and its function has none.');
    const location = new Evaluator(this.entities, this.context, this.nesting + 1).locate(
      locationOf(this.entities, holder, AT.frame_base, undefined),
    );
    if (location.kind === 'memory') return location.address;
    if (location.kind === 'register') return this.register(location.register);
    if (location.kind === 'value') return new Reader(location.bytes).unsignedBig(Math.min(8, location.bytes.length));
    return fail(location.kind === 'error' ? location.message : 'The frame base of the function is not known here.');
  }

  private type(state: RunState, offset: number): ScalarType {
    const die = state.unit && this.entities.core.dwarf.dieAt(state.unit.offset + offset);
    const type = die && this.entities.types.of(die);
    if (type?.kind !== 'base') return fail('A typed operation names no base type.');
    return { encoding: type.encoding, size: type.byteSize };
  }
}

interface RunState {
  readonly expression: Expression;
  readonly unit: Unit | undefined;
  readonly stack: StackValue[];
  readonly pieces: Piece[];
  readonly arithmetic: Arithmetic;
  pending: Pending;
}

/** The function, for an inlined instance the concrete one around it, that has the frame base. */
function frameBaseHolder(die: Die): Die | undefined {
  let candidate: Die | undefined = die;
  for (let depth = 0; candidate && depth < 64; depth++, candidate = candidate.parent) if (candidate.has(AT.frame_base)) return candidate;
  return undefined;
}

function functionAround(die: Die): Die | undefined {
  return die.parent && frameBaseHolder(die.parent);
}

/** Location of a variable; an `extern` declaration in a block is found through the symbol table. */
export function locateVariable(entities: Entities, variable: VariableEntity, context: EvaluationContext): Location {
  const { location } = variable;
  if (location.kind === 'none' && variable.isDeclaration && variable.external) {
    const symbol = entities.core.symbols.named(variable.linkageName)[0];
    if (symbol && symbol.kind !== 'tls') return { kind: 'memory', address: entities.address(symbol.address) };
  }
  return new Evaluator(entities, context).locate(location);
}
