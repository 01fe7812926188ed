/** One tree being worked on: its engine, its configurations, and what was found out about its newest state. */
import { type Configuration } from '../kconfig/configuration';
import { type Diagnostic } from '../kconfig/diagnostics';
import { type KconfigView } from '../kconfig/features/view';
import { type Model } from '../kconfig/model';
import { KconfigService } from '../kconfig/service';
import { type ShellRunner } from '../kconfig/context';
import { type Files } from '../shared/files';
import { MentionIndex } from './search';
import { type TreePlan } from './trees';

interface Loaded {
  readonly model: Model;
  readonly text: string;
  readonly configuration: Configuration;
}

/** A tree with its configurations. */
export class Project {
  readonly service: KconfigService;
  readonly mentions: MentionIndex;
  private readonly configurations = new Map<string, Loaded>();
  private main: { readonly path: string | undefined; readonly text: string; readonly configuration: Configuration } | undefined;
  private checked: { readonly model: Model; readonly diagnostics: readonly Diagnostic[] } | undefined;

  constructor(
    readonly plan: TreePlan,
    private readonly files: Files,
    private readonly provider: (symbol: string) => string | undefined,
    shell: ShellRunner | undefined,
  ) {
    const { root, cwd, dialect, environment } = plan;
    this.service = new KconfigService({ files, cwd, root, dialect, environment, ...(shell && { shell }) });
    this.mentions = new MentionIndex(files, plan.folders, new Set(plan.built), environment['CONFIG_'] ?? 'CONFIG_');
  }

  /** The tree under the project's own configuration. `config` is the .config that a setting names. */
  view(config: string | undefined): KconfigView {
    const path = this.configPath(config);
    const text = (path === undefined ? undefined : this.files.readText(path)) ?? '';
    if (this.main?.path !== path || this.main?.text !== text) {
      this.main = { path, text, configuration: this.service.openConfiguration(text, path) };
    }
    return { service: this.service, configuration: this.main.configuration, partial: this.plan.partial };
  }

  /** The tree under a configuration file's text. */
  viewOf(path: string, text: string): KconfigView {
    const { model } = this.service.tree;
    let loaded = this.configurations.get(path);
    if (loaded?.model !== model || loaded.text !== text) {
      loaded = { model, text, configuration: this.service.openConfiguration(text, path) };
      this.configurations.set(path, loaded);
    }
    return { service: this.service, configuration: loaded.configuration, partial: this.plan.partial };
  }

  /** The .config whose values are shown: the one that is set, the application's own, or its defconfig. */
  configPath(config: string | undefined): string | undefined {
    if (config !== undefined) return config;
    const { app } = this.plan;
    if (app === undefined) return undefined;
    const named = [`${app}/.config`, `${app}/defconfig`].find((path) => this.files.kind(path) === 'file');
    if (named !== undefined) return named;
    // kraft writes one for each target.
    const other = this.files.list(app).find((name) => name.startsWith('.config.') && !name.endsWith('.old'));
    return other === undefined ? undefined : `${app}/${other}`;
  }

  /** Every message about the tree's files. */
  diagnostics(): readonly Diagnostic[] {
    const { model } = this.service.tree;
    if (this.checked?.model !== model) this.checked = { model, diagnostics: this.service.diagnostics({ provider: this.provider }) };
    return this.checked.diagnostics;
  }

  /** A configuration file is no longer open. */
  closeConfiguration(path: string): void {
    this.configurations.delete(path);
  }
}
