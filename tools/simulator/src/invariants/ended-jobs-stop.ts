import type { Invariant, Scene } from './invariant.js';

const FINAL: ReadonlySet<string> = new Set(['terminated', 'aborted', 'failed', 'done']);
/** An agent may be out of reach for more than three minutes. */
const GRACE_MS = 600_000;

/** What is over for the server does not go on running on a host. */
export class EndedJobsStop implements Invariant {
  private readonly since = new Map<string, number>();

  nowAndThen({ story, mirror, unfinishedOnHosts, now }: Scene): void {
    const running = new Set(unfinishedOnHosts());
    for (const id of this.since.keys()) if (!running.has(id)) this.since.delete(id);
    for (const id of running) {
      if (!FINAL.has(mirror.jobs.get(id)?.status ?? '')) continue;
      const since = this.since.get(id) ?? now;
      this.since.set(id, since);
      if (now - since > GRACE_MS) story.violate(`job ${id} has ended, and still runs ten minutes later`);
    }
  }
}
