import { statfs } from 'node:fs/promises';

const RESERVE_BYTES = 512 * 1024 * 1024;
const RESERVE_SHARE = 0.05;

export interface DiskRoom {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Logs are not taken while so little is left; they wait where the jobs are, until there is room again. */
export class DiskReserveError extends Error {
  override readonly name = 'DiskReserveError';
  constructor(dir: string, { freeBytes }: DiskRoom, reserveBytes: number) {
    super(
      `the disk of ${dir} has ${mib(freeBytes)} MiB left, and ${mib(reserveBytes)} MiB stay free for the database: free some space, delete runs, or set DSTACK_SERVER_LOG_QUOTA_PER_JOB_HOUR`,
    );
  }
}

/** What logs leave free: a job that prints without end must not take the disk from the database. */
export class DiskReserve {
  constructor(
    private readonly dir: string,
    private readonly roomOf: (dir: string) => Promise<DiskRoom> = roomOnDisk,
  ) {}

  /** @throws {DiskReserveError} */
  async require(bytes: number): Promise<void> {
    const shortage = await this.shortage(bytes);
    if (shortage !== null) throw shortage;
  }

  /** Null: there is room. */
  async shortage(bytes = 0): Promise<DiskReserveError | null> {
    const room = await this.roomOf(this.dir);
    const reserveBytes = Math.min(RESERVE_BYTES, room.totalBytes * RESERVE_SHARE);
    return room.freeBytes - bytes < reserveBytes ? new DiskReserveError(this.dir, room, reserveBytes) : null;
  }
}

async function roomOnDisk(dir: string): Promise<DiskRoom> {
  const { bavail, blocks, bsize } = await statfs(dir);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

const mib = (bytes: number): number => Math.floor(bytes / 1024 ** 2);
