import { chmod, chown, rename } from 'node:fs/promises';
import type { Server } from 'node:net';

export interface SocketOwner {
  /** Numbers; null: who runs this program. */
  readonly user: number | null;
  readonly group: number | null;
}

/** Connections that nobody has taken yet; nginx fails a request for which there is no room. */
const BACKLOG = 4_096;

/**
 * Listens at a path that another server of this program may still have: from one moment to the next clients come here instead of there. The
 * other one never takes the path away again, as it knows its socket by another name.
 */
export async function listenAt(server: Server, path: string, owner: SocketOwner, turn: number): Promise<void> {
  const temporary = `${path}.${turn.toString(36)}`;
  await new Promise<void>((resolve, reject) => {
    const before = process.umask(0o177);
    server.once('error', reject);
    server.listen({ path: temporary, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
    // `listen` on a path binds before it returns.
    process.umask(before);
  });
  if (owner.user !== null || owner.group !== null) {
    await chown(temporary, owner.user ?? -1, owner.group ?? -1);
    await chmod(temporary, owner.group === null ? 0o600 : 0o660);
  }
  await rename(temporary, path);
}
