import type { Invariant } from './invariant.js';
import type { Mirror } from './mirror.js';

const FINAL = {
  runs: new Set(['terminated', 'failed', 'done']),
  jobs: new Set(['terminated', 'aborted', 'failed', 'done']),
  instances: new Set(['terminated']),
  fleets: new Set(['active', 'terminated']),
  gateways: new Set(['deleted']),
  gatewayReplicas: new Set(['terminated']),
} as const;

const KINDS = ['runs', 'jobs', 'instances', 'fleets', 'gateways', 'gatewayReplicas'] as const;

/** At the end every run, job and instance is final, no fleet is on its way out, and no gateway is left. */
export const everythingEnds: Invariant = {
  atTheEnd({ story, mirror }) {
    for (const kind of KINDS) {
      for (const { name, status } of mirror[kind].values())
        if (!FINAL[kind].has(status)) story.violate(`${kind} ${name}: stuck in ${status}`);
    }
  },
};

export function isEverythingFinal(mirror: Mirror): boolean {
  const all = (kind: keyof typeof FINAL): boolean =>
    [...mirror[kind].values()].every(({ status }) => FINAL[kind].has(status));
  return KINDS.every(all);
}
