/** The Library Pool view: the libraries of the current project in groups, what state each is in, and the commands on them. */
import * as vscode from 'vscode';
import { type Context } from '../context';
import { commands, poolViewId } from '../manifest';
import { type LibraryKind, type Library } from '../pool/library';
import { type Builder } from './build';
import { addBeside, editKraftfile, setEnabled } from './pool-edit';
import { type PoolEntry, type PoolModel } from './pool-model';
import { type PoolWorkspace } from './pool-workspace';
import { type Project } from '../project/projects';
import { type LibraryStatus, statusTitles } from '../shared/library-status';

interface Group {
  readonly type: 'group';
  readonly kind: LibraryKind;
  readonly title: string;
  readonly children: readonly Node[];
}

interface Leaf {
  readonly type: 'library';
  readonly entry: PoolEntry;
}

interface ProjectLeaf {
  readonly type: 'project';
  readonly project: Project;
  readonly isCurrent: boolean;
}

export type Node = Group | Leaf | ProjectLeaf;

const groups: readonly (readonly [LibraryKind, string, string])[] = [
  ['application', 'Applications', 'rocket'],
  ['library', 'Libraries', 'library'],
  ['driver', 'Drivers', 'plug'],
  ['platform', 'Platforms', 'server-environment'],
  ['architecture', 'Architectures', 'circuit-board'],
];

const icons: Readonly<Record<LibraryStatus, readonly [icon: string, color: string | undefined]>> = {
  image: ['pass-filled', 'charts.green'],
  enabled: ['circle-filled', 'charts.blue'],
  leaving: ['circle-slash', 'list.warningForeground'],
  disabled: ['circle-outline', 'disabledForeground'],
  beside: ['folder', 'disabledForeground'],
  available: ['cloud-download', undefined],
  missing: ['error', 'list.errorForeground'],
};

export function registerPoolView(context: Context, workspace: PoolWorkspace, builder: Builder): void {
  const view = new PoolView(context, workspace);
  const { files } = workspace;
  context.command(commands.poolRefresh, () => workspace.refresh());
  context.command(commands.poolFilter, (text) => view.askFilter(typeof text === 'string' ? text : undefined));
  context.command(commands.poolClearFilter, () => view.filter(''));
  context.command(commands.poolSelectProject, async (target) => {
    const project = isProjectLeaf(target) ? target.project : await pickProject(workspace, target);
    if (project) await workspace.select(project);
  });
  const add = async (model: PoolModel, library: Library): Promise<void> => {
    if (await addBeside(model, library)) workspace.refresh();
  };
  const change = (wanted: 'y' | 'n') => async (target: unknown) => {
    const model = await needModel(workspace);
    const fits = ({ status }: PoolEntry): boolean =>
      wanted === 'y' ? status === 'disabled' || status === 'leaving' || status === 'beside' : status === 'image' || status === 'enabled';
    const library = await libraryOf(model, target, wanted === 'y' ? 'Library to enable' : 'Library to disable', fits);
    if (library?.state === 'beside') return add(model, library);
    if (!library || !(await setEnabled(model, library, wanted))) return;
    workspace.reload();
  };
  context.command(commands.poolEnable, change('y'));
  context.command(commands.poolDisable, change('n'));
  const kraft = (action: 'add' | 'remove') => async (target: unknown) => {
    const model = await needModel(workspace);
    const isOffered = ({ library }: PoolEntry): boolean =>
      library !== undefined && model.kraftfileUse(library) === (action === 'add' ? 'possible' : 'asked');
    const placeHolder = action === 'add' ? 'Library to add to the Kraftfile' : 'Library to remove from the Kraftfile';
    const library = await libraryOf(model, target, placeHolder, isOffered);
    if (library?.state === 'beside') return add(model, library);
    const name = isLeaf(target) ? target.entry.title : library?.title;
    if (name === undefined) return;
    await editKraftfile(model, name, action);
    // Which libraries the project takes is the Kraftfile's to say.
    workspace.refresh();
  };
  context.command(commands.poolAddToKraftfile, kraft('add'));
  context.command(commands.poolRemoveFromKraftfile, kraft('remove'));
  const open = (name: string) => async (target: unknown) => {
    const library = await libraryOf(await needModel(workspace), target, `Library of which to open ${name}`);
    if (!library) return;
    const own = `${library.folder}/${name}`;
    const path = files.kind(own) === 'file' ? own : library.place?.path.endsWith(name) ? library.place.path : undefined;
    if (path === undefined) throw new Error(`${library.title} has no ${name}.`);
    await openPlace(path, path === library.place?.path ? library.place.line : 1);
  };
  context.command(commands.poolOpenConfig, open('Config.uk'));
  context.command(commands.poolOpenMakefile, open('Makefile.uk'));
  context.command(commands.selectTarget, async () => {
    const project = await workspace.current();
    if (!project || project.targets.length === 0) throw new Error('There is no project whose target could be chosen.');
    const picks = project.targets.map(({ name, configFile }) => ({
      label: name,
      description: name === project.target?.name ? 'current' : '',
      detail: vscode.workspace.asRelativePath(configFile) + (files.kind(configFile) === 'file' ? '' : ' (made by the first build)'),
    }));
    const picked = await vscode.window.showQuickPick(picks, { title: `Target of ${project.name}`, placeHolder: 'What the image is for' });
    if (picked) await workspace.selectTarget(project, picked.label);
  });
  context.command(commands.poolBuildLibrary, async (target) => {
    const model = await needModel(workspace);
    const library = await libraryOf(model, target, 'Library to build', ({ status }) => status === 'image' || status === 'enabled');
    if (library) await builder.run(model.project, { library: library.name });
  });
  context.command(commands.whichLibrary, (name) => whichLibrary(workspace, typeof name === 'string' ? name : undefined));
}

/** Opens a file at a line, from 1. */
export async function openPlace(path: string, line: number): Promise<void> {
  const at = new vscode.Position(Math.max(0, line - 1), 0);
  await vscode.window.showTextDocument(vscode.Uri.file(path), { selection: new vscode.Range(at, at) });
}

export async function needModel(workspace: PoolWorkspace): Promise<PoolModel> {
  const model = await workspace.model();
  if (!model) {
    const reason =
      (await workspace.notice())?.message ?? 'Open a Unikraft project, or name the core in the setting unikernel.kconfig.root.';
    throw new Error(`No library pool was found. ${reason}`);
  }
  return model;
}

/** The library that a command is called on: a row of the tree, a name, or one that is picked. */
export async function libraryOf(
  model: PoolModel,
  target: unknown,
  placeHolder: string,
  fits: (entry: PoolEntry) => boolean = () => true,
): Promise<Library | undefined> {
  if (isLeaf(target)) return target.entry.library;
  if (typeof target === 'string') {
    const found = model.catalogue.find(target);
    if (!found) throw new Error(`The pool has no library ${target}.`);
    return found;
  }
  const entries = [...model.entries().values()].flat().filter((entry) => entry.library !== undefined && fits(entry));
  const picks = entries.map(({ title, status, description, library }) => ({
    label: `$(${icons[status][0]}) ${title}`,
    description: statusTitles[status],
    detail: description,
    library,
  }));
  return (await vscode.window.showQuickPick(picks, { placeHolder, matchOnDetail: true }))?.library;
}

function isLeaf(target: unknown): target is Leaf {
  return typeof target === 'object' && target !== null && 'type' in target && target.type === 'library';
}

function isProjectLeaf(target: unknown): target is ProjectLeaf {
  return typeof target === 'object' && target !== null && 'type' in target && target.type === 'project';
}

async function pickProject(workspace: PoolWorkspace, target: unknown): Promise<Project | undefined> {
  const projects = await workspace.projects();
  const path = target instanceof vscode.Uri ? target.fsPath : target;
  if (typeof path === 'string') return projects.find(({ folder }) => folder === path);
  if (projects.length === 0) throw new Error('The workspace has no Unikraft project.');
  const picks = projects.map((project) => ({ label: project.name, description: vscode.workspace.asRelativePath(project.folder), project }));
  return (await vscode.window.showQuickPick(picks, { placeHolder: 'Project to work on' }))?.project;
}

/** Lets the user choose among all system calls that the pool provides, and shows who provides the chosen one. */
async function whichLibrary(workspace: PoolWorkspace, asked: string | undefined): Promise<void> {
  const model = await needModel(workspace);
  const { catalogue, configured } = model;
  const providers = asked === undefined ? [...catalogue.syscalls.values()].flat() : catalogue.providersOf(asked);
  if (providers.length === 0)
    throw new Error(
      asked === undefined
        ? 'No library of this pool provides a system call.'
        : `No library of this pool provides ${asked}: a program that calls it gets ENOSYS.`,
    );
  const picks = providers
    .map(({ library, call }) => {
      const inside = configured?.enabled.includes(library.name) === true && configured.syscalls.has(call.name);
      const icon = inside ? 'pass-filled' : 'circle-outline';
      return {
        label: `$(${icon}) ${call.name}`,
        description: `${library.title}${inside ? '' : ' · not enabled'}`,
        ...(call.condition !== '' && call.condition !== library.symbol && { detail: `if ${call.condition}` }),
        name: call.name,
        library,
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const [only] = picks;
  const picked =
    asked !== undefined && picks.length === 1
      ? only
      : await vscode.window.showQuickPick(picks, {
          title: 'Which Library Provides This Syscall?',
          placeHolder: 'Name of a system call',
          matchOnDescription: true,
        });
  if (picked) await vscode.commands.executeCommand(commands.poolShowLibrary, picked.library.name);
}

class PoolView implements vscode.TreeDataProvider<Node> {
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #view: vscode.TreeView<Node>;
  #filter = '';
  #model: PoolModel | undefined;

  constructor(
    private readonly context: Context,
    private readonly workspace: PoolWorkspace,
  ) {
    this.#view = context.own(vscode.window.createTreeView<Node>(poolViewId, { treeDataProvider: this, showCollapseAll: true }));
    context.own(this.#changed);
    context.own(workspace.onDidChange(() => this.#changed.fire()));
  }

  async askFilter(text: string | undefined): Promise<void> {
    const given =
      text ??
      (await vscode.window.showInputBox({
        title: 'Filter the Library Pool',
        value: this.#filter,
        prompt: 'Names, options, descriptions, system calls, headers; @enabled, @disabled, @image or @missing for a state',
        placeHolder: 'e.g. alloc, LIBUKSCHED, futex, @enabled',
      }));
    if (given !== undefined) this.filter(given.trim());
  }

  filter(text: string): void {
    this.#filter = text;
    void vscode.commands.executeCommand('setContext', 'unikernel.poolFiltered', text !== '');
    this.#changed.fire();
  }

  async getChildren(node?: Node): Promise<Node[]> {
    if (node) return node.type === 'group' ? [...node.children] : [];
    const model = (this.#model = await this.workspace.model());
    this.#view.description = model?.project.name ?? '';
    void vscode.commands.executeCommand('setContext', 'unikernel.builtByMake', model?.project.builder === 'make');
    if (!model) {
      this.#view.message = (await this.workspace.notice())?.message ?? '';
      return [];
    }
    const entries = model.entries(this.#filter);
    const projects = await this.workspace.projects();
    const found = groups.flatMap(([kind, title]): Group[] => {
      const own = entries.get(kind) ?? [];
      const children: Node[] = own.map((entry) => ({ type: 'library', entry }));
      // The current project's own row says more than the row of its code would.
      if (kind === 'application' && this.#filter === '') {
        const apps = projects.filter(({ isApplication }) => isApplication);
        children.splice(
          0,
          children.length,
          ...apps.map((project): Node => ({ type: 'project', project, isCurrent: project === model.project })),
        );
      }
      return children.length === 0 ? [] : [{ type: 'group', kind, title, children }];
    });
    const count = found.reduce((sum, { children }) => sum + children.length, 0);
    const missing = (await this.workspace.notice())?.message;
    const isStarter = model.project.tree.base === this.context.resource('library-pool').fsPath;
    const notice = missing === undefined ? '' : `${missing}${isStarter ? ' Shown here is the starter pool.' : ''}`;
    this.#view.message =
      this.#filter === '' ? notice : count === 0 ? `Nothing matches “${this.#filter}”.` : `${count} for “${this.#filter}”`;
    return found;
  }

  getTreeItem(node: Node): vscode.TreeItem {
    if (node.type === 'group') return groupItem(node, this.#filter);
    return node.type === 'project' ? projectItem(node) : libraryItem(node.entry, this.#kraftfileUse(node.entry));
  }

  /** The part of a row's context that says what can be done in the Kraftfile. */
  #kraftfileUse({ library }: PoolEntry): string {
    const use = library && this.#model?.kraftfileUse(library);
    return use === undefined ? '' : ` ${use}`;
  }

  async resolveTreeItem(item: vscode.TreeItem, node: Node): Promise<vscode.TreeItem> {
    const model = await this.workspace.model();
    if (node.type === 'library' && node.entry.library && model) item.tooltip = tooltip(model, node.entry, node.entry.library);
    return item;
  }
}

function groupItem({ kind, title, children }: Group, filter: string): vscode.TreeItem {
  const open = kind === 'library' || kind === 'application' || filter !== '';
  const item = new vscode.TreeItem(title, open ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.Collapsed);
  // A filter opens the groups; an id of its own keeps it from being remembered.
  item.id = `${kind}${filter === '' ? '' : ' filtered'}`;
  item.iconPath = new vscode.ThemeIcon(groups.find(([each]) => each === kind)![2]);
  const on = children.filter(
    (child) => child.type === 'library' && (child.entry.status === 'image' || child.entry.status === 'enabled'),
  ).length;
  item.description = kind === 'application' && on === 0 ? `${children.length}` : `${on} of ${children.length}`;
  item.contextValue = 'group';
  return item;
}

function projectItem({ project, isCurrent }: ProjectLeaf): vscode.TreeItem {
  const item = new vscode.TreeItem(project.name);
  item.id = `project ${project.folder}`;
  item.iconPath = isCurrent ? new vscode.ThemeIcon('target', new vscode.ThemeColor('charts.blue')) : new vscode.ThemeIcon('blank');
  item.description = isCurrent ? 'current' : vscode.workspace.asRelativePath(project.folder);
  item.tooltip = project.folder;
  item.contextValue = isCurrent ? 'project current' : 'project';
  if (!isCurrent)
    item.command = { command: commands.poolSelectProject, title: 'Select Project', arguments: [{ type: 'project', project, isCurrent }] };
  return item;
}

function libraryItem({ name, title, status, description, library }: PoolEntry, kraftfileUse: string): vscode.TreeItem {
  const item = new vscode.TreeItem(title);
  const [icon, color] = icons[status];
  item.id = `library ${name}`;
  item.iconPath = new vscode.ThemeIcon(icon, color === undefined ? undefined : new vscode.ThemeColor(color));
  item.description = [...(status === 'image' || status === 'disabled' ? [] : [statusTitles[status]]), description]
    .filter((part) => part !== '')
    .join(' · ');
  item.accessibilityInformation = { label: `${title}, ${statusTitles[status]}, ${description}` };
  const switchable = library?.symbol === undefined ? '' : status === 'image' || status === 'enabled' ? ' on' : ' off';
  const isNone = status === 'available' || status === 'missing' || status === 'beside';
  item.contextValue = isNone ? status : `library${switchable}${kraftfileUse}`;
  if (library) item.command = { command: commands.poolShowLibrary, title: 'Show Library', arguments: [name] };
  return item;
}

function tooltip(model: PoolModel, { status }: PoolEntry, library: Library): vscode.MarkdownString {
  const text = new vscode.MarkdownString('', true);
  text.appendMarkdown(`**${library.title}** $(${icons[status][0]}) ${statusTitles[status]}\n\n`);
  if (library.description !== '') text.appendText(library.description).appendMarkdown('\n\n');
  const value = library.symbol === undefined ? undefined : model.value(library.symbol);
  const facts = [
    library.symbol === undefined ? 'always built' : `\`CONFIG_${library.symbol}=${value ?? 'n'}\``,
    ...(library.syscalls.length > 0 ? [`${library.syscalls.length} system calls`] : []),
    `${library.sources.length} source files`,
    ...(library.license === undefined ? [] : [library.license]),
  ];
  text.appendMarkdown(facts.join(' · '));
  const title = (name: string): string => model.catalogue.find(name)?.title ?? name;
  const line = (label: string, names: readonly string[]): void => {
    const unique = [...new Set(names.map(title))];
    if (unique.length > 0)
      text.appendMarkdown(`\n\n${label}: `).appendText(unique.slice(0, 8).join(', ') + (unique.length > 8 ? ' …' : ''));
  };
  line(
    'Needs',
    library.needs.filter(({ reason }) => reason !== 'uses').map(({ to }) => to),
  );
  line(
    'Needed by',
    library.neededBy.filter(({ reason }) => reason !== 'uses').map(({ from }) => from),
  );
  return text;
}
