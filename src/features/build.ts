/** `Unikernel: Build`: runs the builder in a process of its own and puts what the compiler said into the Problems view. */
import { spawn } from 'node:child_process';
import * as vscode from 'vscode';
import { type Context } from '../context';
import { commands } from '../manifest';
import { isPoolApplication } from './images';

interface Problem {
  readonly path: string;
  readonly line?: number;
  readonly column?: number;
  readonly severity: 'error' | 'warning' | 'note';
  readonly message: string;
}

/** What `unikernel build --json` prints. */
interface BuildReport {
  readonly ok: boolean;
  readonly images: readonly { readonly image: string }[];
  readonly problems: readonly Problem[];
}

const severities = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  note: vscode.DiagnosticSeverity.Information,
} as const;

let problems: vscode.DiagnosticCollection | undefined;

export function registerBuild(context: Context): void {
  problems = context.own(vscode.languages.createDiagnosticCollection('unikernel'));
  context.command(commands.buildProject, async (target) => {
    const folder = target instanceof vscode.Uri ? target : await pickProject();
    if (folder !== undefined) await buildFolder(context, folder);
  });
}

async function pickProject(): Promise<vscode.Uri | undefined> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const built = (await Promise.all(folders.map(async (folder) => ((await isPoolApplication(folder.uri)) ? [folder] : [])))).flat();
  if (built.length === 0)
    throw new Error('No folder of the workspace is an application of the library pool: a folder with Makefile.uk and Config.uk.');
  if (built.length === 1) return built[0]!.uri;
  return (
    await vscode.window.showQuickPick(
      built.map((folder) => ({ label: folder.name, uri: folder.uri })),
      { placeHolder: 'Application to build' },
    )
  )?.uri;
}

/** Builds a pool application. Answers its image, or undefined where it failed: then the Problems view says why. */
export async function buildFolder(context: Context, folder: vscode.Uri): Promise<vscode.Uri | undefined> {
  const options = { location: vscode.ProgressLocation.Window, title: 'Building unikernel', cancellable: false };
  const report = await vscode.window.withProgress(options, () => runBuilder(context, folder.fsPath));
  showProblems(report.problems, folder);
  const [first] = report.images;
  if (report.ok && first !== undefined) return vscode.Uri.file(first.image);
  await vscode.commands.executeCommand('workbench.panel.markers.view.focus');
  const reason = report.problems.find(({ severity }) => severity === 'error')?.message ?? 'the builder gave no reason';
  void vscode.window.showErrorMessage(`The image was not built: ${reason}`);
  return undefined;
}

function runBuilder(context: Context, folder: string): Promise<BuildReport> {
  const script = context.resource('dist', 'cli.js').fsPath;
  return new Promise((resolve, reject) => {
    // The editor's own Node; under Electron it must be told to be one.
    const child = spawn(process.execPath, [script, 'build', folder, '--json'], { env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' } });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
      context.log.append(text);
    });
    child.on('error', reject);
    child.on('close', () => {
      try {
        resolve(JSON.parse(output) as BuildReport);
      } catch {
        reject(new Error(`The builder failed: ${errors.trim() || 'it printed nothing'}`));
      }
    });
  });
}

function showProblems(list: readonly Problem[], folder: vscode.Uri): void {
  const byFile = new Map<string, vscode.Diagnostic[]>();
  for (const { path: file, line = 1, column = 1, severity, message } of list) {
    const path = file !== '' ? file : vscode.Uri.joinPath(folder, 'Makefile.uk').fsPath;
    const start = new vscode.Position(Math.max(0, line - 1), Math.max(0, column - 1));
    const diagnostic = new vscode.Diagnostic(new vscode.Range(start, start), message, severities[severity]);
    diagnostic.source = 'unikernel build';
    byFile.set(path, [...(byFile.get(path) ?? []), diagnostic]);
  }
  problems?.clear();
  for (const [path, diagnostics] of byFile) problems?.set(vscode.Uri.file(path), diagnostics);
}
