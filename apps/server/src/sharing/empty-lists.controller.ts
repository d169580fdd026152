import { Controller } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import { Operation } from '../http/operation.decorator.js';

/** Nothing can be shared or templated yet, so there is nothing to list; making or changing such things answers 501. */
@Controller()
export class EmptyListsController {
  @Operation('project_templates_list')
  templates(): Wire.UITemplate[] {
    return [];
  }

  @Operation('project_exports_list')
  exports(): Wire.Export[] {
    return [];
  }

  @Operation('project_imports_list')
  imports(): Wire.Import[] {
    return [];
  }
}
