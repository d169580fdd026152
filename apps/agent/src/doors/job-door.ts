import type { JobStart } from '@dstack/agent-protocol';
import type { HostDoors } from './host-doors.js';

/** The way of one job's keys through the host. Without it the job runs all the same: what fails is told, never thrown. */
export class JobDoor {
  private readonly jobId: string;
  private readonly keys: readonly string[] | undefined;
  private openAt: number | undefined;

  constructor(
    private readonly doors: HostDoors,
    job: JobStart,
  ) {
    this.jobId = job.id;
    this.keys = job.ssh.viaHost?.authorizedKeys;
  }

  async problems(): Promise<readonly string[]> {
    return this.keys === undefined ? [] : this.doors.problems(this.keys);
  }

  async open(port: number): Promise<void> {
    const { keys } = this;
    if (keys === undefined || this.openAt === port) return;
    this.openAt = port;
    await this.quietly(this.doors.open(this.jobId, { keys, port }));
  }

  async close(): Promise<void> {
    if (this.keys === undefined) return;
    this.openAt = undefined;
    await this.quietly(this.doors.close(this.jobId));
  }

  private async quietly(work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      process.stderr.write(`job ${this.jobId}: its keys on the host: ${message}\n`);
    });
  }
}
