/** Messages between the page of an image's sizes and the extension. */

/** A group of bytes; sizes in bytes. */
export interface SizeItem {
  readonly name: string;
  readonly size: number;
  /** In the build that is compared with; undefined where none is. */
  readonly before?: number;
  /** Largest first; empty for leaves. */
  readonly children: readonly SizeItem[];
}

/** Sums as Berkeley's `size` prints them. */
export interface SizeSums {
  readonly text: number;
  readonly data: number;
  readonly bss: number;
  readonly total: number;
}

export interface SizesReport {
  /** The image's path as people see it. */
  readonly image: string;
  readonly totals: SizeSums;
  /** The build that is compared with. */
  readonly other?: { readonly image: string; readonly totals: SizeSums };
  /** By library, object and symbol. */
  readonly byLibrary: SizeItem;
  /** By section, library and symbol. */
  readonly bySection: SizeItem;
}

export type SizesToPage =
  { readonly type: 'report'; readonly report: SizesReport } | { readonly type: 'failure'; readonly message: string };

export type SizesToExtension =
  | { readonly type: 'ready' }
  | { readonly type: 'compare' | 'stopComparing' | 'build' }
  | { readonly type: 'show'; readonly library: string }
  | { readonly type: 'reveal'; readonly symbol: string };
