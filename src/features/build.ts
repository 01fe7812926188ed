/** Builds of projects: `Unikernel: Build` and F5 go here; problems go to the Problems view, output to a channel, progress to a notification. */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import * as vscode from 'vscode';
import { type MakeAction, makeBuild } from '../build/make/make-build.node';
import { makeRootfs } from '../build/make/rootfs.node';
import { type BuildProblem } from '../build/problems';
import { type Context } from '../context';
import { commands } from '../manifest';
import { makeProject, type Project } from '../project/projects';
import { launchOf, rootfsOf, type ProjectLaunch } from './launch';
import { type PoolWorkspace } from './pool-workspace';

/** What is said of a project's last build. */
export type BuildState = 'idle' | 'building' | 'failed';

/** How a build ended, by whichever builder. */
interface BuildReport {
  readonly ok: boolean;
  readonly cancelled?: boolean;
  readonly images: readonly { readonly target: string; readonly image: string; readonly initrd?: string }[];
  /** The program and its arguments that the Kraftfile gives. */
  readonly command?: readonly string[];
  readonly problems: readonly BuildProblem[];
}

const severities = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  note: vscode.DiagnosticSeverity.Information,
} as const;

/** What a build is called while it runs. */
const titles: Readonly<Record<Exclude<MakeAction, object>, string>> = {
  configure: 'Configuring',
  fetch: 'Fetching sources for',
  prepare: 'Preparing',
  build: 'Building',
  clean: 'Cleaning',
  properclean: 'Removing the build of',
};

export class Builder {
  readonly #diagnostics: vscode.DiagnosticCollection;
  readonly #changed = new vscode.EventEmitter<Project>();
  /** A build has begun or ended. */
  readonly onDidChangeState = this.#changed.event;
  readonly #states = new Map<string, BuildState>();
  readonly #running = new Map<string, Promise<vscode.Uri | undefined>>();
  readonly #launches = new Map<string, ProjectLaunch>();
  /** How much of a build that runs is done, in percent, where that is known. */
  readonly #percents = new Map<string, number>();
  #output: vscode.OutputChannel | undefined;

  constructor(
    private readonly context: Context,
    private readonly workspace: PoolWorkspace,
  ) {
    this.#diagnostics = context.own(vscode.languages.createDiagnosticCollection('unikernel'));
    context.own(this.#changed);
  }

  stateOf(project: Project): BuildState {
    return this.#states.get(project.folder) ?? 'idle';
  }

  /** How far the project's build is, in percent; undefined where none runs, or that cannot be known. */
  percentOf(project: Project): number | undefined {
    return this.#percents.get(project.folder);
  }

  /** What the image of the last build is booted with. */
  launchOf(project: Project): ProjectLaunch {
    return this.#launches.get(project.folder) ?? {};
  }

  /** Notes what a build elsewhere, such as a task, does. */
  setState(project: Project, state: BuildState): void {
    this.#states.set(project.folder, state);
    this.#changed.fire(project);
  }

  /** Does it, with progress and a way to cancel. Answers the target's image, or undefined where there is none: then the reason was shown. */
  run(project: Project, action: MakeAction = 'build'): Promise<vscode.Uri | undefined> {
    // Two builds in one folder would trip over each other; who asks again waits for the one that runs.
    const running = this.#running.get(project.build);
    if (running) return running;
    const run = this.#run(project, action).finally(() => this.#running.delete(project.build));
    this.#running.set(project.build, run);
    return run;
  }

  async #run(project: Project, action: MakeAction): Promise<vscode.Uri | undefined> {
    if (!vscode.workspace.isTrusted)
      throw new Error(
        'A build runs the commands of the project’s makefiles: trust the workspace first (Workspaces: Manage Workspace Trust).',
      );
    await vscode.workspace.saveAll(false);
    this.setState(project, 'building');
    let report: BuildReport | undefined;
    try {
      const title = `${typeof action === 'object' ? `Building ${action.library} of` : titles[action]} ${project.name}`;
      const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
      report = await vscode.window.withProgress(options, (progress, token) => {
        const cancel = new AbortController();
        token.onCancellationRequested(() => cancel.abort());
        return project.builder === 'make'
          ? this.#make(project, action, progress, cancel.signal)
          : runOwnBuilder(this.context, project, cancel.signal);
      });
    } finally {
      this.#percents.delete(project.folder);
      this.setState(project, report?.ok === true || report?.cancelled === true ? 'idle' : 'failed');
    }
    this.#show(report.problems, project);
    this.workspace.reload();
    if (report.cancelled === true) return undefined;
    if (!report.ok) {
      await this.#failed(report);
      return undefined;
    }
    const { target } = project;
    const own = `${target?.platform ?? ''}-${target?.architecture ?? ''}`;
    const image = report.images.find((each) => each.target === own) ?? report.images[0];
    const launch = { ...(image?.initrd !== undefined && { initrd: image.initrd }), ...commandLine(report.command) };
    if (action === 'build')
      this.#launches.set(project.folder, project.builder === 'make' ? launchOf(this.workspace.files, project) : launch);
    return image && vscode.Uri.file(image.image);
  }

  async #make(
    project: Project,
    action: MakeAction,
    progress: vscode.Progress<{ message?: string; increment?: number }>,
    signal: AbortSignal,
  ): Promise<BuildReport> {
    const output = (this.#output ??= this.context.own(vscode.window.createOutputChannel('Unikernel Build')));
    output.clear();
    let shown = 0;
    const built = await makeBuild({
      project: makeProject(project),
      action,
      seed: project.target?.seed,
      jobs: availableParallelism(),
      env: process.env,
      signal,
      output: (text) => output.append(text),
      progress: ({ verb, library, what }, part) => {
        const percent = part === undefined ? shown : Math.floor(part * 100);
        progress.report({ message: `${verb} ${library === undefined ? '' : `${library}: `}${what}`, increment: percent - shown });
        if (percent === shown) return;
        shown = percent;
        this.#percents.set(project.folder, percent);
        this.#changed.fire(project);
      },
    });
    const rootfs = built.ok && action === 'build' ? rootfsOf(this.workspace.files, project) : undefined;
    if (rootfs === undefined) return built;
    progress.report({ message: `programs of ${vscode.workspace.asRelativePath(rootfs)}` });
    const made = await makeRootfs(rootfs, { env: process.env, signal, output: (text) => output.append(text) });
    return { ...built, ok: made.ok, cancelled: made.cancelled, problems: [...built.problems, ...made.problems] };
  }

  async #failed({ problems }: BuildReport): Promise<void> {
    await vscode.commands.executeCommand('workbench.panel.markers.view.focus');
    const reason = problems.find(({ severity }) => severity === 'error')?.message ?? 'the builder gave no reason';
    const show = 'Show Output';
    const actions = this.#output === undefined ? [] : [show];
    // Not waited for: a build is over when it is over.
    void vscode.window.showErrorMessage(`The image was not built: ${reason}`, ...actions).then((answer) => {
      if (answer === show) this.#output?.show();
    });
  }

  #show(list: readonly BuildProblem[], project: Project): void {
    const byFile = new Map<string, vscode.Diagnostic[]>();
    const fallback = project.kraftfile ?? `${project.folder}/Makefile.uk`;
    for (const { path, line, column, severity, message, source } of list) {
      const start = new vscode.Position(Math.max(0, line - 1), Math.max(0, column - 1));
      const diagnostic = new vscode.Diagnostic(new vscode.Range(start, start), message, severities[severity]);
      diagnostic.source = source === 'build' ? 'unikernel build' : source;
      const file = path === '' ? fallback : path;
      byFile.set(file, [...(byFile.get(file) ?? []), diagnostic]);
    }
    this.#diagnostics.clear();
    for (const [path, diagnostics] of byFile) this.#diagnostics.set(vscode.Uri.file(path), diagnostics);
  }
}

function commandLine(command: readonly string[] = []): ProjectLaunch {
  return command.length === 0 ? {} : { cmdline: command.join(' ') };
}

/** The arguments with which our builder is told of a project. */
export function ownBuilderArguments(project: Project): string[] {
  const { folder, tree } = project;
  return ['build', folder, '--pool', tree.base, ...tree.libraries.flatMap((library) => ['--library', library])];
}

/** Our builder in a process of its own: linking would hold the editor up. */
function runOwnBuilder(context: Context, project: Project, signal: AbortSignal): Promise<BuildReport> {
  const script = context.resource('dist', 'cli.js').fsPath;
  const { target, targets } = project;
  // The first target is what the builder, or the Kraftfile, takes by itself.
  const chosen = target === undefined || target === targets[0] ? [] : ['--target', target.name];
  return new Promise((resolve, reject) => {
    // The editor's own Node; under Electron it must be told to be one.
    const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
    const child = spawn(process.execPath, [script, ...ownBuilderArguments(project), ...chosen, '--json'], {
      env,
      signal,
      detached: process.platform !== 'win32',
    });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
      context.log.append(text);
    });
    child.on('error', (error) => {
      if (signal.aborted) resolve({ ok: false, cancelled: true, images: [], problems: [] });
      else reject(error);
    });
    child.on('close', () => {
      try {
        resolve(JSON.parse(output) as BuildReport);
      } catch {
        reject(new Error(`The builder failed: ${errors.trim() || 'it printed nothing'}`));
      }
    });
  });
}

export function registerBuild(context: Context, workspace: PoolWorkspace): Builder {
  const builder = new Builder(context, workspace);
  const projectFor = async (target: unknown): Promise<Project | undefined> => {
    const applications = (await workspace.projects()).filter(({ isApplication }) => isApplication);
    if (target instanceof vscode.Uri) {
      const found = applications.find(({ folder }) => folder === target.fsPath);
      if (!found) throw new Error(`${target.fsPath} is no project: it needs a Kraftfile, a Makefile that names UK_ROOT, or a Makefile.uk.`);
      return found;
    }
    const current = await workspace.current();
    if (!current?.isApplication)
      throw new Error('There is no application to build: open a folder with a Kraftfile, or with a Makefile.uk that registers one.');
    return current;
  };
  const does = (action: MakeAction) => async (target: unknown) => {
    const project = await projectFor(target);
    if (!project) return;
    if (action !== 'build' && project.builder !== 'make')
      throw new Error(`${project.name} is built by the starter pool’s builder, which needs no such step.`);
    await builder.run(project, action);
  };
  context.command(commands.buildProject, does('build'));
  context.command(commands.buildConfigure, does('configure'));
  context.command(commands.buildFetch, does('fetch'));
  context.command(commands.buildPrepare, does('prepare'));
  context.command(commands.buildClean, does('clean'));
  context.command(commands.buildProperclean, does('properclean'));
  return builder;
}
