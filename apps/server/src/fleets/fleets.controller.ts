import { Body, Controller } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { Caller, ProjectScope } from '../auth/caller.js';
import { Operation } from '../http/operation.decorator.js';
import { CurrentCaller, CurrentProject } from '../http/request-context.js';
import { FleetsService } from './fleets.service.js';

@Controller()
export class FleetsController {
  constructor(private readonly fleets: FleetsService) {}

  @Operation('global_fleets_list')
  listAll(@CurrentCaller() caller: Caller, @Body() request: Wire.ListFleetsRequest): Promise<Wire.Fleet[]> {
    return this.fleets.listAll(caller, request);
  }

  @Operation('project_fleets_list')
  list(@CurrentProject() scope: ProjectScope, @Body() request: Wire.ListProjectFleetsRequest): Promise<Wire.Fleet[]> {
    return this.fleets.list(scope, request);
  }

  @Operation('project_fleets_get')
  get(@CurrentProject() scope: ProjectScope, @Body() request: Wire.GetFleetRequest): Promise<Wire.Fleet> {
    return this.fleets.get(scope, request);
  }

  @Operation('project_fleets_get_plan', { leave: ['spec'] })
  plan(@CurrentProject() scope: ProjectScope, @Body() request: Wire.GetFleetPlanRequest): Promise<Wire.FleetPlan> {
    return this.fleets.plan(scope, request);
  }

  @Operation('project_fleets_apply', { leave: ['plan.spec', 'plan.current_resource'] })
  apply(@CurrentProject() scope: ProjectScope, @Body() request: Wire.ApplyFleetPlanRequest): Promise<Wire.Fleet> {
    return this.fleets.apply(scope, request);
  }

  @Operation('project_fleets_delete')
  delete(@CurrentProject() scope: ProjectScope, @Body() request: Wire.DeleteFleetsRequest): Promise<void> {
    return this.fleets.delete(scope, request);
  }

  @Operation('project_fleets_delete_instances')
  deleteInstances(
    @CurrentProject() scope: ProjectScope,
    @Body() request: Wire.DeleteFleetInstancesRequest,
  ): Promise<void> {
    return this.fleets.deleteInstances(scope, request);
  }
}
