import { decideScale, type GroupLoad, type GroupScale } from '../services/decide-scale.js';
import type { Instant } from './decision.js';
import type { ServiceFacts } from './service-snapshot.js';

export interface ScaledGroups {
  /** By name of the group. */
  readonly scale: Readonly<Record<string, GroupScale>>;
  readonly desired: number;
  readonly hasChanged: boolean;
  /** One sentence for each group that changes. */
  readonly because: string | null;
  readonly recheckAt: Instant | null;
}

export function scaleGroups(service: ServiceFacts, now: Instant): ScaledGroups {
  const { groups, traffic } = service;
  const desiredNow = groups.map(({ name, min }) => service.scale[name]?.desired ?? min);
  // Whoever waits needs one replica: of a group that is to have some, else of the first one that may.
  const waker = groups.find((_group, index) => (desiredNow[index] ?? 0) > 0) ?? groups.find(({ max }) => max > 0);
  const verdicts = groups.map((group) => {
    // What waits for a router needs a worker of each group next.
    const isWaitedFor = service.router !== null || group === waker;
    const load = loadOf(service, group.name, isWaitedFor ? traffic.held : 0);
    return { group, verdict: decideScale(group, service.scale[group.name] ?? null, load, now) };
  });
  const sentences = verdicts.flatMap(({ group, verdict: { scale, because } }, index) => {
    if (because === null) return [];
    const name = groups.length === 1 ? '' : ` of group ${group.name}`;
    return [`Replicas${name}: ${desiredNow[index] ?? 0} -> ${scale.desired} (${because})`];
  });
  const rechecks = verdicts.flatMap(({ verdict }) => verdict.recheckAt ?? []);
  const isKnown = verdicts.every(({ group, verdict }) => verdict.scale === service.scale[group.name]);
  return {
    scale: Object.fromEntries(verdicts.map(({ group, verdict }) => [group.name, verdict.scale])),
    desired: verdicts.reduce((sum, { verdict }) => sum + verdict.scale.desired, 0),
    hasChanged: !isKnown || Object.keys(service.scale).length !== groups.length,
    because: sentences.length === 0 ? null : sentences.join('. '),
    recheckAt: rechecks.length === 0 ? null : Math.min(...rechecks),
  };
}

/** Workers behind a router share its requests: what it gets is what each group of them is asked for. */
function loadOf({ traffic, replicas, router }: ServiceFacts, group: string, held: number): GroupLoad {
  const asked = router ?? group;
  const inFlight = replicas
    .filter((replica) => replica.group === asked && replica.drainingSince === null)
    .reduce((sum, replica) => sum + (traffic.inFlight[replica.id] ?? 0), 0);
  return { windows: traffic.groups[asked] ?? [], inFlight, held };
}
