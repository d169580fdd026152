import type { SimulatedGateway } from '../gateways/simulated-gateway.js';
import type { Invariant, Scene } from './invariant.js';

interface Replica {
  readonly id: string;
  readonly name: string;
  readonly gatewayId: string;
  readonly place: string;
}

interface Served {
  readonly runId: string;
  readonly jobId: string | null;
}

/** Long enough for every wait between a change and the gateway that hears of it, one that was out of reach included. */
const SETTLED_MS = 120_000;

/** What every gateway that is reached serves is what runs; at the end none is left on a host of somebody's own, or somebody is told. */
export class GatewaysServeWhatRuns implements Invariant {
  /** What a replica served at the last look instead of what it should have, by id. */
  private wrong = new Map<string, string>();

  constructor(private readonly programs: () => readonly SimulatedGateway[]) {}

  nowAndThen(scene: Scene): void {
    const before = this.wrong;
    this.wrong = new Map();
    if (scene.calmMs < SETTLED_MS) return;
    for (const { id, name, gatewayId, place } of reached(scene)) {
      const program = this.programs().find((each) => each.place === place);
      if (program === undefined) {
        scene.story.violate(`gateway replica ${name} is reached, and there is nothing at ${place}`);
        continue;
      }
      const [has, wanted] = [textOf(program.served), textOf(wantedOf(scene, gatewayId))];
      if (has === wanted) continue;
      const difference = `${has}, not ${wanted}`;
      // What has just changed is on its way; half a minute later it has arrived.
      if (before.get(id) === difference) scene.story.violate(`gateway replica ${name} serves ${difference}`);
      this.wrong.set(id, difference);
    }
  }

  atTheEnd({ story, query }: Scene): void {
    for (const { place } of this.programs()) {
      const [last] = query<{ message: string }>(
        `SELECT e.message FROM events e JOIN event_targets t ON t.event_id = e.id JOIN gateway_replicas r ON r.gateway_id = t.entity_id
         WHERE r.host_name = ? AND e.message LIKE '%may still be installed%' LIMIT 1`,
        place,
      );
      if (last === undefined) story.violate(`host ${place} was let go with its gateway, and nothing says so`);
    }
  }
}

/** Linked for long enough. */
function reached({ query, now }: Scene): Replica[] {
  return query<Replica>(
    `SELECT r.id, g.name || '-' || r.replica_num AS name, r.gateway_id AS gatewayId, COALESCE(r.host_name, json_extract(r.machine, '$.ref.machineId')) AS place
     FROM gateway_replicas r JOIN gateways g ON g.id = r.gateway_id
     WHERE r.status = 'running' AND NOT r.unwanted AND r.unreachable_since IS NULL AND r.status_changed_at < ? AND r.connection_expires_at > ?
       AND g.deletion_requested_at IS NULL`,
    now - SETTLED_MS,
    now,
  );
}

/** Of services and replicas that nothing has happened to for a while. */
function wantedOf({ query }: Scene, gatewayId: string): ReadonlyMap<string, readonly string[]> {
  const rows = query<Served>(
    `SELECT r.id AS runId, j.id AS jobId FROM runs r
     LEFT JOIN jobs j ON j.run_id = r.id AND j.registered = 1 AND j.status = 'running'
     WHERE r.gateway_id = ? AND r.service_spec IS NOT NULL AND NOT r.deleted AND r.status NOT IN ('terminating', 'terminated', 'failed', 'done')`,
    gatewayId,
  );
  const served = new Map<string, string[]>();
  for (const { runId, jobId } of rows)
    served.set(runId, [...(served.get(runId) ?? []), ...(jobId === null ? [] : [jobId])]);
  return served;
}

function textOf(served: ReadonlyMap<string, readonly string[]>): string {
  const services = [...served].map(([run, jobs]) => `${run} by ${[...jobs].sort().join(' and ') || 'nobody'}`);
  return services.sort().join(', ') || 'nothing';
}
