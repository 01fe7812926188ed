/** Configures a pool application: evaluates the Config.uk tree over what the user chose. */

import { buildModel } from '../kconfig/build';
import { runConf } from '../kconfig/conf';
import { dialectOf } from '../kconfig/dialect';
import { unikraftEnvironment } from '../kconfig/submenu';
import { type Files } from '../shared/files';
import { type AskedConfiguration, type Configuration, readConfiguration } from './configuration';
import { poolVersion } from './plan';
import { type BuildProblem } from './problems';

/** Where things lie; absolute paths. */
export interface ConfigureInput {
  readonly files: Files;
  readonly pool: string;
  readonly app: string;
  readonly libraries?: readonly string[];
  readonly build: string;
  readonly asked: AskedConfiguration;
}

/** A complete configuration. */
export interface Configured {
  readonly config: Configuration;
  /** Text in the form of a .config. */
  readonly text: string;
  readonly problems: readonly BuildProblem[];
}

/** Completes what was asked for with defaults and what is selected. */
export function configure(input: ConfigureInput): Configured {
  const { files, pool, app, build } = input;
  const version = poolVersion(files, pool);
  const { text: asked, from } = input.asked;
  const name = `${build}/config.asked`;
  const environment = unikraftEnvironment({
    base: pool,
    app,
    libs: input.libraries ?? [],
    build,
    config: name,
    fullVersion: version.full,
    codename: version.codename,
  });
  const model = buildModel({ files, cwd: app, root: `${pool}/Config.uk`, dialect: dialectOf('uk-5.2'), environment });
  const outcome = runConf(model, {
    mode: 'defconfig',
    read: (path) => (path === name ? asked : files.readText(path)),
    environment,
    defconfig: name,
  });
  const problems = [...(outcome.config === undefined ? model.diagnostics : []), ...outcome.diagnostics]
    .filter((d) => d.severity === 'error' || d.severity === 'warning')
    .map((d): BuildProblem => ({
      path: d.file ?? from ?? `${pool}/Config.uk`,
      line: d.line ?? 1,
      column: 1,
      severity: d.severity === 'error' ? 'error' : 'warning',
      message: d.message,
      source: 'kconfig',
    }));
  const text = outcome.config ?? '';
  if (outcome.config === undefined && !problems.some((p) => p.severity === 'error'))
    problems.push({
      path: from ?? app,
      line: 1,
      column: 1,
      severity: 'error',
      message: 'The configuration was refused.',
      source: 'kconfig',
    });
  return { config: readConfiguration(text), text, problems };
}
