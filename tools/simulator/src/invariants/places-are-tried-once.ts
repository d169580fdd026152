import type { Invariant } from './invariant.js';

/** Where a machine failed to start, no other is made for the same job. */
export const placesAreTriedOnce: Invariant = {
  atTheEnd({ story, query }) {
    const again = query<{ name: string; region: string }>(
      `SELECT i.name, later.region FROM provisioning_attempts first
         JOIN instances f ON f.id = first.instance_id
         JOIN instances i ON i.provisioning_job_id = f.provisioning_job_id AND i.id <> f.id
         JOIN provisioning_attempts later ON later.instance_id = i.id AND later.created_at > first.created_at
       WHERE first.failure_kind = 'failed-start' AND later.backend_type = first.backend_type AND later.region = first.region
         AND json_extract(later.offer, '$.instance.name') = json_extract(first.offer, '$.instance.name')
         AND json_extract(later.offer, '$.instance.resources.spot') = json_extract(first.offer, '$.instance.resources.spot')`,
    );
    for (const { name, region } of again)
      story.violate(`instance ${name} is tried in ${region}, where one for the same job failed to start`);
  },
};
