/** `Unikernel: Registers`: the processor's registers in groups, those that changed since the last stop marked, each to be changed in place. */
import * as vscode from 'vscode';
import { type DebugProtocol } from '@vscode/debugprotocol';
import { type Context } from '../context';
import { commands, views } from '../manifest';
import { type GuestSession, guestView } from './guest-session';

type Row =
  | { readonly kind: 'group'; readonly name: string; readonly reference: number }
  | { readonly kind: 'register'; readonly group: number; readonly path: string; readonly variable: DebugProtocol.Variable };

/** How the adapter names its register scopes. */
const scopePrefix = 'Registers: ';
const changedAttribute = 'unikernelChanged';

export function registerRegistersView(context: Context): void {
  let tree: RegisterTree | undefined;
  const { guest } = guestView<Row>(context, views.registers, false, (session) => (tree = new RegisterTree(session)));
  context.command(commands.editRegister, async (argument) => {
    const row = argument as Row;
    if (row.kind !== 'register') return;
    const value = await vscode.window.showInputBox({ title: `Change ${row.variable.name}`, value: row.variable.value.split(' ')[0] ?? '' });
    if (value === undefined || guest.session === undefined) return;
    // Not through `request`: a value that does not fit is said.
    await guest.session.customRequest('setVariable', { variablesReference: row.group, name: row.variable.name, value });
    tree?.refresh();
  });
}

class RegisterTree implements vscode.TreeDataProvider<Row> {
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changed.event;

  constructor(private readonly guest: GuestSession) {
    guest.onDidChange(() => this.refresh());
  }

  refresh(): void {
    this.#changed.fire(undefined);
  }

  async getChildren(row?: Row): Promise<Row[]> {
    if (row === undefined) return this.#groups();
    const reference = row.kind === 'group' ? row.reference : row.variable.variablesReference;
    const path = row.kind === 'group' ? row.name : row.path;
    const answer = await this.guest.request<DebugProtocol.VariablesResponse['body']>('variables', { variablesReference: reference });
    return (answer?.variables ?? []).map((variable): Row => ({
      kind: 'register',
      group: reference,
      path: `${path}/${variable.name}`,
      variable,
    }));
  }

  getTreeItem(row: Row): vscode.TreeItem {
    if (row.kind === 'group') {
      const general = row.name === 'General';
      const item = new vscode.TreeItem(row.name, vscode.TreeItemCollapsibleState[general ? 'Expanded' : 'Collapsed']);
      item.id = row.name;
      item.iconPath = new vscode.ThemeIcon('chip');
      return item;
    }
    const { variable, path } = row;
    const changed = variable.presentationHint?.attributes?.includes(changedAttribute) ?? false;
    const item = new vscode.TreeItem(
      // Highlighting is what a tree has to mark a label with.
      { label: variable.name, highlights: changed ? [[0, variable.name.length]] : [] },
      vscode.TreeItemCollapsibleState[variable.variablesReference > 0 ? 'Collapsed' : 'None'],
    );
    item.id = path;
    item.description = variable.value;
    // The type of a bit is what it means.
    item.tooltip = `${variable.name} = ${variable.value}${variable.type === undefined ? '' : `\n${variable.type}`}${changed ? '\nchanged since the last stop' : ''}`;
    item.iconPath = changed
      ? new vscode.ThemeIcon('circle-filled', new vscode.ThemeColor('charts.orange'))
      : new vscode.ThemeIcon('circle-small');
    item.contextValue = variable.presentationHint?.attributes?.includes('readOnly') === true ? 'fixed' : 'register';
    return item;
  }

  async #groups(): Promise<Row[]> {
    if (!this.guest.stopped) return [];
    // Before the call stack is shown, the innermost frame of the running thread.
    const answer = await this.guest.request<DebugProtocol.ScopesResponse['body']>('scopes', { frameId: this.guest.frame ?? 1 });
    return (answer?.scopes ?? [])
      .filter(({ name }) => name.startsWith(scopePrefix))
      .map(({ name, variablesReference }): Row => ({ kind: 'group', name: name.slice(scopePrefix.length), reference: variablesReference }));
  }
}
