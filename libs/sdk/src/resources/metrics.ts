import type { Wire } from '@dstack/core';
import type { CallOptions } from '../http/transport.js';
import type { ProjectCalls } from './project-call.js';

export interface JobMetricsRequest {
  readonly runName: string;
  readonly replica?: number | undefined;
  readonly job?: number | undefined;
  readonly limit?: number | undefined;
  readonly after?: string | undefined;
  readonly before?: string | undefined;
}

export class Metrics {
  constructor(private readonly project: ProjectCalls) {}

  /** Samples of one job, newest first. */
  job(request: JobMetricsRequest, options?: CallOptions): Promise<Wire.JobMetrics> {
    return this.project.get(
      `metrics/job/${encodeURIComponent(request.runName)}`,
      {
        replica_num: request.replica,
        job_num: request.job,
        limit: request.limit,
        after: request.after,
        before: request.before,
      },
      options,
    );
  }
}
