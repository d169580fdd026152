import { type AddressInfo, createServer, type Server, Socket } from 'node:net';

/** A way to a TCP port of this machine that can be broken: connections hang, as when packets are lost, and new ones too. */
export class BreakableWay {
  private readonly sockets = new Set<Socket>();
  private isBroken = false;

  private constructor(private readonly server: Server) {}

  get port(): number {
    // It listens on TCP.
    return (this.server.address() as AddressInfo).port;
  }

  static async to(target: number): Promise<BreakableWay> {
    const server = createServer({ pauseOnConnect: true });
    const way = new BreakableWay(server);
    server.on('connection', (near) => {
      way.lead(near, target);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return way;
  }

  break(): void {
    this.isBroken = true;
    for (const socket of this.sockets) socket.pause();
  }

  /** What hung is cut: the ends find out now. */
  mend(): void {
    this.isBroken = false;
    for (const socket of this.sockets) socket.destroy();
  }

  close(): void {
    this.mend();
    this.server.close();
  }

  private lead(near: Socket, target: number): void {
    this.keep(near);
    if (this.isBroken) return;
    const far = new Socket();
    this.keep(far);
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
    far.connect(target, '127.0.0.1', () => {
      near.on('data', (data) => far.write(data));
      far.on('data', (data) => near.write(data));
      if (!this.isBroken) near.resume();
    });
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    // The ends reconnect by themselves.
    socket.on('error', () => undefined);
  }
}
