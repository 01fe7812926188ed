/** The library pool of one project without an editor: its catalogue, its configuration, and the state of each library. */
import { type Configuration } from '../kconfig/configuration';
import { type Change } from '../kconfig/evaluate';
import { type Answer, type Plan } from '../kconfig/how';
import { KconfigService } from '../kconfig/service';
import { readKraftfile } from '../kraftfile/model';
import { type Catalogue, readCatalogue } from '../pool/catalogue';
import { configurePool, type ConfiguredPool, missingLibraries } from '../pool/configuration';
import { type Library, type LibraryKind } from '../pool/library';
import { type ManifestEntry } from '../pool/manifest';
import { searchPool } from '../pool/search';
import { besideFolder } from '../pool/tree';
import { type Files } from '../shared/files';
import { type Image, imagesOf, type Project } from '../project/projects';
import { startOf } from '../project/targets';
import { type LibraryStatus } from '../shared/library-status';

/** A library, or the name of one that is missing. */
export interface PoolEntry {
  readonly name: string;
  readonly title: string;
  readonly kind: LibraryKind;
  readonly status: LibraryStatus;
  readonly description: string;
  readonly library: Library | undefined;
}

/** A configuration that knows one library more, and the ways to turn that on in it. */
export interface Addition {
  readonly configuration: Configuration;
  readonly answer: Answer;
}

/** Words of a filter that stand for states. */
const statusWords: Readonly<Record<string, readonly LibraryStatus[]>> = {
  '@image': ['image', 'leaving'],
  '@enabled': ['image', 'enabled'],
  '@disabled': ['disabled', 'leaving'],
  '@available': ['disabled', 'beside', 'available'],
  '@missing': ['missing'],
};

export class PoolModel {
  readonly service: KconfigService;
  readonly catalogue: Catalogue;
  configuration: Configuration;
  configured: ConfiguredPool | undefined;
  images: readonly Image[] = [];
  private built: ReadonlySet<string> = new Set();
  private missing: readonly string[] = [];
  /** What the Kraftfile asks for, of what is here. */
  private required: ReadonlySet<Library> = new Set();

  /**
   * @param open the text of a file that an editor holds with changes.
   * @param manifests what could be fetched.
   */
  constructor(
    private readonly files: Files,
    readonly project: Project,
    private readonly open: (path: string) => string | undefined = () => undefined,
    manifests: readonly ManifestEntry[] = [],
  ) {
    const { root, cwd, dialect, environment } = project.plan;
    this.service = new KconfigService({ files, cwd, root, dialect, environment });
    this.catalogue = readCatalogue({ files, tree: project.tree, model: this.service.tree.model, manifests });
    this.configuration = this.service.openConfiguration();
    this.reload();
  }

  /** Reads the configuration, the Kraftfile and the images anew. */
  reload(): void {
    const { files, project } = this;
    const config = this.text(project.configFile);
    this.configuration = this.service.openConfiguration(config ?? this.startText(startOf(files, project)?.text ?? ''));
    this.configure();
    this.images = imagesOf(files, project);
    const [image] = this.images;
    const built = image?.config === undefined ? undefined : files.readText(image.config);
    this.built = new Set(built === undefined ? [] : configurePool(files, project.tree, built).enabled);
    const kraftfile = project.kraftfile === undefined ? undefined : this.text(project.kraftfile);
    const wanted = kraftfile === undefined ? [] : readKraftfile(kraftfile).libraries.map(({ name }) => name.value);
    this.missing = missingLibraries(this.catalogue, wanted);
    this.required = new Set(wanted.flatMap((name) => this.catalogue.find(name) ?? []));
  }

  /** The configuration as it would be written. */
  get configText(): string {
    return this.configuration.dotConfig();
  }

  /** All libraries and what is missing, in groups, titles sorted; only what a filter leaves. */
  entries(filter = ''): ReadonlyMap<LibraryKind, readonly PoolEntry[]> {
    const words = filter.split(/\s+/).filter((word) => word !== '');
    const allowed = words.flatMap((word) => statusWords[word.toLowerCase()] ?? []);
    const text = words.filter((word) => statusWords[word.toLowerCase()] === undefined).join(' ');
    const hits = text === '' ? undefined : new Set(searchPool(this.catalogue, text).map(({ library }) => library));
    const groups = new Map<LibraryKind, PoolEntry[]>();
    const all = [
      ...this.catalogue.libraries
        .filter(
          (library) =>
            (hits === undefined || hits.has(library)) && !(library.state === 'available' && this.missing.includes(library.title)),
        )
        .map((library) => this.entry(library)),
      ...this.missing.filter((name) => text === '' || name.includes(text)).map(missingEntry),
    ];
    for (const entry of all.filter(({ status }) => allowed.length === 0 || allowed.includes(status))) {
      const group = groups.get(entry.kind);
      if (group) group.push(entry);
      else groups.set(entry.kind, [entry]);
    }
    for (const group of groups.values()) group.sort((a, b) => (a.title < b.title ? -1 : a.title > b.title ? 1 : 0));
    return groups;
  }

  /** Whether the Kraftfile asks for a library, or could; undefined where there is none, or the library comes with the core. */
  kraftfileUse(library: Library): 'asked' | 'possible' | undefined {
    if (this.project.kraftfile === undefined || library.kind !== 'library') return undefined;
    return this.required.has(library) ? 'asked' : library.origin === 'core' ? undefined : 'possible';
  }

  entry(library: Library): PoolEntry {
    const { name, title, kind, description } = library;
    return { name, title, kind, description, library, status: this.statusOf(library) };
  }

  statusOf(library: Library): LibraryStatus {
    if (library.state !== 'local') return library.state;
    const enabled = this.configured?.enabled.includes(library.name) === true;
    const inImage = this.built.has(library.name);
    return enabled ? (inImage ? 'image' : 'enabled') : inImage ? 'leaving' : 'disabled';
  }

  /** Whether the image was built with other libraries than are enabled now. */
  get isStale(): boolean {
    if (this.built.size === 0) return false;
    return this.catalogue.libraries.some((library) => {
      const status = this.statusOf(library);
      return status === 'enabled' || status === 'leaving';
    });
  }

  /** An option's value, e.g. `y` or `65536`; undefined where no such option is defined. */
  value(symbol: string): string | undefined {
    const found = this.configuration.symbol(symbol);
    return found?.isDefined ? this.configuration.values.text(found) : undefined;
  }

  /** The ways to turn a library on or off; undefined where it has no option of its own. */
  plans(library: Library, wanted: 'y' | 'n'): Answer | undefined {
    const symbol = library.symbol === undefined ? undefined : this.configuration.symbol(library.symbol);
    return symbol?.isDefined ? this.configuration.how(symbol, wanted) : undefined;
  }

  /** What becomes of the configuration where the Kraftfile asks for a library that lies beside the project's: nothing is changed yet. */
  addition(library: Library): Addition | undefined {
    const { files, project } = this;
    const folder = besideFolder(project.tree, library.folder);
    if (folder === undefined || library.symbol === undefined) return undefined;
    const { root, cwd, dialect, environment } = project.plan;
    const folders = [...project.tree.libraries, folder].join(':');
    const service = new KconfigService({ files, cwd, root, dialect, environment: { ...environment, KCONFIG_ELIB_DIRS: folders } });
    const configuration = service.openConfiguration(this.configText);
    const symbol = configuration.symbol(library.symbol);
    return symbol?.isDefined ? { configuration, answer: configuration.how(symbol, 'y') } : undefined;
  }

  /** Takes a plan's steps. Answers what changed, or undefined where a step is refused. */
  apply(plan: Plan): readonly Change[] | undefined {
    const changes = this.configuration.apply(plan.steps);
    if (changes) this.configure();
    return changes;
  }

  private configure(): void {
    const { files, project } = this;
    this.configured = this.catalogue.model === undefined ? undefined : configurePool(files, project.tree, this.configText);
  }

  /** A defconfig, or nothing, completed with the tree's defaults. */
  private startText(given: string): string {
    const blank = this.service.openConfiguration();
    return blank.run('defconfig', (name) => (name === 'defconfig' ? given : undefined), 'defconfig').config ?? given;
  }

  private text(path: string): string | undefined {
    return (this.open(path) ?? this.files.readText(path))?.replace(/\r\n/g, '\n');
  }
}

function missingEntry(name: string): PoolEntry {
  return {
    name,
    title: name,
    kind: 'library',
    status: 'missing',
    description: 'The Kraftfile asks for it, and its files are not here.',
    library: undefined,
  };
}

/** A plan in one line: what the user would set, and how much else changes with it. */
export function planText(plan: Plan): { readonly label: string; readonly detail: string } {
  const set = plan.steps.map(({ symbol, value }) => `${symbol.label}=${value}`);
  const own = new Set(plan.steps.map(({ symbol }) => symbol));
  const others = plan.changes
    .filter(({ symbol }) => !own.has(symbol) && symbol.name !== undefined)
    .map(({ symbol, after }) => `${symbol.label}=${after === '' ? '""' : after}`);
  const shown = others.slice(0, 6).join(', ');
  const rest = others.length > 6 ? `, and ${others.length - 6} more` : '';
  return {
    label: set.join(', '),
    detail: others.length === 0 ? 'Nothing else changes.' : `Also changes ${shown}${rest}`,
  };
}
