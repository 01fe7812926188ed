/** What MMX has beside its arithmetic: the way out of it. */

import { type Definition } from './definition';
import { mmx, np } from './sse-lanes';

export const mmxState: readonly Definition[] = [mmx('mmx', 'EMMS', np(1, 0x77, []), undefined, { helper: 'mmxEmpty' })];
