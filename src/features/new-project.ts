/** New Project: a C application, a Linux program with its root file system, or a library, made from a template and opened. */
import { chmod } from 'node:fs/promises';
import * as vscode from 'vscode';
import { nameFault, TEMPLATES, templateFiles, type TemplateBase, type TemplateInfo } from '../build/templates/templates';
import { type Context } from '../context';
import { commands } from '../manifest';
import { findTree } from '../pool/tree';
import { NodeFiles } from '../shared/files.node';

/** What a project is made from; with all of it given, nothing is asked. */
interface Wishes {
  readonly template?: string;
  readonly name?: string;
  /** Folder that the project's folder is made in. */
  readonly parent?: string;
  readonly base?: TemplateBase;
  /** A Unikraft tree. */
  readonly core?: string;
  /** A Linux program. */
  readonly program?: string;
}

const icons: Readonly<Record<TemplateInfo['id'], string>> = { app: 'rocket', binary: 'file-binary', library: 'library' };

export function registerNewProject(context: Context): void {
  context.command(commands.newProject, async (given) => {
    const wishes = typeof given === 'object' && given !== null ? (given as Wishes) : {};
    const folder = await makeProject(wishes);
    if (folder) await open(folder, wishes.parent !== undefined);
    return folder?.fsPath;
  });
}

/** Asks, writes, and answers the project's folder; undefined where the user gave up. */
async function makeProject(wishes: Wishes): Promise<vscode.Uri | undefined> {
  const template = TEMPLATES.find(({ id }) => id === wishes.template) ?? (await pickTemplate());
  if (!template) return undefined;
  const where = wishes.parent === undefined ? await pickBase() : { base: wishes.base ?? 'pool', core: wishes.core };
  if (!where) return undefined;
  const program =
    template.id === 'binary' ? (wishes.parent === undefined ? await pickProgram() : { path: wishes.program }) : { path: undefined };
  if (!program) return undefined;
  const parent = wishes.parent === undefined ? await pickParent() : vscode.Uri.file(wishes.parent);
  if (!parent) return undefined;
  const name = wishes.name ?? (await askName(parent));
  if (name === undefined) return undefined;
  const folder = vscode.Uri.joinPath(parent, name);
  if (!(await isFree(folder))) throw new Error(`${folder.fsPath} is not empty. Choose another name.`);
  const bytes = program.path === undefined ? undefined : await vscode.workspace.fs.readFile(vscode.Uri.file(program.path));
  const files = templateFiles({
    template: template.id,
    name,
    base: where.base,
    ...(where.core !== undefined && { core: where.core }),
    ...(bytes && { program: { name: program.path!.slice(program.path!.lastIndexOf('/') + 1), bytes } }),
  });
  for (const { path, data, executable } of files) {
    const uri = vscode.Uri.joinPath(folder, path);
    await vscode.workspace.fs.createDirectory(vscode.Uri.joinPath(uri, '..'));
    await vscode.workspace.fs.writeFile(uri, typeof data === 'string' ? new TextEncoder().encode(data) : data);
    if (executable) await chmod(uri.fsPath, 0o755);
  }
  return folder;
}

async function pickTemplate(): Promise<TemplateInfo | undefined> {
  const picks = TEMPLATES.map((template) => ({ label: `$(${icons[template.id]}) ${template.title}`, detail: template.about, template }));
  return (await vscode.window.showQuickPick(picks, { title: 'New Unikernel Project', placeHolder: 'What it is', matchOnDetail: true }))
    ?.template;
}

interface Base {
  readonly base: TemplateBase;
  readonly core: string | undefined;
}

async function pickBase(): Promise<Base | undefined> {
  const files = new NodeFiles();
  const trees = (vscode.workspace.workspaceFolders ?? []).flatMap(({ uri }) => {
    const tree = findTree(files, uri.fsPath);
    return tree && files.kind(`${tree.base}/Makefile`) === 'file' ? [tree.base] : [];
  });
  const picks: readonly (vscode.QuickPickItem & { readonly choice: Base | undefined })[] = [
    {
      label: '$(package) The starter pool',
      detail: 'Libraries that come with the extension; nothing else is needed.',
      choice: { base: 'pool', core: undefined },
    },
    ...trees.map((core) => ({ label: '$(repo) This Unikraft tree', detail: core, choice: { base: 'upstream' as const, core } })),
    { label: '$(folder-opened) A Unikraft tree…', detail: 'Its own make builds the project.', choice: undefined },
    {
      label: '$(cloud) Unikraft, fetched by kraft',
      detail: 'The Kraftfile names the stable version.',
      choice: { base: 'upstream', core: undefined },
    },
  ];
  const picked = await vscode.window.showQuickPick(picks, { title: 'New Unikernel Project', placeHolder: 'Where its libraries come from' });
  if (!picked || picked.choice) return picked?.choice;
  const [folder] = (await vscode.window.showOpenDialog({ title: 'Unikraft’s core', canSelectFolders: true, canSelectFiles: false })) ?? [];
  if (!folder) return undefined;
  const tree = findTree(files, folder.fsPath);
  if (!tree) throw new Error(`${folder.fsPath} is no Unikraft core and holds none: it needs the file Config.uk and the folder lib.`);
  return { base: 'upstream', core: tree.base };
}

async function pickProgram(): Promise<{ readonly path: string | undefined } | undefined> {
  const own = { label: '$(file-binary) A program of this machine…', detail: 'A static Linux program for x86-64.', isOwn: true };
  const sample = { label: '$(smiley) A small one that says hello', detail: 'To be replaced later.', isOwn: false };
  const picked = await vscode.window.showQuickPick([sample, own], { title: 'New Unikernel Project', placeHolder: 'The program to run' });
  if (!picked?.isOwn) return picked && { path: undefined };
  const [file] = (await vscode.window.showOpenDialog({ title: 'Linux program', canSelectMany: false })) ?? [];
  return file && { path: file.fsPath };
}

async function pickParent(): Promise<vscode.Uri | undefined> {
  const start = vscode.workspace.workspaceFolders?.[0]?.uri;
  const [folder] =
    (await vscode.window.showOpenDialog({
      title: 'Folder to make the project in',
      openLabel: 'Choose',
      canSelectFolders: true,
      canSelectFiles: false,
      ...(start && { defaultUri: start }),
    })) ?? [];
  return folder;
}

function askName(parent: vscode.Uri): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: 'New Unikernel Project',
    prompt: `Name of the project; a folder of that name is made in ${parent.fsPath}`,
    value: 'hello-unikernel',
    validateInput: async (text) =>
      nameFault(text) ?? ((await isFree(vscode.Uri.joinPath(parent, text))) ? undefined : 'There is something of that name.'),
  });
}

async function isFree(folder: vscode.Uri): Promise<boolean> {
  try {
    return (await vscode.workspace.fs.readDirectory(folder)).every(([name]) => name === '.git');
  } catch {
    return true;
  }
}

/** A project within the workspace is there already; any other is opened, or added. */
async function open(folder: vscode.Uri, isQuiet: boolean): Promise<void> {
  if (vscode.workspace.getWorkspaceFolder(folder) || isQuiet) return;
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.length === 0) {
    await vscode.commands.executeCommand('vscode.openFolder', folder);
    return;
  }
  const [add, window] = ['Add to Workspace', 'Open in New Window'];
  const answer = await vscode.window.showInformationMessage(`The project is in ${folder.fsPath}.`, add, window);
  if (answer === add) vscode.workspace.updateWorkspaceFolders(folders.length, 0, { uri: folder });
  else if (answer === window) await vscode.commands.executeCommand('vscode.openFolder', folder, { forceNewWindow: true });
}
