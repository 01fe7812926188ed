/** Types of Go programs by the descriptions that the runtime keeps of them, which interfaces point to. */
import { AT } from './constants';
import { type Core } from './core';
import { Die } from './die';

/** The linker's symbol for where those descriptions begin. */
const start = 'runtime.types';

/** Which type DIE tells the type whose description lies at an offset behind `runtime.types`; made by one pass over the units of Go. */
export class GoTypes {
  private offsets: Map<number, number> | undefined;
  private readonly base: number | undefined;

  constructor(private readonly core: Core) {
    this.base = core.symbols.named(start)[0]?.address;
  }

  /** The DIE of the type described at an internal address. */
  at(address: number): Die | undefined {
    if (this.base === undefined || address <= this.base) return undefined;
    const offset = (this.offsets ??= this.read()).get(address - this.base);
    return offset === undefined ? undefined : this.core.dwarf.dieAt(offset);
  }

  private read(): Map<number, number> {
    const offsets = new Map<number, number>();
    for (const unit of this.core.dwarf.units) {
      if (unit.language !== 'go') continue;
      const { abbrevs, ends } = unit.tree();
      for (let i = 1; i < ends.length; i = ends[i]!) {
        if (!abbrevs[i]!.names.includes(AT.GO_runtime_type)) continue;
        const die = new Die(unit, i);
        const description = die.address(AT.GO_runtime_type);
        if (description !== undefined && description > this.core.sections.zero)
          offsets.set(description - this.core.sections.zero, die.offset);
      }
    }
    return offsets;
  }
}
