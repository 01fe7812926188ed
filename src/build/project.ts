/** What a project's Kraftfile says to the builder of the starter pool: name, options, libraries, targets, root file system, command. */

import { type KconfigEntry, type Kraftfile, readKraftfile, shortForm, type Target, targetSuffix, type Word } from '../kraftfile/model';
import { type Files } from '../shared/files';
import { TARGETS } from './pool-targets';
import { type BuildProblem } from './problems';

/** A project by its Kraftfile; all undefined or empty where that says nothing. Paths are absolute. */
export interface Project {
  readonly name: string | undefined;
  /** Lines in .config form for one target, weakest first. */
  readonly options: (target: string | undefined) => string;
  /** Folders of further libraries. */
  readonly libraries: readonly string[];
  /** Of its targets those that the pool can be built for. */
  readonly targets: readonly string[];
  /** A folder or a cpio archive. */
  readonly rootfs: string | undefined;
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly problems: readonly BuildProblem[];
}

/** Reads the Kraftfile at `path` of an application's folder. */
export function readProject(files: Files, app: string, path: string): Project {
  return new ProjectReader(files, app, path, files.readText(path) ?? '').read();
}

class ProjectReader {
  private readonly kraftfile: Kraftfile;
  private readonly problems: BuildProblem[] = [];

  constructor(
    private readonly files: Files,
    private readonly app: string,
    private readonly path: string,
    private readonly text: string,
  ) {
    this.kraftfile = readKraftfile(text);
  }

  read(): Project {
    const { kraftfile } = this;
    for (const fault of kraftfile.document.faults) this.problem(fault.start, fault.message, 'error');
    return {
      name: kraftfile.name?.value,
      options: (target) => this.options(target),
      libraries: this.libraries(),
      targets: [...new Set(kraftfile.targets.flatMap((t) => poolTarget(t) ?? []))],
      rootfs: this.rootfs(),
      command: kraftfile.command.map((w) => w.value),
      problems: this.problems,
    };
  }

  private options(target: string | undefined): string {
    const { unikraft, libraries, targets } = this.kraftfile;
    const own = targets.filter((t) => target !== undefined && poolTarget(t) === target);
    const entries = [unikraft?.kconfig ?? [], ...libraries.map((l) => l.component.kconfig), ...own.map((t) => t.kconfig)].flat();
    return entries.flatMap(configLine).join('\n');
  }

  private libraries(): string[] {
    return this.kraftfile.libraries.flatMap(({ name, component }) => {
      const { source } = component;
      if (!source) return [];
      const isFolder = (path: string): boolean => this.files.kind(this.absolute(path)) === 'directory';
      if (isFolder(source.value)) return [this.absolute(source.value)];
      if (shortForm(source.value, isFolder).version === undefined) return [];
      this.problem(source.start, `The folder ${source.value} of the library ${name.value} does not exist.`, 'error');
      return [];
    });
  }

  private rootfs(): string | undefined {
    const { rootfs } = this.kraftfile;
    if (!rootfs || rootfs.value === '') return undefined;
    const path = this.absolute(rootfs.value);
    const fault = rootfsFault(path, this.files);
    if (fault === undefined) return path;
    this.problem(rootfs.start, `rootfs ${rootfs.value}: ${fault}`, 'error');
    return undefined;
  }

  private absolute(path: string): string {
    const parts: string[] = [];
    for (const part of (/^([A-Za-z]:)?\//.test(path) ? path : `${this.app}/${path}`).split('/')) {
      if (part === '..') parts.pop();
      else if (part !== '.' && (part !== '' || parts.length === 0)) parts.push(part);
    }
    return parts.join('/') || '/';
  }

  private problem(offset: Word['start'], message: string, severity: BuildProblem['severity']): void {
    const before = this.text.slice(0, offset).split('\n');
    this.problems.push({ path: this.path, line: before.length, column: before.at(-1)!.length + 1, severity, message, source: 'kraftfile' });
  }
}

function rootfsFault(path: string, files: Files): string | undefined {
  const kind = files.kind(path);
  if (kind === undefined) return 'there is no such file or folder.';
  if (kind === 'directory' || /\.(cpio|cpio\.newc)$/.test(path)) return undefined;
  if (/dockerfile/i.test(path.slice(path.lastIndexOf('/') + 1)))
    return 'a Dockerfile is built by kraft; give a folder or a .cpio archive here.';
  return 'it is neither a folder nor a .cpio archive.';
}

function poolTarget(target: Target): string | undefined {
  const suffix = targetSuffix(target);
  return suffix !== undefined && Object.hasOwn(TARGETS, suffix) ? suffix : undefined;
}

function configLine({ symbol, value }: KconfigEntry): string[] {
  if (!value) return [];
  if (value.value === 'n') return [`# CONFIG_${symbol} is not set`];
  if (/^([ym]|-?\d+|0[xX][0-9a-fA-F]+)$/.test(value.value)) return [`CONFIG_${symbol}=${value.value}`];
  return [`CONFIG_${symbol}="${value.value.replace(/[\\"]/g, '\\$&')}"`];
}
