import { Controller } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { ProjectScope } from '../auth/caller.js';
import { Operation } from '../http/operation.decorator.js';
import { CurrentProject } from '../http/request-context.js';
import { TemplatesService } from './templates.service.js';

@Controller()
export class TemplatesController {
  constructor(private readonly templates: TemplatesService) {}

  @Operation('project_templates_list')
  list(@CurrentProject() scope: ProjectScope): Promise<Wire.UITemplate[]> {
    return this.templates.list(scope);
  }
}
