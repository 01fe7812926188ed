/** Before all tests: what the product keeps for later runs goes into a folder of this test run, not into that of whoever runs it. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'unikernel-tests-'));
process.env['XDG_CACHE_HOME'] = folder;
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
