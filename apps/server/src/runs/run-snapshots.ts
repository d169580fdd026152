import { Inject, Injectable } from '@nestjs/common';
import {
  effectiveProfile,
  isFinishedRun,
  type JobTerminationReason,
  nextScheduledAt,
  type RunJob,
  type RunSnapshot,
  type ServiceFacts,
} from '@dstack/core';
import { findJobsOfRun, type JobRecord, latestSubmissions } from '../jobs/job-record.js';
import type { ReadTx } from '../persistence/transaction.js';
import type { Observed } from '../reconcile/reconciler.js';
import { readStanding } from '../gateways/gateway-standing.js';
import { readTraffic } from '../services/service-traffic.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { findRun, type RunRecord } from './run-record.js';
import { serviceFacts, type ServiceRows } from './service-facts.js';

export interface RunView {
  readonly snapshot: RunSnapshot;
  readonly record: RunRecord;
  /** Latest submissions. */
  readonly jobs: readonly JobRecord[];
}

@Injectable()
export class RunSnapshots {
  constructor(@Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'images'>) {}

  async load(id: string, tx: ReadTx, now: number): Promise<Observed<RunView> | null> {
    const record = await findRun(tx, id);
    if (record === null) return null;
    const all = await findJobsOfRun(tx, id);
    const jobs = latestSubmissions(all);
    const latest = jobs.map((job) => ({ job: toRunJob(job, all), record: job }));
    const service = await this.serviceOf(tx, { run: record, latest, all }, now);
    const snapshot = snapshotOf(record, latest.map(({ job }) => job), service, now); // prettier-ignore
    return {
      snapshot: { snapshot, record, jobs },
      restsOn: jobs.map((job) => ({ table: 'jobs' as const, id: job.id, rev: job.rev })),
    };
  }

  private async serviceOf(
    tx: ReadTx,
    rows: Pick<ServiceRows, 'run' | 'latest' | 'all'>,
    now: number,
  ): Promise<ServiceFacts | null> {
    const { configuration } = rows.run.spec;
    if (configuration.type !== 'service' || isFinishedRun(rows.run.status)) return null;
    const traffic = await readTraffic(tx, rows.run.id, now);
    const { id, gatewayId } = rows.run;
    const gateway = gatewayId === null ? null : await readStanding(tx, id, gatewayId);
    return serviceFacts({ ...rows, configuration, traffic, images: this.settings.images, gateway });
  }
}

function snapshotOf(run: RunRecord, jobs: readonly RunJob[], service: ServiceFacts | null, now: number): RunSnapshot {
  const profile = effectiveProfile(run.spec);
  const cron = profile.schedule?.cron ?? null;
  const base = {
    id: run.id,
    submittedAt: run.submittedAt,
    jobs,
    isScheduled: cron !== null,
    startedAt: run.nextTriggeredAt ?? run.submittedAt,
    resubmissionAttempt: run.resubmissionAttempt,
  };
  switch (run.status) {
    case 'pending':
      return { ...base, status: 'pending', resumeAt: run.resumeAt, nextTriggeredAt: run.nextTriggeredAt, service };
    case 'submitted':
    case 'provisioning':
    case 'running':
      return {
        ...base,
        status: run.status,
        statusChangedAt: run.statusChangedAt,
        stopCriteria: profile.stop_criteria ?? 'all-done',
        deploymentNum: run.deploymentNum,
        service,
      };
    case 'terminating':
      return {
        ...base,
        status: 'terminating',
        reason: run.terminationReason ?? 'server_error',
        nextFireAt: cron === null ? null : nextScheduledAt(cron, now),
      };
    case 'terminated':
    case 'failed':
    case 'done':
      return { ...base, status: run.status };
  }
}

function toRunJob(job: JobRecord, all: readonly JobRecord[]): RunJob {
  const submissions = all.filter((each) => each.replicaNum === job.replicaNum && each.jobNum === job.jobNum);
  const ends = submissions.filter(hadMachine).map(endOf);
  return {
    id: job.id,
    replicaNum: job.replicaNum,
    jobNum: job.jobNum,
    submissionNum: job.submissionNum,
    deploymentNum: job.deploymentNum,
    status: job.status,
    reason: job.terminationReason satisfies JobTerminationReason | null,
    stopMode: job.stopMode,
    submittedAt: job.submittedAt,
    finishedAt: job.finishedAt,
    lastProvisionedEndAt: ends.length === 0 ? null : Math.max(...ends),
    retry: job.spec.retry ?? null,
  };
}

function hadMachine({ provisioningData, runtimeRecord }: JobRecord): boolean {
  return provisioningData !== null || (runtimeRecord.failedMachines ?? 0) > 0;
}

function endOf(job: JobRecord): number {
  return job.finishedAt ?? job.statusChangedAt;
}
