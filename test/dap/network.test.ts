/** A guest that serves HTTP, through the protocol: requests of this host reach it, also after it was stopped and taken back in time. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { TestClient } from './client';

const image = path.join(process.env['UNIKERNEL_SUITES'] ?? '', 'images', 'c-http');
const example = path.resolve(__dirname, '../../dist/examples/hello/hello_qemu-x86_64');

/** A port that nobody listens at. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('the network through the protocol', function () {
  this.timeout(120_000);
  let client: TestClient;
  beforeEach(() => (client = new TestClient()));
  afterEach(() => client.close());

  it('says what is wrong with a description', async function () {
    if (!existsSync(example)) {
      console.log('    skipped: the example is not built: npm run build');
      this.skip();
    }
    await client.ok('initialize', { adapterID: 'unikernel' });
    assert.match(await client.fails('launch', { image: example, net: 'bridge' }), /user\[,hostfwd=/);
    assert.match(await client.fails('launch', { image: example, net: 'user,hostfwd=tcp:80' }), /hostfwd takes/);
  });

  it('forwards a port to the guest, before and after a journey into the past', async function () {
    if (process.env['UNIKERNEL_SUITES'] === undefined || !existsSync(image)) {
      console.log('    skipped: UNIKERNEL_SUITES names no folder with images/c-http');
      this.skip();
    }
    const port = await freePort();
    await client.launch({
      image,
      net: `user,hostfwd=tcp:127.0.0.1:${port}-:8080`,
      cmdline: 'netdev.ip=10.0.2.15/24:10.0.2.2::: -- ',
      clock: 'real',
      trace: ['syscalls'],
    });
    await client.ok('configurationDone');
    while (!client.output('stdout').includes('Listening on port 8080')) await new Promise((resolve) => setTimeout(resolve, 20));
    const get = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/`)).text();
    const first = await get();
    assert.match(first, /Hello/i);
    const { threadId } = await client.untilStopped('pause', { threadId: 1 });
    await client.untilStopped('stepBack', { threadId, granularity: 'instruction' });
    await client.ok('continue', { threadId });
    assert.equal(await get(), first);
  });
});
