/** What may stand in a Kraftfile: the keys of each place, their forms and values, and since which version of the format. */

/** Versions of the format that kraft knows. */
export const kraftVersions = ['0.5', '0.6'] as const;
export type KraftVersion = (typeof kraftVersions)[number];

/** Forms that a value may have. */
export type Shape = 'text' | 'number' | 'switch' | 'map' | 'list';

/** What kind of place a value is; its keys are in `places`. */
export type Place =
  | 'root'
  | 'component'
  | 'libraries'
  | 'targets'
  | 'target'
  | 'architecture'
  | 'platform'
  | 'kconfig'
  | 'volumes'
  | 'volume'
  | 'env'
  | 'labels'
  | 'command'
  | 'text'
  | 'path'
  | 'spec'
  | 'version'
  | 'switch';

/** One key of a place. */
export interface KeyFact {
  readonly key: string;
  /** The key that this one is another spelling of. */
  readonly means?: string;
  readonly place: Place;
  readonly shapes: readonly Shape[];
  readonly since: KraftVersion;
  readonly required?: boolean;
  /** For people, one or two sentences in Markdown. */
  readonly about: string;
}

const text: readonly Shape[] = ['text'];
const component: readonly Shape[] = ['text', 'number', 'map'];

/** The file names that kraft looks for, in its order: the first one that is there counts. */
export const kraftfileNames = ['kraft.yaml', 'kraft.yml', 'Kraftfile.yml', 'Kraftfile.yaml', 'Kraftfile'] as const;

/** Keys by place. */
export const places: Readonly<Partial<Record<Place, readonly KeyFact[]>>> = {
  root: [
    { key: 'spec', place: 'spec', shapes: ['text', 'number'], since: '0.6', required: true, about: 'Version of the format: `v0.6`.' },
    {
      key: 'specification',
      means: 'spec',
      place: 'spec',
      shapes: ['text', 'number'],
      since: '0.5',
      about: 'Version of the format; the older spelling of `spec`.',
    },
    { key: 'name', place: 'text', shapes: text, since: '0.5', about: 'Name of the unikernel. It begins the names of the images.' },
    {
      key: 'outdir',
      place: 'path',
      shapes: text,
      since: '0.5',
      about: 'Folder for what is built. Beware: kraft takes this value as the project’s name, too.',
    },
    {
      key: 'template',
      place: 'component',
      shapes: component,
      since: '0.5',
      about: 'An application whose Kraftfile this one is laid over.',
    },
    {
      key: 'runtime',
      place: 'component',
      shapes: component,
      since: '0.6',
      about: 'A prebuilt unikernel that runs the root file system; no core is built then.',
    },
    { key: 'rootfs', place: 'path', shapes: text, since: '0.6', about: 'Root file system: a folder, a Dockerfile, or a cpio archive.' },
    {
      key: 'cmd',
      place: 'command',
      shapes: ['text', 'list'],
      since: '0.6',
      about: 'Command line of the program: a text, or a list of arguments.',
    },
    { key: 'volumes', place: 'volumes', shapes: ['list'], since: '0.6', about: 'Folders of the host that the unikernel sees.' },
    { key: 'env', place: 'env', shapes: ['map', 'list'], since: '0.6', about: 'Environment variables of the program.' },
    { key: 'labels', place: 'labels', shapes: ['map'], since: '0.6', about: 'Labels that go into the package.' },
    {
      key: 'unikraft',
      place: 'component',
      shapes: component,
      since: '0.5',
      about: 'The core: its version or source, and options for the whole configuration.',
    },
    {
      key: 'libraries',
      place: 'libraries',
      shapes: ['map'],
      since: '0.5',
      about: 'External libraries by name. Their order does not count.',
    },
    { key: 'targets', place: 'targets', shapes: ['list'], since: '0.5', about: 'What is built: a platform and an architecture each.' },
  ],
  component: [
    { key: 'source', place: 'path', shapes: text, since: '0.5', about: 'Where the sources are: a folder, a git or archive address.' },
    {
      key: 'version',
      place: 'version',
      shapes: ['text', 'number'],
      since: '0.5',
      about: 'A channel (`stable`, `staging`), a version, a branch, a tag, or a commit.',
    },
    {
      key: 'kconfig',
      place: 'kconfig',
      shapes: ['map', 'list'],
      since: '0.5',
      about: 'Options by name: `CONFIG_X: y`, or a list of `CONFIG_X=y`.',
    },
  ],
  target: [
    { key: 'name', place: 'text', shapes: text, since: '0.5', about: 'Name of the target; default the project’s name.' },
    { key: 'architecture', place: 'architecture', shapes: text, since: '0.5', about: 'Processor: `x86_64`, `arm64` or `arm`.' },
    { key: 'arch', means: 'architecture', place: 'architecture', shapes: text, since: '0.5', about: 'Short for `architecture`.' },
    {
      key: 'platform',
      place: 'platform',
      shapes: text,
      since: '0.5',
      about: 'Virtual machine monitor: `qemu`, `fc` or `xen`; also `qemu/x86_64`.',
    },
    { key: 'plat', means: 'platform', place: 'platform', shapes: text, since: '0.5', about: 'Short for `platform`.' },
    {
      key: 'kernel',
      place: 'path',
      shapes: text,
      since: '0.5',
      about: 'Path of the kernel image. Beware: kraft takes this value as the target’s name, too.',
    },
    { key: 'kconfig', place: 'kconfig', shapes: ['map', 'list'], since: '0.5', about: 'Options for this target alone.' },
  ],
  volume: [
    { key: 'driver', place: 'text', shapes: text, since: '0.6', about: 'How the folder is given to the guest, such as `9pfs`.' },
    { key: 'source', place: 'path', shapes: text, since: '0.6', required: true, about: 'Folder on the host.' },
    { key: 'destination', place: 'path', shapes: text, since: '0.6', about: 'Path in the unikernel; default `/`.' },
    { key: 'readonly', place: 'switch', shapes: ['switch'], since: '0.6', about: 'Whether the unikernel may only read.' },
    { key: 'mode', place: 'text', shapes: text, since: '0.6', about: 'Access mode.' },
  ],
};

/** Architectures with other spellings that kraft takes, and the options that choosing one sets. */
export const architectures: readonly ValueFact[] = [
  { value: 'x86_64', spellings: ['amd64'], sets: ['ARCH_X86_64'], about: '64-bit x86.' },
  { value: 'arm64', spellings: ['aarch64'], sets: ['ARCH_ARM_64'], about: '64-bit Arm.' },
  { value: 'arm', spellings: ['arm32'], sets: ['ARCH_ARM_32'], about: '32-bit Arm.' },
];

/** Platforms likewise. */
export const platforms: readonly ValueFact[] = [
  { value: 'qemu', spellings: ['kvm'], sets: ['PLAT_KVM', 'KVM_VMM_QEMU'], about: 'QEMU, with or without KVM.' },
  { value: 'fc', spellings: ['firecracker'], sets: ['PLAT_KVM', 'KVM_VMM_FIRECRACKER'], about: 'Firecracker.' },
  { value: 'xen', spellings: [], sets: ['PLAT_XEN'], about: 'Xen.' },
  { value: 'kraftcloud', spellings: [], sets: ['PLAT_KVM', 'KVM_VMM_FIRECRACKER'], about: 'Unikraft Cloud.' },
];

/** One value of a closed set. */
export interface ValueFact {
  readonly value: string;
  readonly spellings: readonly string[];
  /** Options that kraft sets to y for it, without `CONFIG_`. */
  readonly sets: readonly string[];
  readonly about: string;
}

/** The value that a spelling means. */
export function valueFact(facts: readonly ValueFact[], spelling: string): ValueFact | undefined {
  return facts.find((fact) => fact.value === spelling || fact.spellings.includes(spelling));
}

/** The keys of a place, those that are only other spellings last. */
export function keysOf(place: Place): readonly KeyFact[] {
  return places[place] ?? [];
}

/** The fact about a key, or undefined for one that the place does not have. */
export function keyFact(place: Place, key: string): KeyFact | undefined {
  return places[place]?.find((fact) => fact.key === key);
}

/** The place that a key, or an item of a list, leads to. */
export function stepInto(place: Place, key: string | number): Place | undefined {
  switch (place) {
    case 'libraries':
      return typeof key === 'string' ? 'component' : undefined;
    case 'targets':
      return typeof key === 'number' ? 'target' : undefined;
    case 'volumes':
      return typeof key === 'number' ? 'volume' : undefined;
    case 'kconfig':
    case 'env':
    case 'labels':
    case 'command':
      return 'text';
    default:
      return typeof key === 'string' ? keyFact(place, key)?.place : undefined;
  }
}

/** The place at the end of a path from the root. */
export function placeAt(path: readonly (string | number)[]): Place | undefined {
  return path.reduce<Place | undefined>((place, key) => (place === undefined ? undefined : stepInto(place, key)), 'root');
}
