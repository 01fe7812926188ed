/** Runs a plan's link step with the built-in linker, on objects from wherever they are: compiled just now, or prebuilt. */

import { link, type LinkResult } from './link/link';
import { type LinkStep } from './plan';

/** Links; `read` gives an object's bytes. `folders` are put into debug information in place of others: [in the objects, in the image]. */
export function linkStep(
  step: LinkStep,
  read: (path: string) => Uint8Array,
  folders: readonly (readonly [string, string])[] = [],
): LinkResult {
  const units = step.groups.map((g) => ({
    name: g.library,
    inputs: g.objects.map((path) => ({ name: path, bytes: read(path) })),
    ...(g.exports && { exports: g.exports }),
  }));
  return link(units, {
    layout: step.layout,
    entry: step.entries[0] ?? '',
    keep: step.entries.slice(1),
    gcSections: step.gcSections,
    debugFolders: folders,
  });
}
