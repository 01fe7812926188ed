/** Commands of the debug console beside expressions: where the guest is in its history, and tables that no variable shows. */
import { CodedError } from './channel';
import { type GuestModel } from './guest';
import { type TimeTravel } from './history/travel';
import { describeRights, mappedRanges, sizeText, usesFourLevels, walkTables } from './page-tables';
import { hex } from './registers';
import { type Target } from './target';
import { type TraceLog } from './trace-log';

/** What commands may ask and do. */
export interface CommandHost {
  readonly target: Target;
  readonly guest: GuestModel;
  readonly travel: TimeTravel | undefined;
  readonly traceLog: TraceLog;
  /** Moments that the user marked. */
  readonly marks: Map<string, number>;
  /** The number that an expression gives. */
  number(expression: string): bigint;
  seek(instruction: number): void;
}

interface Command {
  readonly name: string;
  readonly usage: string;
  readonly help: string;
  run(host: CommandHost, rest: string): string;
}

/** Rows of one answer. */
const mostRows = 200;
const count = (value: number): string => value.toLocaleString('en-US');
const refuse = (text: string): CodedError => new CodedError('command', text);

const commands: readonly Command[] = [
  { name: 'help', usage: 'help', help: 'show this list', run: () => helpText() },
  { name: 'when', usage: 'when', help: 'the moment that the guest stands at', run: (host) => when(host) },
  {
    name: 'seek',
    usage: 'seek INSTRUCTION | NAME',
    help: 'go to a moment of the recorded past, by its instruction count or the name of a checkpoint',
    run: (host, rest) => seek(host, rest),
  },
  {
    name: 'checkpoint',
    usage: 'checkpoint [NAME]',
    help: 'give the present moment a name to seek to; without one, list the names',
    run: (host, rest) => checkpoint(host, rest),
  },
  {
    name: 'trace',
    usage: 'trace [FILTER]',
    help: 'the newest traced events that a filter lets through, e.g. trace openat -ENOENT',
    run: ({ traceLog }, rest) =>
      rows(
        traceLog.page(undefined, mostRows, rest).events.map(({ text }) => text),
        'No such event is recorded.',
      ),
  },
  { name: 'info threads', usage: 'info threads', help: "the guest's threads", run: (host) => threads(host) },
  { name: 'info tlb', usage: 'info tlb', help: 'every mapping of the page tables, with its rights', run: ({ target }) => mappings(target) },
  {
    name: 'info pt',
    usage: 'info pt ADDRESS',
    help: 'the page table entries on the way to an address',
    run: (host, rest) => walk(host, rest),
  },
];

/** Runs a line of the console where it is a command; undefined where it is none. Throws a CodedError for what a command cannot do. */
export function runCommand(host: CommandHost, line: string): string | undefined {
  const text = line.trim();
  const command = commands.find(({ name }) => text === name || text.startsWith(`${name} `));
  if (command !== undefined) return command.run(host, text.slice(command.name.length).trim());
  if (/^info(\s|$)/.test(text)) throw refuse('info is followed by threads, tlb or pt ADDRESS.');
  return undefined;
}

/** Names of the commands that begin like this, for completion. */
export const commandsLike = (prefix: string): readonly string[] =>
  prefix === '' ? [] : commands.map(({ name }) => name).filter((name) => name.startsWith(prefix));

const helpText = (): string =>
  `${commands.map(({ usage, help }) => `${usage.padEnd(28)}${help}`).join('\n')}\nAnything else is a C expression; $name is a register, ",x" after it a format.`;

function rows(lines: readonly string[], none: string): string {
  if (lines.length === 0) return none;
  const shown = lines.slice(0, mostRows);
  return lines.length > mostRows ? `${shown.join('\n')}\n… ${count(lines.length - mostRows)} more` : shown.join('\n');
}

function when({ target, travel }: CommandHost): string {
  const { cpu, clock } = target.machine;
  const past = travel?.description;
  return `Instruction ${count(Number(cpu.retired))}, ${(clock.now() / 1e6).toFixed(3)} ms of the guest's time${past === undefined ? '' : `, ${past}`}.`;
}

function seek(host: CommandHost, rest: string): string {
  const moment = host.marks.get(rest) ?? (/^[\d,_]+$/.test(rest) ? Number(rest.replace(/[,_]/g, '')) : undefined);
  if (moment === undefined) throw refuse('seek takes an instruction count, or a name that checkpoint gave.');
  host.seek(moment);
  return `Going to instruction ${count(moment)}.`;
}

function checkpoint({ target, marks }: CommandHost, name: string): string {
  if (name === '')
    return rows(
      [...marks].map(([mark, moment]) => `${mark.padEnd(20)}instruction ${count(moment)}`),
      'No moment was named yet: checkpoint NAME.',
    );
  marks.set(name, Number(target.machine.cpu.retired));
  return `${name} is instruction ${count(Number(target.machine.cpu.retired))}: "seek ${name}" comes back here.`;
}

function threads({ guest }: CommandHost): string {
  const current = guest.currentId();
  return rows(
    guest.infos().map(({ id, name }) => `${id === current ? '*' : ' '} ${String(id).padStart(3)}  ${name}`),
    'There are no threads.',
  );
}

function mappings(target: Target): string {
  if (!usesFourLevels(target)) return 'The processor does not translate by four-level page tables now.';
  const { ranges, complete } = mappedRanges(target);
  const lines = ranges.map(
    ({ linear, physical, size, ...rights }) =>
      `${hex(linear)}-${hex(linear + size)}  physical ${hex(physical)}  ${sizeText(size).padStart(6)}  ${describeRights(rights)}`,
  );
  return `${rows(lines, 'Nothing is mapped.')}${complete ? '' : '\nThere is more than can be listed.'}`;
}

function walk(host: CommandHost, rest: string): string {
  if (rest === '') throw refuse('info pt takes an address or an expression.');
  const address = host.number(rest);
  const entries = walkTables(host.target, address);
  if (entries.length === 0) return 'The processor does not translate by four-level page tables now.';
  const lines = entries.map(({ level, at, value, present, page }) => {
    const end = page === undefined ? '' : `, maps a page of ${sizeText(BigInt(page))}`;
    return `${level.padEnd(6)} at physical ${hex(BigInt(at))}: ${hex(value)}${present ? end : ', not present'}`;
  });
  const mapping = host.target.machine.cpu.translate(address);
  const last =
    mapping === undefined
      ? `${hex(address)} is not mapped.`
      : `${hex(address)} is physical ${hex(BigInt(mapping.physical))}, ${describeRights(mapping)}.`;
  return [...lines, last].join('\n');
}
