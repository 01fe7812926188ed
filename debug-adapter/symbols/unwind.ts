/** Applies a row of call frame information to a frame's state: the step from a callee to its caller. */
import { type CfaRule, type EvaluationContext, type Expression, type RegisterRule, type UnwindRow, type UnwoundFrame } from './api';
import { type FrameRule } from './cfi-program';
import { type Core } from './core';
import { type Entities } from './entities';
import { Evaluator } from './expression';
import { CALLEE_SAVED, RSP } from './registers';

function expression(bytes: Uint8Array): Expression {
  return { bytes, unitOffset: -1 };
}

function publicRule(rule: FrameRule): RegisterRule {
  return 'bytes' in rule ? { kind: rule.kind, expression: expression(rule.bytes) } : rule;
}

/** The row at a pc in the API's form. */
export function unwindRow(core: Core, entities: Entities, pc: number): UnwindRow | undefined {
  const found = core.frames.rowAt(pc);
  if (!found?.row.cfa) return undefined;
  const { fde, row } = found;
  const rule = found.row.cfa;
  const cfa: CfaRule = 'bytes' in rule ? { kind: 'expression', expression: expression(rule.bytes) } : { kind: 'register', ...rule };
  return {
    ...entities.range(row),
    cfa,
    registers: new Map([...row.rules].map(([register, value]) => [register, publicRule(value)])),
    returnAddressRegister: fde.cie.returnAddressRegister,
    signalFrame: fde.cie.signalFrame,
    section: fde.section,
    function: entities.range(fde),
  };
}

/** The caller's registers; undefined where the CFA cannot be computed. */
export function unwindFrame(entities: Entities, row: UnwindRow, context: EvaluationContext): UnwoundFrame | undefined {
  const size = entities.core.sections.addressSize;
  const cfa = frameAddress(entities, row.cfa, context);
  if (cfa === undefined) return undefined;
  const registers = new Map<number, bigint>();
  const savedAt = new Map<number, bigint>();
  const lost = new Set<number>();
  const evaluate = (rule: Expression): bigint | undefined => {
    const value = new Evaluator(entities, context).value(rule, [cfa]);
    return typeof value === 'bigint' ? value : undefined;
  };
  const load = (register: number, address: bigint | undefined): void => {
    if (address === undefined) return;
    const at = BigInt.asUintN(64, address);
    savedAt.set(register, at);
    const bytes = context.readMemory(at, size);
    if (bytes?.length === size)
      registers.set(
        register,
        bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n),
      );
  };
  const keep = (register: number, from: number): void => {
    const value = context.register(from);
    if (value !== undefined) registers.set(register, value);
  };
  for (const [register, rule] of row.registers) {
    switch (rule.kind) {
      case 'undefined':
        lost.add(register);
        break;
      case 'same':
        keep(register, register);
        break;
      case 'offset':
        load(register, cfa + BigInt(rule.offset));
        break;
      case 'val-offset':
        registers.set(register, BigInt.asUintN(64, cfa + BigInt(rule.offset)));
        break;
      case 'register':
        keep(register, rule.register);
        break;
      case 'expression':
        load(register, evaluate(rule.expression));
        break;
      case 'val-expression': {
        const value = evaluate(rule.expression);
        if (value !== undefined) registers.set(register, value);
        break;
      }
    }
  }
  // The caller's stack pointer is the CFA by the psABI's definition; what is callee-saved and has no rule was not touched.
  if (!row.registers.has(RSP)) registers.set(RSP, cfa);
  for (const register of CALLEE_SAVED) if (register !== RSP && !row.registers.has(register)) keep(register, register);
  const returnAddress = registers.get(row.returnAddressRegister);
  return { cfa, ...(returnAddress !== undefined && { returnAddress }), registers, savedAt, lost };
}

function frameAddress(entities: Entities, rule: CfaRule, context: EvaluationContext): bigint | undefined {
  if (rule.kind === 'register') {
    const base = context.register(rule.register);
    return base === undefined ? undefined : BigInt.asUintN(64, base + BigInt(rule.offset));
  }
  const value = new Evaluator(entities, context).value(rule.expression);
  return typeof value === 'bigint' ? value : undefined;
}
