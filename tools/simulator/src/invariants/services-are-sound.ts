import type { Invariant, Scene } from './invariant.js';

interface Replica {
  readonly name: string;
  readonly status: string;
  readonly draining: number;
}

interface Service {
  readonly id: string;
  readonly name: string;
  readonly desired: number;
  readonly spec: string;
  readonly live: number;
}

/** Long enough for every wait between a change and its effects. */
const SETTLED_MS = 120_000;
const SURGE = 1;

/** Requests go to replicas that run and stay; there are as many replicas as the configuration allows, and one more during an update. */
export const servicesAreSound: Invariant = {
  afterChange({ changes, query, story }) {
    if (changes.jobs.length === 0) return;
    const wrong = query<Replica>(
      `SELECT j.id AS name, j.status, CASE WHEN j.draining_since IS NULL THEN 0 ELSE 1 END AS draining
       FROM jobs j WHERE j.registered = 1 AND (j.status <> 'running' OR j.draining_since IS NOT NULL)`,
    );
    for (const { name, status, draining } of wrong)
      story.violate(`replica ${name} gets requests, and is ${draining === 1 ? 'draining' : status}`);
  },

  nowAndThen(scene) {
    if (scene.calmMs < SETTLED_MS) return;
    for (const service of activeServices(scene)) {
      const { name, desired, live } = service;
      const [min, max] = boundsOf(service);
      if (desired < min || desired > max)
        scene.story.violate(`service ${name} shall have ${desired} replicas, and may have ${min} to ${max}`);
      if (live > desired + SURGE)
        scene.story.violate(`service ${name} has ${live} replicas, and shall have ${desired}`);
    }
  },
};

function activeServices({ query, now }: Scene): Service[] {
  return query<Service>(
    `SELECT r.id, r.name, r.desired_replica_count AS desired, r.run_spec AS spec,
       (SELECT COUNT(*) FROM jobs j WHERE j.run_id = r.id AND j.draining_since IS NULL
          AND j.status IN ('submitted', 'provisioning', 'pulling', 'running')) AS live
     FROM runs r WHERE r.status = 'running' AND r.service_spec IS NOT NULL AND r.replica_scale IS NOT NULL
       AND (r.next_due_at IS NULL OR r.next_due_at > ?)`,
    now,
  );
}

function boundsOf({ spec }: Service): [number, number] {
  const { configuration } = JSON.parse(spec) as { configuration: { replicas: { min: number; max: number } } }; // as users write them here
  return [configuration.replicas.min, configuration.replicas.max];
}
