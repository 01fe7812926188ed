/** What a project can be built for: the targets of its Kraftfile, the defconfigs of catalog-core and of plain make projects, or its .config alone. */
import { parseDotConfig } from '../kconfig/dotconfig/read';
import { defconfigText, layersOf, type ExistingConfig } from '../kraftfile/layers';
import { configFileName, readKraftfile, targetSuffix, type Kraftfile, type Target } from '../kraftfile/model';
import { architectures, platforms, valueFact } from '../kraftfile/schema';
import { type Files } from '../shared/files';

/** One thing that a project can be built for. */
export interface BuildTarget {
  /** For people and command lines; unique within the project, e.g. `qemu-x86_64` or `fc-x86_64-initrd`. */
  readonly name: string;
  /** As image files end: `qemu`, `fc`, `xen`; undefined where only the configuration decides. */
  readonly platform?: string;
  readonly architecture?: string;
  /** Where its .config stands or will stand (`C=`). */
  readonly configFile: string;
  /** What a configuration that is not there yet is made from. */
  readonly seed?: ConfigSeed;
}

/** The choices of a person from which a whole configuration is made. */
export interface ConfigSeed {
  /** The file that they stand in. */
  readonly path: string;
  /** In the form of a defconfig. */
  readonly text: string;
  /** The line of `path`, from 1, where an option is chosen; for reports on options that no longer exist. */
  lineOf(symbol: string): number;
}

/** What a project's configuration is made from where there is none: its target's seed, or the defconfig in its folder. */
export function startOf(
  files: Files,
  { folder, target }: { readonly folder: string; readonly target: BuildTarget | undefined },
): Pick<ConfigSeed, 'path' | 'text'> | undefined {
  if (target?.seed) return target.seed;
  const path = `${folder}/defconfig`;
  const text = files.readText(path);
  return text === undefined ? undefined : { path, text };
}

/** What targets are looked for in. */
export interface TargetSearch {
  readonly files: Files;
  /** The project's folder. */
  readonly folder: string;
  /** Where the plain .config stands or will stand. */
  readonly configFile: string;
  readonly kraftfile: string | undefined;
}

/** `qemu.x86_64`, `fc-x86_64-initrd`, `qemu-aarch64-9pfs` */
const defconfigName = /^(qemu|kvm|fc|firecracker|xen)[-_.](x86_64|amd64|arm64|aarch64|arm)(?:[-_.](.+))?$/;
const defconfigFolders = ['.scripts/defconfig', 'scripts/defconfig', 'defconfigs'];

/** All targets of a project built by make, the one to start with first; never none. */
export function targetsOf(search: TargetSearch): readonly BuildTarget[] {
  const kraft = kraftTargets(search);
  const unique = [...new Map([...kraft, ...defconfigTargets(search)].reverse().map((target) => [target.name, target])).values()];
  unique.sort(byReach);
  const text = search.files.readText(search.configFile);
  if (text === undefined) {
    const [first = plainTarget(search), ...others] = unique;
    // kraft keeps a file for each target; make by itself knows only the plain one.
    return [kraft.some(({ name }) => name === first.name) ? first : { ...first, configFile: search.configFile }, ...others];
  }
  // The plain .config is a target's own, or, where it is for none of them, a target by itself.
  const { platform, architecture } = configuredFor(text);
  const own = unique.find((target) => target.platform === platform && target.architecture === architecture);
  const first: BuildTarget = own
    ? { ...own, configFile: search.configFile }
    : { ...plainTarget(search), ...(platform !== undefined && { platform }), ...(architecture !== undefined && { architecture }) };
  return [first, ...unique.filter((target) => target !== own)];
}

/** Those that the built-in PC can boot come first, QEMU's before Firecracker's. */
function byReach(a: BuildTarget, b: BuildTarget): number {
  const rank = ({ platform, architecture }: BuildTarget): number =>
    (architecture === 'x86_64' ? 0 : 10) + (platform === 'qemu' ? 0 : platform === 'fc' ? 1 : 2);
  return rank(a) - rank(b) || (a.name < b.name ? -1 : 1);
}

function plainTarget({ files, folder, configFile }: TargetSearch): BuildTarget {
  const path = `${folder}/defconfig`;
  const text = files.readText(path);
  return { name: 'as configured', configFile, ...(text !== undefined && { seed: seedFromFile(path, text) }) };
}

/** The platform and architecture that a .config chooses, as image files name them. */
export function configuredFor(text: string): { readonly platform: string | undefined; readonly architecture: string | undefined } {
  const set = new Set(
    parseDotConfig(text, 'CONFIG_')
      .assignments.filter(({ value }) => value === 'y')
      .map(({ name }) => name),
  );
  const all = (names: readonly string[]): boolean => names.every((name) => set.has(name));
  return {
    platform: platforms.find(({ sets }) => all(sets))?.value ?? (set.has('PLAT_KVM') ? 'qemu' : undefined),
    architecture: architectures.find(({ sets }) => all(sets))?.value,
  };
}

function kraftTargets({ files, folder, kraftfile }: TargetSearch): BuildTarget[] {
  const text = kraftfile === undefined ? undefined : files.readText(kraftfile);
  if (kraftfile === undefined || text === undefined) return [];
  const model = readKraftfile(text);
  return model.targets.flatMap((target) => {
    const suffix = targetSuffix(target);
    if (suffix === undefined) return [];
    const [platform, architecture] = split(suffix);
    const named = target.name?.value;
    const file = configFileName(model, target) ?? `.config.${folder.slice(folder.lastIndexOf('/') + 1)}_${suffix}`;
    return [
      {
        name: named === undefined ? suffix : `${named} (${suffix})`,
        platform,
        architecture,
        configFile: `${folder}/${file}`,
        seed: seedFromKraftfile(kraftfile, text, model, target),
      },
    ];
  });
}

function split(suffix: string): readonly [string, string] {
  const dash = suffix.indexOf('-');
  return [suffix.slice(0, dash), suffix.slice(dash + 1)];
}

function seedFromKraftfile(path: string, text: string, model: Kraftfile, target: Target, existing?: ExistingConfig): ConfigSeed {
  const layers = layersOf(model, target, existing);
  const places = new Map(
    layers.flatMap(({ values }) => [...values].flatMap(([symbol, { place }]) => (place ? [[symbol, place] as const] : []))),
  );
  return {
    path,
    text: defconfigText(layers),
    lineOf: (symbol) => text.slice(0, (places.get(symbol) ?? target).start).split('\n').length,
  };
}

function defconfigTargets({ files, folder }: TargetSearch): BuildTarget[] {
  return defconfigFolders.flatMap((part) =>
    files.list(`${folder}/${part}`).flatMap((name) => {
      const match = defconfigName.exec(name);
      const path = `${folder}/${part}/${name}`;
      const text = match && files.kind(path) === 'file' ? files.readText(path) : undefined;
      if (!match || text === undefined) return [];
      const platform = valueFact(platforms, match[1]!)!.value;
      const architecture = valueFact(architectures, match[2]!)!.value;
      const full = [`${platform}-${architecture}`, ...(match[3] === undefined ? [] : [match[3]])].join('-');
      return [{ name: full, platform, architecture, configFile: `${folder}/.config.${full}`, seed: seedFromFile(path, text) }];
    }),
  );
}

function seedFromFile(path: string, text: string): ConfigSeed {
  return {
    path,
    text,
    lineOf: (symbol) => parseDotConfig(text, 'CONFIG_').assignments.findLast(({ name }) => name === symbol)?.line ?? 1,
  };
}
