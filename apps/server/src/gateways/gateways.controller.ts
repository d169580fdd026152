import { Body, Controller, Query } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { ProjectScope } from '../auth/caller.js';
import { Operation } from '../http/operation.decorator.js';
import { CurrentProject } from '../http/request-context.js';
import { GatewaysService } from './gateways.service.js';

@Controller()
export class GatewaysController {
  constructor(private readonly gateways: GatewaysService) {}

  @Operation('project_gateways_list')
  list(@CurrentProject() scope: ProjectScope, @Body() request: Wire.ListGatewaysRequest): Promise<Wire.Gateway[]> {
    return this.gateways.list(scope, request);
  }

  @Operation('project_gateways_get')
  get(@CurrentProject() scope: ProjectScope, @Body() request: Wire.GetGatewayRequest): Promise<Wire.Gateway> {
    return this.gateways.get(scope, request);
  }

  @Operation('project_gateways_get_plan', { leave: ['spec.configuration'] })
  plan(@CurrentProject() scope: ProjectScope, @Body() request: Wire.GetGatewayPlanRequest): Promise<Wire.GatewayPlan> {
    return this.gateways.plan(scope, request);
  }

  @Operation('project_gateways_apply', { leave: ['plan.spec.configuration', 'plan.current_resource'] })
  apply(@CurrentProject() scope: ProjectScope, @Body() request: Wire.ApplyGatewayPlanRequest): Promise<Wire.Gateway> {
    return this.gateways.apply(scope, request);
  }

  @Operation('project_gateways_create', { leave: ['configuration'] })
  create(@CurrentProject() scope: ProjectScope, @Body() request: Wire.CreateGatewayRequest): Promise<Wire.Gateway> {
    return this.gateways.create(scope, request);
  }

  /** `?force=true` is ours: it takes the gateway away from services that run. */
  @Operation('project_gateways_delete')
  delete(
    @CurrentProject() scope: ProjectScope,
    @Body() request: Wire.DeleteGatewaysRequest,
    @Query('force') force?: string,
  ): Promise<void> {
    return this.gateways.delete(scope, request, force === 'true' || force === '1');
  }

  @Operation('project_gateways_set_default')
  setDefault(@CurrentProject() scope: ProjectScope, @Body() request: Wire.SetDefaultGatewayRequest): Promise<void> {
    return this.gateways.setDefault(scope, request);
  }

  @Operation('project_gateways_set_wildcard_domain')
  setWildcardDomain(
    @CurrentProject() scope: ProjectScope,
    @Body() request: Wire.SetWildcardDomainRequest,
  ): Promise<Wire.Gateway> {
    return this.gateways.setWildcardDomain(scope, request);
  }
}
