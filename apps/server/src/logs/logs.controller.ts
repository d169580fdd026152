import { Readable } from 'node:stream';
import { Body, Controller, Get, Param, Query, Res } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { FastifyReply } from 'fastify';
import type { ProjectScope } from '../auth/caller.js';
import { Access } from '../http/access.decorator.js';
import { Described } from '../http/described.js';
import { Operation } from '../http/operation.decorator.js';
import { QueryDtoPipe } from '../http/query-dto.pipe.js';
import { CurrentProject } from '../http/request-context.js';
import { LogsService } from './logs.service.js';
import type { LogStreamQuery } from './log-stream-query.dto.js';

async function streamQuery(): Promise<typeof LogStreamQuery> {
  return (await import('./log-stream-query.dto.js')).LogStreamQuery;
}

@Controller()
export class LogsController {
  constructor(private readonly logs: LogsService) {}

  @Operation('project_logs_poll')
  poll(@CurrentProject() scope: ProjectScope, @Body() request: Wire.PollLogsRequest): Promise<Wire.JobSubmissionLogs> {
    return this.logs.poll({ id: scope.projectId, name: scope.projectName }, request);
  }

  @Get('/api/project/:project_name/runs/:run_name/logs/stream')
  @Access('project_member')
  @Described(({ ApiOkResponse, ApiOperation, ApiProduces, ApiTags }) => [
    ApiTags('logs'),
    ApiOperation({
      summary: 'A job’s output from an offset on, live until the log is complete',
      description:
        'Frames of `[u32be payload length][u64be end offset][u64be unix ms][payload]`; one without payload is a heartbeat. ' +
        'After a broken connection go on with `after` = the last end offset: nothing is skipped or repeated.',
    }),
    ApiProduces('application/octet-stream'),
    ApiOkResponse({ schema: { type: 'string', format: 'binary' } }),
  ])
  async stream(
    @CurrentProject() scope: ProjectScope,
    @Param('run_name') runName: string,
    @Query(new QueryDtoPipe(streamQuery)) query: LogStreamQuery,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const gone = new AbortController();
    const frames = await this.logs.stream(
      { id: scope.projectId, name: scope.projectName },
      {
        runName,
        diagnose: query.diagnose ?? false,
        ...(query.submission_id === undefined ? {} : { submissionId: query.submission_id }),
        ...(query.replica === undefined ? {} : { replicaNum: query.replica }),
        ...(query.job === undefined ? {} : { jobNum: query.job }),
      },
      { after: query.after ?? 0, follow: query.follow ?? true, signal: gone.signal },
    );
    reply.raw.once('close', () => gone.abort());
    void reply.header('content-type', 'application/octet-stream').header('cache-control', 'no-store');
    await reply.send(Readable.from(frames, { objectMode: false }));
  }
}
