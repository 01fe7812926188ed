/** Fetch Library: a library's sources from a manifest's archive or its git repository into the project's folder of libraries. */
import * as vscode from 'vscode';
import { runProgram } from '../build/process.node';
import { type Context } from '../context';
import { commands } from '../manifest';
import { fetchSources, type FetchSource } from '../pool/fetch/fetch.node';
import { type Library } from '../pool/library';
import { isInside } from '../pool/tree';
import { type Project } from '../project/projects';
import { addBeside, editKraftfile } from './pool-edit';
import { type PoolEntry, type PoolModel } from './pool-model';
import { needModel } from './pool-view';
import { type PoolWorkspace } from './pool-workspace';

/** Where Unikraft keeps a library that no manifest tells of. */
const usualRepository = (title: string): string => `https://github.com/unikraft/lib-${title}`;

interface Choice extends vscode.QuickPickItem {
  readonly source: FetchSource | undefined;
}

/** The folder that holds a project's libraries: that of its layout, or that of the libraries it has. */
export function libraryFolder(project: Project): string {
  const { base, libraries } = project.tree;
  if (isInside(base, `${project.folder}/.unikraft`)) return `${project.folder}/.unikraft/libs`;
  if (isInside(base, `${project.folder}/workdir`)) return `${project.folder}/workdir/libs`;
  const beside = libraries.map((path) => path.slice(0, path.lastIndexOf('/'))).find((path) => isInside(path, project.folder));
  return beside ?? `${project.folder}/libs`;
}

export function registerPoolFetch(context: Context, workspace: PoolWorkspace): void {
  context.command(commands.poolFetch, async (target) => {
    if (!vscode.workspace.isTrusted)
      throw new Error('Fetching writes into the workspace: trust it first (Workspaces: Manage Workspace Trust).');
    const model = await needModel(workspace);
    const title = titleOf(target) ?? (await pickTitle(model));
    if (title === undefined) return;
    const library = model.catalogue.find(title);
    const source = await pickSource(title, library);
    if (!source) return;
    const { project } = model;
    const folder = `${libraryFolder(project)}/${title}`;
    const options = { location: vscode.ProgressLocation.Notification, title: `Fetching ${title}`, cancellable: true };
    const cancel = new AbortController();
    const fetched = vscode.window.withProgress(options, (progress, token) => {
      token.onCancellationRequested(() => cancel.abort());
      let shown = 0;
      // git may ask for a password that nobody can give here.
      const env = { ...process.env, GIT_TERMINAL_PROMPT: '0' };
      return fetchSources(source, folder, (argv, how) => runProgram(argv, { ...how, env }), {
        signal: cancel.signal,
        progress: (message, part) => {
          const percent = part === undefined ? shown : Math.floor(part * 100);
          progress.report({ message, increment: Math.max(0, percent - shown) });
          shown = percent;
        },
      });
    });
    const isThere = await Promise.resolve(fetched).then(
      () => true,
      (error: unknown) => {
        // Who cancels knows.
        if (!cancel.signal.aborted) throw error;
        return false;
      },
    );
    if (!isThere) return;
    context.log.appendLine(`fetched ${source.url} into ${folder}`);
    workspace.refresh();
    await offerKraftfile(workspace, title, folder);
  });
}

/** A row of the tree, or a name. */
function titleOf(target: unknown): string | undefined {
  if (typeof target === 'string') return target.replace(/^lib-/, '');
  if (typeof target !== 'object' || target === null || !('entry' in target)) return undefined;
  return (target as { readonly entry: PoolEntry }).entry.title;
}

async function pickTitle(model: PoolModel): Promise<string | undefined> {
  const entries = [...model.entries('@available @missing').values()]
    .flat()
    .filter(({ status }) => status === 'available' || status === 'missing');
  const other = { label: '$(edit) Another library…', title: undefined };
  const picks = [
    ...entries.map(({ title, description, status }) => ({
      label: `$(${status === 'missing' ? 'error' : 'cloud-download'}) ${title}`,
      description,
      title,
    })),
    other,
  ];
  const picked =
    entries.length === 0 ? other : await vscode.window.showQuickPick(picks, { title: 'Fetch Library', matchOnDescription: true });
  if (!picked || picked.title !== undefined) return picked?.title;
  return vscode.window.showInputBox({
    title: 'Fetch Library',
    prompt: 'Name of the library, as Kraftfiles write it',
    placeHolder: 'e.g. musl',
    validateInput: (text) => (/^[A-Za-z0-9][\w.-]*$/.test(text) ? undefined : 'Letters, digits, “-”, “_” and “.” are possible.'),
  });
}

/** Where to fetch from: what the manifests offer, the repository, or an address that is typed. */
async function pickSource(title: string, library: Library | undefined): Promise<FetchSource | undefined> {
  const origin = library?.origin !== undefined && /^(https?|git|ssh):\/\//.test(library.origin) ? library.origin : usualRepository(title);
  const choices: Choice[] = [
    ...(library?.archives ?? []).map(({ label, url, sha256, core }) => ({
      label: `$(archive) ${label}`,
      description: [...(core === undefined ? [] : [`for core ${core}`]), sha256 === undefined ? 'no checksum' : 'checked by SHA-256'].join(
        ' · ',
      ),
      detail: url,
      source: { kind: 'archive' as const, url, ...(sha256 !== undefined && { sha256 }) },
    })),
    { label: '$(repo-clone) Git repository', description: 'its default branch', detail: origin, source: { kind: 'git', url: origin } },
    { label: '$(repo-clone) Git repository, branch stable', detail: origin, source: { kind: 'git', url: origin, ref: 'stable' } },
    { label: '$(link) Another address…', source: undefined },
  ];
  const picked = await vscode.window.showQuickPick(choices, {
    title: `Fetch ${title}`,
    placeHolder: 'Version or place',
    matchOnDetail: true,
  });
  if (!picked || picked.source) return picked?.source;
  const url = await vscode.window.showInputBox({
    title: `Fetch ${title}`,
    prompt: 'Address of an archive (.tar.gz, .zip) or of a git repository',
  });
  if (url === undefined || url.trim() === '') return undefined;
  const isArchive = /\.(tgz|tar\.gz|tar|zip)([?#].*)?$/i.test(url.trim());
  return { kind: isArchive ? 'archive' : 'git', url: url.trim() };
}

/** A library that a Kraftfile does not ask for is not built. */
async function offerKraftfile(workspace: PoolWorkspace, title: string, folder: string): Promise<void> {
  const model = await workspace.model();
  const where = vscode.workspace.asRelativePath(folder);
  if (model?.project.kraftfile === undefined) {
    void vscode.window.showInformationMessage(`${title} is in ${where}. A Makefile’s list of libraries has to name it.`);
    return;
  }
  const fetched = model.catalogue.find(title);
  if (fetched && model.kraftfileUse(fetched) === 'asked') {
    void vscode.window.showInformationMessage(`${title} is in ${where}, where the Kraftfile’s line finds it.`);
    return;
  }
  const add = 'Add to Kraftfile';
  void vscode.window.showInformationMessage(`${title} is in ${where}.`, add).then(async (answer) => {
    if (answer !== add) return;
    const library = model.catalogue.find(title);
    if (library?.state === 'beside') await addBeside(model, library);
    else await editKraftfile(model, title, 'add');
    workspace.refresh();
  });
}
