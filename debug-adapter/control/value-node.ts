/** A value as a tree whose children are read when asked for: registers, C objects and groups of them look alike to the Variables view. */

import { type SourceLocation } from './api';

/** One row. Children are made lazily and may be paged. */
export interface ValueNode {
  readonly name: string;
  readonly text: string;
  readonly type?: string;
  /** Expression that gives the same value again. */
  readonly evaluateName?: string;
  /** Where the object lies in guest memory. */
  readonly memory?: bigint;
  /** Where it is declared, and where the code is that it points to. */
  readonly declaration?: SourceLocation;
  readonly pointsTo?: SourceLocation;
  /** Number of children that are array elements. */
  readonly indexed?: number;
  /** Number of other children; undefined with `children` present means some. */
  readonly named?: number;
  /** Children `start` to `start + count` of the indexed ones, or all. */
  children?(start?: number, count?: number): readonly ValueNode[];
  /** Changes the value from text; answers the row as it is now. Throws a CodedError where the text does not fit. */
  assign?(text: string): ValueNode;
}

/** How numbers are written. */
export interface Formatting {
  readonly hex: boolean;
}
