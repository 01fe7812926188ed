/** Calls and events over a channel. */
import assert from 'node:assert/strict';
import { type Channel, CodedError, connect, serve } from '../../../debug-adapter/control/channel';

/** Two ends in one process; messages are cloned and delivered later, as between threads. */
function pair(): [Channel, Channel] {
  const listeners: ((message: unknown) => void)[][] = [[], []];
  const end = (own: number): Channel => ({
    post: (message) => {
      const copy = structuredClone(message);
      setImmediate(() => listeners[1 - own]!.forEach((listener) => listener(copy)));
    },
    onMessage: (listener) => void listeners[own]!.push(listener),
    close: () => undefined,
  });
  return [end(0), end(1)];
}

interface Api {
  add(a: number, b: number): number;
  later(text: string): Promise<string>;
  fail(): void;
  failPlain(): void;
  echo(value: bigint): bigint;
  method(): unknown;
}

describe('a channel', () => {
  const events: unknown[] = [];
  const [near, far] = pair();
  const emit = serve<string>(far, {
    add: (a: number, b: number) => a + b,
    later: (text: string) => Promise.resolve(text),
    fail: () => {
      throw new CodedError('code-7', 'it failed');
    },
    failPlain: () => {
      throw new TypeError('oh');
    },
    echo: (value: bigint) => value,
    method: () => () => undefined,
  });
  const { remote, fail } = connect<Api, string>(near, (event) => events.push(event));

  it('returns results, of promises too, and bigints whole', async () => {
    assert.equal(await remote.add(2, 3), 5);
    assert.equal(await remote.later('x'), 'x');
    assert.equal(await remote.echo(0xffff_ffff_ffff_ffffn), 0xffff_ffff_ffff_ffffn);
  });
  it('carries errors with their codes', async () => {
    await assert.rejects(
      remote.fail(),
      (error: unknown) => error instanceof CodedError && error.code === 'code-7' && error.message === 'it failed',
    );
    await assert.rejects(remote.failPlain(), { message: 'oh' });
  });
  it('rejects a call of what is not there', async () => {
    await assert.rejects((remote as unknown as { nothing(): Promise<void> }).nothing(), /no method nothing/);
  });
  it('rejects a call whose result cannot be carried', async () => {
    await assert.rejects(remote.method(), /could not be cloned/);
  });
  it('carries events', async () => {
    emit('hello');
    await remote.add(0, 0);
    assert.deepEqual(events, ['hello']);
  });
  it('rejects open and later calls once it failed', async () => {
    const open = remote.later('never');
    fail(new Error('the worker died'));
    await assert.rejects(open, /the worker died/);
    await assert.rejects(remote.add(1, 1), /the worker died/);
  });
});
