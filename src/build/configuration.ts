/** The configuration of a build: what the user chose, values read from a .config, and the header that C code sees. */

import { type Files } from '../shared/files';

/** Values by symbol without the `CONFIG_` prefix: `y`, `m`, numbers, and strings without their quotes. */
export interface Configuration {
  readonly values: ReadonlyMap<string, string>;
  /** Names whose value is a string: they are quoted in the header. */
  readonly strings: ReadonlySet<string>;
}

/** Reads the text of a .config; lines of any other form say nothing. */
export function readConfiguration(text: string): Configuration {
  const values = new Map<string, string>();
  const strings = new Set<string>();
  for (const line of text.split(/\r?\n/)) {
    const match = /^CONFIG_([A-Za-z0-9_]+)=(.*)$/.exec(line);
    if (!match) continue;
    const name = match[1]!;
    const raw = match[2]!;
    const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(raw);
    if (quoted) strings.add(name);
    values.set(name, quoted ? quoted[1]!.replace(/\\(.)/g, '$1') : raw.trim());
  }
  return { values, strings };
}

/** Folders of the machine that builds: no code needs them, and an image must not depend on them. */
const HOST_ONLY = new Set(['UK_BASE', 'UK_APP', 'UK_CONFIG', 'BUILD_DIR']);

/** What the header says of one option; undefined: nothing. */
export function configurationLine(config: Configuration, name: string): string | undefined {
  const value = config.values.get(name);
  if (value === undefined || HOST_ONLY.has(name)) return undefined;
  if (config.strings.has(name)) return `#define CONFIG_${name} "${value.replace(/[\\"]/g, '\\$&')}"`;
  if (value === 'y') return `#define CONFIG_${name} 1`;
  if (value === 'm') return `#define CONFIG_${name}_MODULE 1`;
  return value === 'n' || value === '' ? undefined : `#define CONFIG_${name} ${value}`;
}

/** Text of `uk/bits/config.h`. */
export function configurationHeader(config: Configuration): string {
  const lines = [...config.values.keys()].flatMap((name) => configurationLine(config, name) ?? []);
  return `${['/* Written by the build from the configuration. */', ...lines].join('\n')}\n`;
}

/** Lays texts in .config form over each other: what a later one says of an option counts. */
export function overlayConfigs(texts: readonly string[]): string {
  const lines = new Map<string, string>();
  for (const line of texts.flatMap((t) => t.split(/\r?\n/))) {
    const symbol = /^CONFIG_([A-Za-z0-9_]+)=/.exec(line)?.[1] ?? /^# CONFIG_([A-Za-z0-9_]+) is not set/.exec(line)?.[1];
    if (symbol !== undefined) lines.set(symbol, line);
  }
  return [...lines.values()].map((l) => `${l}\n`).join('');
}

/** What the user chose. */
export interface AskedConfiguration {
  /** In .config form, one line an option. */
  readonly text: string;
  /** The file that choices came from, if any. */
  readonly from: string | undefined;
}

/** Choices for an application: of its `.config`, else `defconfig`, over those of `base` and under those of `extra` (texts in .config form). */
export function askedConfiguration(files: Files, app: string, base: string, extra: string): AskedConfiguration {
  const from = [`${app}/.config`, `${app}/defconfig`].find((path) => files.kind(path) === 'file');
  return { text: overlayConfigs([base, from === undefined ? '' : (files.readText(from) ?? ''), extra]), from };
}
