/** `Unikernel: Syscalls`: the guest's system calls and TLS switches as they happen, filtered, summed up, exported; a click goes to the code that made the call. */
import * as vscode from 'vscode';
import { type EventDetails, type SummaryAnswer } from '../../debug-adapter/dap/custom';
import { type Context } from '../context';
import { commands, views } from '../manifest';
import { duration, type GuestSession, guestView, openPlace } from './guest-session';

type Row =
  | { readonly kind: 'event'; readonly event: EventDetails }
  /** Events between two system calls, newest first, which would drown them. */
  | { readonly kind: 'run'; readonly events: readonly EventDetails[] }
  | { readonly kind: 'summary'; readonly row: SummaryAnswer['rows'][number] };

const mostRows = 500;
const filteredKey = 'unikernel.syscallsFiltered';

const classIcons: readonly (readonly [string, string])[] = [
  ['file', 'file'],
  ['network', 'globe'],
  ['memory', 'database'],
  ['process', 'server-process'],
  ['signal', 'zap'],
  ['time', 'watch'],
  ['sched', 'arrow-swap'],
  ['ipc', 'link'],
  ['creds', 'key'],
  ['system', 'gear'],
  ['desc', 'file-symlink-file'],
];

export function registerSyscallsView(context: Context): void {
  let tree: SyscallTree | undefined;
  const { guest, view } = guestView<Row>(context, views.syscalls, true, (session) => (tree = new SyscallTree(session)));
  const shown = tree!;
  shown.onMessage = (message) => (view.message = message ?? '');
  const filter = (text: string): void => {
    shown.filter = text;
    void vscode.commands.executeCommand('setContext', filteredKey, text !== '');
    shown.refresh();
  };
  context.command(commands.filterSyscalls, async () => {
    const text = await vscode.window.showInputBox({
      title: 'Filter System Calls',
      value: shown.filter,
      prompt:
        'All words must match: write, open*, %file, %network, -ENOENT, failed, binary, native, thread:main, tls, ectx, irq; a,b for either, !a for not.',
    });
    if (text !== undefined) filter(text.trim());
  });
  context.command(commands.clearSyscallFilter, () => filter(''));
  context.command(commands.syscallSummary, () => {
    shown.summary = !shown.summary;
    shown.refresh();
  });
  context.command(commands.exportTrace, () => exportTrace(guest, shown.filter));
  context.command(commands.goToCaller, async (row) => {
    const { kind } = row as Row;
    if (kind !== 'event') return;
    const answer = await guest.ask('unikernel/eventPlace', { sequence: (row as Extract<Row, { kind: 'event' }>).event.sequence });
    if (answer?.place !== undefined) return openPlace(answer.place);
    const name = answer?.function;
    void vscode.window.setStatusBarMessage(
      name === undefined
        ? 'The call is no longer kept: the newest 8192 events are.'
        : `The call came from ${name}, which has no source here.`,
      5000,
    );
  });
}

class SyscallTree implements vscode.TreeDataProvider<Row> {
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  filter = '';
  summary = false;
  onMessage: ((message: string | undefined) => void) | undefined;

  constructor(private readonly guest: GuestSession) {
    guest.onDidChange(() => this.refresh());
  }

  refresh(): void {
    this.#changed.fire(undefined);
  }

  async getChildren(row?: Row): Promise<Row[]> {
    if (row?.kind === 'run') return row.events.map((event): Row => ({ kind: 'event', event }));
    if (row !== undefined) return [];
    return this.summary ? this.#summary() : this.#events();
  }

  getTreeItem(row: Row): vscode.TreeItem {
    if (row.kind === 'run') return runItem(row.events);
    return row.kind === 'event' ? eventItem(row) : summaryItem(row.row);
  }

  /** Newest first: what happens now stays in sight. */
  async #events(): Promise<Row[]> {
    const answer = await this.guest.ask('unikernel/syscalls', { limit: mostRows, ...(this.filter === '' ? {} : { filter: this.filter }) });
    if (answer === undefined) {
      this.onMessage?.(undefined);
      return [];
    }
    const parts = [
      ...(this.filter === '' ? [] : [`Filter: ${this.filter}`]),
      ...(answer.events.length === answer.total ? [] : [`newest ${answer.events.length} of ${answer.total} events`]),
      ...(answer.oldest > 0 ? [`${answer.oldest} no longer kept`] : []),
    ];
    this.onMessage?.(parts.length === 0 ? undefined : parts.join(' · '));
    return grouped(answer.events.toReversed());
  }

  async #summary(): Promise<Row[]> {
    const answer = await this.guest.ask('unikernel/syscallSummary', this.filter === '' ? {} : { filter: this.filter });
    const rows = answer?.rows ?? [];
    const calls = rows.reduce((sum, each) => sum + each.calls, 0);
    const errors = rows.reduce((sum, each) => sum + each.errors, 0);
    const time = rows.reduce((sum, each) => sum + each.nanoseconds, 0);
    this.onMessage?.(
      `Summary: ${calls} calls, ${errors} failed, ${duration(time)} of the guest's time${this.filter === '' ? '' : ` · ${this.filter}`}`,
    );
    return rows.map((row): Row => ({ kind: 'summary', row }));
  }
}

/** Puts events other than system calls that follow one another under one row; two stay as they are. */
function grouped(events: readonly EventDetails[]): Row[] {
  const rows: Row[] = [];
  let run: EventDetails[] = [];
  const flush = (): void => {
    if (run.length > 2) rows.push({ kind: 'run', events: run });
    else rows.push(...run.map((event): Row => ({ kind: 'event', event })));
    run = [];
  };
  for (const event of events) {
    if (event.kind !== 'syscall') {
      run.push(event);
      continue;
    }
    flush();
    rows.push({ kind: 'event', event });
  }
  flush();
  return rows;
}

const kindNames: Readonly<Record<EventDetails['kind'], string>> = {
  syscall: 'system calls',
  segmentBase: 'TLS switches',
  extendedState: 'saves and restores of extended registers',
  interrupt: 'interrupts',
  interruptReturn: 'returns from interrupts',
  exception: 'exceptions',
  threadSwitch: 'switches between threads',
};

function runItem(events: readonly EventDetails[]): vscode.TreeItem {
  const counts = new Map<EventDetails['kind'], number>();
  for (const { kind } of events) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const label = [...counts].map(([kind, count]) => `${count} ${kindNames[kind]}`).join(', ');
  const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState.Collapsed);
  // The oldest event stays the same while newer ones join.
  item.id = `run ${events.at(-1)!.sequence}`;
  item.description = [...new Set(events.map(({ thread }) => thread.name))].join(', ');
  item.iconPath = iconOf(events[0]!);
  return item;
}

function eventItem(row: Extract<Row, { kind: 'event' }>): vscode.TreeItem {
  const { event } = row;
  const item = new vscode.TreeItem('');
  item.id = `event ${event.sequence}`;
  const { label, description } = texts(event);
  item.label = label;
  item.description = description;
  item.iconPath = iconOf(event);
  item.contextValue = 'syscall';
  const tooltip = new vscode.MarkdownString();
  tooltip.appendCodeblock(event.text, 'c');
  tooltip.appendMarkdown(
    [
      `${event.thread.name}, ${duration(event.time)} after reset, instruction ${event.instruction}`,
      ...(event.duration === undefined ? [] : [`took ${duration(event.duration)}`]),
      ...(event.path === undefined
        ? []
        : [event.path === 'binary' ? `by a syscall instruction at \`${event.address}\`` : 'by a direct call']),
    ].join('  \n'),
  );
  item.tooltip = tooltip;
  item.command = { command: commands.goToCaller, title: 'Go to Caller', arguments: [row] };
  return item;
}

function texts(event: EventDetails): { readonly label: string; readonly description: string } {
  if (event.kind !== 'syscall') return { label: event.text.replace(/,? at 0x[0-9a-f]+$/, ''), description: event.thread.name };
  // The result is the description, so that it stays readable beside a long call.
  const call =
    event.result === undefined ? event.text : event.text.slice(0, event.text.length - event.result.length).replace(/\s*=\s*$/, '');
  const took = event.duration === undefined ? '' : ` · ${duration(event.duration)}`;
  return { label: call, description: `= ${event.result ?? '?'}${took} · ${event.thread.name}` };
}

function iconOf(event: EventDetails): vscode.ThemeIcon {
  if (event.kind === 'segmentBase') return new vscode.ThemeIcon('layers', new vscode.ThemeColor('charts.green'));
  if (event.kind === 'extendedState') return new vscode.ThemeIcon('save', new vscode.ThemeColor('charts.purple'));
  if (event.kind !== 'syscall') return new vscode.ThemeIcon('zap', new vscode.ThemeColor('charts.yellow'));
  const icon = classIcons.find(([name]) => event.classes?.includes(name))?.[1] ?? 'symbol-method';
  const color = event.failed === true ? 'charts.red' : event.path === 'binary' ? 'charts.blue' : undefined;
  return new vscode.ThemeIcon(icon, color === undefined ? undefined : new vscode.ThemeColor(color));
}

function summaryItem(row: SummaryAnswer['rows'][number]): vscode.TreeItem {
  const item = new vscode.TreeItem(row.name);
  item.id = `summary ${row.name}`;
  const failed = row.errors === 0 ? '' : ` · ${row.errors} failed`;
  item.description = `${row.calls} ${row.calls === 1 ? 'call' : 'calls'}${failed} · ${duration(row.nanoseconds)} · ${(row.share * 100).toFixed(1)} %`;
  item.tooltip = `${row.name}: ${duration(row.calls === 0 ? 0 : row.nanoseconds / row.calls)} and ${Math.round(row.instructions / Math.max(row.calls, 1))} instructions a call`;
  item.iconPath = new vscode.ThemeIcon('graph', row.errors === 0 ? undefined : new vscode.ThemeColor('charts.red'));
  return item;
}

async function exportTrace(guest: GuestSession, filter: string): Promise<void> {
  const formats = [
    { label: 'strace text', description: 'as strace -f -tt prints', format: 'strace', extension: 'txt' },
    { label: 'Chrome trace JSON', description: 'for ui.perfetto.dev and chrome://tracing', format: 'chrome', extension: 'json' },
  ] as const;
  const picked = await vscode.window.showQuickPick(formats, { title: 'Export Trace' });
  if (picked === undefined) return;
  const answer = await guest.ask('unikernel/exportTrace', { format: picked.format, ...(filter === '' ? {} : { filter }) });
  if (answer === undefined) throw new Error('There is no session to export a trace of. Start one first.');
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const target = await vscode.window.showSaveDialog({
    ...(folder === undefined ? {} : { defaultUri: vscode.Uri.joinPath(folder, `trace.${picked.extension}`) }),
    filters: { [picked.label]: [picked.extension] },
  });
  if (target === undefined) return;
  await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(answer.text));
  await vscode.window.showTextDocument(target);
}
