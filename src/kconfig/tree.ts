/** A Kconfig tree that is kept up to date: open documents over files, syntax cached by text, the model built when asked for. */
import { type Files } from '../shared/files';
import { LayeredFiles } from '../shared/layered-files';
import { type FileSyntax } from './ast';
import { buildModel, type ShellRunner } from './build';
import { dialectOf, type DialectName } from './dialect';
import { type Model } from './model';
import { parseFile } from './parser';
import { ModelQueries } from './queries';

/** What a tree is read with. */
export interface TreeParameters {
  readonly files: Files;
  /** The directory that relative paths start from. */
  readonly cwd: string;
  /** The first file: Unikraft's Config.uk, Linux's Kconfig. */
  readonly root: string;
  readonly dialect?: DialectName;
  /** What make gives kconfig; see `unikraftEnvironment`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Runs the commands that have no native answer; leave it out where running them is not allowed. */
  readonly shell?: ShellRunner;
}

interface CachedSyntax {
  readonly text: string;
  readonly syntax: FileSyntax;
}

/** One tree and its newest model. */
export class KconfigTree {
  readonly dialect;
  private readonly layered: LayeredFiles;
  private readonly syntax = new Map<string, CachedSyntax>();
  private readonly commands = new Map<string, string | undefined>();
  private readonly answers = new Map<string, string | undefined>();
  private current: Model | undefined;
  private currentQueries: ModelQueries | undefined;

  constructor(private readonly parameters: TreeParameters) {
    this.dialect = dialectOf(parameters.dialect ?? 'uk-5.2');
    const { files } = parameters;
    this.layered = new LayeredFiles({
      read: (path) => files.read(path),
      readText: (path) => this.textOnDisk(path),
      kind: (path) => files.kind(path),
      list: (path) => files.list(path),
      realPath: (path) => files.realPath(path),
    });
  }

  get environment(): Readonly<Record<string, string | undefined>> {
    return this.parameters.environment ?? {};
  }

  /** The model of the texts as they are now. */
  get model(): Model {
    this.current ??= this.build();
    return this.current;
  }

  get queries(): ModelQueries {
    this.currentQueries ??= new ModelQueries(this.model);
    return this.currentQueries;
  }

  /** An open document's text, which stands in for the file; undefined when it is closed. Only this file is parsed anew. */
  setDocument(path: string, text: string | undefined): void {
    const before = this.layered.document(path) ?? this.answers.get(path);
    this.layered.setDocument(path, text);
    // A document that is opened or closed without a change leaves the model as it is.
    if (before === undefined || before !== (text ?? this.answers.get(path))) this.forget();
  }

  /** Files have changed on disk: all of them, or the ones named. */
  filesChanged(paths?: readonly string[]): void {
    if (paths) for (const path of paths) this.answers.delete(path);
    else this.answers.clear();
    this.layered.changed();
    this.forget();
  }

  private forget(): void {
    this.current = undefined;
    this.currentQueries = undefined;
  }

  private build(): Model {
    const { cwd, root, shell } = this.parameters;
    return buildModel({
      files: this.layered,
      cwd,
      root,
      dialect: this.dialect,
      environment: this.environment,
      shell: shell && ((command) => this.run(command, shell)),
      syntaxOf: (path, text) => this.syntaxOf(path, text),
    });
  }

  private textOnDisk(path: string): string | undefined {
    if (!this.answers.has(path)) this.answers.set(path, this.parameters.files.readText(path));
    return this.answers.get(path);
  }

  private run(command: string, shell: ShellRunner): string | undefined {
    if (!this.commands.has(command)) this.commands.set(command, shell(command));
    return this.commands.get(command);
  }

  private syntaxOf(path: string, text: string): FileSyntax {
    const cached = this.syntax.get(path);
    if (cached?.text === text) return cached.syntax;
    const syntax = parseFile(text, this.dialect);
    this.syntax.set(path, { text, syntax });
    return syntax;
  }
}
