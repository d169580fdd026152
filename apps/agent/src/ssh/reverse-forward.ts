import * as net from 'node:net';
import type { Connection, ServerCallback, ServerChannel } from 'ssh2';
import { joinStreams } from './join-streams.js';
import type { SessionPlace } from './options.js';
import { listenOnSocket } from './reverse-socket.js';
import { foreignIdentity } from './start-child.js';

type Accept = ((chosenPort?: number) => void) | undefined;
type Reject = (() => void) | undefined;

export interface ReverseForwardOptions {
  readonly place: () => SessionPlace | undefined;
  readonly socketDir: string | undefined;
  readonly log: (line: string) => void;
}

/** `-R`: listens for the client, on loopback (whatever address it asks for) or on a unix socket in the one allowed directory. */
export function reverseForward(client: Connection, options: ReverseForwardOptions): void {
  const listeners = new Map<string, net.Server>();
  const sockets = new Set<net.Socket>();

  const onRequest = (accept: Accept, reject: Reject, name: string, info: unknown): void => {
    const bound = isRecord(info) ? info : {};
    const { bindAddr, bindPort, socketPath } = bound;
    if (typeof socketPath === 'string') {
      if (name === 'streamlocal-forward@openssh.com') openSocket(socketPath, accept, reject);
      else close(socketPath, accept, reject);
    } else if (typeof bindAddr === 'string' && typeof bindPort === 'number') {
      if (name === 'tcpip-forward') openPort(bindAddr, bindPort, accept, reject);
      else close(`${bindAddr} ${bindPort}`, accept, reject);
    } else reject?.();
  };
  client.on('request', onRequest);
  client.once('close', () => {
    for (const listener of listeners.values()) listener.close();
    for (const socket of sockets) socket.destroy();
  });

  function openPort(address: string, wanted: number, accept: Accept, reject: Reject): void {
    const place = options.place();
    const privileged = wanted > 0 && wanted < 1024;
    if (privileged && (place === undefined || foreignIdentity(place) !== undefined)) {
      reject?.();
      return;
    }
    const server = net.createServer({ allowHalfOpen: true, noDelay: true });
    server.once('error', () => reject?.());
    server.listen({ host: address === '::1' ? '::1' : '127.0.0.1', port: wanted }, () => {
      const bound = server.address();
      const port = typeof bound === 'object' && bound !== null ? bound.port : wanted;
      hold(`${address} ${port}`, server, (socket, joined) => {
        client.forwardOut(address, port, socket.remoteAddress ?? '127.0.0.1', socket.remotePort ?? 0, joined);
      });
      accept?.(port);
    });
  }

  function openSocket(path: string, accept: Accept, reject: Reject): void {
    const server = net.createServer({ allowHalfOpen: true });
    listenOnSocket(server, path, options.socketDir).then(
      () => {
        hold(path, server, (_socket, joined) => {
          client.openssh_forwardOutStreamLocal(path, joined);
        });
        accept?.();
      },
      (error: unknown) => {
        options.log(`ssh: no reverse socket: ${error instanceof Error ? error.message : String(error)}`);
        reject?.();
      },
    );
  }

  function hold(
    key: string,
    server: net.Server,
    openChannel: (socket: net.Socket, joined: ServerCallback) => void,
  ): void {
    listeners.set(key, server);
    server.on('error', () => undefined);
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      socket.on('error', () => undefined);
      openChannel(socket, (error: Error | undefined, channel: ServerChannel) => {
        if (error === undefined) joinStreams(channel, socket);
        else socket.destroy();
      });
    });
  }

  function close(key: string, accept: Accept, reject: Reject): void {
    const listener = listeners.get(key);
    listeners.delete(key);
    listener?.close();
    (listener === undefined ? reject : accept)?.();
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
