/** The guest's threads as gdb is told of them (GDB manual, appendix E.4, "qfThreadInfo"): by the debugger's own numbers; one, the processor, where there are no symbols. */
import { GuestModel } from '../control/guest';
import { type Target } from '../control/target';
import { dwarfRegisterName } from '../symbols/api';

/** What a thread is called in a packet: all of them, any one, or one by its number. */
export type ThreadName = number | 'all' | 'any';

/** `N`, `-1` or `0`, in hexadecimal and perhaps behind a process: `pP.N`, `pP`. There is one process, 1. Undefined where it is neither or of another process. */
export function parseThread(text: string): ThreadName | undefined {
  const [, process, , thread] = /^(p(?:0*1|0|-1)(\.|$))?(-1|[0-9a-f]{1,8})?$/i.exec(text) ?? [];
  if (thread === undefined) return process === undefined || process.endsWith('.') ? undefined : 'all';
  if (thread === '-1') return 'all';
  const number = parseInt(thread, 16);
  return number === 0 ? 'any' : number;
}

export interface GdbThread {
  readonly id: number;
  readonly name: string;
  /** e.g. `running`. */
  readonly state: string;
}

export class ThreadTable {
  readonly #guest: GuestModel | undefined;
  /** Whose registers are read and written; undefined for the running thread. */
  #selected: number | undefined;

  /** Without symbols in the target there is one thread. */
  constructor(target: Target) {
    this.#guest = target.symbolFiles.length === 0 ? undefined : new GuestModel(target);
  }

  /** The running thread first. */
  list(): readonly GdbThread[] {
    const threads = this.#guest?.summaries() ?? [];
    return threads.length > 0 ? threads : [{ id: 1, name: 'CPU 0', state: 'running' }];
  }

  get current(): number {
    return this.#guest?.currentId() ?? 1;
  }

  has(id: number): boolean {
    return id === this.current || this.list().some((thread) => thread.id === id);
  }

  /** Chooses whose registers the next packets mean. False where there is no such thread. */
  select(name: ThreadName): boolean {
    if (typeof name !== 'number') this.#selected = undefined;
    else if (this.has(name)) this.#selected = name;
    else return false;
    return true;
  }

  /** The guest runs: whoever was chosen may run or be gone at the next stop. */
  forget(): void {
    this.#selected = undefined;
  }

  /**
   * Registers of the chosen thread by the processor's names, as they were saved when it was switched away from; what was not saved is absent. Undefined where
   * the processor holds them.
   */
  saved(): ReadonlyMap<string, bigint> | undefined {
    const id = this.#selected;
    if (id === undefined || id === this.current) return undefined;
    const saved = this.#guest?.savedRegisters(id);
    if (saved === undefined) return undefined;
    const registers = new Map<string, bigint>();
    for (const [number, value] of saved.registers) {
      const name = dwarfRegisterName(number);
      if (name !== undefined) registers.set(name, value);
    }
    registers.set('fs_base', saved.threadPointer);
    return registers;
  }

  /** The list as the document that `qXfer:threads:read` asks for. */
  document(): string {
    const rows = this.list().map(
      ({ id, name, state }) => `<thread id="${id.toString(16)}" core="0" name="${escaped(name)}">${escaped(state)}</thread>`,
    );
    return `<?xml version="1.0"?>\n<threads>\n${rows.join('\n')}\n</threads>\n`;
  }
}

/** Text of an XML document in ASCII: names come from the guest's memory. */
const escaped = (text: string): string => text.replace(/[^ -~]/g, '?').replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
