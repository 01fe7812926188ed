/** Time travel in the editor: where the guest stands in its history, in the status bar, and the commands that take it elsewhere. */
import * as vscode from 'vscode';
import {
  type ConsoleLinesAnswer,
  type HistoryAnswer,
  type HistoryRequests,
  type SeekArguments,
  type SyscallsAnswer,
} from '../../debug-adapter/dap/custom';
import { type Context } from '../context';
import { commands } from '../manifest';
import { isGuestTerminal } from './console';
import { duration, GuestSession } from './guest-session';
import { openSession, saveSession } from './saved-sessions';
import { instructionOf, positionText } from './travel-text';

/** Rows offered to choose from. */
const mostLines = 2000;

export function registerTravel(context: Context): void {
  const guest = context.own(new GuestSession(true));
  guest.show(true);
  const travel = new Travel(context, guest);
  context.command(commands.reverseNext, () => travel.send('unikernel/reverseNext', { granularity: 'line' }));
  context.command(commands.reverseIn, () => travel.send('unikernel/reverseIn', { granularity: 'line' }));
  context.command(commands.reverseOut, () => travel.send('unikernel/reverseOut', { granularity: 'line' }));
  context.command(commands.travel, () => travel.choose());
  context.command(commands.travelToInstruction, () => travel.toInstruction());
  context.command(commands.travelToConsoleLine, () => travel.toConsoleLine());
  context.command(commands.travelToSyscall, () => travel.toSyscall());
  context.command(commands.whoWrote, (argument) => travel.whoWrote(argument));
  context.command(commands.saveSession, () => saveSession(travel.stopped()));
  context.command(commands.openSession, () => openSession(context));
  context.own(
    vscode.window.registerTerminalLinkProvider({
      provideTerminalLinks: ({ line, terminal }) =>
        isGuestTerminal(terminal) && line.trim() !== '' && guest.stopped
          ? [{ startIndex: 0, length: line.length, tooltip: 'Travel to when this was printed', line: line.trim() }]
          : [],
      handleTerminalLink: ({ line }: vscode.TerminalLink & { readonly line: string }) => travel.toPrinted(line),
    }),
  );
}

class Travel {
  readonly #item: vscode.StatusBarItem;

  constructor(
    context: Context,
    private readonly guest: GuestSession,
  ) {
    this.#item = context.own(vscode.window.createStatusBarItem('unikernel.travel', vscode.StatusBarAlignment.Left, 19));
    this.#item.name = 'Unikernel: Position in History';
    this.#item.command = commands.travel;
    context.own(guest.onDidChange(() => void this.#update()));
  }

  /** The session, with its guest standing. Throws an Error for people where there is none such. */
  stopped(): vscode.DebugSession {
    const { session } = this.guest;
    if (session === undefined) throw new Error('No unikernel is being debugged. Start one with F5.');
    if (!this.guest.stopped) throw new Error('The guest runs. Pause it first: one travels from where it stands.');
    return session;
  }

  async send<K extends keyof HistoryRequests>(command: K, args?: HistoryRequests[K][0]): Promise<HistoryRequests[K][1]> {
    return (await this.stopped().customRequest(command, args)) as HistoryRequests[K][1];
  }

  /** What the status bar's item leads to. */
  async choose(): Promise<void> {
    const history = await this.send('unikernel/history');
    const go = (label: string, description: string, run: () => unknown): vscode.QuickPickItem & { run(): unknown } => ({
      label,
      description,
      run,
    });
    const separator = (label: string): vscode.QuickPickItem & { run(): unknown } => ({
      label,
      kind: vscode.QuickPickItemKind.Separator,
      run: () => undefined,
    });
    const to = (instruction: string) => (): Promise<void> => this.#seek({ instruction });
    const picked = await vscode.window.showQuickPick(
      [
        go('$(debug-start) To the End', history.inPast ? 'on to the present' : 'the guest stands there', to(history.end)),
        go('$(debug-restart) To the Start', history.start === '0' ? 'reset' : `instruction ${grouped(history.start)}`, to(history.start)),
        separator('moments'),
        go('$(symbol-number) To an Instruction or Percentage…', `of ${grouped(history.end)}`, () => this.toInstruction()),
        go('$(terminal) To a Console Line…', 'when it was printed', () => this.toConsoleLine()),
        go('$(symbol-method) To a System Call…', 'of the trace', () => this.toSyscall()),
        go('$(search) To the Last Write of a Place…', 'a variable or an address', () => this.whoWrote(undefined)),
        separator('session'),
        go('$(save) Save Session…', 'to a file that opens on another machine, too', () => saveSession(this.stopped())),
      ],
      { title: `Travel in Time: ${positionText(history).long}`, placeHolder: 'Where to?' },
    );
    await picked?.run();
  }

  async toInstruction(): Promise<void> {
    const history = await this.send('unikernel/history');
    const text = await vscode.window.showInputBox({
      title: 'Travel to an Instruction',
      value: history.position,
      prompt: `A number from ${grouped(history.start)} to ${grouped(history.end)}, a percentage such as 50%, or a step such as -1000 or +1M.`,
      validateInput: (value) => {
        const found = instructionOf(value, history);
        return typeof found === 'string' ? found : undefined;
      },
    });
    const instruction = text === undefined ? undefined : instructionOf(text, history);
    if (typeof instruction === 'bigint') await this.#seek({ instruction: String(instruction) });
  }

  async toConsoleLine(): Promise<void> {
    const { lines } = await this.send('unikernel/consoleLines', { limit: mostLines });
    if (lines.length === 0) throw new Error('The guest has printed nothing that history holds.');
    const items = lines.toReversed().map(({ text, offset }) => ({ label: text, offset }));
    const picked = await vscode.window.showQuickPick(items, {
      title: 'Travel to a Console Line',
      placeHolder: 'The instruction that began to print it',
    });
    if (picked !== undefined) await this.#seek({ consoleOffset: picked.offset });
  }

  /** To where a line of the terminal was printed: the last time, where it was printed again and again. */
  async toPrinted(line: string): Promise<void> {
    try {
      const { lines } = await this.send('unikernel/consoleLines', { search: line, limit: mostLines });
      const found: ConsoleLinesAnswer['lines'][number] | undefined = lines.findLast(({ text }) => text.trim() === line) ?? lines.at(-1);
      if (found === undefined) throw new Error('That line is not in history.');
      await this.#seek({ consoleOffset: found.offset });
    } catch (error) {
      void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
    }
  }

  async toSyscall(): Promise<void> {
    const { events } = (await this.stopped().customRequest('unikernel/syscalls', {
      limit: mostLines,
      filter: 'syscalls',
    })) as SyscallsAnswer;
    if (events.length === 0)
      throw new Error('No system call is recorded. Let "trace" in launch.json, or the setting unikernel.debug.trace, include "syscalls".');
    const items = events.toReversed().map(({ text, sequence, thread, time }) => ({
      label: text.replace(/ {2,}= /, ' = '),
      description: `${thread.name} · ${duration(time)}`,
      sequence,
    }));
    const picked = await vscode.window.showQuickPick(items, { title: 'Travel to a System Call', matchOnDescription: true });
    if (picked !== undefined) await this.#seek({ traceSequence: picked.sequence });
  }

  /** Back to the last write of what a context menu was opened on, or of what the user names. */
  async whoWrote(argument: unknown): Promise<void> {
    const session = this.stopped();
    const chosen = variableOf(argument);
    if (chosen !== undefined) return void (await this.send('unikernel/seekWrite', { ...chosen, ...this.#frame() }));
    const text = await vscode.window.showInputBox({
      title: 'Who Wrote This Last?',
      prompt: 'A variable or expression that lies in memory, or an address with a number of bytes: 0x121938,8',
    });
    if (text === undefined || text.trim() === '') return;
    const place = /^(0x[0-9a-f]+)\s*(?:,\s*(\d+))?$/i.exec(text.trim());
    const args = place === null ? { name: text.trim(), ...this.#frame() } : { address: place[1]!, bytes: Number(place[2] ?? 1) };
    await session.customRequest('unikernel/seekWrite', args);
  }

  #frame(): { readonly frameId?: number } {
    const { frame } = this.guest;
    return frame === undefined ? {} : { frameId: frame };
  }

  async #seek(place: SeekArguments): Promise<void> {
    await this.send('unikernel/seek', place);
  }

  async #update(): Promise<void> {
    const { session } = this.guest;
    const history = session === undefined ? undefined : await this.guest.request<HistoryAnswer>('unikernel/history');
    if (session === undefined || history === undefined) {
      this.#item.hide();
      return;
    }
    const { short, long } = positionText(history);
    this.#item.text = `$(${history.inPast ? 'history' : 'pulse'}) ${short}`;
    this.#item.backgroundColor = history.inPast ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    this.#item.tooltip = tooltip(history, long);
    this.#item.accessibilityInformation = { label: `Position in history: ${long}` };
    this.#item.show();
  }
}

/** Numbers with commas between thousands. */
const grouped = (digits: string): string => BigInt(digits).toLocaleString('en-US');

function tooltip(history: HistoryAnswer, position: string): vscode.MarkdownString {
  const text = new vscode.MarkdownString('', true);
  text.isTrusted = { enabledCommands: [commands.travel, commands.saveSession] };
  text.appendMarkdown(
    [
      `**${history.inPast ? 'In the past' : 'Live'}**: ${position}`,
      `History reaches back to ${history.start === '0' ? 'reset' : `instruction ${grouped(history.start)}`}, by ${history.checkpoints.length} checkpoints in ${mebibytes(history.memory)} of ${mebibytes(history.budget)}.`,
      `[$(history) Travel…](command:${commands.travel}) · [$(save) Save session…](command:${commands.saveSession})`,
    ].join('\n\n'),
  );
  return text;
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MiB`;

/** What the menus of the Variables and Watch views hand over: a variable in its group, or a watched expression. */
function variableOf(argument: unknown): { readonly name: string; readonly variablesReference?: number } | undefined {
  if (typeof argument !== 'object' || argument === null) return undefined;
  const { variable, container, name } = argument as {
    readonly variable?: { readonly name?: string; readonly evaluateName?: string };
    readonly container?: { readonly variablesReference?: number };
    readonly name?: unknown;
  };
  if (typeof variable?.evaluateName === 'string') return { name: variable.evaluateName };
  if (typeof variable?.name === 'string')
    return {
      name: variable.name,
      ...(container?.variablesReference === undefined ? {} : { variablesReference: container.variablesReference }),
    };
  return typeof name === 'string' ? { name } : undefined;
}
