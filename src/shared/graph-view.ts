/** Messages between the dependency graph's page and the extension, and to the worker that lays it out. */
import { type LibraryStatus } from './library-status';

/** Why one library has to do with another; each may be shown or hidden. */
export const graphReasons = ['selects', 'depends', 'implies', 'uses'] as const;
export type GraphReason = (typeof graphReasons)[number];

export interface GraphNodeView {
  /** As make knows it. */
  readonly name: string;
  readonly title: string;
  readonly kind: 'library' | 'driver' | 'platform' | 'architecture' | 'application';
  readonly status: LibraryStatus;
  readonly description: string;
  /** Whether an option switches it. */
  readonly switchable: boolean;
}

export interface GraphEdgeView {
  readonly from: string;
  readonly to: string;
  readonly reason: GraphReason;
  /** What says so, a line each: `LIBUKSCHED selects LIBUKALLOC if …`. */
  readonly why: readonly string[];
}

export interface GraphView {
  readonly title: string;
  /** Whether the whole pool is shown, or only what the configuration enables. */
  readonly isWhole: boolean;
  readonly nodes: readonly GraphNodeView[];
  readonly edges: readonly GraphEdgeView[];
}

export type GraphToPage = { readonly type: 'graph'; readonly graph: GraphView } | { readonly type: 'focus'; readonly name: string };

export type GraphToExtension =
  | { readonly type: 'ready' }
  | { readonly type: 'scope'; readonly isWhole: boolean }
  | { readonly type: 'show' | 'enable' | 'disable'; readonly name: string }
  | { readonly type: 'export'; readonly svg: string };

/** A graph to be laid out; sizes in CSS pixels. */
export interface LayoutInput {
  /** Answers carry it, so that late ones can be told apart. */
  readonly id: number;
  readonly nodes: readonly { readonly name: string; readonly width: number; readonly height: number }[];
  readonly edges: readonly { readonly from: string; readonly to: string }[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where everything goes. */
export interface LayoutOutput {
  readonly id: number;
  readonly width: number;
  readonly height: number;
  /** Centres, by name. */
  readonly nodes: Readonly<Record<string, Point>>;
  /** Corner points of the edges, in the order of the input. */
  readonly edges: readonly (readonly Point[])[];
}
