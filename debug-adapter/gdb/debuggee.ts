/** One booted machine with everything that a client of the remote protocol works on. */
import { ExceptionCatcher, exceptionNames, filterOf } from '../control/exceptions';
import { type Host } from '../control/runner';
import { Target } from '../control/target';
import { type Machine } from '../machine/api';
import { SourcePathMap } from '../symbols/api';
import { BreakpointTable } from './breakpoints';
import { Execution, type Stop } from './execution';
import { RegisterFile } from './registers';

export class Debuggee {
  readonly target: Target;
  readonly registers: RegisterFile;
  readonly points: BreakpointTable;
  readonly execution: Execution;
  readonly #exceptions: ExceptionCatcher;

  constructor(
    readonly machine: Machine,
    host: Host,
    clock: 'real' | 'skip',
    onStop: (stop: Stop) => void,
  ) {
    // Symbols are the client's business: addresses are told as numbers.
    this.target = new Target(machine, new SourcePathMap([]), '');
    this.registers = new RegisterFile(machine.cpu);
    this.points = new BreakpointTable(this.target);
    this.#exceptions = new ExceptionCatcher(this.target);
    this.execution = new Execution(this.target, this.points, this.#exceptions, host, clock, onStop);
  }

  /** Names of exceptions that can be caught: the mnemonics in lower case. */
  static readonly exceptionNames: readonly string[] = exceptionNames.map(([, mnemonic]) => filterOf(mnemonic));

  /** Stops the guest before these exceptions from now on; `names` are of `exceptionNames`. */
  catchExceptions(names: readonly string[]): void {
    this.#exceptions.setFilters(names.map((filter) => ({ filter })));
  }
}
