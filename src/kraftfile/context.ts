/** What is known beside the Kraftfile itself: the options of the tree, the pool's libraries, the files. */
import { type Evaluation } from '../kconfig/evaluate';
import { type Model } from '../kconfig/model';

/** A library of the pool, as far as a Kraftfile is concerned; a catalogue's libraries have this form. */
export interface LibraryInfo {
  /** As Kraftfiles name it. */
  readonly title: string;
  readonly description: string;
  /** The option that enables it, without `CONFIG_`. */
  readonly symbol?: string;
  readonly versions: readonly { readonly version: string; readonly core?: string }[];
  readonly channels: readonly string[];
}

/** Everything here may be missing: what is not known is not judged. */
export interface KraftContext {
  readonly model?: Model;
  readonly values?: Evaluation;
  /** External libraries that the pool has or could fetch. */
  readonly libraries?: readonly LibraryInfo[];
  /** Whether a path, relative to the Kraftfile, is a folder. */
  readonly isFolder?: (path: string) => boolean;
}

/** A change of the text. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The text with changes made; they must not overlap. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let out = text;
  for (const edit of [...edits].sort((a, b) => b.start - a.start)) out = out.slice(0, edit.start) + edit.text + out.slice(edit.end);
  return out;
}

/** The option that kraft switches on for a library's name, without `CONFIG_`: a guess that knows no Config.uk. */
export function guessedSymbol(library: string): string {
  const upper = library.toUpperCase();
  return upper.startsWith('LIB') ? upper : `LIB${upper}`;
}
