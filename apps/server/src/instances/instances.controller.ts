import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { Caller, ProjectScope } from '../auth/caller.js';
import { Access } from '../http/access.decorator.js';
import { Operation } from '../http/operation.decorator.js';
import { CurrentCaller, CurrentProject } from '../http/request-context.js';
import { InstancesService } from './instances.service.js';
import { Quarantine } from './quarantine.js';

@Controller()
export class InstancesController {
  constructor(
    private readonly instances: InstancesService,
    @Inject(Quarantine) private readonly quarantine: Quarantine,
  ) {}

  @Operation('global_instances_list')
  list(@CurrentCaller() caller: Caller, @Body() request: Wire.ListInstancesRequest): Promise<Wire.Instance[]> {
    return this.instances.list(caller, request);
  }

  @Operation('project_instances_get')
  get(@CurrentProject() scope: ProjectScope, @Body() request: Wire.GetInstanceRequest): Promise<Wire.Instance> {
    return this.instances.get(scope, request);
  }

  @Operation('project_instances_get_instance_health_checks')
  healthChecks(
    @CurrentProject() scope: ProjectScope,
    @Body() request: Wire.GetInstanceHealthChecksRequest,
  ): Promise<Wire.GetInstanceHealthChecksResponse> {
    return this.instances.healthChecks(scope, request);
  }

  /** An administrator has looked: what the database does not know may be terminated. */
  @Post('api/server/end_quarantine')
  @HttpCode(200)
  @Access('global_admin')
  endQuarantine(): Promise<void> {
    return this.quarantine.end();
  }
}
