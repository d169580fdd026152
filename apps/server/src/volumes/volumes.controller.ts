import { Body, Controller } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { Caller, ProjectScope } from '../auth/caller.js';
import { Operation } from '../http/operation.decorator.js';
import { CurrentCaller, CurrentProject } from '../http/request-context.js';
import { VolumesService } from './volumes.service.js';

@Controller()
export class VolumesController {
  constructor(private readonly volumes: VolumesService) {}

  @Operation('global_volumes_list')
  listAll(@CurrentCaller() caller: Caller, @Body() request: Wire.ListVolumesRequest): Promise<Wire.Volume[]> {
    return this.volumes.listAll(caller, request);
  }

  @Operation('project_volumes_list')
  list(@CurrentProject() scope: ProjectScope): Promise<Wire.Volume[]> {
    return this.volumes.list(scope);
  }

  @Operation('project_volumes_get')
  get(@CurrentProject() scope: ProjectScope, @Body() request: Wire.GetVolumeRequest): Promise<Wire.Volume> {
    return this.volumes.get(scope, request);
  }

  @Operation('project_volumes_create', { leave: ['configuration'] })
  create(@CurrentProject() scope: ProjectScope, @Body() request: Wire.CreateVolumeRequest): Promise<Wire.Volume> {
    return this.volumes.create(scope, request);
  }

  @Operation('project_volumes_delete')
  delete(@CurrentProject() scope: ProjectScope, @Body() request: Wire.DeleteVolumesRequest): Promise<void> {
    return this.volumes.delete(scope, request);
  }
}
