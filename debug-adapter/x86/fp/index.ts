/** All helpers of the SIMD families. */

import { type HelperTable } from '../context';
import { extensionHelpers } from './extensions';
import { sse2Helpers } from './instructions';

export const sseHelpers: HelperTable = { ...sse2Helpers, ...extensionHelpers };
