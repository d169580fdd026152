import {
  drainLimitMs,
  failuresInARow,
  failuresOfDeployment,
  getsRequests,
  type ImageDefaults,
  isDynamoRouter,
  isRoutedWorker,
  isUpToDate,
  replicaGroups,
  routerGroup,
  type Replica,
  type Rollout,
  type RunJob,
  type ServiceFacts,
  type ServiceGroup,
  type ServiceTraffic,
  jobStatusMessage,
  type Wire,
} from '@dstack/core';
import type { JobRecord } from '../jobs/job-record.js';
import type { GatewayStanding } from '../gateways/gateway-standing.js';
import type { RunRecord } from './run-record.js';

export interface ServiceRows {
  readonly run: RunRecord;
  readonly configuration: Wire.ServiceConfiguration;
  /** The latest submission of each replica, as any run has it. */
  readonly latest: readonly { readonly job: RunJob; readonly record: JobRecord }[];
  readonly all: readonly JobRecord[];
  readonly traffic: ServiceTraffic;
  readonly images: ImageDefaults;
  /** Null: this server serves it itself. */
  readonly gateway: GatewayStanding | null;
}

/** What a service's rows say, as decisions need it. */
export function serviceFacts({ run, configuration, latest, all, traffic, images, gateway }: ServiceRows): ServiceFacts {
  const router = routerGroup(configuration)?.name ?? null;
  return {
    groups: replicaGroups(configuration).map(toServiceGroup),
    replicas: latest.map(({ job, record }) => toReplica(job, record, { run, all, images, gateway, router })),
    router,
    endsWithRouter: router !== null && isDynamoRouter(configuration, router),
    scale: run.replicaScale,
    traffic,
    drainLimitMs: drainLimitMs(run.spec),
    rollout: run.formerSpec === null ? null : rolloutOf(run, all),
    gatewayRefusal: gateway?.refusal ?? null,
  };
}

function toServiceGroup({ name, min, max, scaling }: ReturnType<typeof replicaGroups>[number]): ServiceGroup {
  if (scaling === null) return { name, min, max, scaling: null };
  return {
    name,
    min,
    max,
    scaling: {
      target: scaling.target,
      windowSeconds: scaling.window ?? 60,
      upDelayMs: (scaling.scale_up_delay ?? 300) * 1000,
      downDelayMs: (scaling.scale_down_delay ?? 600) * 1000,
    },
  };
}

interface Surroundings {
  readonly run: RunRecord;
  readonly all: readonly JobRecord[];
  readonly images: ImageDefaults;
  readonly gateway: GatewayStanding | null;
  readonly router: string | null;
}

function toReplica(job: RunJob, record: JobRecord, { run, all, images, gateway, router }: Surroundings): Replica {
  const isWorker = isRoutedWorker(record.replicaGroup, router);
  const served = gateway?.served ?? null;
  return {
    ...job,
    group: record.replicaGroup,
    isReady: getsRequests({ isRegistered: record.registered, isWorker }, served && { isServed: served.has(record.id) }),
    runningAt: record.runningAt,
    drainingSince: record.drainingSince,
    isUpToDate: isUpToDate(run, record, images),
    failuresInARow: failuresInARow(all.filter(({ replicaNum }) => replicaNum === job.replicaNum)),
  };
}

function rolloutOf({ deploymentNum }: RunRecord, all: readonly JobRecord[]): Rollout {
  const failed = failuresOfDeployment(all, deploymentNum);
  const last = failed.at(-1);
  return { deploymentNum, failures: failed.length, lastFailure: last === undefined ? null : failureText(last) };
}

function failureText(job: JobRecord): string {
  const { status, terminationReason, terminationMessage, exitStatus } = job;
  if (terminationMessage !== null && terminationMessage !== '') return terminationMessage;
  return jobStatusMessage({ status, reason: terminationReason, reasonMessage: null, exitStatus });
}
