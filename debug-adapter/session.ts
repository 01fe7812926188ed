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

  constructor(host: AdapterHost) {
    super();
    this.#adapter = new Adapter(host, (event, body) => this.sendEvent(new Event(event, body)));
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
      const body = await handler(this.#adapter, checkArguments(command, request.arguments));
      if (body !== undefined) response.body = body;
      this.sendResponse(response);
    } catch (error) {
      this.#fail(response, error);
    }
    if (last.includes(request.command)) this.shutdown();
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
