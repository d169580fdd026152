import { Controller } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import { Operation } from '../http/operation.decorator.js';

/** There are no templates yet, so there is nothing to list. */
@Controller()
export class EmptyListsController {
  @Operation('project_templates_list')
  templates(): Wire.UITemplate[] {
    return [];
  }
}
