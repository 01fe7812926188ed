/** An image whose symbols lie in part in a file that is shared with others, as `dwz -m` makes it: with that file, and without. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TestClient } from './client';
import { image } from './golden';

describe('symbols that are shared with other files', function () {
  this.timeout(60_000);
  let folder: string | undefined;
  let client: TestClient;

  before(function () {
    if (!existsSync(image) || spawnSync('dwz', ['--version'], { stdio: 'ignore' }).status !== 0) {
      console.log(`    SKIPPED: symbols that are shared: ${image} is not built, or this host has no dwz`);
      return this.skip();
    }
    folder = mkdtempSync(path.join(tmpdir(), 'shared-'));
    for (const name of ['whole', 'one', 'two']) copyFileSync(`${image}.dbg`, path.join(folder, name));
    execFileSync('dwz', ['-m', 'common.debug', 'one', 'two'], { cwd: folder });
    assert.ok(statSync(path.join(folder, 'common.debug')).size > 1000);
  });
  after(() => folder !== undefined && rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => void (client = new TestClient()));
  afterEach(() => client.close());

  /** Names and types of the frames and locals at a stop in main. */
  async function atMain(symbols: string, debugFolder = path.join(folder!, 'none')): Promise<readonly string[]> {
    await client.launch({ image, symbols, trace: [], debugFileDirectories: [debugFolder] });
    await client.ok('setFunctionBreakpoints', { breakpoints: [{ name: 'main' }] });
    await client.untilStopped('configurationDone', {});
    const frames = await client.stack();
    const { scopes } = await client.ok<{ scopes: { variablesReference: number; name: string }[] }>('scopes', { frameId: frames[0]!.id });
    const lines = frames.map(({ name, line, source }) => `${name} ${source?.path}:${line}`);
    for (const { name, variablesReference } of scopes.filter((each) => /Locals|Arguments/.test(each.name))) {
      const { variables } = await client.ok<{ variables: { name: string; type?: string; value: string }[] }>('variables', {
        variablesReference,
      });
      lines.push(...variables.map((each) => `${name}: ${each.type} ${each.name} = ${each.value}`));
    }
    return lines;
  }

  it('are as good as symbols in one file', async () => {
    const whole = await atMain(path.join(folder!, 'whole'));
    assert.ok(whole.length > 3);
    await client.close();
    client = new TestClient();
    assert.deepEqual(await atMain(path.join(folder!, 'one')), whole);
    assert.doesNotMatch(client.output('important'), /dwz/);
  });

  it('are found in folders of debug information, and told of where they are not', async () => {
    const apart = mkdtempSync(path.join(folder!, 'apart-'));
    copyFileSync(path.join(folder!, 'one'), path.join(apart, 'one'));
    await client.launch({ image, symbols: path.join(apart, 'one'), trace: [], debugFileDirectories: [`${apart}/debug`] });
    const said = client.output('important');
    assert.match(said, /common\.debug \(build ID [0-9a-f]{40}\); it was not found/);
    const place = /looked for: .*?(\/\S+\/debug\/\.build-id\/\S+\.debug)/.exec(said)?.[1];
    assert.ok(place !== undefined, said);
    execFileSync('install', ['-D', path.join(folder!, 'common.debug'), place]);
    assert.ok(readFileSync(place).length > 0);
    await client.close();
    client = new TestClient();
    const lines = await atMain(path.join(apart, 'one'), `${apart}/debug`);
    assert.doesNotMatch(client.output('important'), /dwz/);
    assert.ok(lines[0]!.startsWith('main '));
  });
});
