/** The settings that the server reads, under `unikernel.kconfig`, and what it is told at the start. */
import { dialectNames, isDialectName, type DialectName } from '../kconfig/dialect';

/** Settings with nothing left open. */
export interface Settings {
  /** The core (UK_ROOT); empty to look for it. */
  readonly root: string;
  /** External libraries beside those that are found. */
  readonly libraries: readonly string[];
  /** The .config whose values are shown; empty to look for it. */
  readonly config: string;
  readonly dialect: DialectName | 'auto';
  /** Which files get their diagnostics. */
  readonly diagnostics: 'openFiles' | 'workspace';
  /** Whether commands in `$(shell,…)` that have no answer of our own may be run, in trusted workspaces. */
  readonly shell: boolean;
  readonly codeLens: boolean;
  readonly inlayHints: boolean;
}

/** Every setting's default. */
export const defaultSettings: Settings = {
  root: '',
  libraries: [],
  config: '',
  dialect: 'auto',
  diagnostics: 'openFiles',
  shell: false,
  codeLens: true,
  inlayHints: true,
};

/** What a client may tell at the start. */
export interface StartOptions {
  readonly trusted: boolean;
  /** The folder of the starter pool of libraries. */
  readonly pool: string | undefined;
  /** The client knows our commands and the addresses of generated files. */
  readonly extension: boolean;
  readonly settings: Settings;
}

/** Settings from whatever a client sends; what has a wrong form keeps its default. */
export function readSettings(value: unknown): Settings {
  const given = record(value);
  const text = (key: 'root' | 'config'): string => (typeof given[key] === 'string' ? given[key] : defaultSettings[key]);
  const flag = (key: 'shell' | 'codeLens' | 'inlayHints'): boolean => (typeof given[key] === 'boolean' ? given[key] : defaultSettings[key]);
  const { libraries, dialect } = given;
  return {
    root: text('root'),
    libraries: Array.isArray(libraries) ? libraries.filter((one): one is string => typeof one === 'string') : [],
    config: text('config'),
    dialect: typeof dialect === 'string' && isDialectName(dialect) ? dialect : 'auto',
    diagnostics: given['diagnostics'] === 'workspace' ? 'workspace' : 'openFiles',
    shell: flag('shell'),
    codeLens: flag('codeLens'),
    inlayHints: flag('inlayHints'),
  };
}

/** The initialization options of a client; none is needed. */
export function readStartOptions(value: unknown): StartOptions {
  const given = record(value);
  return {
    trusted: given['trusted'] === true,
    pool: typeof given['pool'] === 'string' ? given['pool'] : undefined,
    extension: given['extension'] === true,
    settings: readSettings(given['settings']),
  };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

export { dialectNames };
