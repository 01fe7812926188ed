/** What the view of system calls tells its page, and the page the view. */
import { type EventDetails, type SummaryAnswer } from '../../../debug-adapter/dap/custom';

/** A part of the rows that the filter lets through; row 0 is the oldest that is kept. */
export interface RowsMessage {
  readonly kind: 'rows';
  readonly filter: string;
  readonly start: number;
  readonly events: readonly EventDetails[];
  readonly total: number;
  /** Rows that matched and are no longer kept: row numbers have shrunk by these. */
  readonly dropped: number;
  /** Events in all, and those that are no longer kept. */
  readonly recorded: number;
  readonly lost: number;
  /** Not all events were looked through yet. */
  readonly partial: boolean;
  /** The guest stands, so that one can travel. */
  readonly stopped: boolean;
}

export type ToPage =
  | RowsMessage
  | { readonly kind: 'summary'; readonly rows: SummaryAnswer['rows'] }
  /** There is no session, or none that records. */
  | { readonly kind: 'empty'; readonly text: string; readonly settings: boolean }
  | { readonly kind: 'place'; readonly sequence: number; readonly text: string }
  | { readonly kind: 'command'; readonly command: 'focusFilter' | 'clearFilter' | 'toggleSummary' };

export type ToExtension =
  | { readonly kind: 'ready' }
  /** The rows in sight. */
  | { readonly kind: 'window'; readonly filter: string; readonly start: number; readonly count: number }
  | { readonly kind: 'summary'; readonly filter: string; readonly shown: boolean }
  | { readonly kind: 'go'; readonly sequence: number; readonly open: boolean }
  | { readonly kind: 'travel'; readonly sequence: number }
  | { readonly kind: 'provider'; readonly name: string }
  | { readonly kind: 'settings' };
