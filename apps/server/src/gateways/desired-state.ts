import type { GatewayAccess, GatewayStateInput } from '@dstack/gateway-protocol';
import { gatewayDomain, isAskedFromOutside, isFinishedJob, type Wire } from '@dstack/core';
import { Inject, Injectable } from '@nestjs/common';
import { HostAccessStore } from '../hosts/host-access.js';
import { findInstances, type InstanceRecord } from '../instances/instance-record.js';
import { findJobs, type JobRecord } from '../jobs/job-record.js';
import { inList } from '../persistence/in-list.js';
import type { ReadTx } from '../persistence/transaction.js';
import { servicePortOf } from '../services/service-port.js';
import { readJsonOrNull } from '../reconcile/stored-json.js';
import { findRuns, type RunRecord } from '../runs/run-record.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { certificateOf, findGateways, type GatewayRecord } from './gateway-record.js';
import { importersOfGateway } from './imported-gateways.js';
import { findReplicasOf, type GatewayReplicaRecord } from './gateway-replica-record.js';
import type { LedReplica } from './gateway-relay.js';
import { GatewaySecrets } from './gateway-secrets.js';
import { gatewayServiceOf, hostOfService, modelHostOf, modelOf } from './gateway-service-state.js';
import { GATEWAY_KEY, type HostKeys, reachReplica } from './reach-replica.js';

/** What one gateway replica shall do; revisions are the sender's. */
export interface DesiredGateway {
  readonly gateway: GatewayRecord;
  readonly replica: GatewayReplicaRecord;
  readonly state: Omit<GatewayStateInput, 'revision' | 'access'>;
  readonly tokens: GatewayAccess['tokens'];
  /** Where the server itself leads the gateway, by the ids of jobs. */
  readonly led: ReadonlyMap<string, LedReplica>;
  /** What cannot be told to the gateway, and why; `jobId` '': the whole service. */
  readonly refused: readonly { readonly runId: string; readonly jobId: string; readonly message: string }[];
  /** Runs and their names, for events. */
  readonly runs: readonly Pick<RunRecord, 'id' | 'name' | 'projectId'>[];
  /** When it was so, by the database's clock. */
  readonly readAt: number;
}

/** Those whose services a gateway serves, its own first: names by ids. */
type Projects = ReadonlyMap<string, string>;

const OVER: readonly Wire.RunStatus[] = ['terminating', 'terminated', 'failed', 'done'];

@Injectable()
export class DesiredStates {
  constructor(
    @Inject(GatewaySecrets) private readonly secrets: GatewaySecrets,
    @Inject(HostAccessStore) private readonly accesses: Pick<HostAccessStore, 'read'>,
    @Inject(SETTINGS)
    private readonly settings: Pick<ServerSettings, 'acme' | 'gatewayHoldSeconds' | 'serviceMaxBodyBytes'>,
  ) {}

  /** Null: there is no such replica any more. */
  async read(tx: ReadTx, replicaId: string): Promise<DesiredGateway | null> {
    const readAt = await tx.now();
    const [row] = await tx.query<{ gateway_id: string }>('SELECT gateway_id FROM gateway_replicas WHERE id = ?', [
      replicaId,
    ]);
    const [gateway] =
      row === undefined ? [] : await findGateways(tx, 'id = ? AND deleted = ?', [row.gateway_id, false]);
    if (gateway === undefined) return null;
    const replicas = await findReplicasOf(tx, gateway.id);
    const replica = replicas.find(({ id }) => id === replicaId);
    if (replica === undefined) return null;
    const [project] = await tx.query<{ name: string }>('SELECT name FROM projects WHERE id = ?', [gateway.projectId]);
    const projects: Projects = new Map([
      [gateway.projectId, project?.name ?? ''],
      ...(await importersOfGateway(tx, gateway.id)).map(({ id, name }) => [id, name] as const),
    ]);
    const runs = (
      await findRuns(tx, 'gateway_id = ? AND deleted = ? ORDER BY submitted_at, id', [gateway.id, false])
    ).filter(({ status, serviceSpec }) => !OVER.includes(status) && serviceSpec !== null);
    const built = await this.services(tx, { gateway, projects }, runs);
    const running = replicas.filter(({ status, isUnwanted }) => status === 'running' && !isUnwanted);
    return {
      gateway,
      replica,
      state: {
        ...built.state,
        acme:
          certificateOf(gateway) === 'lets-encrypt'
            ? { ...this.settings.acme, issues: running[0]?.id === replicaId, shared: running.length > 1 }
            : null,
        trustedProxies: [...(replica.machine?.balancer?.addresses ?? [])],
        holdSeconds: this.settings.gatewayHoldSeconds,
      },
      tokens: await tokensOf(tx, projects),
      led: built.led,
      refused: built.refused,
      runs,
      readAt,
    };
  }

  private async services(
    tx: ReadTx,
    { gateway, projects }: { readonly gateway: GatewayRecord; readonly projects: Projects },
    runs: readonly RunRecord[],
  ) {
    const certificate = certificateOf(gateway);
    const { serviceMaxBodyBytes: maxBodyBytes } = this.settings;
    const ready = await readyJobs(tx, runs);
    const instances = await instancesOf(tx, ready);
    const keys = new Map([[GATEWAY_KEY, await this.secrets.privateKey(tx, gateway.id)]]);
    const refused: DesiredGateway['refused'][number][] = [];
    const led = new Map<string, LedReplica>();
    const hosts = new Set<string>();
    const served: RunRecord[] = [];
    const services = [];
    for (const run of runs) {
      const projectName = projects.get(run.projectId);
      if (projectName === undefined) {
        const message = `gateway ${gateway.name} is no longer shared with the project of the service`;
        refused.push({ runId: run.id, jobId: '', message });
        continue;
      }
      const host = hostOfService(run);
      if (host === null || hosts.has(host)) {
        const message = `another service of the gateway has the address ${host ?? run.name} already: give one of them another name`;
        refused.push({ runId: run.id, jobId: '', message });
        continue;
      }
      hosts.add(host);
      served.push(run);
      const replicas = [];
      for (const job of ready.filter(
        (each) => each.runId === run.id && isAskedFromOutside(run.spec.configuration, each.replicaGroup),
      )) {
        const found = instances.get(job.instanceId ?? '');
        if (found === undefined) continue;
        const { instance, hostKeys } = found;
        const access = instance.hostName === null ? null : await this.accesses.read(tx, instance.id);
        const reached = reachReplica({ job, instance, hostKeys, host: access?.host ?? null });
        if ('problem' in reached) {
          refused.push({ runId: run.id, jobId: job.id, message: reached.problem });
          continue;
        }
        replicas.push(reached.replica);
        const port = servicePortOf(job);
        if (reached.replica.remote.kind === 'server' && port !== null)
          led.set(job.id, { instanceId: instance.id, port });
        for (const key of reached.keys) keys.set(key.id, key.privateKey);
      }
      services.push(gatewayServiceOf(run, { projectName, certificate, host, maxBodyBytes, replicas }));
    }
    const modelHosts = [...projects].flatMap(([id, projectName]) => {
      const domain = gateway.wildcardDomain === null ? null : gatewayDomain(gateway.wildcardDomain, projectName);
      const own = served.filter(({ projectId }) => projectId === id);
      const found = modelHostOf({ domain: domain?.ok === true ? domain.domain : null, projectName, certificate, served: own, hosts }); // prettier-ignore
      // Where the domain does not tell projects apart, the first one has the name.
      for (const { host } of found) hosts.add(host);
      return found;
    });
    return {
      refused,
      led,
      state: {
        services,
        models: served.flatMap((run) => modelOf(run, projects.get(run.projectId) ?? '') ?? []),
        modelHosts,
        keys: [...keys].map(([id, privateKey]) => ({ id, privateKey })),
      },
    };
  }
}

async function readyJobs(tx: ReadTx, runs: readonly RunRecord[]): Promise<JobRecord[]> {
  if (runs.length === 0) return [];
  const these = inList('run_id', runs.map(({ id }) => id)); // prettier-ignore
  const jobs = await findJobs(tx, `${these.sql} AND registered = ? AND status = 'running' ORDER BY replica_num`, [
    ...these.params.map((param) => String(param)),
    true,
  ]);
  return jobs.filter(({ status }) => !isFinishedJob(status));
}

async function instancesOf(
  tx: ReadTx,
  jobs: readonly JobRecord[],
): Promise<Map<string, { readonly instance: InstanceRecord; readonly hostKeys: HostKeys | null }>> {
  const ids = [...new Set(jobs.flatMap(({ instanceId }) => instanceId ?? []))];
  if (ids.length === 0) return new Map();
  const these = inList('id', ids);
  const instances = await findInstances(tx, these.sql, these.params);
  const rows = await tx.query<{ id: string; host_keys: string | null }>(
    `SELECT id, host_keys FROM instances WHERE ${these.sql}`,
    these.params,
  );
  const keys = new Map(rows.map((row) => [row.id, readJsonOrNull<HostKeys>(row.host_keys)]));
  return new Map(instances.map((instance) => [instance.id, { instance, hostKeys: keys.get(instance.id) ?? null }]));
}

/** All tokens of the server, as hashes: those of members open their projects, the others are known to be ours. */
async function tokensOf(tx: ReadTx, projects: Projects): Promise<GatewayAccess['tokens']> {
  const tokens = await tx.query<{ id: string; token_hash: string; global_role: string; expires_at: number | null }>(
    `SELECT * FROM (
       SELECT id, token_hash, global_role, CAST(NULL AS bigint) AS expires_at FROM users
       WHERE active = true AND deleted = false AND is_service_account = false
       UNION ALL
       SELECT u.id, t.token_hash, u.global_role, t.expires_at FROM user_tokens t JOIN users u ON u.id = t.user_id
       WHERE u.active = true AND u.deleted = false
     ) tokens ORDER BY token_hash`,
  );
  const these = inList('project_id', [...projects.keys()]);
  const members = await tx.query<{ project_id: string; user_id: string }>(
    `SELECT project_id, user_id FROM members WHERE ${these.sql}`,
    these.params,
  );
  const memberships = new Set(members.map((row) => `${row.project_id} ${row.user_id}`));
  return tokens.map(({ id, token_hash: hash, global_role: role, expires_at: expiresAt }) => ({
    hash,
    projects: [...projects].flatMap(([projectId, name]) =>
      role === 'admin' || memberships.has(`${projectId} ${id}`) ? [name] : [],
    ),
    expiresAt,
  }));
}
