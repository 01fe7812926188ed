/** F5: launch configurations with and without a launch.json, and the commands that run one image. */
import * as vscode from 'vscode';
import { isInside } from '../pool/tree';
import { type Project } from '../project/projects';
import { type Context } from '../context';
import { commands, debugType } from '../manifest';
import { type Builder } from './build';
import { findImages } from './images';
import { type PoolWorkspace } from './pool-workspace';

export function registerDebug(context: Context, workspace: PoolWorkspace, builder: Builder): void {
  const adapter = context.resource('dist', 'adapter.js').fsPath;
  context.own(
    vscode.debug.registerDebugAdapterDescriptorFactory(debugType, {
      // The editor's own Node; under Electron it must be told to be one.
      createDebugAdapterDescriptor: ({ configuration }) => {
        const port: unknown = configuration['port'];
        // A machine that runs already is debugged through its own adapter.
        if (configuration.request === 'attach' && typeof port === 'number') return new vscode.DebugAdapterServer(port, '127.0.0.1');
        return new vscode.DebugAdapterExecutable(process.execPath, [adapter], { env: { ELECTRON_RUN_AS_NODE: '1' } });
      },
    }),
  );
  const provider = new ConfigurationProvider(context, workspace, builder);
  context.own(vscode.debug.registerDebugConfigurationProvider(debugType, provider));
  context.own(
    vscode.debug.registerDebugConfigurationProvider(
      debugType,
      new DynamicConfigurations(),
      vscode.DebugConfigurationProviderTriggerKind.Dynamic,
    ),
  );
  context.command(commands.runImage, (uri) => start(uri, true));
  context.command(commands.debugImage, (uri) => start(uri, false));
  context.command(commands.showLog, () => context.log.show());
}

/** A configuration for one image. */
function configurationFor(image: vscode.Uri, folder: vscode.WorkspaceFolder | undefined): vscode.DebugConfiguration {
  const inside = folder !== undefined && image.path.startsWith(`${folder.uri.path}/`);
  const path = inside ? `\${workspaceFolder}/${image.path.slice(folder.uri.path.length + 1)}` : image.fsPath;
  return { type: debugType, request: 'launch', name: `Boot ${image.path.slice(image.path.lastIndexOf('/') + 1)}`, image: path };
}

async function start(argument: unknown, noDebug: boolean): Promise<void> {
  const image = argument instanceof vscode.Uri ? argument : await pickImage();
  if (image === undefined) return;
  const folder = vscode.workspace.getWorkspaceFolder(image) ?? vscode.workspace.workspaceFolders?.[0];
  await vscode.debug.startDebugging(folder, { ...configurationFor(image, undefined), image: image.fsPath }, { noDebug });
}

/** Lets the user choose among the images of the workspace, or any file. */
async function pickImage(): Promise<vscode.Uri | undefined> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const images = (await Promise.all(folders.map(findImages))).flat();
  const browse = { label: '$(folder-opened) Choose a file…', uri: undefined };
  const items = [...images.map((uri) => ({ label: vscode.workspace.asRelativePath(uri), uri })), browse];
  const picked = images.length === 0 ? browse : await vscode.window.showQuickPick(items, { placeHolder: 'Image to boot' });
  if (picked === undefined || picked.uri !== undefined) return picked?.uri;
  const [file] = (await vscode.window.showOpenDialog({ title: 'Image to boot', canSelectMany: false })) ?? [];
  return file;
}

class ConfigurationProvider implements vscode.DebugConfigurationProvider {
  constructor(
    private readonly context: Context,
    private readonly workspace: PoolWorkspace,
    private readonly builder: Builder,
  ) {}

  /** What a new launch.json holds. */
  async provideDebugConfigurations(folder: vscode.WorkspaceFolder | undefined): Promise<vscode.DebugConfiguration[]> {
    const images = folder === undefined ? [] : await findImages(folder);
    if (images.length > 0) return images.map((image) => configurationFor(image, folder));
    return [{ type: debugType, request: 'launch', name: 'Boot unikernel', image: '${workspaceFolder}/build/NAME_qemu-x86_64' }];
  }

  /** F5 without a launch.json comes with an empty configuration: find or build the folder's image. */
  async resolveDebugConfiguration(
    folder: vscode.WorkspaceFolder | undefined,
    configuration: vscode.DebugConfiguration,
  ): Promise<vscode.DebugConfiguration | null | undefined> {
    let result = configuration;
    if (configuration.type === undefined || configuration.type === '' || configuration.request === undefined) {
      const found = await this.#launchOf(folder);
      if (found === undefined) return undefined;
      result = { ...configuration, ...found };
    }
    const setting = <K extends 'debug.memory' | 'debug.trace'>(name: K) => this.context.setting(name, folder);
    return { memory: setting('debug.memory'), trace: setting('debug.trace'), ...result };
  }

  /** After variables were substituted: an image that is not there is said here, in the editor's own way. */
  async resolveDebugConfigurationWithSubstitutedVariables(
    folder: vscode.WorkspaceFolder | undefined,
    configuration: vscode.DebugConfiguration,
  ): Promise<vscode.DebugConfiguration | null> {
    if (configuration.request === 'attach' && configuration['session'] === undefined) return this.#checkAttach(configuration, folder);
    const image: unknown = configuration['image'];
    if (typeof image !== 'string' || image === '') {
      return this.#refuse('launch.json: "image" is missing. Name the kernel image to boot.', folder);
    }
    try {
      await vscode.workspace.fs.stat(vscode.Uri.file(image));
    } catch {
      return this.#refuse(`There is no image ${image}. Build it first, or correct "image" in launch.json.`, folder);
    }
    return configuration;
  }

  #checkAttach(configuration: vscode.DebugConfiguration, folder: vscode.WorkspaceFolder | undefined): vscode.DebugConfiguration | null {
    const port: unknown = configuration['port'];
    if (typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65535) return configuration;
    return this.#refuse(
      port === undefined
        ? 'launch.json: to attach, name the "port" of a machine that "unikernel dap --server PORT IMAGE" runs, or an "image" and a saved "session".'
        : 'launch.json: "port" must be a whole number from 1 to 65535.',
      folder,
    );
  }

  /** Shows why nothing starts, without holding the session up until the message is read. */
  #refuse(message: string, folder: vscode.WorkspaceFolder | undefined): null {
    const open = folder === undefined ? [] : ['Open launch.json'];
    void vscode.window.showErrorMessage(message, ...open).then((choice) => {
      if (choice !== undefined) void vscode.commands.executeCommand('workbench.action.debug.configure');
    });
    return null;
  }

  /** The project of the folder, built first; where the folder holds none, an image in it. */
  async #launchOf(folder: vscode.WorkspaceFolder | undefined): Promise<vscode.DebugConfiguration | undefined> {
    const projects = (await this.workspace.projects()).filter(({ isApplication }) => isApplication);
    const inside = projects.filter((project) => folder === undefined || isInside(project.folder, folder.uri.fsPath));
    const current = await this.workspace.current();
    const project = inside.find((each) => each === current) ?? (inside.length === 1 ? inside[0] : undefined);
    const ready = folder === undefined ? [] : await findImages(folder);
    // An image that lies there ready, as in the example, needs no compiler; once its project is built, that is what is meant.
    const builds =
      project && (project.builder === 'make' || project.folder === folder?.uri.fsPath || ready.length === 0 || isBuilt(project, ready));
    if (project && builds) {
      const image = await this.builder.run(project);
      if (image === undefined) return undefined;
      return { ...configurationFor(image, folder), ...this.builder.launchOf(project) };
    }
    const image = ready.length === 1 ? ready[0] : await pickImage();
    return image && configurationFor(image, folder);
  }
}

function isBuilt({ build }: Project, images: readonly vscode.Uri[]): boolean {
  return images.some(({ fsPath }) => isInside(fsPath, build));
}

/** The entries of "Select and Start Debugging": every image of the folder. */
class DynamicConfigurations implements vscode.DebugConfigurationProvider {
  async provideDebugConfigurations(folder: vscode.WorkspaceFolder | undefined): Promise<vscode.DebugConfiguration[]> {
    return folder === undefined ? [] : (await findImages(folder)).map((image) => configurationFor(image, folder));
  }
}
