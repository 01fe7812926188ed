/** The options of commands that boot an image: `run` has all of them, `gdb`, `strace` and `exec` those that are of use there. Names, help and parsing follow from here. */

export const traceKinds = ['syscalls', 'tls', 'ports', 'interrupts', 'exceptions'] as const;

/** An option; one without `value` is a flag. */
interface RunOptionRow {
  readonly name: string;
  /** What it takes, as help names it. */
  readonly value?: string;
  readonly about: readonly string[];
  /** May be given again. */
  readonly repeats?: true;
  /** Of use under GDB's protocol, too; a text where help says something else there. */
  readonly gdb?: true | string;
  /** It says what is booted, which `exec` decides. */
  readonly boots?: true;
}

const rows = [
  {
    name: 'symbols',
    value: 'FILE',
    about: ['ELF file with the symbols (default: IMAGE.dbg where it exists)'],
    gdb: "ELF file with the symbols, for the guest's threads (default: IMAGE.dbg where it exists)",
  },
  { name: 'initrd', value: 'FILE|DIR', about: ['initial RAM disk; a directory is packed into a cpio archive'], gdb: true, boots: true },
  { name: 'append', value: 'STRING', about: ['kernel command line'], gdb: true, boots: true },
  { name: 'memory', value: 'MIB', about: ['memory in MiB (default 128)'], gdb: true },
  { name: 'net', value: 'SPEC', about: ['network: user[,hostfwd=tcp:ADDR:PORT-:PORT][,restrict=off]'], gdb: true },
  {
    name: 'disk',
    value: 'FILE[,readonly]',
    about: ['a virtio disk with the contents of FILE; what the guest writes is not kept; may be repeated'],
    repeats: true,
    gdb: true,
  },
  {
    name: 'device',
    value: 'rng|console',
    about: ['a virtio source of random numbers, a virtio console; may be repeated'],
    repeats: true,
    gdb: true,
  },
  { name: 'trace', value: 'KINDS', about: [`what to trace: ${traceKinds.join(', ')}; separated by commas`] },
  {
    name: 'trace-out',
    value: 'FILE',
    about: [
      "where the trace goes (default: standard error); FILE.json: Chrome's trace format, for",
      'ui.perfetto.dev; FILE.strace: as strace -f -tt prints',
    ],
  },
  {
    name: 'record',
    value: 'FILE',
    about: ['write the session to FILE at its end: what reached the machine, for --replay here or elsewhere'],
  },
  {
    name: 'replay',
    value: 'FILE',
    about: ['let a recorded session happen again, exactly; --append, --memory and --cpu come from it'],
    boots: true,
  },
  { name: 'max-instructions', value: 'N', about: ['stop after so many instructions, with status 124'] },
  { name: 'timeout', value: 'SECONDS', about: ['stop after so much time, with status 124'] },
  { name: 'stats', about: ['print one line of JSON about the run on standard error'] },
  {
    name: 'clock',
    value: 'real|skip',
    about: ['let idle time pass, or skip it (default: real at a terminal, else skip)'],
    gdb: 'let idle time pass, or skip it (default real)',
  },
  { name: 'cpu', value: 'min|default', about: ['processor model'], gdb: true },
  { name: 'jit', value: 'on|off|eager', about: ['translate hot code (default on); eager: all code at once'], gdb: true },
  { name: 'keep', value: 'on|off', about: ['keep translated code in the folder for caches, for later runs (default on)'], gdb: true },
  { name: 'calibrate', about: ['let the guest measure the clock instead of telling it the frequency'], gdb: true },
  { name: 'help', about: ['show this text'], gdb: true },
] as const satisfies readonly RunOptionRow[];

type Row = (typeof rows)[number];
export type Valued = Extract<Row, { value: string }>['name'];
export type Repeated = Extract<Row, { repeats: true }>['name'];
export type Flag = Exclude<Row, { value: string }>['name'];

const all: readonly RunOptionRow[] = rows;
const namesOf = <T extends string>(fits: (row: RunOptionRow) => boolean): readonly T[] => all.filter(fits).map(({ name }) => name as T);

/** Names of the options that take a value, of those that may be repeated, and of the flags. */
export const valued = namesOf<Valued>(({ value }) => value !== undefined);
export const repeated = namesOf<Repeated>(({ repeats }) => repeats === true);
export const flags = namesOf<Flag>(({ value }) => value === undefined);
/** Those that say what is booted. */
export const booting: readonly string[] = namesOf(({ boots }) => boots === true);
/** Those that mean nothing under GDB's protocol. */
export const foreignToGdb = namesOf<Valued | Flag>(({ gdb }) => gdb === undefined);

const COLUMN = 26;

/** Lines of help: an option and what it does. */
export function optionLines(option: string, about: readonly string[]): string {
  const [first, ...more] = about;
  return [`  ${option}`.padEnd(COLUMN) + first!, ...more.map((line) => ' '.repeat(COLUMN) + line)].map((line) => `${line}\n`).join('');
}

/** What help says of the options of `run`, or of those that `gdb` has of them. */
export function runOptionHelp(command: 'run' | 'gdb'): string {
  return all
    .filter(({ gdb }) => command === 'run' || gdb !== undefined)
    .map(({ name, value, about, gdb }) =>
      optionLines(`--${name}${value === undefined ? '' : ` ${value}`}`, command === 'gdb' && typeof gdb === 'string' ? [gdb] : about),
    )
    .join('');
}
