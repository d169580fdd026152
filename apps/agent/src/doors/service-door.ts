import type { Duplex } from 'node:stream';
import type { JobStart } from '@dstack/agent-protocol';
import { hasPortsOfHost } from './has-ports-of-host.js';
import type { HostDoors } from './host-doors.js';
import { PortRelay } from './port-relay.js';

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
  private relay: PortRelay | undefined;
  private openAt: number | undefined;

  constructor(
    private readonly doors: Pick<HostDoors, 'open' | 'close' | 'problems'>,
    job: JobStart,
    private readonly openPort: (port: number) => Promise<Duplex>,
  ) {
    this.jobId = job.id;
    this.wanted = job.gatewayDoor;
    this.isDirect = hasPortsOfHost(job);
  }

  async problems(): Promise<readonly string[]> {
    return this.wanted === undefined ? [] : this.doors.problems(this.wanted.authorizedKeys);
  }

  /**
   * Gives the port of the host's loopback where the service is reached; undefined: nobody asked, or it cannot be.
   * @param known where it was before, or where the job side leads from; a job side of before that does not tell has the service's own port opened
   */
  async open(known: number | undefined): Promise<number | undefined> {
    const { wanted } = this;
    if (wanted === undefined || this.openAt !== undefined) return this.openAt;
    try {
      const port = this.isDirect ? (known ?? wanted.port) : await this.listen(wanted.port, known);
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

  private async listen(to: number, wished: number | undefined): Promise<number> {
    this.relay = await PortRelay.listen(() => this.openPort(to), wished);
    return this.relay.port;
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
