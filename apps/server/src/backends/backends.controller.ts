import { Body, Controller, Param } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { ProjectScope } from '../auth/caller.js';
import { InvalidRequestError } from '../http/api-errors.js';
import { Operation } from '../http/operation.decorator.js';
import { CurrentProject } from '../http/request-context.js';
import type { BackendConfig } from './backend-store.js';
import { BackendsService } from './backends.service.js';

@Controller()
export class BackendsController {
  constructor(private readonly backends: BackendsService) {}

  @Operation('global_backends_list_types')
  listTypes(): Promise<Wire.BackendType[]> {
    return this.backends.types();
  }

  @Operation('project_backends_create')
  create(@CurrentProject() scope: ProjectScope, @Body() config: unknown): Promise<BackendConfig> {
    return this.backends.create(scope, config);
  }

  @Operation('project_backends_update')
  update(@CurrentProject() scope: ProjectScope, @Body() config: unknown): Promise<BackendConfig> {
    return this.backends.update(scope, config);
  }

  @Operation('project_backends_delete', { leave: ['backends_names'] }) // also those that are not of the contract
  delete(@CurrentProject() scope: ProjectScope, @Body() request: { backends_names: unknown }): Promise<void> {
    return this.backends.delete(scope, requireNames(request.backends_names));
  }

  @Operation('project_backends_config_info')
  configInfo(@CurrentProject() scope: ProjectScope, @Param('backend_name') name: string): Promise<BackendConfig> {
    return this.backends.configInfo(scope, name);
  }

  @Operation('project_backends_create_yaml')
  createYaml(@CurrentProject() scope: ProjectScope, @Body() request: Wire.CreateBackendYAMLRequest): Promise<void> {
    return this.backends.createYaml(scope, request.config_yaml);
  }

  @Operation('project_backends_update_yaml')
  updateYaml(@CurrentProject() scope: ProjectScope, @Body() request: Wire.UpdateBackendYAMLRequest): Promise<void> {
    return this.backends.updateYaml(scope, request.config_yaml);
  }

  @Operation('project_backends_get_yaml')
  getYaml(@CurrentProject() scope: ProjectScope, @Param('backend_name') name: string): Promise<Wire.BackendInfoYAML> {
    return this.backends.getYaml(scope, name);
  }
}

function requireNames(value: unknown): string[] {
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return value;
  const loc = ['body', 'backends_names'];
  throw new InvalidRequestError([{ type: 'list_type', loc, msg: 'Input should be a valid list', input: value }]);
}
