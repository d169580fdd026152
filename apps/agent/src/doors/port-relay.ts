import * as net from 'node:net';
import type { Duplex } from 'node:stream';
import { joinStreams } from '@dstack/agent-protocol';

/** A port of the loopback that leads to somewhere else. */
export class PortRelay {
  private constructor(
    private readonly server: net.Server,
    readonly port: number,
  ) {}

  /** @param wished where it was before; somebody else may have that by now. 0: anywhere */
  static async listen(open: () => Promise<Duplex>, wished = 0): Promise<PortRelay> {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      socket.on('error', () => socket.destroy());
      open().then(
        (stream) => {
          if (socket.destroyed) stream.destroy();
          else void joinStreams(socket, stream);
        },
        () => socket.destroy(),
      );
    });
    const at = (port: number): Promise<number> =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host: '127.0.0.1', port }, () => {
          server.off('error', reject);
          resolve((server.address() as net.AddressInfo).port);
        });
      });
    const port = await (wished === 0 ? at(0) : at(wished).catch(() => at(0)));
    // Who listens has other reasons to live.
    server.unref();
    return new PortRelay(server, port);
  }

  /** Nobody comes any more; who is there stays until one of both ends goes. */
  close(): void {
    this.server.close();
  }
}
