import { Injectable } from '@nestjs/common';
import { deriveJobMetrics, type MachineTotals, type Wire } from '@dstack/core';
import { ResourceNotExistsError } from '../http/api-errors.js';
import { Database } from '../persistence/database.js';
import { MetricsStore } from './metrics-store.js';

export interface JobMetricsRequest {
  readonly runName: string;
  readonly runId?: string;
  readonly replicaNum: number;
  readonly jobNum: number;
  readonly limit: number;
  readonly afterMicro?: number;
  readonly beforeMicro?: number;
}

@Injectable()
export class MetricsService {
  constructor(
    private readonly db: Database,
    private readonly store: MetricsStore,
  ) {}

  /** @throws {ResourceNotExistsError} */
  async ofJob(project: { id: string; name: string }, request: JobMetricsRequest): Promise<Wire.JobMetrics> {
    const job = await this.db.read(async (tx) => {
      const [row] = await tx.query<{ id: string; provisioning_data: string | null }>(
        `SELECT jobs.id, jobs.provisioning_data FROM jobs JOIN runs ON runs.id = jobs.run_id
          WHERE runs.project_id = ? AND runs.name = ? AND (runs.deleted = ? OR runs.id = ?) AND (? = '' OR runs.id = ?)
            AND jobs.replica_num = ? AND jobs.job_num = ?
          ORDER BY jobs.submission_num DESC LIMIT 1`,
        [
          project.id,
          request.runName,
          false,
          request.runId ?? '',
          request.runId ?? '',
          request.runId ?? '',
          request.replicaNum,
          request.jobNum,
        ],
      );
      return row;
    });
    if (!job) {
      throw new ResourceNotExistsError(
        `Run ${request.runName} has no replica ${request.replicaNum}, job ${request.jobNum} in project ${project.name}`,
      );
    }
    const points = await this.store.points(job.id, request);
    return { metrics: deriveJobMetrics(points, machineTotals(job.provisioning_data)) };
  }
}

function machineTotals(provisioningData: string | null): MachineTotals {
  if (provisioningData === null) return {};
  // Written by this server when the job got its machine.
  const { instance_type: type } = JSON.parse(provisioningData) as Partial<Wire.JobProvisioningData>;
  if (type === undefined) return {};
  const gpuMemoryMib = type.resources.gpus[0]?.memory_mib;
  return {
    cpus: type.resources.cpus,
    memoryBytes: type.resources.memory_mib * 1024 * 1024,
    ...(gpuMemoryMib === undefined ? {} : { gpuMemoryBytes: gpuMemoryMib * 1024 * 1024 }),
  };
}
