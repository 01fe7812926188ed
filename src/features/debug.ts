/** F5: launch configurations with and without a launch.json, and the commands that run one image. */
import * as vscode from 'vscode';
import { type Context } from '../context';
import { commands, debugType } from '../manifest';
import { buildFolder } from './build';
import { findImages, isPoolApplication } from './images';

export function registerDebug(context: Context): void {
  const adapter = context.resource('dist', 'adapter.js').fsPath;
  context.own(
    vscode.debug.registerDebugAdapterDescriptorFactory(debugType, {
      // The editor's own Node; under Electron it must be told to be one.
      createDebugAdapterDescriptor: () =>
        new vscode.DebugAdapterExecutable(process.execPath, [adapter], { env: { ELECTRON_RUN_AS_NODE: '1' } }),
    }),
  );
  const provider = new ConfigurationProvider(context);
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
  constructor(private readonly context: Context) {}

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
      const image = await this.#imageOf(folder);
      if (image === undefined) return undefined;
      result = { ...configuration, ...configurationFor(image, folder) };
    }
    const setting = <K extends 'debug.memory' | 'debug.trace'>(name: K) => this.context.setting(name, folder);
    return { memory: setting('debug.memory'), trace: setting('debug.trace'), ...result };
  }

  /** After variables were substituted: an image that is not there is said here, in the editor's own way. */
  async resolveDebugConfigurationWithSubstitutedVariables(
    folder: vscode.WorkspaceFolder | undefined,
    configuration: vscode.DebugConfiguration,
  ): Promise<vscode.DebugConfiguration | null> {
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

  /** Shows why nothing starts, without holding the session up until the message is read. */
  #refuse(message: string, folder: vscode.WorkspaceFolder | undefined): null {
    const open = folder === undefined ? [] : ['Open launch.json'];
    void vscode.window.showErrorMessage(message, ...open).then((choice) => {
      if (choice !== undefined) void vscode.commands.executeCommand('workbench.action.debug.configure');
    });
    return null;
  }

  async #imageOf(folder: vscode.WorkspaceFolder | undefined): Promise<vscode.Uri | undefined> {
    if (folder === undefined) return pickImage();
    if (await isPoolApplication(folder.uri)) return buildFolder(this.context, folder.uri);
    const images = await findImages(folder);
    return images.length === 1 ? images[0] : pickImage();
  }
}

/** The entries of "Select and Start Debugging": every image of the folder. */
class DynamicConfigurations implements vscode.DebugConfigurationProvider {
  async provideDebugConfigurations(folder: vscode.WorkspaceFolder | undefined): Promise<vscode.DebugConfiguration[]> {
    return folder === undefined ? [] : (await findImages(folder)).map((image) => configurationFor(image, folder));
  }
}
