/** F5 where there is a machine behind the editor: the adapter as a process, and the folder's project, built first. */
import * as vscode from 'vscode';
import { isInside } from '../pool/tree';
import { type Project } from '../project/projects';
import { type Context } from '../context';
import { debugType } from '../manifest';
import { type Builder } from './build';
import { configurationFor, type LaunchOf, pickImage, registerConfigurations } from './configurations';
import { findImages } from './images';
import { type PoolWorkspace } from './pool-workspace';

/** V8 takes one thread less than there are processors: with more of them the guest waits for those that compile. */
const fewThreads = '--v8-pool-size=0';

export function registerDebug(context: Context, workspace: PoolWorkspace, builder: Builder): void {
  const adapter = context.resource('dist', 'adapter.js').fsPath;
  context.own(
    vscode.debug.registerDebugAdapterDescriptorFactory(debugType, {
      // The editor's own Node; under Electron, which has threads of its own, it must be told to be one.
      createDebugAdapterDescriptor: ({ configuration }) => {
        const port: unknown = configuration['port'];
        // A machine that runs already is debugged through its own adapter.
        if (configuration.request === 'attach' && typeof port === 'number') return new vscode.DebugAdapterServer(port, '127.0.0.1');
        const options = process.versions['electron'] === undefined ? [fewThreads] : [];
        return new vscode.DebugAdapterExecutable(process.execPath, [...options, adapter], { env: { ELECTRON_RUN_AS_NODE: '1' } });
      },
    }),
  );
  registerConfigurations(context, launchOfProject(workspace, builder));
}

/** The project of the folder, built first; where the folder holds none, an image in it. */
function launchOfProject(workspace: PoolWorkspace, builder: Builder): LaunchOf {
  return async (folder) => {
    const projects = (await workspace.projects()).filter(({ isApplication }) => isApplication);
    const inside = projects.filter((project) => folder === undefined || isInside(project.folder, folder.uri.fsPath));
    const current = await workspace.current();
    const project = inside.find((each) => each === current) ?? (inside.length === 1 ? inside[0] : undefined);
    const ready = folder === undefined ? [] : await findImages(folder);
    // An image that lies there ready, as in the example, needs no compiler; once its project is built, that is what is meant.
    const builds =
      project && (project.builder === 'make' || project.folder === folder?.uri.fsPath || ready.length === 0 || isBuilt(project, ready));
    if (project && builds) {
      const image = await builder.run(project);
      if (image === undefined) return undefined;
      return { ...configurationFor(image, folder), ...builder.launchOf(project) };
    }
    const image = ready.length === 1 ? ready[0] : await pickImage();
    return image && configurationFor(image, folder);
  };
}

function isBuilt({ build }: Project, images: readonly vscode.Uri[]): boolean {
  return images.some(({ fsPath }) => isInside(fsPath, build));
}
