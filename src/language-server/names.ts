/** The option under the cursor of any document, its uses in all languages, and its new name. */
import { keywordsOf } from '../kconfig/scanner';
import { findSymbol, type KconfigView, type Place, type Span } from '../kconfig/features/view';
import { mentionAt } from '../kconfig/features/mentions';
import { referencesOf, refuseName, symbolAt } from '../kconfig/features/navigate';
import { type KSymbol } from '../kconfig/model';
import { optionAt } from '../kraftfile/hover';
import { type IsCancelled } from './search';
import { type OpenDocument, type Workspace } from './workspace';

/** An option at a place. */
export interface NamedOption extends Span {
  readonly symbol: KSymbol;
  readonly view: KconfigView;
}

/** The option named at an offset of a document; undefined where none is, or the tree does not know it. */
export function optionIn(workspace: Workspace, document: OpenDocument, offset: number): NamedOption | undefined {
  const view = workspace.viewFor(document);
  const { prefix } = view.configuration;
  if (document.language === 'kconfig') {
    const own = symbolAt(view, document.path, offset);
    if (own) return { ...own, view };
  }
  const mention = mentionAt(document.text, offset, prefix) ?? kraftOption(workspace, document, offset);
  const symbol = mention && findSymbol(view, mention.name);
  return symbol && mention && { symbol, view, start: mention.start, end: mention.end };
}

function kraftOption(workspace: Workspace, document: OpenDocument, offset: number): (Span & { name: string }) | undefined {
  if (document.language !== 'kraftfile') return undefined;
  const option = optionAt(workspace.kraftfileFor(document).kraftfile, offset);
  return option && option.start <= offset && option.end >= offset
    ? { start: option.start, end: option.end, name: option.symbol }
    : undefined;
}

/** Every place where an option is named: Kconfig files of the trees that have it, and all other files around them. */
export async function placesOf(
  workspace: Workspace,
  option: NamedOption,
  from: string,
  withDefinitions: boolean,
  isCancelled?: IsCancelled,
): Promise<Place[]> {
  const { symbol } = option;
  const open = workspace.openTexts();
  const first = workspace.projectFor(from);
  // Other trees may read the same files, or share the library that defines the option.
  const paths = new Set(symbol.nodes.map((node) => option.view.service.tree.model.files.get(node.file)?.path));
  const projects = [first, ...workspace.allProjects().filter((one) => one !== first)];
  const places: Place[] = [];
  for (const project of projects) {
    const known = project.service.tree.model.byName.get(symbol.label);
    if (!known) continue;
    const same = project === first || known.nodes.some((node) => paths.has(project.service.tree.model.files.get(node.file)?.path));
    if (!same) continue;
    const view = project.view(workspace.configSetting(from));
    places.push(...referencesOf(view, known, withDefinitions));
    places.push(...(await project.mentions.find(symbol.label, open, isCancelled)));
  }
  const seen = new Set<string>();
  return places.filter(({ path, start }) => {
    const key = `${start} ${path}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** The name without the prefix, as people type it with or without. */
export function bareName(name: string, prefix: string): string {
  const trimmed = name.trim();
  return trimmed.startsWith(prefix) ? trimmed.slice(prefix.length) : trimmed;
}

/** Why an option cannot get a name. */
export function refusal({ view, symbol }: NamedOption, name: string): string | undefined {
  return refuseName(view, symbol, name, keywordsOf(view.service.tree.dialect));
}
