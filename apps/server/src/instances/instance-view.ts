import { toWireBackend, toWireInstanceStatus, displayBackend, type Wire } from '@dstack/core';
import { toWireTime } from '../http/wire-time.js';
import type { InstanceRecord } from './instance-record.js';

export interface InstanceFacts {
  readonly instance: InstanceRecord;
  readonly projectName: string;
  readonly fleetName: string | null;
  readonly jobName: string | null;
}

/** The contract's instance, and what it leaves out: the real backend and why a machine is still there. */
export type ExplainedInstance = Wire.Instance & {
  readonly backend_display: string | null;
  readonly last_error: string | null;
  /** What is wrong with the host, the worst first. */
  readonly health_incidents: readonly string[];
  /** What is being done to a host that is not ready yet. */
  readonly progress: string | null;
};

function showsLastError({ status, unreachableSince }: InstanceRecord): boolean {
  return status === 'terminating' || status === 'pending' || unreachableSince !== null;
}

function gpuDriver({ agent }: InstanceRecord): Wire.Instance['gpu_driver'] {
  const gpu = agent.info?.host.gpus[0];
  return gpu?.driverVersion === undefined ? null : { vendor: gpu.vendor, version: gpu.driverVersion };
}

export function toWireInstance({ instance, projectName, fleetName, jobName }: InstanceFacts): ExplainedInstance {
  const { backendType } = instance;
  return {
    id: instance.id,
    project_name: projectName,
    backend: backendType === null ? null : toWireBackend(backendType),
    backend_display: backendType === null ? null : displayBackend(backendType),
    instance_type: instance.offer?.instance ?? null,
    name: instance.name,
    fleet_id: instance.fleetId,
    fleet_name: fleetName,
    instance_num: instance.instanceNum,
    job_name: jobName,
    hostname: instance.machine?.hostname ?? instance.hostName,
    status: toWireInstanceStatus(instance.status),
    unreachable: instance.unreachableSince !== null,
    health_status: instance.health,
    health_incidents: instance.agent.incidents ?? [],
    termination_reason: instance.terminationReason,
    termination_reason_message: instance.terminationMessage,
    created: toWireTime(instance.createdAt),
    finished_at: instance.finishedAt === null ? null : toWireTime(instance.finishedAt),
    region: instance.region,
    availability_zone: instance.zone,
    price: instance.price,
    total_blocks: instance.totalBlocks,
    busy_blocks: instance.busyBlocks,
    gpu_driver: gpuDriver(instance),
    last_error: showsLastError(instance) ? instance.lastError : null,
    progress: instance.status === 'pending' || instance.status === 'provisioning' ? instance.progress.step : null,
  };
}
