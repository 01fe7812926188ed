/** The quick ones of the conformance suites, where UNIKERNEL_SUITES has them; `npm run conformance` runs all. */

import assert from 'node:assert/strict';
import { runInstructionInfo } from './instruction-info';

describe('conformance', () => {
  it("agrees with iced's instruction information", function () {
    const result = runInstructionInfo();
    if (result.missing !== undefined) {
      console.log(`      skipped: ${result.missing}`);
      this.skip();
    }
    assert.deepEqual(result.failures, []);
    assert.ok([...result.groups.values()].every(({ passed }) => passed > 100));
  });
});
