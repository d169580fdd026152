import { lstat } from 'node:fs/promises';
import * as net from 'node:net';
import { nameSocket } from './socket-path.js';

/** Connects to a socket another program made; refuses a link, which a job could have put there to make us speak to something else. */
export async function connectSocket(path: string): Promise<net.Socket> {
  if (!(await lstat(path)).isSocket()) throw new Error(`${path} is not a socket`);
  const name = nameSocket(path);
  try {
    return await new Promise<net.Socket>((resolve, reject) => {
      const socket = net.connect({ path: name.path });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(socket);
      });
    });
  } finally {
    name.release();
  }
}
