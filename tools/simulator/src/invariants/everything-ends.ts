import type { Invariant } from './invariant.js';
import type { Mirror } from './mirror.js';

const FINAL = {
  runs: new Set(['terminated', 'failed', 'done']),
  jobs: new Set(['terminated', 'aborted', 'failed', 'done']),
  instances: new Set(['terminated']),
  fleets: new Set(['active', 'terminated']),
} as const;

/** At the end every run, job and instance is final, and no fleet is on its way out. */
export const everythingEnds: Invariant = {
  atTheEnd({ story, mirror }) {
    for (const kind of ['runs', 'jobs', 'instances', 'fleets'] as const) {
      for (const { name, status } of mirror[kind].values())
        if (!FINAL[kind].has(status)) story.violate(`${kind} ${name}: stuck in ${status}`);
    }
  },
};

export function isEverythingFinal(mirror: Mirror): boolean {
  const all = (kind: keyof typeof FINAL): boolean =>
    [...mirror[kind].values()].every(({ status }) => FINAL[kind].has(status));
  return all('runs') && all('jobs') && all('instances') && all('fleets');
}
