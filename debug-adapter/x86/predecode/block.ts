/** Generated code that builds the records of a block of 64-bit code, as `BlockCache` does; what the decoder beside it leaves undone, and blocks with a shape that has no handler yet, are left to that. */

import { OwnRecord, Purity, unitNumber } from '../block-rules';
import { ARITHMETIC } from '../isa/definition';
import { Special } from '../interp-abi';
import { FUSED_KEYS, Rec } from '../shape';
import { Layout, Mode } from '../state';
import { Code, type Label } from '../wasm/code';
import { Area, Built, Draft, KeyBit, RowField, Trait } from './area';

const pageMask = 4095;
/** All bits of `Trait.purity` and of `Trait.unit`. */
const purityBits = 3;
const unitBits = 7;

/** The function (shape key i64) -> value in the table of shapes, or -1. @param capacity of that table */
export function lookupFunction(capacity: number): Code {
  const c = new Code(['i64']);
  const at = c.local('i32');
  const found = c.local('f64');
  c.get(0).op('i32.wrap_i64').get(0).i64(32).op('i64.shr_u', 'i32.wrap_i64').i32(0x85ebca6b).op('i32.mul', 'i32.xor');
  c.i32(0x9e3779b1).op('i32.mul').i32(8).op('i32.shr_u').set(at);
  const next = c.loop();
  c.get(at)
    .i32(capacity - 1)
    .op('i32.and')
    .tee(at);
  c.i32(3).op('i32.shl').mem('f64.load', Area.shapes).tee(found).f64(0).op('f64.eq');
  c.if();
  c.i32(-1).op('return');
  c.end();
  c.get(found).get(0).i64(1).op('i64.add', 'f64.convert_i64_s', 'f64.eq');
  c.if();
  c.get(at)
    .i32(2)
    .op('i32.shl')
    .mem('i32.load', Area.shapes + capacity * 8)
    .op('return');
  c.end();
  c.get(at).i32(1).op('i32.add').set(at).br(next);
  c.end();
  c.op('unreachable');
  return c;
}

/**
 * The function (address of the first byte, RIP low, RIP high, record, most instructions, mode, whether pairs are fused) -> bits of `Built`. The records stand
 * from `record` on, header first.
 */
export function blockFunction(decode: number, lookup: number): Code {
  return new BlockGen(decode, lookup).generate();
}

class BlockGen {
  readonly #c = new Code(['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32']);
  readonly #address = 0;
  readonly #ripLow = 1;
  readonly #ripHigh = 2;
  readonly #record = 3;
  readonly #most = 4;
  readonly #mode = 5;
  readonly #fuse = 6;
  readonly #rip = this.#c.local('i64');
  readonly #start = this.#c.local('i32');
  /** Of the page: one past its last byte. */
  readonly #end = this.#c.local('i32');
  readonly #count = this.#c.local('i32');
  readonly #ended = this.#c.local('i32');
  readonly #draft = this.#c.local('i32');
  readonly #row = this.#c.local('i32');
  readonly #traits = this.#c.local('i32');
  readonly #live = this.#c.local('i32');
  readonly #remaining = this.#c.local('i32');
  /** Kind of the flags that the instructions so far leave, or -1. */
  readonly #flagIn = this.#c.local('i32');
  readonly #found = this.#c.local('i32');
  readonly #scratch = this.#c.local('i32');
  #fail!: Label;

  constructor(
    private readonly decode: number,
    private readonly lookup: number,
  ) {}

  generate(): Code {
    const c = this.#c;
    this.#fail = c.block();
    c.get(this.#address).set(this.#start);
    c.get(this.#address).i32(pageMask).op('i32.or').i32(1).op('i32.add').set(this.#end);
    c.get(this.#ripLow).op('i64.extend_i32_u').get(this.#ripHigh).op('i64.extend_i32_u').i64(32).op('i64.shl', 'i64.or').set(this.#rip);
    this.#decodeAll();
    this.#liveFlags();
    this.#header();
    this.#records();
    this.#goOn();
    this.#answer();
    c.end();
    c.i32(0);
    return c;
  }

  #trait(trait: number): Code {
    return this.#c.get(this.#traits).i32(trait).op('i32.and');
  }

  #add(local: number, amount: number): Code {
    return this.#c.get(local).i32(amount).op('i32.add').set(local);
  }

  /** The row of the draft and its traits. */
  #loadRow(): void {
    this.#c.get(this.#draft).mem('i32.load', Draft.row).tee(this.#row).mem('i32.load', RowField.traits).set(this.#traits);
  }

  /** Decodes up to the block's end; stops earlier before an instruction that goes on in the next page. */
  #decodeAll(): void {
    const c = this.#c;
    const result = this.#scratch;
    c.i32(Area.drafts).set(this.#draft);
    const done = c.block();
    const next = c.loop();
    c.get(this.#address).get(this.#rip).get(this.#draft).call(this.decode).tee(result).op('i32.eqz').brIf(this.#fail);
    c.get(result).i32(8).op('i32.shr_u').get(this.#end).get(this.#address).op('i32.sub', 'i32.gt_u');
    c.if();
    c.get(this.#count).brIf(done).br(this.#fail);
    c.end();
    c.get(result).i32(0xff).op('i32.and').tee(result).get(this.#address).op('i32.add').set(this.#address);
    c.get(this.#rip).get(result).op('i64.extend_i32_u', 'i64.add').set(this.#rip);
    this.#add(this.#count, 1);
    this.#loadRow();
    this.#add(this.#draft, Draft.size);
    c.get(this.#mode).i32(Mode.user).op('i32.and');
    c.if();
    this.#trait(Trait.port | Trait.privileged).brIf(this.#fail);
    c.end();
    this.#trait(Trait.port | Trait.endsBlock)
      .i32(Trait.endsBlock)
      .op('i32.eq')
      .tee(this.#ended)
      .brIf(done);
    c.get(this.#address).get(this.#end).op('i32.ge_u').brIf(done);
    c.get(this.#count).get(this.#most).op('i32.lt_u').brIf(next);
    c.end();
    c.end();
  }

  /** Which flags somebody still reads, from the end backwards. Whatever may fault or stop shows all of them. */
  #liveFlags(): void {
    const c = this.#c;
    const live = this.#live;
    const impure = this.#found;
    c.i32(ARITHMETIC).set(live);
    c.get(this.#count).i32(Draft.size).op('i32.mul').i32(Area.drafts).op('i32.add').set(this.#draft);
    const next = c.loop();
    this.#add(this.#draft, -Draft.size);
    this.#loadRow();
    const purity = this.#scratch;
    this.#trait(purityBits << Trait.purity).tee(purity);
    c.i32(Purity.impure << Trait.purity).op('i32.eq');
    c.get(purity)
      .i32(Purity.register << Trait.purity)
      .op('i32.eq')
      .get(this.#draft)
      .mem('i32.load', Draft.memory)
      .op('i32.and', 'i32.or')
      .tee(impure);
    c.if();
    c.i32(ARITHMETIC).set(live);
    c.end();
    c.get(this.#draft)
      .get(this.#row)
      .mem('i32.load', RowField.changedFlags)
      .get(live)
      .op('i32.and')
      .i32(0)
      .op('i32.ne')
      .mem('i32.store', Draft.live);
    c.get(impure).op('i32.eqz');
    c.if();
    c.get(live).get(this.#row).mem('i32.load', RowField.killedFlags).i32(-1).op('i32.xor', 'i32.and');
    c.get(this.#row).mem('i32.load', RowField.readFlags).op('i32.or').set(live);
    c.end();
    c.get(this.#draft).i32(Area.drafts).op('i32.gt_u').brIf(next);
    c.end();
  }

  #store(field: number, value: number): void {
    this.#c.get(this.#record).i32(value).mem('i32.store', field);
  }

  #header(): void {
    const c = this.#c;
    this.#store(Rec.handler, Special.leave);
    c.get(this.#record).get(this.#count).mem('i32.store', Rec.remaining);
    this.#store(Rec.runs, 0);
    this.#add(this.#record, Rec.size);
  }

  /** Addresses and count of a record that TypeScript does something for. */
  #ownRecord(own: number): void {
    const c = this.#c;
    for (const field of [Rec.rip, Rec.next]) c.get(this.#record).get(this.#draft).mem('i64.load', field).mem('i64.store', field);
    this.#store(Rec.helper, own);
    this.#store(Rec.handler, Special.helper);
    c.get(this.#record).get(this.#remaining).mem('i32.store', Rec.remaining);
  }

  #records(): void {
    const c = this.#c;
    c.i32(-1).set(this.#flagIn);
    c.i32(Area.drafts).set(this.#draft);
    c.get(this.#count).set(this.#remaining);
    const next = c.loop();
    /** Leads to where the draft is done. */
    const done = c.block();
    this.#loadRow();
    this.#unitCheck();
    this.#port(done);
    this.#fused(done);
    this.#handler();
    c.end();
    this.#add(this.#draft, Draft.size);
    this.#add(this.#remaining, -1);
    this.#add(this.#record, Rec.size);
    c.get(this.#remaining).i32(0).op('i32.gt_s').brIf(next);
    c.end();
  }

  #unitCheck(): void {
    const c = this.#c;
    c.get(this.#mode).i32(Mode.fpuTrap).op('i32.and');
    c.if();
    const unit = this.#scratch;
    this.#trait(unitBits << Trait.unit)
      .i32(Trait.unit)
      .op('i32.shr_u')
      .tee(unit);
    c.i32(0).op('i32.ne').get(unit).i32(unitNumber.x87nowait).op('i32.ne', 'i32.and');
    c.if();
    this.#ownRecord(OwnRecord.check);
    c.get(this.#record).get(unit).mem('i32.store', Rec.imm2);
    this.#add(this.#record, Rec.size);
    c.end();
    c.end();
  }

  /** IN and OUT at CPL 0: port (-1: DX), size and direction are all that their helper needs. */
  #port(done: Label): void {
    const c = this.#c;
    this.#trait(Trait.port);
    c.if();
    const opcode = this.#scratch;
    c.get(this.#draft).mem('i32.load', Draft.opcode).set(opcode);
    this.#ownRecord(OwnRecord.in);
    c.get(opcode).i32(2).op('i32.and');
    c.if();
    this.#store(Rec.helper, OwnRecord.out);
    c.end();
    c.get(this.#record).i32(-1).get(this.#draft).mem('i32.load8_u', Rec.imm);
    c.get(opcode).i32(8).op('i32.and', 'select').mem('i32.store', Rec.imm);
    c.get(this.#record).i32(2).i32(4).get(this.#draft).mem('i32.load', Draft.operandSize).i32(2).op('i32.eq', 'select').i32(1);
    c.get(opcode).i32(1).op('i32.and', 'select').mem('i32.store', Rec.imm2);
    c.br(done);
    c.end();
  }

  /** A compare with the branch that follows, as one record, where there is a handler for both. */
  #fused(done: Label): void {
    const c = this.#c;
    c.get(this.#fuse).get(this.#remaining).i32(1).op('i32.gt_s', 'i32.and');
    c.if();
    c.get(this.#draft)
      .mem('i32.load', Draft.size + Draft.row)
      .mem('i32.load', RowField.traits)
      .i32(Trait.jcc)
      .op('i32.and', 'i32.eqz', 'i32.eqz');
    c.i32(Trait.fusibleMemory).i32(Trait.fusibleRegister).get(this.#draft).mem('i32.load', Draft.memory).op('select');
    c.get(this.#traits).op('i32.and', 'i32.eqz', 'i32.eqz', 'i32.and');
    c.if();
    this.#lookup(() => c.i64(1 << KeyBit.live));
    c.get(this.#found).i32(0).op('i32.lt_s').brIf(this.#fail);
    c.get(this.#found).i32(7).op('i32.shr_u').i32(4).op('i32.shl');
    c.get(this.#draft)
      .mem('i32.load', Draft.size + Draft.opcode)
      .i32(15)
      .op('i32.and', 'i32.or', 'i64.extend_i32_u');
    c.i64(FUSED_KEYS).op('i64.add').call(this.lookup).tee(this.#found).i32(0).op('i32.ge_s');
    c.if();
    this.#copy();
    this.#add(this.#draft, Draft.size);
    this.#add(this.#remaining, -1);
    this.#branchFields();
    c.br(done);
    c.end();
    c.end();
    c.end();
  }

  /** Looks the draft's shape up with the bits that `around` leaves on the stack, into `found`. */
  #lookup(around: () => void): void {
    const c = this.#c;
    c.get(this.#draft).mem('i64.load', Draft.key);
    around();
    c.op('i64.add').call(this.lookup).set(this.#found);
  }

  /** The record of an instruction that stands alone. */
  #handler(): void {
    const c = this.#c;
    const flagOut = this.#scratch;
    this.#trait(Trait.emits);
    c.if();
    this.#lookup(() => {
      c.get(this.#draft).mem('i64.load32_u', Draft.live).i64(KeyBit.live).op('i64.shl');
      // One more than the kind, for instructions with a condition.
      c.get(this.#flagIn).i32(1).op('i32.add').i32(0);
      this.#trait(Trait.condition).op('select', 'i64.extend_i32_u').i64(KeyBit.flagIn).op('i64.shl', 'i64.add');
    });
    c.get(this.#found).i32(0).op('i32.lt_s');
    c.if();
    this.#lookup(() => c.i64(1 << KeyBit.live));
    c.get(this.#found).i32(0).op('i32.lt_s').brIf(this.#fail);
    c.end();
    c.else();
    c.i32(Special.helperEnds * 128 + 1).i32(Special.helper * 128 + 1);
    this.#trait(Trait.endsBlock).op('select').set(this.#found);
    c.end();
    c.get(this.#found).i32(127).op('i32.and').i32(2).op('i32.sub').tee(flagOut).get(this.#flagIn).get(flagOut);
    c.i32(-2).op('i32.ne', 'select').set(this.#flagIn);
    this.#copy();
    this.#trait(Trait.endsBlock);
    c.if();
    this.#branchFields();
    c.end();
  }

  /** The draft becomes the record, with the handler that `found` names. */
  #copy(): void {
    const c = this.#c;
    c.get(this.#record).get(this.#draft).i32(Rec.size).memoryCopy();
    c.get(this.#record).get(this.#found).i32(7).op('i32.shr_u').mem('i32.store', Rec.handler);
    c.get(this.#record).get(this.#remaining).mem('i32.store', Rec.remaining);
  }

  /** Where the branch in the draft leads to. */
  #branchFields(): void {
    const c = this.#c;
    for (const field of [Rec.target, Rec.next]) c.get(this.#record).get(this.#draft).mem('i64.load', field).mem('i64.store', field);
    for (const field of [Rec.chain, Rec.chainNext]) this.#store(field, Layout.records);
  }

  /** A block that a limit or a page ends goes on behind it. */
  #goOn(): void {
    const c = this.#c;
    this.#add(this.#draft, -Draft.size);
    c.get(this.#ended).op('i32.eqz');
    c.if();
    for (const field of [Rec.rip, Rec.next]) c.get(this.#record).get(this.#rip).mem('i64.store', field);
    this.#store(Rec.handler, Special.goto);
    this.#store(Rec.remaining, 0);
    this.#store(Rec.helper, 0);
    this.#store(Rec.chainNext, Layout.records);
    this.#add(this.#record, Rec.size);
    c.end();
  }

  #answer(): void {
    const c = this.#c;
    c.i32(0).get(this.#record).mem('i32.store', Area.end);
    c.i32(0).get(this.#draft).mem('i64.load', Rec.target).mem('i64.store', Area.target);
    c.get(this.#count);
    c.get(this.#address).get(this.#start).op('i32.sub').i32(Built.length).op('i32.shl', 'i32.or');
    c.get(this.#ended);
    c.if('i32');
    this.#loadRow();
    c.i32(Built.ended);
    this.#trait(Trait.call).op('i32.eqz', 'i32.eqz');
    c.get(this.#draft).mem('i32.load', Draft.branch).op('i32.and').i32(Built.calls).op('i32.mul', 'i32.or');
    c.else();
    c.i32(0);
    c.end();
    c.op('i32.or', 'return');
  }
}
