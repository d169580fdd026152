import * as http from 'node:http';
import * as net from 'node:net';
import type { Duplex } from 'node:stream';

/** Opens a byte stream to the agent: a channel of an SSH connection, or a local socket. */
export type Connect = () => Promise<Duplex>;

export function connectToSocket(path: string): Connect {
  return () =>
    new Promise((resolve, reject) => {
      const socket = net.connect({ path });
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(socket);
      });
      socket.once('error', reject);
    });
}

/** Node's HTTP client calls these on every socket; channels of an SSH connection have none of them. */
const SOCKET_METHODS = ['setKeepAlive', 'setNoDelay', 'setTimeout', 'ref', 'unref'] as const;

function completeSocket(stream: Duplex): Duplex {
  const target = stream as Duplex & Record<string, unknown>;
  for (const method of SOCKET_METHODS) {
    if (typeof target[method] !== 'function') target[method] = () => stream;
  }
  return stream;
}

export class ConnectorAgent extends http.Agent {
  constructor(
    private readonly connect: Connect,
    options: http.AgentOptions,
  ) {
    super(options);
  }

  override createConnection(
    _options: http.ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.connect().then(
      (stream) => callback?.(null, completeSocket(stream)),
      // Node's type wants a stream even beside an error.
      (error: unknown) => (callback as ((error: Error) => void) | undefined)?.(toError(error)),
    );
  }
}

function toError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
