import * as net from 'node:net';

/** To a port of this machine, on either loopback; by address, as an image need not know the name `localhost`. */
export async function connectLocally(port: number): Promise<net.Socket> {
  return connect('127.0.0.1', port).catch((error: unknown) =>
    connect('::1', port).catch(() => {
      throw error;
    }),
  );
}

export function connect(host: string, port: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port, noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
