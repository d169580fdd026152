import { rmSync } from 'node:fs';
import * as net from 'node:net';

/** The real engine behind a socket of our own, that can go away and come back as an engine's does when it is restarted. */
export class BreakableEngine {
  private server: net.Server | undefined;
  private readonly open = new Set<net.Socket>();

  private constructor(readonly path: string) {}

  static async start(path: string): Promise<BreakableEngine> {
    const engine = new BreakableEngine(path);
    await engine.listen();
    return engine;
  }

  get connections(): number {
    return this.open.size;
  }

  async listen(): Promise<void> {
    rmSync(this.path, { force: true });
    const server = net.createServer((client) => {
      const engine = net.connect('/var/run/docker.sock');
      for (const [one, other] of [
        [client, engine],
        [engine, client],
      ] as const) {
        this.open.add(one);
        one.pipe(other);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this.open.delete(one);
          other.destroy();
        });
      }
    });
    this.server = server;
    await new Promise<void>((resolve) => server.listen(this.path, resolve));
  }

  async stop(): Promise<void> {
    const { server } = this;
    if (server === undefined) return;
    this.server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.open) socket.destroy();
    await closed;
  }
}
