/** Where execution can be made to go: targets of goto by source line, and the calls of a line that a step may go into. */
import { type SourceLocation } from './api';
import { type Disassembler, maximumLength } from './disassembler';
import { codeBits } from './instructions';
import { type Target } from './target';

/** A place to go to. */
export interface JumpTarget {
  readonly id: number;
  readonly label: string;
  readonly address: bigint;
  readonly location?: SourceLocation;
}

/** Bytes of a line's code that calls are looked for in. */
const mostBytes = 0x4000;

/** Targets by small numbers, valid until the guest runs. */
export class JumpTargets {
  #next = 1;
  readonly #byId = new Map<number, JumpTarget>();

  constructor(
    private readonly target: Target,
    private readonly disassembler: Disassembler,
  ) {}

  forget(): void {
    this.#byId.clear();
  }

  get(id: number): JumpTarget | undefined {
    return this.#byId.get(id);
  }

  /** The places where code of a source line begins. */
  ofLine(path: string, line: number, column: number | undefined): readonly JumpTarget[] {
    for (const recorded of this.target.recorded(path)) {
      const sites = this.target.symbolFiles.flatMap((file) => file.breakpointSites(recorded, line, column));
      if (sites.length === 0) continue;
      return sites.map((site) =>
        this.#add({
          address: site.address,
          label: `${site.functionName === '' ? this.target.describe(site.address) : site.functionName}, line ${site.line}`,
          location: this.target.present(site),
        }),
      );
    }
    return [];
  }

  /** The calls that are left in the line at `pc`, each with what it calls. */
  callsFrom(pc: bigint): readonly JumpTarget[] {
    const { target, disassembler } = this;
    const ranges = target.symbolsAt(pc)?.lineExtent(pc) ?? [];
    return ranges.flatMap(({ low, high }) => {
      const from = pc >= low && pc < high ? pc : low;
      const bytes = target.machine.cpu.readMemory(from, Math.min(Number(high - from), mostBytes));
      return disassembler.decode(bytes, from, codeBits(target), bytes.length).flatMap(({ address, text }) => {
        const at = Number(address - from);
        const flow = disassembler.flow(bytes.subarray(at, at + maximumLength), codeBits(target), address);
        if (flow?.kind !== 'call') return [];
        const label = flow.target === undefined ? text : target.describe(flow.target);
        const location = target.location(address);
        return [this.#add({ address, label, ...(location === undefined ? {} : { location }) })];
      });
    });
  }

  #add(made: Omit<JumpTarget, 'id'>): JumpTarget {
    const result = { ...made, id: this.#next };
    this.#next = (this.#next % 0x3fff_ffff) + 1;
    this.#byId.set(result.id, result);
    return result;
  }
}
