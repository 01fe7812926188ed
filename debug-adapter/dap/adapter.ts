/** What the request handlers share: the client's features, the running debugger, and the road for events. */
import { type DebugProtocol } from '@vscode/debugprotocol';
import { type DebuggerApi, type DebuggerEvent } from '../control/api';
import { connect, type Remote } from '../control/channel';
import { type ClientFeatures, clientFeatures } from './client-features';
import { protocolErrors } from './errors';
import { EventTranslator } from './events';
import { formatAddress } from './format';
import { type AdapterHost } from './host';
import { type LaunchArguments } from './launch-arguments';
import { LocationTable } from './locations';
import { Progress } from './progress';

/** Sends one event of the protocol. */
export type EventSink = (event: string, body: unknown) => void;

/** A machine that this session debugs: its own, or one that it borrows. */
interface Running {
  readonly remote: Remote<DebuggerApi>;
  readonly launch: LaunchArguments;
  readonly borrowed: boolean;
  /** Told of every event; the machine's own session, and who borrows it. */
  readonly listeners: Set<(event: DebuggerEvent) => void>;
  /** Rejects the calls that are still open. */
  fail(reason: Error): void;
  /** The worker ends, or the machine goes back to its owner. */
  end(): Promise<void>;
}

export class Adapter {
  client: ClientFeatures = clientFeatures({});
  /** A saved session that is to happen again, once the breakpoints are set. */
  session: Uint8Array | undefined;
  readonly locations = new LocationTable();
  readonly progress = new Progress(
    (event, body) => this.send(event, body),
    () => this.client.progress,
  );
  #running: Running | undefined;
  /** Counts what began or ended a run, so that a launch notices when it was overtaken. */
  #epoch = 0;

  constructor(
    readonly host: AdapterHost,
    readonly send: EventSink,
    /** A session in this process whose machine may be attached to. */
    readonly owner?: Adapter,
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
    const listeners = new Set([(event: DebuggerEvent) => events.translate(event)]);
    const { remote, fail } = connect<DebuggerApi, DebuggerEvent>(worker.channel, (event) => {
      // Events of a worker that is being ended may still be under way.
      if (this.#running?.remote === remote) for (const listener of listeners) listener(event);
    });
    started.fail = fail;
    this.#running = { remote, launch, borrowed: false, listeners, fail, end: () => worker.terminate() };
    return remote;
  }

  /** Debugs the machine of another session, which goes on when this one ends. False where that has none. */
  borrow(owner: Adapter): boolean {
    const lent = owner.#running;
    if (lent === undefined) return false;
    const events = new EventTranslator(this);
    const listener = (event: DebuggerEvent): void => events.translate(event);
    lent.listeners.add(listener);
    this.#running = {
      ...lent,
      borrowed: true,
      fail: () => undefined,
      end: () => {
        lent.listeners.delete(listener);
        return Promise.resolve();
      },
    };
    return true;
  }

  /** The machine is another session's. */
  get borrows(): boolean {
    return this.#running?.borrowed ?? false;
  }

  async stopWorker(): Promise<void> {
    this.#epoch++;
    await this.#endWorker();
  }

  async #endWorker(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    this.progress.endAll();
    this.locations.clear();
    this.#sources = undefined;
    running?.fail(protocolErrors.sessionEnded());
    await running?.end();
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

  /** What was shown of the guest's state is old, though it did not run. */
  stateChanged(memory?: { readonly address: bigint; readonly length: number }): void {
    if (this.client.invalidated) this.send('invalidated', { areas: ['variables', 'stacks'] });
    if (this.client.memoryEvents && memory !== undefined)
      this.send('memory', { memoryReference: formatAddress(memory.address), offset: 0, count: memory.length });
  }

  /** Sources of the image by name, to link log lines to; read once, when the first log line asks for them. */
  #sources: Map<string, string[]> | undefined;

  /** The path of a source that a log line of `library` names by its last part; undefined until the sources are known, or where it is not clear. */
  sourceOf(file: string, library: string): string | undefined {
    const running = this.#running;
    if (running === undefined) return undefined;
    if (this.#sources === undefined) {
      const sources = (this.#sources = new Map<string, string[]>());
      const add = (path: string): void => {
        const name = path.slice(path.lastIndexOf('/') + 1);
        sources.set(name, [...(sources.get(name) ?? []), path]);
      };
      running.remote.loadedSources().then(
        (list) => list.forEach(({ path }) => add(path)),
        () => undefined,
      );
      return undefined;
    }
    const paths = this.#sources.get(file) ?? [];
    if (paths.length < 2) return paths[0];
    const folder = library.replace(/^(lib|app)/, '');
    const inLibrary = paths.filter((path) => folder !== '' && path.split('/').some((part) => part === folder || part === library));
    return inLibrary.length === 1 ? inLibrary[0] : undefined;
  }

  /** The guest is on its way through the past, until it stops. A stop that came first has ended the journey already. */
  travels(): void {
    if (this.#stops !== this.#stopsSeen) {
      this.#stopsSeen = this.#stops;
      return;
    }
    const { debugger: remote } = this;
    this.#endTravel ??= this.progress.begin('Travelling through the recorded past', () => void remote.pause().catch(() => undefined));
  }

  /** The guest stands, or ended. */
  stopped(): void {
    this.#stops++;
    this.#endTravel?.();
    this.#endTravel = undefined;
  }

  /** The guest runs. */
  continued(): void {
    this.#stopsSeen = this.#stops;
    this.locations.clear();
  }

  #stops = 0;
  #stopsSeen = 0;
  #endTravel: (() => void) | undefined;
}
