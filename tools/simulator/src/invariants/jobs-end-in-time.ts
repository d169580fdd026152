import type { Invariant } from './invariant.js';

/** More than the longest outage, the way of a late call, a grace period and half an hour for a log that finds no room take together. */
const END_MS = 50 * 60_000;

/** What is on its way to its end gets there: whoever waits for the same again and again waits for ever in the end. */
export const jobsEndInTime: Invariant = {
  nowAndThen({ story, mirror, query, now }) {
    const late = query<{ id: string }>(
      `SELECT id FROM jobs WHERE status = 'terminating' AND status_changed_at < ?`,
      now - END_MS,
    );
    for (const { id } of late) story.violate(`job ${mirror.nameOf(id) ?? id} has been ending for 50 minutes`);
  },
};
