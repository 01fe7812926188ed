/** The projects of the workspace, the one that is worked on, and its pool, read when somebody looks and again when files change. */
import * as vscode from 'vscode';
import { type Context } from '../context';
import { type PoolProblem } from '../pool/problems';
import { dirName, isInside, type PoolTree } from '../pool/tree';
import { NodeFiles } from '../shared/files.node';
import { readIndex } from './pool-index';
import { PoolModel } from './pool-model';
import { findProjects, missingCore, withTarget, type Project, type ProjectSearch } from '../project/projects';

const marks = '**/{Kraftfile,kraft.yaml,kraft.yml,Kraftfile.yml,Kraftfile.yaml,Makefile.uk,Makefile}';
const excluded = '**/{node_modules,.git,.unikraft,build,workdir,repos}/**';
const mostMarks = 2000;
/** Changes that come closer together than this, in milliseconds, are taken together. */
const calm = 400;
/** What has to be read again. */
type Due = 'configuration' | 'everything';
const remembered = 'unikernel.project';
const rememberedTargets = 'unikernel.targets';

export class PoolWorkspace {
  readonly files = new NodeFiles();
  readonly #changed = new vscode.EventEmitter<void>();
  /** Something that the views show has changed. */
  readonly onDidChange = this.#changed.event;
  readonly #diagnostics: vscode.DiagnosticCollection;
  #projects: Promise<readonly Project[]> | undefined;
  #notice: PoolProblem | undefined;
  #current: Project | undefined;
  #model: PoolModel | undefined;
  #watchers: vscode.Disposable[] = [];
  #timer: NodeJS.Timeout | undefined;
  #due: Due = 'configuration';

  constructor(private readonly context: Context) {
    this.#diagnostics = context.own(vscode.languages.createDiagnosticCollection('unikernel pool'));
    context.own(this.#changed);
    context.own({ dispose: () => this.#stopWatching() });
    context.own(vscode.workspace.onDidChangeWorkspaceFolders(() => this.refresh()));
    context.own(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('unikernel.kconfig') || event.affectsConfiguration('unikernel.pool')) this.refresh();
      }),
    );
    context.own(
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        const path = document.uri.fsPath;
        if (this.#current && (path === this.#current.configFile || path === this.#current.kraftfile)) this.#later('configuration');
      }),
    );
  }

  /** All projects; found once, and again after a refresh. */
  projects(): Promise<readonly Project[]> {
    this.#projects ??= this.#find();
    return this.#projects;
  }

  /** Why there is no application to work on, where one was to be expected. */
  async notice(): Promise<PoolProblem | undefined> {
    await this.projects();
    return this.#notice;
  }

  /** The project that commands and views mean. */
  async current(): Promise<Project | undefined> {
    const projects = await this.projects();
    if (!this.#current || !projects.includes(this.#current)) {
      const name = this.context.extension.workspaceState.get<string>(remembered);
      this.#current =
        projects.find(({ folder }) => folder === this.#current?.folder) ?? projects.find(({ folder }) => folder === name) ?? projects[0];
      this.#model = undefined;
      this.#watch();
    }
    return this.#current;
  }

  /** Its pool. */
  async model(): Promise<PoolModel | undefined> {
    const project = await this.current();
    if (project === undefined) return undefined;
    if (this.#model?.project !== project) {
      const started = performance.now();
      const index = await readIndex(this.context, this.files);
      this.#model = new PoolModel(this.files, project, unsavedText, index.entries);
      const { libraries, problems } = this.#model.catalogue;
      this.context.log.appendLine(
        `pool of ${project.folder}: ${libraries.length} libraries from ${project.tree.base} in ${Math.round(performance.now() - started)} ms`,
      );
      this.#show([...index.problems, ...problems], project.tree);
    }
    return this.#model;
  }

  async select(project: Project): Promise<void> {
    this.#current = project;
    this.#model = undefined;
    this.#watch();
    await this.context.extension.workspaceState.update(remembered, project.folder);
    this.#changed.fire();
  }

  /** Takes another target of a project to work on, now and in later sessions. */
  async selectTarget(project: Project, target: string): Promise<void> {
    const { workspaceState } = this.context.extension;
    const targets = workspaceState.get<Readonly<Record<string, string>>>(rememberedTargets, {});
    await workspaceState.update(rememberedTargets, { ...targets, [project.folder]: target });
    this.refresh();
  }

  /** Forgets everything that was read. */
  refresh(): void {
    this.#projects = undefined;
    this.#model = undefined;
    this.#changed.fire();
  }

  /** Reads configuration and images again, now. */
  reload(): void {
    this.#model?.reload();
    this.#changed.fire();
  }

  async #find(): Promise<readonly Project[]> {
    const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file').map(({ uri }) => uri.fsPath);
    const found = await vscode.workspace.findFiles(marks, excluded, mostMarks);
    const candidates = [...folders, ...found.map((uri) => vscode.Uri.joinPath(uri, '..').fsPath)];
    const pool = this.context.resource('library-pool').fsPath;
    const search: ProjectSearch = {
      files: this.files,
      folders,
      candidates,
      root: this.context.setting('kconfig.root'),
      starterPool: this.files.kind(`${pool}/Config.uk`) === 'file' ? pool : undefined,
    };
    const projects = findProjects(search);
    this.#notice = missingCore(search, projects);
    const targets = this.context.extension.workspaceState.get<Readonly<Record<string, string>>>(rememberedTargets, {});
    return projects.map((project) => withTarget(project, targets[project.folder]));
  }

  /** What is wrong with files of the workspace goes to the Problems view; all of it to the log. */
  #show(list: readonly PoolProblem[], { base }: PoolTree): void {
    const byFile = new Map<string, vscode.Diagnostic[]>();
    for (const { code, path, line, severity, message } of list) {
      this.context.log.appendLine(`${path}:${line}: ${severity}: ${message}`);
      const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(path))?.uri.fsPath;
      // A core that came with a project is not the project's to mend.
      if (folder === undefined || (severity === 'warning' && base !== folder && isInside(path, base))) continue;
      const at = new vscode.Position(Math.max(0, line - 1), 0);
      const level = severity === 'error' ? vscode.DiagnosticSeverity.Error : vscode.DiagnosticSeverity.Warning;
      const diagnostic = new vscode.Diagnostic(new vscode.Range(at, at), message, level);
      diagnostic.source = 'unikernel pool';
      diagnostic.code = code;
      byFile.set(path, [...(byFile.get(path) ?? []), diagnostic]);
    }
    this.#diagnostics.clear();
    for (const [path, diagnostics] of byFile) this.#diagnostics.set(vscode.Uri.file(path), diagnostics);
  }

  #watch(): void {
    this.#stopWatching();
    const project = this.#current;
    if (project === undefined) return;
    const { base, libraries } = project.tree;
    const folders = [...new Set([base, ...libraries, project.folder])];
    const watch = (folder: string, pattern: string, changed: Due, appeared: Due = changed): void => {
      const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(vscode.Uri.file(folder), pattern));
      const later = (due: Due) => (): void => this.#later(due);
      this.#watchers.push(
        watcher,
        watcher.onDidChange(later(changed)),
        watcher.onDidCreate(later(appeared)),
        watcher.onDidDelete(later(appeared)),
      );
    };
    for (const folder of folders) watch(folder, '**/{Config.uk,Makefile.uk,Library.uk,exportsyms.uk,version.mk,Makefile}', 'everything');
    watch(project.folder, '{defconfig,*_*-x86_64}', 'configuration');
    watch(project.build, '{config,*_*-x86_64}', 'configuration');
    // Whether there are these decides which targets there are.
    watch(dirName(project.configFile), '{.config,.config.*}', 'configuration', 'everything');
    watch(project.folder, '{Kraftfile,kraft.yaml,kraft.yml}', 'everything');
  }

  #stopWatching(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.splice(0)) watcher.dispose();
  }

  #later(due: Due): void {
    if (due === 'everything') this.#due = due;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const all = this.#due === 'everything';
      this.#due = 'configuration';
      if (all) this.refresh();
      else this.reload();
    }, calm);
  }
}

/** The text of a file that is being edited. */
function unsavedText(path: string): string | undefined {
  return vscode.workspace.textDocuments.find(({ uri, isDirty }) => isDirty && uri.scheme === 'file' && uri.fsPath === path)?.getText();
}
