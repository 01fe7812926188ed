/** What the client announced in `initialize`: what it is sent, and how it counts. */
import { type DebugProtocol } from '@vscode/debugprotocol';

export interface ClientFeatures {
  readonly linesStartAt1: boolean;
  readonly columnsStartAt1: boolean;
  readonly progress: boolean;
  readonly invalidated: boolean;
  readonly memoryEvents: boolean;
  /** Output may hold ANSI escape sequences for colours. */
  readonly ansi: boolean;
}

export const clientFeatures = (args: Partial<DebugProtocol.InitializeRequestArguments>): ClientFeatures => ({
  linesStartAt1: args.linesStartAt1 ?? true,
  columnsStartAt1: args.columnsStartAt1 ?? true,
  progress: args.supportsProgressReporting ?? false,
  invalidated: args.supportsInvalidatedEvent ?? false,
  memoryEvents: args.supportsMemoryEvent ?? false,
  ansi: args.supportsANSIStyling ?? false,
});
