/** Tasks of the type `unikernel`: builds of the workspace's projects, by our builder or by upstream's make, with problem matchers. */
import * as vscode from 'vscode';
import { type Context } from '../context';
import { taskType } from '../manifest';
import { type Project, withTarget } from '../project/projects';
import { ownBuilderArguments } from './build';
import { type PoolWorkspace } from './pool-workspace';

/** What tasks.json says. */
interface Definition extends vscode.TaskDefinition {
  /** The application's folder, absolute or below the workspace's folder. */
  readonly project: string;
  /** What the image is for; without it, the project's first target. */
  readonly target?: string;
  /** What make does: `build` where it is not said. */
  readonly action?: string;
}

const matchers = ['$unikernel-gcc', '$unikernel-ld', '$unikernel-ld-object', '$unikernel-make', '$unikernel-kconfig'];

/** What is offered beside the build where make builds. */
const makeActions = ['configure', 'fetch', 'prepare', 'clean', 'properclean'];

export function registerTasks(context: Context, workspace: PoolWorkspace): void {
  context.own(
    vscode.tasks.registerTaskProvider(taskType, {
      provideTasks: async () => {
        const projects = (await workspace.projects()).filter(({ isApplication }) => isApplication);
        return projects.flatMap((project) => [
          buildTask(context, project),
          ...(project.builder === 'make' ? makeActions.map((action) => buildTask(context, project, { action })) : []),
          ...project.targets.slice(1).map(({ name: target }) => buildTask(context, project, { target })),
        ]);
      },
      resolveTask: async (task) => {
        const definition = task.definition as Definition;
        const project = projectNamed(await workspace.projects(), definition.project, task.scope);
        if (!project) return undefined;
        // The editor wants back the very definition that it gave.
        return buildTask(context, project, definition, definition, task.name);
      },
    }),
  );
}

/** The project that a task names. */
function projectNamed(projects: readonly Project[], name: unknown, scope: vscode.Task['scope']): Project | undefined {
  if (typeof name !== 'string') return undefined;
  const folders = typeof scope === 'object' ? [scope] : (vscode.workspace.workspaceFolders ?? []);
  const paths = [name, ...folders.map(({ uri }) => vscode.Uri.joinPath(uri, name).fsPath)].map((path) => path.replace(/[\\/]$/, ''));
  return projects.find(({ folder, isApplication }) => isApplication && paths.includes(folder));
}

/** What a task does with its project. */
type Part = Pick<Definition, 'target' | 'action'>;

/** The task that builds a project for its first target, or does what `part` says. */
export function buildTask(context: Context, project: Project, part: Part = {}, given?: Definition, name?: string): vscode.Task {
  const { target, action } = part;
  const uri = vscode.Uri.file(project.folder);
  const folder = vscode.workspace.getWorkspaceFolder(uri);
  const path = folder === undefined ? project.folder : vscode.workspace.asRelativePath(uri, false);
  const relative = folder?.uri.fsPath === project.folder ? '.' : path;
  const definition: Definition = given ?? {
    type: taskType,
    project: relative,
    ...(target !== undefined && { target }),
    ...(action !== undefined && { action }),
  };
  const title = name ?? [action ?? 'build', project.name, ...(target === undefined ? [] : [`for ${target}`])].join(' ');
  const scope = folder ?? vscode.TaskScope.Workspace;
  const task = new vscode.Task(definition, scope, title, taskType, execution(context, project, part), matchers);
  if (action === undefined || action === 'build') task.group = vscode.TaskGroup.Build;
  else if (/clean$/.test(action)) task.group = vscode.TaskGroup.Clean;
  task.detail =
    project.builder === 'pool' ? 'Unikernel Workbench builder' : `make in ${vscode.workspace.asRelativePath(project.tree.base)}`;
  task.presentationOptions = {
    reveal: vscode.TaskRevealKind.Silent,
    panel: vscode.TaskPanelKind.Dedicated,
    clear: true,
    showReuseMessage: false,
  };
  return task;
}

/** Both builders run as the command line does, which ends what it has started when the task is ended. */
function execution(context: Context, project: Project, { target, action }: Part): vscode.ProcessExecution {
  const script = context.resource('dist', 'cli.js').fsPath;
  const build = project.builder === 'pool' ? ownBuilderArguments(project) : ['build', project.folder, '--root', project.tree.base];
  const args = [
    ...[script, ...build],
    ...(target === undefined ? [] : ['--target', target]),
    ...(action === undefined || project.builder === 'pool' ? [] : ['--do', action]),
  ];
  // The editor's own Node; under Electron it must be told to be one. Messages in other languages match no pattern.
  return new vscode.ProcessExecution(process.execPath, args, { cwd: project.folder, env: { ELECTRON_RUN_AS_NODE: '1', LC_ALL: 'C' } });
}

/** The project and target that a task builds; undefined for other tasks and for what is no build. */
export function projectOfTask(task: vscode.Task, projects: readonly Project[]): Project | undefined {
  if (task.definition.type !== taskType) return undefined;
  const { project, target, action } = task.definition as Definition;
  const found = projectNamed(projects, project, task.scope);
  return found && (action === undefined || action === 'build') ? withTarget(found, target) : undefined;
}
