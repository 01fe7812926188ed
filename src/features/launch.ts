/** What a project's image is booted with: the root file system and the command of its Kraftfile, or of catalog-core's run scripts. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { packFolder } from '../build/cpio.node';
import { readKraftfile } from '../kraftfile/model';
import { type Project } from '../project/projects';
import { type Files } from '../shared/files';

/** The parts of a launch configuration that a project decides. */
export interface ProjectLaunch {
  readonly initrd?: string;
  readonly cmdline?: string;
}

/** How an image mounts its initial RAM disk as the root, where the command line does not say. */
const extractRoot = 'vfs.fstab=[ "initrd0:/:extract::ramfs=1:" ]';

/** The folder or archive of the project's root file system; undefined where it has none. @throws Error where the Kraftfile names one that is not there. */
export function rootfsOf(files: Files, project: Project): string | undefined {
  const named = kraftLaunch(files, project).rootfs;
  const path = named ?? `${project.folder}/rootfs`;
  if (files.kind(path) === undefined) {
    if (named !== undefined) throw new Error(`The Kraftfile’s rootfs ${named} does not exist.`);
    return undefined;
  }
  // A folder of that name means something only where somebody says that it is to be booted with.
  return named !== undefined || scriptCommand(files, project) !== undefined ? path : undefined;
}

/** Packs the root file system into the build folder where the project has one. @throws Error where it cannot be read or written. */
export function launchOf(files: Files, project: Project): ProjectLaunch {
  const script = scriptCommand(files, project);
  const rootfs = rootfsOf(files, project);
  const initrd = rootfs === undefined || files.kind(rootfs) === 'file' ? rootfs : packed(rootfs, project);
  const words = kraftLaunch(files, project).command;
  const command = words.length > 0 ? words.join(' ') : undefined;
  const cmdline = command === undefined ? script : initrd === undefined ? command : `${extractRoot} -- ${command}`;
  return { ...(initrd !== undefined && { initrd }), ...(cmdline !== undefined && { cmdline }) };
}

function packed(folder: string, { build, name }: Project): string {
  const path = `${build}/${name}.cpio`;
  mkdirSync(build, { recursive: true });
  writeFileSync(path, packFolder(folder));
  return path;
}

function kraftLaunch(files: Files, { kraftfile, folder }: Project): { readonly rootfs: string | undefined; readonly command: string[] } {
  const text = kraftfile === undefined ? undefined : files.readText(kraftfile);
  if (text === undefined) return { rootfs: undefined, command: [] };
  const { rootfs, command } = readKraftfile(text);
  const path = rootfs?.value.replace(/^\.\//, '').replace(/\/+$/, '');
  // A Dockerfile is built by kraft's own means, which are not here.
  const usable = path !== undefined && path !== '' && !/(^|\/)Dockerfile[^/]*$/.test(path);
  return { rootfs: usable ? (path.startsWith('/') ? path : `${folder}/${path}`) : undefined, command: command.map(({ value }) => value) };
}

/** The command line in `.scripts/run/qemu.x86_64`, after the image's name. */
function scriptCommand(files: Files, { folder, target }: Project): string | undefined {
  const text = files.readText(`${folder}/.scripts/run/${target?.platform ?? 'qemu'}.${target?.architecture ?? 'x86_64'}`);
  const append = text === undefined ? undefined : /^\s*-append\s+"((?:[^"\\]|\\.)*)"/m.exec(text)?.[1];
  return append?.replace(/\\(.)/g, '$1').replace(/^\S+\s*/, '');
}
