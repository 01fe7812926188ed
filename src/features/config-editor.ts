/** The visual editor of .config files, and the commands around it. */
import * as vscode from 'vscode';
import { type Context } from '../context';
import { runConf } from '../kconfig/conf';
import { isApplication } from '../language-server/trees';
import { commands, configEditorType } from '../manifest';
import { dirName, layoutOf } from '../pool/tree';
import { startOf } from '../project/targets';
import { NodeFiles } from '../shared/files.node';
import { fillPage } from './config-editor-page';
import { ConfigEditorSession, type CostOf } from './config-editor-session';
import { openTree, readSettings } from './config-editor-tree';
import { type PoolWorkspace } from './pool-workspace';

/** The little of VS Code's Git extension that is used. */
interface GitExtension {
  getAPI(version: 1): { toGitUri(uri: vscode.Uri, ref: string): vscode.Uri; getRepository(uri: vscode.Uri): unknown };
}

const sessions = new Set<ConfigEditorSession>();

export function registerConfigEditor(context: Context, workspace: PoolWorkspace, costOf: CostOf): void {
  context.own(
    vscode.window.registerCustomEditorProvider(
      configEditorType,
      {
        resolveCustomTextEditor: (document, panel) => {
          const session = new ConfigEditorSession(context, document, panel, costOf);
          sessions.add(session);
          panel.onDidDispose(() => {
            sessions.delete(session);
            session.dispose();
          });
          fillPage(context, panel.webview, 'config-editor', 'Unikernel Configuration');
        },
      },
      { webviewOptions: { retainContextWhenHidden: false, enableFindWidget: false } },
    ),
  );
  context.command(commands.configure, async (target) => {
    const file = await configurationOf(context, workspace, target instanceof vscode.Uri ? target : undefined);
    if (file) await vscode.commands.executeCommand('vscode.openWith', file, configEditorType);
  });
  context.command(commands.configOpenText, async () => {
    const session = active();
    if (session) await vscode.commands.executeCommand('vscode.openWith', session.document.uri, 'default');
  });
  context.command(commands.configFind, () => active()?.focusSearch());
  context.command(commands.configSaveDefconfig, (target) => saveDefconfig(needed(target)));
  context.command(commands.configCompare, (target, against) =>
    compare(needed(target), against instanceof vscode.Uri ? against : undefined),
  );
}

/** The editor in front, or the one of a file. */
function active(target?: unknown): ConfigEditorSession | undefined {
  const all = [...sessions];
  if (target instanceof vscode.Uri) return all.find((session) => session.document.uri.toString() === target.toString());
  return all.find((session) => session.panel.active) ?? all.find((session) => session.panel.visible);
}

function needed(target: unknown): ConfigEditorSession {
  const session = active(target);
  if (!session) throw new Error('Open a configuration first: run Unikernel: Configure.');
  return session;
}

/** The .config of a project's current target; made from what the build would make it from where there is none. */
async function configurationOf(
  context: Context,
  workspace: PoolWorkspace,
  target: vscode.Uri | undefined,
): Promise<vscode.Uri | undefined> {
  if (target && isConfigName(target)) return target;
  const front = vscode.window.activeTextEditor?.document.uri;
  if (!target && front && isConfigName(front)) return front;
  const folder = target ? await folderOf(target) : await pickApplication((await workspace.current())?.folder);
  if (!folder) return undefined;
  const project = (await workspace.projects()).find((each) => each.isApplication && each.folder === folder.fsPath);
  // Who configures an application goes on to build it.
  if (project && project !== (await workspace.current())) await workspace.select(project);
  const file = project ? vscode.Uri.file(project.configFile) : vscode.Uri.joinPath(folder, '.config');
  if (await exists(file)) return file;
  const seed = project ? startOf(workspace.files, project)?.text : workspace.files.readText(`${folder.fsPath}/defconfig`);
  await vscode.workspace.fs.writeFile(file, new TextEncoder().encode(startText(context, folder, file, seed ?? '')));
  return file;
}

function isConfigName(uri: vscode.Uri): boolean {
  return /(?:^|\/)\.config(?:\.[^/]*)?$/.test(uri.path);
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}

async function folderOf(uri: vscode.Uri): Promise<vscode.Uri> {
  const stat = await vscode.workspace.fs.stat(uri);
  return stat.type & vscode.FileType.Directory ? uri : vscode.Uri.joinPath(uri, '..');
}

/** The application to configure: that of the file in front, the only one, or the one picked; the one that is worked on is offered first. */
async function pickApplication(current: string | undefined): Promise<vscode.Uri | undefined> {
  const files = new NodeFiles();
  const marks = await vscode.workspace.findFiles(
    '**/{Kraftfile,kraft.yaml,Makefile.uk,.config}',
    '**/{node_modules,.git,.unikraft,build,workdir}/**',
    2000,
  );
  const folders = new Map<string, vscode.Uri>();
  for (const uri of marks) {
    const folder = vscode.Uri.joinPath(uri, '..');
    // The parts of a core bring options along as an application does, but nobody configures them by themselves.
    let isPart = false;
    for (let core = folder.fsPath; core !== '/' && !isPart; core = dirName(core))
      isPart = layoutOf(files, core) !== undefined && !folder.fsPath.startsWith(`${core}/app`);
    if (isConfigName(uri) || (!isPart && isApplication(files, folder.fsPath))) folders.set(folder.fsPath, folder);
  }
  if (folders.size === 0)
    throw new Error(
      'The workspace has no application: a folder with a Kraftfile, with a .config, or with a Makefile.uk that registers one.',
    );
  const front = vscode.window.activeTextEditor?.document.uri.fsPath;
  const around = front === undefined ? undefined : [...folders.keys()].find((folder) => front.startsWith(`${folder}/`));
  if (around !== undefined) return folders.get(around);
  const [only] = folders.values();
  if (folders.size === 1) return only;
  const picks = [...folders.values()].map((uri) => ({
    label: vscode.workspace.asRelativePath(uri),
    description: uri.fsPath === current ? 'current' : '',
    uri,
  }));
  const rank = ({ fsPath }: vscode.Uri): number => (fsPath === current ? 0 : 1);
  picks.sort((a, b) => rank(a.uri) - rank(b.uri) || a.label.localeCompare(b.label));
  return (await vscode.window.showQuickPick(picks, { placeHolder: 'Application to configure' }))?.uri;
}

/** A new .config: what is given, completed with the defaults as make's defconfig does. */
function startText(context: Context, folder: vscode.Uri, file: vscode.Uri, given: string): string {
  const opened = openTree(file.fsPath, '', {
    folders: (vscode.workspace.workspaceFolders ?? []).map((each) => each.uri.fsPath),
    settings: readSettings(vscode.workspace.getConfiguration('unikernel', file).get('kconfig')),
    pool: context.resource('library-pool').fsPath,
    trusted: vscode.workspace.isTrusted,
  });
  if (!opened) throw new Error(`No Kconfig tree was found for ${folder.fsPath}. Name the core in the setting unikernel.kconfig.root.`);
  const outcome = runConf(opened.service.tree.model, {
    mode: 'defconfig',
    read: (name) => (name === 'defconfig' ? given : undefined),
    environment: opened.service.tree.environment,
    defconfig: 'defconfig',
  });
  if (outcome.config === undefined) {
    context.log.appendLine(outcome.stderr);
    // The editor opens all the same and says what is wrong with the files.
    return given;
  }
  return outcome.config;
}

async function saveDefconfig(session: ConfigEditorSession): Promise<void> {
  const text = session.defconfig();
  if (text === undefined) throw new Error('The configuration has no tree, so that its defaults are not known.');
  const target = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.joinPath(session.document.uri, '..', 'defconfig'),
    title: 'Save Configuration as Defconfig',
  });
  if (!target) return;
  await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(text));
  const open = 'Open';
  const answer = await vscode.window.showInformationMessage(`Wrote ${vscode.workspace.asRelativePath(target)}.`, open);
  if (answer === open) await vscode.window.showTextDocument(target);
}

/** Compares with a configuration or defconfig of the workspace, with any file, or with the last commit. */
async function compare(session: ConfigEditorSession, against: vscode.Uri | undefined): Promise<void> {
  const { uri } = session.document;
  const chosen = against ? { label: vscode.workspace.asRelativePath(against), uri: against } : await pickComparison(uri);
  if (!chosen) return;
  const document = await vscode.workspace.openTextDocument(chosen.uri);
  session.compare(chosen.label, document.getText().replace(/\r\n/g, '\n'));
}

interface Comparable {
  readonly label: string;
  readonly uri: vscode.Uri;
}

async function pickComparison(own: vscode.Uri): Promise<Comparable | undefined> {
  const found = await vscode.workspace.findFiles(
    '**/{defconfig,*_defconfig,.config,.config.*,defconfigs/*,configs/*}',
    '**/{node_modules,.git,build}/**',
    500,
  );
  const files = found
    .filter((uri) => uri.toString() !== own.toString())
    .map((uri) => ({ label: vscode.workspace.asRelativePath(uri), uri }));
  files.sort((a, b) => a.label.localeCompare(b.label));
  const head = headOf(own);
  const browse = { label: 'Another file...', uri: undefined };
  const picks: readonly (vscode.QuickPickItem & { readonly uri: vscode.Uri | undefined })[] = [
    ...(head ? [{ label: 'HEAD', description: 'the last commit', uri: head }] : []),
    ...files,
    browse,
  ];
  const picked = await vscode.window.showQuickPick(picks, { placeHolder: 'Configuration to compare with' });
  if (!picked) return undefined;
  if (picked.uri) return { label: picked.label, uri: picked.uri };
  const [uri] =
    (await vscode.window.showOpenDialog({ title: 'Configuration to compare with', defaultUri: vscode.Uri.joinPath(own, '..') })) ?? [];
  return uri && { label: vscode.workspace.asRelativePath(uri), uri };
}

/** The file as the last commit has it, where Git knows it. */
function headOf(uri: vscode.Uri): vscode.Uri | undefined {
  const extension = vscode.extensions.getExtension<GitExtension>('vscode.git');
  if (!extension?.isActive) return undefined;
  const git = extension.exports.getAPI(1);
  return git.getRepository(uri) ? git.toGitUri(uri, 'HEAD') : undefined;
}
