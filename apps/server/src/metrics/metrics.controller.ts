import { Controller, Param, Query } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { ProjectScope } from '../auth/caller.js';
import { Operation } from '../http/operation.decorator.js';
import { CurrentProject } from '../http/request-context.js';
import { MetricsService } from './metrics.service.js';

interface JobMetricsQuery {
  readonly run_id?: string | null;
  readonly replica_num?: number;
  readonly job_num?: number;
  readonly limit?: number;
  readonly after?: string | null;
  readonly before?: string | null;
}

@Controller()
export class MetricsController {
  constructor(private readonly metrics: MetricsService) {}

  @Operation('project_metrics_job')
  ofJob(
    @CurrentProject() scope: ProjectScope,
    @Param('run_name') runName: string,
    @Query() query: JobMetricsQuery,
  ): Promise<Wire.JobMetrics> {
    return this.metrics.ofJob(
      { id: scope.projectId, name: scope.projectName },
      {
        runName,
        replicaNum: query.replica_num ?? 0,
        jobNum: query.job_num ?? 0,
        limit: query.limit ?? 1,
        ...(query.run_id ? { runId: query.run_id } : {}),
        ...(query.after ? { afterMicro: Date.parse(query.after) * 1000 } : {}),
        ...(query.before ? { beforeMicro: Date.parse(query.before) * 1000 } : {}),
      },
    );
  }
}
