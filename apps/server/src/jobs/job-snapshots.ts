import { Inject, Injectable } from '@nestjs/common';
import {
  DEFAULT_STOP_DURATION_SECONDS,
  type FailedStart,
  isUnderUtilised,
  type JobHost,
  type JobSnapshot,
  type NodeAddress,
  type OwedLog,
} from '@dstack/core';
import type { ReadTx } from '../persistence/transaction.js';
import { InstanceLimits } from '../instances/instance-limits.js';
import { connectedSince, findInstance, type InstanceRecord } from '../instances/instance-record.js';
import { findFleet, type FleetRecord } from '../fleets/fleet-record.js';
import { findProject } from '../projects/find-project.js';
import type { Observed } from '../reconcile/reconciler.js';
import { readJson } from '../reconcile/stored-json.js';
import { type JobVolumes, jobVolumes } from '../volumes/job-volumes.js';
import { findRun, type RunRecord } from '../runs/run-record.js';
import { findFailedStart } from './failed-start.js';
import { nodeAddresses, whatItWaitsFor } from './gang.js';
import { needsRouter, routerAddress } from './router-address.js';
import { findJob, hostIdOf, type JobRecord } from './job-record.js';

export interface JobView {
  readonly snapshot: JobSnapshot;
  readonly record: JobRecord;
  readonly run: RunRecord;
  readonly instance: InstanceRecord | null;
  /** Of the instance, when another one has to be made in its place. */
  readonly fleet: FleetRecord | null;
  readonly projectName: string;
  /** Of the replica, by rank; known when the job may be started. */
  readonly nodes: readonly NodeAddress[];
  /** Of the router that the job is told of; null: it is told of none. */
  readonly routerIp: string | null;
}

@Injectable()
export class JobSnapshots {
  constructor(@Inject(InstanceLimits) private readonly limits: InstanceLimits) {}

  async load(id: string, tx: ReadTx, now: number): Promise<Observed<JobView> | null> {
    const record = await findJob(tx, id);
    const run = record === null ? null : await findRun(tx, record.runId);
    if (record === null || run === null) return null;
    const hostId = hostIdOf(record);
    const instance = hostId === null ? null : await findInstance(tx, hostId);
    const isHeld = record.status === 'provisioning' || record.status === 'terminating';
    const volumes = isHeld ? await jobVolumes(tx, id, record.spec) : null;
    const ofOthers =
      record.status === 'provisioning' ? ((await whatItWaitsFor(tx, record, run)) ?? volumes?.waitsFor ?? null) : null;
    const isProvisioning = record.status === 'provisioning';
    const routerIp = isProvisioning && needsRouter(record, run) ? await routerAddress(tx, run) : null;
    const lacksRouter = isProvisioning && needsRouter(record, run) && routerIp === null;
    const waitsFor = lacksRouter ? 'its router has no address yet' : ofOthers;
    const isStarting = isProvisioning && waitsFor === null;
    const project = await findProject(tx, record.projectId);
    const underUtilised = await utilisation(tx, record, now);
    const fleet = await fleetOfLostMachine(tx, record, instance);
    const failedStart = instance === null || fleet === null ? null : await findFailedStart(tx, record, instance, fleet);
    const facts = { underUtilised, record, run, instance, waitsFor, volumes, now };
    const snapshot = this.snapshotOf({ ...facts, failedStart });
    return {
      snapshot: {
        snapshot,
        record,
        run,
        instance,
        fleet,
        projectName: project?.name ?? '',
        routerIp,
        nodes: isStarting ? await nodeAddresses(tx, record) : [],
      },
      restsOn: instance === null ? [] : [{ table: 'instances', id: instance.id, rev: instance.rev }],
    };
  }

  private snapshotOf(facts: Facts): JobSnapshot {
    const { record, run, instance } = facts;
    const { id, submittedAt, statusChangedAt, runtimeRecord } = record;
    const base = { id, submittedAt, statusChangedAt };
    const host = instance === null ? null : this.hostOf(instance, facts);
    switch (record.status) {
      case 'submitted':
        return { ...base, status: 'submitted', host, waitsForMaster: record.waitingMasterJob };
      case 'provisioning':
        return {
          ...base,
          status: 'provisioning',
          host,
          runtime: record.runtime,
          agent: runtimeRecord.agent,
          waitsFor: facts.waitsFor,
          needsRouter: needsRouter(record, run),
          startError: runtimeRecord.startError,
          volumeError: facts.volumes?.error ?? null,
          isTimed: isTimed(record),
        };
      case 'pulling':
      case 'running':
        return {
          ...base,
          status: record.status,
          host,
          agent: runtimeRecord.agent,
          disconnectedAt: record.disconnectedAt,
          isTimed: isTimed(record),
          maxDurationMs: record.spec.max_duration ? record.spec.max_duration * 1000 : null,
          inactivityLimitSeconds: inactivityLimit(run),
          underUtilised: facts.underUtilised,
        };
      case 'terminating': {
        const grace =
          record.spec.stop_duration === undefined ? DEFAULT_STOP_DURATION_SECONDS : record.spec.stop_duration;
        return {
          ...base,
          status: 'terminating',
          host,
          agent: runtimeRecord.agent,
          reason: record.terminationReason ?? 'terminated_by_server',
          stop: {
            mode: record.stopMode ?? 'kill',
            requestedAt: record.stopRequestedAt ?? record.statusChangedAt,
            graceMs: grace === null || grace < 0 ? null : grace * 1000,
            sent: runtimeRecord.stopSent,
          },
          volumes: facts.volumes?.state ?? 'none',
          logOffsets: record.logOffsets,
        };
      }
      case 'terminated':
      case 'aborted':
      case 'failed':
      case 'done':
        return { ...base, status: record.status, owedLog: owedLogOf(record, host) };
    }
  }

  private hostOf(instance: InstanceRecord, { record, failedStart, now }: Facts): JobHost {
    return {
      instanceId: instance.id,
      status: instance.status,
      isSpot: instance.offer?.instance.resources.spot ?? false,
      connectedSince: connectedSince(instance, now),
      unreachableSince: instance.unreachableSince,
      hasEnded: instance.machine?.state === 'gone' || instance.machine?.state === 'failed',
      unreachableLimitMs: this.limits.unreachableJobMs,
      provisioningLimitMs: this.limits.provisioningMs(instance),
      terminationMessage: instance.terminationMessage,
      // Some could be had, but none of them started.
      foundNoCapacity: instance.terminationReason === 'no_offers' && !record.runtimeRecord.failedMachines,
      failedStart,
    };
  }
}

interface Facts {
  readonly underUtilised: boolean | null;
  readonly record: JobRecord;
  readonly run: RunRecord;
  readonly instance: InstanceRecord | null;
  readonly waitsFor: string | null;
  readonly volumes: JobVolumes | null;
  readonly failedStart: FailedStart | null;
  readonly now: number;
}

/** Null: no other machine is made in its place. */
async function fleetOfLostMachine(
  tx: ReadTx,
  { status }: JobRecord,
  instance: InstanceRecord | null,
): Promise<FleetRecord | null> {
  const isBeforeStart = status === 'submitted' || status === 'provisioning';
  const isLost = instance?.status === 'terminating' || instance?.status === 'terminated';
  if (!isBeforeStart || !isLost || instance.fleetId === null) return null;
  const fleet = await findFleet(tx, instance.fleetId);
  return fleet?.status === 'active' ? fleet : null;
}

async function utilisation(tx: ReadTx, job: JobRecord, now: number): Promise<boolean | null> {
  const policy = job.spec.utilization_policy;
  if (job.status !== 'running' || !policy) return null;
  const windowMs = policy.time_window * 1000;
  const rows = await tx.query<{ timestamp_micro: number; gpus: string }>(
    'SELECT timestamp_micro, gpus FROM job_metrics_points WHERE job_id = ? AND timestamp_micro >= ?',
    [job.id, (now - windowMs) * 1000],
  );
  const samples = rows.map((row) => ({
    at: Number(row.timestamp_micro) / 1000,
    gpuPercents: readJson<{ utilPercent: number }[]>(row.gpus).map((gpu) => gpu.utilPercent),
  }));
  return isUnderUtilised(samples, { minPercent: policy.min_gpu_utilization, windowMs }, now);
}

function owedLogOf({ runtimeRecord, logOffsets }: JobRecord, host: JobHost | null): OwedLog | null {
  const end = runtimeRecord.agent?.logEnd;
  return runtimeRecord.owesLog !== true || end === undefined ? null : { host, end, logOffsets };
}

function isTimed({ spec }: JobRecord): boolean {
  return Boolean(spec.max_duration) || Boolean(spec.utilization_policy);
}

function inactivityLimit({ spec }: RunRecord): number | null {
  if (spec.configuration.type !== 'dev-environment') return null;
  const limit = spec.configuration.inactivity_duration;
  return typeof limit === 'number' && limit >= 0 ? limit : null;
}
