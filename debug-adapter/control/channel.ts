/** A two-way message channel and typed calls over it: how the protocol side and the machine's worker talk, in Node and in browsers alike. */

/** One end of a channel. Messages are structured-cloned. */
export interface Channel {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  onMessage(listener: (message: unknown) => void): void;
  close(): void;
}

type Method = (...args: never[]) => unknown;

/** What the far side sees of an object: each method answers with a promise. */
export type Remote<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
};

type Message =
  | { readonly kind: 'call'; readonly id: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly name: string; readonly message: string; readonly code?: string }
  | { readonly kind: 'event'; readonly event: unknown };

/** An error with a code for people and tests; crosses the channel with both. */
export class CodedError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'CodedError';
  }
}

/** Answers calls on `channel` with the methods of `api`; returns the function that sends events. */
export function serve<Event>(channel: Channel, api: object): (event: Event) => void {
  const methods = api as Readonly<Record<string, Method | undefined>>;
  const answer = async (call: Extract<Message, { kind: 'call' }>): Promise<void> => {
    try {
      const method = methods[call.method];
      if (typeof method !== 'function') throw new Error(`no method ${call.method}`);
      const value: unknown = await Reflect.apply(method, api, call.args);
      // Throws where the value cannot be cloned, which is an answer, too.
      channel.post({ kind: 'result', id: call.id, value } satisfies Message);
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      const base = { kind: 'error', id: call.id, name: failure.name, message: failure.message } as const;
      channel.post((failure instanceof CodedError ? { ...base, code: failure.code } : base) satisfies Message);
    }
  };
  channel.onMessage((message) => {
    const call = message as Message;
    if (call.kind === 'call') void answer(call);
  });
  return (event) => channel.post({ kind: 'event', event } satisfies Message);
}

/** Calls the object served at the channel's other end. Calls that are open when the channel closes are rejected by `fail`. */
export function connect<T extends object, Event>(
  channel: Channel,
  onEvent: (event: Event) => void,
): { readonly remote: Remote<T>; fail(reason: Error): void } {
  let nextId = 1;
  let failed: Error | undefined;
  const open = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  channel.onMessage((raw) => {
    const message = raw as Message;
    if (message.kind === 'event') return onEvent(message.event as Event);
    if (message.kind === 'call') return;
    const call = open.get(message.id);
    open.delete(message.id);
    if (message.kind === 'result') call?.resolve(message.value);
    else call?.reject(message.code === undefined ? new Error(message.message) : new CodedError(message.code, message.message));
  });
  const remote = new Proxy(
    {},
    {
      get: (_target, method) =>
        // A promise-like would be awaited when returned from an async function.
        typeof method !== 'string' || method === 'then'
          ? undefined
          : (...args: unknown[]) =>
              new Promise((resolve, reject) => {
                if (failed !== undefined) return reject(failed);
                const id = nextId++;
                open.set(id, { resolve, reject });
                channel.post({ kind: 'call', id, method, args } satisfies Message);
              }),
    },
  ) as unknown as Remote<T>;
  const fail = (reason: Error): void => {
    failed = reason;
    for (const { reject } of open.values()) reject(reason);
    open.clear();
  };
  return { remote, fail };
}
