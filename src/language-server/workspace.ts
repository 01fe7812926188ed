/** Everything that is open: documents, the trees they belong to, settings; and the way from a document to what is known of it. */
import { type FileSyntax } from '../kconfig/ast';
import { type ShellRunner } from '../kconfig/context';
import { dialectOf } from '../kconfig/dialect';
import { filesAt, type KconfigView } from '../kconfig/features/view';
import { parseFile } from '../kconfig/parser';
import { SourceText } from '../kconfig/text/source';
import { configure } from '../kraftfile/drift';
import { defconfigText, layersOf } from '../kraftfile/layers';
import { readKraftfile, type Kraftfile } from '../kraftfile/model';
import { type KraftContext } from '../kraftfile/context';
import { isInside, librariesBelow } from '../pool/tree';
import { type Files } from '../shared/files';
import { LayeredFiles } from '../shared/layered-files';
import { languageOf, type FileLanguage } from './kinds';
import { Project } from './project';
import { defaultSettings, type Settings } from './settings';
import { singleFile, treeFor, type TreeContext, type TreePlan } from './trees';
import { folderOf, nameOf, pathOfUri, resolvePath, uriOfPath } from './uri';

/** An open document. */
export interface OpenDocument {
  readonly uri: string;
  /** With links resolved, which is how the trees name it. */
  readonly path: string;
  readonly language: FileLanguage;
  readonly text: string;
  readonly source: SourceText;
  readonly version: number;
}

/** What the process around the server gives. */
export interface Host {
  readonly files: Files;
  /** Runs commands for `$(shell,…)`; left out where there are no processes. */
  readonly shell?: (command: string, cwd: string, environment: Readonly<Record<string, string | undefined>>) => string | undefined;
}

/** Trees that are kept when none of their files is open. */
const mostProjects = 12;

export class Workspace {
  readonly files: LayeredFiles;
  readonly documents = new Map<string, OpenDocument>();
  settings: Settings = defaultSettings;
  folders: readonly string[] = [];
  trusted = false;
  pool: string | undefined;
  private readonly projects = new Map<string, Project>();
  private readonly plans = new Map<string, TreePlan>();
  private readonly uris = new Map<string, string>();
  private readonly kraftfiles = new Map<
    string,
    { readonly text: string; readonly kraftfile: Kraftfile; context?: KraftContext; model?: unknown }
  >();
  private providers: Map<string, string> | undefined;

  constructor(private readonly host: Host) {
    this.files = new LayeredFiles(host.files);
  }

  // Documents

  /** A document was opened or changed. */
  setDocument(uri: string, languageId: string, text: string, version: number): OpenDocument {
    const given = pathOfUri(uri);
    const path = this.documents.get(uri)?.path ?? this.files.realPath(given);
    const document: OpenDocument = { uri, path, language: languageOf(given, languageId), text, source: new SourceText(text), version };
    this.documents.set(uri, document);
    this.uris.set(path, uri);
    this.overlay(path, text);
    if (document.language === 'kraftfile') this.plans.clear();
    return document;
  }

  closeDocument(uri: string): void {
    const document = this.documents.get(uri);
    if (!document) return;
    this.documents.delete(uri);
    this.uris.delete(document.path);
    this.kraftfiles.delete(uri);
    this.overlay(document.path, undefined);
    for (const project of this.projects.values()) project.closeConfiguration(document.path);
  }

  private overlay(path: string, text: string | undefined): void {
    this.files.setDocument(path, text);
    for (const project of this.projects.values()) {
      const { tree } = project.service;
      // Only texts that the tree reads make it new.
      if (languageOf(path) === 'kconfig' || tree.queries.filesAt(path).length > 0) tree.setDocument(path, text);
      if (text === undefined) project.mentions.changed(path);
    }
  }

  /** The address of a file, as the editor wrote it where the file is open. */
  uriOf(path: string): string {
    return this.uris.get(path) ?? uriOfPath(path);
  }

  /** Any file's text: the document's, or what is on disk. */
  textOf(path: string): string | undefined {
    return this.files.readText(path);
  }

  /** Texts of open documents by path. */
  openTexts(): Map<string, string> {
    return new Map([...this.documents.values()].map(({ path, text }) => [path, text]));
  }

  // Trees

  /** The tree that a file belongs to. */
  projectFor(path: string): Project {
    const context = this.treeContext();
    let plan = this.plans.get(path);
    if (!plan) this.plans.set(path, (plan = treeFor(path, context)));
    const project = this.project(plan);
    if (languageOf(path) !== 'kconfig' || plan.partial || project.service.tree.queries.filesAt(path).length > 0) return project;
    // A file that its tree does not read gets what it can give by itself.
    return this.project(singleFile(path, context));
  }

  private treeContext(): TreeContext {
    const { files, settings, folders, pool } = this;
    return { files, settings, folders, pool };
  }

  private project(plan: TreePlan): Project {
    let project = this.projects.get(plan.key);
    if (project) {
      // The newest last, so that the oldest goes first.
      this.projects.delete(plan.key);
    } else {
      project = new Project(plan, this.files, (symbol) => this.providerOf(symbol), this.shellFor(plan));
      for (const { path, language, text } of this.documents.values())
        if (language === 'kconfig') project.service.tree.setDocument(path, text);
    }
    this.projects.set(plan.key, project);
    for (const key of this.projects.keys()) {
      if (this.projects.size <= mostProjects) break;
      this.projects.delete(key);
    }
    return project;
  }

  private shellFor(plan: TreePlan): ShellRunner | undefined {
    const { shell } = this.host;
    if (!shell || !this.trusted || !this.settings.shell) return undefined;
    return (command) => shell(command, plan.cwd, plan.environment);
  }

  /** All trees that are known now. */
  allProjects(): Project[] {
    return [...this.projects.values()];
  }

  /** The tree and configuration for a document. */
  viewFor(document: OpenDocument): KconfigView {
    const project = this.projectFor(document.path);
    return document.language === 'dotconfig'
      ? project.viewOf(document.path, document.text)
      : project.view(this.configSetting(document.path));
  }

  /** The .config that a setting names. */
  configSetting(path: string): string | undefined {
    const { config } = this.settings;
    if (config === '') return undefined;
    const folder = this.folders.find((one) => isInside(path, one)) ?? this.folders[0];
    return folder === undefined ? undefined : resolvePath(folder, config);
  }

  /** The syntax of a Kconfig document. */
  syntaxFor(document: OpenDocument, view: KconfigView): FileSyntax {
    const [file] = filesAt(view, document.path);
    if (file?.syntax.source.text === document.text) return file.syntax;
    return parseFile(document.text, view.service.tree.dialect ?? dialectOf('uk-5.2'));
  }

  /** A Kraftfile, and what is known around it: the options under the first target's configuration. */
  kraftfileFor(document: OpenDocument): { readonly kraftfile: Kraftfile; readonly context: KraftContext } {
    let known = this.kraftfiles.get(document.uri);
    if (known?.text !== document.text)
      this.kraftfiles.set(document.uri, (known = { text: document.text, kraftfile: readKraftfile(document.text) }));
    const project = this.projectFor(document.path);
    const folder = folderOf(document.path);
    const isFolder = (path: string): boolean => this.files.kind(resolvePath(folder, path)) === 'directory';
    if (project.plan.partial) return { kraftfile: known.kraftfile, context: { isFolder } };
    const { model } = project.service.tree;
    if (!known.context || known.model !== model) {
      const libraries = this.librariesAround(project, folder);
      const base: KraftContext = { model, isFolder, ...(libraries.length > 0 && { libraries }) };
      const layers = layersOf(known.kraftfile, known.kraftfile.targets[0], undefined, base);
      known.context = { ...base, values: configure(model, defconfigText(layers, model)).values };
      known.model = model;
    }
    return { kraftfile: known.kraftfile, context: known.context };
  }

  private librariesAround(project: Project, folder: string): NonNullable<KraftContext['libraries']> {
    const paths = new Set([...project.plan.folders, ...librariesBelow(this.files, `${folder}/.unikraft/libs`)]);
    const base = project.plan.environment['UK_BASE'];
    return [...paths]
      .filter((path) => path !== base && path !== folder && path !== project.plan.app)
      .map((path) => ({
        title: nameOf(path).replace(/^lib-/, ''),
        description: `Library in ${path}`,
        versions: [],
        channels: ['stable', 'staging'],
      }));
  }

  /** The library in the workspace that would define an option which a tree lacks. */
  providerOf(symbol: string): string | undefined {
    if (!this.providers) {
      this.providers = new Map<string, string>();
      const roots = this.folders.flatMap((folder) => [
        folder,
        folderOf(folder),
        `${folder}/.unikraft/libs`,
        `${folder}/libs`,
        `${folder}/repos/libs`,
      ]);
      for (const library of new Set(roots.flatMap((root) => librariesBelow(this.files, root)))) {
        const text = this.files.readText(`${library}/Config.uk`) ?? '';
        for (const [, name] of text.matchAll(/^[ \t]*(?:menu)?config[ \t]+(\w+)/gm))
          if (!this.providers.has(name!)) this.providers.set(name!, nameOf(library));
      }
    }
    return this.providers.get(symbol);
  }

  // Changes

  /** Files on disk changed, came or went. */
  filesChanged(paths: readonly string[]): void {
    this.files.changed();
    this.plans.clear();
    this.providers = undefined;
    for (const project of this.projects.values()) {
      if (paths.some((path) => languageOf(path) === 'kconfig' || project.service.tree.queries.filesAt(path).length > 0))
        project.service.tree.filesChanged();
      for (const path of paths) project.mentions.changed(path);
    }
  }

  /** Settings, folders or trust have changed: every tree is looked for anew. */
  reset(): void {
    this.files.changed();
    this.plans.clear();
    this.projects.clear();
    this.kraftfiles.clear();
    this.providers = undefined;
  }
}
