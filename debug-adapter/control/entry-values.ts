/** What a function was entered with: its caller's call site tells, where it surely is the call that led here (DWARF 5, sections 2.5.1.7 and 3.4). */
import { type CallSite, type Expression, type SymbolFile } from '../symbols/api';
import { type Target } from './target';
import { evaluationContext, type PhysicalFrame } from './unwind';

/** Callers asked for one value: values of the callers' own entries may lead further out. */
const mostCallers = 16;
/** Functions looked at for calls that would make the call site of an entry doubtful. */
const mostFunctions = 200;

/** Answers entry values of one frame; `depth` counts the callers that lead to it. */
export class EntryValues {
  constructor(
    private readonly target: Target,
    private readonly frame: PhysicalFrame,
    private readonly depth = 0,
  ) {}

  /** The value that `operations` (a register, as the call site names it) gave on entry; undefined where the caller does not tell. */
  ofLocation(operations: Uint8Array): bigint | undefined {
    return this.#value(({ location }) => location !== undefined && equal(location, operations));
  }

  /** The value of a parameter that is not passed, by the offset of its DIE. */
  ofParameter(offset: number): bigint | undefined {
    return this.#value(({ parameter }) => parameter === offset);
  }

  #value(wanted: (value: CallSite['values'][number]) => boolean): bigint | undefined {
    const { target, frame } = this;
    const caller = frame.entered;
    if (caller === undefined || this.depth >= mostCallers) return undefined;
    const site = caller.exact ? undefined : caller.symbols?.callSiteAt(caller.pc);
    const entry = frame.symbols?.functionAt(frame.lookup)?.entry;
    if (site === undefined || entry === undefined || caller.symbols === undefined) return undefined;
    const callees = calleesOf(target, site, caller, this.depth);
    if (!callees.includes(entry) || mayCallItself(caller.symbols, entry)) return undefined;
    const passed = site.values.find(wanted);
    return passed === undefined ? undefined : evaluateIn(target, caller, passed.value, this.depth);
  }
}

/** Where a call site's callee begins; none where neither the DWARF nor the caller's state tells. */
export function calleesOf(target: Target, site: CallSite, caller: PhysicalFrame, depth = 0): readonly bigint[] {
  if (site.target === undefined) return site.calleeEntries;
  const address = evaluateIn(target, caller, site.target, depth);
  return address === undefined ? [] : [address];
}

function evaluateIn(target: Target, caller: PhysicalFrame, expression: Expression, depth: number): bigint | undefined {
  const location = caller.symbols?.evaluate(expression, evaluationContext(target, { ...views(caller), physical: caller }, depth + 1));
  switch (location?.kind) {
    case 'memory':
      return location.address;
    case 'register':
      return caller.registers.get(location.register);
    case 'value':
      return location.bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
    default:
      return undefined;
  }
}

const views = ({ lookup, registers, symbols, cfa }: PhysicalFrame): Pick<PhysicalFrame, 'lookup' | 'registers' | 'symbols' | 'cfa'> => ({
  lookup,
  registers,
  symbols,
  cfa,
});

/** Whether tail calls may lead from a function back to it: then the caller's values are not surely those of the last entry. */
function mayCallItself(symbols: SymbolFile, entry: bigint): boolean {
  const seen = new Set<bigint>();
  const waiting = [entry];
  for (let from = waiting.pop(); from !== undefined; from = waiting.pop()) {
    for (const site of symbols.callSites(from)) {
      if (!site.tailCall) continue;
      // A tail call to somewhere unknown may be one to here.
      if (site.calleeEntries.length === 0 || site.calleeEntries.includes(entry) || seen.size >= mostFunctions) return true;
      for (const callee of site.calleeEntries) {
        if (seen.has(callee)) continue;
        seen.add(callee);
        waiting.push(callee);
      }
    }
  }
  return false;
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, index) => byte === b[index]);
