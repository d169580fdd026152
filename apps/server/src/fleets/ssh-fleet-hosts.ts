import { Inject, Injectable } from '@nestjs/common';
import {
  type HostFact,
  instanceName,
  isSshFleet,
  planHostChanges,
  type SshHost,
  sshHosts,
  type Wire,
} from '@dstack/core';
import { HostAccessStore } from '../hosts/host-access.js';
import { ClientError, ResourceExistsError } from '../http/api-errors.js';
import { findInstances, type InstanceRecord } from '../instances/instance-record.js';
import { terminateJobs } from '../jobs/terminate-jobs.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { Wake } from '../reconcile/wake.js';
import { WORLD, type World } from '../world/world.js';
import { freeInstanceNumber } from './create-instances.js';
import type { FleetRecord } from './fleet-record.js';
import { terminateInstances } from './fleet.reconciler.js';

type Fleet = Pick<FleetRecord, 'id' | 'name' | 'projectId'>;

/** Brings the hosts that an SSH fleet names and its instances together; the instances' own life does the rest. */
@Injectable()
export class SshFleetHosts {
  constructor(
    @Inject(HostAccessStore) private readonly accesses: HostAccessStore,
    @Inject(Wake) private readonly wake: Wake,
    @Inject(WORLD) private readonly world: World,
  ) {}

  /** @throws {ClientError} when the hosts cannot be reached as written, or belong to another fleet */
  async check(tx: ReadTx, spec: Wire.FleetSpec, fleetId: string | null): Promise<void> {
    await this.refuseTaken(tx, hostsOf(spec), fleetId);
  }

  /**
   * Adds hosts, lets removed ones go (busy ones when their jobs have ended, with `force` at once), tries failed ones again, and hands
   * over new keys.
   */
  async apply(tx: WriteTx, fleet: Fleet, spec: Wire.FleetSpec, { force }: { force: boolean }): Promise<void> {
    if (!isSshFleet(spec.configuration)) return;
    const hosts = hostsOf(spec);
    await this.refuseTaken(tx, hosts, fleet.id);
    const instances = await findInstances(tx, 'fleet_id = ? AND deleted = ?', [fleet.id, false]);
    const changes = planHostChanges(hosts, instances.map(toHostFact));
    for (const id of changes.forget) await tx.execute('UPDATE instances SET deleted = ? WHERE id = ?', [true, id]);
    for (const host of changes.add) await this.insert(tx, fleet, host, envOf(spec));
    for (const { instanceId, host } of changes.keep) await this.keep(tx, instanceId, host, envOf(spec));
    await this.letGo(tx, changes.remove, force);
    this.wake.topic(tx, 'instances');
  }

  private async insert(tx: WriteTx, fleet: Fleet, host: SshHost, env: Readonly<Record<string, string>>): Promise<void> {
    const now = await tx.now();
    const num = await freeInstanceNumber(tx, fleet.id);
    const id = this.world.ids.uuid();
    await tx.execute(
      `INSERT INTO instances (id, project_id, fleet_id, instance_num, name, status, status_changed_at, created_at, backend_type, region,
         price, host_name, busy_blocks, idle_seconds, next_due_at)
       VALUES (?, ?, ?, ?, ?, 'pending', ?, ?, 'remote', 'remote', 0, ?, 0, -1, ?)`,
      [id, fleet.projectId, fleet.id, num, instanceName(fleet.name, num), now, now, host.hostname, now],
    );
    await this.accesses.write(tx, id, { host, env });
  }

  private async keep(
    tx: WriteTx,
    instanceId: string,
    host: SshHost,
    env: Readonly<Record<string, string>>,
  ): Promise<void> {
    await tx.execute('UPDATE instances SET unwanted = NULL, rev = rev + 1 WHERE id = ? AND unwanted IS NOT NULL', [
      instanceId,
    ]);
    if (await this.accesses.write(tx, instanceId, { host, env })) await this.wake.rows(tx, 'instances', [instanceId]);
  }

  private async letGo(tx: WriteTx, instanceIds: readonly string[], force: boolean): Promise<void> {
    const now = await tx.now();
    for (const id of instanceIds) {
      await tx.execute(`UPDATE instances SET unwanted = 'terminated_by_user', rev = rev + 1 WHERE id = ?`, [id]);
      if (!force) continue;
      const jobs = await tx.query<{ id: string }>('SELECT id FROM jobs WHERE instance_id = ?', [id]);
      const jobIds = jobs.map((job) => job.id);
      const message = 'its host was removed from the fleet';
      await terminateJobs(tx, this.wake, { jobIds, reason: 'terminated_by_server', mode: 'graceful', message }, now);
    }
    await terminateInstances(tx, this.wake, instanceIds, 'terminated_by_user', now);
  }

  /** One machine is in one fleet of the whole server: two would hand its GPUs out twice. */
  private async refuseTaken(tx: ReadTx, hosts: readonly SshHost[], fleetId: string | null): Promise<void> {
    for (const { hostname } of hosts) {
      const [taken] = await findInstances(tx, `host_name = ? AND deleted = ? AND (fleet_id <> ? OR status = 'terminating')`, [
        hostname,
        false,
        fleetId ?? '',
      ]); // prettier-ignore
      if (taken === undefined) continue;
      if (taken.fleetId === fleetId)
        throw new ClientError(`Host ${hostname} is still being removed from this fleet. Try again in a moment`);
      throw new ResourceExistsError(`Host ${hostname} is in another fleet of this server. Remove it there first`);
    }
  }
}

function hostsOf(spec: Wire.FleetSpec): readonly SshHost[] {
  const found = sshHosts(spec.configuration);
  if (found.ok) return found.hosts;
  throw new ClientError(`The hosts cannot be reached: ${found.problems.join('; ')}`);
}

function envOf({ configuration: { env } }: Wire.FleetSpec): Readonly<Record<string, string>> {
  const entries = Array.isArray(env) ? env.map(splitLine) : Object.entries(env ?? {});
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function splitLine(line: string): [string, string] {
  const at = line.indexOf('=');
  return at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}

function toHostFact({ id, hostName, status }: InstanceRecord): HostFact {
  return { instanceId: id, hostname: hostName ?? '', isFinished: status === 'terminated' };
}
