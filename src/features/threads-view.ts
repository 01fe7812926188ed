/** `Unikernel: Threads & TLS`: the guest's threads with states, places and system calls, and below each its thread-local blocks, stacks and saved registers. */
import * as vscode from 'vscode';
import { type ThreadDetails, type TlsBlock, type TlsVariable } from '../../debug-adapter/dap/custom';
import { type Context } from '../context';
import { commands, views } from '../manifest';
import { duration, type GuestSession, guestView } from './guest-session';
import { allocatorRows, kernelItem, type KernelRow, queueRows, testRows } from './kernel-rows';
import { fileAt } from './places';

type Row =
  | { readonly kind: 'thread'; readonly thread: ThreadDetails }
  | { readonly kind: 'tls'; readonly thread: ThreadDetails; readonly block: TlsBlock }
  | { readonly kind: 'variable'; readonly variable: TlsVariable }
  | { readonly kind: 'extended'; readonly thread: ThreadDetails }
  | KernelRow
  | { readonly kind: 'fact'; readonly label: string; readonly text: string; readonly icon?: string; readonly tooltip?: string };

const stateIcons: Readonly<Record<ThreadDetails['state'], readonly [icon: string, color: string | undefined]>> = {
  running: ['debug-start', 'debugIcon.startForeground'],
  runnable: ['circle-outline', undefined],
  sleeping: ['watch', undefined],
  blocked: ['lock', 'list.warningForeground'],
  exited: ['circle-slash', 'disabledForeground'],
  idle: ['coffee', 'disabledForeground'],
};

export function registerThreadsView(context: Context): void {
  const { guest, view } = guestView<Row>(context, views.threads, true, (session) => new ThreadTree(session));
  void view;
  context.command(commands.refreshThreads, () => guest.show(true));
}

class ThreadTree implements vscode.TreeDataProvider<Row> {
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changed.event;

  constructor(private readonly guest: GuestSession) {
    guest.onDidChange(() => this.#changed.fire(undefined));
  }

  async getChildren(row?: Row): Promise<Row[]> {
    if (row === undefined) return this.#threads();
    if (row.kind === 'thread') return threadRows(row.thread);
    if (row.kind === 'kernel') return [...row.below];
    if (row.kind === 'extended')
      return (row.thread.extendedRegisters ?? []).map(({ name, value }): Row => ({
        kind: 'fact',
        label: name,
        text: value,
        icon: 'circle-small',
      }));
    if (row.kind !== 'tls') return [];
    const answer = await this.guest.ask('unikernel/tls', { threadId: row.thread.id });
    const block = answer?.blocks.find(({ owner }) => owner === row.block.owner);
    const variables = (block?.variables ?? []).map((variable): Row => ({ kind: 'variable', variable }));
    return variables.length > 0
      ? variables
      : [{ kind: 'fact', label: 'No variable is known here', text: row.block.owner === 'kernel' ? '' : 'its symbols are not loaded' }];
  }

  getTreeItem(row: Row): vscode.TreeItem {
    switch (row.kind) {
      case 'thread':
        return threadItem(row.thread);
      case 'tls':
        return tlsItem(row.thread, row.block);
      case 'kernel':
        return kernelItem(row);
      case 'extended': {
        const item = new vscode.TreeItem('Saved extended registers', vscode.TreeItemCollapsibleState.Collapsed);
        item.id = `extended ${row.thread.address}`;
        item.description = `${row.thread.extendedState ?? ''} · ${row.thread.extendedRegisters?.length ?? 0} not 0`;
        item.iconPath = new vscode.ThemeIcon('save');
        return item;
      }
      case 'variable': {
        const item = new vscode.TreeItem(row.variable.name);
        item.description = row.variable.value;
        item.tooltip = `${row.variable.type} ${row.variable.name} = ${row.variable.value}\nat ${row.variable.address}`;
        item.iconPath = new vscode.ThemeIcon('symbol-variable');
        return item;
      }
      case 'fact': {
        const item = new vscode.TreeItem(row.label);
        item.description = row.text;
        item.tooltip = row.tooltip ?? `${row.label}: ${row.text}`;
        if (row.icon !== undefined) item.iconPath = new vscode.ThemeIcon(row.icon);
        return item;
      }
    }
  }

  async #threads(): Promise<Row[]> {
    const answer = await this.guest.ask('unikernel/threads');
    if (answer === undefined) return [];
    const notes = answer.notes.map((text): Row => ({ kind: 'fact', label: 'Note', text, icon: 'warning', tooltip: text }));
    const [allocators, tests] = await Promise.all([this.guest.ask('unikernel/allocators'), this.guest.ask('unikernel/tests')]);
    const kernel = [
      ...queueRows(answer),
      ...(allocators === undefined ? [] : allocatorRows(allocators)),
      ...(tests === undefined ? [] : testRows(tests)),
    ];
    const threads: Row[] = answer.scheduler
      ? answer.threads.map((thread) => ({ kind: 'thread', thread }))
      : [{ kind: 'fact', label: 'CPU 0', text: 'no scheduler runs in this image yet', icon: 'chip' }];
    return [...threads, ...notes, ...kernel];
  }
}

function threadItem(thread: ThreadDetails): vscode.TreeItem {
  const item = new vscode.TreeItem(
    thread.name,
    thread.current ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.Collapsed,
  );
  // The identity keeps a row open while its contents change.
  item.id = `thread ${thread.address}`;
  const waits = thread.waitsFor === undefined ? undefined : `for ${thread.waitsFor}`;
  const doing = thread.syscall ?? waits ?? thread.where;
  item.description = [thread.state, ...(doing === undefined ? [] : [doing])].join(' · ');
  const [icon, color] = stateIcons[thread.state];
  item.iconPath = new vscode.ThemeIcon(icon, color === undefined ? undefined : new vscode.ThemeColor(color));
  item.tooltip = new vscode.MarkdownString(
    [
      `**${thread.name}** ${thread.state}`,
      ...(thread.where === undefined ? [] : [`at ${thread.where}`]),
      ...(thread.syscall === undefined ? [] : [`in \`${thread.syscall}\``]),
      `control block \`${thread.address}\`, pc \`${thread.pc}\`, sp \`${thread.sp}\``,
    ].join('  \n'),
  );
  if (thread.place !== undefined) {
    const { path, line, column } = thread.place;
    const at = new vscode.Position(line - 1, Math.max(column - 1, 0));
    item.command = {
      command: 'vscode.open',
      title: 'Open',
      arguments: [fileAt(path), { selection: new vscode.Range(at, at), preserveFocus: true } satisfies vscode.TextDocumentShowOptions],
    };
  }
  return item;
}

function tlsItem(thread: ThreadDetails, block: TlsBlock): vscode.TreeItem {
  const item = new vscode.TreeItem(
    block.owner === 'kernel' ? 'Unikraft TLS' : 'Application TLS',
    vscode.TreeItemCollapsibleState.Collapsed,
  );
  item.id = `tls ${thread.address} ${block.owner}`;
  const size = block.size === undefined ? [] : [`${block.size} bytes`];
  item.description = [block.pointer, ...size, ...(block.active ? [thread.current ? 'in FS now' : 'in FS when it goes on'] : [])].join(
    ' · ',
  );
  item.tooltip = block.base === undefined ? `Thread pointer ${block.pointer}` : `Thread pointer ${block.pointer}, block from ${block.base}`;
  item.iconPath = new vscode.ThemeIcon(
    block.active ? 'layers-active' : 'layers',
    block.active ? new vscode.ThemeColor('charts.green') : undefined,
  );
  return item;
}

function threadRows(thread: ThreadDetails): Row[] {
  const fact = (label: string, text: string | undefined, icon: string): Row[] =>
    text === undefined ? [] : [{ kind: 'fact', label, text, icon }];
  return [
    ...fact('System call', thread.syscall, 'symbol-method'),
    ...fact('Waits for', thread.waitsFor, 'watch'),
    ...fact('At', thread.where, 'debug-stackframe'),
    ...thread.tls.map((block): Row => ({ kind: 'tls', thread, block })),
    ...fact('Stack', stackText(thread), 'list-tree'),
    ...fact('Auxiliary stack', thread.auxStack, 'list-tree'),
    ...(thread.extendedRegisters === undefined
      ? fact('Saved extended registers', thread.extendedState, 'save')
      : [{ kind: 'extended', thread } satisfies Row]),
    ...fact('Wakes at', thread.wakeup === undefined ? undefined : duration(thread.wakeup), 'watch'),
    ...fact('Ran for', thread.executed === 0 ? undefined : duration(thread.executed), 'pulse'),
    ...fact('Flags', thread.flags.length === 0 ? undefined : thread.flags.join(' '), 'tag'),
    ...fact('Control block', thread.address, 'symbol-structure'),
  ];
}

/** Where the stack pointer is, and how much lies below it where the bottom is known. */
function stackText({ sp, stack }: ThreadDetails): string {
  if (stack === undefined) return `rsp ${sp}`;
  const free = BigInt(sp) - BigInt(stack);
  return free < 0n ? `${stack}, rsp ${sp} lies outside` : `${stack}, rsp ${sp} (${free} bytes left)`;
}
