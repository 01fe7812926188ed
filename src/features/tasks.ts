/** Tasks of the type `unikernel`: builds of the workspace's projects, by our builder or by upstream's make, with problem matchers. */
import { availableParallelism } from 'node:os';
import * as vscode from 'vscode';
import { type Context } from '../context';
import { taskType } from '../manifest';
import { makeArguments, type Project } from './projects';
import { type PoolWorkspace } from './pool-workspace';

/** What tasks.json says. */
interface Definition extends vscode.TaskDefinition {
  /** The application's folder, absolute or below the workspace's folder. */
  readonly project: string;
  /** What the image is for (our builder), or a target of make. */
  readonly target?: string;
}

const matchers = ['$unikernel-gcc', '$unikernel-ld', '$unikernel-ld-object', '$unikernel-make', '$unikernel-kconfig'];

/** Targets of make that are offered beside the build. */
const makeTargets = ['olddefconfig', 'clean', 'properclean'];

export function registerTasks(context: Context, workspace: PoolWorkspace): void {
  context.own(
    vscode.tasks.registerTaskProvider(taskType, {
      provideTasks: async () => {
        const projects = (await workspace.projects()).filter(({ isApplication }) => isApplication);
        return projects.flatMap((project) => [
          buildTask(context, project),
          ...(project.builder === 'make' ? makeTargets.map((target) => buildTask(context, project, target)) : []),
        ]);
      },
      resolveTask: async (task) => {
        const definition = task.definition as Definition;
        const project = projectNamed(await workspace.projects(), definition.project, task.scope);
        if (!project) return undefined;
        // The editor wants back the very definition that it gave.
        return buildTask(context, project, definition.target, definition, task.name);
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

/** The task that builds a project, or makes one target of it. */
export function buildTask(context: Context, project: Project, target?: string, given?: Definition, name?: string): vscode.Task {
  const uri = vscode.Uri.file(project.folder);
  const folder = vscode.workspace.getWorkspaceFolder(uri);
  const path = folder === undefined ? project.folder : vscode.workspace.asRelativePath(uri, false);
  const relative = folder?.uri.fsPath === project.folder ? '.' : path;
  const definition: Definition = given ?? { type: taskType, project: relative, ...(target !== undefined && { target }) };
  const title = name ?? `${target === undefined || project.builder === 'pool' ? 'build' : target} ${project.name}`;
  const task = new vscode.Task(
    definition,
    folder ?? vscode.TaskScope.Workspace,
    title,
    taskType,
    execution(context, project, target),
    matchers,
  );
  if (target === undefined || project.builder === 'pool') task.group = vscode.TaskGroup.Build;
  else if (/clean$/.test(target)) task.group = vscode.TaskGroup.Clean;
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

function execution(context: Context, project: Project, target: string | undefined): vscode.ProcessExecution {
  const cwd = project.folder;
  if (project.builder === 'pool') {
    const script = context.resource('dist', 'cli.js').fsPath;
    const pool = ['--pool', project.tree.base, ...project.tree.libraries.flatMap((folder) => ['--library', folder])];
    const args = [script, 'build', project.folder, ...pool, ...(target === undefined ? [] : ['--target', target])];
    // The editor's own Node; under Electron it must be told to be one.
    return new vscode.ProcessExecution(process.execPath, args, { cwd, env: { ELECTRON_RUN_AS_NODE: '1' } });
  }
  const jobs = /config$|clean$/.test(target ?? '') ? [] : [`-j${availableParallelism()}`];
  // Messages in other languages match no pattern.
  return new vscode.ProcessExecution('make', [...jobs, ...makeArguments(project, target)], { cwd, env: { LC_ALL: 'C' } });
}

/** The project that a task builds; undefined for other tasks and targets. */
export function projectOfTask(task: vscode.Task, projects: readonly Project[]): Project | undefined {
  if (task.definition.type !== taskType) return undefined;
  const { project, target } = task.definition as Definition;
  const found = projectNamed(projects, project, task.scope);
  return found && (target === undefined || found.builder === 'pool') ? found : undefined;
}
