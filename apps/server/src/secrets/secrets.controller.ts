import { Body, Controller } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { ProjectScope } from '../auth/caller.js';
import { Operation } from '../http/operation.decorator.js';
import { CurrentProject } from '../http/request-context.js';
import { SecretsService } from './secrets.service.js';

@Controller()
export class SecretsController {
  constructor(private readonly secrets: SecretsService) {}

  @Operation('project_secrets_list')
  list(@CurrentProject() scope: ProjectScope): Promise<Wire.Secret[]> {
    return this.secrets.list(scope);
  }

  @Operation('project_secrets_get')
  get(@CurrentProject() scope: ProjectScope, @Body() request: Wire.GetSecretRequest): Promise<Wire.Secret> {
    return this.secrets.get(scope, request.name);
  }

  @Operation('project_secrets_create_or_update')
  put(@CurrentProject() scope: ProjectScope, @Body() request: Wire.CreateOrUpdateSecretRequest): Promise<Wire.Secret> {
    return this.secrets.put(scope, request);
  }

  @Operation('project_secrets_delete')
  delete(@CurrentProject() scope: ProjectScope, @Body() request: Wire.DeleteSecretsRequest): Promise<void> {
    return this.secrets.delete(scope, request.secrets_names);
  }
}
