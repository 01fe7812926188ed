/** A server of the GDB remote serial protocol over a channel of bytes: one machine, one client at a time. */
import { type Host } from '../control/runner';
import { type PcMachine } from '../machine/machine';
import { type SymbolFile } from '../symbols/api';
import { answerCommand, packetSize, Reply, splitAt } from './commands';
import { Debuggee } from './debuggee';
import { type StepRange, type Stop } from './execution';
import { asciiBytes, asciiText, frame, PacketReader, parseNumber, runLength, toHex } from './packet';
import { answerQuery } from './queries';
import { exitStatus } from '../machine/exit-status';
import { stopReply, stopText } from './stop-reply';
import { parseThread } from './threads';

export interface ServerOptions {
  /** Boots a machine: at the start, and again whenever the client restarts the guest. */
  readonly boot: () => PcMachine;
  readonly host: Host;
  readonly clock: 'real' | 'skip';
  /** The kernel's symbols, by which the guest's threads are found. */
  readonly symbols?: SymbolFile;
  /** The server is to end: the guest did, or the client asked for it. */
  readonly onEnd: (status: number) => void;
  /** A line for the person at the server. */
  readonly log: (line: string) => void;
}

/** The other end of a connection. */
export interface Peer {
  send(bytes: Uint8Array): void;
  close(): void;
}

export interface Connection {
  receive(bytes: Uint8Array): void;
  /** The channel broke or was closed by the peer. */
  closed(): void;
}

export class GdbServer {
  #debuggee: Debuggee;
  #client: Client | undefined;

  constructor(private readonly options: ServerOptions) {
    this.#debuggee = this.#boot();
  }

  get debuggee(): Debuggee {
    return this.#debuggee;
  }

  /** Lets the guest run with no client. */
  start(): void {
    this.#debuggee.execution.continue();
  }

  /** Takes a client; the guest is stopped for it. Undefined where there is one already. */
  connect(peer: Peer): Connection | undefined {
    if (this.#client !== undefined) return undefined;
    const client = new Client(this, peer);
    this.#client = client;
    this.#debuggee.execution.interrupt();
    return {
      receive: (bytes) => client.receive(bytes),
      closed: () => {
        if (this.#client === client) this.release(false);
      },
    };
  }

  /** Input came for the guest. */
  wake(): void {
    this.#debuggee.execution.wake();
  }

  /** Whether input may be given to the machine now; while it travels through its past, it would change that. */
  get takesInput(): boolean {
    return !this.#debuggee.execution.travelling && !this.#debuggee.machine.replaying;
  }

  reset(): void {
    this.#debuggee.execution.halt();
    this.#debuggee = this.#boot();
  }

  /** The client is gone, and its breakpoints with it. The guest runs on where `resume` is set; else it stays as it is. */
  release(resume: boolean): void {
    this.#client = undefined;
    this.#debuggee.points.clear();
    this.#debuggee.catchExceptions([]);
    const { execution } = this.#debuggee;
    if (execution.stop.kind === 'exited') this.end(exitStatus(execution.stop.exit));
    else if (execution.running) return;
    else if (resume) execution.continue();
    else this.options.log('The debugger is gone; the guest waits, stopped, for another.');
  }

  end(status: number): void {
    this.#debuggee.execution.halt();
    this.options.onEnd(status);
  }

  #boot(): Debuggee {
    const { boot, host, clock, symbols } = this.options;
    return new Debuggee(boot(), host, clock, (stop) => this.#stopped(stop), symbols);
  }

  #stopped(stop: Stop): void {
    const text = stopText(stop);
    if (text !== undefined) this.options.log(text);
    if (this.#client !== undefined) this.#client.stopped(stop);
    else if (stop.kind === 'exited') this.end(exitStatus(stop.exit));
    else this.options.log('The guest stands still; connect a debugger to look at it.');
  }
}

/** Packets that came while the guest ran and are kept until it stops: no client that keeps to the protocol sends any. */
const mostWaiting = 64;

/** One client's side of the conversation. */
class Client {
  readonly #reader = new PacketReader(packetSize);
  readonly #waiting: Uint8Array[] = [];
  #acknowledging = true;
  #extended = false;
  #lastSent = new Uint8Array(0);
  /** The client resumed the guest and waits for a stop reply. */
  #awaitsStop = false;
  #gone = false;

  constructor(
    private readonly server: GdbServer,
    private readonly peer: Peer,
  ) {}

  receive(bytes: Uint8Array): void {
    for (const event of this.#reader.push(bytes)) {
      if (this.#gone) return;
      switch (event.kind) {
        case 'ack':
          break;
        case 'nack':
          if (this.#acknowledging) this.peer.send(this.#lastSent);
          break;
        case 'interrupt':
          this.server.debuggee.execution.interrupt();
          break;
        case 'oversized':
          if (this.#acknowledging) this.peer.send(asciiBytes('+'));
          this.#send(Reply.malformed);
          break;
        case 'packet':
          if (this.#acknowledging) this.peer.send(asciiBytes(event.intact ? '+' : '-'));
          // Without acknowledgements the channel is trusted, and checksums are not looked at.
          if (!event.intact && this.#acknowledging) break;
          if (!this.server.debuggee.execution.running) this.#packet(event.data);
          else if (this.#waiting.length < mostWaiting) this.#waiting.push(event.data);
          break;
      }
    }
  }

  /** The guest stopped. */
  stopped(stop: Stop): void {
    if (this.#awaitsStop) {
      this.#awaitsStop = false;
      const text = stopText(stop);
      if (text !== undefined) this.#send(`O${toHex(new TextEncoder().encode(`${text}\n`))}`);
      this.#send(stopReply(this.server.debuggee, stop));
    }
    while (!this.#gone && !this.server.debuggee.execution.running) {
      const packet = this.#waiting.shift();
      if (packet === undefined) return;
      this.#packet(packet);
    }
  }

  #packet(packet: Uint8Array): void {
    const { server } = this;
    const text = asciiText(packet);
    switch (text[0]) {
      case '?':
        return this.#sendStop();
      case 'c':
      case 's':
        return this.#resumeAt(text[0], text.slice(1));
      case 'C':
      case 'S':
        // A guest has no signals: the number is taken and left.
        return this.#resumeAt(text[0] === 'C' ? 'c' : 's', splitAt(text.slice(1), ';')[1]);
      case 'b':
        return this.#back(text);
      case 'v':
        return this.#verbose(text);
      case 'q':
      case 'Q':
        if (text === 'QStartNoAckMode') {
          this.#send(Reply.ok);
          this.#acknowledging = false;
          return;
        }
        return this.#query(text);
      case '!':
        this.#extended = true;
        return this.#send(Reply.ok);
      case 'D':
        this.#send(Reply.ok);
        return this.#detach();
      case 'k':
        // In extended mode the connection outlives the guest, which can be run again.
        return this.#extended ? server.reset() : this.#kill();
      case 'R':
        if (this.#extended) server.reset();
        return;
      default:
        this.#send(answerCommand(server.debuggee, packet) ?? Reply.unsupported);
    }
  }

  #query(text: string): void {
    let ending = false;
    const { server } = this;
    const answer = answerQuery(
      {
        get debuggee() {
          return server.debuggee;
        },
        reset: () => server.reset(),
        end: () => (ending = true),
      },
      text,
    );
    this.#send(answer);
    if (ending) this.#kill();
  }

  #verbose(text: string): void {
    const { server } = this;
    if (text === 'vCont?') return this.#send('vCont;c;C;s;S;r');
    if (text.startsWith('vCont;')) return this.#vCont(text.slice(6));
    if (text.startsWith('vKill')) {
      this.#send(Reply.ok);
      return this.#extended ? server.reset() : this.#kill();
    }
    if (this.#extended && (text.startsWith('vRun') || text.startsWith('vAttach;'))) {
      if (text.startsWith('vRun')) server.reset();
      return this.#sendStop();
    }
    this.#send(Reply.unsupported);
  }

  /**
   * The first action for the running thread, for all of them or for no one by name is the processor's: it has nothing else to run, and threads that do not run
   * are the guest's to switch to. Where only such ones are named, the first action is done.
   */
  #vCont(text: string): void {
    const { threads } = this.server.debuggee;
    const { current } = threads;
    const parts = text.split(';').map((part) => {
      const [action, thread] = splitAt(part, ':');
      return { action, thread: thread === '' ? 'all' : parseThread(thread) };
    });
    const own = parts.find(({ thread }) => thread !== undefined && (typeof thread !== 'number' || thread === current));
    const chosen = own ?? parts.find(({ thread }) => typeof thread === 'number' && threads.has(thread));
    const action = chosen?.action ?? '';
    if (/^(c|C[0-9a-fA-F]{2})$/.test(action)) return this.#resume('c');
    if (/^(s|S[0-9a-fA-F]{2})$/.test(action)) return this.#resume('s');
    const range = /^r([0-9a-fA-F]+),([0-9a-fA-F]+)$/.exec(action);
    const low = parseNumber(range?.[1]);
    const high = parseNumber(range?.[2]);
    if (low !== undefined && high !== undefined) return this.#resume('s', { low, high });
    this.#send(Reply.malformed);
  }

  #resumeAt(action: 'c' | 's', address: string): void {
    if (address !== '') {
      const value = parseNumber(address);
      if (value === undefined || !this.server.debuggee.machine.edit({ kind: 'register', name: 'rip', value }))
        return this.#send(Reply.malformed);
    }
    this.#resume(action);
  }

  #resume(action: 'c' | 's', range?: StepRange): void {
    const { execution } = this.server.debuggee;
    if (execution.over) return this.#sendStop();
    this.#awaitsStop = true;
    this.server.debuggee.threads.forget();
    if (action === 'c') execution.continue();
    else execution.step(range);
  }

  #back(text: string): void {
    const { execution } = this.server.debuggee;
    if (text !== 'bs' && text !== 'bc') return this.#send(Reply.unsupported);
    this.#awaitsStop = true;
    this.server.debuggee.threads.forget();
    if (text === 'bs') execution.stepBack();
    else execution.continueBack();
  }

  #detach(): void {
    this.#leave();
    this.server.release(true);
  }

  #kill(): void {
    this.#leave();
    this.server.end(0);
  }

  #leave(): void {
    this.#gone = true;
    this.#waiting.length = 0;
    this.peer.close();
  }

  #sendStop(): void {
    const { debuggee } = this.server;
    this.#send(stopReply(debuggee, debuggee.execution.stop));
  }

  /** @param answer text, or binary data that is escaped already. */
  #send(answer: string | Uint8Array): void {
    const bytes = typeof answer === 'string' ? asciiBytes(runLength(answer)) : answer;
    this.#lastSent = new Uint8Array(frame(bytes));
    this.peer.send(this.#lastSent);
  }
}
