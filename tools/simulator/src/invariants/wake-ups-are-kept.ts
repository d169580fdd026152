import type { Story } from '../story.js';
import type { ChangeLog } from './change-log.js';

interface StateRow {
  readonly id: string;
  readonly wake_seq: number;
  readonly lease_token: number;
}

/** How the server looks at a row before it decides about it (`reconcile/hold-still.ts`). */
const OBSERVATION = /^SELECT id, rev, wake_seq, lease_token FROM (\w+) /;

/** Who ends a lease has seen every wake-up of the row, or leaves the row due. */
export class WakeUpsAreKept {
  /** The wake-ups that were seen, by row and lease. */
  private readonly seen = new Map<string, number>();

  constructor(
    private readonly log: ChangeLog,
    private readonly story: Story,
  ) {}

  /** What a transaction has read that writes nothing. */
  afterRead(sql: string, rows: readonly unknown[]): void {
    const table = OBSERVATION.exec(sql)?.[1];
    if (table === undefined) return;
    for (const row of rows as readonly StateRow[]) this.seen.set(keyOf(table, row.id, row.lease_token), row.wake_seq);
  }

  beforeCommit(server: string, now: number): void {
    for (const { table, id, token, wakeSeq, dueAt } of this.log.takeEndedLeases()) {
      const seen = this.seen.get(keyOf(table, id, token));
      this.seen.delete(keyOf(table, id, token));
      if (seen !== undefined && seen < wakeSeq && (dueAt === null || dueAt > now))
        this.story.violate(`${server} puts ${table} ${id} to rest, which was woken while it decided`);
    }
  }
}

function keyOf(table: string, id: string, token: number): string {
  return `${table} ${id} ${token}`;
}
