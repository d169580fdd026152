import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import * as net from 'node:net';
import { dirname, resolve } from 'node:path';

/** Says what is wrong with a place a client wants a socket at. */
export class SocketPlaceError extends Error {
  override readonly name = 'SocketPlaceError';
}

/**
 * Listens on a unix socket for a client, in the one directory where that is allowed: we may be root, and elsewhere a client could
 * put a socket where the job itself may not. All of the container may connect. A socket somebody answers on is not replaced.
 */
export async function listenOnSocket(server: net.Server, path: string, allowedDir: string | undefined): Promise<void> {
  if (allowedDir === undefined || dirname(resolve(path)) !== resolve(allowedDir)) {
    throw new SocketPlaceError(`sockets for clients are made in ${allowedDir ?? 'no directory'} only`);
  }
  await mkdir(allowedDir, { recursive: true, mode: 0o755 });
  const old = await lstat(path).catch(() => undefined);
  if (old !== undefined) {
    if (!old.isSocket() || (await isAnswered(path))) throw new SocketPlaceError(`${path} is in use`);
    await rm(path);
  }
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(path, () => {
      server.off('error', fail);
      done();
    });
  });
  await chmod(path, 0o666);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = net.connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => {
      done(false);
    });
  });
}
