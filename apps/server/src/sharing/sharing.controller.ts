import { Body, Controller } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { ProjectScope } from '../auth/caller.js';
import { Operation } from '../http/operation.decorator.js';
import { CurrentProject } from '../http/request-context.js';
import { SharingService } from './sharing.service.js';

@Controller()
export class SharingController {
  constructor(private readonly sharing: SharingService) {}

  @Operation('project_exports_list')
  listExports(@CurrentProject() scope: ProjectScope): Promise<Wire.Export[]> {
    return this.sharing.listExports(scope);
  }

  @Operation('project_exports_create')
  create(@CurrentProject() scope: ProjectScope, @Body() request: Wire.CreateExportRequest): Promise<Wire.Export> {
    return this.sharing.create(scope, request);
  }

  @Operation('project_exports_update')
  update(@CurrentProject() scope: ProjectScope, @Body() request: Wire.UpdateExportRequest): Promise<Wire.Export> {
    return this.sharing.update(scope, request);
  }

  @Operation('project_exports_delete')
  delete(@CurrentProject() scope: ProjectScope, @Body() request: Wire.DeleteExportRequest): Promise<void> {
    return this.sharing.delete(scope, request);
  }

  @Operation('project_imports_list')
  listImports(@CurrentProject() scope: ProjectScope): Promise<Wire.Import[]> {
    return this.sharing.listImports(scope);
  }

  @Operation('project_imports_delete')
  deleteImport(@CurrentProject() scope: ProjectScope, @Body() request: Wire.DeleteImportRequest): Promise<void> {
    return this.sharing.deleteImport(scope, request);
  }
}
