import type { Invariant, Scene } from './invariant.js';

/** A server at work has passed a stop on by then. */
const HEARD_MS = 120_000;

interface Unheard {
  readonly id: string;
  readonly is_aborted: number;
}

/** The jobs of a run that is to end are told so, and those of an aborted run are not given any time. */
export class StopsAreHeard implements Invariant {
  /** Since when. */
  private unheard = new Map<string, number>();

  nowAndThen({ story, mirror, query, now, calmMs }: Scene): void {
    const rows = query<Unheard>(
      `SELECT j.id, r.termination_reason = 'aborted_by_user' AS is_aborted FROM jobs j JOIN runs r ON r.id = j.run_id
       WHERE r.status = 'terminating' AND j.finished_at IS NULL
         AND (j.status <> 'terminating' OR (r.termination_reason = 'aborted_by_user' AND j.stop_mode <> 'kill'))`,
    );
    const before = this.unheard;
    this.unheard = new Map(rows.map(({ id }) => [id, before.get(id) ?? now]));
    for (const { id, is_aborted: isAborted } of rows) {
      const forMs = now - (this.unheard.get(id) ?? now);
      if (Math.min(forMs, calmMs) < HEARD_MS) continue;
      const what = isAborted === 1 ? 'aborted' : 'stopped';
      story.violate(`the run of job ${mirror.nameOf(id) ?? id} was ${what}, and it was not told`);
    }
  }
}
