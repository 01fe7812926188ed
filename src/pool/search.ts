/** Search in the catalogue: by name, option, description, system call, header and exported symbol, best first. */
import { type Catalogue } from './catalogue';
import { type Library } from './library';

/** Where a word was found. */
export type MatchField = 'name' | 'option' | 'description' | 'syscall' | 'header' | 'export' | 'source';

export interface SearchMatch {
  readonly library: Library;
  readonly field: MatchField;
  /** The text in which all words, or the last one that was needed, were found. */
  readonly text: string;
  /** Higher is better. */
  readonly score: number;
}

const weights: Readonly<Record<MatchField, number>> = {
  name: 100,
  option: 40,
  description: 30,
  syscall: 60,
  header: 20,
  export: 15,
  source: 5,
};

/** Libraries that hold every word of the text somewhere, best first, each once. */
export function searchPool(catalogue: Catalogue, text: string): SearchMatch[] {
  const words = text
    .toLowerCase()
    .replace(/\bconfig_/g, '')
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return [];
  const matches = catalogue.libraries.flatMap((library) => {
    const best = words.map((word) => bestField(library, word));
    if (best.some((match) => match === undefined)) return [];
    const found = best as { field: MatchField; text: string; score: number }[];
    const top = found.reduce((a, b) => (b.score > a.score ? b : a));
    return [{ library, field: top.field, text: top.text, score: found.reduce((sum, each) => sum + each.score, 0) }];
  });
  return matches.sort((a, b) => b.score - a.score || (a.library.title < b.library.title ? -1 : 1));
}

function bestField(library: Library, word: string): { field: MatchField; text: string; score: number } | undefined {
  let best: { field: MatchField; text: string; score: number } | undefined;
  const consider = (field: MatchField, texts: Iterable<string>): void => {
    for (const text of texts) {
      const at = text.toLowerCase().indexOf(word);
      if (at < 0) continue;
      // A whole name beats a beginning, a beginning beats a middle.
      const score = weights[field] * (text.length === word.length ? 3 : at === 0 || !/\w/.test(text[at - 1]!) ? 2 : 1);
      if (!best || score > best.score) best = { field, text, score };
    }
  };
  consider('name', [library.title, library.name]);
  consider(
    'syscall',
    library.syscalls.map((call) => call.name),
  );
  consider('option', library.options);
  consider('description', [library.description]);
  consider(
    'header',
    library.headerFolders.flatMap((folder) => folder.headers),
  );
  consider('export', library.exports ?? []);
  consider(
    'source',
    library.sources.map((source) => source.file.slice(source.file.lastIndexOf('/') + 1)),
  );
  return best;
}
