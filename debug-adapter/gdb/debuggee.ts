/** One booted machine with everything that a client of the remote protocol works on. */
import { ExceptionCatcher, exceptionNames, filterOf } from '../control/catch/exceptions';
import { type Host } from '../control/runner';
import { History } from '../control/history/history';
import { TravellingTarget } from '../control/history/probes';
import { type PcMachine } from '../machine/machine';
import { SourcePathMap, type SymbolFile } from '../symbols/api';
import { BreakpointTable } from './breakpoints';
import { Execution, type Stop } from './execution';
import { RegisterFile } from './registers';
import { ThreadTable } from './threads';

export class Debuggee {
  readonly target: TravellingTarget;
  readonly registers: RegisterFile;
  readonly points: BreakpointTable;
  readonly execution: Execution;
  readonly #exceptions: ExceptionCatcher;
  #threads: ThreadTable | undefined;

  /** @param symbols the kernel's, for the guest's threads: addresses are the client's business, and are told as numbers. */
  constructor(
    readonly machine: PcMachine,
    host: Host,
    clock: 'real' | 'skip',
    onStop: (stop: Stop) => void,
    symbols?: SymbolFile,
  ) {
    this.target = new TravellingTarget(machine, new SourcePathMap([]), '');
    if (symbols !== undefined) this.target.addSymbols(symbols);
    this.registers = new RegisterFile(machine.cpu);
    this.points = new BreakpointTable(this.target);
    this.#exceptions = new ExceptionCatcher(this.target);
    const history = new History(machine, { now: () => host.now(), touchedPages: host.touchedPages });
    this.execution = new Execution(this.target, this.points, this.#exceptions, history, host, clock, onStop);
  }

  get threads(): ThreadTable {
    // Types are looked up for it, which is left until somebody asks.
    return (this.#threads ??= new ThreadTable(this.target));
  }

  /** Names of exceptions that can be caught: the mnemonics in lower case. */
  static readonly exceptionNames: readonly string[] = exceptionNames.map(([, mnemonic]) => filterOf(mnemonic));

  /** Stops the guest before these exceptions from now on; `names` are of `exceptionNames`. */
  catchExceptions(names: readonly string[]): void {
    this.#exceptions.setFilters(names.map((filter) => ({ filter })));
  }
}
