/** All SIMD definitions, MMX to SSE4.2, in the order in which processors got them. */

import { type Definition } from './definition';
import { mmxState } from './mmx';
import { sseControl } from './sse-control';
import { sseConvert } from './sse-convert';
import { sseFloat } from './sse-float';
import { sseInteger } from './sse-integer';
import { sseMove } from './sse-move';
import { sseShift } from './sse-shift';
import { sseShuffle } from './sse-shuffle';
import { sse3 } from './sse-sse3';
import { sse4 } from './sse-sse4';
import { ssse3 } from './sse-ssse3';

export const sseDefinitions: readonly Definition[] = [
  ...mmxState,
  ...sseMove,
  ...sseFloat,
  ...sseConvert,
  ...sseInteger,
  ...sseShift,
  ...sseShuffle,
  ...sseControl,
  ...sse3,
  ...ssse3,
  ...sse4,
];
