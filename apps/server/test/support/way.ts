import { type AddressInfo, connect, createServer, type Server } from 'node:net';

/** A way to a service on this machine that can be closed. */
export class Way {
  isOpen = true;

  private constructor(private readonly server: Server) {}

  static async to(target: string | number): Promise<Way> {
    const [host, port] = typeof target === 'number' ? ['127.0.0.1', target] : placeOf(new URL(target));
    const server = createServer();
    const way = new Way(server);
    server.on('connection', (near) => {
      const far = connect({ host, port });
      for (const end of [near, far]) end.on('error', () => undefined);
      if (!way.isOpen) near.destroy();
      near.on('data', () => {
        if (way.isOpen) return;
        // Nothing of it arrives.
        far.destroy();
        near.destroy();
      });
      near.once('close', () => far.destroy());
      far.once('close', () => near.destroy());
      near.pipe(far).pipe(near);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return way;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port; // it listens on TCP
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    this.isOpen = false;
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function placeOf({ hostname, port }: URL): [string, number] {
  return [hostname, Number(port)];
}
