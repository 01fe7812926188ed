/** Runs a plan's link step with the built-in linker, on objects from wherever they are: compiled just now, or prebuilt. */

import { link, type LinkInput, type LinkResult } from './link/link';
import { type LinkStep } from './plan';

/** Where objects come from. */
export interface LinkSources {
  /** An object's bytes, by its path in the plan. */
  readonly read: (path: string) => Uint8Array;
  /** An object that comes before all others. */
  readonly first?: LinkInput;
  /** Folders that are put into debug information in place of others: [in the objects, in the image]. */
  readonly folders?: readonly (readonly [string, string])[];
}

/** Links. */
export function linkStep(step: LinkStep, { read, first, folders = [] }: LinkSources): LinkResult {
  const units = step.groups.map((g) => ({
    name: g.library,
    inputs: g.objects.map((path) => ({ name: path, bytes: read(path) })),
    ...(g.exports && { exports: g.exports }),
  }));
  return link(first ? [{ name: first.name, inputs: [first] }, ...units] : units, {
    layout: step.layout,
    entry: step.entries[0] ?? '',
    keep: step.entries.slice(1),
    gcSections: step.gcSections,
    debugFolders: folders,
  });
}
