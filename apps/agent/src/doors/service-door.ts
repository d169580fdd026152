import * as net from 'node:net';
import type { Duplex } from 'node:stream';
import { type JobStart, joinStreams } from '@dstack/agent-protocol';
import type { HostDoors } from './host-doors.js';

/** Another than that of the people who enter the job: each is closed by itself. */
const DOOR_SUFFIX = '/service';

/**
 * The way of a gateway's key through the host to the one port of a job at which its service listens. Without it the job runs all the same: what
 * fails is told, never thrown.
 */
export class ServiceDoor {
  private readonly jobId: string;
  private readonly wanted: JobStart['gatewayDoor'];
  private readonly isDirect: boolean;
  private relay: net.Server | undefined;
  private openAt: number | undefined;

  constructor(
    private readonly doors: Pick<HostDoors, 'open' | 'close' | 'problems'>,
    job: JobStart,
    private readonly openPort: (port: number) => Promise<Duplex>,
  ) {
    this.jobId = job.id;
    this.wanted = job.gatewayDoor;
    // Its ports are the host's.
    this.isDirect = job.runtime === 'process' || job.container?.network === 'host';
  }

  async problems(): Promise<readonly string[]> {
    return this.wanted === undefined ? [] : this.doors.problems(this.wanted.authorizedKeys);
  }

  /** Gives the port of the host's loopback where the service is reached; undefined: nobody asked, or it cannot be. `known`: where it was before. */
  async open(known: number | undefined): Promise<number | undefined> {
    const { wanted } = this;
    if (wanted === undefined || this.openAt !== undefined) return this.openAt;
    try {
      const port = this.isDirect ? wanted.port : await this.listen(wanted.port, known ?? 0);
      this.openAt = port;
      await this.doors.open(this.jobId + DOOR_SUFFIX, { keys: wanted.authorizedKeys, port });
      return port;
    } catch (error) {
      this.complain(error);
      // So that it is tried again when the job is next heard of.
      await this.close();
      return undefined;
    }
  }

  async close(): Promise<void> {
    this.stopListening();
    if (this.openAt === undefined) return;
    this.openAt = undefined;
    await this.doors.close(this.jobId + DOOR_SUFFIX).catch((error: unknown) => this.complain(error));
  }

  private async listen(to: number, wished: number): Promise<number> {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      socket.on('error', () => socket.destroy());
      this.openPort(to).then(
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
    // Somebody else may have it by now.
    const port = await (wished === 0 ? at(0) : at(wished).catch(() => at(0)));
    this.relay = server;
    // Jobs outlive the agent; their doors do not keep it.
    server.unref();
    return port;
  }

  private stopListening(): void {
    this.relay?.close();
    this.relay = undefined;
  }

  private complain(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`job ${this.jobId}: the way of its gateway through the host: ${message}\n`);
  }
}
