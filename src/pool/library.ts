/** What the catalogue knows of one library, as plain data. */

/** What part of a unikernel a library is. */
export type LibraryKind = 'library' | 'driver' | 'platform' | 'architecture' | 'application';

/** A place in a file. */
export interface Place {
  readonly path: string;
  /** 1-based. */
  readonly line: number;
}

/** One source file of a library. */
export interface LibrarySource extends Place {
  /** The file; below `/build` where the build makes or fetches it. */
  readonly file: string;
  /** The name after `|`, by which a file is compiled again with other flags. */
  readonly variant?: string;
  /** When it is compiled, in Kconfig's notation; '' for always. */
  readonly condition: string;
}

/** A system call that a library provides. */
export interface ProvidedSyscall extends Place {
  readonly name: string;
  /** Number of arguments, 0 to 6. */
  readonly arity: number;
  /** Whether it sees the caller's registers: `e` (execution environment, since 0.17), `u` (before), or neither. */
  readonly context: '' | 'e' | 'u';
  /** When it is provided, in Kconfig's notation; '' for always. */
  readonly condition: string;
}

/** A folder of headers that other libraries see. */
export interface HeaderFolder {
  readonly folder: string;
  readonly condition: string;
  /** Headers in it, relative to it; empty where the build makes or fetches them. */
  readonly headers: readonly string[];
}

/** A version of a library's sources. */
export interface LibraryVersion {
  readonly version: string;
  readonly url?: string;
  /** Of the archive at `url`, in hexadecimal. */
  readonly sha256?: string;
  /** The core it fits, where the manifest says so. */
  readonly core?: string;
  readonly from: 'Library.uk' | 'Makefile.uk' | 'manifest';
}

/** Where a library's sources can be fetched from. */
export interface LibraryArchive {
  /** For people: a channel or version, e.g. `stable` or `0.17.0`. */
  readonly label: string;
  readonly url: string;
  /** Of the archive, in hexadecimal. */
  readonly sha256?: string;
  /** The core it fits, where the manifest says so. */
  readonly core?: string;
}

/** A `select` or `imply` of one of the library's options. */
export interface Selection extends Place {
  /** The option that selects. */
  readonly by: string;
  readonly target: string;
  /** Its own condition, in Kconfig's notation; '' for none. */
  readonly condition: string;
  readonly weak: boolean;
}

/** Why one library has to do with another. */
export type EdgeReason = 'selects' | 'implies' | 'depends' | 'uses';

/** One library's need of another. */
export interface DependencyEdge {
  readonly from: string;
  readonly to: string;
  readonly reason: EdgeReason;
  /** The option of `from` that the need comes from; '' where it is a line of Makefile.uk. */
  readonly by: string;
  /** The option of `to` that is needed. */
  readonly symbol: string;
  /** When the need is there, in Kconfig's notation; '' for always. */
  readonly condition: string;
  /** Set where `to` is but one of those that provide a feature: the feature's symbol. */
  readonly feature?: string;
}

/** One library. */
export interface Library {
  /** As make knows it, e.g. `liblwip`. */
  readonly name: string;
  /** As people and Kraftfiles know it, e.g. `lwip`. */
  readonly title: string;
  readonly kind: LibraryKind;
  /** `local`: the project takes it; `beside`: its files lie with the project's libraries, and it is none of them; `available`: only a manifest tells of it. */
  readonly state: 'local' | 'beside' | 'available';
  readonly description: string;
  /** Where it comes from: `core`, its folder, or the manifest's address. */
  readonly origin: string;
  readonly homepage?: string;
  readonly license?: string;
  /** Empty for one that is only available. */
  readonly folder: string;
  /** Where it is registered. */
  readonly place?: Place;
  /** The platform of a platform library. */
  readonly platform?: string;
  /** The option that enables it, without `CONFIG_`; undefined for one that is always built. */
  readonly symbol?: string;
  /** Options that its Config.uk defines, in order. */
  readonly options: readonly string[];
  /** What it depends on, in Kconfig's notation; '' for nothing. */
  readonly dependsOn: string;
  readonly selections: readonly Selection[];
  readonly sources: readonly LibrarySource[];
  readonly headerFolders: readonly HeaderFolder[];
  /** Functions and variables that other libraries may link to; undefined where there is no list, and all may be. */
  readonly exports?: readonly string[];
  readonly syscalls: readonly ProvidedSyscall[];
  readonly versions: readonly LibraryVersion[];
  /** Channels of the manifest, the default first. */
  readonly channels: readonly string[];
  /** What the manifests offer, channels first. */
  readonly archives: readonly LibraryArchive[];
  readonly needs: readonly DependencyEdge[];
  readonly neededBy: readonly DependencyEdge[];
}
