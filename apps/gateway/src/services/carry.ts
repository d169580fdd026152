import type { Duplex } from 'node:stream';

export interface Carried {
  /** Of the answer; null: it gave none. */
  readonly status: number | null;
  /** The replica ended before it had said anything, and the client still waited. */
  readonly hasBrokenOff: boolean;
}

/**
 * Bytes both ways, each at the pace of the slower side, until one side ends. `onStatus` is called when the answer begins.
 * @param early what the client has said already
 */
export function carry(
  client: Duplex,
  early: Buffer,
  replica: Duplex,
  onStatus: (status: number) => void,
): Promise<Carried> {
  return new Promise((resolve) => {
    let status: number | null = null;
    let isClientGone = false;
    let isOver = false;
    const finish = (): void => {
      if (isOver) return;
      isOver = true;
      resolve({ status, hasBrokenOff: status === null && !isClientGone });
    };
    replica.once('data', (chunk: Buffer) => {
      status = readStatus(chunk);
      onStatus(status);
    });
    const clientGone = (): void => {
      if (isOver) return;
      isClientGone = true;
      client.destroy();
      replica.destroy();
      finish();
    };
    const replicaGone = (): void => {
      if (isOver) return;
      if (!client.destroyed && !client.writableEnded) client.destroy();
      replica.destroy();
      finish();
    };
    client.once('end', clientGone).once('close', clientGone).on('error', clientGone);
    replica.once('close', replicaGone).on('error', replicaGone);
    replica.once('end', () => {
      client.off('end', clientGone).off('close', clientGone);
      if (status === null) client.destroy();
      else client.end();
      replica.destroy();
      finish();
    });
    replica.pipe(client, { end: false });
    if (early.length > 0) replica.write(early);
    client.pipe(replica, { end: false });
    if (client.destroyed) clientGone();
    else if (replica.destroyed) replicaGone();
  });
}

/** 0 when it is none: nginx will say so. */
function readStatus(chunk: Buffer): number {
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(chunk.toString('latin1', 0, 16))?.[1] ?? 0);
}
