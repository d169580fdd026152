import type { Invariant, Scene } from './invariant.js';
import type { Change, JobFacts } from './mirror.js';

const JOB_RANK: Readonly<Record<string, number>> = {
  submitted: 0, provisioning: 1, pulling: 2, running: 3, terminating: 4, terminated: 5, aborted: 5, failed: 5, done: 5,
}; // prettier-ignore
const INSTANCE_RANK: Readonly<Record<string, number>> = {
  pending: 0, launching: 1, provisioning: 2, idle: 3, busy: 3, terminating: 4, terminated: 5,
}; // prettier-ignore
const FLEET_RANK: Readonly<Record<string, number>> = { submitted: 0, active: 1, terminating: 2, terminated: 3 };
// One that serves goes on being looked after until it is deleted; failed, it stays.
const GATEWAY_RANK: Readonly<Record<string, number>> = {
  submitted: 0,
  provisioning: 1,
  running: 2,
  failed: 3,
  deleted: 4,
};
const GATEWAY_REPLICA_RANK: Readonly<Record<string, number>> = {
  submitted: 0, provisioning: 1, running: 2, terminating: 3, terminated: 4,
}; // prettier-ignore
const FINAL_RUNS: ReadonlySet<string> = new Set(['terminated', 'failed', 'done']);

/** No state moves backwards, and what is final stays as it is. Only a job whose machine failed to start waits for one again, which is another. */
export const statusesMoveForward: Invariant = {
  afterChange(scene) {
    const { changes } = scene;
    const [anew, jobs] = partition(changes.jobs, getsAnotherMachine);
    tell('job', jobs, scene, isForward(JOB_RANK, 5));
    tell('job', anew, scene, () => true);
    tell('instance', changes.instances, scene, isForward(INSTANCE_RANK, 5));
    tell('fleet', changes.fleets, scene, isForward(FLEET_RANK, 3));
    tell('gateway', changes.gateways, scene, isForward(GATEWAY_RANK, 4));
    tell('gateway replica', changes.gatewayReplicas, scene, isForward(GATEWAY_REPLICA_RANK, 4));
    // A run comes back from pending, but never from its end.
    tell('run', changes.runs, scene, (before) => before === undefined || !FINAL_RUNS.has(before));
  },
};

function getsAnotherMachine({ before, after }: Change<JobFacts>): boolean {
  const isSeated = after.instanceId !== null && before?.instanceId !== after.instanceId;
  return before?.status === 'provisioning' && after.status === 'submitted' && isSeated;
}

function partition<T>(all: readonly T[], isFirst: (each: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((each) => !isFirst(each))];
}

function tell(
  kind: string,
  changes: readonly Change<{ readonly name: string; readonly status: string }>[],
  scene: Scene,
  mayFollow: (before: string | undefined, after: string) => boolean,
): void {
  const { story } = scene;
  for (const { id, before, after } of changes) {
    if (before?.status === after.status) continue;
    const text = `${kind} ${after.name}: ${before?.status ?? 'new'} -> ${after.status}`;
    story.tell(story.isKept ? `${text}${whyOf(id, after.status, scene)}` : text);
    if (!mayFollow(before?.status, after.status)) story.violate(`${text} is backwards`);
  }
}

function isForward(ranks: Readonly<Record<string, number>>, last: number) {
  return (before: string | undefined, after: string): boolean => {
    const was = before === undefined ? -1 : (ranks[before] ?? Infinity);
    return was !== last && was <= (ranks[after] ?? -1);
  };
}

/** As the event of the change says it. */
function whyOf(id: string, status: string, { query }: Scene): string {
  const [event] = query<{ message: string }>(
    `SELECT message FROM events JOIN event_targets ON event_targets.event_id = events.id
     WHERE entity_id = ? AND message LIKE ? ORDER BY events.rowid DESC LIMIT 1`,
    id,
    `% -> ${status.toUpperCase()} (%`,
  );
  return event === undefined ? '' : ` ${event.message.slice(event.message.indexOf('('))}`;
}
