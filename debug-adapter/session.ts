/** One debug session: receives requests, finds their handlers, sends answers. Knows the protocol's envelope and nothing of the guest. */
import { DebugSession, ErrorDestination, Event } from '@vscode/debugadapter';
import { type DebugProtocol } from '@vscode/debugprotocol';
import { CodedError } from './control/channel';
import { Adapter } from './dap/adapter';
import { checkArguments } from './dap/arguments';
import { breakpointHandlers } from './dap/breakpoints';
import { codeHandlers } from './dap/code';
import { ProtocolError, protocolErrors } from './dap/errors';
import { executionHandlers } from './dap/execution';
import { guestHandlers } from './dap/guest';
import { type Command, type Handlers } from './dap/handler';
import { type AdapterHost } from './dap/host';
import { lifecycleHandlers } from './dap/lifecycle';
import { stateHandlers } from './dap/state';

/** Every request that is served. */
const handlers: Handlers = {
  ...lifecycleHandlers,
  ...breakpointHandlers,
  ...executionHandlers,
  ...stateHandlers,
  ...codeHandlers,
  ...guestHandlers,
};

/** Commands after whose answer the session is over. */
const last: readonly string[] = ['disconnect'];

export class UnikernelDebugSession extends DebugSession {
  readonly #adapter: Adapter;
  /** Requests under way, with what cancels each. */
  readonly #open = new Map<number, () => void>();

  /** `owner` has a machine that may be attached to. */
  constructor(host: AdapterHost, owner?: Adapter) {
    super();
    this.#adapter = new Adapter(host, (event, body) => this.sendEvent(new Event(event, body)), owner);
  }

  /** JSON that is no message at all is passed over: there is nobody to answer. */
  override handleMessage(message: DebugProtocol.ProtocolMessage): void {
    if (typeof message === 'object' && (message as unknown) !== null) super.handleMessage(message);
  }

  protected override dispatchRequest(request: DebugProtocol.Request): void {
    void this.#answer(request);
  }

  /** Ends the worker when the client goes away without a word. */
  override shutdown(): void {
    void this.#adapter.stopWorker().finally(() => super.shutdown());
  }

  async #answer(request: DebugProtocol.Request): Promise<void> {
    const response: DebugProtocol.Response = {
      seq: 0,
      type: 'response',
      request_seq: Number.isInteger(request.seq) ? request.seq : 0,
      command: String(request.command),
      success: true,
    };
    try {
      if (!Object.hasOwn(handlers, request.command)) throw protocolErrors.unknownRequest(request.command);
      // The table gives each command its own argument type; here only the command's name is known.
      const command = request.command as Command;
      const handler = handlers[command] as (adapter: Adapter, args: unknown) => Promise<unknown>;
      const args = checkArguments(command, request.arguments);
      if (command === 'cancel') this.#cancel(args as DebugProtocol.CancelArguments | undefined);
      const stop =
        command === 'setFunctionBreakpoints' ? () => void this.#adapter.debugger.cancelSearch().catch(() => undefined) : undefined;
      const body = await this.#cancellable(request.seq, handler(this.#adapter, args), stop);
      if (body !== undefined) response.body = body;
      this.sendResponse(response);
    } catch (error) {
      this.#fail(response, error);
    }
    if (last.includes(request.command)) this.shutdown();
  }

  /** A request's work, or its end by the client's word: what it would have answered is dropped then. */
  async #cancellable<T>(seq: number, work: Promise<T>, stop?: () => void): Promise<T> {
    const cancelled = new Promise<never>((_resolve, reject) =>
      this.#open.set(seq, () => {
        stop?.();
        reject(protocolErrors.cancelled());
      }),
    );
    try {
      return await Promise.race([work, cancelled]);
    } catch (error) {
      // Nobody waits for it any more.
      work.catch(() => undefined);
      throw error;
    } finally {
      this.#open.delete(seq);
    }
  }

  #cancel(args: DebugProtocol.CancelArguments | undefined): void {
    if (args?.progressId !== undefined) this.#adapter.progress.cancel(args.progressId);
    if (args?.requestId !== undefined) this.#open.get(args.requestId)?.();
  }

  #fail(response: DebugProtocol.Response, error: unknown): void {
    const failure =
      error instanceof ProtocolError
        ? error
        : error instanceof CodedError
          ? new ProtocolError(4000, error.message)
          : protocolErrors.internal(String(error));
    this.sendErrorResponse(
      response,
      { id: failure.id, format: failure.message.replaceAll('{', '{{').replaceAll('}', '}}'), showUser: failure.showUser },
      undefined,
      undefined,
      ErrorDestination.User,
    );
  }
}
