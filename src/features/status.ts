/** The status bar item of the current project: target, configuration, size of the image and state of the build; a click builds. */
import * as vscode from 'vscode';
import { type Context } from '../context';
import { commands } from '../manifest';
import { buildFolder } from './build';
import { type PoolWorkspace } from './pool-workspace';
import { imagesOf, type Image, type Project } from './projects';
import { buildTask, projectOfTask } from './tasks';

type BuildState = 'idle' | 'building' | 'failed';

const announced = 'unikernel.compileCommandsAnnounced';

/** A size as people read it: `75 KiB`. */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const kib = bytes / 1024;
  if (kib < 1024) return `${kib < 10 ? kib.toFixed(1) : Math.round(kib)} KiB`;
  return `${(kib / 1024).toFixed(1)} MiB`;
}

export function registerStatus(context: Context, workspace: PoolWorkspace): void {
  const status = new Status(context, workspace);
  context.command(commands.buildCurrent, () => status.build());
  void status.update();
}

class Status {
  readonly #item: vscode.StatusBarItem;
  readonly #states = new Map<string, BuildState>();

  constructor(
    private readonly context: Context,
    private readonly workspace: PoolWorkspace,
  ) {
    this.#item = context.own(vscode.window.createStatusBarItem('unikernel.project', vscode.StatusBarAlignment.Left, 20));
    this.#item.name = 'Unikernel';
    this.#item.command = commands.buildCurrent;
    context.own(workspace.onDidChange(() => void this.update()));
    context.own(vscode.tasks.onDidStartTask(({ execution }) => void this.#observe(execution.task, 'building')));
    context.own(
      vscode.tasks.onDidEndTaskProcess(({ execution, exitCode }) => void this.#observe(execution.task, exitCode === 0 ? 'idle' : 'failed')),
    );
  }

  /** Builds the current project: in place by our builder, as a task by make. */
  async build(): Promise<void> {
    const project = await this.workspace.current();
    if (!project?.isApplication)
      throw new Error('There is no application to build: open a folder with a Kraftfile, or with a Makefile.uk that registers one.');
    await vscode.workspace.saveAll(false);
    if (project.builder !== 'pool') {
      await vscode.tasks.executeTask(buildTask(this.context, project));
      return;
    }
    await this.#set(project, 'building');
    let image: vscode.Uri | undefined;
    try {
      image = await buildFolder(this.context, vscode.Uri.file(project.folder));
    } finally {
      await this.#ended(project, image !== undefined);
    }
  }

  async update(): Promise<void> {
    const project = await this.workspace.current();
    if (!project?.isApplication) return this.#item.hide();
    const { files } = this.workspace;
    const images = imagesOf(files, project);
    const [image] = images;
    const state = this.#states.get(project.folder) ?? 'idle';
    const icon = state === 'building' ? 'sync~spin' : state === 'failed' ? 'error' : 'package';
    const size = image && (await sizeOf(image));
    const built = [image?.target ?? 'not built', this.#configName(project), ...(size === undefined ? [] : [sizeText(size)])].join(' · ');
    const text = state === 'building' ? 'building…' : state === 'failed' ? 'build failed' : built;
    this.#item.text = `$(${icon}) ${project.name}: ${text}`;
    this.#item.backgroundColor = state === 'failed' ? new vscode.ThemeColor('statusBarItem.errorBackground') : undefined;
    this.#item.tooltip = this.#tooltip(project, images, size);
    this.#item.show();
  }

  /** What the values come from. */
  #configName(project: Project): string {
    const found = [project.configFile, `${project.folder}/defconfig`].find((path) => this.workspace.files.kind(path) === 'file');
    return found === undefined ? 'defaults' : found.slice(found.lastIndexOf('/') + 1);
  }

  #tooltip(project: Project, images: readonly Image[], size: number | undefined): vscode.MarkdownString {
    const { files } = this.workspace;
    const text = new vscode.MarkdownString('', true);
    text.isTrusted = { enabledCommands: [commands.poolSelectProject, commands.configure, commands.buildCurrent] };
    const relative = (path: string): string => vscode.workspace.asRelativePath(path);
    const rows = [
      `**${project.name}** · ${project.builder === 'pool' ? 'starter pool' : 'Unikraft, by make'}`,
      `Configuration: ${this.#configName(project)}`,
      ...images.map(
        ({ path, target }, at) =>
          `Image: \`${relative(path)}\` (${target}${at === 0 && size !== undefined ? `, ${size.toLocaleString('en')} bytes` : ''})`,
      ),
      ...(files.kind(`${project.folder}/build/compile_commands.json`) === 'file'
        ? [`IntelliSense: \`${relative(`${project.folder}/build/compile_commands.json`)}\``]
        : []),
      `[$(tools) Build](command:${commands.buildCurrent}) · [$(target) Select project](command:${commands.poolSelectProject})`,
    ];
    text.appendMarkdown(rows.join('\n\n'));
    return text;
  }

  async #observe(task: vscode.Task, state: BuildState): Promise<void> {
    const project = projectOfTask(task, await this.workspace.projects());
    if (!project) return;
    if (state === 'building') await this.#set(project, state);
    else await this.#ended(project, state === 'idle');
  }

  async #ended(project: Project, succeeded: boolean): Promise<void> {
    await this.#set(project, succeeded ? 'idle' : 'failed');
    this.workspace.reload();
    if (succeeded) await this.#announce(project);
  }

  async #set(project: Project, state: BuildState): Promise<void> {
    this.#states.set(project.folder, state);
    await this.update();
  }

  /** Says once in a workspace where the compile commands are, where an extension is there that has to be told; overwrites no setting. */
  async #announce(project: Project): Promise<void> {
    const path = `${project.folder}/build/compile_commands.json`;
    const { workspaceState } = this.context.extension;
    if (this.workspace.files.kind(path) !== 'file') return;
    this.context.log.appendLine(`compile commands: ${path}`);
    if (workspaceState.get<boolean>(announced) === true || !vscode.extensions.getExtension('ms-vscode.cpptools')) return;
    const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(project.folder));
    const settings = vscode.workspace.getConfiguration('C_Cpp', folder);
    const current = settings.inspect<string>('default.compileCommands');
    if (
      folder === undefined ||
      current?.globalValue !== undefined ||
      current?.workspaceValue !== undefined ||
      current?.workspaceFolderValue !== undefined
    )
      return;
    await workspaceState.update(announced, true);
    const use = 'Use for IntelliSense';
    // Not waited for: a build is over when it is over.
    void vscode.window
      .showInformationMessage(`The build wrote ${vscode.workspace.asRelativePath(path)}, which tells C/C++ how each file is compiled.`, use)
      .then((answer) => {
        const below = path.slice(folder.uri.fsPath.length + 1);
        if (answer === use)
          return settings.update('default.compileCommands', `\${workspaceFolder}/${below}`, vscode.ConfigurationTarget.Workspace);
        return undefined;
      });
  }
}

async function sizeOf({ path }: Image): Promise<number | undefined> {
  try {
    return (await vscode.workspace.fs.stat(vscode.Uri.file(path))).size;
  } catch {
    return undefined;
  }
}
