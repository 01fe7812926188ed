/** Project templates: what a new project consists of, as files in memory; writing them is the caller's part. */

import { applicationFiles } from './application';
import { binaryFiles } from './binary';
import { libraryFiles } from './library';

/** Where the libraries of a project come from: the starter pool, or a tree of upstream Unikraft. */
export type TemplateBase = 'pool' | 'upstream';

/** A template as a person chooses it. */
export interface TemplateInfo {
  readonly id: TemplateId;
  readonly title: string;
  readonly about: string;
}

export type TemplateId = 'app' | 'binary' | 'library';

/** All templates, the usual one first. */
export const TEMPLATES: readonly TemplateInfo[] = [
  { id: 'app', title: 'C application', about: 'A program in C that is compiled and linked with the libraries that it needs.' },
  { id: 'binary', title: 'Linux program', about: 'An unmodified static Linux program in a root file system, run by the ELF loader.' },
  { id: 'library', title: 'Library', about: 'An empty micro-library, with an application beside it that uses it.' },
];

/** What to make. */
export interface TemplateInput {
  readonly template: TemplateId;
  /** Of the project, as a person writes it: letters, digits, `-` and `_`. */
  readonly name: string;
  readonly base: TemplateBase;
  /** Upstream only: folder of the Unikraft tree, as it is to stand in the Kraftfile; default: the stable version. */
  readonly core?: string;
  /** Of the template `binary`: the program; default: a small one that says hello. */
  readonly program?: { readonly name: string; readonly bytes: Uint8Array };
}

/** A file of a new project. */
export interface TemplateFile {
  /** Relative to the project's folder, `/`-separated. */
  readonly path: string;
  readonly data: string | Uint8Array;
  readonly executable?: boolean;
}

/** The names that follow from a project's name. */
export interface ProjectNames {
  readonly name: string;
  /** In lower case without separators, as libraries are named: `appdemo`, `libdemo`. */
  readonly library: string;
  /** Its Kconfig symbol and the prefix of its make variables: `APPDEMO`. */
  readonly symbol: string;
}

/** What is wrong with a name, or undefined. */
export function nameFault(name: string): string | undefined {
  if (name === '') return 'It is empty.';
  if (name.length > 64) return 'It is longer than 64 characters.';
  if (!/^[A-Za-z0-9]/.test(name)) return 'It must start with a letter or a digit.';
  const bad = /[^A-Za-z0-9_-]/.exec(name);
  return bad ? `It has the character “${bad[0]}”; letters, digits, “-” and “_” are possible.` : undefined;
}

/** Names of a project; `prefix` is `app` or `lib`. */
export function projectNames(name: string, prefix: 'app' | 'lib'): ProjectNames {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  const library = plain.startsWith(prefix) && plain.length > prefix.length ? plain : prefix + plain;
  return { name, library, symbol: library.toUpperCase() };
}

/** Files of a new project. @throws Error for a name that nameFault() refuses. */
export function templateFiles(input: TemplateInput): TemplateFile[] {
  const fault = nameFault(input.name);
  if (fault !== undefined) throw new Error(`“${input.name}” cannot be the name of a project. ${fault}`);
  switch (input.template) {
    case 'app':
      return applicationFiles(input);
    case 'binary':
      return binaryFiles(input);
    case 'library':
      return libraryFiles(input);
  }
}
