/**
 * Generated code that decodes one instruction of 64-bit code into a draft of its record: what `Decoder` does, for what ordinary code has. Whatever is rare, not
 * allowed or not there is left to that one.
 */

import { Rec } from '../shape';
import { Mode, Seg, SegField, State } from '../state';
import { Code, type Label } from '../wasm/code';
import { Area, Candidate, Draft, Fact, MandatoryPrefix, OperandBit, Prefix, RowField, Trait, Way, widthZ } from './area';

const longest = 15;

/** The function (address, rip i64, draft) -> bytes of the instruction, or 0: not here. Above the low byte: bytes that have to be there to tell. */
export function decodeFunction(): Code {
  return new DecodeGen().generate();
}

class DecodeGen {
  readonly #c = new Code(['i32', 'i64', 'i32']);
  readonly #address = 0;
  readonly #rip = 1;
  readonly #draft = 2;
  readonly #at = this.#c.local('i32');
  readonly #opcode = this.#c.local('i32');
  readonly #modrm = this.#c.local('i32');
  readonly #rex = this.#c.local('i32');
  /** 1 where the prefix stands before the opcode. */
  readonly #operand16 = this.#c.local('i32');
  readonly #address32 = this.#c.local('i32');
  readonly #lock = this.#c.local('i32');
  /** The byte of F2 or F3. */
  readonly #repeat = this.#c.local('i32');
  /** `Seg`, or -1. */
  readonly #segment = this.#c.local('i32');
  readonly #entry = this.#c.local('i32');
  readonly #row = this.#c.local('i32');
  readonly #traits = this.#c.local('i32');
  readonly #facts = this.#c.local('i32');
  readonly #operandSize = this.#c.local('i32');
  readonly #memory = this.#c.local('i32');
  readonly #base = this.#c.local('i32');
  readonly #indexed = this.#c.local('i32');
  readonly #displacement = this.#c.local('i64');
  /** 1: the displacement, or the branch target, counts from the next instruction. */
  readonly #ripRelative = this.#c.local('i32');
  readonly #branch = this.#c.local('i32');
  readonly #operand = this.#c.local('i32');
  readonly #index = this.#c.local('i32');
  readonly #slots = this.#c.local('i32');
  readonly #immediates = this.#c.local('i32');
  readonly #immediate = this.#c.local('i64');
  readonly #kinds = this.#c.local('i32');
  readonly #mod = this.#c.local('i32');
  readonly #indexRegister = this.#c.local('i32');
  readonly #scratch = this.#c.local('i32');
  readonly #wide = this.#c.local('i64');
  #fail!: Label;

  generate(): Code {
    const c = this.#c;
    this.#fail = c.block();
    c.get(this.#draft).i32(0).i32(Rec.size).memoryFill();
    c.get(this.#address).set(this.#at);
    c.i32(-1).set(this.#segment);
    c.i32(-1).set(this.#base);
    this.#prefixes();
    this.#choose();
    this.#sizes();
    this.#modrmByte();
    this.#operands();
    this.#finish();
    c.end();
    c.i32(0);
    return c;
  }

  /** The next byte, on the stack. */
  #byte(): Code {
    const c = this.#c;
    c.get(this.#at).mem('i32.load8_u');
    this.#skip(1);
    return c;
  }

  #skip(bytes: number): void {
    this.#c.get(this.#at).i32(bytes).op('i32.add').set(this.#at);
  }

  #bits(local: number, shift: number, mask: number): Code {
    const c = this.#c;
    c.get(local);
    if (shift > 0) c.i32(shift).op('i32.shr_u');
    return c.i32(mask).op('i32.and');
  }

  #trait(trait: number): Code {
    return this.#c.get(this.#traits).i32(trait).op('i32.and');
  }

  #prefixes(): void {
    const c = this.#c;
    const kind = this.#scratch;
    const next = c.loop();
    this.#byte().tee(this.#opcode).mem('i32.load8_u', Area.prefixes).tee(kind);
    c.if();
    c.get(this.#at).get(this.#address).op('i32.sub').i32(longest).op('i32.gt_u').brIf(this.#fail);
    const when = (prefix: number, body: () => void): void => {
      c.get(kind).i32(prefix).op('i32.eq');
      c.if();
      body();
      c.end();
    };
    when(Prefix.rex, () => c.get(this.#opcode).set(this.#rex).br(next));
    // A REX prefix counts only straight before the opcode (SDM vol. 2A, 2.2.1).
    c.i32(0).set(this.#rex);
    when(Prefix.operandSize, () => c.i32(1).set(this.#operand16));
    when(Prefix.addressSize, () => c.i32(1).set(this.#address32));
    when(Prefix.lock, () => c.i32(1).set(this.#lock));
    when(Prefix.repeat, () => c.get(this.#opcode).set(this.#repeat));
    when(Prefix.segment, () =>
      c
        .get(this.#opcode)
        .i32(0x64 - Seg.FS)
        .op('i32.sub')
        .set(this.#segment),
    );
    c.get(kind).i32(Prefix.foreign).op('i32.eq').brIf(this.#fail);
    c.br(next);
    c.end();
    c.end();
  }

  /** The opcode's map, and its first row of which all conditions hold. */
  #choose(): void {
    const c = this.#c;
    const map = this.#scratch;
    c.i32(0).set(map);
    c.get(this.#opcode).i32(0x0f).op('i32.eq');
    c.if();
    c.i32(0x100).set(map);
    this.#byte().tee(this.#opcode).i32(0xfd).op('i32.and').i32(0x38).op('i32.eq');
    c.if();
    // 38 and 3A.
    c.get(this.#opcode).i32(0x38).op('i32.sub').i32(7).op('i32.shl').i32(0x200).op('i32.add').set(map);
    this.#byte().set(this.#opcode);
    c.end();
    c.end();
    c.get(map).get(this.#opcode).op('i32.or').i32(2).op('i32.shl').mem('i32.load', Area.opcodes).tee(this.#entry);
    c.op('i32.eqz').brIf(this.#fail);
    c.get(this.#at).mem('i32.load8_u').tee(this.#modrm).i32(0x3f).op('i32.and');
    c.get(this.#modrm).i32(0xc0).op('i32.ge_u').i32(Fact.register).op('i32.shl', 'i32.or');
    this.#bits(this.#rex, 0, 1).i32(Fact.rexB).op('i32.shl', 'i32.or');
    this.#bits(this.#rex, 3, 1).i32(Fact.rexW).op('i32.shl', 'i32.or');
    // F2 and F3 win over 66.
    c.i32(MandatoryPrefix.F3).i32(MandatoryPrefix.F2).get(this.#repeat).i32(0xf3).op('i32.eq', 'select');
    c.get(this.#operand16).get(this.#repeat).op('select');
    c.i32(Fact.prefix).op('i32.shl', 'i32.or').set(this.#facts);
    const candidate = this.#scratch;
    c.get(this.#entry).i32(-2).op('i32.and').i32(Candidate.size).op('i32.sub').set(candidate);
    const next = c.loop();
    c.get(candidate).i32(Candidate.size).op('i32.add').tee(candidate).mem('i32.load16_u', Candidate.mask);
    c.get(this.#facts).op('i32.and').get(candidate).mem('i32.load16_u', Candidate.value).op('i32.ne').brIf(next);
    c.get(candidate).mem('i32.load', Candidate.row).tee(this.#row).op('i32.eqz').brIf(this.#fail);
    c.i32(0).mem('i64.load', Area.features).get(this.#row).mem('i64.load32_u', RowField.feature).op('i64.shr_u', 'i32.wrap_i64');
    c.i32(1).op('i32.and', 'i32.eqz').brIf(next);
    c.end();
    c.get(this.#row).mem('i32.load', RowField.traits).set(this.#traits);
  }

  #sizes(): void {
    const c = this.#c;
    c.i32(2).i32(4).get(this.#operand16).op('select').set(this.#operandSize);
    this.#trait(Trait.default64);
    c.if();
    c.i32(2).i32(8).get(this.#operand16).op('select').set(this.#operandSize);
    c.end();
    this.#bits(this.#rex, 0, 8);
    this.#trait(Trait.always64).op('i32.or');
    c.if();
    c.i32(8).set(this.#operandSize);
    c.end();
  }

  #modrmByte(): void {
    const c = this.#c;
    this.#trait(Trait.modrm);
    c.if();
    this.#skip(1);
    c.get(this.#modrm).i32(0xc0).op('i32.lt_u');
    c.if();
    c.i32(1).set(this.#memory);
    this.#addressForm();
    c.end();
    c.end();
  }

  /** Base, index and displacement (SDM vol. 2A, tables 2-2, 2-3). */
  #addressForm(): void {
    const c = this.#c;
    const size = this.#scratch;
    const sib = this.#operand;
    c.i32(0).set(size);
    this.#bits(this.#modrm, 6, 3).tee(this.#mod);
    c.if();
    // 1 and 2 are displacements of 1 and 4 bytes.
    c.get(this.#mod).i32(3).op('i32.mul').i32(2).op('i32.sub').set(size);
    c.end();
    this.#bits(this.#modrm, 0, 7).i32(4).op('i32.eq');
    c.if();
    this.#byte().set(sib);
    this.#bits(sib, 3, 7);
    this.#bits(this.#rex, 0, 2).i32(2).op('i32.shl', 'i32.or').tee(this.#indexRegister).i32(4).op('i32.ne');
    c.if();
    c.i32(1).set(this.#indexed);
    c.get(this.#draft).get(this.#indexRegister).i32(3).op('i32.shl').i32(State.gpr).op('i32.add').mem('i32.store', Rec.index);
    c.get(this.#draft);
    this.#bits(sib, 6, 3).mem('i32.store', Rec.scale);
    c.end();
    this.#bits(sib, 0, 7).i32(5).op('i32.eq').get(this.#mod).op('i32.eqz', 'i32.and');
    c.if();
    c.i32(4).set(size);
    c.else();
    this.#number(sib, 0).set(this.#base);
    c.end();
    c.else();
    this.#bits(this.#modrm, 0, 0xc7).i32(5).op('i32.eq');
    c.if();
    c.i32(4).set(size).i32(1).set(this.#ripRelative);
    c.else();
    this.#number(this.#modrm, 0).set(this.#base);
    c.end();
    c.end();
    // RSP and RBP are addressed by way of SS.
    c.get(this.#base).i32(-2).op('i32.and').i32(4).op('i32.eq').get(this.#segment).i32(0).op('i32.lt_s', 'i32.and');
    c.if();
    c.i32(Seg.SS).set(this.#segment);
    c.end();
    c.get(size).i32(1).op('i32.eq');
    c.if();
    c.get(this.#at).mem('i64.load8_s').set(this.#displacement);
    c.end();
    c.get(size).i32(4).op('i32.eq');
    c.if();
    c.get(this.#at).mem('i64.load32_s').set(this.#displacement);
    c.end();
    c.get(this.#at).get(size).op('i32.add').set(this.#at);
  }

  /** The register number in the low three bits of a byte, with REX.B; in bits 3 to 5, with REX.R. */
  #number(byte: number, shift: 0 | 3): Code {
    this.#bits(byte, shift, 7);
    return this.#bits(this.#rex, 0, shift === 0 ? 1 : 4)
      .i32(shift === 0 ? 3 : 1)
      .op('i32.shl', 'i32.or');
  }

  #operands(): void {
    const c = this.#c;
    const done = c.block();
    const next = c.loop();
    c.get(this.#index).get(this.#row).mem('i32.load', RowField.count).op('i32.ge_u').brIf(done);
    c.get(this.#row).get(this.#index).i32(2).op('i32.shl', 'i32.add').mem('i32.load', RowField.operands).set(this.#operand);
    c.get(this.#index).i32(1).op('i32.add').set(this.#index);
    /** Leads to where the state offset in `scratch` becomes a slot. */
    const slot = c.block();
    /** Leads to where the operand is memory. */
    const memory = c.block();
    const labels = Array.from({ length: Way.count }, () => c.block());
    c.get(this.#operand).i32(0xff).op('i32.and');
    const order = [...labels].reverse();
    c.brTable(order.slice(0, -1), order.at(-1)!);
    const bodies = this.#ways(next, slot, memory);
    for (let way = 0; way < Way.count; way++) {
      c.end();
      bodies[way]!();
    }
    c.end();
    // Memory: a bit in the order of the operands.
    c.get(this.#kinds).i32(1).get(this.#index).i32(1).op('i32.sub', 'i32.shl', 'i32.or').set(this.#kinds);
    c.br(next);
    c.end();
    c.get(this.#draft).get(this.#slots).op('i32.add').get(this.#scratch).mem('i32.store', Rec.slot);
    c.get(this.#slots).i32(4).op('i32.add').set(this.#slots);
    c.br(next);
    c.end();
    c.end();
  }

  /** What each `Way` does; each body ends with a branch. */
  #ways(next: Label, slot: Label, memory: Label): Readonly<Record<number, () => void>> {
    const c = this.#c;
    const only = (bit: number): void => void c.get(this.#operand).i32(bit).op('i32.and').brIf(this.#fail);
    /** Whether ModRM.rm is a register: the branch taken where it is not. */
    const orMemory = (): void => {
      c.get(this.#modrm).i32(0xc0).op('i32.lt_u');
      c.if();
      only(OperandBit.registerOnly);
      c.br(memory);
      c.end();
      only(OperandBit.memoryOnly);
    };
    /** The number on the stack times a size plus a place. */
    const place = (size: number, from: number): void => void c.i32(size).op('i32.mul').i32(from).op('i32.add').set(this.#scratch).br(slot);
    const general = (): void => {
      c.tee(this.#scratch).i32(-4).op('i32.and').i32(4).op('i32.eq').get(this.#rex).op('i32.eqz', 'i32.and');
      c.get(this.#operand).i32(OperandBit.byte).op('i32.and', 'i32.eqz', 'i32.eqz', 'i32.and');
      c.if();
      // AH CH DH BH.
      c.get(this.#scratch);
      place(8, State.gpr - 4 * 8 + 1);
      c.end();
      c.get(this.#scratch);
      place(8, State.gpr);
    };
    const signed = (bytes: 1 | 4): void => {
      c.get(this.#at)
        .mem(bytes === 1 ? 'i64.load8_s' : 'i64.load32_s')
        .set(this.#immediate);
      this.#skip(bytes);
    };
    const string = (register: number): void => {
      c.i32(1).set(this.#memory).i32(register).set(this.#base);
    };
    return {
      [Way.nothing]: () => c.br(next),
      [Way.rm]: () => {
        orMemory();
        this.#number(this.#modrm, 0);
        general();
      },
      [Way.reg]: () => {
        this.#number(this.#modrm, 3);
        general();
      },
      [Way.opcode]: () => {
        this.#number(this.#opcode, 0);
        general();
      },
      [Way.fixed]: () => {
        this.#bits(this.#operand, OperandBit.register, 31);
        place(8, State.gpr);
      },
      [Way.xmmReg]: () => {
        this.#number(this.#modrm, 3);
        place(32, State.xmm);
      },
      [Way.xmmRm]: () => {
        orMemory();
        this.#number(this.#modrm, 0);
        place(32, State.xmm);
      },
      [Way.xmm0]: () => {
        c.i32(0);
        place(32, State.xmm);
      },
      [Way.mmxReg]: () => {
        this.#bits(this.#modrm, 3, 7);
        place(16, State.x87);
      },
      [Way.mmxRm]: () => {
        orMemory();
        this.#bits(this.#modrm, 0, 7);
        place(16, State.x87);
      },
      [Way.segmentReg]: () => {
        this.#bits(this.#modrm, 3, 7).tee(this.#scratch).i32(5).op('i32.gt_u').brIf(this.#fail);
        c.get(this.#scratch);
        place(SegField.size, State.seg + SegField.selector);
      },
      [Way.segmentFixed]: () => {
        this.#bits(this.#operand, OperandBit.register, 31);
        place(SegField.size, State.seg + SegField.selector);
      },
      [Way.one]: () => c.i64(1).set(this.#immediate).br(next),
      [Way.immediate]: () => this.#immediateOperand(next),
      [Way.signedByte]: () => {
        // Never a second immediate.
        signed(1);
        c.get(this.#immediates).i32(1).op('i32.add').set(this.#immediates);
        c.br(next);
      },
      [Way.branch]: () => {
        c.i32(1).set(this.#branch);
        this.#bits(this.#operand, OperandBit.width, 15).i32(1).op('i32.eq');
        c.if();
        signed(1);
        c.else();
        signed(4);
        c.end();
        c.br(next);
      },
      [Way.offset]: () => {
        c.i32(1).set(this.#memory);
        c.get(this.#address32);
        c.if();
        // MOV at an offset of 32 bits: zero-extended in the record as in the other decoder.
        c.get(this.#at).mem('i64.load32_u').set(this.#displacement);
        this.#skip(4);
        c.else();
        c.get(this.#at).mem('i64.load').set(this.#displacement);
        this.#skip(8);
        c.end();
        c.br(memory);
      },
      [Way.source]: () => {
        string(6);
        c.br(memory);
      },
      [Way.destination]: () => {
        string(7);
        c.i32(Seg.ES).set(this.#segment).br(memory);
      },
      [Way.second]: () => c.br(memory),
    };
  }

  #immediateOperand(next: Label): void {
    const c = this.#c;
    const width = this.#scratch;
    this.#bits(this.#operand, OperandBit.width, 15).tee(width).op('i32.eqz');
    c.if();
    c.get(this.#operandSize).set(width);
    c.end();
    c.get(width).i32(widthZ).op('i32.eq');
    c.if();
    c.i32(2).i32(4).get(this.#operandSize).i32(2).op('i32.eq', 'select').set(width);
    c.end();
    const read = c.block();
    for (const [size, load] of [
      [1, 'i64.load8_s'],
      [2, 'i64.load16_s'],
      [4, 'i64.load32_s'],
    ] as const) {
      c.get(width).i32(size).op('i32.eq');
      c.if();
      c.get(this.#at).mem(load).set(this.#wide).br(read);
      c.end();
    }
    c.get(this.#at).mem('i64.load').set(this.#wide);
    c.end();
    c.get(this.#at).get(width).op('i32.add').set(this.#at);
    c.get(this.#immediates);
    c.if();
    c.get(this.#draft).get(this.#wide).mem('i64.store32', Rec.imm2);
    c.else();
    c.get(this.#wide).set(this.#immediate);
    c.end();
    c.get(this.#immediates).i32(1).op('i32.add').set(this.#immediates);
    c.br(next);
  }

  #finish(): void {
    const c = this.#c;
    const length = this.#scratch;
    c.get(this.#at).get(this.#address).op('i32.sub').tee(length).i32(longest).op('i32.gt_u').brIf(this.#fail);
    // LOCK needs a memory operand that comes first.
    c.get(this.#lock);
    this.#trait(Trait.lockable).op('i32.eqz').get(this.#kinds).i32(1).op('i32.and', 'i32.eqz', 'i32.or', 'i32.and').brIf(this.#fail);
    const next = this.#wide;
    c.get(this.#rip).get(length).op('i64.extend_i32_u', 'i64.add').set(next);
    const store = (field: number, kind: 'i32.store' | 'i64.store', value: () => void): void => {
      c.get(this.#draft);
      value();
      c.mem(kind, field);
    };
    store(Rec.rip, 'i64.store', () => c.get(this.#rip));
    store(Rec.next, 'i64.store', () => c.get(next));
    store(Rec.imm, 'i64.store', () => c.get(this.#immediate));
    c.get(this.#branch);
    c.if();
    store(Rec.target, 'i64.store', () => c.get(next).get(this.#immediate).op('i64.add'));
    c.end();
    c.get(this.#memory);
    c.if();
    c.get(this.#segment).i32(0).op('i32.lt_s');
    c.if();
    c.i32(Seg.DS).set(this.#segment);
    c.end();
    c.get(this.#ripRelative);
    c.if();
    c.get(this.#displacement).get(next).op('i64.add').set(this.#displacement);
    c.end();
    store(Rec.disp, 'i64.store', () => c.get(this.#displacement));
    store(Rec.base, 'i32.store', () => {
      c.get(this.#base).i32(3).op('i32.shl').i32(State.gpr).op('i32.add');
      c.i32(State.zero).get(this.#base).i32(0).op('i32.ge_s', 'select');
    });
    c.get(this.#indexed).op('i32.eqz');
    c.if();
    store(Rec.index, 'i32.store', () => c.i32(State.zero));
    c.end();
    c.else();
    c.i32(Seg.SS).set(this.#segment);
    c.end();
    store(Rec.segment, 'i32.store', () => c.get(this.#segment).i32(SegField.size).op('i32.mul').i32(State.seg).op('i32.add'));
    store(Draft.row, 'i32.store', () => c.get(this.#row));
    store(Draft.opcode, 'i32.store', () => c.get(this.#opcode));
    store(Draft.memory, 'i32.store', () => c.get(this.#memory));
    store(Draft.branch, 'i32.store', () => c.get(this.#branch));
    store(Draft.operandSize, 'i32.store', () => c.get(this.#operandSize));
    store(Draft.key, 'i64.store', () => this.#key());
    // A row without ModRM among others that have one: that byte had to be looked at.
    c.get(length).get(this.#entry).i32(1).op('i32.and');
    this.#trait(Trait.modrm).op('i32.eqz', 'i32.and').get(length).op('i32.add').i32(8).op('i32.shl', 'i32.or');
    c.op('return');
  }

  /** The shape's key as `shapeKey` makes it, without the parts of `KeyBit`, and the row above it. */
  #key(): void {
    const c = this.#c;
    c.get(this.#kinds);
    c.get(this.#operandSize).i32(2).op('i32.shr_u').i32(4).op('i32.shl', 'i32.or');
    c.i32(2).get(this.#address32).op('i32.sub').i32(6).op('i32.shl', 'i32.or');
    // The memory form.
    c.get(this.#segment).i32(Seg.FS).op('i32.ge_u').get(this.#address32).op('i32.or');
    c.if('i32');
    c.i32(3);
    c.else();
    c.get(this.#indexed).i32(1).op('i32.add');
    c.end();
    c.get(this.#memory).op('i32.mul').i32(8).op('i32.shl', 'i32.or');
    this.#trait(Trait.repeats).op('i32.eqz', 'i32.eqz').get(this.#repeat).op('i32.eqz', 'i32.eqz', 'i32.and');
    c.if('i32');
    c.i32(1).i32(2).get(this.#repeat).i32(0xf3).op('i32.eq', 'select');
    c.else();
    c.i32(0);
    c.end();
    c.i32(11).op('i32.shl', 'i32.or');
    this.#trait(Trait.condition);
    c.if('i32');
    this.#bits(this.#opcode, 0, 15);
    c.else();
    c.i32(0);
    c.end();
    c.i32(13).op('i32.shl', 'i32.or');
    c.i32(Mode.long << 24).op('i32.or', 'i64.extend_i32_u');
    this.#trait(Trait.staticImmediate);
    c.if('i64');
    c.get(this.#immediate).i64(0xff).op('i64.and').i64(30).op('i64.shl');
    c.else();
    c.i64(0);
    c.end();
    c.op('i64.add').get(this.#row).mem('i64.load32_u', RowField.index).i64(40).op('i64.shl', 'i64.add');
  }
}
