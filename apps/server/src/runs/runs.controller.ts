import { Body, Controller, Headers } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { Caller, ProjectScope } from '../auth/caller.js';
import type { JsonList } from '../http/json-list.js';
import { Operation } from '../http/operation.decorator.js';
import { CurrentCaller, CurrentProject } from '../http/request-context.js';
import { RunsService } from './runs.service.js';

@Controller()
export class RunsController {
  constructor(private readonly runs: RunsService) {}

  @Operation('global_runs_list')
  list(@CurrentCaller() caller: Caller, @Body() request: Wire.ListRunsRequest): Promise<JsonList> {
    return this.runs.list(caller, request);
  }

  @Operation('project_runs_get')
  get(@CurrentProject() scope: ProjectScope, @Body() request: Wire.GetRunRequest): Promise<Wire.Run> {
    return this.runs.get(scope, request);
  }

  @Operation('project_runs_get_plan', { leave: ['run_spec'] })
  plan(@CurrentProject() scope: ProjectScope, @Body() request: Wire.GetRunPlanRequest): Promise<Wire.RunPlan> {
    return this.runs.plan(scope, request);
  }

  @Operation('project_runs_apply', { leave: ['plan.run_spec', 'plan.current_resource'] })
  apply(
    @CurrentProject() scope: ProjectScope,
    @Body() request: Wire.ApplyRunPlanRequest,
    @Headers('x-idempotency-key') idempotencyKey?: string,
  ): Promise<Wire.Run> {
    return this.runs.apply(scope, request, idempotencyKey ?? null);
  }

  @Operation('project_runs_stop')
  stop(@CurrentProject() scope: ProjectScope, @Body() request: Wire.StopRunsRequest): Promise<void> {
    return this.runs.stop(scope, request);
  }

  @Operation('project_runs_delete')
  delete(@CurrentProject() scope: ProjectScope, @Body() request: Wire.DeleteRunsRequest): Promise<void> {
    return this.runs.delete(scope, request);
  }

  @Operation('project_gpus_list', { leave: ['run_spec'] })
  gpus(@CurrentProject() scope: ProjectScope, @Body() request: Wire.ListGpusRequest): Promise<Wire.ListGpusResponse> {
    return this.runs.listGpus(scope, request);
  }
}
