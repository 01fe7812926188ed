/** Walks the stack: call frame information first, then the frame pointer; inlined functions become frames of their own. */
import { dwarfRegisterName, type EvaluationContext, type SymbolFile, type SymbolicFrame, type UnwindRow } from '../symbols/api';
import { type FrameInfo } from './api';
import { frameByCode, standsAfterPushedFlags } from './code-frame';
import { EntryValues } from './entry-values';
import { tailCallsTo } from './tail-calls';
import { type Target } from './target';

/** DWARF numbers of the general registers run to 15; 16 is the return address (System V psABI, figure 3.36). */
const generalRegisters = 16;
const RBP = 6;
const RSP = 7;
const RETURN_ADDRESS = 16;
const maximumFrames = 1000;

/** One frame as found, physical or inlined. */
export interface StackFrame {
  readonly name: string;
  readonly pc: bigint;
  /** The address by which line and scopes are found: one before the return address in callers. */
  readonly lookup: bigint;
  readonly origin: FrameInfo['origin'];
  readonly symbols: SymbolFile | undefined;
  /** Index in `SymbolFile.framesAt(lookup)`. */
  readonly inlineIndex: number;
  readonly symbolic: SymbolicFrame | undefined;
  /** Canonical frame address, where known: the stack pointer before the call pushed the return address. */
  readonly cfa: bigint | undefined;
  /** By DWARF number; a missing one is lost. */
  readonly registers: ReadonlyMap<number, bigint>;
  /** Where callers' registers are saved, for editing. */
  readonly savedAt: ReadonlyMap<number, bigint>;
  /** Of a thread that does not run: the thread pointer of its block for this frame's symbols. */
  readonly threadPointer?: bigint | undefined;
  /** The activation that it is, or is inlined into; undefined for what is not on the stack. */
  readonly physical?: PhysicalFrame | undefined;
}

/** One activation of a function on the stack, whatever is inlined into it; its caller is found when it is asked for. */
export class PhysicalFrame {
  #unwound: { readonly caller: PhysicalFrame | undefined; readonly cfa: bigint | undefined } | undefined;
  #left: readonly PhysicalFrame[] | undefined;

  constructor(
    private readonly target: Target,
    readonly pc: bigint,
    /** By DWARF number; a missing one is lost. */
    readonly registers: Map<number, bigint>,
    readonly savedAt: Map<number, bigint>,
    readonly origin: FrameInfo['origin'],
    /** The pc is that of an interrupted instruction, not a return address. */
    readonly exact: boolean,
    /**
     * Registers that a call may clobber, as the callee has them. Where DWARF says that a variable lies in one across a call, the compiler saw that
     * the callee leaves it alone (GCC's -fipa-ra).
     */
    readonly scratch: ReadonlyMap<number, bigint> = new Map(),
  ) {}

  /** The address by which line, scopes and rules are found. */
  get lookup(): bigint {
    return this.exact ? this.pc : this.pc - 1n;
  }

  get symbols(): SymbolFile | undefined {
    return this.target.symbolsAt(this.lookup);
  }

  get cfa(): bigint | undefined {
    return (this.#unwound ??= unwindOne(this.target, this)).cfa;
  }

  get caller(): PhysicalFrame | undefined {
    return (this.#unwound ??= unwindOne(this.target, this)).caller;
  }

  /** Functions that the caller called and that left by tail calls, which led here; innermost first. Their registers are the caller's. */
  get left(): readonly PhysicalFrame[] {
    return (this.#left ??= this.#findLeft());
  }

  /** Whose call or jump entered this frame's function. */
  get entered(): PhysicalFrame | undefined {
    return this.left[0] ?? this.caller;
  }

  #findLeft(): readonly PhysicalFrame[] {
    const { caller, target } = this;
    if (caller === undefined || this.origin === 'tail-call') return this.#left ?? [];
    // When such a function jumped on, the return address into the caller was still on the stack.
    const registers = new Map(caller.registers);
    const rsp = registers.get(RSP);
    if (rsp !== undefined) registers.set(RSP, rsp - 8n);
    const frames = tailCallsTo(target, this).map(
      (returnAddress) => new PhysicalFrame(target, returnAddress, registers, caller.savedAt, 'tail-call', false, caller.scratch),
    );
    frames.forEach((frame, index) => {
      // Their activations were where the frame's is now.
      frame.#unwound = { caller: frames[index + 1] ?? caller, cfa: caller.registers.get(RSP) };
      frame.#left = [];
    });
    return frames;
  }
}

/** The frames of the processor's current state, innermost first. */
export function walkStack(target: Target, limit = maximumFrames): readonly StackFrame[] {
  return walkStackFrom(target, currentRegisters(target), limit);
}

/** The frames of any saved state: `registers` by DWARF number with the pc under 16. */
export function walkStackFrom(target: Target, registers: Map<number, bigint>, limit = maximumFrames): readonly StackFrame[] {
  const frames: StackFrame[] = [];
  const seen = new Set<string>();
  let physical: PhysicalFrame | undefined = new PhysicalFrame(
    target,
    registers.get(RETURN_ADDRESS) ?? 0n,
    registers,
    new Map(),
    'pc',
    true,
  );
  while (physical !== undefined && frames.length < limit) {
    const key = `${physical.pc}:${physical.registers.get(RSP) ?? 0n}`;
    if (seen.has(key)) break;
    seen.add(key);
    frames.push(...symbolicFrames(target, physical));
    if (frames.length >= limit) break;
    for (const left of physical.left) frames.push(...symbolicFrames(target, left));
    physical = physical.caller;
  }
  return frames.slice(0, limit);
}

/** What DWARF expressions of a frame may ask. */
export function evaluationContext(
  target: Target,
  frame: Pick<StackFrame, 'lookup' | 'registers' | 'cfa' | 'symbols' | 'threadPointer' | 'physical'>,
  depth = 0,
): EvaluationContext {
  const { cpu } = target.machine;
  const entry = frame.physical === undefined ? undefined : new EntryValues(target, frame.physical, depth);
  return {
    pc: frame.lookup,
    readMemory: (address, length) => {
      const bytes = cpu.readMemory(address, length);
      return bytes.length === length ? bytes : undefined;
    },
    register: (number) => frame.registers.get(number) ?? frame.physical?.scratch.get(number) ?? wideRegister(target, number),
    cfa: () => frame.cfa,
    entryValue: (operations) => entry?.ofLocation(operations),
    parameterValue: (parameter) => entry?.ofParameter(parameter),
    tlsBase: () => {
      const { symbols } = frame;
      const pointer = frame.threadPointer ?? (symbols === undefined ? undefined : target.threadPointerOf?.(symbols));
      return symbols === undefined ? undefined : target.tlsBlockBase(symbols, pointer ?? target.register('fs_base'));
    },
  };
}

function currentRegisters(target: Target): Map<number, bigint> {
  const registers = new Map<number, bigint>();
  for (let number = 0; number < generalRegisters; number++) registers.set(number, target.register(dwarfRegisterName(number) ?? ''));
  registers.set(RETURN_ADDRESS, target.pc);
  return registers;
}

/** An x87, MMX or SSE register as the processor has it now: no call preserves them, so that no caller's frame tells of them. */
function wideRegister(target: Target, number: number): bigint | undefined {
  const name = dwarfRegisterName(number);
  const bytes = name !== undefined && /^(xmm|st|mm)\d/.test(name) ? target.machine.cpu.getWideRegister(name) : undefined;
  return bytes?.slice(0, 16).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function symbolicFrames(target: Target, physical: PhysicalFrame): StackFrame[] {
  const { pc, lookup, symbols, registers, savedAt, origin, cfa } = physical;
  const base = { pc, lookup, symbols, registers, savedAt, cfa, physical };
  const symbolic = symbols?.framesAt(lookup) ?? [];
  if (symbolic.length === 0) return [{ ...base, name: target.describe(lookup), origin, inlineIndex: 0, symbolic: undefined }];
  return symbolic.map((each, index) => ({
    ...base,
    name: each.function.qualifiedName,
    origin: each.inlined ? 'inlined' : origin,
    inlineIndex: index,
    symbolic: each,
  }));
}

interface Unwound {
  readonly caller: PhysicalFrame | undefined;
  readonly cfa: bigint | undefined;
}

function unwindOne(target: Target, frame: PhysicalFrame): Unwound {
  const lookup = frame.exact ? frame.pc : frame.pc - 1n;
  const symbols = target.symbolsAt(lookup);
  if (symbols === undefined) return { caller: callerOfBadPointer(target, frame), cfa: undefined };
  const row = symbols.unwindRule(lookup);
  const ruled = row === undefined ? undefined : unwindByRule(target, frame, row, frame.registers);
  const rsp = frame.registers.get(RSP);
  if (row === undefined || rsp === undefined || ruled?.caller !== undefined || !frame.exact || !standsAfterPushedFlags(target, frame.pc))
    return ruled ?? unwindByFramePointer(target, frame);
  return unwindByRule(target, frame, row, new Map(frame.registers).set(RSP, rsp + 8n)) ?? unwindByFramePointer(target, frame);
}

function unwindByRule(target: Target, frame: PhysicalFrame, row: UnwindRow, own: ReadonlyMap<number, bigint>): Unwound | undefined {
  const { lookup, symbols } = frame;
  const unwound = symbols?.unwind(row, evaluationContext(target, { lookup, registers: own, cfa: undefined, symbols }));
  if (unwound === undefined) return undefined;
  const { cfa, returnAddress } = unwound;
  if (returnAddress === undefined || returnAddress === 0n || unwound.lost.has(row.returnAddressRegister)) return { caller: undefined, cfa };
  const registers = new Map(unwound.registers);
  registers.set(RETURN_ADDRESS, returnAddress);
  if (!registers.has(RSP)) registers.set(RSP, cfa);
  const caller = new PhysicalFrame(
    target,
    returnAddress,
    registers,
    new Map(unwound.savedAt),
    'cfi',
    row.signalFrame,
    new Map([...frame.scratch, ...own].filter(([register]) => !unwound.lost.has(register))),
  );
  // What was interrupted may have jumped to where no code is; that is what the stack then has to show.
  return { caller: row.signalFrame || isCode(target, returnAddress) ? caller : undefined, cfa };
}

/** A call through a bad pointer faults at once: the return address is on top of the stack. */
function callerOfBadPointer(target: Target, frame: PhysicalFrame): PhysicalFrame | undefined {
  const rsp = frame.registers.get(RSP);
  if (!frame.exact || rsp === undefined || target.machine.cpu.translate(frame.pc, 'execute') !== undefined) return undefined;
  const returnAddress = target.readInteger(rsp, 8);
  if (returnAddress === undefined || !isCode(target, returnAddress - 1n)) return undefined;
  const registers = new Map(frame.registers).set(RSP, rsp + 8n).set(RETURN_ADDRESS, returnAddress);
  return new PhysicalFrame(target, returnAddress, registers, new Map(frame.savedAt), 'guess', false);
}

/** By the code around, or `push %rbp; mov %rsp,%rbp` has been run and is still in force. */
function unwindByFramePointer(target: Target, frame: PhysicalFrame): Unwound {
  const rsp = frame.registers.get(RSP);
  const rbp = frame.registers.get(RBP);
  if (rsp === undefined || rbp === undefined) return { caller: undefined, cfa: undefined };
  const entry = frame.exact ? target.symbolsAt(frame.pc)?.symbolAt(frame.pc)?.address : undefined;
  const byCode = entry === undefined ? undefined : frameByCode(target, frame.pc, entry, rsp);
  const cfa = byCode?.cfa ?? canonicalFrameAddress(target, entry, rsp, rbp);
  const returnAddress = cfa === undefined ? undefined : target.readInteger(cfa - 8n, 8);
  if (cfa === undefined || returnAddress === undefined || cfa <= rsp || !isCode(target, returnAddress - 1n))
    return { caller: undefined, cfa };
  const registers = new Map(frame.registers);
  const savedAt = new Map(frame.savedAt);
  for (const [register, place] of byCode?.savedAt ?? (cfa === rbp + 16n ? [[RBP, rbp] as const] : [])) {
    const saved = target.readInteger(place, 8);
    if (saved !== undefined) registers.set(register, saved);
    savedAt.set(register, place);
  }
  registers.set(RSP, cfa);
  registers.set(RETURN_ADDRESS, returnAddress);
  return { caller: new PhysicalFrame(target, returnAddress, registers, savedAt, 'frame-pointer', false), cfa };
}

function canonicalFrameAddress(target: Target, entry: bigint | undefined, rsp: bigint, rbp: bigint): bigint | undefined {
  if (entry !== undefined) {
    const code = target.machine.cpu.readMemory(entry, 5);
    const makesFrame = code[0] === 0x55 || code[4] === 0x55;
    // Assembly that makes no frame: what called it is on top of the stack.
    const top = makesFrame ? undefined : target.readInteger(rsp, 8);
    if (top !== undefined && isCode(target, top - 1n)) return rsp + 8n;
  }
  return rbp === 0n ? undefined : rbp + 16n;
}

const isCode = (target: Target, address: bigint): boolean =>
  target.symbolsAt(address)?.isCode(address) === true && target.machine.cpu.translate(address, 'execute') !== undefined;
