import { RECONCILED } from './change-log.js';
import type { Invariant } from './invariant.js';

/** A server at work lets no due row lie that long. */
const FORGOTTEN_MS = 120_000;

/** What is due is looked at, and what waits for an event does not wait on when it has happened. */
export const nothingIsForgotten: Invariant = {
  nowAndThen({ story, now, calmMs, query }) {
    if (calmMs < FORGOTTEN_MS) return;
    for (const table of RECONCILED) {
      const late = query<{ id: string }>(
        `SELECT id FROM ${table} WHERE next_due_at < ? AND COALESCE(lease_expires_at, 0) < ?`,
        now - FORGOTTEN_MS,
        now - FORGOTTEN_MS,
      );
      for (const { id } of late) story.violate(`${table} ${id} was due and nobody looked`);
    }
    // A safety look may come minutes later; it must not be needed.
    const runs = query<{ id: string }>(
      `SELECT id FROM runs r WHERE status IN ('provisioning', 'running', 'terminating')
         AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.run_id = r.id AND COALESCE(j.finished_at, 9e15) > ?)`,
      now - FORGOTTEN_MS,
    );
    for (const { id } of runs) story.violate(`run ${id} has not noticed that its jobs are over`);
    const idle = query<{ id: string }>(
      // Those that have idled for longer go first, as far as the fleet can spare them.
      `SELECT id FROM instances i WHERE status = 'idle' AND host_name IS NULL AND unreachable_since IS NULL AND idle_seconds >= 0
         AND idle_since + idle_seconds * 1000 < ? AND json_extract(agent_info, '$.connectedSince') < ? AND NOT EXISTS (
           SELECT 1 FROM fleets f WHERE f.id = i.fleet_id AND json_extract(f.spec, '$.configuration.nodes.min') >= (
             SELECT COUNT(*) FROM instances o WHERE o.fleet_id = f.id AND o.status NOT IN ('terminating', 'terminated') AND o.unwanted IS NULL
               AND NOT o.deleted AND NOT (o.status = 'idle' AND o.idle_seconds >= 0
                 AND (o.idle_since + o.idle_seconds * 1000, o.id) < (i.idle_since + i.idle_seconds * 1000, i.id))))`,
      now - FORGOTTEN_MS,
      // Kept while nobody reaches it; from then on it has its time.
      now - FORGOTTEN_MS,
    );
    for (const { id } of idle) story.violate(`instance ${id} is idle for longer than it may`);
    const jobs = query<{ id: string }>(
      `SELECT id FROM jobs WHERE status IN ('provisioning', 'pulling', 'running')
         AND json_extract(runtime_data, '$.agent.phase') = 'finished' AND json_extract(runtime_data, '$.agent.finishedAt') < ?`,
      now - FORGOTTEN_MS * 5,
    );
    for (const { id } of jobs) story.violate(`job ${id} has not noticed that its commands have ended`);
  },
};
