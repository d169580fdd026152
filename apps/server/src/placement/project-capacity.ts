import { type AbsentInstance, type Holder, isCluster, type Place, type PlacementFleet, type PlacementInstance, whyAbsent, kindOfOffer } from '@dstack/core'; // prettier-ignore
import { findFleets, type FleetRecord, nodesOf } from '../fleets/fleet-record.js';
import { IS_NODE } from '../fleets/hold-fleet.js';
import { connectedSince, findInstances, type InstanceRecord } from '../instances/instance-record.js';
import { inList } from '../persistence/in-list.js';
import type { ReadTx } from '../persistence/transaction.js';

/** The machines of a project and the fleets they are in, as placement sees them. */
export interface ProjectCapacity {
  readonly fleets: readonly PlacementFleet[];
  readonly instances: readonly PlacementInstance[];
  readonly absent: readonly AbsentInstance[];
  readonly fleetRecords: readonly FleetRecord[];
  readonly instanceRecords: readonly InstanceRecord[];
}

/**
 * `room`: the machines that could take a job now, and those whose start others wait for: enough to place whoever finds a place. `all`: also
 * those that are full, starting or away: why nobody finds one.
 */
export type CapacityDetail = 'room' | 'all';

export async function loadCapacity(tx: ReadTx, projectId: string, detail: CapacityDetail): Promise<ProjectCapacity> {
  const now = await tx.now();
  const fleetRecords = await findFleets(tx, `project_id = ? AND deleted = ? AND status = 'active' ORDER BY created_at, id`, [
    projectId,
    false,
  ]); // prettier-ignore
  const instanceRecords: InstanceRecord[] = [];
  for (const shown of SHOWN[detail])
    instanceRecords.push(...(await findInstances(tx, `project_id = ? AND deleted = false AND ${shown}`, [projectId])));
  const holders = detail === 'all' ? await holdersOf(tx, projectId) : new Map<string, Holder[]>();
  const nodes = detail === 'all' ? instanceRecords : await nodesOfCountedFleets(tx, fleetRecords);
  return {
    fleetRecords,
    instanceRecords,
    fleets: fleetRecords.map((fleet) => toPlacementFleet(fleet, nodes)),
    instances: instanceRecords.flatMap((record) =>
      toPlacementInstance(record, {
        now,
        holders: holders.get(record.id) ?? [],
      }),
    ),
    absent: instanceRecords.flatMap(toAbsentInstance),
  };
}

// Hosts that have ended are shown with their reason until somebody takes them out of their fleet. Those with room have an index for each question.
const SHOWN: Readonly<Record<CapacityDetail, readonly string[]>> = {
  room: [
    `status IN ('idle', 'busy') AND busy_blocks < total_blocks`,
    `status IN ('pending', 'launching') AND backend_type = 'local'`,
  ],
  all: [`(status <> 'terminated' OR host_name IS NOT NULL)`],
};

export interface InstanceContext {
  readonly now: number;
  readonly holders?: readonly Holder[];
}

export function toPlacementInstance(
  record: InstanceRecord,
  { now, holders = [] }: InstanceContext,
): PlacementInstance[] {
  const { offer, fleetId, backendType } = record;
  if (offer === null || fleetId === null || backendType === null || absence(record) !== null) return [];
  return [
    {
      id: record.id,
      name: record.name,
      fleetId,
      backend: backendType,
      instanceType: offer.instance,
      region: record.region ?? '',
      zone: record.zone,
      priceUsdPerHour: record.price ?? 0,
      status: record.status,
      unreachable: record.unreachableSince !== null || connectedSince(record, now) === null,
      unreachableSince: record.unreachableSince,
      health: record.health,
      healthIncidents: record.agent.incidents ?? [],
      totalBlocks: record.totalBlocks,
      busyBlocks: record.busyBlocks,
      detachingVolumes: false,
      kind: kindOfOffer(offer),
      ...(record.agent.info === null ? {} : { hasContainers: record.agent.info.runtimes.container.available }),
      holders,
    },
  ];
}

function toAbsentInstance(record: InstanceRecord): AbsentInstance[] {
  const because = absence(record);
  if (because === null || record.fleetId === null) return [];
  return [{ fleetId: record.fleetId, name: record.name, isHost: record.hostName !== null, because }];
}

function absence(record: InstanceRecord): string | null {
  return whyAbsent({
    status: record.status,
    isHost: record.hostName !== null,
    isUnwanted: record.unwanted !== null,
    problem: record.progress.problem?.message ?? null,
    endMessage: record.terminationMessage ?? record.terminationReason,
  });
}

type Node = Pick<InstanceRecord, 'fleetId' | 'status' | 'busyBlocks' | 'backendType' | 'region' | 'instanceNum'>;

function toPlacementFleet(fleet: FleetRecord, instances: readonly Node[]): PlacementFleet {
  const nodes = nodesOf(fleet.spec);
  const ofFleet = instances.filter(({ fleetId }) => fleetId === fleet.id);
  const active = ofFleet.filter(({ status }) => status !== 'terminating' && status !== 'terminated');
  return {
    id: fleet.id,
    name: fleet.name,
    // As `IS_NODE` has it.
    activeCount:
      active.length + ofFleet.filter(({ status, busyBlocks }) => status === 'terminating' && busyBlocks > 0).length,
    maxNodes: nodes?.max ?? null,
    canCreate: nodes !== null,
    anchor: nodes !== null && isCluster(fleet.spec.configuration) ? anchorOf(active) : null,
  };
}

function anchorOf(active: readonly Node[]): Place | null {
  const [first] = active
    .flatMap(({ backendType, region, instanceNum }) =>
      backendType === null || region === null ? [] : [{ backend: backendType, region, instanceNum }],
    )
    .sort((a, b) => a.instanceNum - b.instanceNum);
  return first === undefined ? null : { backend: first.backend, region: first.region };
}

/** Of fleets where it matters how many nodes there are, or where the first one is. */
async function nodesOfCountedFleets(tx: ReadTx, fleets: readonly FleetRecord[]): Promise<Node[]> {
  const counted = fleets.filter(({ spec }) => {
    const nodes = nodesOf(spec);
    return nodes !== null && (nodes.max !== null || isCluster(spec.configuration));
  });
  if (counted.length === 0) return [];
  const these = inList('fleet_id', counted.map((fleet) => fleet.id)); // prettier-ignore
  return tx.query<Node>(
    `SELECT fleet_id AS "fleetId", status, busy_blocks AS "busyBlocks", backend_type AS "backendType", region, instance_num AS "instanceNum"
     FROM instances WHERE ${these.sql} AND deleted = false AND ${IS_NODE}`,
    these.params,
  );
}

async function holdersOf(tx: ReadTx, projectId: string): Promise<Map<string, Holder[]>> {
  const rows = await tx.query<{ instance_id: string; run_name: string; user_name: string }>(
    `SELECT DISTINCT j.instance_id, r.name AS run_name, u.name AS user_name FROM jobs j JOIN runs r ON r.id = j.run_id
       JOIN users u ON u.id = r.user_id WHERE j.project_id = ? AND j.instance_id IS NOT NULL ORDER BY r.name`,
    [projectId],
  );
  const holders = new Map<string, Holder[]>();
  for (const row of rows) {
    const holder = { runName: row.run_name, userName: row.user_name };
    holders.set(row.instance_id, [...(holders.get(row.instance_id) ?? []), holder]);
  }
  return holders;
}
