/** The commands that a person gives to the server itself, by gdb's `monitor`. */
import { Debuggee } from './debuggee';

/** What a command may ask of the server. */
export interface MonitorHost {
  readonly debuggee: Debuggee;
  /** Boots the image anew. */
  reset(): void;
  /** Ends the server after the answer is sent. */
  end(): void;
}

interface Command {
  readonly name: string;
  readonly usage: string;
  readonly help: string;
  run(host: MonitorHost, words: readonly string[]): string;
}

const commands: readonly Command[] = [
  { name: 'help', usage: 'help', help: 'show this list', run: () => helpText() },
  { name: 'info', usage: 'info', help: 'tell about the machine', run: ({ debuggee }) => info(debuggee) },
  {
    name: 'translate',
    usage: 'translate ADDRESS',
    help: 'the physical address and the rights of a linear address',
    run: ({ debuggee }, [word]) => translate(debuggee, word),
  },
  {
    name: 'catch',
    usage: 'catch all|none|NAME...',
    help: `stop before exceptions are delivered: ${Debuggee.exceptionNames.join(' ')}`,
    run: ({ debuggee }, words) => catchExceptions(debuggee, words),
  },
  {
    name: 'reset',
    usage: 'reset',
    help: 'boot the image anew (then "maintenance flush register-cache" makes gdb look again)',
    run: (host) => {
      host.reset();
      return 'The machine is at its first instruction again.\n';
    },
  },
  {
    name: 'exit',
    usage: 'exit',
    help: 'end the server and the guest',
    run: (host) => {
      host.end();
      return '';
    },
  },
];

/** Runs one command line; answers text for the person. */
export function runMonitor(host: MonitorHost, line: string): string {
  const [name = 'help', ...words] = line.trim().split(/\s+/).filter(Boolean);
  const command = commands.find((each) => each.name === name);
  return command === undefined ? `There is no monitor command "${name}".\n${helpText()}` : command.run(host, words);
}

const helpText = (): string => `${commands.map(({ usage, help }) => `${usage.padEnd(26)}${help}`).join('\n')}\n`;

function info({ machine, target }: Debuggee): string {
  const attributes = machine.cpu.getRegister('cs_attributes') ?? 0n;
  // Bits 13 and 14 of the descriptor's second word, from bit 8 on, are L and D/B (SDM vol. 3A, 3.4.5).
  const mode = (attributes & (1n << 13n)) !== 0n ? '64-bit' : (attributes & (1n << 14n)) !== 0n ? '32-bit' : '16-bit';
  return [
    `instructions   ${machine.cpu.retired}`,
    `virtual time   ${(machine.clock.now() / 1e6).toFixed(3)} ms`,
    `memory         ${machine.ram.length >> 20} MiB`,
    `processor      ${machine.cpu.model}, ${mode} code, privilege level ${machine.cpu.getRegister('cpl') ?? 0n}`,
    `at             ${target.describe(target.pc)}`,
    '',
  ].join('\n');
}

function translate({ machine }: Debuggee, word: string | undefined): string {
  if (word === undefined || !/^(0x[0-9a-f]{1,16}|\d{1,19})$/i.test(word)) return 'translate takes an address, such as 0x100000.\n';
  const address = BigInt.asUintN(64, BigInt(word));
  const mapping = machine.cpu.translate(address);
  if (mapping === undefined) return `0x${address.toString(16)} is not mapped.\n`;
  const rights = `${mapping.writable ? 'writable' : 'read-only'}, ${mapping.executable ? 'executable' : 'not executable'}, ${mapping.user ? 'user' : 'supervisor'}`;
  return `0x${address.toString(16)} is physical 0x${mapping.physical.toString(16)}: ${rights}, in a page of ${mapping.pageSize >> 10} KiB.\n`;
}

function catchExceptions(debuggee: Debuggee, words: readonly string[]): string {
  const names = Debuggee.exceptionNames;
  const wanted = words[0] === 'all' ? names : words[0] === 'none' ? [] : words.map((word) => word.replace('#', '').toLowerCase());
  const unknown = wanted.find((name) => !names.includes(name));
  if (words.length === 0 || unknown !== undefined)
    return `${unknown === undefined ? 'catch takes names of exceptions' : `There is no exception "${unknown}"`}: all, none, ${names.join(', ')}.\n`;
  debuggee.catchExceptions(wanted);
  return wanted.length === 0 ? 'No exception stops the guest.\n' : `The guest stops before: ${wanted.join(', ')}.\n`;
}
