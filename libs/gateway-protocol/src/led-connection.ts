import type { Duplex } from 'node:stream';

/**
 * A connection that a gateway wants to a replica to which the server leads. The server asks for it (`GET /v1/connections`, upgraded) before it is
 * wanted; the answer, once there is a request, names the replica in a header. The server says in one line whether it has a stream there, and what
 * follows is the replica's.
 */
export const LED_CONNECTIONS_PATH = '/v1/connections';
const REPLICA_HEADER = 'dstack-replica';
const ACCEPTED = 'ok';
const LONGEST_LINE = 1024;

export interface LedConnection {
  readonly replicaId: string;
  /** What is said to the replica, and what it says. */
  accept(): Duplex;
  /** @param why for a person */
  refuse(why: string): void;
}

/** At the server, with what its request became. */
export function takeLedConnection(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  stream: Duplex,
): LedConnection {
  const replicaId = headers[REPLICA_HEADER];
  if (typeof replicaId !== 'string') throw new Error('the gateway names no replica');
  return {
    replicaId,
    accept() {
      stream.write(`${ACCEPTED}\n`);
      return stream;
    },
    refuse(why) {
      const line = why.replace(/\s+/g, ' ').slice(0, LONGEST_LINE / 4);
      stream.on('error', () => undefined).end(`no ${line}\n`, () => stream.destroy());
    },
  };
}

/** At the gateway, which answers a request that has waited. @throws with what the server says when it does not lead there */
export async function useLedConnection(stream: Duplex, replicaId: string): Promise<Duplex> {
  stream.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n${REPLICA_HEADER}: ${replicaId}\r\n\r\n`,
  );
  const line = await readLine(stream);
  if (line === ACCEPTED) return stream;
  stream.destroy();
  throw new Error(line.replace(/^no /, ''));
}

/** The stream stands still after it. */
function readLine(stream: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const settle = (then: () => void): void => {
      stream.off('data', take).off('close', gone).off('error', gone);
      stream.pause();
      then();
    };
    const take = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf('\n');
      if (end < 0 && bytes.length <= LONGEST_LINE) return;
      settle(() => {
        const rest = bytes.subarray(end + 1);
        if (end >= 0 && rest.length > 0) stream.unshift(rest);
        resolve(bytes.toString('utf8', 0, end < 0 ? LONGEST_LINE : end));
      });
    };
    const gone = (): void => settle(() => reject(new Error('the server ended the connection')));
    stream.on('data', take).once('close', gone).once('error', gone).resume();
  });
}
