import type { Invariant } from './invariant.js';

/** What we put on a host of somebody's own is gone from it at the end, or somebody is told. */
export const hostsAreLeftClean: Invariant = {
  atTheEnd({ story, inhabitedHosts, query }) {
    for (const host of inhabitedHosts()) {
      const [last] = query<{ termination_message: string | null }>(
        `SELECT termination_message FROM instances WHERE host_name = ? AND json_extract(progress, '$.reached')
         ORDER BY finished_at DESC LIMIT 1`,
        host,
      );
      if (last?.termination_message?.includes('could not be removed') !== true)
        story.violate(`host ${host} was let go with its agent, and nothing says so`);
    }
  },
};
