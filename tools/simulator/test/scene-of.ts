import { SqliteConnection } from '@dstack/server/parts';
import type { CloudMachine } from '../src/clouds/cloud-machine.js';
import type { Scene } from '../src/invariants/invariant.js';
import { ChangeLog } from '../src/invariants/change-log.js';
import {
  type AttemptFacts,
  type Change,
  type FleetFacts,
  type GatewayReplicaFacts,
  type InstanceFacts,
  type JobFacts,
  Mirror,
  type RunFacts,
} from '../src/invariants/mirror.js';
import { emptyDatabase } from '../src/servers/empty-database.js';
import { Story } from '../src/story.js';

type Rows<Facts> = Readonly<Record<string, Facts>>;

/** What an invariant is shown: all rows but those of fleets have just changed. */
export interface Picture {
  readonly runs?: Rows<RunFacts>;
  readonly jobs?: Rows<JobFacts>;
  readonly instances?: Rows<InstanceFacts>;
  readonly fleets?: Rows<FleetFacts>;
  readonly attempts?: Rows<AttemptFacts>;
  readonly gatewayReplicas?: Rows<GatewayReplicaFacts>;
  readonly before?: { readonly jobs?: Rows<JobFacts>; readonly instances?: Rows<InstanceFacts> };
  readonly machines?: readonly CloudMachine[];
  /** What every query finds. */
  readonly rows?: readonly object[];
  readonly now?: number;
  readonly calmMs?: number;
}

const content = await emptyDatabase();

export function job(facts: Partial<JobFacts>): JobFacts {
  return {
    name: 'job',
    status: 'submitted',
    runId: 'r',
    gang: 'own',
    place: '0 0',
    instanceId: null,
    blocks: 1,
    ...facts,
  };
}

export function instance(facts: Partial<InstanceFacts>): InstanceFacts {
  return {
    name: 'instance',
    status: 'busy',
    fleetId: null,
    busyBlocks: 0,
    totalBlocks: 1,
    hostName: null,
    isUnwanted: 0,
    isContainer: 0,
    machine: null,
    ...facts,
  };
}

/** Invariants look at its names only. */
export function machine(cloudName: string, group: CloudMachine['group'] = null): CloudMachine {
  return { id: `m-${cloudName}`, cloudName, group } as unknown as CloudMachine;
}

export function sceneOf(picture: Picture): Scene {
  const connection = SqliteConnection.inMemory(content);
  const mirror = new Mirror(connection, new ChangeLog(connection));
  const fill = <Facts>(known: Map<string, Facts>, rows: Rows<Facts> = {}, before: Rows<Facts> = {}): Change<Facts>[] =>
    Object.entries(rows).map(([id, after]) => {
      known.set(id, after);
      return { id, before: before[id], after };
    });
  // A fleet that has just changed is not judged.
  fill(mirror.fleets, picture.fleets);
  return {
    story: new Story(
      () => 0,
      0,
      false,
      () => undefined,
    ),
    mirror,
    changes: {
      runs: fill(mirror.runs, picture.runs),
      jobs: fill(mirror.jobs, picture.jobs, picture.before?.jobs),
      instances: fill(mirror.instances, picture.instances, picture.before?.instances),
      fleets: [],
      attempts: fill(mirror.attempts, picture.attempts),
      gateways: [],
      gatewayReplicas: fill(mirror.gatewayReplicas, picture.gatewayReplicas),
      priced: [],
    },
    machines: () => picture.machines ?? [],
    inhabitedHosts: () => [],
    disks: () => [],
    unfinishedOnHosts: () => [],
    now: picture.now ?? 0,
    calmMs: picture.calmMs ?? 0,
    query: <Row extends object>() => [...(picture.rows ?? [])] as Row[],
  };
}
