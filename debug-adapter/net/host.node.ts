/** The host's sockets, on Node. */
import { createSocket } from 'node:dgram';
import { resolve4 } from 'node:dns';
import { connect, createServer, type Socket } from 'node:net';
import { type ConnectionEvents, type HostConnection, type HostNetwork } from './host';

function wire(socket: Socket, events: () => ConnectionEvents | undefined): HostConnection {
  socket.setNoDelay(true);
  socket.on('connect', () => events()?.connected());
  socket.on('data', (bytes) => events()?.data(new Uint8Array(bytes)));
  socket.on('end', () => events()?.ended());
  socket.on('drain', () => events()?.drained());
  // An error is followed by `close`, which tells the guest.
  socket.on('error', () => undefined);
  socket.on('close', () => events()?.closed());
  return {
    write: (bytes) => void socket.write(bytes),
    get backlog() {
      return socket.writableLength;
    },
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
  };
}

export function nodeNetwork(): HostNetwork {
  return {
    connect: (host, port, events) => wire(connect({ host, port, allowHalfOpen: true }), () => events),
    listen(address, port, accept, failed) {
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        let events: ConnectionEvents | undefined = undefined as ConnectionEvents | undefined;
        events = accept(wire(socket, () => events));
      });
      server.on('error', (error) => failed(`Port ${port} of ${address} cannot be listened at: ${error.message}.`));
      server.listen(port, address);
      return () => server.close();
    },
    datagrams(received) {
      const socket = createSocket('udp4');
      socket.on('message', (bytes, from) => received(new Uint8Array(bytes), from.address, from.port));
      socket.on('error', () => undefined);
      return { send: (bytes, address, port) => socket.send(bytes, port, address), close: () => void socket.close() };
    },
    resolve: (name) => new Promise((resolve) => resolve4(name, (error, addresses) => resolve(error === null ? addresses : []))),
    timer(milliseconds, callback) {
      const timer = setTimeout(callback, milliseconds);
      return () => clearTimeout(timer);
    },
  };
}
