/** The status bar item of the current project: target, configuration, size of the image and state of the build; a click builds. */
import * as vscode from 'vscode';
import { type Context } from '../context';
import { commands } from '../manifest';
import { imagesOf, type Image, type Project } from '../project/projects';
import { startOf } from '../project/targets';
import { sizeText } from '../shared/size-text';
import { type Builder, type BuildState } from './build';
import { type PoolWorkspace } from './pool-workspace';
import { projectOfTask } from './tasks';

const announced = 'unikernel.compileCommandsAnnounced';

export function registerStatus(context: Context, workspace: PoolWorkspace, builder: Builder): void {
  void new Status(context, workspace, builder).update();
}

class Status {
  readonly #item: vscode.StatusBarItem;

  constructor(
    private readonly context: Context,
    private readonly workspace: PoolWorkspace,
    private readonly builder: Builder,
  ) {
    this.#item = context.own(vscode.window.createStatusBarItem('unikernel.project', vscode.StatusBarAlignment.Left, 20));
    this.#item.name = 'Unikernel';
    this.#item.command = commands.buildProject;
    context.own(workspace.onDidChange(() => void this.update()));
    context.own(builder.onDidChangeState((project) => void this.#changed(project)));
    context.own(vscode.tasks.onDidStartTask(({ execution }) => void this.#observe(execution.task, 'building')));
    context.own(
      vscode.tasks.onDidEndTaskProcess(({ execution, exitCode }) => void this.#observe(execution.task, exitCode === 0 ? 'idle' : 'failed')),
    );
  }

  async update(): Promise<void> {
    const project = await this.workspace.current();
    if (!project?.isApplication) return this.#item.hide();
    const { files } = this.workspace;
    const images = imagesOf(files, project);
    const [image] = images;
    const state = this.builder.stateOf(project);
    const icon = state === 'building' ? 'sync~spin' : state === 'failed' ? 'error' : 'package';
    const size = image && (await sizeOf(image));
    const built = [
      project.target?.name ?? image?.target ?? '',
      ...(image ? [] : ['not built']),
      this.#configName(project),
      ...(size === undefined ? [] : [sizeText(size)]),
    ].join(' · ');
    const percent = this.builder.percentOf(project);
    const text =
      state === 'building' ? `building…${percent === undefined ? '' : ` ${percent} %`}` : state === 'failed' ? 'build failed' : built;
    this.#item.text = `$(${icon}) ${project.name}: ${text}`;
    this.#item.backgroundColor = state === 'failed' ? new vscode.ThemeColor('statusBarItem.errorBackground') : undefined;
    this.#item.tooltip = this.#tooltip(project, images, size);
    this.#item.show();
  }

  /** What the values come from. */
  #configName(project: Project): string {
    const { files } = this.workspace;
    const found = files.kind(project.configFile) === 'file' ? project.configFile : startOf(files, project)?.path;
    return found === undefined ? 'defaults' : found.slice(found.lastIndexOf('/') + 1);
  }

  #tooltip(project: Project, images: readonly Image[], size: number | undefined): vscode.MarkdownString {
    const { files } = this.workspace;
    const text = new vscode.MarkdownString('', true);
    text.isTrusted = {
      enabledCommands: [commands.poolSelectProject, commands.selectTarget, commands.configure, commands.buildProject, commands.showSizes],
    };
    const relative = (path: string): string => vscode.workspace.asRelativePath(path);
    const rows = [
      `**${project.name}** · ${project.builder === 'pool' ? 'starter pool' : 'Unikraft, by make'}`,
      `Configuration: ${this.#configName(project)}`,
      ...images.map(
        ({ path, target }, at) =>
          `Image: \`${relative(path)}\` (${target}${at === 0 && size !== undefined ? `, ${size.toLocaleString('en')} bytes` : ''})`,
      ),
      ...(files.kind(`${project.build}/compile_commands.json`) === 'file'
        ? [`IntelliSense: \`${relative(`${project.build}/compile_commands.json`)}\``]
        : []),
      [
        `[$(tools) Build](command:${commands.buildProject})`,
        ...(project.targets.length > 1 ? [`[$(server-environment) Select target](command:${commands.selectTarget})`] : []),
        `[$(settings-gear) Configure](command:${commands.configure})`,
        ...(images.length > 0 ? [`[$(graph) Sizes](command:${commands.showSizes})`] : []),
        `[$(target) Select project](command:${commands.poolSelectProject})`,
      ].join(' · '),
    ];
    text.appendMarkdown(rows.join('\n\n'));
    return text;
  }

  async #observe(task: vscode.Task, state: BuildState): Promise<void> {
    const project = projectOfTask(task, await this.workspace.projects());
    if (!project) return;
    this.builder.setState(project, state);
    if (state !== 'building') this.workspace.reload();
  }

  async #changed(project: Project): Promise<void> {
    await this.update();
    if (this.builder.stateOf(project) === 'idle') await this.#announce(project);
  }

  /** Says once in a workspace where the compile commands are, where an extension is there that has to be told; overwrites no setting. */
  async #announce(project: Project): Promise<void> {
    const path = `${project.build}/compile_commands.json`;
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
