import type { World } from '../../world/world.js';
import type { Backlog, LogSegments } from './log-segments.js';

const MEASURED_FOR_MS = 2_000;

/** More waits to be shipped than may; the bytes stay where the jobs are until there is room again. */
export class LogBacklogError extends Error {
  override readonly name = 'LogBacklogError';
  constructor(sink: string, bytes: number, most: number) {
    super(
      `${bytes} bytes of logs wait for ${sink}, and ${most} may (DSTACK_SERVER_LOG_BUFFER_BYTES): logs wait on the hosts until it takes some`,
    );
  }
}

/** How much waits to be shipped, of all servers on this database; measured anew every other second at most. */
export class LogBacklog {
  private measured: Backlog = { bytes: 0, logs: 0 };
  private measuredAt = -Infinity;
  private measuring: Promise<void> | null = null;

  constructor(
    private readonly segments: Pick<LogSegments, 'backlog'>,
    private readonly sink: string,
    private readonly mostBytes: number,
    private readonly world: Pick<World, 'clock'>,
  ) {}

  /** @throws {LogBacklogError} when it is full */
  async require(bytes: number): Promise<void> {
    await this.now();
    if (this.measured.bytes >= this.mostBytes)
      throw new LogBacklogError(this.sink, this.measured.bytes, this.mostBytes);
    this.measured = { ...this.measured, bytes: this.measured.bytes + bytes };
  }

  async now(): Promise<Backlog> {
    if (this.world.clock.now() - this.measuredAt >= MEASURED_FOR_MS) await (this.measuring ??= this.measure());
    return this.measured;
  }

  private async measure(): Promise<void> {
    try {
      this.measured = await this.segments.backlog();
      this.measuredAt = this.world.clock.now();
    } finally {
      this.measuring = null;
    }
  }
}
