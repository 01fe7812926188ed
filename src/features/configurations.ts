/** Launch configurations with and without a launch.json, and the commands that run one image. */
import * as vscode from 'vscode';
import { type Context } from '../context';
import { commands, debugType } from '../manifest';
import { findImages } from './images';
import { fileAt } from './places';

/** What F5 starts in a folder without a launch.json; undefined where nothing is to be started. */
export type LaunchOf = (folder: vscode.WorkspaceFolder | undefined) => Promise<vscode.DebugConfiguration | undefined>;

export function registerConfigurations(context: Context, launchOf: LaunchOf): void {
  const kind = vscode.DebugConfigurationProviderTriggerKind.Dynamic;
  context.own(vscode.debug.registerDebugConfigurationProvider(debugType, new ConfigurationProvider(context, launchOf)));
  context.own(vscode.debug.registerDebugConfigurationProvider(debugType, new DynamicConfigurations(), kind));
  context.command(commands.runImage, (uri) => start(uri, true));
  context.command(commands.debugImage, (uri) => start(uri, false));
  context.command(commands.showLog, () => context.log.show());
}

/** A configuration for one image. */
export function configurationFor(image: vscode.Uri, folder: vscode.WorkspaceFolder | undefined): vscode.DebugConfiguration {
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
export async function pickImage(): Promise<vscode.Uri | undefined> {
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
    private readonly launchOf: LaunchOf,
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
      const found = await this.launchOf(folder);
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
      await vscode.workspace.fs.stat(fileAt(image));
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
}

/** The entries of "Select and Start Debugging": every image of the folder. */
class DynamicConfigurations implements vscode.DebugConfigurationProvider {
  async provideDebugConfigurations(folder: vscode.WorkspaceFolder | undefined): Promise<vscode.DebugConfiguration[]> {
    return folder === undefined ? [] : (await findImages(folder)).map((image) => configurationFor(image, folder));
  }
}
