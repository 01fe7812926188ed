/** The index of libraries that could be fetched: a file, kraft's own copy, or an address whose manifests are kept with the extension. */
import * as vscode from 'vscode';
import { type Context } from '../context';
import { commands } from '../manifest';
import { download } from '../pool/fetch/fetch.node';
import { kraftIndexPaths, parseManifest, readManifests, relativeTo, type ManifestResult } from '../pool/manifest';
import { type Files } from '../shared/files';
import { type PoolWorkspace } from './pool-workspace';

/** Where kraft publishes its index; used when the user updates, and nothing else is named. */
const publicIndex = 'https://manifests.kraftkit.sh/index.yaml';
const largestIndex = 5000;
/** Manifests that are asked for at a time. */
const atOnce = 8;

/** Texts by address, as they were fetched. */
type Fetched = Readonly<Record<string, string>>;

function isAddress(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

/** The manifests that the setting names, as far as they are on this machine; nothing is fetched here. */
export async function readIndex(context: Context, files: Files): Promise<ManifestResult> {
  const setting = context.setting('pool.index').trim();
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '/';
  if (setting !== '' && !isAddress(setting)) {
    const path = setting.startsWith('/') || /^[A-Za-z]:/.test(setting) ? setting : `${folder}/${setting}`;
    return readManifests(path, (address) => files.readText(address));
  }
  const fetched = await kept(context);
  const address = setting === '' ? publicIndex : setting;
  if (fetched[address] !== undefined) return readManifests(address, (each) => fetched[each]);
  const own = setting === '' ? kraftIndexPaths(process.env).find((path) => files.kind(path) === 'file') : undefined;
  return own === undefined ? { entries: [], problems: [] } : readManifests(own, (each) => files.readText(each));
}

function store(context: Context): vscode.Uri {
  return vscode.Uri.joinPath(context.extension.globalStorageUri, 'index.json');
}

async function kept(context: Context): Promise<Fetched> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(await vscode.workspace.fs.readFile(store(context))));
    return typeof value === 'object' && value !== null ? (value as Fetched) : {};
  } catch {
    return {};
  }
}

export function registerPoolIndex(context: Context, workspace: PoolWorkspace): void {
  context.command(commands.poolUpdateIndex, async () => {
    const setting = context.setting('pool.index').trim();
    if (setting !== '' && !isAddress(setting)) {
      workspace.refresh();
      return;
    }
    const address = setting === '' ? publicIndex : setting;
    const options = { location: vscode.ProgressLocation.Notification, title: 'Updating the index of libraries', cancellable: true };
    const fetched = await vscode.window.withProgress(options, (progress, token) => {
      const cancel = new AbortController();
      token.onCancellationRequested(() => cancel.abort());
      return fetchIndex(address, cancel.signal, (message) => progress.report({ message }));
    });
    await vscode.workspace.fs.createDirectory(context.extension.globalStorageUri);
    await vscode.workspace.fs.writeFile(store(context), new TextEncoder().encode(JSON.stringify(fetched)));
    workspace.refresh();
    const { entries, problems } = readManifests(address, (each) => fetched[each]);
    for (const { path, line, message } of problems) context.log.appendLine(`${path}:${line}: ${message}`);
    void vscode.window.showInformationMessage(`The index tells of ${entries.filter(({ kind }) => kind === 'lib').length} libraries.`);
  });
}

/** The index and every manifest that it refers to. @throws FetchError where the index itself cannot be fetched. */
async function fetchIndex(address: string, signal: AbortSignal, progress: (message: string) => void): Promise<Fetched> {
  const texts: Record<string, string> = {};
  const load = async (from: string): Promise<void> => {
    texts[from] = new TextDecoder().decode(await download(from, { signal }));
  };
  progress(address);
  await load(address);
  const more = parseManifest(texts[address]!, address)
    .entries.flatMap((entry) => (entry.more === undefined ? [] : [relativeTo(address, entry.more)]))
    .filter(isAddress)
    .slice(0, largestIndex);
  let done = 0;
  const queue = more.values();
  const worker = async (): Promise<void> => {
    for (const each of queue) {
      // One manifest that is not there leaves the others as they are; reading says which.
      await load(each).catch((error: unknown) => {
        if (signal.aborted) throw error;
      });
      progress(`${++done} of ${more.length}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return texts;
}
