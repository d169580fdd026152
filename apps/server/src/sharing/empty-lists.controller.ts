import { Controller } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import { Operation } from '../http/operation.decorator.js';

/** There are no templates and gateways yet, so there is nothing to list; making or changing such things answers 501. */
@Controller()
export class EmptyListsController {
  @Operation('project_templates_list')
  templates(): Wire.UITemplate[] {
    return [];
  }

  @Operation('project_gateways_list')
  gateways(): Wire.Gateway[] {
    return [];
  }
}
