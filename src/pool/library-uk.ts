/** Reads Library.uk: what an external library says about itself. */
import { type LibraryVersion } from './library';

/** The facts of a Library.uk. */
export interface LibraryFacts {
  readonly name: string;
  readonly description: string;
  readonly homepage: string;
  readonly license: string;
  readonly versions: readonly LibraryVersion[];
  /** All fields, those above among them, with their texts. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Reads a text of `name := value` lines; a line of any other form says nothing. */
export function readLibraryUk(text: string): LibraryFacts {
  const fields = new Map<string, string>();
  const versions: LibraryVersion[] = [];
  for (const line of text.replace(/\\\r?\n\s*/g, ' ').split(/\r?\n/)) {
    const match = /^\s*([A-Za-z][\w-]*)\s*(:=|\+=|\?=|=)\s*(.*?)\s*$/.exec(line);
    if (!match) continue;
    const [, rawName, operator, rawValue] = match as unknown as [string, string, string, string];
    const name = rawName.toLowerCase();
    const value = unquoted(rawValue);
    const old = fields.get(name);
    if (name === 'version') {
      if (operator !== '+=' && operator !== '?=') versions.length = 0;
      if (operator !== '?=' || versions.length === 0) versions.push(...readVersions(value));
    }
    if (operator === '+=' && old !== undefined) fields.set(name, `${old} ${value}`);
    else if (operator !== '?=' || old === undefined) fields.set(name, value);
  }
  const field = (name: string): string => fields.get(name) ?? '';
  return {
    name: field('name'),
    description: field('description'),
    homepage: field('homepage'),
    license: field('license'),
    versions,
    fields,
  };
}

function unquoted(text: string): string {
  return /^"(.*)"$/.exec(text)?.[1]?.replace(/\\(.)/g, '$1') ?? text;
}

/** `1.2.3 sha256:… https://…`, the order of the last two free. */
function readVersions(text: string): LibraryVersion[] {
  const found: LibraryVersion[] = [];
  let current: { version: string; url?: string; sha256?: string; from: 'Library.uk' } | undefined;
  for (const word of text.split(/\s+/).filter((each) => each !== '')) {
    const sum = /^sha256:([0-9a-fA-F]{64})$/.exec(word);
    if (sum && current) current.sha256 = sum[1]!.toLowerCase();
    else if (/^(https?|git|ssh):\/\//.test(word) && current) current.url = word;
    else if (!/^(sha\d+|md5):/.test(word)) {
      current = { version: word, from: 'Library.uk' };
      found.push(current);
    }
  }
  return found;
}
