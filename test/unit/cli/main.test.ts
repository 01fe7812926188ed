/** The `unikernel` command as it is installed: the built file, run by itself. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { version } from '../../../package.json';

const cli = path.join(__dirname, '../../../dist/cli.js');

function unikernel(...argv: string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(cli, argv, { encoding: 'utf8', timeout: 30_000 });
  return { status, out: stdout, err: stderr };
}

describe('unikernel', () => {
  before(function () {
    if (existsSync(cli) && process.platform !== 'win32') return;
    console.log('      skipped: there is no dist/cli.js that could be run; npm run build makes it');
    this.skip();
  });

  it('tells its version', () => {
    for (const argument of ['--version', '-V', 'version'])
      assert.deepEqual(unikernel(argument), { status: 0, out: `unikernel ${version}\n`, err: '' });
  });

  it('shows its commands where it is asked, or does not know one', () => {
    const { status, out } = unikernel('--help');
    assert.equal(status, 0);
    assert.match(out, /^ {2}run IMAGE /m);
    const unknown = unikernel('boot');
    assert.equal(unknown.status, 2);
    assert.match(unknown.err, /^unikernel: unknown command boot\.\nUsage: unikernel COMMAND/);
    assert.equal(unikernel().status, 2);
  });
});
