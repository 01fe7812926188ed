/** Sessions as files: saved from a stopped guest, and opened again, here or on another machine, with the image that they were recorded of. */
import * as vscode from 'vscode';
import { type HistoryRequests } from '../../debug-adapter/dap/custom';
import { type Context } from '../context';
import { debugType } from '../manifest';

const filters = { 'Unikernel session': ['uksession'] };

/** Asks where to, and writes the session there. */
export async function saveSession(session: vscode.DebugSession): Promise<void> {
  const folder = session.workspaceFolder?.uri ?? vscode.workspace.workspaceFolders?.[0]?.uri;
  const image = String(session.configuration['image'] ?? 'session');
  const name = `${image.slice(Math.max(image.lastIndexOf('/'), image.lastIndexOf('\\')) + 1)}.uksession`;
  const target = await vscode.window.showSaveDialog({
    title: 'Save Session',
    filters,
    ...(folder === undefined ? {} : { defaultUri: vscode.Uri.joinPath(folder, name) }),
  });
  if (target === undefined) return;
  const { data } = (await session.customRequest('unikernel/saveSession')) as HistoryRequests['unikernel/saveSession'][1];
  await vscode.workspace.fs.writeFile(
    target,
    Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)),
  );
  void vscode.window.showInformationMessage(
    `The session is saved. It opens wherever the same image is, with “Unikernel: Open Saved Session…”.`,
  );
}

/** Asks for a session and for the image that it is of, and starts it with the settings of the launch configuration of that image, where there is one. */
export async function openSession(context: Context): Promise<void> {
  const [file] = (await vscode.window.showOpenDialog({ title: 'Open Saved Session', filters })) ?? [];
  if (file === undefined) return;
  const folder = vscode.workspace.getWorkspaceFolder(file) ?? vscode.workspace.workspaceFolders?.[0];
  const configured = (vscode.workspace.getConfiguration('launch', folder).get<vscode.DebugConfiguration[]>('configurations') ?? []).filter(
    ({ type, image }) => type === debugType && typeof image === 'string',
  );
  const browse = { label: '$(folder-opened) Choose the image…', configuration: undefined };
  const items = [
    ...configured.map((configuration) => ({ label: configuration.name, description: String(configuration['image']), configuration })),
    browse,
  ];
  const picked =
    configured.length === 0 ? browse : await vscode.window.showQuickPick(items, { title: 'The launch that the session is of' });
  if (picked === undefined) return;
  let { configuration } = picked as { readonly configuration: vscode.DebugConfiguration | undefined };
  if (configuration === undefined) {
    const [image] = (await vscode.window.showOpenDialog({ title: 'The image that the session was recorded of' })) ?? [];
    if (image === undefined) return;
    configuration = { type: debugType, request: 'launch', name: 'Saved session', image: image.fsPath };
  }
  context.log.appendLine(`opening ${file.fsPath}`);
  await vscode.debug.startDebugging(folder, { ...configuration, session: file.fsPath });
}
