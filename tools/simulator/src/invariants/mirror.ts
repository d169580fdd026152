import type { SqliteConnection } from '@dstack/server/parts';
import type { ChangeLog } from './change-log.js';

export interface RunFacts {
  readonly name: string;
  readonly status: string;
  readonly isDeleted: 0 | 1;
}

export interface JobFacts {
  readonly name: string;
  readonly status: string;
  readonly runId: string;
  /** The jobs that are placed together. */
  readonly gang: string;
  /** Of its run; submitted again it is in the same one. */
  readonly place: string;
  readonly instanceId: string | null;
  readonly blocks: number;
}

export interface InstanceFacts {
  readonly name: string;
  readonly status: string;
  readonly fleetId: string | null;
  readonly busyBlocks: number;
  readonly totalBlocks: number;
  readonly hostName: string | null;
  readonly isUnwanted: 0 | 1;
  /** Its machine is a container. */
  readonly isContainer: 0 | 1;
  /** Of the machine, as the server knows it. */
  readonly machine: string | null;
}

export interface FleetFacts {
  readonly name: string;
  readonly status: string;
  readonly maxNodes: number | null;
}

export interface GatewayFacts {
  readonly name: string;
  /** `deleted` is the last one. */
  readonly status: string;
}

export interface GatewayReplicaFacts {
  readonly name: string;
  readonly status: string;
  readonly gatewayId: string;
  readonly cloudName: string | null;
}

export interface AttemptFacts {
  readonly cloudName: string;
  readonly instanceId: string;
  readonly outcome: string | null;
}

/** A row that has changed: before (absent: it is new) and after. */
export interface Change<Facts> {
  readonly id: string;
  readonly before: Facts | undefined;
  readonly after: Facts;
}

export interface Changes {
  readonly runs: readonly Change<RunFacts>[];
  readonly jobs: readonly Change<JobFacts>[];
  readonly instances: readonly Change<InstanceFacts>[];
  readonly fleets: readonly Change<FleetFacts>[];
  readonly attempts: readonly Change<AttemptFacts>[];
  readonly gateways: readonly Change<GatewayFacts>[];
  readonly gatewayReplicas: readonly Change<GatewayReplicaFacts>[];
  /** Instances whose priced intervals have changed. */
  readonly priced: readonly string[];
}

const RUNS = `SELECT r.id, p.name || '/' || r.name AS name, r.status, r.deleted <> 0 AS isDeleted FROM runs r JOIN projects p ON p.id = r.project_id`;
const JOBS = `SELECT r.id, p.name || '/' || json_extract(r.job_spec, '$.job_name') || '#' || r.submission_num AS name, r.status,
  r.run_id AS runId, r.run_id || ' ' || r.replica_num || ' ' || r.submission_num AS gang, r.replica_num || ' ' || r.job_num AS place, r.instance_id AS instanceId,
  COALESCE(r.blocks, 1) AS blocks FROM jobs r JOIN projects p ON p.id = r.project_id`;
const INSTANCES = `SELECT r.id, p.name || '/' || r.name AS name, r.status, r.fleet_id AS fleetId, r.busy_blocks AS busyBlocks,
  COALESCE(r.total_blocks, 1) AS totalBlocks, r.host_name AS hostName, r.unwanted IS NOT NULL AS isUnwanted, json_extract(r.machine, '$.state') AS machine,
  json_extract(r.offer, '$.instance_runtime') IS 'runner' AS isContainer
  FROM instances r JOIN projects p ON p.id = r.project_id`;
const FLEETS = `SELECT r.id, p.name || '/' || r.name AS name, r.status, json_extract(r.spec, '$.configuration.nodes.max') AS maxNodes
  FROM fleets r JOIN projects p ON p.id = r.project_id`;
const GATEWAYS = `SELECT r.id, p.name || '/' || r.name AS name, CASE WHEN r.deleted THEN 'deleted' ELSE r.status END AS status
  FROM gateways r JOIN projects p ON p.id = r.project_id`;
const GATEWAY_REPLICAS = `SELECT r.id, p.name || '/' || g.name || '-' || r.replica_num AS name, r.status, r.gateway_id AS gatewayId, r.cloud_name AS cloudName
  FROM gateway_replicas r JOIN gateways g ON g.id = r.gateway_id JOIN projects p ON p.id = g.project_id`;
const ATTEMPTS = `SELECT r.id, r.cloud_name AS cloudName, r.instance_id AS instanceId, r.outcome FROM provisioning_attempts r`;

/** What the invariants look at, kept beside the database and renewed row by row. */
export class Mirror {
  readonly runs = new Map<string, RunFacts>();
  readonly jobs = new Map<string, JobFacts>();
  readonly instances = new Map<string, InstanceFacts>();
  readonly fleets = new Map<string, FleetFacts>();
  readonly attempts = new Map<string, AttemptFacts>();
  readonly gateways = new Map<string, GatewayFacts>();
  readonly gatewayReplicas = new Map<string, GatewayReplicaFacts>();

  constructor(
    private readonly connection: SqliteConnection,
    private readonly log: ChangeLog,
  ) {}

  nameOf(id: string): string | undefined {
    const { jobs, runs, instances, fleets, gateways, gatewayReplicas } = this;
    return [jobs, runs, instances, fleets, gateways, gatewayReplicas].find((known) => known.has(id))?.get(id)?.name;
  }

  refresh(): Changes {
    const changed = this.log.take();
    return {
      runs: this.renew(this.runs, RUNS, changed.runs),
      jobs: this.renew(this.jobs, JOBS, changed.jobs),
      instances: this.renew(this.instances, INSTANCES, changed.instances),
      fleets: this.renew(this.fleets, FLEETS, changed.fleets),
      attempts: this.renew(this.attempts, ATTEMPTS, changed.provisioning_attempts),
      gateways: this.renew(this.gateways, GATEWAYS, changed.gateways),
      gatewayReplicas: this.renew(this.gatewayReplicas, GATEWAY_REPLICAS, changed.gateway_replicas),
      priced: changed.priced_intervals,
    };
  }

  private renew<Facts>(known: Map<string, Facts>, select: string, ids: readonly string[]): Change<Facts>[] {
    return ids.flatMap((id) => {
      // Shaped by the SELECT that goes with the map.
      const [row] = this.connection.prepare(`${select} WHERE r.id = ?`).all(id) as (Facts & { id: string })[];
      if (row === undefined) return [];
      const before = known.get(id);
      known.set(id, row);
      return [{ id, before, after: row }];
    });
  }
}
