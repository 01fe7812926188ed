/** A Kraftfile's meaning: core, libraries, targets, options and the rest, each with the place where it is written. */
import { isMap, isScalar, isSeq, type Node } from 'yaml';
import { KraftDocument, type Entry, type Span } from './document';
import { architectures, kraftVersions, type KraftVersion, platforms, valueFact } from './schema';

/** A text with its place. */
export interface Word extends Span {
  readonly value: string;
}

/** One option that is set. */
export interface KconfigEntry {
  /** Without `CONFIG_`. */
  readonly symbol: string;
  /** The name as it is written. */
  readonly name: Word;
  /** As kraft gives it to make: y, n, a number in decimal, or a text without quotes. Undefined for none, which kraft refuses. */
  readonly value: Word | undefined;
  readonly form: 'map' | 'list';
  /** The scalar as written is a number that is not decimal. */
  readonly isRadix: boolean;
}

/** Core, template, runtime or a library. */
export interface Component extends Span {
  /** Whether it is one text rather than a map. */
  readonly isShort: boolean;
  readonly source?: Word;
  readonly version?: Word;
  readonly kconfig: readonly KconfigEntry[];
}

/** A library that is asked for. */
export interface LibraryUse {
  readonly name: Word;
  readonly component: Component;
}

/** A target. */
export interface Target extends Span {
  readonly isShort: boolean;
  readonly name?: Word;
  /** As written, where it is written. */
  readonly architecture?: Word;
  readonly platform?: Word;
  readonly kernel?: Word;
  readonly kconfig: readonly KconfigEntry[];
}

/** A folder of the host in the guest. */
export interface Volume extends Span {
  readonly source?: Word;
  readonly destination?: Word;
  readonly driver?: Word;
  readonly readonly?: Word;
}

/** Everything that a Kraftfile says. */
export interface Kraftfile {
  readonly document: KraftDocument;
  readonly spec?: Word;
  /** The version of the format; undefined where it is missing or unknown. */
  readonly version: KraftVersion | undefined;
  readonly name?: Word;
  readonly outdir?: Word;
  readonly unikraft?: Component;
  readonly template?: Component;
  readonly runtime?: Component;
  readonly libraries: readonly LibraryUse[];
  readonly targets: readonly Target[];
  readonly rootfs?: Word;
  readonly volumes: readonly Volume[];
  readonly env: readonly { readonly name: Word; readonly value: Word | undefined }[];
  readonly labels: readonly { readonly name: Word; readonly value: Word | undefined }[];
  readonly command: readonly Word[];
  /** Names of the top keys that are extensions. */
  readonly extensions: readonly string[];
}

/** Reads a text; never throws. What is wrong with it, `validate` says. */
export function readKraftfile(text: string): Kraftfile {
  return new Reader(KraftDocument.parse(text)).kraftfile();
}

/** `0.6` of `v0.6`, `0.6.0`; undefined for what is no known version. */
export function kraftVersion(spec: string): KraftVersion | undefined {
  const match = /^v?(\d+\.\d+)(?:\.0)?$/.exec(spec.trim());
  return kraftVersions.find((version) => version === match?.[1]);
}

/** Whether a text has the form of a semantic version, as kraft asks. */
export function isSemver(spec: string): boolean {
  return /^v?\d+(\.\d+){0,2}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/.test(spec.trim());
}

/** What a component's short form means: a folder that is there, an address with a host, else a version. */
export function shortForm(value: string, isFolder: (path: string) => boolean = looksLikePath): { source?: string; version?: string } {
  if (isFolder(value)) return { source: value };
  const address = /^[a-z][a-z0-9+.-]*:\/\/[^/\s]+\S*$/i.test(value);
  if (!address) return { version: value };
  const query = /[?&](?:branch|tag|version)=([^&#]+)/.exec(value);
  return query ? { source: value, version: query[1]! } : { source: value };
}

function looksLikePath(value: string): boolean {
  return /^(\.{1,2}(\/|$)|\/|~\/|[A-Za-z]:[\\/])/.test(value);
}

/** The name that a target has in files: `qemu-x86_64`; undefined while half of it is missing. */
export function targetSuffix(target: Target): string | undefined {
  const architecture = target.architecture && (valueFact(architectures, target.architecture.value)?.value ?? target.architecture.value);
  const platform = target.platform && (valueFact(platforms, target.platform.value)?.value ?? target.platform.value);
  return architecture && platform ? `${platform}-${architecture}` : undefined;
}

/** The file that kraft keeps a target's configuration in. */
export function configFileName(kraftfile: Kraftfile, target: Target): string | undefined {
  const suffix = targetSuffix(target);
  const name = target.name?.value ?? target.kernel?.value ?? kraftfile.name?.value;
  return suffix === undefined || !name ? undefined : `.config.${name}_${suffix}`;
}

class Reader {
  constructor(private readonly document: KraftDocument) {}

  kraftfile(): Kraftfile {
    const { document } = this;
    const root = new Map<string, Entry>();
    // As YAML takes it, the last of several equal keys counts.
    for (const entry of document.entries(document.root)) root.set(entry.key, entry);
    const value = (key: string): Node | undefined => root.get(key)?.value;
    const spec = this.word(value('spec')) ?? this.word(value('specification'));
    const name = this.word(value('name'));
    const outdir = this.word(value('outdir'));
    const rootfs = this.word(value('rootfs'));
    const components = (['unikraft', 'template', 'runtime'] as const).map(
      (key) => [key, root.has(key) ? this.component(value(key), root.get(key)!) : undefined] as const,
    );
    return {
      document,
      ...(spec && { spec }),
      version: spec && kraftVersion(spec.value),
      ...(name && { name }),
      ...(outdir && { outdir }),
      ...Object.fromEntries(components.filter(([, component]) => component !== undefined)),
      libraries: document
        .entries(value('libraries'))
        .map((entry) => ({ name: { value: entry.key, ...entry.keySpan }, component: this.component(entry.value, entry) })),
      targets: document.items(value('targets')).map((node) => this.target(node)),
      ...(rootfs && { rootfs }),
      volumes: document.items(value('volumes')).map((node) => this.volume(node)),
      env: this.assignments(value('env')),
      labels: this.assignments(value('labels')),
      command: this.command(value('cmd')),
      extensions: [...root.keys()].filter((key) => key.startsWith('x-')),
    };
  }

  private word(node: Node | undefined): Word | undefined {
    const value = this.document.scalarText(node);
    return value === undefined || node === undefined ? undefined : { value, ...this.document.span(node) };
  }

  private component(node: Node | undefined, entry: Entry): Component {
    const span = node ? this.document.span(node) : entry.keySpan;
    const word = this.word(node);
    if (word) {
      const { source, version } = shortForm(word.value);
      return {
        ...span,
        isShort: true,
        ...(source !== undefined && { source: { ...word, value: source } }),
        ...(version && { version: { ...word, value: version } }),
        kconfig: [],
      };
    }
    const fields = this.fields(node);
    const source = this.word(fields.get('source'));
    const version = this.word(fields.get('version'));
    return {
      ...span,
      isShort: false,
      ...(source && { source }),
      ...(version && { version }),
      kconfig: this.kconfig(fields.get('kconfig')),
    };
  }

  private fields(node: Node | undefined): Map<string, Node | undefined> {
    return new Map(this.document.entries(node).map((entry) => [entry.key, entry.value]));
  }

  private kconfig(node: Node | undefined): KconfigEntry[] {
    const bare = (name: string): string => name.replace(/^CONFIG_/, '');
    const fromMap = this.document.entries(node).map((entry): KconfigEntry => {
      const scalar = this.document.resolved(entry.value);
      const raw = this.word(entry.value);
      const isSwitch = isScalar(scalar) && typeof scalar.value === 'boolean';
      const isRadix = isScalar(scalar) && typeof scalar.value === 'number' && /^[-+]?0[xo]/i.test(scalar.source ?? '');
      const value = raw && (isSwitch ? { ...raw, value: scalar.value === true ? 'y' : 'n' } : raw);
      const isNull = isScalar(scalar) && scalar.value === null;
      return {
        symbol: bare(entry.key),
        name: { value: entry.key, ...entry.keySpan },
        value: isNull ? undefined : value,
        form: 'map',
        isRadix,
      };
    });
    const fromList = this.document.items(node).flatMap((item): KconfigEntry[] => {
      const word = this.word(item);
      if (!word) return [];
      // Quotes move the text within its span; without them offsets fit.
      const raw = this.document.text.slice(word.start, word.end);
      const shift = /^["']/.test(raw) ? 1 : 0;
      const equals = word.value.indexOf('=');
      const name = equals < 0 ? word.value : word.value.slice(0, equals);
      const nameWord = { value: name, start: word.start + shift, end: Math.min(word.start + shift + name.length, word.end) };
      const value =
        equals < 0 || equals + 1 === word.value.length
          ? undefined
          : { value: word.value.slice(equals + 1), start: nameWord.end + 1, end: Math.max(nameWord.end + 1, word.end - shift) };
      return [{ symbol: bare(name), name: nameWord, value, form: 'list', isRadix: false }];
    });
    return [...fromMap, ...fromList];
  }

  private target(node: Node): Target {
    const span = this.document.span(node);
    const word = this.word(node);
    if (word) return { ...span, isShort: true, ...this.pair(word), kconfig: [] };
    const fields = this.fields(node);
    const get = (...keys: string[]): Word | undefined => keys.map((key) => this.word(fields.get(key))).find((each) => each !== undefined);
    const [name, kernel, architecture, platform] = [get('name'), get('kernel'), get('architecture', 'arch'), get('platform', 'plat')];
    const both = platform?.value.includes('/') ? this.pair(platform) : { ...(platform && { platform }) };
    return {
      ...span,
      isShort: false,
      ...(name && { name }),
      ...(kernel && { kernel }),
      ...both,
      ...(architecture && { architecture }),
      kconfig: this.kconfig(fields.get('kconfig')),
    };
  }

  /** `qemu/x86_64` */
  private pair(word: Word): { platform?: Word; architecture?: Word } {
    const raw = this.document.text.slice(word.start, word.end);
    const start = word.start + (/^["']/.test(raw) ? 1 : 0);
    const slash = word.value.indexOf('/');
    const part = (from: number, to: number): Word => ({
      value: word.value.slice(from, to),
      start: Math.min(start + from, word.end),
      end: Math.min(start + to, word.end),
    });
    if (slash < 0) return word.value === '' ? {} : { platform: part(0, word.value.length) };
    return {
      ...(slash > 0 && { platform: part(0, slash) }),
      ...(slash + 1 < word.value.length && { architecture: part(slash + 1, word.value.length) }),
    };
  }

  private volume(node: Node): Volume {
    const span = this.document.span(node);
    const word = this.word(node);
    if (word) {
      const [source, destination] = word.value.split(':');
      return {
        ...span,
        ...(source && { source: { ...word, value: source } }),
        ...(destination && { destination: { ...word, value: destination } }),
      };
    }
    const fields = this.fields(node);
    const [source, destination, driver, readonly] = ['source', 'destination', 'driver', 'readonly'].map((key) =>
      this.word(fields.get(key)),
    );
    return {
      ...span,
      ...(source && { source }),
      ...(destination && { destination }),
      ...(driver && { driver }),
      ...(readonly && { readonly }),
    };
  }

  private assignments(node: Node | undefined): { name: Word; value: Word | undefined }[] {
    if (isSeq(this.document.resolved(node))) {
      return this.document.items(node).flatMap((item) => {
        const word = this.word(item);
        if (!word) return [];
        const equals = word.value.indexOf('=');
        return [
          {
            name: { ...word, value: equals < 0 ? word.value : word.value.slice(0, equals) },
            value: equals < 0 ? undefined : { ...word, value: word.value.slice(equals + 1) },
          },
        ];
      });
    }
    return this.document.entries(node).map((entry) => ({ name: { value: entry.key, ...entry.keySpan }, value: this.word(entry.value) }));
  }

  private command(node: Node | undefined): Word[] {
    const word = this.word(node);
    if (word) return word.value === '' ? [] : word.value.split(/\s+/).map((value) => ({ ...word, value }));
    return this.document.items(node).flatMap((item) => this.word(item) ?? []);
  }
}

/** The kind of a node, in the words that messages use. */
export function shapeOf(node: Node | undefined): 'nothing' | 'text' | 'number' | 'switch' | 'map' | 'list' {
  if (isMap(node)) return 'map';
  if (isSeq(node)) return 'list';
  if (!isScalar(node) || node.value === null || node.value === undefined) return 'nothing';
  return typeof node.value === 'number' || typeof node.value === 'bigint' ? 'number' : typeof node.value === 'boolean' ? 'switch' : 'text';
}
