/** What the request handlers share: the client's ways of counting, the running debugger, and the road for events. */
import { type DebugProtocol } from '@vscode/debugprotocol';
import { type DebuggerApi, type DebuggerEvent } from '../control/api';
import { connect, type Remote } from '../control/channel';
import { protocolErrors } from './errors';
import { EventTranslator } from './events';
import { type AdapterHost, type WorkerHandle } from './host';
import { type LaunchArguments } from './launch-arguments';

/** How this client counts lines and columns and which paths it uses. */
export interface ClientConventions {
  readonly linesStartAt1: boolean;
  readonly columnsStartAt1: boolean;
}

/** Sends one event of the protocol. */
export type EventSink = (event: string, body: unknown) => void;

interface Running {
  readonly worker: WorkerHandle;
  readonly remote: Remote<DebuggerApi>;
  readonly launch: LaunchArguments;
  /** Rejects the calls that are still open. */
  fail(reason: Error): void;
}

export class Adapter {
  client: ClientConventions = { linesStartAt1: true, columnsStartAt1: true };
  /** A saved session that is to happen again, once the breakpoints are set. */
  session: Uint8Array | undefined;
  #running: Running | undefined;
  /** Counts what began or ended a run, so that a launch notices when it was overtaken. */
  #epoch = 0;

  constructor(
    readonly host: AdapterHost,
    readonly send: EventSink,
  ) {}

  /** The debugger of the launched image. */
  get debugger(): Remote<DebuggerApi> {
    if (this.#running === undefined) throw protocolErrors.notLaunched();
    return this.#running.remote;
  }

  get launched(): LaunchArguments | undefined {
    return this.#running?.launch;
  }

  /** Begins a launch; whatever is begun or ended later overtakes it. */
  beginLaunch(): { overtaken(): boolean } {
    const epoch = ++this.#epoch;
    return { overtaken: () => this.#epoch !== epoch };
  }

  /** Starts a worker for a launch; ends the one before. Rejects where the launch was overtaken. */
  async startWorker(launch: LaunchArguments, { overtaken }: { overtaken(): boolean }): Promise<Remote<DebuggerApi>> {
    if (overtaken()) throw protocolErrors.sessionEnded();
    await this.#endWorker();
    if (overtaken()) throw protocolErrors.sessionEnded();
    const started: { fail?: (reason: Error) => void } = {};
    const worker = this.host.startWorker((reason) => {
      started.fail?.(protocolErrors.workerFailed(reason));
      this.send('output', { category: 'important', output: `${protocolErrors.workerFailed(reason).message}\n` });
      this.send('terminated', {});
    });
    const events = new EventTranslator(this);
    const { remote, fail } = connect<DebuggerApi, DebuggerEvent>(worker.channel, (event) => {
      // Events of a worker that is being ended may still be under way.
      if (this.#running?.worker === worker) events.translate(event);
    });
    started.fail = fail;
    this.#running = { worker, remote, launch, fail };
    return remote;
  }

  async stopWorker(): Promise<void> {
    this.#epoch++;
    await this.#endWorker();
  }

  async #endWorker(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    running?.fail(protocolErrors.sessionEnded());
    await running?.worker.terminate();
  }

  // Lines and columns: the debugger counts from 1.
  lineToClient(line: number): number {
    return this.client.linesStartAt1 ? line : line - 1;
  }
  lineFromClient(line: number): number {
    return this.client.linesStartAt1 ? line : line + 1;
  }
  columnToClient(column: number): number {
    return this.client.columnsStartAt1 ? column : column - 1;
  }
  columnFromClient(column: number): number {
    return this.client.columnsStartAt1 ? column : column + 1;
  }

  source(path: string): DebugProtocol.Source {
    return { name: path.slice(path.lastIndexOf('/') + 1), path };
  }
}
