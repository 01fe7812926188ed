/** What the user-mode network needs of the host it runs on. A browser has none of it: the guest then talks to the built-in services only. */

/** One end of a TCP connection on the host. */
export interface HostConnection {
  write(bytes: Uint8Array): void;
  /** Bytes accepted but not sent yet. */
  readonly backlog: number;
  /** No more will be written. */
  end(): void;
  destroy(): void;
  /** Stops and starts the delivery of data. */
  pause(): void;
  resume(): void;
}

export interface ConnectionEvents {
  connected(): void;
  data(bytes: Uint8Array): void;
  /** The other side sends no more. */
  ended(): void;
  /** Something written was sent on. */
  drained(): void;
  closed(): void;
}

export interface HostNetwork {
  /** Opens a connection; events follow. */
  connect(address: string, port: number, events: ConnectionEvents): HostConnection;
  /** Listens for connections, and calls `accept` for each; answers a function that stops. */
  listen(
    address: string,
    port: number,
    accept: (connection: HostConnection) => ConnectionEvents,
    failed: (message: string) => void,
  ): () => void;
  /** A UDP socket; `received` gets what comes to it. */
  datagrams(received: (bytes: Uint8Array, address: string, port: number) => void): {
    send(bytes: Uint8Array, address: string, port: number): void;
    close(): void;
  };
  /** IPv4 addresses of a name, empty where there are none. */
  resolve(name: string): Promise<readonly string[]>;
  /** Calls back after so many milliseconds; answers a function that cancels. */
  timer(milliseconds: number, callback: () => void): () => void;
}
