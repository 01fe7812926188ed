/** In what state a library is, as the tree, the pages and the graph show it. */

/**
 * `image`: built and still enabled; `enabled`: the next build takes it in; `leaving`: in the image, and no longer enabled;
 * `disabled`: here, and not enabled; `beside`: its files are here, and the Kraftfile does not ask for it; `available`: only a manifest tells
 * of it; `missing`: asked for by the Kraftfile, and not here.
 */
export type LibraryStatus = 'image' | 'enabled' | 'leaving' | 'disabled' | 'beside' | 'available' | 'missing';

export const statusTitles: Readonly<Record<LibraryStatus, string>> = {
  image: 'in the image',
  enabled: 'enabled',
  leaving: 'in the image, no longer enabled',
  disabled: 'not enabled',
  beside: 'not in the Kraftfile',
  available: 'available',
  missing: 'missing',
};
