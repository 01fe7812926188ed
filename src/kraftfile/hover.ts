/** What is known about the word under the cursor of a Kraftfile. */
import { type KraftContext } from './context';
import { optionAbout } from './complete';
import { type Span } from './document';
import { explain, layersOf } from './layers';
import { type Kraftfile } from './model';
import { architectures, keyFact, platforms, placeAt, valueFact } from './schema';

/** A text in Markdown for a place. */
export interface Hover extends Span {
  readonly markdown: string;
}

/** The hover at an offset. */
export function hover(kraftfile: Kraftfile, offset: number, context: KraftContext = {}): Hover | undefined {
  const { document, targets } = kraftfile;
  const at = document.pathAt(offset);
  if (!at) return undefined;
  const span = document.span(at.node);
  const option = optionAt(kraftfile, offset);
  if (option) {
    const markdown = optionHover(kraftfile, option.symbol, context);
    return { start: option.start, end: option.end, markdown };
  }
  for (const { architecture, platform } of targets) {
    for (const [word, facts, what] of [
      [architecture, architectures, 'Architecture'],
      [platform, platforms, 'Platform'],
    ] as const) {
      if (!word || offset < word.start || offset > word.end) continue;
      const fact = valueFact(facts, word.value);
      if (fact)
        return {
          ...pick(word),
          markdown: `${what} \`${fact.value}\`: ${fact.about}\n\nkraft sets ${fact.sets.map((symbol) => `\`CONFIG_${symbol}=y\``).join(', ')}.`,
        };
    }
  }
  if (!at.isKey) return undefined;
  const key = at.path.at(-1)!;
  const parent = placeAt(at.path.slice(0, -1));
  if (parent === 'libraries') {
    const library = context.libraries?.find((each) => each.title === key);
    if (!library) return undefined;
    const versions = library.versions.map((each) => each.version);
    const lines = [
      `**${library.title}**: ${library.description}`,
      library.symbol && `Enabled by \`CONFIG_${library.symbol}\``,
      versions.length > 0 && `Versions: ${versions.join(', ')}`,
    ];
    return { ...span, markdown: lines.filter(Boolean).join('\n\n') };
  }
  const fact = parent && keyFact(parent, String(key));
  return fact && { ...span, markdown: `**${fact.key}** (${fact.shapes.join(' or ')}, since ${fact.since})\n\n${fact.about}` };
}

function pick({ start, end }: Span): Span {
  return { start, end };
}

/** The option whose name or value stands at an offset. */
export function optionAt({ unikraft, libraries, targets }: Kraftfile, offset: number): (Span & { readonly symbol: string }) | undefined {
  const all = [
    ...(unikraft?.kconfig ?? []),
    ...libraries.flatMap((each) => each.component.kconfig),
    ...targets.flatMap((each) => each.kconfig),
  ];
  const entry = all.find(({ name, value }) => offset >= name.start && offset <= Math.max(name.end, value?.end ?? 0));
  return entry && { symbol: entry.symbol, ...pick(entry.name) };
}

function optionHover(kraftfile: Kraftfile, symbol: string, context: KraftContext): string {
  const known = context.model?.byName.get(symbol);
  const parts = [`**CONFIG_${symbol}**${known?.isDefined ? ` (${known.type}) ${known.prompts[0]?.text ?? ''}` : ''}`];
  if (context.model && !known?.isDefined) parts.push('No Config.uk defines it.');
  if (known?.isDefined) parts.push(optionAbout(known, context.values));
  parts.push(layersText(kraftfile, symbol, context));
  return parts.filter((part) => part !== '').join('\n\n');
}

/** Where several layers give an option a value: which, and which of them counts. Empty where no more than one does. */
export function layersText(kraftfile: Kraftfile, symbol: string, context: KraftContext): string {
  const targets = kraftfile.targets.length > 0 ? kraftfile.targets : [undefined];
  const told = new Set<string>();
  for (const target of targets) {
    const { steps } = explain(layersOf(kraftfile, target, undefined, context), symbol);
    if (steps.length < 2) continue;
    const text = steps.map(({ layer, value, counts }) => `${layer.title}: \`${value.value}\`${counts ? ' (counts)' : ''}`).join(' → ');
    told.add(text);
  }
  return [...told].join('\n\n');
}
